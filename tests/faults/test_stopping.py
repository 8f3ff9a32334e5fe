"""SIGTERM: what runs is finished, what is new is refused, what does not end is cut honestly."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, suppress

import pytest

from tests.faults.answers import DIALECTS
from tests.faults.calls import PATHS, body, headers
from tests.faults.deployment import ENV
from tests.faults.drivers import Verdict, read_stream
from tests.support.router import Router, running
from tests.support.wire import Answer, Connection, connected


async def begin(connection: Connection, dialect: str, group: str) -> None:
    """A stream, until half of it has come."""
    request = body(dialect, group, streamed=True, cell=f"stop/{dialect}")
    connection.send("POST", PATHS[dialect], headers(), request)
    await connection.until(lambda answer: b"signal" in answer.body)


async def refuses(router: Router) -> None:
    """Waits until nobody can connect any more."""
    async with asyncio.timeout(10):
        with suppress(ConnectionError):  # refused, or swept out of the backlog
            while True:
                async with connected(router.port):
                    await asyncio.sleep(0.02)


@pytest.fixture
def stopped(artifact, tmp_path):
    """Begins a stream per dialect, sends SIGTERM, and tells how it all ended."""

    def stop(group: str, *arguments: str) -> tuple[dict[str, Answer], int, str]:
        async def run(router: Router) -> dict[str, Answer]:
            async with AsyncExitStack() as stack:
                streams = {
                    dialect: await stack.enter_async_context(connected(router.port))
                    for dialect in DIALECTS
                }
                for dialect, stream in streams.items():
                    await begin(stream, dialect, group)
                router.terminate()
                await refuses(router)
                assert not any(stream.closed for stream in streams.values())
                return {dialect: await stream.finished() for dialect, stream in streams.items()}

        with running(artifact, tmp_path, ENV, arguments) as router:
            answers = asyncio.run(run(router))
            return answers, router.wait(), router.logs()

    return stop


def test_running_streams_are_finished(stopped):
    answers, code, logs = stopped("silent-mid-stream-then-good")
    verdicts = {d: read_stream(d, answer).verdict() for d, answer in answers.items()}
    assert verdicts == dict.fromkeys(DIALECTS, Verdict.COMPLETE)
    assert code == 0
    assert "Traceback" not in logs


def test_streams_that_do_not_end_get_the_error_event_and_a_cut(stopped):
    answers, code, logs = stopped("waits-mid-body", "--drain", "1")
    verdicts = {d: read_stream(d, answer).verdict() for d, answer in answers.items()}
    assert verdicts == dict.fromkeys(DIALECTS, Verdict.ERROR_EVENT)
    assert code == 0
    assert "Traceback" not in logs


def test_an_idle_router_stops_at_once(artifact, tmp_path):
    with running(artifact, tmp_path, ENV) as router:
        asked = time.monotonic()
        router.terminate()
        assert router.wait(20) == 0
        assert time.monotonic() - asked < 20
