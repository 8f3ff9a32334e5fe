"""One request and its answer, as a handler sees them. It knows bytes, not what they mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Transport

    from runtime.edge.head import Head
    from runtime.edge.protocol import EdgeProtocol

Headers = Sequence[tuple[bytes, bytes]]
Handler = Callable[["Call"], Awaitable[None]]

_REASONS = {
    100: b"Continue",
    200: b"OK",
    204: b"No Content",
    304: b"Not Modified",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    411: b"Length Required",
    413: b"Content Too Large",
    414: b"URI Too Long",
    415: b"Unsupported Media Type",
    417: b"Expectation Failed",
    422: b"Unprocessable Content",
    426: b"Upgrade Required",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
    529: b"Overloaded",
}
_STATUS_LINES = {s: b"HTTP/1.1 %d %b\r\n" % (s, reason) for s, reason in _REASONS.items()}
_BODILESS = frozenset({204, 304})  # these statuses never have a body


class ClientGone(Exception):
    """The client has left, so nobody reads the answer."""


class _Sending:
    """What each part of a streamed answer needs of its call, side by side in memory: between two of
    them the caches are lost to others.
    """

    __slots__ = ("_framed", "_outbox", "finished", "gone", "paused", "sent", "transport")


class Call(_Sending):
    """A request with its body read, and the one answer to it.

    Either `send` a whole answer, or `start`, `write` any number of times, then `finish` or
    `abort`. The task that handles the call is cancelled when the client disconnects.

    `lines` are finished header lines for whatever answer this call gets.
    `path` is normalised, header names are lower-case. `watcher` may hold the watcher of the stream
    being sent: the error event of a shutdown is written with it. `known` holds what was found out
    of the calls of this connection that have the same head. `notes` go into the request's log line,
    filtered by its list of allowed fields.
    """

    __slots__ = (
        "_edge",
        "body",
        "headers",
        "keep_alive",
        "known",
        "label",
        "lines",
        "method",
        "notes",
        "path",
        "peer",
        "query",
        "raw",
        "request_id",
        "started",
        "status",
        "version",
        "watcher",
    )

    def __init__(self, edge: EdgeProtocol, transport: Transport, head: Head) -> None:
        self._edge = edge
        self._outbox = edge.shared.outbox
        self._framed = False  # parts go out as chunks
        self.transport = transport
        self.method: bytes = head.method
        self.path: bytes = head.path
        self.raw: bytes = head.target
        self.query: bytes = head.query
        self.headers: Mapping[bytes, bytes] = head.headers
        self.version: str = head.version
        self.keep_alive: bool = head.keep_alive
        self.known: dict[object, Any] = head.known
        self.label = ""  # the path as logs may show it: known ones only, parameters as names
        self.lines = b""
        self.body: bytes = b""
        self.peer: str = edge.peer
        self.request_id = head.request_id or edge.shared.new_request_id()
        self.status = 0
        self.sent = 0  # body bytes
        self.started = False  # the head of the answer is out
        self.finished = False  # nothing more can be sent
        self.gone = False  # nobody reads any more
        self.paused = not edge.writable.is_set()  # the client reads too slowly: `drain` waits
        self.watcher: Any = None
        self.notes: dict[str, Any] = {}

    async def send(self, status: int, headers: Headers, body: bytes, block: bytes = b"") -> None:
        """The whole answer in one write. `block` holds header lines that are finished already."""
        self.write_whole(status, headers, body, block)

    def write_whole(self, status: int, headers: Headers, body: bytes, block: bytes = b"") -> None:
        """`send` for those who cannot wait."""
        framing = b"%bcontent-length: %d\r\n" % (block, len(body))
        answer = self._opened(status, headers, framing, body)
        if not self.gone:
            self.finished = True
            self.sent = 0 if self.method == b"HEAD" else len(body)
            self.transport.write(answer)

    def start(self, status: int, headers: Headers, block: bytes = b"") -> None:
        """The head of an answer whose length is not known yet; `block` as in `send`."""
        if self.version == "1.1":
            self._framed = self.method != b"HEAD"
            head = self._opened(status, headers, block + b"transfer-encoding: chunked\r\n", b"")
        else:
            # HTTP/1.0 knows no chunks: the end of the connection is the end of the body.
            self.keep_alive = False
            head = self._opened(status, headers, block, b"")
        if not self.gone:
            self.transport.write(head)

    def write(self, data: bytes) -> None:
        """A part of the body. Nothing happens after the end, or when the client is gone."""
        if self.finished or self.gone or not data:
            return
        if self._framed:
            self.sent += len(data)
            self._outbox.add(self, b"%x\r\n%b\r\n" % (len(data), data))
        elif self.method != b"HEAD":
            self.sent += len(data)
            self._outbox.add(self, data)

    async def drain(self) -> None:
        """Waits while the client is slow. Raises ClientGone."""
        if not self.gone:
            await self._edge.writable.wait()
        if self.gone:
            raise ClientGone

    def finish(self) -> None:
        """The clean end of the body."""
        if self.finished or self.gone:
            return
        self._outbox.flush()
        if self.gone:  # a part could not be written: an end behind the gap would hide it
            return
        self.finished = True
        if self._framed:
            self.transport.write(b"0\r\n\r\n")

    def abort(self) -> None:
        """Ends the connection without an end of the body, so that it never looks complete.

        What was written before still goes out, so that the caller gets the error event.
        """
        if not self.gone:
            self._outbox.flush()
            self.finished = True
            self.gone = True
            # Without chunks only a reset tells a cut body from a finished one.
            self._edge.cut(reset=self.started and self.version != "1.1")

    def drop(self) -> None:
        """Resets the connection, for a part of the body could not be written.

        Its end cancels the task that handles the call, and comes in a turn of its own: what goes
        wrong in it costs nobody else.
        """
        self.gone = True
        self._edge.loop.call_soon(self._edge.drop)

    def _opened(self, status: int, headers: Headers, framing: bytes, body: bytes) -> bytes:
        """The beginning of the answer, and all of it where `body` is."""
        if self.started:
            raise RuntimeError("this call has been answered already")
        lines = _lines(headers) if headers else b""
        self.started = True
        self.status = status
        if status in _BODILESS:
            framing = body = b""
        elif self.method == b"HEAD":
            body = b""
        shared = self._edge.shared
        if shared.draining:
            self.keep_alive = False
        return b"".join(
            (
                _STATUS_LINES.get(status) or b"HTTP/1.1 %d Unknown\r\n" % status,
                shared.date,
                b"x-request-id: %b\r\n" % self.request_id.encode(),
                self.lines,
                lines,
                framing,
                b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n",
                body,
            )
        )


def _lines(headers: Headers) -> bytes:
    lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers):
        raise ValueError("a header value contains a line break")
    return lines
