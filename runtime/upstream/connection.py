"""One upstream connection: bytes of a request out, bytes of its answer in, one alarm.

    idle ── ask ──> head ── 2xx..5xx ──> body ── end ──> idle (or dropped)
      └── expiry, stray bytes, close: dropped

Which request goes where is the origin's matter, what a body means nobody's here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Mapping
from typing import TYPE_CHECKING, cast

from runtime.upstream.answer import Answer, Taker
from runtime.upstream.bounds import DISCARD_SECONDS, IDLE_EXPIRY, MAX_DISCARDED, MAX_QUEUED
from runtime.upstream.door import httpx
from runtime.upstream.inflate import BadEncoding, Inflate, decoded
from runtime.upstream.response import (
    BROKEN,
    COMPLETE,
    LENGTH,
    OPEN,
    BadHead,
    Body,
    ChunkedBody,
    CloseBody,
    Framing,
    Head,
    LengthBody,
    Progress,
    find_head_end,
    read_head,
)

if TYPE_CHECKING:
    from runtime.upstream.origin import Origin
    from runtime.vocabulary import Timeouts

_MAX_INTERIM = 8
_MAX_REMEMBERED = 4096  # bytes of a head
_TICK = 0.002  # uvloop counts whole milliseconds: an alarm may ring this early
_NEVER = float("inf")


class FastAnswer(Answer):
    """The answer of one request on a `Connection`, which feeds it."""

    __slots__ = (
        "_blank",
        "_connection",
        "_discarded",
        "_due",
        "_ended",
        "_error",
        "_idle",
        "_inflate",
        "_loop",
        "_queue",
        "_queued",
        "_stopped",
        "_total_at",
        "_waiter",
        "bodiless",
    )

    def __init__(
        self, connection: Connection, timeouts: Timeouts, started: float, *, bodiless: bool = False
    ) -> None:
        self.status = 0
        self.headers = {}
        self.bodiless = bodiless  # it answers a HEAD request
        self._connection: Connection | None = connection
        self._loop = connection.loop
        self._blank = connection.blank
        self._queue: list[bytes] = []
        self._queued = 0
        self._idle = timeouts.idle
        self._total_at = started + timeouts.total
        self._due = min(started + timeouts.first_byte, self._total_at)
        self._waiter: asyncio.Future[None] | None = None
        self._stopped = False
        self._inflate: Inflate | None = None
        self._ended = False
        self._error: Exception | None = None
        self._discarded: int | None = None

    # --- for the reader ------------------------------------------------------------------------

    async def next(self) -> bytes:
        """All body bytes that came since the last call; waits for the first; b"" at a clean end."""
        while True:
            if self._queue:
                self._due = 0.0
                if data := self._take():
                    return data
            elif self._ended:
                return self._finish()
            else:
                if not self._due:
                    self._due = min(self._loop.time() + self._idle, self._total_at)
                await self.arrival()

    async def read(self, limit: int) -> bytes:
        """As `Answer.read`; one that is all here takes one step."""
        whole = self._ended and self._error is None and self._inflate is None
        return self._take() if whole and self._queued <= limit else await super().read(limit)

    async def pipe(self, taker: Taker) -> bool:
        """As `Answer.pipe`; the taker is called by the connection itself, which wakes no task.

        Waking one for every event of a paced stream costs more than all that is done with it.
        """
        if self._inflate is not None:
            return await super().pipe(taker)
        while True:
            if self._queue:
                self._due = 0.0
                if not taker.take(self._take()):
                    return False
            elif self._ended:
                return not self._finish()
            elif not await self._hand_over(taker):
                return False

    async def _hand_over(self, taker: Taker) -> bool:
        """Lets the connection call the taker; False once that wants no more."""
        connection = self._connection
        assert connection is not None, "an answer without connection has ended"  # noqa: S101
        self._stopped = False
        self._due = min(self._loop.time() + self._idle, self._total_at)
        connection.taker, connection.heard = taker, 0.0
        await self.arrival()
        self._due = 0.0  # long past by now: whoever waits next has the whole time again
        return not self._stopped

    async def head(self) -> None:
        """Waits for status and headers where they may be here already."""
        if not self.status:
            if self._error is not None:
                raise self._error
            await self.arrival()

    async def arrival(self) -> None:
        """Waits until anything has come; first of all that is the head, or why there is none."""
        connection = self._connection
        assert connection is not None, "an answer without connection has ended"  # noqa: S101
        connection.expect(self._due)
        self._waiter = waiter = self._loop.create_future()
        try:
            await waiter
        except BaseException:  # cancelled: the upstream must not go on working for nobody
            self._waiter = None
            self.close()
            raise

    def release(self) -> None:
        """Wants no more: the little that is left is thrown away, to keep the connection."""
        connection = self._connection
        if connection is None:
            return
        self._discarded = self._queued = 0
        self._queue.clear()
        connection.resume()
        connection.expect(self._loop.time() + DISCARD_SECONDS)

    def close(self) -> None:
        """Drops the connection, unless the body has already ended."""
        if self._connection is not None:
            self._connection.fail(httpx.ReadError, "the answer was closed before its end")

    def _take(self) -> bytes:
        queue = self._queue
        data = queue[0] if len(queue) == 1 else b"".join(queue)
        queue.clear()
        if self._queued > MAX_QUEUED and self._connection is not None:
            self._connection.resume()
        self._queued = 0
        return data if self._inflate is None else self._unpack(self._inflate, data)

    def _unpack(self, inflate: Inflate, data: bytes) -> bytes:
        """The plain bytes, possibly none yet."""
        try:
            return inflate.feed(data)
        except BadEncoding as exc:
            raise self._undo(exc) from exc

    def _finish(self) -> bytes:
        if self._error is None and self._inflate is not None:
            try:
                self._inflate.end()
            except BadEncoding as exc:
                raise self._undo(exc) from exc
        if self._error is not None:
            raise self._error
        return b""

    def _undo(self, fault: BadEncoding) -> Exception:
        """Turns what seemed a good answer into a broken one."""
        self.close()
        self._error = httpx.RemoteProtocolError(str(fault), request=self._blank)
        return self._error

    # --- for the connection --------------------------------------------------------------------

    def begin(self, head: Head) -> None:
        """The head is here. Raises BadEncoding for a body nobody can read."""
        headers = head.headers
        coding = headers.get("content-encoding")
        if coding is not None and head.framing is not Framing.NONE:
            headers = self._decode(headers, coding)
        self.headers = headers
        self.status = head.status
        self._due = 0.0
        self._wake()

    def feed(self, data: bytes) -> None:
        """Body bytes are here."""
        if self._discarded is not None:
            self._discard(len(data))
            return
        self._queue.append(data)
        self._queued += len(data)
        if self._queued > MAX_QUEUED and self._connection is not None:
            self._connection.pause()
        if self._waiter is not None:
            self._wake()

    def stop(self, error: Exception | None = None) -> None:
        """The taker wants no more just now, or raised: that is for who waits to see."""
        self._stopped = True
        self._wake(error)

    def end(self, error: Exception | None = None) -> None:
        """Nothing more will come; the connection is no longer ours."""
        if self._connection is not None:
            self._connection.taker = None
            self._connection = None
        if not self._ended:
            self._ended, self._error = True, error
        if self._waiter is not None:
            self._wake(None if self.status else error)

    def late(self, now: float) -> None:
        """The alarm rang."""
        connection = self._connection
        if connection is None:
            return
        if self._discarded is not None or now >= self._total_at - _TICK:
            connection.fail(httpx.ReadTimeout, "the answer did not end in time")
        elif now < (due := self._due_by(connection)) - _TICK:  # bytes came since it was set
            connection.expect(min(due, self._total_at))
        elif self._waiter is None:  # nobody waits for the upstream just now: it cannot be late
            connection.expect(self._total_at)
        elif self.status:
            connection.fail(httpx.ReadTimeout, "no further byte came in time")
        else:
            connection.fail(httpx.ReadTimeout, "no response head came in time")

    def _due_by(self, connection: Connection) -> float:
        """When the next byte has to be here."""
        if connection.taker is None:
            return self._due
        return max(self._due, connection.heard + self._idle)

    def _discard(self, size: int) -> None:
        self._discarded = (self._discarded or 0) + size
        if self._discarded > MAX_DISCARDED:
            self.close()

    def _wake(self, error: Exception | None = None) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():  # done: cancelled just now
            return
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)

    def _decode(self, headers: Mapping[str, str], coding: str) -> Mapping[str, str]:
        """The headers of the body that the reader gets."""
        if coding.lower() == "identity":
            return headers
        self._inflate = Inflate(coding)
        return decoded(headers)


class _Receiving:
    """What each piece of a streamed answer needs of its connection, side by side in memory.

    Between two events of a stream the caches are lost to others, and a line of memory that is
    fetched anew takes as long as forty lookups.
    """

    __slots__ = ("_body", "heard", "taker")


class Connection(_Receiving, asyncio.Protocol):
    """A transport with the answer it is working on.

    `silent`: no byte of that answer came yet. `taker` gets its bytes as they come, and `heard` is
    when it last did, by the loop's clock.
    """

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_answer",
        "_chunked",
        "_deadline",
        "_head",
        "_interim",
        "_keep",
        "_last",
        "_origin",
        "_paused",
        "_transport",
        "_uploading",
        "_writable",
        "blank",
        "loop",
        "silent",
    )

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self.taker: Taker | None = None
        self.heard = 0.0
        self.loop = loop
        self.blank = origin.blank  # the request that exceptions carry
        self.silent = True
        self._origin = origin
        self._transport: asyncio.Transport | None = None
        self._answer: FastAnswer | None = None
        self._body: Body | None = None
        self._chunked: ChunkedBody | None = None
        self._head = b""
        self._last: tuple[bytes, Head] | None = None
        self._interim = 0
        self._keep = 0.0
        self._paused = False
        self._uploading = False  # stays set when an upload was given up: then nothing is kept
        self._writable: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = self._deadline = _NEVER

    # --- for the origin and the answer ---------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, answer: FastAnswer, parts: tuple[bytes, ...]) -> None:
        """Sends a request, whole or its beginning; `answer` gets what comes back."""
        self.silent = True
        if self._transport is None:
            raise httpx.ReadError(
                "the upstream closed before the request was sent", request=self.blank
            )
        self._answer = answer
        self._interim = 0
        self._send(parts)

    def _send(self, parts: tuple[bytes, ...]) -> None:
        if self._transport is None:
            return
        if len(parts) == 1:
            self._transport.write(parts[0])
        else:
            self._transport.writelines(parts)

    async def upload(self, chunks: AsyncIterable[bytes], *, framed: bool) -> None:
        """Sends a body as it is produced; stops where the answer comes before its end."""
        self._uploading = True
        async for chunk in chunks:
            if not chunk:  # an empty chunk would end the body
                continue
            if not self.silent or self._answer is None:
                return
            self._send((b"%x\r\n" % len(chunk), chunk, b"\r\n") if framed else (chunk,))
            if self._writable is not None:
                await self._writable
        if framed:
            self._send((b"0\r\n\r\n",))
        self._uploading = False

    def expect(self, at: float) -> None:
        """Rings the alarm at `at`; replaces what was expected before.

        The timer is only moved when it would ring too late: ringing early costs one look at the
        clock per minute, moving it would cost a timer per event.
        """
        self._deadline = at
        if at < self._alarm_at:
            self._set_alarm(at)

    def pause(self) -> None:
        """Lets the upstream wait until the reader has caught up."""
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """The opposite of pause."""
        if self._paused:
            self._paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def fail(self, kind: type[httpx.TransportError], why: str) -> None:
        """Ends the answer with an error and drops the connection."""
        answer, self._answer = self._answer, None
        self.drop()
        if answer is not None:
            answer.end(kind(why, request=self.blank))

    def drop(self) -> None:
        """Closes at once; bytes not yet written are not."""
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio's callbacks -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection stands, after TLS where there is any."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        body, taker = self._body, self.taker
        if body is None:
            self._receive_head(data)
            return
        if taker is not None:
            # To count a reference to each fetches them side by side, which takes 0.5 us less.
            _ = [*taker.near]
        piece = body.feed(data)
        if piece:
            if taker is not None:
                try:
                    self.heard = taker.take(piece)
                except Exception as exc:  # noqa: BLE001 - the reader's own; raised where it waits
                    self._stop(exc)
                else:
                    if not self.heard:
                        self._stop()
            elif (answer := self._answer) is not None:
                answer.feed(piece)
        if body.progress is not OPEN:
            self._end_body(body.progress)

    def _stop(self, error: Exception | None = None) -> None:
        self.taker = None
        if self._answer is not None:
            self._answer.stop(error)

    def eof_received(self) -> None:
        """asyncio: the upstream sends no more; the transport closes itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: it is gone."""
        self._transport = None
        self._origin.forget(self)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self.resume_writing()
        answer, self._answer = self._answer, None
        # httptools' parser and its callbacks hold each other
        body, self._body, self._chunked = self._body, None, None
        if answer is None:
            return
        if exc is None and isinstance(body, CloseBody):
            answer.end()
        else:
            answer.end(self._lost(exc, answer))

    def pause_writing(self) -> None:
        """asyncio: the upstream reads slower than we write."""
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        """asyncio: it has caught up."""
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # --- the steps of an answer ----------------------------------------------------------------

    def _receive_head(self, data: bytes) -> None:
        answer = self._answer
        if answer is None:  # bytes nobody asked for: nothing that follows could be trusted
            self.drop()
            return
        self.silent = False
        held = self._head
        try:
            self._read_head(answer, held + data, len(held))
        except (BadHead, BadEncoding) as exc:
            self.fail(httpx.RemoteProtocolError, str(exc))

    def _read_head(self, answer: FastAnswer, buffer: bytes, seen: int) -> None:
        """Goes on to the body where the final head is there; skips interim ones (100, 103)."""
        while end := find_head_end(buffer, seen):
            head = self._head_of(buffer[:end], answer)
            buffer, seen = buffer[end:], 0
            if head.status >= 200:
                self._head = b""
                self._keep = head.keep
                answer.begin(head)
                self._begin_body(answer, head, buffer)
                return
            self._interim += 1
            if head.status == 101 or self._interim > _MAX_INTERIM:
                raise BadHead("switching protocols" if head.status == 101 else "endless interim")
        self._head = buffer

    def _head_of(self, raw: bytes, answer: FastAnswer) -> Head:
        """What a head says. It is remembered, but no longer than the connection lasts.

        A server that puts no id of its own into its heads sends the same until its date changes.
        """
        last, bodiless = self._last, answer.bodiless
        if last is not None and last[0] == raw and not bodiless:
            return last[1]
        head = read_head(raw, bodiless=bodiless)
        if len(raw) <= _MAX_REMEMBERED and not bodiless:
            self._last = raw, head
        return head

    def _begin_body(self, answer: FastAnswer, head: Head, rest: bytes) -> None:
        if head.framing is LENGTH and head.length == len(rest):  # small answers come whole
            answer.feed(rest)
            self._end_body(COMPLETE)
            return
        body = self._body_of(head)
        if body is None:
            self._end_body(Progress.SURPLUS if rest else COMPLETE)
            return
        self._body = body
        if rest:
            self.data_received(rest)

    def _body_of(self, head: Head) -> Body | None:
        match head.framing:
            case Framing.CHUNKED:
                if self._chunked is None:
                    self._chunked = ChunkedBody()
                return self._chunked.start()
            case Framing.LENGTH:
                return LengthBody(head.length)
            case Framing.CLOSE:
                return CloseBody()
            case Framing.NONE:
                return None

    def _end_body(self, progress: Progress) -> None:
        if progress is BROKEN:
            self.fail(httpx.RemoteProtocolError, "the chunked body is malformed")
            return
        answer, self._answer, self._body = self._answer, None, None
        if answer is None:  # dropped by who took the last of it
            return
        if progress is COMPLETE and self._keep > 0 and self._sent_all():
            if self._paused:
                self.resume()
            self._origin.put(self)
            self.expect(self.loop.time() + min(self._keep, IDLE_EXPIRY))
        else:
            self.drop()
        answer.end()

    def _sent_all(self) -> bool:
        """False where the answer came before its request was out, or the connection is going."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._uploading:
            return False
        return transport.get_write_buffer_size() == 0

    def _lost(self, exc: Exception | None, answer: FastAnswer) -> httpx.TransportError:
        blank = self.blank
        if isinstance(exc, BrokenPipeError):
            return httpx.WriteError(str(exc), request=blank)
        if exc is not None:
            return httpx.ReadError(str(exc) or type(exc).__name__, request=blank)
        where = "the end of its body" if answer.status else "sending a response head"
        return httpx.RemoteProtocolError(f"the upstream closed before {where}", request=blank)

    # --- the alarm -----------------------------------------------------------------------------

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = self.loop.call_at(at, self._ring)

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, _NEVER
        now = self.loop.time()
        if now < self._deadline - _TICK:
            self.expect(self._deadline)
        elif self._answer is not None:
            self._answer.late(now)
        else:
            self.drop()
