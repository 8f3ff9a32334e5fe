"""What each kind of request adds to which number, from records alone."""

from __future__ import annotations

import pytest

from runtime.metrics.board import Board
from runtime.metrics.counts import Counts
from runtime.metrics.families import FAMILIES, PER_SECOND, SECONDS
from runtime.metrics.samples import Sample, Samples, merge
from runtime.metrics.text import render
from tests.runtime.metrics.numbers import Series, attempt, read, record, total


def added_up(*records) -> Samples:
    counts = Counts()
    for one in records:
        counts.take(one)
    counts.fold()
    return counts.samples()


def counted(*records) -> Series:
    board = Board()
    for one in records:
        board.counts.take(one)
    return read(render(board.whole(board.ask()), "")[0])


def test_an_answered_request_is_counted_by_route_and_outcome():
    series = counted(record(), record(), record(group="search", surface="messages"))
    one = {"group": "plain", "surface": "chat", "target": "small", "status": "2xx", "outcome": "ok"}
    assert series["interlock_requests_total", tuple(sorted(one.items()))] == 2
    assert total(series, "interlock_requests_total") == 3
    assert total(series, "interlock_client_requests_total", client="codex", surface="chat") == 2
    assert total(series, "interlock_attempts_total", target="small", provider="one", kind="ok") == 3


def test_a_refusal_has_no_group_but_a_code():
    refused = {"group": None, "target": None, "provider": None, "attempts": (), "project": None}
    series = counted(record(**refused, status=401, code="invalid-api-key", outcome="error"))
    assert total(series, "interlock_requests_total", group="", target="", status="4xx") == 1
    assert total(series, "interlock_request_errors_total", code="invalid-api-key", group="") == 1
    assert total(series, "interlock_request_seconds_count") == 0
    assert total(series, "interlock_limits_refused_total") == 0


@pytest.mark.parametrize(
    "code", ["rpm-exceeded", "tpm-exceeded", "concurrency-exceeded", "budget-exceeded"]
)
def test_refusals_by_a_limit_are_counted_by_project(code):
    series = counted(record(attempts=(), target=None, status=429, code=code, outcome="error"))
    assert total(series, "interlock_limits_refused_total", code=code, project="web") == 1


def test_tokens_and_money_are_added_up():
    used = {"input": 1000, "output": 200, "cached": 300, "cache_write": 50, "reasoning": 40}
    money = {"cost": 0.25, "cost_baseline": 1.0, "savings": 0.75}
    series = counted(record(**used, **money), record(**used, **money), record(input=7))
    for kind, count in used.items():
        more = 7 if kind == "input" else 0
        labels = {"group": "plain", "target": "small", "kind": kind}
        assert total(series, "interlock_tokens_total", **labels) == 2 * count + more
    assert total(series, "interlock_cost_usd_total", project="web", target="small") == 0.5
    assert total(series, "interlock_baseline_cost_usd_total", group="plain") == 2.0
    assert total(series, "interlock_compared_cost_usd_total", group="plain") == 0.5


def test_an_answer_dearer_than_the_baseline_makes_no_counter_fall():
    series = counted(record(input=1, cost=3.0, cost_baseline=1.0, savings=-2.0))
    assert total(series, "interlock_baseline_cost_usd_total") == 1.0
    assert total(series, "interlock_compared_cost_usd_total") == 3.0


def test_times_are_seconds_in_buckets_that_hold_their_upper_end():
    series = counted(
        record(ms=1000.0, first_byte=100.0), record(ms=1000.1, first_byte=None, stream=True)
    )
    plain = {"group": "plain", "surface": "chat", "stream": "false"}
    assert total(series, "interlock_request_seconds_bucket", **plain, le="1.0") == 1
    assert total(series, "interlock_request_seconds_bucket", **plain, le="0.5") == 0
    streamed = plain | {"stream": "true"}
    assert total(series, "interlock_request_seconds_bucket", **streamed, le="1.0") == 0
    assert total(series, "interlock_request_seconds_bucket", **streamed, le="2.5") == 1
    assert total(series, "interlock_request_seconds_sum", **plain) == 1.0
    assert total(series, "interlock_first_byte_seconds_bucket", **plain, le="0.1") == 1
    assert total(series, "interlock_first_byte_seconds_count", **streamed) == 0
    assert total(series, "interlock_attempt_head_seconds_sum", target="small") == 0.8


def test_what_takes_longer_than_the_last_bucket_is_in_none_but_the_endless_one():
    series = counted(record(ms=1000 * SECONDS[-1] + 1))
    assert total(series, "interlock_request_seconds_bucket", le=str(SECONDS[-1])) == 0
    assert total(series, "interlock_request_seconds_bucket", le="+Inf") == 1


def test_the_speed_of_a_stream_is_its_tokens_by_the_time_behind_the_first():
    series = counted(
        record(stream=True, output=100, first_byte=1000.0, ms=3000.0),
        record(stream=False, output=100, first_byte=1000.0, ms=3000.0),
        record(stream=True, output=3, first_byte=1000.0, ms=3000.0),
        record(stream=True, output=100, first_byte=1000.0, ms=1001.0),
    )
    assert total(series, "interlock_output_tokens_per_second_count", target="small") == 1
    assert total(series, "interlock_output_tokens_per_second_sum", target="small") == 50.0
    assert total(series, "interlock_output_tokens_per_second_bucket", le=str(PER_SECOND[3])) == 0
    assert total(series, "interlock_output_tokens_per_second_bucket", le=str(PER_SECOND[4])) == 1


def test_a_fallback_is_counted_with_every_attempt_and_its_failure():
    first = attempt(target="large", provider="two", kind="overloaded", status=529, head=None)
    series = counted(record(attempts=(first, attempt())), record())
    labels = {"group": "plain", "target": "small", "outcome": "ok"}
    assert total(series, "interlock_fallbacks_total", **labels) == 1
    assert total(series, "interlock_fallbacks_total") == 1
    assert total(series, "interlock_attempts_total", target="large", kind="overloaded") == 1
    assert total(series, "interlock_attempts_total", target="small", kind="ok") == 2
    assert total(series, "interlock_attempt_head_seconds_count", target="large") == 0


def test_the_same_target_asked_again_is_no_fallback():
    first = attempt(kind="rate-limited", status=429)
    assert total(counted(record(attempts=(first, attempt()))), "interlock_fallbacks_total") == 0


@pytest.mark.parametrize("status", [0, 101, 599, 999])
def test_no_status_is_too_strange_to_be_counted(status):
    assert total(counted(record(status=status)), "interlock_requests_total") == 1


def test_every_request_is_counted_once_however_many_there_are_and_however_they_differ():
    used = {"input": 10, "output": 1, "cost": 0.25, "cost_baseline": 1.0, "savings": 0.75}
    kinds = [
        record(**used, group=group, status=status, client=client)
        for group in ("plain", "search", "stages")
        for status in range(200, 900)
        for client in ("codex", "claude-code")
    ]
    series = counted(*kinds, *reversed(kinds), record(kind="dry-run", attempts=()))
    number = 2 * len(kinds)
    assert total(series, "interlock_requests_total") == number
    assert total(series, "interlock_requests_total", group="search", status="2xx") == 400
    assert total(series, "interlock_client_requests_total", client="codex") == number / 2
    assert total(series, "interlock_request_seconds_count") == number
    assert total(series, "interlock_attempt_head_seconds_count") == number
    assert total(series, "interlock_tokens_total", kind="input") == 10 * number
    assert total(series, "interlock_cost_usd_total") == number / 4
    assert total(series, "interlock_other_calls_total") == 1


@pytest.mark.parametrize(
    "other",
    [
        {"group": "search"},
        {"surface": "messages"},
        {"target": "large"},
        {"project": "vault"},
        {"client": "claude-code"},
        {"stream": True},
        {"phase": "plan"},
        {"cache": "hit"},
        {"status": 404},
        {"outcome": "error"},
        {"code": "rpm-exceeded"},
        {"kind": "dry-run"},
        {"attempts": (attempt(target="large"),)},
        {"attempts": (attempt(provider="two"),)},
        {"attempts": (attempt(kind="timeout"),)},
    ],
    ids=str,
)
def test_requests_that_differ_in_one_word_count_as_each_does_alone(other):
    used = {"input": 3, "output": 100, "cost": 0.5, "cost_baseline": 1.0, "savings": 0.5}
    pair = record(**used), record(**(used | other))
    apart: Samples = {}
    for one in pair:
        merge(apart, added_up(one))
    assert added_up(*pair) == apart


def test_a_router_that_nobody_looks_at_keeps_little_of_many_requests():
    counts = Counts()
    for number in range(10_000):
        counts.take(record(group=str(number)))
    assert len(counts._waiting) < 200
    assert len(counts._tallies) <= 4096


def test_what_has_never_been_measured_has_no_line():
    never = {"interlock_first_byte_seconds", "interlock_attempt_head_seconds"}
    told = added_up(record(first_byte=None, attempts=(attempt(head=None),)))
    assert not never & told.keys()
    failed = added_up(record(outcome="error", status=500))
    assert "interlock_request_seconds" not in failed


def test_phases_and_the_cache_are_counted_where_there_are_any():
    series = counted(record(phase="plan", cache="hit", attempts=()), record(cache="miss"))
    assert total(series, "interlock_phase_requests_total", group="plain", phase="plan") == 1
    assert total(series, "interlock_cache_total", group="plain", state="hit") == 1
    assert total(series, "interlock_cache_total", group="plain", state="miss") == 1


@pytest.mark.parametrize("kind", ["dry-run", "count-tokens"])
def test_what_is_no_request_is_counted_apart(kind):
    series = counted(record(kind=kind, attempts=(), target=None))
    assert total(series, "interlock_other_calls_total", kind=kind, status="2xx") == 1
    assert total(series, "interlock_requests_total") == 0
    assert total(series, "interlock_request_seconds_count") == 0


def test_a_word_that_is_in_no_list_is_other():
    strange = "tell me a secret"
    series = counted(
        record(
            client=strange,
            outcome=strange,
            code=strange,
            cache=strange,
            attempts=(attempt(kind=strange),),
        )
    )
    assert strange not in str(series)
    assert total(series, "interlock_client_requests_total", client="other", outcome="other") == 1
    assert total(series, "interlock_request_errors_total", code="other") == 1
    assert total(series, "interlock_attempts_total", kind="other") == 1


def test_other_rooms_tell_their_numbers_with_every_look():
    board, now = Board(), {"value": 1}
    board.register(lambda: [Sample("interlock_cache_entries", (), now["value"])])
    assert board.whole(board.ask())["interlock_cache_entries"] == {(): 1}
    now["value"] = 5
    assert board.whole(board.ask())["interlock_cache_entries"] == {(): 5}


def raises():
    yield Sample("interlock_cache_entries", (), 1)
    raise RuntimeError


@pytest.mark.parametrize(
    "broken",
    [
        raises,
        lambda: [Sample("interlock_never_heard_of", (), 1)],
        lambda: [Sample("interlock_cache_entries", ("one", "label"), 1)],
    ],
)
def test_a_room_in_disorder_hides_no_other_and_is_counted(broken):
    board = Board()
    board.register(broken)
    board.register(lambda: [Sample("interlock_cache_bytes", (), 7)])
    told = board.whole(board.ask())
    assert told["interlock_cache_bytes"] == {(): 7}
    assert told["interlock_unread_sources_total"] == {(): 1}


def test_a_page_says_what_every_metric_means_and_of_which_kind_it_is():
    board = Board()
    board.counts.take(record(input=1, output=1, phase="plan", cache="hit", code="rpm-exceeded"))
    page, content_type = render(board.whole(board.ask()), "")
    assert content_type.startswith("text/plain; version=")
    lines = page.decode().splitlines()
    for name in board.whole(board.ask()):
        # in the older text format a counter's help stands under its full name
        assert f"# TYPE {name} {FAMILIES[name].kind}" in lines
        assert any(line.startswith(f"# HELP {name} ") for line in lines)


def test_openmetrics_is_written_for_those_who_ask():
    board = Board()
    board.counts.take(record())
    accept = "application/openmetrics-text; version=1.0.0, text/plain;q=0.5"
    page, content_type = render(board.whole(board.ask()), accept)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert page.endswith(b"# EOF\n")
