"""Token counts of one answer, read from what the providers send. It knows no price.

`input` holds all tokens read, cached and cache-written ones included; `output` all tokens made,
reasoning included. Streams repeat counts: each field's last value holds, nothing is added up.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """None is "the provider did not say"."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


# field -> where providers put it, best known first; a path goes through objects that may be null
_OPENAI: dict[str, tuple[tuple[str, ...], ...]] = {
    "input": (("prompt_tokens",), ("input_tokens",)),
    "output": (("completion_tokens",), ("output_tokens",)),
    "total": (("total_tokens",),),
    "cached": (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("prompt_cache_hit_tokens",),
        ("cached_tokens",),
        ("cache_read_input_tokens",),
    ),
    "cache_write": (
        ("prompt_tokens_details", "cache_write_tokens"),
        ("input_tokens_details", "cache_write_tokens"),
        ("cache_creation_input_tokens",),
    ),
    "reasoning": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("reasoning_tokens",),
    ),
}
_MESSAGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "input": (("input_tokens",),),
    "output": (("output_tokens",),),
    "cached": (("cache_read_input_tokens",),),
    "cache_write": (("cache_creation_input_tokens",),),
    "reasoning": (("output_tokens_details", "thinking_tokens"),),
}


class Meter:
    """Collects the counts of one answer, whichever of its parts carry some."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._disjoint = False

    def read_openai(self, usage: Any) -> None:
        """The usage object of a Chat or Responses answer; anything else is passed over."""
        self._read(usage, _OPENAI)

    def read_messages(self, usage: Any) -> None:
        """The usage object of a Messages answer, whose input counts leave cached tokens out."""
        self._disjoint = True
        self._read(usage, _MESSAGES)

    def usage(self) -> Usage | None:
        """What is known so far; None when nothing was ever said."""
        counts = self._counts
        if not counts:
            return None
        return Usage(
            input=self._input(),
            output=self._output(),
            cached=counts.get("cached"),
            cache_write=counts.get("cache_write"),
            reasoning=counts.get("reasoning"),
        )

    def _read(self, usage: Any, paths: dict[str, tuple[tuple[str, ...], ...]]) -> None:
        if not isinstance(usage, dict):
            return
        for field, places in paths.items():
            for place in places:
                if (count := _count(usage, place)) is not None:
                    self._counts[field] = count
                    break

    def _input(self) -> int | None:
        counts = self._counts
        if not self._disjoint or "input" not in counts:
            return counts.get("input")
        return counts["input"] + counts.get("cached", 0) + counts.get("cache_write", 0)

    def _output(self) -> int | None:
        counts = self._counts
        output, reasoning = counts.get("output"), counts.get("reasoning", 0)
        if output is None or not reasoning:
            return output
        # xAI counts reasoning beside completion_tokens; only the total gives it away.
        outside = counts.get("total") == counts.get("input", 0) + output + reasoning
        return output + reasoning if outside else output


def _count(usage: dict[str, Any], place: tuple[str, ...]) -> int | None:
    value: Any = usage
    for name in place:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
