"""Answers in a real store: for all workers, and a miss where it is away or talks nonsense."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from runtime.artifact import Artifact
from runtime.cache import Kept, SharedAnswers
from runtime.shared.store import connect
from runtime.vocabulary import Cache
from tests.runtime.cache.deployment import ADA, BOB, SURFACES, post, question, state_of
from tests.runtime.serving.deployment import good
from tests.support import redis
from tests.support.redis import RedisServer
from tests.support.serving import Served, serving

ROOM = Cache(max_bytes=64 * 1024 * 1024, ttl=60.0)
KEPT = Kept("small", "chat", ("top_k",), 0.25, b"\x00\xff an answer")
NAME = "interlock:answer:1:"
KEY = b"k" * 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis.running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(autouse=True)
def _empty(server: RedisServer) -> None:
    server.ask("FLUSHALL")


def kept_there(server: RedisServer) -> int:
    return int(server.ask("DBSIZE")[1:])


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.005)


async def told(answers: SharedAnswers) -> None:
    """Waits for what is under way to the store."""
    await asyncio.gather(*answers._under_way)


def test_what_one_worker_keeps_another_finds(server: RedisServer):
    async def scenario() -> list[Kept | None]:
        stores = [connect(server.url) for _ in range(2)]
        one, other = map(SharedAnswers, stores)
        one.put(KEY, KEPT, ROOM)
        await told(one)
        found = [await other.get(KEY), await other.get(b"o" * 32)]
        for store in stores:
            await store.aclose()
        return found

    assert asyncio.run(scenario()) == [KEPT, None]


def test_a_value_that_is_not_of_its_key_is_no_answer(server: RedisServer):
    """As a connection that was left in the middle of another command might give it."""

    async def scenario() -> tuple[Kept | None, int]:
        store = connect(server.url)
        answers = SharedAnswers(store)
        answers.put(KEY, KEPT, ROOM)
        await told(answers)
        other = b"o" * 32
        await store.run(lambda client: client.copy(NAME.encode() + KEY, NAME.encode() + other))
        assert kept_there(server) == 2
        found = await answers.get(other), store.failures
        await store.aclose()
        return found

    assert asyncio.run(scenario()) == (None, 1)


def test_many_who_leave_mix_up_no_answers(server: RedisServer):
    async def scenario() -> None:
        store = connect(server.url)
        store._timeout = 10.0  # who leaves is the caller, at no time of the machine's
        answers = SharedAnswers(store)
        keys = [bytes([number]) * 32 for number in range(20)]
        for key in keys:
            answers.put(key, msgspec.structs.replace(KEPT, body=key * 500), ROOM)
            await told(answers)
        for turn in range(100):
            asked = [asyncio.create_task(answers.get(key)) for key in keys]
            await asyncio.sleep(turn % 4 * 0.0003)
            for task in asked[turn % 3 :: 3]:
                task.cancel()
            found = await asyncio.gather(*asked, return_exceptions=True)
            for key, kept in zip(keys, found, strict=True):
                assert isinstance(kept, asyncio.CancelledError) or kept.body == key * 500
        assert (store.open, store.failures) == (False, 0)
        await store.aclose()

    asyncio.run(scenario())


def test_the_store_forgets_an_answer_after_its_time(server: RedisServer):
    async def scenario() -> None:
        store = connect(server.url)
        answers = SharedAnswers(store)
        answers.put(KEY, KEPT, Cache(ttl=90.0))
        await told(answers)
        await store.aclose()

    asyncio.run(scenario())
    left = int(server.ask("PTTL", NAME + KEY.decode())[1:])
    assert 80_000 < left <= 90_000


def test_no_single_answer_takes_long_on_its_way():
    answers = SharedAnswers(connect("redis://127.0.0.1:1/0"))
    assert answers.takes(1024 * 1024, ROOM)
    assert not answers.takes(1024 * 1024 + 1, ROOM)
    assert not answers.takes(1025, Cache(max_bytes=1024))


@pytest.mark.parametrize("value", ["nonsense", "\\x93\\xa1a\\xa1b\\xc0", ""])
def test_what_is_no_answer_is_none(server: RedisServer, value: str):
    server.ask("SET", NAME + KEY.decode(), f'"{value}"')
    assert kept_there(server) == 1

    async def scenario() -> tuple[Kept | None, int]:
        store = connect(server.url)
        found = await SharedAnswers(store).get(KEY)
        await store.aclose()
        return found, store.failures

    assert asyncio.run(scenario()) == (None, 1)


# --- at running routers ------------------------------------------------------------------------


@pytest.fixture
def two(artifact: Artifact, server: RedisServer) -> Iterator[tuple[Served, Served]]:
    """Two routers with one store."""
    with (
        serving(artifact, good, state_key=b"a key of these tests") as one,
        serving(artifact, good, state_key=b"a key of these tests") as other,
    ):
        for served in (one, other):
            assert served.state is not None
            served.state.store = connect(server.url)
            served.state.answers = SharedAnswers(served.state.store)
        yield one, other


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("surface", SURFACES)
def test_the_answer_of_one_router_is_given_by_another(
    two: tuple[Served, Served], server: RedisServer, surface: str, stream: bool
):
    one, other = two
    body = question(surface, "chat", stream=stream)
    first = post(one, surface, body)
    until(lambda: kept_there(server) == 1)
    again = post(other, surface, body)
    assert (state_of(first), state_of(again)) == ("miss", "hit")
    assert again.raw == first.raw
    assert (again.trace["target"], again.trace["attempts"]) == ("chat", "0")
    assert other.asked == []


def test_another_project_does_not_get_it_there_either(
    two: tuple[Served, Served], server: RedisServer
):
    one, other = two
    body = question("chat", "chat")
    post(one, "chat", body, ADA)
    until(lambda: kept_there(server) == 1)
    assert state_of(post(other, "chat", body, BOB)) == "miss"
    assert state_of(post(other, "chat", body, ADA)) == "hit"


@pytest.mark.parametrize("how", ["stopped", "paused"])
def test_a_store_that_is_away_is_a_miss_and_no_request_fails(
    artifact: Artifact, tmp_path, how: str
):
    with redis.running(tmp_path) as server, serving(artifact, good) as router:
        assert router.state is not None
        router.state.store = store = connect(server.url)
        router.state.answers = SharedAnswers(store)
        body = question("chat", "chat")
        post(router, "chat", body)
        until(lambda: kept_there(server) == 1)
        assert state_of(post(router, "chat", body)) == "hit"
        server.stop() if how == "stopped" else server.pause()
        try:
            states = [state_of(post(router, "chat", body)) for _ in range(8)]
        finally:
            if how == "paused":
                server.resume()
        assert states == ["miss"] * 8
        assert store.open, "from the fifth failure on nobody waits"


def test_a_project_that_fills_the_way_to_the_store_delays_nobody(server: RedisServer):
    """Only so many answers are on their way at once; what does not fit is not kept."""

    async def scenario() -> int:
        store = connect(server.url)
        answers = SharedAnswers(store)
        for number in range(1000):
            answers.put(b"%032d" % number, KEPT, ROOM)
        under_way = len(answers._under_way)
        await told(answers)
        await store.aclose()
        return under_way

    assert asyncio.run(scenario()) == 32
    assert kept_there(server) == 32
