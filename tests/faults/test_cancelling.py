"""A client that hangs up ends the upstream's work, whatever the router was waiting for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager

import pytest

from tests.faults.answers import DIALECTS
from tests.faults.calls import PATHS, body, call, headers
from tests.faults.drivers import Verdict, read_stream
from tests.faults.table import WAYS, target_for
from tests.faults.upstream import Asked, Upstream, connecting_to
from tests.support.polling import until
from tests.support.router import Router
from tests.support.wire import Connection, connected

# (phase, target, streamed): these targets hang for as long as anybody waits.
PHASES = [
    ("waiting for the head of a stream", "waits-before-head", True),
    ("waiting for the head of a whole answer", "waits-before-head", False),
    ("in the middle of a stream", "waits-mid-body", True),
    ("in the middle of a whole answer", "waits-mid-body", False),
]
HANGING_UP: dict[str, Callable[[Connection], None]] = {
    "FIN": Connection.close,
    "RST": Connection.reset,
}


# A way over a bridge for each dialect of the caller, where all six would only take time.
NEXT_DOOR = ("chat_to_messages", "responses_to_chat", "messages_to_responses")


@asynccontextmanager
async def begun(router: Router, dialect: str, group: str, *, streamed: bool, cell: str):
    async with connected(router.port) as connection:
        connection.send("POST", PATHS[dialect], headers(), body(dialect, group, streamed, cell))
        yield connection


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("hang_up", HANGING_UP)
@pytest.mark.parametrize(("phase", "target", "streamed"), PHASES, ids=lambda value: str(value))
def test_hanging_up_cancels_the_upstream(
    phase, target, streamed, hang_up, way, router: Router, upstream: Upstream
):
    dialect, spoken = WAYS[way]
    cell = f"cancel/{phase.replace(' ', '-')}/{hang_up}/{way}"

    async def run() -> Asked:
        group = target_for(target, dialect, spoken)
        async with begun(router, dialect, group, streamed=streamed, cell=cell) as connection:
            (asked,) = await until(lambda: upstream.of_cell(cell))
            if streamed and target == "waits-mid-body":
                await connection.until(lambda answer: b"signal" in answer.body)
            assert not asked.hung_up
            HANGING_UP[hang_up](connection)
            await until(lambda: asked.hung_up)
            return asked

    asked = asyncio.run(run())
    assert not asked.answered
    assert asked.dialect == spoken
    assert len(upstream.of_cell(cell)) == 1, "a cancelled request is not tried again"


@pytest.mark.parametrize("way", [*DIALECTS, *NEXT_DOOR])
def test_hanging_up_during_keep_alives_cancels_the_upstream(way, router, upstream):
    dialect, spoken = WAYS[way]
    cell = f"cancel/keep-alives/{way}"

    async def run() -> None:
        group = target_for("waits-before-head", dialect, spoken)
        async with begun(router, dialect, group, streamed=True, cell=cell) as connection:
            await connection.until(lambda answer: answer.status == 200 and answer.body)
            (asked,) = upstream.of_cell(cell)
            connection.close()
            await until(lambda: asked.hung_up)

    asyncio.run(run())


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
def test_hanging_up_while_connecting_gives_up_the_connection(streamed, router, hole):
    async def run() -> None:
        others = connecting_to(hole)
        group = "connecting-hangs-patiently"
        cell = "cancel/connecting"
        async with begun(router, "chat", group, streamed=streamed, cell=cell) as connection:
            await until(lambda: connecting_to(hole) > others)
            connection.close()
            await until(lambda: connecting_to(hole) <= others)

    asyncio.run(run())


def test_requests_go_on_after_cancelled_ones(router, upstream):
    async def run() -> Verdict:
        for number in range(4):
            cell = f"cancel/before-others/{number}"
            group = "waits-mid-body"
            async with begun(router, "chat", group, streamed=True, cell=cell) as connection:
                await connection.until(lambda answer: b"signal" in answer.body)
                connection.reset()
        answer = await call(router.port, "chat", "good", streamed=True, cell="cancel/after")
        return read_stream("chat", answer).verdict()

    assert asyncio.run(run()) is Verdict.COMPLETE
