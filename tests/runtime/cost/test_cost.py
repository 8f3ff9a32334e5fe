"""What tokens cost and how money is written."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runtime.cost import cost, estimate, money, percent
from runtime.vocabulary import Price

PRICE = Price(input=4.0, output=20.0, cache_read=0.5, cache_write=5.0)


def used(**counts):
    return SimpleNamespace(
        **{"input": None, "output": None, "cached": None, "cache_write": None, **counts}
    )


def test_an_estimate_takes_the_whole_prompt_at_the_plain_price():
    assert estimate(PRICE, 1_000_000, 500_000) == pytest.approx(14.0)


def test_cached_and_cache_written_tokens_are_part_of_the_prompt_at_their_own_price():
    counted = used(input=1_000_000, output=100_000, cached=600_000, cache_write=200_000)
    assert cost(PRICE, counted) == pytest.approx(0.8 + 0.3 + 1.0 + 2.0)


def test_what_was_not_counted_costs_nothing():
    assert cost(PRICE, used()) == 0.0


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0.0002, "$0.0002"), (0, "$0.0000"), (12.3, "$12.3000"), (0.000041, "$0.000041")],
)
def test_money_shows_four_decimals_or_what_is_left_of_less(usd, text):
    assert money(usd) == text


def test_a_share_has_one_decimal():
    assert percent(0.9941) == "99.4%"
