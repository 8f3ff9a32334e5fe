"""The pytest plugin as a user of the package meets it: in a folder of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

# Loaded once: each run in process would load them anew.
import compiler.testing.compiled
import compiler.testing.snapshots  # noqa: F401
from compiler.cli import main

pytest_plugins = ["pytester"]
DEPLOYMENTS = Path(__file__).parents[1] / "deployments"
LOCK = """
def test_lock(deployment, eligibility_snapshot):
    assert deployment.lock("coder") == eligibility_snapshot
"""


@pytest.fixture
def three(pytester):
    """A folder with one deployment in it."""
    folder = pytester.mkdir("deployments")
    shutil.copy(DEPLOYMENTS / "three-dialects/deployment.yaml", folder / "three.yaml")
    return folder / "three.yaml"


def run(pytester, *arguments):
    return pytester.runpytest_inprocess(
        "-p", "compiler.testing.plugin", "-p", "no:cacheprovider", *arguments
    )


def snapshots(pytester):
    return sorted(path.name for path in pytester.path.rglob("__snapshots__/**/*.txt"))


def test_a_changed_eligibility_fails_with_who_is_lost_and_can_be_accepted(pytester, three):
    pytester.makepyfile(LOCK)
    run(pytester, "--snapshot-update").assert_outcomes(passed=1)
    assert snapshots(pytester) == ["test_lock[three].txt"]
    run(pytester).assert_outcomes(passed=1)

    native = 'tools: [function, parallel, custom, namespace, "hosted:web_search"]'
    three.write_text(three.read_text().replace(native, native.replace(" custom,", "")))
    result = run(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "*changed eligibility*",
        "Lost",
        "  codex/image, main on `coder` (Responses), project `web`: `big` lacks `tools.custom`",
        "pytest --snapshot-update accepts it",
    ])  # fmt: skip

    run(pytester, "--snapshot-update").assert_outcomes(passed=1)
    run(pytester).assert_outcomes(passed=1)


def test_every_file_of_the_setting_is_a_deployment(pytester, three):
    shutil.copy(DEPLOYMENTS / "smallest/deployment.yaml", pytester.path / "other.yaml")
    pytester.makepyfile("def test_it(deployment): print('has', deployment.name)")
    result = run(pytester, "-s", "-o", "interlock_deployments=deployments/*.yaml other.yaml")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*has three*"])


def test_a_deployment_that_does_not_compile_is_reported_as_check_reports_it(pytester, three):
    three.write_text(three.read_text().replace("{target: small}", "{target: smal}"))
    pytester.makepyfile(LOCK)
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*error?IL302?: there is no target `smal`*", "*did you mean*"])


def test_without_a_deployment_the_setting_is_named(pytester):
    pytester.makepyfile("def test_it(deployment): pass")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no file fits `interlock_deployments = deployments/*.yaml`*"])


def test_a_fixture_of_that_name_is_left_alone(pytester, three):
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.fixture\n"
        "def deployment(): return 'mine'\n"
        "def test_it(deployment): assert deployment == 'mine'\n"
    )
    run(pytester).assert_outcomes(passed=1)


@pytest.mark.parametrize("path", ["deployments/router.yaml", "router.yaml"])
def test_init_writes_tests_that_hold_for_the_deployment_it_writes(pytester, path):
    result = CliRunner().invoke(main, ["init", path])
    assert result.exit_code == 0, result.output
    (command,) = [row.strip() for row in result.output.splitlines() if "pytest" in row]
    arguments = command.split("#")[0].split()[1:]
    run(pytester, *arguments).assert_outcomes(passed=3)
    assert snapshots(pytester) == [
        "test_what_callers_are_offered[router][me].txt",
        "test_who_answers[router][coder].txt",
    ]


def test_init_leaves_tests_that_are_there(pytester):
    mine = pytester.mkdir("tests") / "test_deployment.py"
    mine.write_text("# mine\n")
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    assert mine.read_text() == "# mine\n"
