"""Token counts of one answer, read from what the providers send. It knows no price of ours.

`input` holds all tokens read, cached and cache-written ones included; `output` all tokens made,
reasoning included. Streams repeat counts: each field's last value holds, nothing is added up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """None is "the provider did not say".

    `image` are the tokens of `input` that images took, `reported` is the cost in USD by the
    upstream's own account.
    """

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    image: int | None = None
    reported: float | None = None


_TICKS = 10_000_000_000  # per USD
# What is more is no count: no model reads as much, and no store of ours could hold it.
_MOST = 1 << 53
# Where providers put each count: key, or key and key inside it. Of several the first one wins.
_OPENAI: dict[str, tuple[str, ...]] = {
    "input": ("prompt_tokens", "input_tokens"),
    "output": ("completion_tokens", "output_tokens"),
    "total": ("total_tokens",),
    "cached": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
        "cache_read_input_tokens",
    ),
    "cache_write": (
        "prompt_tokens_details.cache_write_tokens",
        "input_tokens_details.cache_write_tokens",
        "cache_creation_input_tokens",
    ),
    "reasoning": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "reasoning_tokens",
    ),
    "image": ("prompt_tokens_details.image_tokens", "input_tokens_details.image_tokens"),
    "ticks": ("cost_in_usd_ticks",),
}
_MESSAGES: dict[str, tuple[str, ...]] = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cached": ("cache_read_input_tokens",),
    "cache_write": ("cache_creation_input_tokens",),
    "reasoning": ("output_tokens_details.thinking_tokens",),
    "ticks": ("cost_in_usd_ticks",),
}


class _Places(NamedTuple):
    """Where counts stand in an object: key -> field and rank, and in the objects inside it."""

    flat: dict[str, tuple[str, int]]
    inner: dict[str, _Places]


def _by_place(fields: dict[str, tuple[str, ...]]) -> _Places:
    """Answers name few of the places, so they are what is walked."""
    places = _Places({}, {})
    for field, known in fields.items():
        for rank, place in enumerate(known):
            outer, _, key = place.rpartition(".")
            holder = places.inner.setdefault(outer, _Places({}, {})) if outer else places
            holder.flat[key] = field, rank
    return places


_OPENAI_PLACES = _by_place(_OPENAI)
_MESSAGES_PLACES = _by_place(_MESSAGES)


class Meter:
    """Collects the counts of one answer, whichever of its parts carry some."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._usd: float | None = None
        self._disjoint = False

    def read_openai(self, usage: Any) -> None:
        """The usage object of a Chat or Responses answer; anything else is passed over."""
        self._read(usage, _OPENAI_PLACES)

    def read_messages(self, usage: Any) -> None:
        """The usage object of a Messages answer, whose input counts leave cached tokens out."""
        self._disjoint = True
        self._read(usage, _MESSAGES_PLACES)

    def usage(self) -> Usage | None:
        """What is known so far; None when nothing was ever said."""
        counts = self._counts
        if not counts and self._usd is None:
            return None
        value = counts.get
        return Usage(
            self._input() if self._disjoint else value("input"),
            self._output() if "reasoning" in counts else value("output"),
            value("cached"),
            value("cache_write"),
            value("reasoning"),
            value("image"),
            self._reported() if "ticks" in counts else self._usd,
        )

    def _read(self, usage: Any, places: _Places) -> None:
        if not isinstance(usage, dict):
            return
        self._note(usage, places, {})
        if "cost" in usage:
            self._note_cost(usage["cost"])

    def _note(self, found: dict[str, Any], places: _Places, ranks: dict[str, int]) -> None:
        """`ranks`: of the counts that this usage object has had so far."""
        flat, inner = places
        counts = self._counts
        for key, value in found.items():
            if type(value) is int:
                if key in flat and 0 <= value <= _MOST:
                    field, rank = flat[key]
                    if field not in ranks or rank < ranks[field]:
                        ranks[field] = rank
                        counts[field] = value
            elif type(value) is dict and key in inner:
                self._note(value, inner[key], ranks)

    def _note_cost(self, cost: Any) -> None:
        """OpenRouter and its like in USD, Perplexity by its parts and their sum; xAI has ticks."""
        usd: Any = cost.get("total_cost") if isinstance(cost, dict) else cost
        if type(usd) in (int, float) and 0 <= usd <= _MOST:
            self._usd = float(usd)

    def _reported(self) -> float:
        return self._counts["ticks"] / _TICKS if self._usd is None else self._usd

    def _input(self) -> int | None:
        """All tokens read, where those of the cache were left out."""
        counts = self._counts
        if "input" not in counts:
            return None
        return counts["input"] + counts.get("cached", 0) + counts.get("cache_write", 0)

    def _output(self) -> int | None:
        counts = self._counts
        output, reasoning = counts.get("output"), counts["reasoning"]
        if output is None or not reasoning:
            return output
        # xAI counts reasoning beside completion_tokens; only the total gives it away.
        outside = counts.get("total") == counts.get("input", 0) + output + reasoning
        return output + reasoning if outside else output
