"""A raw HTTP/1.1 client on asyncio: it shows how an answer ended, which HTTP libraries hide.

It keeps every byte that arrived and knows nothing of dialects.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

Ending = Literal["open", "clean", "aborted"]


@dataclass(frozen=True)
class Answer:
    """What arrived so far. `ending` is "clean" only when the framing said that this was all."""

    status: int
    headers: tuple[tuple[str, str], ...]  # lower-case names
    body: bytes
    ending: Ending

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name.lower()), None)


def parse(raw: bytes, *, closed: bool) -> Answer | None:
    """The final answer in `raw` (interim ones are passed over); None while its head is missing."""
    while True:
        head, blank, rest = raw.partition(b"\r\n\r\n")
        if not blank:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        if not 100 <= status < 200:
            break
        raw = rest
    pairs = [line.split(":", 1) for line in lines]
    headers = tuple((name.lower(), value.strip()) for name, value in pairs)
    fields = dict(headers)
    if "chunked" in fields.get("transfer-encoding", ""):
        body, complete = _unchunk(rest)
    elif "content-length" in fields:
        length = int(fields["content-length"])
        body, complete = rest[:length], len(rest) >= length
    elif status in (204, 304):
        body, complete = b"", True
    else:  # delimited by the close: a cut cannot be told from an end
        body, complete = rest, closed
    ending: Ending = "clean" if complete else "aborted" if closed else "open"
    return Answer(status, headers, body, ending)


def _unchunk(data: bytes) -> tuple[bytes, bool]:
    """The bytes of all whole and begun chunks, and whether the last chunk was seen."""
    parts: list[bytes] = []
    position = 0
    while (line_end := data.find(b"\r\n", position)) >= 0:
        size = int(data[position:line_end].split(b";")[0], 16)
        start = line_end + 2
        if size == 0:
            return b"".join(parts), data.startswith(b"\r\n", start)
        parts.append(data[start : start + size])
        position = start + size + 2
    return b"".join(parts), False


class Connection(asyncio.Protocol):
    """One client connection. Requests go out as given; what arrives is kept."""

    def __init__(self) -> None:
        self.raw = bytearray()
        self._news = asyncio.Event()
        self._lost = asyncio.Event()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.raw += data
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set()
        self._news.set()

    @property
    def closed(self) -> bool:
        """Whether the connection is over, by whoever's will."""
        return self._lost.is_set()

    def send(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        """Writes one request with a Content-Length."""
        fields = {"Host": "127.0.0.1", **(headers or {}), "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._transport.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    @property
    def answer(self) -> Answer | None:
        """What arrived so far, None before the end of the head."""
        return parse(bytes(self.raw), closed=self.closed)

    async def until(self, seen: Callable[[Answer], bool], seconds: float = 20.0) -> Answer:
        """Waits until `seen` holds for what arrived, or the answer is over."""
        async with asyncio.timeout(seconds):
            while True:
                self._news.clear()
                answer = self.answer
                if answer is not None and (answer.ending != "open" or seen(answer)):
                    return answer
                if self.closed:
                    raise ConnectionError(f"closed without an answer: {bytes(self.raw)!r}")
                await self._news.wait()

    async def finished(self, seconds: float = 20.0) -> Answer:
        """The answer, once it ended in one way or the other."""
        return await self.until(lambda answer: False, seconds)

    def close(self) -> None:
        """Closes as a polite client does (FIN)."""
        self._transport.close()

    def reset(self) -> None:
        """Closes as a killed client does (RST)."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def gone(self) -> None:
        """Lets go of the connection, if it is still there."""
        self._transport.abort()
        await self._lost.wait()


@asynccontextmanager
async def connected(
    port: int, trust: ssl.SSLContext | None = None, name: str | None = None
) -> AsyncIterator[Connection]:
    """A connection to a port of this machine, for the time of a block.

    With `trust` over TLS, to a server that proves `name`.
    """
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        Connection, "127.0.0.1", port, ssl=trust, server_hostname=name
    )
    try:
        yield connection
    finally:
        await connection.gone()


async def ask(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    seconds: float = 20.0,
) -> Answer:
    """One request on a connection of its own, and its answer to the end."""
    async with connected(port) as connection:
        connection.send(method, path, headers, body)
        return await connection.finished(seconds)
