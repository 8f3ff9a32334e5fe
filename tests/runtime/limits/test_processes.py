"""Limits over workers and machines: real routers, a real store, and the store going away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.limits.gateways import (
    LIMIT,
    Upstream,
    burst,
    compiled,
    gateways,
    post,
    statuses,
    tokens,
    upstream,
    used,
    yaml,
)
from tests.runtime.limits.world import run
from tests.support.polling import until
from tests.support.redis import RedisServer
from tests.support.redis import running as store_at
from tests.support.router import CommandFailed, Router, Token, free_port

RUNS = 20
USERS = tokens(4 * RUNS + 40)
unused = iter(USERS)
PORT = free_port()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("limits")


@pytest.fixture(scope="module")
def artifact(folder: Path) -> Path:
    limits = f"{{rpm: {LIMIT}, concurrent: 200, day: {{tokens: 10000000}}}}"
    return compiled(yaml(PORT, USERS, limits), folder / "rpm")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[RedisServer]:
    with store_at(folder) as server:
        yield server


async def the_limit_alone_is_admitted(routers: list[Router]) -> None:
    """Of three times as many requests at once, of a user of their own.

    Where the machine was too busy for the store to answer in time it is done again.
    """
    while True:
        failed = events(routers, "store-failed")
        admitted, _ = statuses(await burst(routers, next(unused), 3 * LIMIT))
        if admitted == LIMIT:
            return
        await until(lambda failed=failed: events(routers, "store-failed") > failed)


@pytest.mark.parametrize("machines", [1, 2])
def test_three_times_the_limit_at_once_is_admitted_exactly_once_in_every_run(
    artifact, folder, store, machines
):
    async def story(routers: list[Router]):
        async with upstream(PORT):
            for _ in range(RUNS):
                await the_limit_alone_is_admitted(routers)

    with gateways(artifact, folder, machines, workers=2, url=store.url) as routers:
        run(story(routers))


def test_a_store_that_goes_costs_no_request_and_counts_again_when_it_is_back(
    artifact, folder, tmp_path
):
    during, down = next(unused), next(unused)

    async def story(routers: list[Router], store: RedisServer):
        async with upstream(PORT) as provider:
            await the_limit_alone_is_admitted(routers)

            provider.open.clear()  # so that all are under way when the store goes
            running = asyncio.create_task(burst(routers, during, 3 * LIMIT))
            await until(lambda: provider.waiting)
            store.pause()
            provider.open.set()
            admitted, _ = statuses(await running)
            assert admitted >= LIMIT // 4 * 4

            while events(routers, "store-down") < 4:
                statuses(await burst(routers, during, 16))
            admitted, _ = statuses(await burst(routers, down, 6 * LIMIT))
            assert LIMIT // 4 * 4 <= admitted <= LIMIT

            store.resume()
            await until(lambda: events(routers, "store-up") == events(routers, "store-down"), 30)
            await the_limit_alone_is_admitted(routers)

    with (
        store_at(tmp_path) as store,
        gateways(artifact, folder, 2, workers=2, url=store.url) as routers,
    ):
        run(story(routers, store))


def events(routers: list[Router], name: str) -> int:
    """How often something was logged."""
    return sum(router.logs().count(f'"event":"{name}"') for router in routers)


def test_without_a_store_two_workers_admit_the_limit_between_them(artifact, folder):
    user = next(unused)

    async def story(routers: list[Router]):
        async with upstream(PORT):
            admitted, _ = statuses(await burst(routers, user, 5 * LIMIT))
            assert admitted == LIMIT

    with gateways(artifact, folder, 1, workers=2) as routers:
        run(story(routers))


@pytest.mark.parametrize("shared", [False, True])
def test_requests_at_once_are_counted_until_they_end_or_their_client_leaves(tmp_path, shared):
    one, other = tokens(2)
    limits = "{concurrent: 2, tpm: 2000}"
    artifact = compiled(yaml(PORT, (one, other), limits), tmp_path / "artifact")

    async def story(routers: list[Router]):
        async with upstream(PORT) as provider:
            await at_once(routers, provider)
            await leaving(routers, provider)

    async def at_once(routers: list[Router], provider: Upstream):
        provider.open.clear()
        running = asyncio.create_task(burst(routers, one, 2))
        await until(lambda: provider.waiting == 2)
        refused = await post(routers[0], one)
        assert json.loads(refused.body)["error"]["code"] == "concurrency-exceeded"
        assert refused.header("retry-after") == "1"
        provider.open.set()
        assert statuses(await running) == (2, 0)
        # answers of 500 tokens each, of which a fifth does not fit
        for number in (2, 3):
            await counted(routers[0], one, number)
            assert (await post(routers[0], one)).status == 200
        await counted(routers[0], one, 4)
        refused = await post(routers[0], one)
        assert json.loads(refused.body)["error"]["code"] == "tpm-exceeded"

    async def leaving(routers: list[Router], provider: Upstream):
        provider.open.clear()
        running = asyncio.create_task(burst(routers, other, 2))
        await until(lambda: provider.waiting == 2)
        running.cancel()
        await asyncio.wait([running])
        provider.open.set()
        while (answer := await post(routers[0], other)).status == 429:
            assert json.loads(answer.body)["error"]["code"] == "concurrency-exceeded"

    async def counted(router: Router, user: Token, answers: int) -> None:
        """Waits until so many answers are settled: no client waits for that."""
        async with asyncio.timeout(20):
            while await used(router, user) != {"concurrent": 0, "tpm": 500 * answers}:  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.005)

    with (
        store_at(tmp_path) as store,
        gateways(artifact, tmp_path, 1, workers=1, url=store.url if shared else None) as routers,
    ):
        run(story(routers))


def test_a_store_that_was_never_there_does_not_keep_a_router_from_serving(artifact, folder):
    user = next(unused)
    url = f"redis://ada:sesame@127.0.0.1:{free_port()}/0"

    async def story(routers: list[Router]):
        async with upstream(PORT):
            admitted, _ = statuses(await burst(routers, user, 5 * LIMIT))
            assert admitted == LIMIT
        assert "sesame" not in routers[0].logs()

    with gateways(artifact, folder, 1, workers=2, url=url) as routers:
        run(story(routers))


def test_an_address_that_is_none_ends_the_start_without_repeating_it(artifact, folder):
    url = "http://ada:sesame@127.0.0.1:6379"
    with (
        pytest.raises(CommandFailed, match="INTERLOCK_REDIS_URL is no redis") as failed,
        gateways(artifact, folder, 1, workers=2, url=url),
    ):
        pass
    assert "sesame" not in str(failed.value)


def test_routers_behind_a_balancer_without_a_store_are_told_how_many_they_are(artifact, folder):
    user = next(unused)

    async def story(routers: list[Router]):
        async with upstream(PORT):
            admitted, _ = statuses(await burst(routers, user, 5 * LIMIT))
            assert admitted == LIMIT // 6 * 2

    with gateways(artifact, folder, 1, "--share", "3", workers=2) as routers:
        run(story(routers))
