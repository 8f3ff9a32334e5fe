"""The answer of a candidate that speaks another dialect, or no streams, on its way back.

Bytes of the upstream become events, events get the caller's names for tools and become the
caller's frames. Each relay is used like a `Watcher` of the caller's dialect. No I/O.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from runtime import failures, sse
from runtime.bridges.tools import Renamer
from runtime.dialects.answer import DONE, Watcher
from runtime.dialects.encode import decode_text
from runtime.dialects.usual import MARK, Flowing, Usual, taken_apart
from runtime.dialects.way import Decoder, Encoder, More, Wrapping
from runtime.errors import UpstreamError
from runtime.events import BlockDelta, BlockStarted, Event, Finished, Order, Reason
from runtime.usage import Usage

# With any other reason an answer without content is no answer.
MAY_BE_EMPTY: Final[frozenset[Reason]] = frozenset(
    ("length", "content_filter", "refusal", "context", "pause")
)
_MAX_WHOLE: Final = 32 * 1024 * 1024
# How often a stream is looked at for a flow; where every event differs, nothing is gained by it.
_LESSONS: Final = 32
_NONSENSE: Final = "the answer does not make sense in its own dialect"


class Relay(Flowing, ABC):
    """One streamed answer of one candidate.

    `face` is a watcher of the caller's dialect: it knows what the caller has seen before this
    answer began, and draws the signs of life.
    """

    def __init__(self, face: Watcher, encoder: Encoder, renamer: Renamer) -> None:
        self.flow = None
        self.done = False
        self.error: UpstreamError | None = None
        self._face = face
        self._encoder = encoder
        self._renamer = renamer
        self._order = Order()
        # Events before the first block: they go out with it, or never.
        self._held: list[Event] | None = []

    @property
    def face(self) -> Watcher:
        """What the caller has seen of this answer."""
        self._settle()
        if self._held is None:
            self._face.next_number = self._encoder.next_number
        return self._face

    @property
    def committed(self) -> bool:
        """Content went out."""
        return self._face.committed

    @property
    @abstractmethod
    def usage(self) -> Usage | None:
        """The tokens the upstream has named so far."""

    @property
    @abstractmethod
    def unknown(self) -> int:
        """How many events and parts had no equivalent on this side."""

    @abstractmethod
    def feed(self, data: bytes) -> bytes:
        """What may go to the caller now that `data` has come; nothing until there is content."""

    @abstractmethod
    def eof(self) -> bytes:
        """What goes out at a clean end; `error` is set where the answer is not complete."""

    @abstractmethod
    def broken(self, exc: BaseException) -> bytes:
        """The connection failed: an incomplete answer is lost, a complete one gets closed."""

    def adopt(self, previous: Watcher | None = None) -> None:
        """The caller has had keep-alives already, from this relay or from `previous`."""
        self._face.adopt(previous)

    def opening(self) -> bytes:
        """What goes out when the 200 head cannot wait for content any longer."""
        return self._face.opening()

    def ping(self) -> bytes:
        """What breaks a silence."""
        frame = self.face.ping()
        if self._held is None:
            self._adopt_face()
            self._settle()
        return frame

    def _settle(self) -> None:
        """Makes up for what went to the caller past decoder and encoder."""

    # --- from events to the caller's frames ------------------------------------------------------

    def _encode(self, events: Iterable[Event], frames: list[bytes]) -> None:
        follow, rename, encode = self._order.follow, self._renamer.feed, self._encoder.feed
        for event in events:
            follow(event)
            if self._held is not None:
                self._hold(event, frames)
                continue
            for renamed in rename(event):
                frames += encode(renamed)

    def _hold(self, event: Event, frames: list[bytes]) -> None:
        held = self._held
        assert held is not None  # noqa: S101 - the caller asked
        held.append(event)
        if isinstance(event, Finished) and event.reason not in MAY_BE_EMPTY:
            self._fail(failures.empty())
        elif isinstance(event, (BlockStarted, Finished)):
            self._begin(held, frames)

    def _begin(self, held: Sequence[Event], frames: list[bytes]) -> None:
        self._held = None
        if self._face.adopted:
            self._adopt_face()
        self._face.committed = True
        for event in held:
            for renamed in self._renamer.feed(event):
                frames += self._encoder.feed(renamed)

    def _adopt_face(self) -> None:
        face = self._face
        self._encoder.adopt(face.response_id or "", face.created_at, face.next_number)

    def _fail(self, error: UpstreamError) -> None:
        self.error = failures.interrupted(error) if self._face.committed else error


class Flow(Usual):
    """Most of a stream: events that say more of one open block and differ in that text alone.

    Such a text goes into its frame as it is spelt, 0.5 us against 4 on the whole way.
    """

    __slots__ = ("_between", "_first", "_index", "_pieces", "_said", "_same", "_usual")

    def __init__(self, usual: Usual, more: More, wrapping: Wrapping) -> None:
        # copied: one more object would be one more place in memory
        self.passed, self.number = usual.passed, None
        self._head, self._holes, self._rest = usual._head, usual._holes, usual._rest
        self._before, self._after = wrapping.before, wrapping.after
        self._between = wrapping.between
        # what the decoder and the encoder still have to be told, where they keep it, and the
        # number of the first of these frames
        self._said: list[bytes] | None = None
        if wrapping.between or more.pieces is not None:
            self._said = []
        self._first = 0
        self._index = more.index
        self._pieces = more.pieces
        # what the watcher compares with, and whether that is the same event
        self._usual: Usual | None = None
        self._same = False

    def cross(self, data: bytes) -> bytes | None:
        """The frame of the text of such an event, whole and alone; None where `data` is no such."""
        text = self.text(data)
        return self.tell(text) if text else None

    def tell(self, text: bytes) -> bytes:
        """The frame of one more text."""
        said, between, before = self._said, self._between, self._before or b""
        if said is not None:
            said.append(text)
            if between:
                number = self._first + len(said) - 1
                return b"%b%d%b%b%b" % (before, number, between, text, self._after)
        return before + text + self._after

    def settle(self, encoder: Encoder) -> None:
        """Makes up for what went past decoder and encoder, before they are asked for more."""
        if said := self._said:
            text = decode_text(b'"%b"' % b"".join(said))
            if self._pieces is not None:
                self._pieces.append(text)
            encoder.note_told(self._index, text, len(said))
            said.clear()
        self._first = encoder.next_number

    def is_watched_by(self, usual: Usual) -> bool:
        """Whether the watcher lets pass just what this compares with, so that once is enough."""
        if usual is not self._usual:
            self._usual = usual
            self._same = usual.as_it_is and self.reads_all_of(usual)
        return self._same


class StreamRelay(Relay):
    """A stream of another dialect. Its own watcher judges it first: what counts as content,
    whether it is complete, which bytes show a failure. What that lets through is translated.
    """

    def __init__(
        self, inner: Watcher, decoder: Decoder, face: Watcher, encoder: Encoder, renamer: Renamer
    ) -> None:
        super().__init__(face, encoder, renamer)
        self._inner = inner
        self._decoder = decoder
        self._splitter = sse.Splitter()
        # what flows, be it through the splitter; `flow` where it needs neither that nor the watcher
        self._learnt: Flow | None = None
        self._lessons = _LESSONS

    @property
    def usage(self) -> Usage | None:
        """The tokens the upstream has named so far."""
        return self._inner.usage

    @property
    def unknown(self) -> int:
        """How many events and parts had no equivalent on this side."""
        return sum(self._decoder.unknown.values())

    def feed(self, data: bytes) -> bytes:
        """What may go to the caller now that `data` has come; nothing until there is content."""
        flow = self.flow
        if flow is not None and (out := flow.cross(data)) is not None:
            return out
        out = self._translated(self._inner.feed(data))
        self.flow = self._passing()
        return out

    def eof(self) -> bytes:
        """What goes out at a clean end; `error` is set where the answer is not complete."""
        self.flow = None
        return self._translated(self._inner.eof(), ended=True)

    def broken(self, exc: BaseException) -> bytes:
        """The connection failed: an incomplete answer is lost, a complete one gets closed."""
        self.flow = None
        if self.done or self.error is not None:
            return b""
        return self._translated(self._inner.broken(exc), ended=True)

    def _passing(self) -> Flow | None:
        """The flow, where its events need neither the watcher nor the splitter."""
        flow, usual = self._learnt, self._inner.flow
        if flow is None or usual is None or self.done or self.error is not None:
            return None
        return flow if self._splitter.plain and flow.is_watched_by(usual) else None

    def _settle(self) -> None:
        if self._learnt is not None:
            self._learnt.settle(self._encoder)

    def _translated(self, out: bytes, *, ended: bool = False) -> bytes:
        if self.error is not None or self.done:
            return b""
        frames: list[bytes] = []
        try:
            if out:
                self._decode(self._splitter.feed(out), frames)
            if self._inner.error is not None:
                self.error = self._failure(self._inner)
            elif ended or self._inner.done:
                self._settle()
                self._encode(self._decoder.flush(), frames)
                self.done = self.error is None
        except (ValueError, msgspec.MsgspecError):
            self._fail(failures.invalid(_NONSENSE))
        return b"".join(frames)

    def _failure(self, inner: Watcher) -> UpstreamError | None:
        """The upstream's failure. What is content there need not be content here: then nothing has
        gone out yet, and another target may be tried.
        """
        if self._face.committed or not inner.committed or inner.cause is None:
            return inner.error
        return failures.empty() if inner.cause.kind == "interrupted" else inner.cause

    def _decode(self, events: Sequence[bytes], frames: list[bytes]) -> None:
        for event in events:
            flow = self._learnt
            if flow is not None and (frame := flow.cross(event)):
                frames.append(frame)
                continue
            name, data = sse.parse(event)
            if data and data.strip() != DONE:
                self._settle()
                told = self._decoder.feed(name, data)
                self._encode(told, frames)
                self._learn(event, told)
                self._settle()

    def _learn(self, event: bytes, told: Sequence[Event]) -> None:
        """From an event that went the whole way and what it told, which text flows now.

        More of some block leaves the others as they are, so that what flowed goes on; any other
        event may end it.
        """
        said = told[0] if len(told) == 1 else None
        if not isinstance(said, BlockDelta) or said.logprobs or self._held is not None:
            self._learnt = None
            return
        if self._lessons and self._splitter.plain:
            self._lessons -= 1
            self._learnt = self._flow_of(event) or self._learnt

    def _flow_of(self, event: bytes) -> Flow | None:
        """The flow that an event is part of: its text alone is more of a block."""
        if (usual := self._usual_of(event)) is None:
            return None
        more = self._decoder.more(sse.parse(usual.passed)[1])
        if more is None or more.text != MARK.decode() or not self._renamer.passes(more.index):
            return None
        wrapping = self._encoder.wrapping(more.index)
        return None if wrapping is None else Flow(usual, more, wrapping)

    def _usual_of(self, event: bytes) -> Usual | None:
        """The event taken apart: as the watcher has just done, which edits nothing, or anew."""
        known = self._inner.usual
        if known is not None and known.text(event) and known.as_it_is:
            return known
        apart = taken_apart(event)
        return None if apart is None else Usual(apart, apart.marked)


class Told(msgspec.Struct, frozen=True):
    """An answer in one piece as events, what it cost, and how many parts have no event."""

    events: Sequence[Event]
    usage: Usage | None
    unknown: int


class WholeRelay(Relay):
    """An answer in one piece, streamed to a caller that asked for a stream.

    `read` makes events of the body. Raises UpstreamError for one not to use.
    """

    def __init__(
        self, read: Callable[[bytes], Told], face: Watcher, encoder: Encoder, renamer: Renamer
    ) -> None:
        super().__init__(face, encoder, renamer)
        self._read = read
        self._body: list[bytes] = []
        self._size = 0
        self._usage: Usage | None = None
        self._unknown = 0

    @property
    def usage(self) -> Usage | None:
        """The tokens the upstream named; None until the answer is there."""
        return self._usage

    @property
    def unknown(self) -> int:
        """How many parts had no equivalent on this side."""
        return self._unknown

    def feed(self, data: bytes) -> bytes:
        """Nothing, until the answer is whole."""
        self._size += len(data)
        if self._size > _MAX_WHOLE:
            self._fail(failures.invalid("the answer is too large"))
        else:
            self._body.append(data)
        return b""

    def eof(self) -> bytes:
        """The whole stream."""
        frames: list[bytes] = []
        if self.error is not None:
            return b""
        try:
            told = self._read(b"".join(self._body))
            self._usage, self._unknown = told.usage, told.unknown
            self._encode(told.events, frames)
            self.done = self.error is None
        except UpstreamError as error:
            self._fail(error)
        except (ValueError, msgspec.MsgspecError):
            self._fail(failures.invalid(_NONSENSE))
        return b"" if self.error is not None else b"".join(frames)

    def broken(self, exc: BaseException) -> bytes:
        """Half an answer in one piece is none."""
        self._fail(failures.after_head(exc))
        return b""
