"""The event most of a stream consists of: the same bytes each time, but for one text.

Beside the text may stand what differs in every event and means nothing here: the number that
Responses gives each, and what providers pad them with against eavesdroppers. It knows no dialect,
and nothing of what an event means.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

import msgspec

from runtime.sse import MAX_EVENT

# What a JSON string may hold as it is or behind a backslash, in ASCII and in its usual spelling.
_TEXT: Final = re.compile(rb'(?:[ !#-\[\]-~]|\\["\\bfnrt])*+')
# Turns every other byte into another one: a text that comes out as it was holds nothing but these.
_AS_IT_IS: Final = bytes(
    byte if 0x20 <= byte < 0x7F and byte not in b'"\\' else byte ^ 1 for byte in range(256)
)
# A place is `"key":"`, with or without a space: in valid JSON these bytes are a key and the quote
# that opens its value, for inside a string there would be a backslash before each quote.
# Providers send empty ones along with the one that says something.
_PLACE: Final = re.compile(
    rb'"(?:content|text|thinking|partial_json|arguments|reasoning|reasoning_content|delta)": ?'
    rb'"(?!")'
)
# What differs from event to event beside the text: where it stands, and what may stand there.
_NUMBER: Final = re.compile(rb"(?:0|[1-9][0-9]{0,15}+)(?![0-9])")
_LETTERS: Final = re.compile(rb"[0-9A-Za-z]*+")
_SPACES: Final = re.compile(rb" *+")
_ASIDE: Final = (
    (re.compile(rb'"sequence_number": ?(?=[0-9])'), _NUMBER),
    (re.compile(rb'"obfuscation": ?"'), _LETTERS),
    (re.compile(rb"\}(?= +\}\n\n\Z)"), _SPACES),
)
# Stands for the text while an event is taken apart.
MARK: Final = b"~4b1f7c0d9e2a~"


class Apart(msgspec.Struct, frozen=True):
    """An event without its text and what differs beside it: `head`, then holes, each with what may
    stand there and the bytes behind it, and their number. `marked` has a mark for a text.
    """

    head: bytes
    holes: tuple[tuple[re.Pattern[bytes], bytes, int], ...]
    marked: bytes


class Flowing:
    """A stream of which most events may pass by comparison: by `flow`, where they may just now."""

    __slots__ = ("flow",)

    flow: Usual | None


class Usual:
    """An event that was decoded and edited, taken apart.

    Another one that differs in its holes alone decodes to the same and is edited in the same way:
    to compare its bytes takes 0.3 us where the whole way takes 1.7. What that needs stands in this
    one object, for between two events of a stream the caches are lost to others.
    """

    __slots__ = ("_after", "_before", "_head", "_holes", "_rest", "number", "passed")

    def __init__(self, apart: Apart, edited: bytes) -> None:
        self._head = apart.head
        self._holes = apart.holes
        # what stands behind the text, where nothing but that differs
        self._rest = apart.holes[0][1] if len(apart.holes) == 1 else None
        # what is passed on, with a mark for the text
        self.passed = edited
        # what stands before and behind the text that is passed on; None where that is all as it is
        self._before: bytes | None = None
        self._after = b""
        if edited != apart.marked:
            self._before, self._after = edited.split(MARK)
        # of the last event that was read, where it has one
        self.number: bytes | None = None

    @classmethod
    def learnt(cls, event: bytes, edit: Callable[[list[bytes]], bytes]) -> Usual | None:
        """What can be learnt from an event and from how it is edited."""
        if (apart := taken_apart(event)) is None:
            return None
        edited = edit([apart.marked])
        if edited.count(MARK) != 1:  # what differs is in a member that is taken out
            return None
        # what is edited keeps nothing that differs beside the text
        return cls(apart, edited) if edited == apart.marked or len(apart.holes) == 1 else None

    @property
    def pieces(self) -> tuple[bytes | None, ...]:
        """All bytes that are compared with, and that are put around a text."""
        return self._head, self._rest, self._before, self._after

    @property
    def as_it_is(self) -> bool:
        """Whether it is passed on without an edit."""
        return self._before is None

    def cross(self, data: bytes) -> bytes | None:
        """What is passed on for such an event, whole and alone; None where `data` is no such."""
        if (text := self.text(data)) is None:
            return None
        return data if self._before is None else self._before + text + self._after

    def reads_all_of(self, other: Usual | None) -> bool:
        """Whether this is what `other` passes on, so that one comparison serves both."""
        if other is None or len(other._holes) != len(self._holes):
            return False
        return self.text(other.passed) == MARK

    def text(self, data: bytes) -> bytes | None:
        """The text of `data` where it is such an event, whole and alone."""
        if not data.startswith(self._head):
            return None
        rest = self._rest
        if rest is not None and data.endswith(rest):
            # most texts hold nothing that is escaped, and their ends say where they are
            text = data[len(self._head) : -len(rest)]
            if text and text.translate(_AS_IT_IS) == text and len(data) <= MAX_EVENT:
                return text
        return self._between_holes(data)

    def _between_holes(self, data: bytes) -> bytes | None:
        at, text, number = len(self._head), b"", self.number
        for pattern, behind, size in self._holes:
            hole = pattern.match(data, at)
            if hole is None or not data.startswith(behind, end := hole.end()):
                return None
            if pattern is _TEXT:
                text = data[at:end]
            elif pattern is _NUMBER:
                number = data[at:end]
            at = end + size
        if at != len(data) or at > MAX_EVENT:
            return None
        self.number = number  # half an event has not been read
        return text


@functools.lru_cache(maxsize=64)
def shared(piece: bytes) -> bytes:
    """The same bytes, in the one object that all streams have of them: it stays in the caches.

    For frames of our own: what an upstream sent is not to stay in memory after its answer.
    """
    return piece


def taken_apart(event: bytes) -> Apart | None:
    """An event with holes for its text and what differs beside it; None where it has no text."""
    place = _PLACE.search(event)
    if place is None or MARK in event or (text := _TEXT.match(event, place.end())) is None:
        return None
    holes = [(text, _TEXT)]
    for aside, pattern in _ASIDE:
        if (stands := aside.search(event)) and (hole := pattern.match(event, stands.end())):
            holes.append((hole, pattern))
    holes.sort(key=lambda hole: hole[0].start())
    spans = [hole.span() for hole, _ in holes]
    if any(end > start for (_, end), (start, _) in pairwise(spans)):
        return None  # a text that says such a thing
    begins = [*(start for start, _ in spans[1:]), len(event)]
    ends = [end for _, end in spans]
    return Apart(
        head=event[: spans[0][0]],
        holes=tuple(
            (pattern, event[end:begin], begin - end)
            for (_, pattern), end, begin in zip(holes, ends, begins, strict=True)
        ),
        marked=event[: text.start()] + MARK + event[text.end() :],
    )
