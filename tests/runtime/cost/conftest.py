"""One router for all tests of this folder, and the rows it makes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.runtime.cost.deployment import YAML, Rows
from tests.support.serving import Served, compiled, serving


@pytest.fixture(scope="session")
def rows() -> Rows:
    return Rows()


@pytest.fixture(scope="session")
def router(tmp_path_factory: pytest.TempPathFactory, rows: Rows) -> Iterator[Served]:
    artifact = compiled(YAML, tmp_path_factory.mktemp("cost"))
    with serving(artifact, lambda asked: httpx.Response(500)) as served:
        assert served.state is not None
        served.state.recorders = (rows,)
        yield served
