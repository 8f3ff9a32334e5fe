"""What pipelines run: the forms of `check`, the hooks for a commit, the workflow of the README."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from compiler.cli import COMMANDS, main
from compiler.diagnostics import RULES
from compiler.docs import FOLDER

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "diagnostics"
BROKEN = CASES / "IL302-unknown-target.yaml"
WARNED = CASES / "IL320-unused.yaml"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
(WORKFLOW,) = re.findall(r"```yaml\n(# \.github.*?)```", (ROOT / "README.md").read_text(), re.S)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def sarif(*files):
    (ran,) = json.loads(run("check", *files, "--format", "sarif").output)["runs"]
    return ran


def test_several_files_are_checked_in_one_go():
    result = run("check", BROKEN, WARNED)
    assert result.exit_code == 1
    assert f"{BROKEN}: 1 error" in result.output
    assert f"{WARNED}: " in result.output
    both = json.loads(run("check", BROKEN, WARNED, "--format", "json").output)
    assert [told["file"] for told in both] == [str(BROKEN), str(WARNED)]
    assert run("check", WARNED, WARNED).exit_code == 0


def test_a_rule_in_sarif_brings_the_page_of_the_reference():
    for rule in sarif(BROKEN, WARNED)["tool"]["driver"]["rules"]:
        assert rule["help"]["markdown"] == (FOLDER / f"{rule['id']}.md").read_text()
        assert rule["defaultConfiguration"]["level"] == RULES[rule["id"]].severity


def test_a_result_in_sarif_is_told_again_by_its_fingerprint(tmp_path):
    moved = tmp_path / BROKEN.name
    shutil.copy(BROKEN, moved)
    before = sarif(moved)["results"]
    moved.write_text("# a line more\n" + moved.read_text())
    after = sarif(moved)["results"]
    prints = [[r["partialFingerprints"] for r in results] for results in (before, after)]
    lines = [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in before]
    assert prints[0] == prints[1]
    assert len({json.dumps(found) for found in prints[0]}) == len(before)
    assert lines != [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in after]


def test_a_place_in_sarif_is_a_uri(tmp_path, monkeypatch):
    (tmp_path / "a b").mkdir()
    shutil.copy(BROKEN, tmp_path / "a b/ü.yaml")
    monkeypatch.chdir(tmp_path)

    def place(file):
        return sarif(file)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]

    assert place("a b/ü.yaml") == {"uri": "a%20b/%C3%BC.yaml", "uriBaseId": "%SRCROOT%"}
    assert place(tmp_path / "a b/ü.yaml")["uri"].startswith("file:///")


def test_sarif_of_several_files_lists_each_rule_once():
    ran = sarif(BROKEN, WARNED, BROKEN)
    ids = [rule["id"] for rule in ran["tool"]["driver"]["rules"]]
    assert len(set(ids)) == len(ids)
    assert all(ids[result["ruleIndex"]] == result["ruleId"] for result in ran["results"])


def test_a_label_is_told_where_there_is_no_line_to_stand_under(tmp_path):
    file = tmp_path / "x.yaml"
    run("init", file)
    text = file.read_text().replace("tools: [function, parallel, forced]", "tools: []")
    file.write_text(text.replace("unsupported: drop", "unsupported: refuse"))
    for form in ("github", "sarif"):
        assert "nearest is `" in run("check", file, "--format", form).output


def test_the_notes_of_a_finding_come_along_in_every_form():
    acme = ROOT / "deployments/acme.yaml"
    note = "left out: messages[].name"
    assert f"%0A{note}" in run("check", acme, "--format", "github").output
    assert any(note in result["message"]["text"] for result in sarif(acme)["results"])
    told = json.loads(run("check", acme, "--format", "json").output)["diagnostics"]
    assert any(line.startswith(note) for found in told for line in found["notes"])


# --- hooks and workflow --------------------------------------------------------------------------


def commands(text):
    """Every `interlock ...` in a script, as words."""
    for line in re.findall(r"\binterlock ([a-z]+ [^;>\n]*|[a-z]+$)", text, re.M):
        yield shlex.split(line.split("||")[0])


@pytest.mark.parametrize("script", [*(h["entry"] for h in HOOKS.values()), WORKFLOW])
def test_what_a_pipeline_runs_is_a_command_with_these_options(script):
    found = list(commands(script))
    assert found
    for name, *arguments in found:
        assert name in COMMANDS
        known = {o for p in main.get_command(None, name).params for o in p.opts}
        assert {word for word in arguments if word.startswith("--")} <= known


def test_the_workflow_is_yaml_that_comments_whatever_the_check_says():
    steps = yaml.safe_load(WORKFLOW)["jobs"]["review"]["steps"]
    ran = [name for step in steps for name, *_ in commands(step.get("run", ""))]
    assert ran == ["check", "diff", "build", "diff"]
    comment = next(step for step in steps if "gh pr comment" in step.get("run", ""))
    assert comment["if"] == "${{ !cancelled() }}"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository with a committed deployment, and `interlock` on the path."""
    tools = tmp_path / "bin"
    tools.mkdir()
    script = tools / "interlock"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from compiler.cli import main\nmain()\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "somebody@example.com")
    place = tmp_path / "repository"
    place.mkdir()
    monkeypatch.chdir(place)
    run("init", "deployments/router.yaml")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], check=True)
    return place


def hook(name, *files):
    entry = shlex.split(HOOKS[name]["entry"])
    return subprocess.run([*entry, *files], capture_output=True, text=True, check=False)


def test_the_hooks_pass_a_good_change_and_stop_a_bad_one(repository):
    file = "deployments/router.yaml"
    assert all(re.search(made["files"], file) for made in HOOKS.values())
    assert hook("interlock-check", file).returncode == 0
    assert hook("interlock-diff", file).returncode == 0

    text = (repository / file).read_text()
    narrower = text.replace(", opencode: 1, aider: 1}", "}").replace(
        ", messages, chat]", ", messages]"
    )
    (repository / file).write_text(narrower)
    assert hook("interlock-check", file).returncode == 0
    stopped = hook("interlock-diff", file)
    assert stopped.returncode == 1
    assert "opencode" in stopped.stdout

    (repository / file).write_text(text.replace("target: claude}", "target: claud}"))
    assert hook("interlock-check", file).returncode == 1


def test_a_deployment_that_is_new_has_nothing_to_be_compared_with(repository):
    shutil.copy(repository / "deployments/router.yaml", repository / "deployments/new.yaml")
    assert hook("interlock-diff", "deployments/new.yaml").returncode == 0
