"""The fault upstream: a raw socket server that misbehaves as the model name says.

It reads requests of all three dialects and records who asked what and who hung up. How each
behaviour misbehaves stands in `tests.faults.behaviours`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.answers import Script, script

DIALECT_OF_PATH = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
}
# Every model of the deployment under test is named so upstream, and nobody else may learn it.
MODEL_PREFIX = "zxmodel6Tq."
_CELL = re.compile(r"cell:([A-Za-z0-9_./-]+)")


@dataclass
class Asked:
    """One request the upstream saw. `hung_up`: the router closed before it had its answer."""

    dialect: str
    model: str
    streamed: bool
    cell: str | None
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    hung_up: bool = False
    answered: bool = False
    at: float = field(default_factory=time.monotonic)

    @property
    def behaviour(self) -> str:
        """The name of what the model does."""
        return self.model.removeprefix(MODEL_PREFIX)


class Visit:
    """One request in the hands of a behaviour: the words to misbehave with."""

    def __init__(
        self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.asked = asked
        self._reader = reader
        self._writer = writer

    @property
    def script(self) -> Script:
        """The good stream for this request."""
        options = self.asked.body.get("stream_options") or {}
        usage = bool(options.get("include_usage"))
        return script(self.asked.dialect, self.asked.model, usage=usage)

    async def raw(self, *parts: bytes) -> None:
        """Bytes as they stand."""
        for part in parts:
            self._writer.write(part)
        await self._writer.drain()

    async def head(self, status: int = 200, **headers: str) -> None:
        """A response head; underscores in names become dashes."""
        lines = [f"HTTP/1.1 {status} Whatever"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def body(self, status: int, content_type: str, body: bytes, **headers: str) -> None:
        """A whole, well-framed answer."""
        length = str(len(body))
        await self.head(status, content_type=content_type, content_length=length, **headers)
        await self.raw(body)

    async def json(self, status: int, payload: object, **headers: str) -> None:
        """A whole JSON answer."""
        await self.body(status, "application/json", json.dumps(payload).encode(), **headers)

    async def event_stream(self) -> None:
        """The head of a chunked stream."""
        await self.head(content_type="text/event-stream", transfer_encoding="chunked")

    async def chunk(self, *events: bytes) -> None:
        """One HTTP chunk."""
        content = b"".join(events)
        await self.raw(b"%x\r\n%s\r\n" % (len(content), content))

    async def last_chunk(self) -> None:
        """The regular end of a chunked body."""
        await self.raw(b"0\r\n\r\n")

    async def close(self) -> None:
        """Closes with FIN."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def reset(self) -> None:
        """Closes with RST, after what was written has arrived."""
        await asyncio.sleep(0.02)
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self, seconds: float = 60.0) -> None:
        """Waits, silently, until the router hangs up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if await self._reader.read(1) == b"":
                    self.asked.hung_up = True


Behaviour = Callable[[Visit], Awaitable[None]]


class Upstream:
    """The server in its thread. `asked` grows with each request."""

    def __init__(self, behaviours: Mapping[str, Behaviour]) -> None:
        self.asked: list[Asked] = []
        self.port = 0
        self._behaviours = behaviours
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listens on a free port."""
        self._thread.start()
        assert self._started.wait(10)

    def stop(self) -> None:
        """Ends the thread and all its connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def of_cell(self, cell: str) -> list[Asked]:
        """The requests one cell of the table caused, in order."""
        return [asked for asked in self.asked if asked.cell == cell]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._started.set()
        self._loop.run_forever()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._server.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                await self._answer(asked, Visit(asked, reader, writer))
                if writer.is_closing():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, asked: Asked, visit: Visit) -> None:
        try:
            await self._behaviours[asked.behaviour](visit)
            asked.answered = not asked.hung_up
        except ConnectionError:
            asked.hung_up = True
            raise


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a connection, None when there is none."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    body = json.loads(raw)
    cell = _CELL.search(raw.decode())
    return Asked(
        dialect=DIALECT_OF_PATH[first.split(" ")[1].partition("?")[0]],
        model=body["model"],
        streamed=bool(body.get("stream")),
        cell=cell and cell[1],
        headers=headers,
        body=body,
    )


@contextmanager
def serving(behaviours: Mapping[str, Behaviour]) -> Iterator[Upstream]:
    """A fault upstream for the time of a `with` block."""
    upstream = Upstream(behaviours)
    upstream.start()
    try:
        yield upstream
    finally:
        upstream.stop()


@contextmanager
def black_hole() -> Iterator[int]:
    """A port on which connecting hangs: its queue of waiting connections is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = int(listener.getsockname()[1])
        waiting: list[socket.socket] = []
        try:
            while True:
                sock = socket.socket()
                sock.settimeout(0.2)
                try:
                    sock.connect(("127.0.0.1", port))
                except TimeoutError:
                    sock.close()
                    break
                waiting.append(sock)
            yield port
        finally:
            for sock in waiting:
                sock.close()


def connecting_to(port: int) -> int:
    """How many connections of this machine are being opened to a port (Linux only)."""
    syn_sent, wanted = "02", f"0100007F:{port:04X}"
    count = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, _, remote, state, *_ = line.split()
        count += remote == wanted and state == syn_sent
    return count
