"""Chat streams, chunk by chunk, as the agents need them."""

import json

import pytest

from runtime.dialects.chat.encoder import Encoder, encode_whole
from runtime.events import (
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Finished,
    Opaque,
    Reasoning,
    Refusal,
    Started,
    Text,
    ToolCall,
    fold,
)
from runtime.opaque import unwrap
from runtime.usage import Usage
from tests.runtime.events.legal import REASONS, way
from tests.runtime.events.sdks import documents, frames_of, streamed, whole

FINISH_REASONS = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
    "context": "length",
}
DETAILS = [{"type": "reasoning.text", "text": "hm", "signature": "s", "index": 0}]
SIGNED = Opaque("messages", {"signature": "U0lHTkFUVVJF"})
USAGE = Usage(input=100, output=20, cached=40, reasoning=5)
LOGPROBS = ({"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []},)


def told(*events, reason="stop", usage=None, **more):
    """Every chunk of a stream."""
    encoder = Encoder(way("chat", **more))
    return documents(frames_of(encoder, [Started(), *events, Finished(reason, usage)]))


def block(index, kind, *texts, opaque=None):
    return [
        BlockStarted(index, kind),
        *(BlockDelta(index, text) for text in texts),
        BlockEnded(index, opaque),
    ]


def deltas(chunks):
    return [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]


@pytest.mark.parametrize("reason", REASONS)
def test_every_ending_has_its_finish_reason(reason):
    chunks = told(*block(0, Text(), "Hi"), reason=reason)
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + [FINISH_REASONS[reason]]


def test_a_refusal_in_words_ends_normally():
    chunks = told(*block(0, Refusal(), "I ", "cannot."), reason="refusal")
    assert deltas(chunks)[1:4] == [{"refusal": ""}, {"refusal": "I "}, {"refusal": "cannot."}]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_the_first_delta_says_who_speaks_and_no_other_does():
    roles = [delta.get("role") for delta in deltas(told(*block(0, Text(), "Hi")))]
    assert roles == ["assistant", None, None, None]


def test_all_chunks_are_of_one_answer():
    chunks = told(*block(0, Text(), "Hi"), usage=USAGE)
    heads = {(each["id"], each["created"], each["model"], each["object"]) for each in chunks}
    assert heads == {("chatcmpl-1a2b", 1_795_219_232, "coder", "chat.completion.chunk")}


def test_calls_are_announced_in_full_and_then_told_by_number():
    chunks = told(
        BlockStarted(0, Text()),
        BlockDelta(0, "Let me look."),
        BlockEnded(0),
        BlockStarted(1, ToolCall("a", "one")),
        BlockStarted(2, ToolCall("b", "two")),
        BlockDelta(2, '{"b":1}'),
        BlockDelta(1, "{}"),
        BlockEnded(1),
        BlockEnded(2),
        reason="tool_calls",
    )
    calls = [delta["tool_calls"][0] for delta in deltas(chunks) if "tool_calls" in delta]
    assert calls == [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "one", "arguments": ""}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "two", "arguments": ""}},
        {"index": 1, "function": {"arguments": '{"b":1}'}},
        {"index": 0, "function": {"arguments": "{}"}},
    ]


def test_a_custom_call_has_a_name_and_its_input():
    call = ToolCall("a", "apply_patch", custom=True)
    chunks = told(*block(0, call, "*** Begin"), reason="tool_calls")
    assert [delta["tool_calls"][0] for delta in deltas(chunks)[1:3]] == [
        {"index": 0, "id": "a", "type": "custom", "custom": {"name": "apply_patch", "input": ""}},
        {"index": 0, "custom": {"input": "*** Begin"}},
    ]


def test_texts_that_are_open_at_once_are_not_mixed():
    chunks = told(
        BlockStarted(0, Reasoning()),
        BlockStarted(1, Reasoning()),
        BlockStarted(2, Text()),
        BlockDelta(1, "second"),
        BlockDelta(2, "Hi"),
        BlockDelta(0, "first, "),
        BlockEnded(0),
        BlockEnded(1),
        BlockEnded(2),
    )
    thought = [delta.get("reasoning_content", "") for delta in deltas(chunks)]
    assert "".join(thought) == "first, second"
    assert deltas(chunks)[2] == {"content": "Hi"}  # it waits for no reasoning


def test_state_of_another_dialect_comes_in_an_envelope_its_domain_alone_can_open():
    chunks = told(
        *block(0, Reasoning(), "hm", opaque=SIGNED), *block(1, Reasoning(), opaque=SIGNED)
    )
    details = [each["reasoning_details"] for each in deltas(chunks) if "reasoning_details" in each]
    assert len(details) == 2
    for number, (detail,) in enumerate(details):
        assert unwrap(detail.pop("data"), "home") == SIGNED
        form = {"type": "reasoning.encrypted", "format": "interlock", "index": number}
        assert detail == form


def test_chats_own_details_are_as_they_came():
    chunks = told(*block(0, Reasoning(), "hm", opaque=Opaque("chat", {"details": DETAILS})))
    assert deltas(chunks)[2] == {"reasoning_details": DETAILS}


@pytest.mark.parametrize(("kind", "member"), [(Text(), "content"), (Refusal(), "refusal")])
def test_logprobs_stand_beside_the_words_they_are_of(kind, member):
    events = [BlockStarted(0, kind), BlockDelta(0, "Hi", LOGPROBS), BlockEnded(0)]
    logprobs = told(*events)[2]["choices"][0]["logprobs"]
    assert logprobs.pop(member) == list(LOGPROBS)
    assert list(logprobs.values()) == [None]
    answer = [Started(), *events, Finished("stop")]
    frames = frames_of(Encoder(way("chat")), answer)
    written = encode_whole(fold(answer), way("chat"))
    assert streamed("chat", frames)["logprobs"] == {member: list(LOGPROBS)}
    assert whole("chat", written)["logprobs"] == {member: list(LOGPROBS)}


def test_logprobs_of_a_call_do_not_hold_it_up():
    call = [BlockStarted(0, ToolCall("a", "f")), BlockDelta(0, "{}", LOGPROBS), BlockEnded(0)]
    chunk = told(*call, reason="tool_calls")[2]
    assert "logprobs" not in chunk["choices"][0]
    assert chunk["choices"][0]["delta"]["tool_calls"][0]["function"] == {"arguments": "{}"}


def test_usage_comes_in_a_chunk_of_its_own_for_who_asked():
    last = told(*block(0, Text(), "Hi"), usage=USAGE)[-1]
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": 100,
        "prompt_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 0},
        "completion_tokens": 20,
        "completion_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }


def test_usage_is_not_told_to_who_did_not_ask():
    chunks = told(*block(0, Text(), "Hi"), usage=USAGE, include_usage=False)
    assert not any("usage" in chunk for chunk in chunks)


def test_a_whole_answer_has_its_usage_unasked():
    answer = fold([Started(), *block(0, Text(), "Hi"), Finished("stop", USAGE)])
    body = json.loads(encode_whole(answer, way("chat", include_usage=False)))
    assert body["usage"]["total_tokens"] == 120


def test_content_is_null_beside_calls_and_a_string_otherwise():
    called = [Started(), *block(0, ToolCall("a", "f"), "{}"), Finished("tool_calls")]
    silent = [Started(), *block(0, Reasoning(), "hm"), Finished("length")]
    contents = [
        json.loads(encode_whole(fold(events), way("chat")))["choices"][0]["message"]["content"]
        for events in (called, silent)
    ]
    assert contents == [None, ""]


def test_a_stream_without_words_or_calls_says_that_there_are_none():
    chunks = told(*block(0, Reasoning(), "hm"), reason="length")
    assert deltas(chunks)[-1] == {"content": ""}


def test_comments_that_went_out_before_change_nothing():
    events = [Started(), *block(0, Text(), "Hi"), Finished("stop")]
    adopted = Encoder(way("chat"))
    adopted.adopt("chatcmpl-1a2b", 1, 7)
    assert frames_of(adopted, events) == frames_of(Encoder(way("chat")), events)
    assert adopted.next_number == 0
