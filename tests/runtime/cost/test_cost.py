"""What tokens cost and how money is written."""

from __future__ import annotations

import msgspec
import pytest

from runtime.cost import cost, estimate, money, percent
from runtime.shape import IMAGE_TOKENS
from runtime.usage import Usage
from runtime.vocabulary import Price

PRICE = Price(input=4.0, output=20.0, cache_read=0.5, cache_write=5.0)
SEEING = Price(input=4.0, output=20.0, cache_read=0.5, cache_write=5.0, image=0.01, image_tokens=8)


def test_an_estimate_takes_the_whole_prompt_at_the_plain_price():
    assert estimate(PRICE, 1_000_000, 500_000) == pytest.approx(14.0)


def test_cached_and_cache_written_tokens_are_part_of_the_prompt_at_their_own_price():
    counted = Usage(1_000_000, 100_000, cached=600_000, cache_write=200_000)
    found = cost(PRICE, counted)
    assert found.input == pytest.approx(0.8 + 0.3 + 1.0)
    assert (found.output, found.image) == (pytest.approx(2.0), 0.0)
    assert found.total == pytest.approx(0.8 + 0.3 + 1.0 + 2.0)


def test_reasoning_is_part_of_the_output_and_costs_nothing_more():
    assert cost(PRICE, Usage(0, 1_000, reasoning=900)) == cost(PRICE, Usage(0, 1_000))


def test_image_tokens_are_part_of_the_prompt_at_their_own_price_and_images_come_on_top():
    found = cost(SEEING, Usage(1_000_000, 0, cached=100_000, image=300_000), images=2)
    assert found.input == pytest.approx(0.6 * 4 + 0.1 * 0.5)
    assert found.image == pytest.approx(0.3 * 8 + 2 * 0.01)


def test_image_tokens_without_a_price_of_their_own_cost_as_the_rest_of_the_prompt():
    assert cost(PRICE, Usage(1_000, 0, image=300)) == cost(PRICE, Usage(1_000, 0))
    free = msgspec.structs.replace(SEEING, image=0.0, image_tokens=0.0)
    assert cost(free, Usage(1_000_000, 0, image=300_000)).total == pytest.approx(0.7 * 4)


@pytest.mark.parametrize(
    ("counts", "usd"),
    [
        # what one provider tells: more cached than there is prompt
        ({"cached": 157}, 29 * 0.5),
        ({"cached": 20, "cache_write": 20}, 20 * 0.5 + 9 * 5),
        ({"cached": 20, "image": 29}, 20 * 0.5 + 9 * 8),
        ({"cache_write": 40, "image": 40}, 29 * 5),
    ],
)
def test_parts_of_a_prompt_are_never_more_than_it(counts, usd):
    assert cost(SEEING, Usage(29, 0, **counts)).total == pytest.approx(usd / 1_000_000)


def test_what_was_not_counted_costs_nothing():
    assert cost(PRICE, Usage()).total == 0.0


def test_an_estimate_counts_images_at_their_price_and_their_tokens_at_theirs():
    """Of the tokens 1,500 are each image's."""
    with_two = estimate(SEEING, 10_000, 0, images=2)
    assert with_two == pytest.approx((7_000 * 4 + 3_000 * 8) / 1_000_000 + 2 * 0.01)
    assert estimate(PRICE, 10_000, 0, images=2) == estimate(PRICE, 10_000, 0)
    # a shape may say that there are images and not how large the request is
    assert estimate(SEEING, 100, 0, images=1) == pytest.approx(100 * 8 / 1_000_000 + 0.01)


def test_an_estimate_is_exact_where_images_are_nearly_all_there_is():
    dear = msgspec.structs.replace(SEEING, input=75.0, output=0.075, image=0.0, image_tokens=0.0)
    assert estimate(dear, IMAGE_TOKENS, 1, images=1) == estimate(dear, 0, 1) == 0.075 / 1e6


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0.0002, "$0.0002"), (0, "$0.0000"), (12.3, "$12.3000"), (0.000041, "$0.000041")],
)
def test_money_shows_four_decimals_or_what_is_left_of_less(usd, text):
    assert money(usd) == text


def test_a_share_has_one_decimal():
    assert percent(0.9941) == "99.4%"
