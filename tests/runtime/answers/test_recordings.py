"""Every recorded answer of a real provider passes through, byte for byte but for the model name."""

import json
from collections import Counter

import pytest

from runtime.dialects.answer import content_matches
from runtime.errors import UpstreamError
from tests.runtime.answers.recordings import (
    ASKED,
    BROKEN,
    dialect,
    document_of,
    documents,
    expected,
    recordings,
    renamed,
    streams,
    watcher,
)

STREAMS = streams()
WHOLE = [r for r in recordings() if not r.streaming and r.status == 200]
FAILED = [r for r in recordings() if r.status != 200]
# Small ones, so that every byte boundary can be tried; nine of each dialect.
SAMPLE = [
    recording
    for name in ("chat", "responses", "messages")
    for recording in sorted(
        (r for r in STREAMS if r.dialect == name), key=lambda recording: len(recording.body)
    )[:9]
]


TERMINATORS = ("message_stop", "response.completed", "response.incomplete")


def named(recordings):
    return pytest.mark.parametrize("recording", recordings, ids=lambda recording: recording.file)


def run(stream_watcher, *pieces):
    out = b"".join(stream_watcher.feed(piece) for piece in pieces)
    return out + stream_watcher.eof()


@named(STREAMS)
def test_a_stream_passes_byte_for_byte_but_for_the_model_name(recording):
    seen = watcher(recording)
    assert run(seen, recording.body) == expected(recording)
    assert (seen.done, seen.committed, seen.error) == (True, True, None)


@named([r for r in STREAMS if len(r.body) < 20_000])
def test_a_stream_that_comes_byte_by_byte_passes_alike(recording):
    body = recording.body
    seen = watcher(recording)
    assert run(seen, *(body[at : at + 1] for at in range(len(body)))) == expected(recording)
    assert seen.done


@named(STREAMS)
def test_a_stream_that_comes_event_by_event_passes_alike(recording):
    seen = watcher(recording)
    assert run(seen, *recording.events) == expected(recording)
    assert seen.usage == seen_whole(recording).usage


@named(SAMPLE)
def test_it_does_not_matter_at_which_byte_a_stream_is_split(recording):
    body, whole = recording.body, expected(recording)
    for at in range(len(body) + 1):
        assert run(watcher(recording), body[:at], body[at:]) == whole, f"split at {at}"


@named(STREAMS)
def test_a_stream_cut_before_its_terminator_is_never_taken_for_finished(recording):
    events, whole = recording.events, expected(recording)
    for count in range(events_until_complete(recording)):
        prefix = b"".join(events[:count])
        for end_cleanly in (True, False):
            seen = watcher(recording)
            out = seen.feed(prefix)
            if end_cleanly:
                out += seen.eof()
            else:
                seen.broken(ConnectionResetError("reset by peer"))
            assert not seen.done, f"{count} events"
            assert seen.error is not None
            assert seen.error.retryable is not seen.committed
            assert bool(out) is seen.committed
            assert whole.startswith(out)


@named(streams(broken=True))
def test_a_stream_that_failed_upstream_never_looks_finished(recording):
    seen = watcher(recording)
    out = run(seen, recording.body)
    assert not seen.done, BROKEN[recording.file]
    assert seen.error is not None
    assert b"[DONE]" not in out
    assert b'"error"' not in out.replace(b'"error":null', b"")


@named([r for r in STREAMS if r.dialect == "chat"])
def test_usage_we_asked_for_ourselves_is_hidden_and_all_else_stays(recording):
    seen = watcher(recording, hide_usage=True)
    out = run(seen, recording.body)
    wanted = []
    for document in documents(expected(recording)):
        if not document["choices"] and document.get("usage"):
            continue
        document.pop("usage", None)
        wanted.append(document)
    assert list(documents(out)) == wanted
    assert seen.usage == seen_whole(recording).usage
    assert out.endswith(b"data: [DONE]\n\n")
    assert Counter(out) <= Counter(expected(recording)), "bytes were only taken away"


@named(WHOLE)
def test_an_answer_in_one_piece_passes_byte_for_byte_but_for_the_model_name(recording):
    whole = dialect(recording).whole(recording.body, ASKED)
    assert whole.body == renamed(recording.body, recording.dialect)
    reports_usage = bool(json.loads(recording.body).get("usage"))
    assert (whole.usage is not None) is reports_usage


@named(FAILED)
def test_an_error_body_sent_with_status_200_is_no_answer(recording):
    with pytest.raises(UpstreamError):
        dialect(recording).whole(recording.body, ASKED)


@named([r for r in recordings() if r.content_type and r.status == 200])
def test_every_recorded_content_type_is_the_form_that_was_asked_for(recording):
    kind = recording.content_type
    assert content_matches(streaming=recording.streaming, content_type=kind)
    assert not content_matches(streaming=not recording.streaming, content_type=kind)


@named([r for r in STREAMS if r.dialect == "responses"])
def test_after_a_head_start_the_winner_continues_the_response_the_caller_knows(recording):
    seen = watcher(recording, response_id="resp_ours")
    out = seen.opening() + seen.ping() + run(seen, recording.body)
    events = list(documents(out))
    created = [e for e in events if e["type"] == "response.created"]
    assert len(created) == 1
    assert {e["response"]["id"] for e in events if "response" in e} == {"resp_ours"}
    numbers = [e["sequence_number"] for e in events if "sequence_number" in e]
    assert numbers == list(range(len(numbers)))
    begun = ("response.created", "response.queued", "response.in_progress")
    assert [e["type"] for e in events[2:]] == [
        e["type"] for e in documents(recording.body) if e["type"] not in begun
    ]


@named([r for r in STREAMS if r.dialect == "responses"])
def test_a_stateful_answer_has_our_id_wherever_its_own_stood(recording):
    seen = watcher(recording, rewrite_id=lambda upstream: f"resp_tag.{upstream}")
    out = run(seen, recording.body)
    for before, after in zip(documents(recording.body), documents(out), strict=True):
        if "response" in before:
            before, after = before["response"], after["response"]
            assert after["id"] == f"resp_tag.{before['id']}"
            previous = before.get("previous_response_id")
            assert after.get("previous_response_id") == (previous and f"resp_tag.{previous}")


def events_until_complete(recording):
    """How many events it takes until the dialect's own terminator is among them."""
    seen, finished = set(), set()
    for count, event in enumerate(recording.events, start=1):
        document = document_of(event)
        if not isinstance(document, dict):
            continue
        if recording.dialect == "chat":
            for choice in document["choices"]:
                seen.add(choice["index"])
                if choice.get("finish_reason"):
                    finished.add(choice["index"])
            if seen and seen == finished:
                return count
        elif document["type"] in TERMINATORS:
            return count
    raise AssertionError("the recording has no terminator")


def seen_whole(recording):
    seen = watcher(recording)
    run(seen, recording.body)
    return seen


def test_the_oracle_itself_would_notice_a_changed_byte():
    recording = next(r for r in STREAMS if r.dialect == "chat")
    assert document_of(recording.events[0])["model"] != ASKED
    assert expected(recording) != recording.body
