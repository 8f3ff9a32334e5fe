"""One scheme, host and port: its connections, and the rule when a kept one turns out dead."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial

from runtime.upstream.bounds import MAX_IDLE
from runtime.upstream.connection import Connection, FastAnswer
from runtime.upstream.door import httpx
from runtime.upstream.request import blank
from runtime.vocabulary import Timeouts

# Head and body in one write cost a copy of the body: worth it while the body is small.
_JOINED_BYTES = 64 * 1024
# A close that crossed our request on the wire shows within a round trip. Later it is a crash.
_STALE_SECONDS = 2.0
_NEVER = float("inf")


class Origin:
    """`idle` is ordered by last use: the newest is taken first, so that the others can expire.

    A `retired` one is used by requests that began before a reload, and keeps nothing for later.
    """

    def __init__(self, url: httpx.URL, tls: ssl.SSLContext | None) -> None:
        self.blank = blank(url)
        self.idle: dict[Connection, None] = {}
        self.live: set[Connection] = set()
        self.retired = False
        self._host = url.raw_host.decode("ascii").strip("[]")
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._tls = tls

    async def send(
        self, head: bytes, body: bytes, timeouts: Timeouts, *, bodiless: bool = False
    ) -> FastAnswer:
        """Sends a request and waits for the head of its answer.

        The upstream may close a kept connection while a request is on its way there. If it dies
        within a moment and before any byte of an answer, the request goes out once more, on a
        fresh connection. HTTP leaves that to those who know that a request may be repeated: a
        completion may, the next target would repeat it as well. A fresh connection gets no second
        try, nor does one that was late.
        """
        parts = (head + body,) if len(body) <= _JOINED_BYTES else (head, body)
        connection = self._take()
        if connection is not None:
            started = connection.loop.time()
            try:
                answer = FastAnswer(connection, timeouts, started, bodiless=bodiless)
                connection.ask(answer, parts)
                await answer.arrival()
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if not connection.silent or connection.loop.time() > started + _STALE_SECONDS:
                    raise
            else:
                return answer
        else:
            started = asyncio.get_running_loop().time()
        connection = await self._connect(timeouts)
        answer = FastAnswer(connection, timeouts, started, bodiless=bodiless)
        connection.ask(answer, parts)
        await answer.arrival()
        return answer

    async def upload(
        self, head: bytes, chunks: httpx.AsyncByteStream, timeouts: Timeouts, *, framed: bool
    ) -> FastAnswer:
        """Sends a body that exists only as it is produced: once, on a fresh connection.

        `framed`: the head announces chunks, else the length.
        """
        started = asyncio.get_running_loop().time()
        connection = await self._connect(timeouts)
        answer = FastAnswer(connection, timeouts, started)
        connection.ask(answer, (head,))
        try:
            await connection.upload(chunks, framed=framed)
            await answer.head()
        except BaseException:
            answer.close()
            raise
        return answer

    def put(self, connection: Connection) -> None:
        """Keeps a connection for the next request."""
        if len(self.idle) < MAX_IDLE and not self.retired:
            self.idle[connection] = None
        else:
            connection.drop()

    def forget(self, connection: Connection) -> None:
        """The connection is gone."""
        self.idle.pop(connection, None)
        self.live.discard(connection)

    def retire(self) -> None:
        """Drops the connections nobody uses now, and the others when their answers end."""
        self.retired = True
        for connection in tuple(self.idle):
            connection.drop()
        self.idle.clear()

    def close(self) -> None:
        """Drops every connection; answers under way end with a ReadError."""
        for connection in tuple(self.live):
            connection.fail(httpx.ReadError, "the upstream leg was closed")

    def _take(self) -> Connection | None:
        while self.idle:
            connection, _ = self.idle.popitem()
            if connection.usable:
                return connection
        return None

    async def _connect(self, timeouts: Timeouts) -> Connection:
        loop = asyncio.get_running_loop()
        seconds = min(timeouts.connect, timeouts.first_byte)
        try:
            async with asyncio.timeout(None if seconds == _NEVER else seconds):
                _, connection = await loop.create_connection(
                    partial(Connection, self, loop), self._host, self._port, ssl=self._tls
                )
        except TimeoutError as exc:
            raise httpx.ConnectTimeout("no connection in time", request=self.blank) from exc
        except (OSError, UnicodeError) as exc:  # UnicodeError: a host name DNS cannot hold
            raise httpx.ConnectError(str(exc), request=self.blank) from exc
        # Only now: uvloop closes without a word what is cancelled just when it stands.
        if connection.usable:
            self.live.add(connection)
        return connection
