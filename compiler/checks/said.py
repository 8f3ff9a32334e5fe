"""What the dialects can and cannot say, for every check that must know; finds nothing itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.model import SkinDef

# Features no request in a dialect can ask for, and so none of its skins can have.
NEVER_SAID: Final[Mapping[str, frozenset[str]]] = {
    # a trailing assistant item is history here, no prefill
    "responses": frozenset({"prefill", "multiple"}),
    "messages": frozenset(
        {"tools.custom", "tools.namespace", "json.object", "audio", "logprobs", "multiple"}
    ),
    "chat": frozenset({"tools.namespace"}),
}

# A feature of NEVER_SAID -> the field of a skin that brings it, and the word there.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "tools.custom": ("tools", "custom"),
    "tools.namespace": ("tools", "namespace"),
    "json.object": ("structured", "json_object"),
    "audio": ("input", "audio"),
    "logprobs": ("extras", "logprobs"),
    "multiple": ("extras", "multiple"),
    "prefill": ("prefill", "prefill"),
}


def sayers(feature: str) -> tuple[str, ...]:
    """The dialects that can ask for a feature."""
    return tuple(dialect for dialect, never in NEVER_SAID.items() if feature not in never)


def unsayable(skin: SkinDef) -> Iterator[tuple[str, str, str]]:
    """Field, word and feature of what a skin has although its dialect cannot ask for it."""
    for feature, (field, word) in _WORDS.items():
        has = getattr(skin, field)
        present = word in has if isinstance(has, tuple) else bool(has)
        if present and feature in NEVER_SAID[skin.dialect]:
            yield field, word, feature
