"""Limits counted in a real store: exact over workers, and a degrade while the store is away."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.errors import CallerError
from runtime.limits import Level, script
from runtime.limits.shared import LEASE, Shared
from runtime.shared import Store
from runtime.shared.scripts import Script
from runtime.shared.store import TIMEOUT, connect
from runtime.vocabulary import Budget, LimitSet
from tests.runtime.limits.world import NOON, Asker, Clock, artifact, caller, run
from tests.support import redis
from tests.support.polling import until
from tests.support.redis import RedisServer

names = (f"test{n}" for n in itertools.count())


def store_of(server: RedisServer) -> Store:
    """A client of the store that soon looks whether it is back."""
    store = connect(server.url)
    store._rest = 0.2
    return store


@asynccontextmanager
async def workers(
    server: RedisServer, number: int, name: str | None = None, lease: float = LEASE
) -> AsyncIterator[list[Shared]]:
    """So many workers of one deployment, which know of each other."""
    name = name or next(names)
    found = [Shared(store_of(server), name, number, lease=lease) for _ in range(number)]
    for one in found:
        patient(one)
        await one.beat()
    for one in found:  # whose own beats find all of them there
        one._store._timeout = TIMEOUT
        one.start()
    try:
        yield found
    finally:
        for one in found:
            await one.aclose()
            await one._store.aclose()


@asynccontextmanager
async def silent(server: RedisServer) -> AsyncIterator[Shared]:
    """A worker that tells the store of its requests and, by itself, of nothing."""
    one = Shared(store_of(server), next(names))
    try:
        yield one
    finally:
        await one.aclose()
        await one._store.aclose()


async def told(limits: Shared) -> None:
    """Waits until the store knows what has ended."""
    while limits._tasks:
        await asyncio.wait(limits._tasks)


def patient(limits: Shared) -> None:
    """From now on the store counts as away only when it is: a busy machine may answer late."""
    limits._store._timeout = 10.0


async def when(asker: Asker, look: Callable[[dict[str, Level]], object]) -> dict[str, Level]:
    """What limits say as soon as something is true of them."""
    async with asyncio.timeout(5):
        while not look(found := await asker.levels()):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.002)
    return found


async def accepted(askers: list[Asker], requests: int) -> int:
    """How many of so many at once are admitted, whoever is asked."""
    turns = itertools.cycle(askers)
    codes = await asyncio.gather(*(next(turns).code() for _ in range(requests)))
    return codes.count("ok")


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (LimitSet(rpm=20), "rpm-exceeded"),
        (LimitSet(tpm=2000), "tpm-exceeded"),
        (LimitSet(concurrent=20), "concurrency-exceeded"),
        (LimitSet(day=Budget(requests=20)), "budget-exceeded"),
        (LimitSet(month=Budget(tokens=2000)), "budget-exceeded"),
        (LimitSet(day=Budget(usd=0.02)), "budget-exceeded"),
    ],
)
def test_three_times_the_limit_at_once_over_four_workers_is_admitted_once(server, limits, code):
    async def story():
        async with workers(server, 4) as four:
            askers = [Asker(one, artifact(own=limits)) for one in four]
            assert await accepted(askers, 60) == 20
            assert {await asker.code() for asker in askers} == {code}

    run(story())


def test_a_budget_of_nothing_admits_nothing_with_and_without_the_store(server):
    async def story():
        held = artifact(own=LimitSet(day=Budget(usd=0.0)))
        async with workers(server, 2) as two:
            askers = [Asker(one, held) for one in two]
            assert await accepted(askers, 6) == 0
            for one in two:
                one._store.open = True
            assert await accepted(askers, 6) == 0

    run(story())


def test_a_request_that_does_not_fit_one_limit_counts_for_none(server):
    async def story():
        held = artifact(
            {"web": "team"}, own=LimitSet(rpm=9, concurrent=9), team=LimitSet(rpm=2, tpm=900)
        )
        async with workers(server, 2) as two:
            askers = [Asker(one, held) for one in two]
            assert await accepted(askers, 8) == 2
            levels = await askers[0].levels()
            assert {name: level.used for name, level in levels.items()} == {
                "user rpm": 2,
                "user concurrent": 2,
                "project rpm": 2,
                "project tpm": 200,
            }
            assert all(level.shared for level in levels.values())

    run(story())


def test_what_one_worker_settles_all_workers_see(server):
    async def story():
        held = artifact(own=LimitSet(tpm=1000, concurrent=1, day=Budget(usd=1.0)))
        async with workers(server, 2) as two:
            one, other = (Asker(worker, held) for worker in two)
            ticket = await one.ask(900)
            assert await other.code() == "concurrency-exceeded"
            ticket.settle(300, 0.25)
            ticket.settle(0, 0.0)
            await told(two[0])
            assert await other.used("user tpm") == 300
            assert await other.used("user day.usd") == pytest.approx(0.25)
            assert await other.code(700) == "ok"

    run(story())


def test_refusals_and_headers_say_the_same_as_in_one_process(server):
    async def story():
        async with workers(server, 1) as (one,):
            asker = Asker(one, artifact(own=LimitSet(rpm=2)))
            assert (await asker.ask()).lines == (
                b"x-ratelimit-limit: 2\r\nx-ratelimit-remaining: 1\r\nx-ratelimit-reset: 60\r\n"
            )
            assert b"remaining: 0" in await asker.look()
            with pytest.raises(CallerError) as refused:
                await asker.refused()
            assert refused.value.code == "rpm-exceeded"
            assert 55 <= refused.value.retry_after <= 60
            spent = Asker(one, artifact(own=LimitSet(day=Budget(requests=1))))
            await spent.ask()
            with pytest.raises(CallerError) as refused:
                await spent.ask()
            assert refused.value.retry_after is None
            assert refused.value.details["resets_at"] % 86400 == 0

    run(story())


def test_deployments_that_share_a_store_do_not_share_limits(server):
    async def story():
        held = artifact(own=LimitSet(rpm=3))
        async with workers(server, 1) as (one,), workers(server, 1) as (other,):
            assert await Asker(one, held).accepted(9) == 3
            assert await Asker(other, held).accepted(9) == 3

    run(story())


def test_the_slots_of_a_worker_that_was_killed_are_free_after_their_lease(server):
    async def story():
        held = artifact(own=LimitSet(concurrent=3))
        async with workers(server, 1, name := next(names), lease=0.6) as (alive,):
            killed = Shared(store_of(server), name, lease=0.6)
            assert await Asker(killed, held).accepted(9) == 3
            assert await Asker(alive, held).code() == "concurrency-exceeded"
            await asyncio.sleep(0.65)
            assert await Asker(alive, held).accepted(9) == 3
            await asyncio.sleep(1.0)  # a worker that lives keeps its slots
            assert await Asker(alive, held).code() == "concurrency-exceeded"
            await killed._store.aclose()

    run(story())


def test_a_worker_that_goes_says_so(server):
    async def story():
        async with workers(server, 1) as (stays,):
            name = stays._prefix.removeprefix("{interlock:").removesuffix("}:")
            async with workers(server, 3, name):
                await stays.beat()
                assert stays.counters.share == 4
            await stays.beat()
            assert stays.counters.share == 1

    run(story())


def test_without_a_store_each_worker_holds_its_share_and_nothing_fails(tmp_path):
    async def story():
        with redis.running(tmp_path) as server:
            async with workers(server, 4) as four:
                for one in four:  # nobody was told how many there are, but the store was
                    one._share = 1
                server.stop()
                askers = [Asker(one, artifact(own=LimitSet(rpm=22))) for one in four]
                assert await accepted(askers, 100) == 20
                assert all(one._store.open for one in four)
                levels = [await asker.levels() for asker in askers]
                assert [found["user rpm"].used for found in levels] == [5, 5, 5, 5]
                assert not any(found["user rpm"].shared for found in levels)

    run(story())


def test_what_was_left_when_the_store_went_is_divided(tmp_path):
    async def story():
        with redis.running(tmp_path) as server:
            async with workers(server, 2) as two:
                askers = [Asker(one, artifact(own=LimitSet(rpm=20))) for one in two]
                for asker in askers * 6:
                    await asker.ask()
                server.stop()
                assert await accepted(askers, 60) == 8

    run(story())


@pytest.mark.parametrize("trouble", ["paused", "read-only", "nonsense"])
def test_a_store_in_trouble_costs_no_request_and_is_used_again_after(tmp_path, trouble):
    async def story():
        with redis.running(tmp_path) as server:
            async with workers(server, 2) as two:
                askers = [Asker(one, artifact(own=LimitSet(rpm=20))) for one in two]
                begin(server, trouble, two[0]._prefix)
                assert await accepted(askers, 60) == 20
                assert all(one._store.open for one in two)
                end(server, trouble)
                await until(lambda: not any(one._store.open for one in two))
                fresh = [Asker(one, artifact(own=LimitSet(rpm=9)), caller("bob")) for one in two]
                assert await accepted(fresh, 27) == 9

    run(story())


@pytest.mark.parametrize(
    "word", [b"+OK\r\n", b":7\r\n", b"*4\r\n:1\r\n:9\r\n:1\r\n:1\r\n", b"*0\r\n"]
)
def test_a_server_that_is_no_store_costs_no_request(word):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            writer.write(word)
        writer.close()

    async def story():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        limits = Shared(connect(f"redis://127.0.0.1:{port}"), "other")
        asker = Asker(limits, artifact(own=LimitSet(rpm=5)))
        assert await asker.accepted(20) == 5
        assert not (await asker.levels())["user rpm"].shared
        await limits.aclose()
        await limits._store.aclose()
        server.close()

    run(story())


def begin(server: RedisServer, trouble: str, prefix: str) -> None:
    match trouble:
        case "paused":
            server.pause()
        case "read-only":
            server.ask("REPLICAOF", "127.0.0.1", "1")
        case "nonsense":
            server.ask("SET", f"{prefix}user:ada:own:rpm", "nonsense")


def end(server: RedisServer, trouble: str) -> None:
    match trouble:
        case "paused":
            server.resume()
        case "read-only":
            server.ask("REPLICAOF", "NO", "ONE")
        case "nonsense":
            server.ask("FLUSHALL")


def test_budgets_that_were_used_without_the_store_are_told_when_it_is_back(tmp_path):
    async def story():
        with redis.running(tmp_path) as server:
            held = artifact(own=LimitSet(rpm=99, day=Budget(requests=90, tokens=9000, usd=9.0)))
            async with workers(server, 1) as (one,):
                asker = Asker(one, held)
                early = await asker.ask(100)
                server.stop()
                while not one._store.open:
                    await one.beat()
                late = await asker.ask(100)
                await asker.refused()
                early.settle(400, 0.5)
                late.settle(50, 0.25)
                server.start()
                await until(lambda: not one._store.open)
                await asker.look()
                await told(one)
                # of the early request only what it used beyond the reserved: the rest was lost
                assert await asker.used("user day.tokens") == 300 + 50
                assert await asker.used("user day.usd") == pytest.approx(0.499 + 0.25)
                assert await asker.used("user day.requests") == 2

    run(story())


def test_a_caller_who_leaves_while_the_store_is_asked_keeps_no_slot(server):
    async def story():
        async with workers(server, 1) as (one,):
            patient(one)
            asker = Asker(one, artifact(own=LimitSet(concurrent=1)))
            for turns in range(12):  # wherever in the question it is
                asking = asyncio.create_task(asker.ask())
                for _ in range(turns):
                    await asyncio.sleep(0)
                if asking.cancel():
                    await asyncio.wait([asking])
                else:
                    (await asking).settle(0, 0.0)
                await told(one)
                await when(asker, lambda found: not found["user concurrent"].used)

    run(story())


def test_a_store_that_answers_too_late_keeps_no_slot_for_what_was_decided_without_it(tmp_path):
    async def story():
        with redis.running(tmp_path) as server:
            held = artifact(own=LimitSet(concurrent=2, day=Budget(requests=9)))
            async with silent(server) as one:
                asker = Asker(one, held)
                patient(one)
                (await asker.ask()).settle(0, 0.0)  # a connection is there, and the script known
                await told(one)
                one._store._timeout = TIMEOUT
                server.pause()
                ticket = await asker.ask()
                patient(one)
                server.resume()
                ticket.settle(0, 0.0)
                await told(one)
                # the store has counted the late one, so it knows of its slot too
                await when(asker, lambda found: found["user day.requests"].used == 2)
                found = await when(asker, lambda found: not found["user concurrent"].used)
                assert found["user concurrent"].shared

    run(story())


def test_what_was_used_beyond_the_reserved_is_not_lost_with_the_message_that_tells_it(tmp_path):
    async def story():
        with redis.running(tmp_path) as server:
            held = artifact(own=LimitSet(day=Budget(tokens=9000, usd=9.0)))
            async with silent(server) as one:
                patient(one)
                more, less = [await Asker(one, held).ask(100) for _ in range(2)]
                server.stop()
                more.settle(400, 0.5)
                less.settle(50, 0.0)
                await told(one)
                assert not one._store.open
                server.start()
                await one.beat()
                await told(one)
                asker = Asker(one, held)
                assert await asker.used("user day.tokens") == 300
                assert await asker.used("user day.usd") == pytest.approx(0.499)

    run(story())


def test_a_beat_that_crosses_the_end_of_a_request_keeps_no_slot(server):
    async def story():
        async with silent(server) as one:
            patient(one)
            asker = Asker(one, artifact(own=LimitSet(concurrent=1)))
            ticket = await asker.ask()
            # the end it knows, a beat it has to be told of first: so the end overtakes it
            server.ask("SCRIPT", "FLUSH")
            await one._store.warm(lambda client: client.script_load(script.SETTLE.text))
            beat = asyncio.create_task(one.beat())
            await asyncio.sleep(0)
            ticket.settle(0, 0.0)
            await beat
            await told(one)
            await when(asker, lambda found: not found["user concurrent"].used)

    run(story())


# --- the scripts against the gauges of one process -----------------------------------------------

_CLOCK = "{interlock:clock}:now"


class Told:
    """The store's clock, set by a test."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tell(self) -> None:
        """What time it is now."""
        seconds, micros = divmod(round(self._clock.utc * 1_000_000), 1_000_000)
        await self._store.run(lambda client: client.set(_CLOCK, f"{seconds} {micros}"))


@pytest.fixture
def told_time(monkeypatch):
    """The scripts read the time a test has set."""
    read = f"{{redis.call('GET', '{_CLOCK}'):match('(%d+) (%d+)')}}"
    for name in ("ADMIT", "SETTLE", "PEEK", "BEAT"):
        text = getattr(script, name).text
        assert text.count("redis.call('TIME')") == 1
        monkeypatch.setattr(script, name, Script(text.replace("redis.call('TIME')", read)))


moves = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.one_of(
            st.integers(0, 240).map(lambda n: n / 8), st.sampled_from([60.0, 43_200.0, 864_000.0])
        ),
        st.integers(1, 60),  # tokens reserved
        st.one_of(st.none(), st.integers(0, 90)),  # tokens used
        st.booleans(),  # whether one of those under way ends first
    ),
    min_size=3,
    max_size=25,
)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=moves)
def test_the_store_counts_as_one_process_does(server, told_time, moves):
    async def story():
        clock = Clock()
        held = artifact(
            {"web": "team"},
            own=LimitSet(rpm=4, concurrent=3, day=Budget(usd=0.005)),
            team=LimitSet(rpm=6, tpm=100, day=Budget(tokens=400), month=Budget(requests=18)),
        )
        async with workers(server, 1, lease=10_000_000.0) as (shared,):
            time = Told(shared._store, clock)
            await time.tell()
            here = clock.limits()
            pairs = {
                name: (Asker(here, held, caller(name)), Asker(shared, held, caller(name)))
                for name in ("ada", "bob")
            }
            under_way = []
            for name, pause, reserve, used, ends in moves:
                clock.on(pause)
                await time.tell()
                if ends and under_way:
                    for ticket in under_way.pop(0):
                        ticket.settle(used, None if used is None else used / 50_000)
                    await told(shared)
                tickets = [await outcome(asker, reserve) for asker in pairs[name]]
                if any(isinstance(ticket, tuple) for ticket in tickets):
                    assert tickets[0] == tickets[1]
                else:
                    assert tickets[0].lines == tickets[1].lines
                    under_way.append(tickets)
                one, other = [await asker.levels() for asker in pairs[name]]
                assert {k: (v.used, v.seconds) for k, v in one.items()} == {
                    k: (v.used, v.seconds) for k, v in other.items()
                }

    async def outcome(asker: Asker, tokens: int):
        try:
            return await asker.ask(tokens)
        except CallerError as error:
            return error.code, error.retry_after, error.details, error.trace

    run(story())


def test_a_store_whose_clock_is_set_back_forgets_within_a_minute_and_admits_no_more(
    server, told_time
):
    async def story():
        clock = Clock()
        async with workers(server, 1, lease=10_000_000.0) as (one,):
            time = Told(one._store, clock)
            await time.tell()
            asker = Asker(one, artifact(own=LimitSet(rpm=3, day=Budget(requests=9))))
            assert await asker.accepted(5) == 3
            clock.utc = NOON - 864_000
            await time.tell()
            assert await asker.accepted(5) == 0
            clock.utc += 60
            await time.tell()
            assert await asker.accepted(5) == 3
            clock.utc = NOON + 61
            await time.tell()
            assert await asker.used("user day.requests") == 3

    run(story())
