"""One real store for the tests of this folder; each test has a name of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import redis
from tests.support.redis import RedisServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis.running(tmp_path_factory.mktemp("redis")) as running:
        yield running
