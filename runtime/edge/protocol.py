"""One client connection: bytes in, calls out, one at a time. It knows no path and no handler.

A connection is always in one phase. A head is parsed when it is complete, a body is collected
until it is, then the call runs as a task; what arrives meanwhile is held back, bounded.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from math import inf
from typing import TYPE_CHECKING, Any, Final, cast

from sanic.server.protocols.base_protocol import SanicProtocol

from runtime.edge.answers import error_answer, error_event
from runtime.edge.body import Chunked, Sized, too_large
from runtime.edge.call import Call
from runtime.edge.head import MAX_HEAD, Head, LastHead, hopeless
from runtime.edge.serve import serve
from runtime.errors import CallerError, RouterError
from runtime.log import log_refusal

if TYPE_CHECKING:
    from runtime.app import App
    from runtime.edge.connections import Connections

FRESH: Final = 0  # no byte yet
IDLE: Final = 1  # between two requests
HEAD: Final = 2  # a part of a head has come
BODY: Final = 3
BUSY: Final = 4  # a call runs
CLOSING: Final = 5  # nothing is read any more

_WRITE_BUFFER = 256 * 1024  # bytes a slow reader may leave with us
_HELD_BACK = 64 * 1024  # bytes of requests behind the running one
_NO_LINGER = struct.pack("ii", 1, 0)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class EdgeProtocol(SanicProtocol):
    """HTTP/1.1 on one connection. `shared` belongs to all connections of the worker."""

    __slots__ = (
        "_body",
        "_call",
        "_deadline",
        "_held",
        "_last_head",
        "_phase",
        "_stalled",
        "_unsent",
        "peer",
        "shared",
        "writable",
    )

    def __init__(self, *, loop: asyncio.AbstractEventLoop, app: App, **kwargs: Any) -> None:
        super().__init__(loop=loop, app=app, **kwargs)
        self.shared: Connections = app.ctx.connections
        self.peer = ""
        self.writable = self._can_write
        self._phase = FRESH
        self._deadline = inf
        self._held = b""
        self._last_head = LastHead()
        self._call: Call | None = None
        self._body: Sized | Chunked | None = None
        self._stalled: float | None = None  # since when the client takes nothing
        self._unsent = 0

    # --- callbacks of the transport ------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        stream = cast("asyncio.Transport", transport)
        stream.set_write_buffer_limits(high=_WRITE_BUFFER, low=_WRITE_BUFFER // 4)
        self.transport = stream
        address = stream.get_extra_info("peername")
        self.peer = address[0] if isinstance(address, tuple) else "local"
        if not self.shared.admit(self):
            self._turn_away()
            return
        self.connections.add(self)
        self._enter(FRESH, self.shared.caps.head)

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        phase = self._phase
        if phase < BODY:
            self._read_head(self._held + data if self._held else data)
        elif phase == BODY:
            self._read_body(data)
        elif phase == BUSY:
            self._held += data
            if len(self._held) > _HELD_BACK:
                self._stream.pause_reading()

    def eof_received(self) -> None:
        """A client that stops sending has left: agents never half-close. The transport closes."""
        self._client_gone()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes or goes."""
        self.shared.leave(self)
        self.connections.discard(self)
        self._client_gone()
        self.transport = None

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self.writable.clear()
        if self._call is not None:
            self._call.paused = True
        self._stalled = self.loop.time()
        self._unsent = self._stream.get_write_buffer_size()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writable.set()
        if self._call is not None:
            self._call.paused = False
        self._stalled = None

    # --- used by the call, the other connections' clock and the drain ---------------------------

    def cut(self, *, reset: bool) -> None:
        """Ends the connection behind what is written already, without an end of the body."""
        if (transport := self.transport) is None:
            return
        self.shared.outbox.flush()
        if reset:
            _reset_on_close(transport)
        self._enter(CLOSING, self.shared.caps.linger)
        transport.close()

    def drop(self) -> None:
        """Resets the connection: what is not sent yet is lost, here and in the kernel."""
        if self.transport is not None:
            _reset_on_close(self.transport)
            self.transport.abort()

    def close_if_idle(self) -> bool:
        """Closes the connection unless a request has begun. Returns whether none has."""
        if self._phase <= IDLE:
            self.cut(reset=False)
        return self._phase == CLOSING

    def unsent(self) -> int:
        """How many bytes wait for the client to take them."""
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    def check(self, now: float) -> None:
        """Ends what has taken too long."""
        if self._stalled is not None and not self._moved(now):
            self.drop()
        elif now > self._deadline:
            self._overdue()

    def shut_down(self) -> None:
        """Ends what is under way with the dialect's own error, for the process ends now."""
        error = RouterError("shutting-down", "The router is shutting down. Send it again.")
        call, task = self._call, self._task
        if self._phase in (HEAD, BODY):
            self._refuse(error, None)
        elif self._phase == BUSY and call is not None and task is not None and not call.finished:
            if call.started:
                call.write(error_event(error, call))
                call.abort()
            else:
                call.write_whole(*error_answer(error, call.path, call.request_id))
                call.gone = True
                self.cut(reset=False)
            task.cancel()

    # --- reading -------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        if data.startswith(b"\r\n"):  # one empty line before a request is to be ignored
            data = data[2:]
        end = data.find(b"\r\n\r\n")
        if not 0 <= end <= MAX_HEAD:
            self._wait_for_head(data)
            return
        text, rest = data[: end + 4], data[end + 4 :]
        head = self._last_head.again(text)
        try:
            if head is None:
                head = Head()
                head.read(text)
                self._last_head.keep(head, text)
            self._begin(head, rest)
        except RouterError as error:
            self._refuse(error, head)

    def _wait_for_head(self, data: bytes) -> None:
        if (error := hopeless(data)) is not None:
            self._refuse(error, None)
            return
        self._held = data
        if self._phase != HEAD and data:
            self._enter(HEAD, self.shared.caps.head)

    def _begin(self, head: Head, rest: bytes) -> None:
        limit = self.app.ctx.state.artifact.settings.body_limit
        self._call = call = Call(self, self._stream, head)
        length = head.length or 0
        if length > limit:
            raise too_large(limit)
        if not head.chunked and length <= len(rest):
            call.body, self._held = rest[:length], rest[length:]
            self._run(call)
            return
        self._held = b""
        self._body = Chunked(limit) if head.chunked else Sized(length)
        caps = self.shared.caps
        self._enter(BODY, caps.body + length / caps.body_rate)
        if head.expects_continue and not rest:
            self._stream.write(_CONTINUE)
        elif rest:
            self._read_body(rest)

    def _read_body(self, data: bytes) -> None:
        body, call = self._body, self._call
        assert body is not None  # noqa: S101 - what the phase means
        assert call is not None  # noqa: S101 - what the phase means
        try:
            complete = body.feed(data)
        except RouterError as error:
            self._refuse(error, None)
            return
        if complete:
            call.body, self._held, self._body = body.whole(), body.rest, None
            self._run(call)
        elif isinstance(body, Chunked):  # the size, and so the time it may take, shows as it comes
            self._deadline += len(data) / self.shared.caps.body_rate

    def _run(self, call: Call) -> None:
        self._phase = BUSY
        self._deadline = inf
        self._task = self.loop.create_task(serve(self.app, call, self._next))

    def _next(self, call: Call) -> None:
        """After the answer: the next request, or the end."""
        self._task = self._call = None
        if call.gone:
            return
        if not call.finished:
            call.abort()
            return
        if not call.keep_alive or self.shared.draining:
            self._linger()
            return
        self._enter(IDLE, self.shared.caps.idle)
        held, self._held = self._held, b""
        if len(held) > _HELD_BACK:
            self._stream.resume_reading()
        if held:
            self._read_head(held)

    # --- ending --------------------------------------------------------------------------------

    def _turn_away(self) -> None:
        error = RouterError("too-many-connections", "Reuse connections, or wait.")
        call = Call(self, self._stream, Head())
        call.keep_alive = False
        call.write_whole(*error_answer(error, b"", call.request_id))
        self._enter(CLOSING, inf)
        self._stream.close()

    def _refuse(self, error: RouterError, head: Head | None) -> None:
        """Answers what is no request as we read it, and reads nothing more."""
        call = self._call
        if call is None:
            call = Call(self, self._stream, head or Head())
        call.keep_alive = False
        call.write_whole(*error_answer(error, call.path, call.request_id))
        self._call = self._body = None
        log_refusal(call, error)
        self._linger()

    def _linger(self) -> None:
        """Closes our side; the client's is read on for a moment.

        Closing with unread bytes resets the connection, and the client may lose our answer.
        """
        self._held = b""
        self._enter(CLOSING, self.shared.caps.linger)
        transport = self._stream
        if transport.can_write_eof():
            transport.write_eof()
        else:  # TLS waits for the client's end of its own accord
            transport.close()

    def _overdue(self) -> None:
        if self._phase in (HEAD, BODY):
            late = "head" if self._phase == HEAD else "body"
            error = CallerError("request-timeout", f"The request {late} came too slowly.")
            self._refuse(error, None)
        elif self._phase in (FRESH, IDLE):
            self.cut(reset=False)
        else:
            self.drop()

    def _client_gone(self) -> None:
        call, task = self._call, self._task
        self._phase = CLOSING
        self._held = b""
        self._body = None
        if call is not None:
            call.gone = True
            # An answer that is complete may still be accounted for.
            if task is not None and not call.finished:
                task.cancel()
        self.writable.set()

    # --- small things --------------------------------------------------------------------------

    @property
    def _stream(self) -> asyncio.Transport:
        transport = self.transport
        assert transport is not None  # noqa: S101 - as long as anything is read or written
        return transport

    def _enter(self, phase: int, seconds: float) -> None:
        self._phase = phase
        self._deadline = self.loop.time() + seconds

    def _moved(self, now: float) -> bool:
        """Whether a slow client has taken something, or has still time to."""
        unsent = self._stream.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent, self._stalled = unsent, now
        return now - (self._stalled or now) <= self.shared.caps.stall


def _reset_on_close(transport: asyncio.Transport) -> None:
    if (sock := transport.get_extra_info("socket")) is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
