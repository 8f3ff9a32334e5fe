"""Every recorded answer of a real provider is understood, streamed and whole, in the same words."""

import json

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from runtime.events import ToolCall, fold
from tests.runtime.answers.recordings import documents, recordings, streams
from tests.runtime.events.accumulated import accumulated
from tests.runtime.events.decoding import decoded, decoder, described, lines, watched

DIALECTS = ("chat", "responses", "messages")
STREAMS = streams()
WHOLE = [r for r in recordings() if not r.streaming and r.status == 200]
# Small ones, so that every byte boundary can be tried; some of each dialect.
SAMPLE = [
    recording
    for name in DIALECTS
    for recording in sorted((r for r in STREAMS if r.dialect == name), key=lambda r: len(r.body))[
        :4
    ]
]
# Why the stream and the whole answer made of it may be understood differently.
APART = {
    "chat/vercel-gateway__tool-result-reasoning__1.sse": "sealed reasoning comes after the text",
    "responses/openai__shell__1.sse": "shortened by hand: the deltas are not those of the text",
}
# What the SDK cannot add up.
UNREADABLE = {
    "chat/mistral__reasoning__2.sse": "content is a list of parts",
    "chat/mistral__reasoning__3.sse": "content is a list of parts",
}


class _Text(SingleFileSnapshotExtension):
    file_extension = "txt"
    _write_mode = WriteMode.TEXT


def named(recordings):
    return pytest.mark.parametrize("recording", recordings, ids=lambda recording: recording.file)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_understood_of_every_recorded_stream(dialect, snapshot):
    pages = []
    for recording in (r for r in STREAMS if r.dialect == dialect):
        making = decoder(dialect)
        events = decoded(making, watched(recording))
        pages.append(described(recording.file, events, making.unknown))
    assert "\n".join(pages) == snapshot(extension_class=_Text)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_understood_of_every_recorded_whole_answer(dialect, snapshot):
    pages = [
        described(recording.file, decoder(dialect).whole(recording.body), {})
        for recording in WHOLE
        if recording.dialect == dialect and not _waits(recording)
    ]
    assert "\n".join(pages) == snapshot(extension_class=_Text)


@named(SAMPLE)
def test_it_does_not_matter_at_which_byte_a_stream_was_split(recording):
    body = recording.body
    whole = decoded(decoder(recording.dialect), watched(recording))
    for at in range(1, len(body), 7):
        pieces = watched(recording, body[:at], body[at:])
        assert decoded(decoder(recording.dialect), pieces) == whole, f"split at {at}"


@named([r for r in STREAMS if r.file not in APART | UNREADABLE])
def test_a_stream_says_what_the_whole_answer_says_that_it_adds_up_to(recording):
    streamed = fold(decoded(decoder(recording.dialect), watched(recording)))
    body = accumulated(recording.dialect, documents(recording.body))
    assert comparable(streamed) == comparable(fold(decoder(recording.dialect).whole(body)))


@named([r for r in STREAMS if r.file in APART])
def test_a_stream_is_excused_only_while_it_says_something_else(recording):
    streamed = fold(decoded(decoder(recording.dialect), watched(recording)))
    body = accumulated(recording.dialect, documents(recording.body))
    assert comparable(streamed) != comparable(fold(decoder(recording.dialect).whole(body)))


@pytest.mark.parametrize("number", [1, 2])
def test_thinking_between_tags_is_reasoning_where_a_skin_says_so(number):
    file = f"chat/huggingface__truncated-reasoning__{number}.json"
    recording = next(r for r in recordings() if r.file == file)
    content = json.loads(recording.body)["choices"][0]["message"]["content"]
    assert content.startswith("<think>")

    plain = decoder("chat").whole(recording.body)
    thought = decoder("chat", think=True).whole(recording.body)

    assert lines(plain) == [f"text: {content}", "length"]
    reasoning, _, text = content.removeprefix("<think>").partition("</think>")
    spoken = [f"text: {text}"] if text else []
    assert lines(thought) == [f"reasoning: {reasoning}", *spoken, "length"]


def _waits(recording):
    """A background answer that is not there yet, which no bridge asks for."""
    return json.loads(recording.body).get("status") in ("queued", "in_progress")


def comparable(answer):
    """What both must have in common: ids and seals change between a provider's own two forms, log
    probabilities are only in the deltas of some, and arguments are spelt anew.
    """
    parts = [(part.block, _said(part), part.opaque is not None) for part in answer.parts]
    return parts, answer.reason, answer.stop_sequence


def _said(part):
    if isinstance(part.block, ToolCall) and not part.block.custom:
        return json.loads(part.text or "{}")
    return part.text
