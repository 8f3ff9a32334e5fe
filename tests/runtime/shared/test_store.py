"""A real store that answers, is slow, away, read-only or senseless; and what that costs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from runtime import log
from runtime.shared import Store
from runtime.shared.store import OPEN_AFTER, StoreError, connect
from tests.support import redis
from tests.support.polling import until
from tests.support.redis import RedisServer


@pytest.fixture
def server(tmp_path):
    with redis.running(tmp_path) as running:
        yield running


@pytest.fixture
def lines(tmp_path):
    """What is logged, line by line."""
    file = (tmp_path / "log").open("w+b")
    log.configure("info", file.fileno())

    def read() -> list[dict]:
        log.flush()
        file.seek(0)
        return [json.loads(line) for line in file.read().splitlines()]

    yield read
    log.configure()
    file.close()


@asynccontextmanager
async def store_of(server: RedisServer) -> AsyncIterator[Store]:
    store = connect(server.url)
    store._rest = 0.1
    try:
        yield store
    finally:
        await store.aclose()


async def count(store: Store) -> int | None:
    """One operation."""
    return await store.run(lambda client: client.incr("count"))


async def break_open(store: Store) -> None:
    """Asks until the breaker opens."""
    for _ in range(OPEN_AFTER):
        assert not store.open
        assert await count(store) is None
    assert store.open


def test_it_gives_what_the_operation_reads(server):
    async def story():
        async with store_of(server) as store:
            assert [await count(store), await count(store)] == [1, 2]
            found = await asyncio.gather(*(count(store) for _ in range(200)))
            assert sorted(found) == list(range(3, 203))
            assert (store.open, store.failures) == (False, 0)

    asyncio.run(story())


def test_nobody_waits_or_asks_while_the_breaker_is_open(server):
    asked = []

    async def operation(client):
        asked.append(client)
        return await client.ping()

    async def story():
        async with store_of(server) as store:
            store._rest = 60.0
            server.pause()
            await break_open(store)
            assert [await store.run(operation) for _ in range(100)] == [None] * 100
            assert asked == []
            assert store.failures == OPEN_AFTER
            server.resume()

    asyncio.run(story())


def test_all_who_wait_for_a_slow_store_are_let_go_when_the_breaker_opens(server):
    async def story():
        async with store_of(server) as store:
            store._rest = 60.0
            await count(store)
            server.pause()
            began = store.failures
            assert set(await asyncio.gather(*(count(store) for _ in range(300)))) == {None}
            assert store.failures - began < 20  # the others never asked
            server.resume()

    asyncio.run(story())


def test_a_probe_finds_out_that_the_store_is_back(server, lines):
    async def story():
        async with store_of(server) as store:
            server.stop()
            await break_open(store)
            await until(lambda: store.failures > OPEN_AFTER + 1)
            assert store.open
            server.start()
            await until(lambda: not store.open)
            assert await count(store) == 1
        assert [line["event"] for line in lines()] == ["store-down", "store-up"]

    asyncio.run(story())


def test_a_replica_that_takes_no_writes_is_no_store(server):
    async def story():
        async with store_of(server) as store:
            server.ask("REPLICAOF", "127.0.0.1", "1")
            await break_open(store)
            await until(lambda: store.failures > OPEN_AFTER + 2)
            assert store.open
            server.ask("REPLICAOF", "NO", "ONE")
            await until(lambda: not store.open)

    asyncio.run(story())


def test_a_connection_that_was_lost_meanwhile_is_made_anew(server):
    async def story():
        async with store_of(server) as store:
            await count(store)
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            assert await count(store) == 1
            assert store.failures == 0

    asyncio.run(story())


def test_an_answer_that_makes_no_sense_is_a_failure(server):
    async def story():
        async with store_of(server) as store:

            async def read(client):
                await client.set("word", "nonsense")
                return int(await client.get("word"))

            assert await store.run(read) is None
            assert store.failures == 1
            assert await count(store) == 1

    asyncio.run(story())


def test_a_loop_that_was_busy_is_not_the_stores_fault(server):
    async def story():
        async with store_of(server) as store:
            await count(store)

            async def busy():
                await asyncio.sleep(0)
                time.sleep(0.3)  # noqa: ASYNC251 (what this is about)

            work = asyncio.gather(*(busy() for _ in range(2)))
            assert None not in await asyncio.gather(*(count(store) for _ in range(10)))
            await work
            assert store.failures == 0

    asyncio.run(story())


def test_who_is_cancelled_takes_nothing_from_the_others(server):
    async def story():
        async with store_of(server) as store:
            for turns in range(60):
                asking = asyncio.create_task(count(store))
                for _ in range(turns % 20):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.wait([asking])
            assert None not in await asyncio.gather(*(count(store) for _ in range(50)))
            assert store.failures == 0

    asyncio.run(story())


def test_the_password_of_the_address_stands_nowhere(lines):
    url = "redis://ada:sesame@127.0.0.1:1/0"

    async def story():
        store = connect(url)
        await break_open(store)
        await store.aclose()

    asyncio.run(story())
    assert "sesame" not in json.dumps(lines())


@pytest.mark.parametrize("url", ["http://ada:sesame@x", "redis://ada:sesame@x:abc", "sesame"])
def test_an_address_that_is_none_is_refused_without_repeating_it(url):
    with pytest.raises(StoreError) as refused:
        connect(url)
    assert str(refused.value).startswith("INTERLOCK_REDIS_URL is no redis://")
    assert "sesame" not in repr((refused.value, refused.value.__context__, refused.value.__cause__))
