"""What tokens and images cost, and how money is written. It knows prices, not who pays."""

from __future__ import annotations

from typing import Protocol

import msgspec

from runtime.shape import IMAGE_TOKENS
from runtime.vocabulary import Price

_PER = 1_000_000
_SMALLEST = 0.0001  # below it four decimals would show nothing


class Tokens(Protocol):
    """What an upstream counted. `input` is the whole prompt: cached, newly cached, images."""

    @property
    def input(self) -> int | None: ...
    @property
    def output(self) -> int | None: ...
    @property
    def cached(self) -> int | None: ...
    @property
    def cache_write(self) -> int | None: ...
    @property
    def image(self) -> int | None: ...


class Cost(msgspec.Struct, frozen=True, gc=False):
    """USD of one answer. `image` is all that images came to, `input` the prompt without that."""

    input: float
    output: float
    image: float
    total: float


def cost(price: Price, usage: Tokens, images: int = 0) -> Cost:
    """What was counted at its price, and `images` at the price of one each.

    What a provider did not count costs nothing. Cached and cache-written tokens are told apart
    from the rest of the prompt first, image tokens then; together they are never more than it.
    Image tokens without a price of their own stay among the others.
    """
    plain, image = usage.input or 0, price.image * images
    read = wrote = 0.0
    if usage.cached:
        cached = min(usage.cached, plain)
        plain -= cached
        read = price.cache_read * cached
    if usage.cache_write:
        written = min(usage.cache_write, plain)
        plain -= written
        wrote = price.cache_write * written
    if usage.image and price.image_tokens is not None:
        seen = min(usage.image, plain)
        plain -= seen
        image += price.image_tokens * seen / _PER
    paid = (price.input * plain + read + wrote) / _PER
    output = price.output * (usage.output or 0) / _PER
    return Cost(paid, output, image, paid + output + image)


def estimate(price: Price, input_tokens: int, output_tokens: int, images: int = 0) -> float:
    """USD for amounts known beforehand, as if no cache held any of the prompt.

    `images` are among the input tokens, at the tokens that the estimate gives to each.
    """
    output = price.output * output_tokens
    if not images:
        return (price.input * input_tokens + output) / _PER
    seen = min(images * IMAGE_TOKENS, input_tokens)
    tokens = price.input * (input_tokens - seen) + image_tokens(price) * seen
    return (tokens + output) / _PER + price.image * images


def image_tokens(price: Price) -> float:
    """USD for a million image tokens."""
    return price.input if price.image_tokens is None else price.image_tokens


def money(usd: float) -> str:
    """An amount as `"$0.0002"`; two significant digits where four decimals would show zero."""
    return f"${usd:.{decimals(usd)}f}"


def decimals(usd: float) -> int:
    """How many decimals an amount is written with."""
    if not usd or not -_SMALLEST < usd < _SMALLEST:
        return 4
    exponent = int(f"{usd:e}".partition("e")[2])
    return 1 - exponent


def percent(share: float) -> str:
    """A share as `"99.4%"`."""
    return f"{share * 100:.1f}%"
