"""The pytest plugin: deployments as fixtures, and snapshots of who answers what.

    # pytest.ini
    interlock_deployments = deployments/*.yaml

    def test_who_answers(deployment, eligibility_snapshot):
        assert deployment.lock("coder") == eligibility_snapshot

It is loaded by every pytest run where Interlock is installed, so it imports nothing until a test
asks for it.
"""

from __future__ import annotations

import glob
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from compiler.testing.compiled import Compiled

INI: Final = "interlock_deployments"
DEFAULT: Final = "deployments/*.yaml"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one setting."""
    parser.addini(INI, "files of deployments, relative to the root of the tests", "args", [DEFAULT])


def pytest_configure(config: pytest.Config) -> None:
    """Makes `deployment`, with a value for every file: only now is it known which there are."""
    config.pluginmanager.register(_fixtures(_files(config)), "interlock-deployments")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells a changed eligibility whole, below pytest's own excerpt of the lines."""
    report = yield
    snapshot = getattr(item, "funcargs", {}).get("eligibility_snapshot")
    if snapshot is not None and report.when == "call" and report.failed:
        from compiler.testing.snapshots import failures

        if told := list(failures(snapshot)):
            told.append("pytest --snapshot-update accepts it")
            report.sections.append(("changed eligibility", "\n\n".join(told)))
    return report


def _files(config: pytest.Config) -> list[Path]:
    patterns: list[str] = config.getini(INI)
    root = config.rootpath
    found = {path for pattern in patterns for path in glob.glob(pattern, root_dir=root)}  # noqa: PTH207  patterns may be absolute, which Path.glob refuses
    return [root / path for path in sorted(found)]


def _fixtures(files: list[Path]) -> ModuleType:
    """A plugin of one fixture; a fixture's parameters cannot be told any later."""
    if files:

        @pytest.fixture(scope="session", params=files, ids=[file.stem for file in files])
        def deployment(request: pytest.FixtureRequest) -> Compiled:
            """Each deployment of the setting `interlock_deployments`, compiled in process."""
            return _compiled(request.param)

    else:

        @pytest.fixture
        def deployment(request: pytest.FixtureRequest) -> Compiled:
            """No file fits the setting `interlock_deployments`."""
            patterns = " ".join(request.config.getini(INI))
            root = request.config.rootpath
            pytest.fail(f"no file fits `{INI} = {patterns}` below {root}", pytrace=False)

    plugin = ModuleType(f"{__name__}.deployments")
    vars(plugin)["deployment"] = deployment
    return plugin


def _compiled(file: Path) -> Compiled:
    from compiler.testing.compiled import CannotCompile, Compiled

    try:
        return Compiled.of(file)
    except CannotCompile as error:
        pytest.fail(f"{file} does not compile:\n\n{error}", pytrace=False)


@pytest.fixture
def eligibility_snapshot(request: pytest.FixtureRequest) -> Any:
    """A file per test beside it, in whole lines; `pytest --snapshot-update` accepts a change."""
    try:
        from compiler.testing.snapshots import EligibilitySnapshot
    except ImportError:
        pytest.fail("install `interlock-router[test]`, which brings syrupy", pytrace=False)
    return request.getfixturevalue("snapshot").use_extension(EligibilitySnapshot)
