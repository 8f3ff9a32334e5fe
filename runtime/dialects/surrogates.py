"""Halves of characters in JSON: `\\ud83d` without the `\\ude00` that belongs to it.

Some providers cut their text between the two, or inside a character. No strict reader takes such a
half (RFC 8259, section 8.2, leaves it open), so that one of them would cost the whole answer. It
knows no dialect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

# Every escape, for what stands behind a backslash that is escaped itself is none.
_ESCAPE: Final = re.compile(
    rb"\\(?:u(?P<first>[dD][89abAB][0-9a-fA-F]{2})(?P<second>\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|u(?P<last>[dD][c-fC-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_MAYBE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_QUOTE: Final = b'"'
_UNKNOWN: Final = rb"\ufffd"

_Half = re.Match[bytes]


def has_halves(text: bytes) -> bool:
    """Whether half of a character stands in JSON without the other; cheap where there is none."""
    return _MAYBE.search(text) is not None and any(_halves(text))


def is_torn(text: bytes) -> bool:
    """Whether a string ends with the first half of a character: the next may bring the second."""
    return any(_ends_a_string(half) for half in _halves(text))


def joined(text: bytes, following: bytes) -> tuple[bytes, bytes]:
    """Both texts, the first half of a character moved to where the second is."""
    first = [half for half in _halves(text) if _ends_a_string(half)]
    second = [half for half in _halves(following) if _begins_a_string(half)]
    if len(first) != 1 or len(second) != 1:
        return text, following
    (cut,), (into,) = first, second
    return (
        text[: cut.start()] + text[cut.end() :],
        following[: into.start()] + cut.group() + following[into.start() :],
    )


def mended(text: bytes) -> bytes:
    """JSON whose halves are U+FFFD, which stands for what cannot be known."""
    return _ESCAPE.sub(lambda escape: _UNKNOWN if _is_half(escape) else escape.group(), text)


def _halves(text: bytes) -> Iterator[_Half]:
    return filter(_is_half, _ESCAPE.finditer(text))


def _is_half(escape: _Half) -> bool:
    alone = escape["first"] is not None and escape["second"] is None
    return alone or escape["last"] is not None


def _ends_a_string(half: _Half) -> bool:
    return half["first"] is not None and half.string.startswith(_QUOTE, half.end())


def _begins_a_string(half: _Half) -> bool:
    return half["last"] is not None and half.string.endswith(_QUOTE, 0, half.start())
