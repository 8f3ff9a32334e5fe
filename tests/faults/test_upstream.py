"""The fault upstream itself, asked without a router: the table is worth what it is worth."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.faults.answers import DIALECTS, TEXT
from tests.faults.behaviours import BEHAVIOURS
from tests.faults.calls import PATHS
from tests.faults.drivers import Verdict, read_stream, read_whole
from tests.faults.table import ROWS, Whole
from tests.faults.upstream import Upstream, connecting_to
from tests.support.polling import until
from tests.support.wire import Answer, ask, connected

DIRECT = {"authorization": "Bearer nobody"}
CONNECTION_ROWS = {"refused", "connecting-hangs"}


def request(model: str, *, streamed: bool) -> bytes:
    return json.dumps({"model": model, "stream": streamed, "input": f"cell:{model}"}).encode()


def direct(upstream: Upstream, dialect: str, model: str, *, streamed: bool) -> Answer:
    body = request(model, streamed=streamed)
    return asyncio.run(ask(upstream.port, "POST", PATHS[dialect], DIRECT, body))


GOOD = [
    (row.behaviour, dialect)
    for row in ROWS
    if row.streamed == Whole() and row.behaviour.startswith(("good", "stopped"))
    for dialect in row.only
]


@pytest.mark.parametrize(("model", "dialect"), GOOD)
def test_a_good_stream_is_good(model, dialect, upstream):
    transcript = read_stream(dialect, direct(upstream, dialect, model, streamed=True))
    missing = {"no [DONE]"} if model in ("good-without-done", "good-but-cut-before-done") else set()
    assert set(transcript.violations) == missing
    if not missing and "cut" not in model:
        assert transcript.verdict() is Verdict.COMPLETE
    assert transcript.text == TEXT


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_good_answer_is_whole(dialect, upstream):
    answer = direct(upstream, dialect, "good", streamed=False)
    assert read_whole(dialect, answer) == (TEXT, "good")


BROKEN = (
    "reset-before-content",
    "cut-between-events",
    "cut-mid-event",
    "closed-mid-stream",
    "ends-before-content",
    "ends-mid-event",
    "ends-without-terminator",
    "ends-before-last-event",
    "ends-in-a-tool-call",
    "malformed-event-after-content",
    "not-utf8-event-after-content",
    "error-event-after-content",
)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("model", BROKEN)
def test_a_broken_stream_is_not_complete(model, dialect, upstream):
    transcript = read_stream(dialect, direct(upstream, dialect, model, streamed=True))
    assert transcript.verdict() is not Verdict.COMPLETE


def test_a_reset_shows_as_a_cut_and_a_clean_end_as_an_end(upstream):
    assert direct(upstream, "chat", "cut-between-events", streamed=True).ending == "aborted"
    assert direct(upstream, "chat", "ends-without-terminator", streamed=True).ending == "clean"


def test_every_row_has_a_behaviour():
    assert {row.behaviour for row in ROWS} - CONNECTION_ROWS <= set(BEHAVIOURS)


def test_a_client_that_hangs_up_is_noticed(upstream):
    async def hang_up() -> None:
        async with connected(upstream.port) as connection:
            body = request("hangs-before-head", streamed=True)
            connection.send("POST", "/v1/responses", DIRECT, body)
            (asked,) = await until(lambda: upstream.of_cell("hangs-before-head"))
            assert not asked.hung_up
            connection.close()
            await until(lambda: asked.hung_up)

    asyncio.run(hang_up())


def test_connecting_to_the_black_hole_hangs(hole):
    async def connect() -> int:
        attempt = asyncio.ensure_future(asyncio.open_connection("127.0.0.1", hole))
        await until(lambda: connecting_to(hole))
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        return connecting_to(hole)

    assert asyncio.run(connect()) == 0
