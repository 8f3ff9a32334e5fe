"""What a person may name: a YAML, an artifact, a revision; and what is said of anything else."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from compiler.artifact import artifact_files, write
from compiler.cli import main
from compiler.render.kept import KEPT
from compiler.review.compare import compare
from compiler.review.sources import Absent, Unreadable, new_deployment, open_source
from runtime.artifact import MANIFEST, digest_of
from tests.compiler.review.cases import BASE
from tests.compiler.review.test_view import planned

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def commits(tmp_path_factory):
    """Two commits of one deployment and its artifact; the working tree is the second."""
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "--quiet")
    file = root / "deployments/base.yaml"
    file.parent.mkdir()
    for text in (BASE.read_text(), BASE.read_text().replace("weight: 60", "weight: 6")):
        file.write_text(text)
        write(artifact_files(planned(file), "deployments/base.yaml"), root / "generated/base")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "change")
    return root


@pytest.fixture
def repository(commits, monkeypatch):
    monkeypatch.chdir(commits)
    return commits


def kinds(old, new):
    return {change.kind for change in compare(open_source(old).view, open_source(new).view)}


@needs_git
@pytest.mark.parametrize("old", ["HEAD~1:deployments/base.yaml", "HEAD~1:generated/base"])
@pytest.mark.parametrize("new", ["deployments/base.yaml", "generated/base", "HEAD:generated/base"])
def test_files_folders_and_revisions_compare_with_each_other(repository, old, new):
    assert kinds(old, new) == {"order", "field"}
    assert kinds(new, new) == set()


@needs_git
@pytest.mark.parametrize(
    "name",
    [
        "HEAD:nowhere.yaml",
        "HEAD~9:deployments/base.yaml",
        "--output=stolen:deployments/base.yaml",
        ":deployments/base.yaml",
        "HEAD:deployments",
    ],
)
def test_a_revision_that_is_none_is_told_and_runs_nothing(repository, name):
    with pytest.raises(Unreadable) as caught:
        open_source(name)
    assert name.split(":")[1] in str(caught.value)
    assert str(repository.parent) not in str(caught.value)
    assert not list(repository.glob("stolen*"))


def test_what_exists_is_never_taken_for_a_revision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("HEAD:base.yaml").write_bytes(BASE.read_bytes())
    assert open_source("HEAD:base.yaml").view.name == "base"


def test_a_deployment_that_breaks_a_promise_is_still_looked_at(tmp_path):
    file = tmp_path / "base.yaml"
    file.write_text(BASE.read_text().replace("codex: 1,", "codex: 4,"))
    source = open_source(str(file))
    assert source.view.name == "base"
    assert source.errors[0].startswith("IL401 `coder` promises 4 targets")


def test_a_deployment_that_cannot_be_read_is_told_with_its_diagnostics(tmp_path):
    file = tmp_path / "base.yaml"
    file.write_text(BASE.read_text().replace("target: m3", "target: m4"))
    with pytest.raises(Unreadable, match="there is no target `m4`"):
        open_source(str(file))


def test_an_artifact_of_an_older_compiler_is_to_be_built_again(tmp_path):
    files = artifact_files(planned(BASE), "base.yaml")
    manifest = json.loads(files[MANIFEST])
    del files[KEPT], manifest["files"][KEPT]
    manifest["digest"] = digest_of(manifest["files"])
    write({**files, MANIFEST: json.dumps(manifest).encode()}, tmp_path / "base")
    with pytest.raises(Unreadable, match=r"review\.json: .*build it again"):
        open_source(str(tmp_path / "base"))


def test_a_folder_that_is_no_artifact_is_told(tmp_path):
    with pytest.raises(Unreadable, match=r"manifest\.json"):
        open_source(str(tmp_path))


@needs_git
@pytest.mark.parametrize(
    "old", ["HEAD~1:deployments/later.yaml", "HEAD~1:generated/later", "HEAD:nowhere.yaml"]
)
def test_what_a_revision_lacks_is_a_new_deployment_and_everything_in_it_gained(repository, old):
    ran = CliRunner().invoke(main, ["diff", old, "deployments/base.yaml"])
    assert ran.exit_code == 0, ran.output
    assert "compared as a new deployment" in ran.stderr
    assert "Names and callers" in ran.stdout
    with pytest.raises(Absent):
        open_source(old)


@needs_git
def test_a_new_deployment_loses_nothing_and_takes_nobody_away(repository):
    after = open_source("deployments/base.yaml")
    before = new_deployment("HEAD~1:deployments/later.yaml", after)
    told = {change.kind for change in compare(before.view, after.view)}
    assert {"group-added", "caller-added"} <= told
    assert not {kind for kind in told if kind.endswith(("-removed", "-lost"))}
    assert not told & {"cut-off", "promise-falls", "lost", "nobody-left", "cut", "refused"}


@needs_git
@pytest.mark.parametrize("old", ["HEAD~9:deployments/base.yaml", "nobranch:base.yaml"])
def test_a_revision_that_is_not_there_is_no_new_deployment(repository, old):
    ran = CliRunner().invoke(main, ["diff", old, "deployments/base.yaml"])
    assert ran.exit_code == 2
    assert "new deployment" not in ran.output
