"""The same deployment gives the same bytes everywhere, and `build` knows when they are stale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler.artifact import VERSION, artifact_files, source_name, write
from compiler.cli.build import build
from runtime.artifact import load
from tests.compiler.build.worlds import CASES, built, group, planned, small

ROOT = Path(__file__).parents[3]
_BUILD = """
import sys
from pathlib import Path
from tests.golden.cases import compiled
for path, content in compiled(Path(sys.argv[1])).items():
    sys.stdout.buffer.write(path.encode() + b"\\0" + content)
"""


def run(*arguments, cwd=ROOT, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("case", ["acme", "three-dialects"])
def test_builds_are_the_same_under_other_hash_seeds_time_zones_and_locales(case):
    worlds = [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    ]
    first, second = (run("-c", _BUILD, str(CASES / case), **world) for world in worlds)
    assert first == second
    assert b"manifest.json" in first


@pytest.mark.parametrize("name", ["acme", "demo"])
def test_committed_packages_are_what_their_deployments_compile_to(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(build, [f"deployments/{name}.yaml", "--check"])
    assert result.exit_code == 0, result.output


def test_check_is_silent_on_a_fresh_package_and_shows_what_changed_on_a_stale_one(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_bytes((CASES / "smallest" / "deployment.yaml").read_bytes())
    out = ["--out", str(tmp_path / "generated")]
    runner = CliRunner()
    assert runner.invoke(build, [str(file), *out, "--check"]).exit_code == 1
    assert runner.invoke(build, [str(file), *out]).exit_code == 0
    assert runner.invoke(build, [str(file), *out, "--check"]).exit_code == 0
    file.write_text(file.read_text().replace("qwen3-coder", "qwen4-coder"))
    stale = runner.invoke(build, [str(file), *out, "--check"])
    assert stale.exit_code == 1
    assert '+        model="qwen4-coder",' in stale.output.splitlines()


def test_errors_write_nothing(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_text("interlock: 1\nname: small\n")
    result = CliRunner().invoke(build, [str(file), "--out", str(tmp_path / "generated")])
    assert result.exit_code == 1
    assert "error[" in result.output
    assert not (tmp_path / "generated").exists()


def test_a_file_that_is_not_there_cannot_run(tmp_path):
    assert CliRunner().invoke(build, [str(tmp_path / "none.yaml")]).exit_code == 2


def test_a_build_takes_away_what_an_earlier_one_left(tmp_path):
    two = small(groups={"g": group(), "old": group()})
    folder = built(two, tmp_path)
    assert (folder / "routes" / "old.py").exists()
    assert built(small(), tmp_path) == folder
    assert not (folder / "routes" / "old.py").exists()
    assert sorted(load(folder).groups) == ["g"]
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_a_folder_that_is_no_artifact_is_left_alone(tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"thesis\.txt belongs to no artifact"):
        built(small(), tmp_path)
    assert [path.name for path in (tmp_path / "small").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("manifest", ['{"name": "my web app"}', "<<<<<<< HEAD", '{"files": 7}'])
def test_a_manifest_that_is_not_ours_gives_nothing_away(tmp_path, manifest):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "manifest.json").write_text(manifest)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"thesis\.txt belongs to no artifact"):
        built(small(), tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "thesis.txt"]


def test_a_manifest_cannot_claim_what_no_build_writes(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    (folder / "manifest.json").write_text('{"files": {"thesis.txt": "", "../small.yaml": ""}}')
    with pytest.raises(FileExistsError, match=r"thesis\.txt belongs to no artifact"):
        built(small(), tmp_path)
    assert (folder / "thesis.txt").read_text() == "mine"


def test_a_package_whose_manifest_got_lost_in_a_merge_is_built_anew(tmp_path):
    folder = built(small(groups={"g": group(), "old": group()}), tmp_path)
    (folder / "manifest.json").write_text("<<<<<<< HEAD\n")
    built(small(), tmp_path)
    assert sorted(load(folder).groups) == ["g"]


@pytest.mark.parametrize("link", ["small", "small/routes", "small/targets.py"])
def test_no_build_writes_through_a_symbolic_link(tmp_path, link):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = tmp_path / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(elsewhere)
    with pytest.raises(FileExistsError, match="is a symbolic link; remove it first"):
        built(small(), tmp_path)
    assert list(elsewhere.iterdir()) == []


def test_what_is_taken_away_goes_with_its_bytecode(tmp_path):
    folder = built(small(groups={"g": group(), "old": group()}), tmp_path)
    built(small(), tmp_path)
    assert [path.name.split(".")[0] for path in (folder / "routes").rglob("*.pyc")] == ["g"]


def test_check_tells_of_files_that_are_gone_and_of_files_that_came(tmp_path):
    file = tmp_path / "small.yaml"
    file.write_bytes((CASES / "smallest" / "deployment.yaml").read_bytes())
    command = [str(file), "--out", str(tmp_path)]
    CliRunner().invoke(build, command)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    (folder / "callers.py").unlink()
    (folder / "routes" / "more.py").write_text("ROUTES = {}\n")
    stale = CliRunner().invoke(build, [*command, "--check"])
    assert stale.exit_code == 1
    rows = stale.output.splitlines()
    assert f"+++ {folder.as_posix()}/callers.py (built)" in rows
    assert f"--- {folder.as_posix()}/routes/more.py" in rows


def test_no_path_of_the_machine_reaches_the_artifact(tmp_path):
    place = tmp_path / "deployments" / "small.yaml"
    assert source_name(place, tmp_path / "generated") == "deployments/small.yaml"
    assert source_name(place, Path("/elsewhere/generated")) == "small.yaml"


def test_the_version_in_the_manifest_is_that_of_the_distribution():
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()


def test_unchanged_files_are_not_touched_again(tmp_path):
    folder = built(small(), tmp_path)
    before = (folder / "targets.py").stat().st_mtime_ns
    changed = planned(small(groups={"g": group(title="New")}))
    write(artifact_files(changed, "small.yaml"), folder)
    assert (folder / "targets.py").stat().st_mtime_ns == before
    load(folder)
