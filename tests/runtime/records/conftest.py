"""A store of each kind, empty for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.records.ingest import Ingester
from runtime.records.store import FILE, Store, open_store
from tests.support.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def database(server: Postgres) -> Postgres:
    """The server, as new."""
    server.start()
    server.empty()
    return server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store can be opened."""
    if request.param == "sqlite":
        return str(tmp_path / FILE)
    return request.getfixturevalue("database").url


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    opened = open_store(place)
    yield opened
    opened.close()


@pytest.fixture
def ingester() -> Iterator[Callable[..., Ingester]]:
    """Makes who ingests from a data directory; it has no thread until it is started."""
    made: list[Ingester] = []

    def make(data: Path, place: str | None = None, **options: int) -> Ingester:
        where = place or str(data / FILE)
        made.append(Ingester(data, lambda: open_store(where), lambda *_, **__: None, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
