"""Messages streams, event by event, as Claude Code needs them."""

import json

import pytest

from runtime.dialects.messages.encoder import Encoder, encode_whole
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
from runtime.opaque import UNSEALED, unwrap
from runtime.usage import Usage
from tests.runtime.events.legal import REASONS, way
from tests.runtime.events.recorded import accepted
from tests.runtime.events.sdks import documents, frames_of

STOP_REASONS = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "context": "model_context_window_exceeded",
}
SIGNED = Opaque("messages", {"signature": "U0lHTkFUVVJF"})
ENCRYPTED = Opaque("responses", {"id": "rs_1", "encrypted_content": "gAAA"})


def told(*events, reason="stop", usage=None, met=None):
    """The data of every event of a stream."""
    finished = Finished(reason, usage, met)
    return documents(frames_of(Encoder(way("messages")), [Started(), *events, finished]))


def block(index, kind, *texts, opaque=None):
    return [
        BlockStarted(index, kind),
        *(BlockDelta(index, text) for text in texts),
        BlockEnded(index, opaque),
    ]


def shapes(stream):
    return [
        (event["type"].removeprefix("content_block_"), event["index"])
        for event in stream
        if "index" in event
    ]


def heard(stream):
    """The events behind a recorded stream."""
    state = None
    for each in stream:
        match each:
            case {"type": "content_block_start", "index": index, "content_block": content}:
                call = ToolCall(content.get("id", ""), content.get("name", ""))
                kinds = {"text": Text(), "thinking": Reasoning()}
                yield BlockStarted(index, kinds.get(content["type"], call))
                state = None
            case {"delta": {"signature": signature}}:
                state = Opaque("messages", {"signature": signature})
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                yield BlockDelta(index, list(delta.values())[1])
            case {"type": "content_block_stop", "index": index}:
                yield BlockEnded(index, state)


@pytest.mark.parametrize(
    ("name", "reason"), [("text", "stop"), ("thinking_and_tool", "tool_calls")]
)
def test_a_stream_is_told_as_claude_code_took_it(name, reason):
    stream = [each for each in accepted("claude-code", name) if each["type"] != "ping"]
    message = stream[0]["message"]
    encoder = Encoder(way("messages", asked=message["model"], answer_id=message["id"]))
    ours = documents(frames_of(encoder, [Started(), *heard(stream), Finished(reason)]))
    for told_by_either in (stream, ours):
        told_by_either[0]["message"].pop("usage")
        told_by_either[-2].pop("usage")
    assert ours == stream


@pytest.mark.parametrize("reason", REASONS)
def test_every_ending_has_its_stop_reason(reason):
    met = "END" if reason == "stop_sequence" else None
    stream = told(*block(0, Text(), "Hi"), reason=reason, met=met)
    assert stream[-2]["delta"] == {"stop_reason": STOP_REASONS[reason], "stop_sequence": met}
    assert stream[-1] == {"type": "message_stop"}


def test_words_of_refusal_are_text_and_end_as_a_refusal():
    stream = told(*block(0, Refusal(), "I cannot help with that."))
    assert stream[1]["content_block"] == {"type": "text", "text": ""}
    assert stream[2]["delta"]["text"] == "I cannot help with that."
    assert stream[-2]["delta"]["stop_reason"] == "refusal"


def test_calls_that_are_open_at_once_come_out_one_after_the_other():
    stream = told(
        BlockStarted(0, ToolCall("a", "one")),
        BlockStarted(1, ToolCall("b", "two")),
        BlockStarted(2, Text()),
        BlockDelta(1, '{"b"'),
        BlockDelta(0, "{}"),
        BlockDelta(2, "done"),
        BlockEnded(2),
        BlockEnded(0),
        BlockDelta(1, ":1}"),
        BlockEnded(1),
        reason="tool_calls",
    )
    order = [("start", 0), ("delta", 0), ("stop", 0)]
    order += [("start", 1), ("delta", 1), ("delta", 1), ("stop", 1)]
    order += [("start", 2), ("delta", 2), ("stop", 2)]
    assert shapes(stream) == order


def test_the_first_open_block_streams_at_once_and_the_next_goes_on_when_it_has_ended():
    encoder = Encoder(way("messages"))
    encoder.feed(Started())
    assert len(encoder.feed(BlockStarted(0, ToolCall("a", "one")))) == 1
    assert encoder.feed(BlockStarted(1, ToolCall("b", "two"))) == []
    assert encoder.feed(BlockDelta(1, "{")) == []
    assert len(encoder.feed(BlockDelta(0, "{}"))) == 1
    assert len(encoder.feed(BlockEnded(0))) == 3  # its stop, the start and the text of the other
    assert len(encoder.feed(BlockDelta(1, "}"))) == 1


def test_hundreds_of_waiting_calls_are_told_in_order():
    count = 1500
    started = [BlockStarted(index, ToolCall(f"c{index}", "f")) for index in range(count)]
    ended = [BlockEnded(index) for index in reversed(range(count))]
    stream = told(*started, *ended, reason="tool_calls")
    ids = [each["content_block"]["id"] for each in stream if "content_block" in each]
    assert ids == [f"c{index}" for index in range(count)]


def test_tool_input_never_stands_in_the_start_of_its_block():
    stream = told(*block(0, ToolCall("a", "f"), '{"x":1}'), reason="tool_calls")
    assert stream[1]["content_block"] == {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    assert stream[2]["delta"] == {"type": "input_json_delta", "partial_json": '{"x":1}'}


def test_the_text_of_a_custom_tool_arrives_as_an_object():
    call = ToolCall("a", "apply_patch", custom=True)
    stream = told(*block(0, call, "*** Begin", ' "Patch"'), reason="tool_calls")
    assert json.loads(stream[2]["delta"]["partial_json"]) == {"input": '*** Begin "Patch"'}


# --- thinking ------------------------------------------------------------------------------------


def test_a_signature_of_messages_is_the_last_delta_as_it_came():
    stream = told(*block(0, Reasoning(), "hm", opaque=SIGNED))
    assert stream[3]["delta"] == {"type": "signature_delta", "signature": "U0lHTkFUVVJF"}
    assert shapes(stream)[-1] == ("stop", 0)


def test_state_of_another_dialect_comes_in_an_envelope_its_domain_alone_can_open():
    stream = told(*block(0, Reasoning(summary=True), "hm", opaque=ENCRYPTED))
    signature = stream[3]["delta"]["signature"]
    assert unwrap(signature, "home") == ENCRYPTED
    assert unwrap(signature, "elsewhere") is None


def test_state_without_words_is_a_thinking_block_without_words():
    stream = told(*block(0, Reasoning(), opaque=ENCRYPTED))
    assert stream[1]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
    assert shapes(stream) == [("start", 0), ("delta", 0), ("stop", 0)]


def test_thinking_without_state_is_marked_so_that_no_maker_of_signatures_takes_it_for_its_own():
    stream = told(*block(0, Reasoning(), "hm"))
    (delta,) = [e["delta"] for e in stream if "signature" in e.get("delta", ())]
    assert delta == {"type": "signature_delta", "signature": UNSEALED}
    assert shapes(stream) == [("start", 0), ("delta", 0), ("delta", 0), ("stop", 0)]


def test_redacted_thinking_arrives_whole():
    redacted = Opaque("messages", {"redacted": "cmVk"})
    stream = told(*block(0, Reasoning(), opaque=redacted))
    assert stream[1]["content_block"] == {"type": "redacted_thinking", "data": "cmVk"}
    assert shapes(stream) == [("start", 0), ("stop", 0)]


def test_words_before_redacted_thinking_are_a_block_of_their_own():
    redacted = Opaque("messages", {"redacted": "cmVk"})
    stream = told(*block(0, Reasoning(), "hm", opaque=redacted))
    order = [("start", 0), ("delta", 0), ("stop", 0), ("start", 1), ("stop", 1)]
    assert shapes(stream) == order


def test_a_name_of_messages_in_the_state_of_another_dialect_means_nothing():
    strange = Opaque("responses", {"redacted": "x", "signature": "y"})
    stream = told(*block(0, Reasoning(), opaque=strange))
    assert unwrap(stream[2]["delta"]["signature"], "home") == strange


# --- what is left out, what is counted -----------------------------------------------------------


def test_blocks_that_say_nothing_leave_no_trace():
    silent = [*block(0, Text()), *block(1, Reasoning()), *block(3, Text())]
    events = [*silent[:4], *block(2, Text(), "Hi"), *silent[4:]]
    assert shapes(told(*events)) == [("start", 0), ("delta", 0), ("stop", 0)]


def test_an_answer_of_nothing_has_one_empty_block():
    stream = told(reason="length")
    assert stream[1]["content_block"] == {"type": "text", "text": ""}
    assert shapes(stream) == [("start", 0), ("stop", 0)]


def test_cached_and_written_tokens_are_not_counted_twice():
    usage = Usage(input=100, output=20, cached=40, cache_write=10, reasoning=5)
    stream = told(*block(0, Text(), "Hi"), usage=usage)
    assert stream[0]["message"]["usage"]["input_tokens"] == 77  # the estimate
    assert stream[-2]["usage"] == {
        "input_tokens": 50,
        "cache_creation_input_tokens": 10,
        "cache_read_input_tokens": 40,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 5},
    }


def test_counts_nobody_gave_leave_the_estimate_standing():
    assert told(*block(0, Text(), "Hi"))[-2]["usage"] == {"output_tokens": 0}


def test_the_answer_names_what_the_caller_asked_for():
    message = told(*block(0, Text(), "Hi"))[0]["message"]
    assert (message["id"], message["model"]) == ("msg_1a2b", "coder")


def test_pings_that_went_out_before_change_nothing():
    events = [Started(), *block(0, Text(), "Hi"), Finished("stop")]
    adopted = Encoder(way("messages"))
    adopted.adopt("msg_1a2b", 1, 7)
    assert frames_of(adopted, events) == frames_of(Encoder(way("messages")), events)
    assert adopted.next_number == 0


def test_arguments_that_are_no_object_are_still_an_object_in_a_whole_answer():
    events = [Started(), *block(0, ToolCall("a", "f"), "{broken"), Finished("tool_calls")]
    message = json.loads(encode_whole(fold(events), way("messages")))
    assert message["content"][0]["input"] == {"input": "{broken"}
