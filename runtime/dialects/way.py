"""How an answer that was decoded goes back to the caller; what every encoder is given.

It knows no dialect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from runtime.events import Event


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of one answer. `created` in Unix seconds, `input_tokens` the estimate."""

    # what the caller asked for: the `model` of the answer
    asked: str
    # the id of the answer, in the form of the caller's dialect
    answer_id: str
    created: int
    input_tokens: int = 0
    # Chat: the caller wants the usage chunk
    include_usage: bool = False
    # continuity domain of the provider that answers; its opaque state is wrapped for the way back
    domain: str = ""
    # request values that a Responses answer repeats
    echo: Mapping[str, Any] = {}


class More(msgspec.Struct, frozen=True):
    """More of an open block. `pieces`: where the decoder keeps what was said, if it does."""

    index: int
    text: str
    pieces: list[str] | None = None


class Wrapping(msgspec.Struct, frozen=True):
    """The frame of one more text of a block, before and after the text as JSON spells it.

    Where there is a `between`, the frame's number goes before it, and the encoder has to be told.
    """

    before: bytes
    after: bytes
    between: bytes = b""


class Decoder(Protocol):
    """Makes events of one answer. No I/O, one instance per answer.

    The stream was watched already: it is one of its dialect, unbroken and complete when `flush` is
    called. `unknown` counts events and parts that no event stands for, by name.
    """

    unknown: dict[str, int]

    def feed(self, name: bytes, data: bytes) -> list[Event]:
        """The events of one server-sent event, its name (b"" for none) and data.

        Raises ValueError for data that makes no sense where it stands.
        """
        ...

    def more(self, data: bytes) -> More | None:
        """What the data of an event would add to an open block, if it would do nothing else.

        Asking changes nothing; events that differ in the text alone have the same answer until
        one of another kind has come.
        """
        ...

    def whole(self, body: bytes) -> list[Event]:
        """All events of an answer in one piece. Raises ValueError."""
        ...

    def flush(self) -> list[Event]:
        """The rest, now that the answer is complete: open blocks end, and `Finished`."""
        ...


class Encoder(Protocol):
    """Makes frames of one answer's events. No I/O, one instance per answer."""

    def feed(self, event: Event) -> list[bytes]:
        """Whole server-sent events, each with the blank line that ends it; none may be empty."""
        ...

    def wrapping(self, index: int) -> Wrapping | None:
        """How each further text of a block is framed.

        None where more is to do than that. Valid until an event of another kind has come.
        """
        ...

    def note_told(self, index: int, text: str, frames: int) -> None:
        """Takes note of `text`, which went out in so many frames made by `wrapping`."""
        ...

    def adopt(self, answer_id: str, created: int, number: int) -> None:
        """The caller has had a beginning with this id already; the next event has this number."""
        ...

    @property
    def next_number(self) -> int:
        """The number of the next event, in a dialect that numbers them; else 0."""
        ...
