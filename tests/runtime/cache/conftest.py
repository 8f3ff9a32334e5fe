"""An artifact for all tests of this folder, and a router that has kept nothing yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.artifact import Artifact
from runtime.cache import LocalAnswers
from tests.runtime.cache.deployment import Rows, yaml
from tests.runtime.serving.deployment import good
from tests.support.serving import Served, compiled, serving


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return compiled(yaml(), tmp_path_factory.mktemp("keeping"))


@pytest.fixture(scope="session")
def rows() -> Rows:
    return Rows()


@pytest.fixture(scope="session")
def running(artifact: Artifact, rows: Rows) -> Iterator[Served]:
    with serving(artifact, good, state_key=b"a key of these tests") as served:
        assert served.state is not None
        served.state.recorders = (rows,)
        yield served


@pytest.fixture
def router(running: Served, rows: Rows) -> Served:
    """With nothing kept, providers that answer well, and no rows yet."""
    assert running.state is not None
    running.answer = good
    running.asked.clear()
    running.state.answers = LocalAnswers()
    rows.all.clear()
    return running
