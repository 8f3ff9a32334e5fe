"""Which requests may be answered with an answer that was kept. It knows no store and no key."""

from __future__ import annotations

from typing import Final

from runtime.dialects.reading import Reading
from runtime.vocabulary import (
    ALL_LEVELS,
    JSON_OBJECT,
    JSON_SCHEMA,
    LOGPROBS,
    PREFILL,
    STREAM,
)

# All else a request may need makes it more than text: tools, images, state, several answers.
_TEXT: Final = STREAM | JSON_OBJECT | JSON_SCHEMA | PREFILL | LOGPROBS | ALL_LEVELS
# What a caller's Cache-Control may ask for (RFC 9111, 5.2.1): an answer made anew, and that none
# is kept.
_NO_CACHE: Final = "no-cache"
_NO_STORE: Final = "no-store"


def may_be_kept(reading: Reading) -> bool:
    """Text alone, at temperature 0 written out, and nothing whose meaning lies elsewhere.

    Elsewhere: with a provider (files, kept prompts, its own tools), or with one maker (signatures,
    encrypted reasoning). State, images and the caller's tools are among the needs; a history may
    hold results of tools that are offered no more.
    """
    return (
        reading.deterministic
        and not reading.shape.needs & ~_TEXT
        and not reading.hosted
        and not reading.signs
        and not reading.opaque
        and not reading.references
        and not any(turn.answers_tools for turn in reading.turns)
    )


def wishes(cache_control: bytes) -> tuple[bool, bool]:
    """Whether the caller takes an answer that was kept, and whether its own may be kept."""
    if not cache_control:
        return True, True
    asked = {word.strip().lower() for word in cache_control.decode("latin-1").split(",")}
    keeps = _NO_STORE not in asked
    return keeps and _NO_CACHE not in asked, keeps
