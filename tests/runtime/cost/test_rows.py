"""What a row says that an answer has cost, held against sums worked out by hand.

Prices in USD per million: paid 4 in, 20 out, 0.50 from the cache, 5 into it, 8 per image token,
0.002 USD per image; the baseline 10 in (cached or not), 50 out, 0.01 USD per image. So a token at
a price of 4 is 4 millionths of a dollar, and all amounts below are in millionths.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import httpx
import pytest

from runtime.records.record import Record
from tests.runtime.cost.deployment import ADA, SURFACES, Rows, answered, ask, replay
from tests.support.serving import PATHS, Served

MILLIONTH = 1e-6


class Case(NamedTuple):
    """A recorded answer, the images of its request, and the sums."""

    file: str
    input: float
    output: float
    image: float
    baseline: float
    reported: float | None = None
    images: int = 0

    @property
    def dialect(self) -> str:
        return self.file.partition("/")[0]

    @property
    def total(self) -> float:
        return self.input + self.output + self.image


CASES = (
    # 526 read, 512 of them cached; 27 written and 72 of reasoning beside them: 625 in all
    Case("chat/xai__tool-result-reasoning__1.json",
         14 * 4 + 512 * 0.5, 99 * 20, 0, 526 * 10 + 99 * 50, 161.54),
    # 441 read, 153 of them cached; 267 written, 199 of them reasoning
    Case("chat/openrouter__parallel-tools-reasoning__2.sse",
         288 * 4 + 153 * 0.5, 267 * 20, 0, 441 * 10 + 267 * 50, 198.75),
    # 1,420 read, 1,280 of them cached; 100 written
    Case("chat/openai__truncated__1.sse", 140 * 4 + 1280 * 0.5, 100 * 20, 0, 1420 * 10 + 100 * 50),
    # 438 read, 16 written; an image
    Case("chat/openai__truncated-image__1.json",
         438 * 4, 16 * 20, 2000, 438 * 10 + 16 * 50 + 10_000, images=1),
    # 8 read, 5 written; what it reports is a sum with a fee in it, beside its parts
    Case("chat/perplexity__web-search__1.sse", 8 * 4, 5 * 20, 0, 8 * 10 + 5 * 50, 5010),
    # 100 read, 5 more put into the cache, 2 more read from it; 21 written
    Case("messages/anthropic__cache__1.json",
         100 * 4 + 5 * 5 + 2 * 0.5, 21 * 20, 0, 107 * 10 + 21 * 50),
    # 3 read and 1,636 more put into the cache; 4 written
    Case("messages/anthropic__file__3.sse", 3 * 4 + 1636 * 5, 4 * 20, 0, 1639 * 10 + 4 * 50),
    # 3 read and 1,636 more out of the cache; 4 written
    Case("messages/anthropic__file__4.sse", 3 * 4 + 1636 * 0.5, 4 * 20, 0, 1639 * 10 + 4 * 50),
    # 83 read, 9 written; two images
    Case("messages/anthropic__image__3.sse",
         83 * 4, 9 * 20, 4000, 83 * 10 + 9 * 50 + 20_000, images=2),
    # 254 read, 192 of them cached; 221 written, 212 of them reasoning
    Case("responses/xai__structured-encrypted-reasoning__1.json",
         62 * 4 + 192 * 0.5, 221 * 20, 0, 254 * 10 + 221 * 50, 668.4),
    # 1,220 read, 1,217 of them put into the cache; 100 written
    Case("responses/openai__truncated-reasoning__1.json",
         3 * 4 + 1217 * 5, 100 * 20, 0, 1220 * 10 + 100 * 50),
    # 595 read, 384 of them cached; 106 written
    Case("responses/xai__tool-call-encrypted-reasoning__2.sse",
         211 * 4 + 384 * 0.5, 106 * 20, 0, 595 * 10 + 106 * 50, 605.55),
    # 101 read, 4 written; an image
    Case("responses/openrouter__image__1.sse",
         101 * 4, 4 * 20, 2000, 101 * 10 + 4 * 50 + 10_000, 46.8, images=1),
)  # fmt: skip


WHOLE = [case for case in CASES if case.file.endswith(".json")]


def money(row: Record) -> tuple[float | None, ...]:
    """All sums of a row."""
    return (
        row.cost_input,
        row.cost_output,
        row.cost_image,
        row.cost,
        row.cost_baseline,
        row.savings,
        row.cost_reported,
    )


def expected(case: Case) -> tuple[object, ...]:
    sums = (case.input, case.output, case.image, case.total, case.baseline)
    told = (*sums, case.baseline - case.total)
    near = tuple(pytest.approx(amount * MILLIONTH) for amount in told)
    reported = case.reported
    return (*near, None if reported is None else pytest.approx(reported * MILLIONTH))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
@pytest.mark.parametrize("surface", SURFACES)
def test_a_row_holds_the_sums_natively_and_over_every_bridge(
    router: Served, rows: Rows, case: Case, surface: str
):
    router.answer = lambda asked: replay(case.file)
    stream = case.file.endswith(".sse")
    body = ask(surface, case.dialect, stream=stream, images=case.images)
    _, row = answered(router, rows, surface, body)
    assert (row.skin, row.bridge is None) == (case.dialect, surface == case.dialect)
    assert money(row) == expected(case)
    assert row.image_count == case.images


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.file)
@pytest.mark.parametrize("surface", SURFACES)
def test_an_answer_in_one_piece_costs_the_same_when_it_is_streamed_to_the_caller(
    router: Served, rows: Rows, case: Case, surface: str
):
    router.answer = lambda asked: replay(case.file)
    body = ask(surface, f"{case.dialect}-whole", stream=True, images=case.images)
    got, row = answered(router, rows, surface, body)
    assert got.headers["content-type"].startswith("text/event-stream")
    assert money(row) == expected(case)


@pytest.mark.parametrize("surface", SURFACES)
def test_image_tokens_have_their_own_price_where_there_is_one(
    router: Served, rows: Rows, surface: str
):
    """Of 101 tokens read 60 are the image's: at 8 instead of 4, and at the baseline's usual 10."""
    counted = (b'"cached_tokens":0', b'"cached_tokens":0,"image_tokens":60')
    router.answer = lambda asked: replay("responses/openrouter__image__1.sse", counted)
    _, row = answered(router, rows, surface, ask(surface, "responses", stream=True, images=1))
    assert row.image_tokens == 60
    assert row.cost_input == pytest.approx(41 * 4 * MILLIONTH)
    assert row.cost_image == pytest.approx((60 * 8 + 2000) * MILLIONTH)
    assert row.cost_baseline == pytest.approx((101 * 10 + 4 * 50 + 10_000) * MILLIONTH)


@pytest.mark.parametrize(("group", "baseline"), [("losing", 438 * 1 + 16 * 2), ("plain", None)])
def test_a_dearer_choice_than_the_baseline_has_negative_savings_and_none_without_one(
    router: Served, rows: Rows, group: str, baseline: float | None
):
    router.answer = lambda asked: replay("chat/openai__truncated-image__1.json")
    _, row = answered(router, rows, "chat", ask("chat", group))
    paid = 438 * 4 + 16 * 20
    assert row.cost == pytest.approx(paid * MILLIONTH)
    if baseline is None:
        assert (row.cost_baseline, row.savings) == (None, None)
    else:
        assert row.cost_baseline == pytest.approx(baseline * MILLIONTH)
        assert row.savings == pytest.approx((baseline - paid) * MILLIONTH)
        assert row.savings < 0


def test_without_a_price_tokens_are_counted_and_no_cost_is_made_up(router: Served, rows: Rows):
    router.answer = lambda asked: replay("chat/openrouter__text__1.json")
    _, row = answered(router, rows, "chat", ask("chat", "unknown"))
    assert (row.input, row.output) == (7, 236)
    assert money(row) == (None, None, None, None, None, None, pytest.approx(5240 * MILLIONTH))


def test_without_counts_nothing_is_known_of_the_cost(router: Served, rows: Rows):
    told = json.loads(replay("chat/openai__truncated-image__1.json").content)
    del told["usage"]
    router.answer = lambda asked: httpx.Response(200, json=told)
    _, row = answered(router, rows, "chat", ask("chat", "chat", images=1))
    assert row.input is None
    assert money(row) == (None,) * 7


def test_a_row_names_the_key_that_was_used_by_its_label(router: Served, rows: Rows):
    router.answer = lambda asked: replay("chat/openrouter__text__1.json")
    _, row = answered(router, rows, "chat", ask("chat", "chat"))
    assert row.key_id == "team-key-7"


def test_the_cost_header_is_the_sum_of_the_row(router: Served, rows: Rows):
    router.answer = lambda asked: replay("chat/openai__truncated-image__1.json")
    got, row = answered(router, rows, "chat", ask("chat", "chat", images=1))
    # 438 * 4 + 16 * 20 millionths, and 0.002 for the image
    assert got.trace["cost"] == "$0.0041"
    assert row.cost == pytest.approx(0.004072)


# --- beforehand --------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", SURFACES)
def test_an_estimate_counts_images_and_what_they_are_worth_in_tokens(
    router: Served, rows: Rows, surface: str
):
    """1,500 tokens for each image at 8, the rest at 4, and 1,024 to be written, at 20."""
    router.answer = lambda asked: replay("chat/openai__truncated-image__1.json")
    body = ask(surface, "chat", images=2)
    routing = router.post(PATHS[surface], ADA, body, x_dry_run="true").body["routing"]
    tokens = routing["shape"]["input_tokens"]
    assert tokens > 3000
    output = min(routing["shape"]["cap"] or 1024, 1024)
    paid = ((tokens - 3000) * 4 + 3000 * 8 + output * 20) * MILLIONTH + 2 * 0.002
    usual = (tokens * 10 + output * 50) * MILLIONTH + 2 * 0.01
    assert routing["estimatedCost"] == {
        "selected": f"${paid:.4f}",
        "baseline": f"${usual:.4f}",
        "savings": f"{(1 - paid / usual) * 100:.1f}%",
    }
    got, _ = answered(router, rows, surface, body)
    assert (got.trace["cost-estimate"], got.trace["savings"]) == (
        routing["estimatedCost"]["selected"],
        routing["estimatedCost"]["savings"],
    )
