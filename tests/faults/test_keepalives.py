"""While an upstream is silent the caller gets signs of life, in the form its client counts."""

from __future__ import annotations

import pytest

from tests.faults.answers import DIALECTS, TEXT
from tests.faults.drivers import Verdict, read_stream
from tests.support.wire import Answer

# The upstream's own opening of Responses holds one `response.in_progress`.
FEWEST = 3


def silent(outcomes, behaviour: str, dialect: str, place: str = "alone") -> Answer:
    answer = outcomes[f"{behaviour}/{dialect}/streamed/{place}"]
    assert isinstance(answer, Answer), answer
    return answer


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "behaviour", ["silent-then-good", "silent-after-head-then-good", "silent-mid-stream-then-good"]
)
def test_a_silent_upstream_is_covered_by_pings(behaviour, dialect, outcomes):
    transcript = read_stream(dialect, silent(outcomes, behaviour, dialect))
    assert transcript.pings >= FEWEST
    assert transcript.verdict() is Verdict.COMPLETE
    assert transcript.text == TEXT


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_quick_answer_has_no_pings(dialect, outcomes):
    transcript = read_stream(dialect, silent(outcomes, "good", dialect))
    assert transcript.pings == (1 if dialect == "responses" else 0)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("behaviour", ["silent-then-reset", "silent-then-503"])
def test_pings_do_not_forbid_a_fallback(behaviour, dialect, outcomes):
    transcript = read_stream(dialect, silent(outcomes, behaviour, dialect, "pair"))
    assert transcript.pings >= FEWEST
    assert transcript.violations == []
    assert transcript.verdict() is Verdict.COMPLETE
    assert transcript.text == TEXT


def test_pings_of_messages_are_ping_events(outcomes):
    transcript = read_stream("messages", silent(outcomes, "silent-then-good", "messages"))
    assert transcript.names.count("ping") == transcript.pings


def test_pings_of_responses_are_events_because_codex_does_not_count_comments(outcomes):
    answer = silent(outcomes, "silent-then-good", "responses")
    transcript = read_stream("responses", answer)
    assert transcript.names[0] == "response.created"
    assert transcript.names.count("response.in_progress") >= FEWEST
    assert not answer.body.startswith(b":")


def test_pings_of_chat_are_comments(outcomes):
    answer = silent(outcomes, "silent-then-good", "chat")
    assert answer.body.startswith(b":")


def test_a_late_answer_keeps_the_id_that_was_announced(outcomes):
    transcript = read_stream("responses", silent(outcomes, "silent-then-good", "responses"))
    ids = {event["response"]["id"] for event in transcript.events if "response" in event}
    numbers = [event["sequence_number"] for event in transcript.events]
    assert len(ids) == 1
    assert numbers == list(range(len(numbers)))
