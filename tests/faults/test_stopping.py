"""SIGTERM: what runs is finished, what is new is refused, what does not end is cut honestly."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import AsyncExitStack, suppress

import pytest

from tests.faults.calls import PATHS, body, headers
from tests.faults.deployment import ENV
from tests.faults.drivers import Transcript, Verdict, read_stream
from tests.faults.table import WAYS, target_for
from tests.support.router import ROOT, Router, running
from tests.support.wire import Answer, Connection, connected


async def begin(connection: Connection, dialect: str, group: str) -> None:
    """A stream, until half of it has come."""
    request = body(dialect, group, streamed=True, cell=f"stop/{dialect}/{group}")
    connection.send("POST", PATHS[dialect], headers(), request)
    await connection.until(lambda answer: b"signal" in answer.body)


async def refuses(port: int) -> None:
    """Waits until nobody can connect any more."""
    async with asyncio.timeout(10):
        with suppress(ConnectionError):  # refused, or swept out of the backlog
            while True:
                async with connected(port):
                    await asyncio.sleep(0.02)


@pytest.fixture
def stopped(artifact, tmp_path):
    """Begins a stream each way, sends SIGTERM, and tells how it all ended."""

    def stop(target: str, *arguments: str) -> tuple[dict[str, Answer], int, str]:
        async def run(router: Router) -> dict[str, Answer]:
            async with AsyncExitStack() as stack:
                streams = {
                    way: await stack.enter_async_context(connected(router.port)) for way in WAYS
                }
                await asyncio.gather(
                    *(
                        begin(streams[way], dialect, target_for(target, dialect, upstream))
                        for way, (dialect, upstream) in WAYS.items()
                    )
                )
                router.terminate()
                await refuses(router.port)
                assert not any(stream.closed for stream in streams.values())
                return {way: await stream.finished() for way, stream in streams.items()}

        with running(artifact, tmp_path, ENV, arguments) as router:
            answers = asyncio.run(run(router))
            return answers, router.wait(), router.logs()

    return stop


def read(way: str, answer: Answer) -> Transcript:
    return read_stream(WAYS[way][0], answer)


def test_running_streams_are_finished(stopped):
    answers, code, logs = stopped("silent-mid-stream-then-good")
    verdicts = {way: read(way, answer).verdict() for way, answer in answers.items()}
    assert verdicts == dict.fromkeys(WAYS, Verdict.COMPLETE)
    assert code == 0
    assert "Traceback" not in logs


def test_streams_that_do_not_end_get_the_error_event_and_a_cut(stopped):
    answers, code, logs = stopped("waits-mid-body", "--drain", "1")
    transcripts = {way: read(way, answer) for way, answer in answers.items()}
    verdicts = {way: transcript.verdict() for way, transcript in transcripts.items()}
    assert verdicts == dict.fromkeys(WAYS, Verdict.ERROR_EVENT)
    assert [way for way, transcript in transcripts.items() if transcript.violations] == []
    assert code == 0
    assert "Traceback" not in logs


def test_an_idle_router_stops_at_once(artifact, tmp_path):
    with running(artifact, tmp_path, ENV) as router:
        asked = time.monotonic()
        router.terminate()
        assert router.wait(20) == 0
        assert time.monotonic() - asked < 20


START = """
import sys, time
from pathlib import Path
from tests.support.router import start
print(start(Path(sys.argv[1]), Path(sys.argv[2]), arguments=["--workers", "2"]).port, flush=True)
time.sleep(600)
"""


def test_a_router_does_not_outlive_the_tests_that_started_it(artifact, tmp_path):
    command = [sys.executable, "-c", START, str(artifact), str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **ENV}, stdout=subprocess.PIPE
    ) as tests:
        port = int(tests.stdout.readline())
        tests.kill()
    asyncio.run(refuses(port))
