"""The event most of a stream consists of: the same bytes each time, but for one text.

It knows no dialect, and nothing of what an event means.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from runtime.sse import MAX_EVENT

# What a JSON string may hold as it is or behind a backslash, in ASCII and in its usual spelling.
_TEXT: Final = re.compile(rb'(?:[ !#-\[\]-~]|\\["\\bfnrt])*+')
# A place is `"key":"`, with or without a space: in valid JSON these bytes are a key and the quote
# that opens its value, for inside a string there would be a backslash before each quote.
# Providers send empty ones along with the one that says something.
_PLACE: Final = re.compile(
    rb'"(?:content|text|thinking|partial_json|arguments|reasoning|reasoning_content)": ?"(?!")'
)
# Stands for the text while an event is taken apart.
MARK: Final = b"~4b1f7c0d9e2a~"


class Usual:
    """An event that was decoded and edited, with its text taken out.

    Another one that differs in that text alone decodes to the same and is edited in the same way:
    to compare its bytes takes 0.5 us where the whole way takes 1.7.
    """

    __slots__ = ("_before", "_behind", "_end", "_new_before", "_new_behind", "_start")

    def __init__(self, before: bytes, behind: bytes, edited: bytes) -> None:
        self._before = before
        self._behind = behind
        self._start = len(before)
        self._end = len(behind)
        self._new_before, _, self._new_behind = edited.partition(MARK)

    @classmethod
    def learnt(cls, event: bytes, edit: Callable[[list[bytes]], bytes]) -> Usual | None:
        """What can be learnt from an event and from how it is edited."""
        ends = taken_apart(event)
        return cls(*ends, edit([MARK.join(ends)])) if ends else None

    def edited(self, data: bytes) -> bytes | None:
        """The bytes to pass on for `data` where it is such an event, whole and alone."""
        text = self.text(data)
        return None if text is None else self._new_before + text + self._new_behind

    def text(self, data: bytes) -> bytes | None:
        """The text of `data` where it is such an event, whole and alone."""
        if not data.startswith(self._before) or not data.endswith(self._behind):
            return None
        end = len(data) - self._end
        if _TEXT.fullmatch(data, self._start, end) is None or len(data) > MAX_EVENT:
            return None
        return data[self._start : end]


def taken_apart(event: bytes) -> tuple[bytes, bytes] | None:
    """What stands before and behind the text of an event; None where it has none."""
    place = _PLACE.search(event)
    if place is None or MARK in event or (text := _TEXT.match(event, place.end())) is None:
        return None
    return event[: place.end()], event[text.end() :]
