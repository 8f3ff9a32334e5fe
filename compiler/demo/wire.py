"""What the three wires have in common: frames, pieces of text, counted tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

CREATED = 1_790_000_000  # the scripted world has no clock
PIECE = 16  # characters per delta


def dump(value: Any) -> bytes:
    """Compact JSON, letters kept as UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def pieces(text: str) -> Iterator[str]:
    """A text as the deltas of a stream, never cut inside a code point."""
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def data_frame(value: Any) -> bytes:
    """A frame without a name, as Chat sends them."""
    return b"data: " + dump(value) + b"\n\n"


def named_frame(value: dict[str, Any]) -> bytes:
    """A frame named after the `type` inside it, as Responses and Messages send them."""
    return b"event: " + str(value["type"]).encode() + b"\n" + data_frame(value)


def tokens(text: str) -> int:
    """A rough but steady count: four characters are a token."""
    return (len(text) + 3) // 4
