"""What the answers of all three dialects have in common; each dialect's own rules stand in its
folder.

A watcher lets whole events through and decides three things: when the first content goes out
(until then nothing does, so that another target can be tried), whether the answer is complete by
its dialect's own terminator, and which bytes may never reach the caller. It does no I/O.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from runtime import failures, sse
from runtime.dialects.surrogates import has_halves, is_torn, joined, mended
from runtime.dialects.usual import Flowing, Usual
from runtime.errors import UpstreamError
from runtime.usage import Meter, Usage

T = TypeVar("T")

# Lifecycle events are small; an upstream that sends this much before any content never will.
MAX_HELD: Final = 1 << 20
DONE: Final = b"[DONE]"

# How often a stream is looked at for its usual event: each block of an answer has its own, and
# where every event differs, nothing is gained by looking at all of them.
_LESSONS: Final = 16

_NOTHING: Final = frozenset((b"", b"null", b'""', b"[]", b"{}"))
_LONGEST_NOTHING: Final = max(map(len, _NOTHING))
_JSON_TYPES: Final = ("application/json", "text/json")


class Whole(msgspec.Struct, frozen=True):
    """An answer in one piece: only the declared values differ from what the upstream sent."""

    body: bytes
    usage: Usage | None = None
    finish: str | None = None
    # parts that had no equivalent in another dialect
    unknown: int = 0


class Watcher(Flowing, ABC):
    """One streamed answer of one candidate.

    `committed`: content went out. `done`: the terminator was seen. `error`: the answer failed;
    the bytes that showed it are never given out, what came before them is. `asked` is the model's
    name for the caller; with None an answer keeps the name it has, for nobody gets to read it.
    """

    def __init__(
        self,
        asked: str | None,
        *,
        hide_usage: bool = False,
        response_id: str | None = None,
        rewrite_id: Callable[[str], str] | None = None,
    ) -> None:
        self.asked = asked or ""
        self._model = None if asked is None else msgspec.json.encode(asked)
        self.committed = False
        self.done = False
        self.error: UpstreamError | None = None
        # the failure itself, as it is where no content has gone out yet
        self.cause: UpstreamError | None = None
        self.finish: str | None = None
        self.response_id = response_id
        self.created_at = 0  # Unix seconds
        self._next_number = 0
        self.adopted = False
        self._hide_usage = hide_usage
        self._rewrite_id = rewrite_id
        self._meter = Meter()
        self._splitter = sse.Splitter()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._ended = False
        # the event that comes most, and the same where it may pass by comparison alone
        self.usual: Usual | None = None
        self.flow = None
        self._lessons = _LESSONS

    @property
    def face(self) -> Watcher:
        """What the caller has seen of this answer: here that is what was watched."""
        return self

    @property
    def usage(self) -> Usage | None:
        """The tokens the upstream has named so far."""
        return self._meter.usage()

    def feed(self, data: bytes) -> bytes:
        """What may go to the caller now that `data` has come; nothing until there is content."""
        flow = self.flow
        if flow is not None and (out := flow.cross(data)) is not None:
            return out
        self._count()
        out = self._take(self._splitter.feed(data))
        if self._splitter.fault and not self.done:
            self._fail(failures.invalid(self._splitter.fault))
        passes = self._splitter.plain and not self.done and self.error is None
        self.flow = self.usual if passes else None
        return out

    def eof(self) -> bytes:
        """What goes out at a clean end; `error` is set where the answer is not complete."""
        self._stop_flow()
        out = b""
        if rest := self._splitter.close():
            out = self._take([sse.ended(rest)], ended=True)
        if not self.done and self.error is None:
            out += self._at_end()
        return out

    def broken(self, exc: BaseException) -> bytes:
        """The connection failed: an answer that is not complete is lost, one that is gets closed.

        The closing bytes are for the second case; `error` is set in the first.
        """
        self._stop_flow()
        if self.done or self.error is not None:
            return b""
        if self._is_complete():
            return self._at_end()
        self._fail(failures.from_exception(exc))
        return b""

    def adopt(self, previous: Watcher | None = None) -> None:
        """The caller has had keep-alives already, from this watcher or from `previous`."""
        self.adopted = True

    def opening(self) -> bytes:
        """What goes out when the 200 head cannot wait for content any longer."""
        return self.ping()

    def ping(self) -> bytes:
        """What breaks a silence."""
        return sse.KEEP_ALIVE

    # --- events that pass by comparison ----------------------------------------------------------

    @property
    def next_number(self) -> int:
        """The number of the next event, in a dialect that numbers them."""
        self._count()
        return self._next_number

    @next_number.setter
    def next_number(self, number: int) -> None:
        self._next_number = number

    def _count(self) -> None:
        """Takes note of the number of the last event that passed by comparison."""
        flow = self.flow
        if flow is not None and flow.number is not None:
            self._next_number, flow.number = int(flow.number) + 1, None

    def _stop_flow(self) -> None:
        self._count()
        self.flow = None

    # --- for the dialects ----------------------------------------------------------------------

    @abstractmethod
    def _plain_until(self, events: Sequence[bytes], start: int) -> int:
        """Where the run of events ends that pass with no more than `_edited`; hot, so in a loop."""

    @abstractmethod
    def _special(self, name: bytes, data: bytes) -> bytes | None:
        """The data to pass on for any other event, None for none; notes what the event says."""

    def _is_complete(self) -> bool:
        """Whether an answer is whole although its stream has not been ended."""
        return False

    def _on_done_mark(self) -> bool:
        """Whether Chat's `[DONE]` may pass; before another dialect's terminator it may not."""
        return False

    @abstractmethod
    def _at_end(self) -> bytes:
        """The closing bytes of an answer that ended without the terminator, or a failure."""

    def _edited(self, events: Sequence[bytes]) -> bytes:
        """Plain events in the bytes the caller gets."""
        return b"".join(events)

    def _commit(self) -> None:
        self.committed = True

    def _fail(self, error: UpstreamError) -> None:
        if self.error is None:
            self.cause = error
            self.error = failures.interrupted(error) if self.committed else error
            self._held.clear()

    def _fail_incomplete(self) -> None:
        """A clean end of the connection that is no end of the answer."""
        self._fail(failures.incomplete() if self.committed else failures.empty())

    # --- holding back --------------------------------------------------------------------------

    def _take(self, events: Sequence[bytes], *, ended: bool = False) -> bytes:
        out: list[bytes] = []
        at = 0
        while at < len(events) and self.error is None:
            if self.committed and not self.done:
                end = self._plain_until(events, at)
                if end - at == len(events):
                    if end == 1 and self._lessons:
                        self._lessons -= 1
                        self.usual = Usual.learnt(events[0], self._edited)
                    return self._edited(events)
                if end > at:
                    out.append(self._edited(events[at:end]))
                    at = end
                    continue
            if has_halves(events[at]):
                if at + 1 == len(events) and not ended and is_torn(events[at]):
                    self._splitter.put_back(events[at])
                    break
                events = _healed(events, at)
            self._pass(events[at], out)
            at += 1
        return b"".join(out)

    def _pass(self, event: bytes, out: list[bytes]) -> None:
        passed = self._passed(event)
        if passed is None or self.error is not None:
            return
        if self.committed:
            out.extend(self._held)
            self._held.clear()
            out.append(passed)
        else:
            self._hold(passed)

    def _passed(self, event: bytes) -> bytes | None:
        """The event as the caller gets it; None when it is not for the caller."""
        name, data = sse.parse(event)
        if not data:  # a comment; an event with a name and no data would be one of no dialect
            return None if name or self.done else event
        if data.strip() == DONE:
            return event if self._done_mark_passes() else None
        if self.done:
            return None
        if b"\n" in data:  # between the tokens of JSON a line end is a space like any other
            data = data.replace(b"\n", b" ")
            event = sse.event(name.decode(), data) if name else sse.data_event(data)
        passed = self._special(name, data)
        if passed is None:
            return None
        if passed is data:
            return event
        at = event.find(data)
        return event[:at] + passed + event[at + len(data) :]

    def _done_mark_passes(self) -> bool:
        # Some upstreams close every dialect's stream with Chat's mark.
        passes = self._on_done_mark() if not self.done else not self._ended
        self._ended = self._ended or passes
        return passes

    def _hold(self, event: bytes) -> None:
        self._held.append(event)
        self._held_bytes += len(event)
        if self._held_bytes > MAX_HELD:
            self._fail(failures.invalid("1 MiB of events brought no content"))


def _healed(events: Sequence[bytes], at: int) -> Sequence[bytes]:
    """The events, with nothing but whole characters in one of them."""
    healed = list(events)
    healed[at : at + 2] = joined(*events[at : at + 2]) if at + 1 < len(events) else events[at:]
    healed[at] = mended(healed[at])
    return healed


def read_whole(decoder: msgspec.json.Decoder[T], body: bytes) -> tuple[T, bytes]:
    """An answer in one piece, and its bytes with whole characters only.

    Raises DecodeError, UnicodeDecodeError or RecursionError.
    """
    try:
        answer = decoder.decode(body)
    except msgspec.DecodeError:
        if not has_halves(body):
            raise
        body = mended(body)
        answer = decoder.decode(body)
    if not body.isascii():
        body.decode()
    return answer, body


def content_matches(*, streaming: bool, content_type: str | None) -> bool:
    """Whether an answer has the form that was asked for; a missing content type is let through."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not kind:
        return True
    if streaming:
        return kind == "text/event-stream"
    return kind in _JSON_TYPES or (kind.startswith("application/") and kind.endswith("+json"))


def carries(fields: dict[str, msgspec.Raw] | None, labels: frozenset[str]) -> bool:
    """Whether any member but the `labels` holds something."""
    if fields is not None:
        for name, value in fields.items():
            if name not in labels and holds(value):
                return True
    return False


def holds(value: msgspec.Raw) -> bool:
    """Whether a member is there and not empty."""
    return len(memoryview(value)) > _LONGEST_NOTHING or bytes(value) not in _NOTHING


def is_set(value: msgspec.Raw) -> bool:
    """Whether a member is there and not null."""
    return bytes(value) not in (b"", b"null")


def plain(value: msgspec.Raw) -> Any:
    """A carried member as Python data; None for one that is absent or no JSON."""
    if not (text := bytes(value)):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def new_response_id() -> str:
    """An id for an answer of our own making."""
    return f"resp_{uuid.uuid4().hex}"
