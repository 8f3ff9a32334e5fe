"""One fault upstream and one router process for all tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.faults.behaviours import BEHAVIOURS
from tests.faults.calls import Seen, run_cells
from tests.faults.deployment import ENV, deployment
from tests.faults.table import Cell, cells
from tests.faults.upstream import Upstream, black_hole, serving
from tests.support.router import Router, build, free_port, running

pytest.register_assert_rewrite("tests.faults.checks")


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with serving(BEHAVIOURS) as server:
        yield server


@pytest.fixture(scope="session")
def hole() -> Iterator[int]:
    with black_hole() as port:
        yield port


@pytest.fixture(scope="session")
def artifact(upstream: Upstream, hole: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    yaml = deployment(upstream.port, free_port(), hole, cells())
    return build(yaml, tmp_path_factory.mktemp("faults"))


@pytest.fixture(scope="session")
def router(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Router]:
    with running(artifact, tmp_path_factory.mktemp("router"), ENV) as router:
        yield router


@pytest.fixture(scope="session")
def outcomes(router: Router) -> dict[str, Seen]:
    """What the caller of every cell of the table got, by the cell's name."""
    return asyncio.run(run_cells(router.port, cells()))


@pytest.fixture(scope="session")
def outcomes_of(
    upstream: Upstream, hole: int, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, Seen]]:
    """Runs cells against a deployment of their own, that differs from the first as told."""

    def run(cells: Sequence[Cell], **settings: Any) -> dict[str, Seen]:
        folder = tmp_path_factory.mktemp("other")
        yaml = deployment(upstream.port, free_port(), hole, cells, **settings)
        with running(build(yaml, folder), folder, ENV) as router:
            return asyncio.run(run_cells(router.port, cells))

    return run
