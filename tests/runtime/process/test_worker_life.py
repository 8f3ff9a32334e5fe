"""Workers that die, hang or run out of files under load: what others and their callers see."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.runtime.process.observing import (
    PATIENCE,
    TWO_WORKERS,
    all_serve,
    answered,
    chat,
    children,
    cpu,
    events,
    every_worker,
    fds,
    worker_of,
)
from tests.runtime.process.releases import HEADERS, PATH, Releases, releases, request
from tests.support.polling import until
from tests.support.router import Router, running
from tests.support.steady import Steady, steady
from tests.support.wire import Answer, Connection, connected


@pytest.fixture(scope="module")
def provider() -> Iterator[Steady]:
    with steady() as provider:
        yield provider


@pytest.fixture(scope="module")
def made(provider: Steady, tmp_path_factory: pytest.TempPathFactory) -> Releases:
    provider.hold()
    return releases(provider, tmp_path_factory.mktemp("releases"), ("one",))


@pytest.fixture
def two(made: Releases, provider: Steady, tmp_path) -> Iterator[Router]:
    """A router with two workers that serve."""
    provider.hold()
    with running(made.current, tmp_path, arguments=TWO_WORKERS) as router:
        asyncio.run(all_serve(router))
        yield router


@asynccontextmanager
async def streams_on_both(router: Router) -> AsyncIterator[dict[str, list[Connection]]]:
    """Ten running streams, by worker, of each at least one."""
    async with AsyncExitStack() as stack:
        streams: dict[str, list[Connection]] = {}
        while sum(map(len, streams.values())) < 10 or len(streams) < 2:
            stream = await stack.enter_async_context(connected(router.port))
            stream.send("POST", PATH, HEADERS, request(stream=True))
            begun = await stream.until(lambda answer: b"content" in answer.body)
            streams.setdefault(worker_of(begun), []).append(stream)
        yield streams


def test_a_killed_worker_cuts_its_own_streams_alone_and_comes_back(two, made, provider):
    async def run() -> tuple[list[Answer], list[Answer]]:
        async with streams_on_both(two) as streams:
            os.kill(children(two)[0], signal.SIGKILL)
            await until(lambda: any(s.closed for all_ in streams.values() for s in all_), PATIENCE)
            await all_serve(two)
            cut = next(all_ for all_ in streams.values() if all_[0].closed)
            (spared,) = (all_ for all_ in streams.values() if all_ is not cut)
            assert not any(stream.closed for stream in spared)
            provider.release()
            return [await s.finished() for s in cut], [await s.finished() for s in spared]

    cut, spared = asyncio.run(run())
    assert {answer.ending for answer in cut} == {"aborted"}
    assert made.faults(spared) == []
    assert len(events(two, "worker-died")) == 1


def test_a_stopped_worker_is_replaced_while_the_other_serves_on(two, made, provider):
    async def run() -> list[Answer]:
        async with every_worker(two) as workers:
            os.kill(children(two)[0], signal.SIGSTOP)
            ends = await asyncio.gather(*map(chat, workers), return_exceptions=True)
        await all_serve(two)
        (hung,) = (end for end in ends if isinstance(end, BaseException))
        assert isinstance(hung, ConnectionError)
        return [end for end in ends if isinstance(end, Answer)]

    assert made.faults(asyncio.run(run())) == []
    assert len(events(two, "worker-hung")) == 1


def test_a_worker_that_cannot_be_started_is_tried_again_while_the_other_serves_on(
    two, made, provider
):
    provider.release()
    pid = two.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)

    async def run() -> Answer:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        os.kill(children(two)[0], signal.SIGKILL)
        await until(lambda: events(two, "worker-not-started"), PATIENCE)
        async with every_worker(two, 1) as (worker,):
            answer = await chat(worker)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        await all_serve(two)
        return answer

    assert made.faults([asyncio.run(run())]) == []
    assert events(two, "worker-not-started")[0]["reason"] == "Too many open files"


def test_workers_end_their_streams_with_an_error_when_their_supervisor_is_killed(two):
    async def run() -> list[Answer]:
        async with streams_on_both(two) as streams:
            two.process.kill()
            return [await s.finished() for all_ in streams.values() for s in all_]

    for answer in asyncio.run(run()):
        assert answer.ending == "aborted"
        assert b'"code":"shutting-down"' in answer.body.replace(b": ", b":")


# --- files run out -----------------------------------------------------------------------------


async def crowd(stack: AsyncExitStack, port: int, size: int) -> list[Connection]:
    """So many connections, each with a request."""
    found = [await stack.enter_async_context(connected(port)) for _ in range(size)]
    for connection in found:
        connection.send("GET", "/healthz", HEADERS)
    return found


async def outcome(connection: Connection) -> int:
    """The status of the answer; 0 where the connection was closed without one."""
    try:
        return (await connection.finished()).status
    except ConnectionError:
        return 0


def test_with_few_files_callers_too_many_are_refused_with_an_answer(made, tmp_path):
    # the shell lowers the hard limit, for a worker raises the soft one
    few = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
    with running(made.current, tmp_path, prefix=few) as router:

        async def run() -> list[int]:
            async with AsyncExitStack() as stack:
                return [await outcome(c) for c in await crowd(stack, router.port, 60)]

        seen = asyncio.run(run())
        assert set(seen) == {200, 503}
        assert seen.count(200) == events(router, "few-files")[0]["count"]
        assert asyncio.run(run()) == seen


def test_without_any_file_left_it_waits_and_recovers(made, tmp_path):
    with running(made.current, tmp_path) as router:
        pid = router.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)

        async def run() -> None:
            async with connected(router.port) as early:
                await answered(early, "GET", "/healthz")
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (fds(pid), limits[1]))
                async with AsyncExitStack() as stack:
                    late = await crowd(stack, router.port, 20)
                    before = cpu(pid)
                    assert (await answered(early, "GET", "/healthz")).status == 200
                    await asyncio.wait([asyncio.create_task(outcome(c)) for c in late], timeout=0.5)
                    assert cpu(pid) - before < 0.2 * os.sysconf("SC_CLK_TCK")
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
                assert (await answered(early, "GET", "/healthz")).status == 200
            async with connected(router.port) as new:
                assert (await answered(new, "GET", "/healthz")).status == 200

        asyncio.run(run())
