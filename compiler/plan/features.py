"""What a skin can do, as feature bits: natively, and as far as a bridge carries it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from compiler.model import Bridge, SkinDef
from runtime.vocabulary import (
    ALL_LEVELS,
    AUDIO,
    CARRY,
    CUSTOM,
    DOCUMENT,
    FEATURES,
    FORCED,
    HOSTED,
    IMAGE_INLINE,
    IMAGE_URL,
    JSON_OBJECT,
    JSON_SCHEMA,
    LEVELS,
    LOGPROBS,
    LOWERS,
    MULTIPLE,
    NAMESPACE,
    NONE,
    PREFILL,
    STATEFUL,
    STREAM,
    TOOLS,
    Reasoning,
)

# A word of a skin's lists -> the feature it brings. `parallel` is none: it is written off instead.
_STREAM: Final = {"native": STREAM, "synthesized": STREAM}
_TOOLS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "function": TOOLS,
        "forced": FORCED,
        "custom": CUSTOM,
        "namespace": NAMESPACE,
        **{f"hosted:{word}": bit for word, bit in HOSTED.items()},
    }
)
_INPUT: Final = {"document": DOCUMENT, "audio": AUDIO}
_IMAGES: Final = {"inline": IMAGE_INLINE, "url": IMAGE_URL}
_STRUCTURED: Final = {"json_object": JSON_OBJECT, "json_schema": JSON_SCHEMA}
_EXTRAS: Final = {"logprobs": LOGPROBS, "multiple": MULTIPLE}

# Controls by which thinking can be switched off without a level of that name.
_SWITCHABLE: Final = frozenset({"budget", "adaptive", "toggle"})


def bits(words: Iterable[str]) -> int:
    """The set of bits of some feature words."""
    return _sum(words, FEATURES)


def skin_features(skin: SkinDef) -> int:
    """Every feature of a skin, levels left aside."""
    return (
        _sum([skin.stream], _STREAM)
        | _sum(skin.tools, _TOOLS)
        | _sum(skin.input, _INPUT)
        | (_sum(skin.image_sources, _IMAGES) if "image" in skin.input else 0)
        | _sum(skin.structured, _STRUCTURED)
        | _sum(skin.extras, _EXTRAS)
        | (STATEFUL if skin.stateful else 0)
        | (PREFILL if skin.prefill else 0)
    )


def native_levels(reasoning: Reasoning | None) -> int:
    """The levels a skin takes as they are; `none` also where thinking is absent or has a switch."""
    if reasoning is None:
        return NONE
    switch = NONE if reasoning.control in _SWITCHABLE else 0
    return _sum(reasoning.levels, LEVELS) | switch


def mapped_levels(reasoning: Reasoning | None) -> int:
    """The levels a skin takes only in the form of another one."""
    if reasoning is None:
        return 0
    return _sum((asked for asked, _ in reasoning.map), LEVELS) & ~native_levels(reasoning)


def carried(bridge: Bridge) -> int:
    """The features a bridge lets through, levels included."""
    return _sum(bridge.carry, CARRY)


def through(bridge: Bridge, features: int) -> int:
    """The features a bridged path has: carried, and on the far side lowered to what is there."""
    found = 0
    for bit in FEATURES.values():
        if carried(bridge) & bit & ~ALL_LEVELS and features & LOWERS.get(bit, bit):
            found |= bit
    return found


def _sum(words: Iterable[str], table: Mapping[str, int]) -> int:
    found = 0
    for word in words:
        found |= table.get(word, 0)
    return found
