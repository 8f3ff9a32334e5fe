"""Counting tokens: the provider's figure where it has one, else ours, and always said which."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runtime.records.record import Record
from tests.runtime.serving.deployment import VAULT, WEB, ask
from tests.support.serving import Asked, Served

PATH = "/v1/messages/count_tokens"
BODY = ask("messages", "search", output_config={"effort": "high"})


def test_the_providers_count_is_asked_for_as_the_answer_would_be(router: Served):
    got = router.post(PATH, WEB, BODY, anthropic_version="2026-10-21")
    assert got.body == {"input_tokens": 321}
    assert got.trace["count"] == "upstream"
    asked = router.last()
    assert asked.path == "/v1/messages/count_tokens"
    assert asked.headers["anthropic-version"] == "2026-10-21"
    assert asked.body["model"] == "searching-upstream-1"
    assert "output_config" not in asked.body
    assert got.dropped == ["reasoning.high"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b'{"input_tokens": "many"}'),
        httpx.Response(200, content=b'{"input_tokens": -1}'),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(500, content=b'{"input_tokens": 7}'),
        httpx.Response(401, content=b"<html>"),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.content[:20]!r}",
)
def test_an_answer_that_is_no_count_is_made_up_for_by_our_estimate(router: Served, answer):
    router.answer = lambda asked: httpx.Response(
        answer.status_code, headers=answer.headers, content=answer.content
    )
    got = router.post(PATH, WEB, BODY)
    assert got.status == 200
    assert got.trace["count"] == "estimate"
    assert 20 < got.body["input_tokens"] < 60


def test_a_provider_that_cannot_be_reached_is_made_up_for_as_well(router: Served):
    def fail(asked: Asked) -> httpx.Response:
        raise httpx.ConnectError("no")

    router.answer = fail
    assert router.post(PATH, WEB, BODY).trace["count"] == "estimate"


def test_a_provider_without_such_a_path_is_asked_once(router: Served):
    router.answer = lambda asked: httpx.Response(404, content=b"not here")
    body = ask("messages", "plain")
    for _ in range(3):
        assert router.post(PATH, WEB, body).trace["count"] == "estimate"
    assert len(router.asked) == 1


class Kept(list[Record]):
    """A recorder that keeps the records."""

    take = list.append


@pytest.fixture
def rows(router: Served) -> Iterator[Kept]:
    """The rows that requests of the test leave."""
    assert router.state is not None
    router.state.recorders = (kept := Kept(),)
    yield kept
    router.state.recorders = ()


def test_a_count_leaves_a_row_that_says_whom_it_asked(router: Served, rows: Kept):
    router.post(PATH, WEB, BODY)
    (row,) = rows
    assert (row.kind, row.surface, row.status, row.outcome) == (
        "count-tokens",
        "messages",
        200,
        "ok",
    )
    assert (row.caller, row.group, row.target) == ("ada", "search", "searching")
    (asked,) = row.attempts
    assert (asked.target, asked.status, asked.kind) == ("searching", 200, None)
    assert (row.input, row.cost) == (None, None), "a count uses nothing"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(httpx.Response(500), "server"), (httpx.Response(200, json={}), "invalid")],
)
def test_the_row_of_an_estimate_says_why_there_was_no_count(
    router: Served, rows: Kept, answer, kind
):
    router.answer = lambda asked: httpx.Response(answer.status_code, content=answer.content)
    router.post(PATH, WEB, BODY)
    assert [(a.status, a.kind) for a in rows[0].attempts] == [(answer.status_code, kind)]
    assert (rows[0].status, rows[0].outcome) == (200, "ok")


def test_a_count_or_a_dry_run_that_is_refused_leaves_a_row_of_its_kind(router: Served, rows: Kept):
    router.post(PATH, WEB, b"{")
    router.post(PATH, WEB, ask("messages", "talk"))
    router.post("/v1/messages", WEB, b"{", x_dry_run="true")
    assert [(row.kind, row.status, row.code) for row in rows] == [
        ("count-tokens", 400, "invalid-request"),
        ("count-tokens", 502, "no-eligible-target"),
        ("dry-run", 400, "invalid-request"),
    ]


def test_who_may_not_ask_may_not_count(router: Served):
    got = router.post(PATH, VAULT, BODY)
    assert (got.status, got.error["code"]) == (403, "model-not-allowed")
    got = router.post(PATH, WEB, ask("messages", "talk"))
    assert (got.status, got.error["code"]) == (502, "no-eligible-target")
    assert got.trace["group"] == "talk"
    assert router.asked == []
