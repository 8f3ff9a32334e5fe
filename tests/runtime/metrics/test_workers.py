"""Several workers count as one: sums are exact, and the death of one makes no counter fall."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from runtime.metrics import peers
from runtime.metrics.board import Board
from tests.runtime.metrics.numbers import SCRAPER, Series, read, record, total
from tests.runtime.process.releases import HEADERS, PATH, request, yaml
from tests.support.polling import until
from tests.support.router import Router, build, running
from tests.support.steady import steady
from tests.support.wire import Connection, connected

SCRAPE = {"authorization": f"Bearer {SCRAPER.whole}"}
OPS = f"""\
  scraper:
    user: prom
    project: web
    env: ops
    groups: []
    roles: [metrics]
    tokens: [{{id: {SCRAPER.id}, sha256: {SCRAPER.sha256}}}]
"""
REQUESTS = 40


@pytest.fixture
def router(tmp_path) -> Iterator[Router]:
    with steady() as provider:
        artifact = build(yaml(provider.ports[0], "m") + OPS, tmp_path)
        with running(artifact, tmp_path, arguments=("--workers", "2", "--drain", "2")) as router:
            yield router


async def ask(connection: Connection) -> str:
    """One answered request; returns what tells its worker from others."""
    connection.raw.clear()
    connection.send("POST", PATH, HEADERS, request())
    answer = await connection.finished()
    assert answer.status == 200
    return (answer.header("x-request-id") or "")[:16]


async def page(connection: Connection) -> Series:
    """What the worker behind this connection tells of all."""
    connection.raw.clear()
    connection.send("GET", "/metrics", SCRAPE)
    answer = await connection.finished()
    assert answer.status == 200
    return read(answer.body)


async def told(router: Router) -> Series:
    async with connected(router.port) as connection:
        return await page(connection)


def requests(series: Series) -> float:
    return total(series, "interlock_requests_total", group="coder", outcome="ok")


def children(router: Router) -> list[int]:
    pid = router.process.pid
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@asynccontextmanager
async def both(router: Router) -> AsyncIterator[tuple[list[Connection], int]]:
    """A connection to each worker, and how many requests it took to find them."""
    async with AsyncExitStack() as stack:
        found: dict[str, Connection] = {}
        spent = 0
        while len(found) < 2:
            connection = await stack.enter_async_context(connected(router.port))
            found.setdefault(await ask(connection), connection)
            spent += 1
        yield list(found.values()), spent


def test_any_worker_tells_the_exact_sum_of_both(router):
    async def main():
        async with both(router) as ((one, two), spent):
            for _ in range(REQUESTS):
                await ask(one)
                await ask(two)
                await ask(two)
            expected = spent + 3 * REQUESTS
            for connection in (one, two):
                # the other's numbers are a second old at most
                await seen(connection, lambda series: requests(series) == expected)
                check_whole(await page(connection), expected)

    asyncio.run(main())


def check_whole(series: Series, expected: int) -> None:
    """So many requests, wherever they were answered."""
    assert requests(series) == expected
    assert total(series, "interlock_request_seconds_count") == expected
    assert total(series, "interlock_tokens_total", kind="input") == 3 * expected
    assert total(series, "interlock_workers") == 2
    for worker in ("1", "2"):
        assert total(series, "interlock_worker_resident_bytes", worker=worker) > 1e6


async def seen(connection: Connection, holds) -> None:
    async with asyncio.timeout(10):
        while not holds(await page(connection)):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


def test_a_killed_worker_takes_nothing_back_that_was_told(router):
    async def main():
        async with both(router) as (connections, _):
            for _ in range(REQUESTS):
                for connection in connections:
                    await ask(connection)
            before = requests(await page(connections[0]))
        assert before >= REQUESTS
        for victim in children(router):
            # Whatever a page has told, every later one tells.
            before = max([before, *[requests(await told(router)) for _ in range(4)]])
            os.kill(victim, signal.SIGKILL)
            await until(lambda victim=victim: victim not in children(router))
            for _ in range(10):
                now = requests(await told(router))
                assert now >= before
                before = now
            await until(lambda: len(children(router)) == 2)
            await seen_by_anyone(router, lambda s: total(s, "interlock_workers") == 2)
            now = await told(router)
            assert requests(now) >= before
            before = requests(now)
        async with connected(router.port) as connection:
            await ask(connection)
            await seen(connection, lambda series: requests(series) > before)

    asyncio.run(main())


async def seen_by_anyone(router: Router, holds) -> None:
    async with asyncio.timeout(20):
        while not holds(await told(router)):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


def test_the_folder_of_the_numbers_goes_with_the_supervisor(router):
    def folders() -> list[Path]:
        places = (Path("/dev/shm"), Path(os.environ.get("TMPDIR", "/tmp")))
        mine = f"interlock-numbers-{router.process.pid}-*"
        return [folder for place in places for folder in place.glob(mine)]

    assert len(folders()) == 1
    assert folders()[0].stat().st_mode & 0o077 == 0
    router.terminate()
    assert router.wait() == 0
    assert folders() == []


# --- the files alone ----------------------------------------------------------------------------


def place(folder: Path, number: int) -> peers.Peers:
    return peers.Peers(peers.place(folder, number))


SAMPLES = {
    "interlock_cache_entries": {(): 3.0},
    "interlock_journal_rows_total": {(): 10.0},
    "interlock_request_seconds": {("g", "chat", "true"): [1.0] * 16},
}


def test_gauges_of_the_dead_are_gone_and_their_counters_stay(tmp_path, monkeypatch):
    one, two = place(tmp_path, 1), place(tmp_path, 2)
    assert one.write(SAMPLES)
    assert two.others() == SAMPLES
    dead = os.getpid()
    monkeypatch.setattr(os, "kill", lambda pid, _: _dies(pid == dead))
    assert two.others() == {k: v for k, v in SAMPLES.items() if k != "interlock_cache_entries"}
    assert one.inherited().keys() == two.others().keys()


def _dies(gone: bool) -> None:
    if gone:
        raise ProcessLookupError


def test_what_a_worker_has_told_of_itself_the_others_tell_without_it(tmp_path):
    one, two = Board(place(tmp_path, 1)), Board(place(tmp_path, 2))
    one.counts.take(record())
    assert "interlock_requests_total" not in two.whole(two.ask())
    told = one.whole(one.ask())["interlock_requests_total"]
    assert two.whole(two.ask())["interlock_requests_total"] == told


def test_a_worker_that_leaves_takes_its_gauges_with_it(tmp_path):
    one, two = Board(place(tmp_path, 1)), Board(place(tmp_path, 2))
    one.counts.take(record())
    one.leave(one.ask())
    for _ in range(2):
        left = two.whole(two.ask())
        assert left["interlock_workers"] == {(): 1}
        assert sum(left["interlock_requests_total"].values()) == 1
        one.show(one.ask())  # a look that was under way


def test_a_successor_goes_on_from_the_counters_of_its_place(tmp_path):
    first = Board(place(tmp_path, 1))
    first.counts.take(record(input=5))
    first.show(first.ask())
    second = Board(place(tmp_path, 1))
    second.counts.take(record(input=2))
    for _ in range(2):  # looking does not count
        series = second.whole(second.ask())
        assert sum(series["interlock_requests_total"].values()) == 2
        assert series["interlock_tokens_total"]["plain", "small", "input"] == 7
        assert series["interlock_workers"] == {(): 1}


@pytest.mark.parametrize("junk", [b"", b"\x00" * 40, b"{}", b"\x82\xa3pid\x01"])
def test_a_file_that_cannot_be_read_is_passed_over(tmp_path, junk):
    one, two = place(tmp_path, 1), place(tmp_path, 2)
    peers.place(tmp_path, 1).write_bytes(junk)
    assert two.others() == {}
    assert one.inherited() == {}


def test_what_another_version_has_counted_otherwise_stays_out(tmp_path):
    one, two = place(tmp_path, 1), place(tmp_path, 2)
    other = {
        "interlock_gone_total": {(): 1.0},
        "interlock_journal_rows_total": {("label",): 1.0},
        "interlock_request_seconds": {("g", "chat", "true"): [1.0] * 3},
    }
    assert one.write(other)
    assert two.others() == {}


def test_a_folder_that_is_gone_is_no_reason_to_fail(tmp_path):
    peer = place(tmp_path / "gone", 1)
    assert not peer.write(SAMPLES)
    assert peer.others() == {}


def test_what_a_killed_supervisor_left_is_swept_away(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "_MEMORY", tmp_path)
    # no process has the first number; in a container every supervisor has the second
    dead = [tmp_path / f"interlock-numbers-{pid}-abc" for pid in (2**22 + 1, os.getpid())]
    neighbour = tmp_path / f"interlock-numbers-{os.getppid()}-abc"
    for folder in (*dead, neighbour):
        folder.mkdir()
    with peers.meeting_place() as ours:
        assert sorted(tmp_path.iterdir()) == sorted([ours, neighbour])
    assert not ours.exists()
