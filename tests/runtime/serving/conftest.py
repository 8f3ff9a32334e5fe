"""One artifact for all tests of this folder, and a router on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.artifact import Artifact
from runtime.availability import Availability
from tests.runtime.serving.deployment import YAML, good
from tests.support.serving import Served, compiled, serving

STATE_KEY = b"a key of these tests"


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return compiled(YAML, tmp_path_factory.mktemp("serving"))


@pytest.fixture(scope="session")
def running(artifact: Artifact) -> Iterator[Served]:
    with serving(artifact, good, state_key=STATE_KEY) as served:
        yield served


@pytest.fixture
def router(running: Served) -> Served:
    """The router, with providers that answer well and were asked nothing yet; nobody rests."""
    assert running.state is not None
    running.state.availability = Availability()
    running.answer = good
    running.asked.clear()
    return running
