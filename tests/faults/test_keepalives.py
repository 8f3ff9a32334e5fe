"""While an upstream is silent the caller gets signs of life, in the form its client counts."""

from __future__ import annotations

import pytest

from tests.faults.answers import TEXT
from tests.faults.drivers import Transcript, Verdict, read_stream
from tests.faults.table import WAYS, cells
from tests.support.wire import Answer

# The upstream's own opening of Responses holds one `response.in_progress`.
FEWEST = 3
FIRST_TO_SPEAK = {
    "chat": ": keep-alive",
    "responses": "event: response.created",
    "messages": "event: ping",
}

LATE = [cell for cell in cells() if cell.head_start]
LATE_FALLBACKS = [cell for cell in LATE if cell.falls_back]


def silent(outcomes, behaviour: str, way: str) -> Answer:
    answer = outcomes[f"{behaviour}/{way}/streamed/alone"]
    assert isinstance(answer, Answer), answer
    return answer


def transcript_of(outcomes, behaviour: str, way: str) -> Transcript:
    return read_stream(WAYS[way][0], silent(outcomes, behaviour, way))


def to_callers_of(dialect: str) -> pytest.MarkDecorator:
    ways = [way for way, (caller, _) in WAYS.items() if caller == dialect]
    return pytest.mark.parametrize("way", ways)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "behaviour", ["silent-then-good", "silent-after-head-then-good", "silent-mid-stream-then-good"]
)
def test_a_silent_upstream_is_covered_by_pings(behaviour, way, outcomes):
    transcript = transcript_of(outcomes, behaviour, way)
    assert transcript.pings >= FEWEST
    assert transcript.verdict() is Verdict.COMPLETE
    assert transcript.text == TEXT


@pytest.mark.parametrize("way", WAYS)
def test_the_first_sign_of_life_is_of_the_callers_dialect(way, outcomes):
    answer = silent(outcomes, "silent-then-good", way)
    assert answer.body.decode().startswith(FIRST_TO_SPEAK[WAYS[way][0]])


@pytest.mark.parametrize("way", WAYS)
def test_a_quick_answer_has_no_pings(way, outcomes):
    transcript = transcript_of(outcomes, "good", way)
    assert transcript.pings == (1 if WAYS[way][0] == "responses" else 0)


@pytest.mark.parametrize("cell", LATE_FALLBACKS, ids=lambda cell: cell.name)
def test_pings_do_not_forbid_a_fallback(cell, outcomes):
    transcript = read_stream(cell.dialect, outcomes[cell.name])
    assert transcript.pings >= FEWEST
    assert transcript.violations == []
    assert transcript.verdict() is Verdict.COMPLETE
    assert transcript.text == TEXT


@to_callers_of("messages")
def test_pings_of_messages_are_ping_events(way, outcomes):
    transcript = transcript_of(outcomes, "silent-then-good", way)
    assert transcript.names.count("ping") == transcript.pings


@to_callers_of("responses")
def test_pings_of_responses_are_events_because_codex_does_not_count_comments(way, outcomes):
    answer = silent(outcomes, "silent-then-good", way)
    transcript = read_stream("responses", answer)
    assert transcript.names.count("response.in_progress") >= FEWEST
    assert b"\n:" not in answer.body


@to_callers_of("chat")
def test_pings_of_chat_are_comments(way, outcomes):
    answer = silent(outcomes, "silent-then-good", way)
    pings = transcript_of(outcomes, "silent-then-good", way).pings
    assert answer.body.count(b": keep-alive\n\n") == pings


@pytest.mark.parametrize(
    "cell", [c for c in LATE if c.dialect == "responses"], ids=lambda cell: cell.name
)
def test_a_late_answer_keeps_the_id_that_was_announced(cell, outcomes):
    transcript = read_stream("responses", outcomes[cell.name])
    ids = {event["response"]["id"] for event in transcript.events if "response" in event}
    numbers = [event["sequence_number"] for event in transcript.events]
    assert len(ids) == 1
    assert numbers == list(range(len(numbers)))
    assert transcript.names.count("response.created") == 1
