"""What one event of a paced stream costs in one process, without sockets: where the caches still
hold its stream, and where they were lost in between, as they are in a server.

    python -m tests.benchmarks.events
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import uvloop

from runtime.artifact import Artifact, load
from runtime.decision import decide, passage_to
from runtime.dialects import DIALECTS
from runtime.edge import Call
from runtime.edge.head import Head
from runtime.edge.outbox import Outbox
from runtime.exchange import Delivery
from runtime.upstream.connection import Connection, FastAnswer
from tests.benchmarks import answers, bodies
from tests.support.router import build

_STREAMS: Final = 64
_AT_ONCE: Final = 16  # events that a server finds when it wakes, at this pace
_REST: Final = 0.002  # seconds in which the caches are lost
_ROUNDS: Final = 3
_ENDS: Final = 20  # events at either end of a stream that are not counted
_WAYS: Final = (
    *((dialect, dialect) for dialect in DIALECTS),
    ("messages", "chat"),
    ("responses", "chat"),
    ("chat", "messages"),
    ("responses", "messages"),
)
_BRIDGED: Final = Path(__file__).with_name("bridged.yaml").read_text(encoding="utf-8")
_NATIVE: Final = Path(__file__).with_name("deployment.yaml").read_text(encoding="utf-8")
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
_CHUNKED: Final = b"transfer-encoding: chunked\r\n\r\n"


class _Transport:
    """Takes everything and sends nothing."""

    def write(self, data: bytes) -> None:
        pass

    def abort(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0


class _Streams:
    """Streams of one caller's dialect from one upstream's, all of the same answer."""

    def __init__(self, artifact: Artifact, surface: str, body: bytes) -> None:
        self._artifact = artifact
        self._body = body
        self._reading = DIALECTS[surface].read(body, {}, artifact.settings)
        caller = next(iter(artifact.callers.values()))
        self._decision = decide(
            artifact, surface, caller, self._reading, token_id="", request_id="", state_key=None
        )
        self._outbox = Outbox()

    def begin(self) -> tuple[Connection, asyncio.Task[bool]]:
        """The upstream's connection of one more stream, and who waits for its end."""
        loop = asyncio.get_running_loop()
        candidate = self._decision.order[0]
        passage = passage_to(self._artifact, self._decision, self._reading, candidate, self._body)
        shared = SimpleNamespace(
            outbox=self._outbox, draining=False, date=b"", new_request_id=lambda: "r"
        )
        writable = SimpleNamespace(is_set=lambda: True)
        edge: Any = SimpleNamespace(shared=shared, peer="", loop=loop, writable=writable)
        transport: Any = _Transport()
        call = Call(edge, transport, Head())
        exchange: Any = SimpleNamespace(
            call=call, place=None, pulse=SimpleNamespace(last=0.0), commit=lambda _: None
        )
        timer: Any = SimpleNamespace(reschedule=lambda _: None)
        call.start(200, ())
        origin: Any = SimpleNamespace(blank=None, put=lambda _: None, forget=lambda _: None)
        connection = Connection(origin, loop)
        connection.connection_made(transport)
        timeouts = self._artifact.providers[candidate.target.provider].timeouts
        answer = FastAnswer(connection, timeouts, loop.time())
        connection.ask(answer, (b"",))
        connection.data_received(_HEAD + _CHUNKED)
        delivery = Delivery(exchange, passage.watcher(None), candidate, timer)
        return connection, loop.create_task(answer.pipe(delivery))


async def _measure(streams: _Streams, chunks: list[bytes], rest: float) -> float:
    """The median of one event, in us."""
    begun = [streams.begin() for _ in range(_STREAMS)]
    await asyncio.sleep(0)
    taken: list[float] = []
    turn = 0
    for number, chunk in enumerate(chunks):
        for connection, _ in begun:
            if rest and turn % _AT_ONCE == 0:
                time.sleep(rest)  # noqa: ASYNC251 - nothing else is to run
                await asyncio.sleep(0)
            turn += 1
            data = bytes(bytearray(chunk))  # a copy of its own, as the kernel hands it over
            began = time.perf_counter()
            connection.data_received(data)
            if _ENDS < number < len(chunks) - _ENDS:
                taken.append(time.perf_counter() - began)
    await asyncio.gather(*(waits for _, waits in begun))
    return statistics.median(taken) * 1e6


def _chunks(events: bytes) -> list[bytes]:
    found = re.findall(rb".+?\n\n", events, re.DOTALL)
    return [*(b"%x\r\n%b\r\n" % (len(event), event) for event in found), b"0\r\n\r\n"]


async def _main() -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        bodies.write(work)
        answers.write(work / "answers")
        for surface, upstream in _WAYS:
            text = _NATIVE if surface == upstream else _BRIDGED.replace("MEMBER", upstream)
            folder = work / f"{surface}-{upstream}"
            folder.mkdir()
            body = (work / f"{surface}-small-stream.json").read_bytes()
            streams = _Streams(load(build(text, folder)), surface, body)
            chunks = _chunks((work / "answers" / f"{upstream}.sse").read_bytes())
            warm, cold = [
                min([await _measure(streams, chunks, rest) for _ in range(_ROUNDS)])
                for rest in (0.0, _REST)
            ]
            print(f"{upstream:9} to {surface:9} {warm:5.1f} us, caches lost {cold:5.1f} us")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
