"""What the loader takes, and what it refuses with one line."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256

import pytest

from compiler.artifact import artifact_files, write
from runtime.artifact import ArtifactError, digest_of, load
from tests.compiler.build.worlds import CASES, built, caller, group, planned, small
from tests.golden.cases import compiled


@pytest.fixture
def folder(tmp_path):
    return built(small(), tmp_path)


def rewrite_manifest(folder, **changes):
    """A manifest that vouches for what now stands in the folder."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    files = {
        name: sha256((folder / name).read_bytes()).hexdigest()
        for name in manifest["files"]
        if (folder / name).exists()
    }
    path.write_text(json.dumps({**manifest, "files": files, "digest": digest_of(files), **changes}))


def refusal(folder):
    with pytest.raises(ArtifactError) as refused:
        load(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_everything_in_the_deployment_comes_back(tmp_path):
    folder = tmp_path / "acme"
    write(compiled(CASES / "acme"), folder)
    artifact = load(folder)
    assert artifact.name == "acme"
    assert artifact.digest == json.loads((folder / "manifest.json").read_text())["digest"]
    assert list(artifact.groups) == ["coder", "auto", "vision-smoke"]
    assert artifact.reaches["vault"] == {"anthropic", "gpu"}
    assert artifact.callers["bob"].reach == "vault"
    assert artifact.tokens["rtr_acme_bob_vault_prod_k1"].caller == "bob"
    assert artifact.limits["developer"].day.usd == 40.0
    assert artifact.prices["big"].cache_write == 6.25
    assert {(route.target, route.bridge) for route in artifact.cells["coder", "chat"].routes} == {
        ("m3", None),
        ("gpt", None),
        ("opus", "chat_to_messages"),
        ("qwen", None),
    }


def test_a_closed_surface_has_a_cell_that_says_so(folder):
    assert load(folder).cells["g", "messages"].out == {"t": "surface-closed"}


def test_listings_come_whole_for_codex_alone_and_by_id(tmp_path):
    document = small(groups={"g": group(aliases=["claude-g"], surfaces=["chat"])})
    artifact = load(built(document, tmp_path))
    listing = artifact.listings[artifact.callers["alice"].listing]
    whole = json.loads(listing.all)
    assert [entry["id"] for entry in whole["data"]] == ["g", "claude-g"] == list(listing.entries)
    assert json.loads(listing.entries["claude-g"]) == whole["data"][1]
    assert json.loads(listing.codex) == {"models": whole["models"]}


@pytest.mark.parametrize("name", ["targets.py", "eligibility.lock", "routes/g.py"])
def test_a_changed_byte_is_refused(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert "changed since it was built" in refusal(folder)


def test_a_file_nobody_listed_is_refused(folder):
    (folder / "extra.py").write_text("")
    assert "extra.py: not listed" in refusal(folder)


def test_a_listed_file_that_is_gone_is_refused(folder):
    (folder / "targets.py").unlink()
    assert "targets.py: listed in the manifest, but missing" in refusal(folder)


def test_a_manifest_that_forgets_a_module_is_refused(folder):
    (folder / "targets.py").unlink()
    rewrite_manifest(folder)
    assert "targets.py: missing from the manifest" in refusal(folder)


@pytest.mark.parametrize("found", [0, 2, "1", None])
def test_an_unknown_format_is_refused(folder, found):
    rewrite_manifest(folder, format=found)
    assert "is unknown, this runtime reads 1" in refusal(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "x": 2}'])
def test_a_manifest_that_is_none_is_refused(folder, text):
    (folder / "manifest.json").write_text(text)
    assert "manifest.json" in refusal(folder)


def test_a_digest_of_another_file_list_is_refused(folder):
    rewrite_manifest(folder, digest="0" * 64)
    assert "the digest is not that of the file list" in refusal(folder)


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    assert "is this a folder that `interlock build` wrote?" in refusal(tmp_path)


@pytest.mark.parametrize(
    "code",
    ["import os", "open('/etc/passwd')", "raise SystemExit", "this is no Python", "1 / 0"],
)
def test_code_in_a_module_reaches_nothing_and_is_refused(folder, code):
    (folder / "providers.py").write_text(f"{code}\nPROVIDERS = {{}}\n")
    rewrite_manifest(folder)
    refusal(folder)


def test_bytecode_of_another_source_is_not_run(folder):
    load(folder)
    (folder / "providers.py").write_text("PROVIDERS = {}\n")
    rewrite_manifest(folder)
    assert load(folder).providers == {}


@pytest.mark.parametrize("kept", [16, 17, 40])
def test_bytecode_that_is_cut_short_is_made_anew(folder, kept):
    digest = load(folder).digest
    for cached in folder.rglob("*.pyc"):
        cached.write_bytes(cached.read_bytes()[:kept])
    assert load(folder).digest == digest


def test_a_listed_path_outside_the_folder_is_never_read(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    files = {**manifest["files"], "../outside.py": sha256(b"X = 1").hexdigest()}
    (folder.parent / "outside.py").write_text("X = 1")
    path.write_text(json.dumps({**manifest, "files": files, "digest": digest_of(files)}))
    assert "outside.py: listed in the manifest, but missing" in refusal(folder)


def test_bytecode_is_no_part_of_the_artifact(folder):
    assert (folder / "__pycache__").is_dir()
    digest = load(folder).digest
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
    assert load(folder).digest == digest
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "anything.txt").write_text("x")
    assert load(folder).digest == digest


def test_the_digest_covers_every_file_and_nothing_else(tmp_path):
    first = planned(small())
    renamed = planned(small(callers={"alice": caller(env="dev", roles=["metrics"])}))
    one, same, other = (
        json.loads(artifact_files(plan, source)["manifest.json"])
        for plan, source in ((first, "a.yaml"), (first, "a.yaml"), (renamed, "a.yaml"))
    )
    assert one["digest"] == same["digest"] != other["digest"]
