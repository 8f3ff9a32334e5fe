"""A fault upstream on a raw socket, and an upstream leg with one provider pointed at it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from runtime.upstream import Answer, Upstreams

SHORT = 0.15  # a deadline that should pass
LONG = 5.0  # one that should not

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Peer:
    """The upstream's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.gone = asyncio.Event()

    async def request(self) -> tuple[bytes, bytes]:
        """Head and body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return head, await self.reader.readexactly(int(line.partition(b":")[2]))
        return head, b""

    async def send(self, *parts: bytes, pause: float = 0.0) -> None:
        """Writes each part as a packet of its own."""
        for part in parts:
            if self.writer.is_closing():  # uvloop has a RuntimeError for what asyncio ignores
                raise ConnectionResetError
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(pause)

    def reset(self) -> None:
        """Ends the connection with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.writer.transport.abort()

    async def sees_close(self) -> None:
        """Waits until the other end is gone."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        self.gone.set()


Script = Callable[[Peer], Awaitable[Any]]


class FaultUpstream:
    """A listening socket that runs one script per connection."""

    def __init__(self, script: Script) -> None:
        self.peers: list[Peer] = []
        self.open = 0
        self.port = 0
        self.faults: list[Exception] = []
        self._script = script

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        self.peers.append(peer)
        self.open += 1
        try:
            await self._script(peer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        except Exception as exc:  # noqa: BLE001 - reported when the test ends
            self.faults.append(exc)
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def fault_upstream(
    script: Script, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FaultUpstream]:
    """Serves while the block runs; a script that failed fails the test."""
    upstream = FaultUpstream(script)
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(upstream.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert upstream.faults == []


class Leg:
    """An upstream leg with a single provider `p`."""

    def __init__(self, upstreams: Upstreams, first_byte: float) -> None:
        self.upstreams = upstreams
        self._first_byte = first_byte

    async def open(self, body: bytes = b"{}", **more: Any) -> Answer:
        given = {"path": "/chat/completions", "headers": [], "first_byte": self._first_byte, **more}
        return await self.upstreams.open("p", body=body, **given)

    async def fetch(self, body: bytes = b"{}", **more: Any) -> tuple[int, bytes]:
        """Status and whole body."""
        answer = await self.open(body, **more)
        return answer.status, await answer.read(1 << 30)
