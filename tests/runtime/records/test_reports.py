"""Reports and evidence out of real rows, from both databases."""

import datetime as dt

import pytest

from runtime.records.evidence import SECTIONS, evidence
from runtime.records.record import Attempt, Record
from runtime.records.report import KEYS, report
from runtime.records.rows import Wanted, count, read
from runtime.records.schema import REQUEST_COLUMNS, column
from tests.runtime.records.rows import batch, full, record

DAY = 86_400.0
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()
TRIED = Attempt(target="large", provider="acme", model="large-1", skin="chat")


def row(number, **more):
    known = {"user": "ada", "project": "web", "group": "coder", "target": "large", "status": 200}
    time = more.pop("time", NOON)
    made = record(number, **{"attempts": (TRIED,), "ms": 100.0, **known, **more})
    made.time = time
    return made


@pytest.fixture
def filled(store):
    store.insert(
        [
            batch(
                [
                    row(1, input=1000, output=50, cached=400, cost=0.5, ms=1000.0),
                    row(2, input=2000, output=50, cost=0.25, attempts=(TRIED, TRIED), ms=3000.0),
                    row(3, user="bob", status=502, outcome="error", ms=20.0),
                    row(4, user="bob", status=403, outcome="error", attempts=(), ms=1.0),
                    row(5, user="bob", cache="hit", output=50, cost=0.0, attempts=(), ms=2.0),
                    row(6, user="bob", outcome="client-gone", status=499),
                    row(7, user="eve", output=10, time=NOON + DAY, ms=500.0),
                    row(8, user="eve", kind="dry-run"),
                ]
            )
        ]
    )
    return store


def lines(made):
    return dict(made.lines)


def test_requests_tokens_and_money_are_added_up_by_user(filled):
    made = report(filled, ["user"], Wanted())
    ada = lines(made)["ada",]
    assert (ada.requests, ada.input, ada.output, ada.cached) == (2, 3000, 100, 400)
    assert ada.cost == pytest.approx(0.75)
    assert made.total.requests == 7


def test_what_no_upstream_was_asked_for_is_refused_and_not_failed(filled):
    bob = lines(report(filled, ["user"], Wanted()))["bob",]
    assert (bob.requests, bob.failed, bob.refused, bob.gone, bob.cache_hits) == (4, 1, 1, 1, 1)


def test_a_second_attempt_is_a_fallback(filled):
    made = report(filled, ["user"], Wanted())
    assert [lines(made)[name,].fallbacks for name in ("ada", "bob")] == [1, 0]


def test_tokens_per_second_leave_out_what_was_not_generated(filled):
    made = lines(report(filled, ["user"], Wanted()))
    assert made["ada",].tokens_per_second == pytest.approx(25.0)  # 100 tokens in 4 s
    assert made["bob",].tokens_per_second is None


def test_an_answer_without_a_price_is_not_free(filled):
    made = lines(report(filled, ["user"], Wanted()))
    assert [made[name,].unpriced for name in ("ada", "eve")] == [0, 1]


def test_days_are_those_of_utc_and_come_in_their_order(filled):
    made = report(filled, ["day"], Wanted())
    assert [keys for keys, _ in made.lines] == [("2026-11-20",), ("2026-11-21",)]
    assert [line.requests for _, line in made.lines] == [6, 1]


def test_dry_runs_count_only_where_they_are_asked_for(filled):
    assert count(filled, Wanted()) == 7
    assert count(filled, Wanted(kind="dry-run")) == 1
    assert count(filled, Wanted(kind=None)) == 8


@pytest.mark.parametrize(
    ("wanted", "requests"),
    [
        (Wanted(since=NOON + 1), 1),
        (Wanted(until=NOON + 1), 6),
        (Wanted(where={"user": "bob", "status": 200}), 1),
        (Wanted(where={"cache": None}), 6),
        (Wanted(where={"user": "nobody"}), 0),
    ],
)
def test_rows_are_chosen_by_time_and_by_field(filled, wanted, requests):
    assert report(filled, ["group"], wanted).total.requests == requests


def test_an_unknown_field_is_no_condition(filled):
    with pytest.raises(ValueError, match="`1=1; --` is no field"):
        count(filled, Wanted(where={"1=1; --": "x"}))


@pytest.mark.parametrize("key", KEYS)
def test_every_key_breaks_down_all_requests(filled, key):
    made = report(filled, [key], Wanted())
    assert sum(line.requests for _, line in made.lines) == 7


def test_a_percentile_is_a_time_that_was_measured(filled):
    line = report(filled, ["group"], Wanted(where={"user": "ada"})).total
    assert (line.percentile(0.5), line.percentile(0.95)) == (3000.0, 3000.0)
    assert line.percentile(0.4) == 1000.0


def test_rows_come_in_pieces_and_each_once(store, monkeypatch):
    monkeypatch.setattr("runtime.records.rows.PIECE", 50)
    store.insert([batch([row(n, attempts=()) for n in range(107)])])
    pieces = [len(rows) for rows in read(store, Wanted(), ["id"])]
    assert pieces == [50, 50, 7]
    assert report(store, ["group"], Wanted()).total.requests == 107


def test_evidence_holds_every_field_of_a_row(store):
    store.insert([batch([full()])])
    (found,) = evidence(store, "req_1")
    told = {field: value for section in found.sections for field, value in section.facts.items()}
    assert found.completeness == "complete"
    assert told["user"] == "ada"
    assert told["dropped"] == "top_k messages[].reasoning_content"
    assert [attempt["target"] for attempt in found.attempts] == ["large", "small"]
    assert "kind" in found.attempts[0]
    assert "kind" not in found.attempts[1]


def test_every_column_stands_in_a_section_of_the_evidence():
    fields = {column(field) for fields in SECTIONS.values() for field in fields}
    assert fields == set(REQUEST_COLUMNS) - {"row_id", "id", "time", "attempts"}


def test_evidence_says_what_is_missing_and_what_does_not_apply(store):
    answered = row(1, env="dev", caller="ada", posted="chat", plan=("large",))
    refused = Record(id="req_2", time=NOON, artifact="a" * 12, surface="chat", status=401)
    refused.outcome, refused.code = "error", "invalid-api-key"
    store.insert([batch([answered, refused])])
    (found,), (other,) = evidence(store, "req_1"), evidence(store, "req_2")
    standings = {section.name: section.standing for section in found.sections}
    assert (standings["tokens"], standings["cost"]) == ("missing", "missing")
    assert found.completeness == "partial"
    standings = {section.name: section.standing for section in other.sections}
    assert (standings["tokens"], standings["routing"]) == ("not_applicable", "not_applicable")


def test_an_id_that_was_used_twice_has_two_pages(store):
    store.insert([batch([row(1, time=NOON), row(1, time=NOON + 5, user="bob")])])
    assert [found.time[:19] for found in evidence(store, "req_1")] == [
        "2026-11-20T12:00:05",
        "2026-11-20T12:00:00",
    ]


def test_nothing_is_known_of_other_ids(store):
    store.insert([batch([full()])])
    assert evidence(store, "req_2") == []


def test_a_request_without_a_token_has_no_caller_to_miss(store):
    refused = record(1, status=401, code="invalid-api-key", outcome="error")
    odd = record(2, status=403, code="x", outcome="error")
    store.insert([batch([refused, odd])])
    (found,), (other,) = evidence(store, "req_1"), evidence(store, "req_2")
    assert found.sections[1].standing == "not_applicable"
    assert found.completeness == "complete"
    assert other.sections[1].standing == "missing"


@pytest.mark.parametrize("request_id", ["", "req_\x00", "req_\udcff", "x" * 100_000, "%", "'; --"])
def test_an_odd_id_finds_nothing_in_either_database(store, request_id):
    store.insert([batch([full()])])
    assert evidence(store, request_id) == []


def test_of_an_id_that_everybody_uses_the_newest_requests_are_told(store):
    store.insert([batch([row(1, time=NOON + n) for n in range(30)])])
    found = evidence(store, "req_1")
    assert [one.time[17:19] for one in found] == [f"{n:02}" for n in range(29, 9, -1)]
