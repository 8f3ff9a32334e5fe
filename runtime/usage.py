"""Token counts of one answer, read from what the providers send. It knows no price of ours.

`input` holds all tokens read, cached and cache-written ones included; `output` all tokens made,
reasoning included. Streams repeat counts: each field's last value holds, nothing is added up.
"""

from __future__ import annotations

from typing import Any

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


# Where providers put each count: key, or key and key inside it. Of several the first one wins.
# Costs: OpenRouter and its like in USD, Perplexity by its parts and their sum, xAI in ticks.
_COSTS: dict[str, tuple[str, ...]] = {
    "usd": ("cost", "cost.total_cost"),
    "ticks": ("cost_in_usd_ticks",),
}
_TICKS = 10_000_000_000  # per USD
# What is more is no count: no model reads as much, and no store of ours could hold it.
_MOST = 1 << 53
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
} | _COSTS
_MESSAGES: dict[str, tuple[str, ...]] = {
    "input": ("input_tokens",),
    "output": ("output_tokens",),
    "cached": ("cache_read_input_tokens",),
    "cache_write": ("cache_creation_input_tokens",),
    "reasoning": ("output_tokens_details.thinking_tokens",),
} | _COSTS


def _by_place(places: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, int]]:
    """Place -> its field and rank: answers name few of the places, so they are what is walked."""
    return {
        place: (field, rank) for field, known in places.items() for rank, place in enumerate(known)
    }


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
        return Usage(
            input=self._input(),
            output=self._output(),
            cached=counts.get("cached"),
            cache_write=counts.get("cache_write"),
            reasoning=counts.get("reasoning"),
            image=counts.get("image"),
            reported=self._reported(),
        )

    def _read(self, usage: Any, places: dict[str, tuple[str, int]]) -> None:
        if not isinstance(usage, dict):
            return
        ranks: dict[str, int] = {}
        for key, value in usage.items():
            if type(value) is dict:
                for inner, count in value.items():
                    if (place := places.get(f"{key}.{inner}")) is not None:
                        self._note(place, count, ranks)
            elif (place := places.get(key)) is not None:
                self._note(place, value, ranks)

    def _note(self, place: tuple[str, int], count: Any, ranks: dict[str, int]) -> None:
        field, rank = place
        if field == "usd":
            self._note_usd(count)
        elif type(count) is int and 0 <= count <= _MOST and rank <= ranks.get(field, rank):
            ranks[field] = rank
            self._counts[field] = count

    def _note_usd(self, usd: Any) -> None:
        if type(usd) in (int, float) and 0 <= usd <= _MOST:
            self._usd = float(usd)

    def _reported(self) -> float | None:
        if self._usd is None and (ticks := self._counts.get("ticks")) is not None:
            return ticks / _TICKS
        return self._usd

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
