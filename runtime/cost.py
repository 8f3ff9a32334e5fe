"""What tokens cost, and how money is written. It knows prices, not who pays."""

from __future__ import annotations

from typing import Protocol

from runtime.vocabulary import Price

_PER = 1_000_000
_SMALLEST = 0.0001  # below it four decimals would show nothing


class Tokens(Protocol):
    """What an upstream counted. `input` is the whole prompt, cached and newly cached included."""

    @property
    def input(self) -> int | None: ...
    @property
    def output(self) -> int | None: ...
    @property
    def cached(self) -> int | None: ...
    @property
    def cache_write(self) -> int | None: ...


def estimate(price: Price, input_tokens: int, output_tokens: int) -> float:
    """USD for amounts known beforehand, as if no cache held any of the prompt."""
    return (price.input * input_tokens + price.output * output_tokens) / _PER


def cost(price: Price, usage: Tokens) -> float:
    """USD for what was counted; what a provider did not count costs nothing."""
    cached, written = usage.cached or 0, usage.cache_write or 0
    plain = max((usage.input or 0) - cached - written, 0)
    return (
        price.input * plain
        + price.cache_read * cached
        + price.cache_write * written
        + price.output * (usage.output or 0)
    ) / _PER


def money(usd: float) -> str:
    """An amount as `"$0.0002"`; two significant digits where four decimals would show zero."""
    if -_SMALLEST < usd < _SMALLEST and usd:
        return f"${usd:.{_decimals(usd)}f}"
    return f"${usd:.4f}"


def percent(share: float) -> str:
    """A share as `"99.4%"`."""
    return f"{share * 100:.1f}%"


def _decimals(usd: float) -> int:
    exponent = int(f"{usd:e}".partition("e")[2])
    return 1 - exponent
