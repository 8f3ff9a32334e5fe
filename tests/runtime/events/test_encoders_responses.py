"""Responses streams, event by event, as Codex needs them."""

import json

import pytest

from runtime.dialects.responses.answer import Watcher
from runtime.dialects.responses.encoder import Encoder, encode_whole
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

INCOMPLETE = {
    "length": "max_output_tokens",
    "context": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
SIGNED = Opaque("messages", {"signature": "U0lHTkFUVVJF"})
ENCRYPTED = Opaque("responses", {"id": "rs_theirs", "encrypted_content": "gAAA"})
LOGPROBS = ({"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []},)


def told(*events, reason="stop", usage=None, encoder=None, **more):
    """The data of every event of a stream."""
    encoder = encoder or Encoder(way("responses", **more))
    return documents(frames_of(encoder, [Started(), *events, Finished(reason, usage)]))


def block(index, kind, *texts, opaque=None):
    return [
        BlockStarted(index, kind),
        *(BlockDelta(index, text) for text in texts),
        BlockEnded(index, opaque),
    ]


def kinds(stream):
    return [event["type"].removeprefix("response.") for event in stream]


def items(stream):
    return [event["item"] for event in stream if event["type"] == "response.output_item.done"]


CODEX = {
    "text": [*block(0, Text(), "{0}")],
    "custom_tool": [*block(0, ToolCall("{call}", "apply_patch", custom=True), "{0}")],
    "reasoning_and_function_call": [
        *block(0, Reasoning(summary=True), "thinking about it", opaque=SIGNED),
        *block(1, ToolCall("{call}", "exec_command"), '{"cmd": "echo hi"}'),
    ],
}


@pytest.mark.parametrize("name", CODEX)
def test_a_stream_is_told_as_codex_took_it(name):
    """The same events with the same members; ids, texts and the state are the recording's own."""
    stream = accepted("codex", name)
    theirs = [each for each in stream if not each["type"].endswith(".delta")]
    ours = [each for each in told(*CODEX[name]) if not each["type"].endswith(".delta")]
    assert kinds(ours) == kinds(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.keys() >= other.keys()
        for member in ("item", "part", "response"):
            assert mine.get(member, {}).keys() >= other.get(member, {}).keys()
        assert mine.get("output_index") == other.get("output_index")
        assert mine.get("item", {}).get("status") == other.get("item", {}).get("status")


def test_deltas_name_their_place_as_in_a_recorded_stream():
    (theirs, *_) = [
        each for each in accepted("codex", "text") if each["type"] == "response.output_text.delta"
    ]
    ours = told(*block(0, Text(), "Hi"))[4]
    assert ours == {**theirs, **{name: ours[name] for name in ("delta", "item_id", "logprobs")}}


@pytest.mark.parametrize("reason", REASONS)
def test_every_ending_is_complete_or_says_why_not(reason):
    last = told(*block(0, Text(), "Hi"), reason=reason)[-1]
    status = "incomplete" if reason in INCOMPLETE else "completed"
    assert last["type"] == f"response.{status}"
    assert last["response"]["status"] == status
    why = last["response"]["incomplete_details"]
    assert why == ({"reason": INCOMPLETE[reason]} if reason in INCOMPLETE else None)


def test_a_refusal_in_words_is_complete():
    stream = told(*block(0, Refusal(), "I cannot."), reason="refusal")
    assert kinds(stream)[4:7] == ["refusal.delta", "refusal.done", "content_part.done"]
    assert items(stream)[0]["content"] == [{"type": "refusal", "refusal": "I cannot."}]
    assert stream[-1]["type"] == "response.completed"


def test_a_call_of_a_tool_in_a_namespace_names_both():
    call = ToolCall("call_1", "add", namespace="mcp__demo")
    (item,) = items(told(*block(0, call, "{}"), reason="tool_calls"))
    assert (item["name"], item["namespace"]) == ("add", "mcp__demo")


def test_a_call_of_a_tool_in_no_namespace_names_none():
    (item,) = items(told(*block(0, ToolCall("call_1", "add"), "{}"), reason="tool_calls"))
    assert "namespace" not in item


def test_items_that_are_open_at_once_keep_their_own_index():
    stream = told(
        BlockStarted(0, ToolCall("a", "one")),
        BlockStarted(1, ToolCall("b", "two")),
        BlockDelta(1, '{"b":1}'),
        BlockDelta(0, "{}"),
        BlockEnded(1),
        BlockEnded(0),
        reason="tool_calls",
    )
    deltas = [each for each in stream if each["type"].endswith(".delta")]
    assert [(each["output_index"], each["delta"]) for each in deltas] == [(1, '{"b":1}'), (0, "{}")]
    output = stream[-1]["response"]["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [
        ("a", "{}"),
        ("b", '{"b":1}'),
    ]


def test_ids_are_the_same_each_time_and_of_their_answer():
    events = [*block(0, Reasoning(), "hm"), *block(1, Text(), "Hi"), *block(2, ToolCall("c", "f"))]
    ids = [item["id"] for item in items(told(*events))]
    assert ids == ["rs_1a2b_0", "msg_1a2b_1", "fc_1a2b_2"]


# --- reasoning -----------------------------------------------------------------------------------


@pytest.mark.parametrize("summary", [True, False])
def test_all_reasoning_is_told_as_a_summary(summary):
    stream = told(*block(0, Reasoning(summary=summary), "hm"))
    (item,) = items(stream)
    assert item["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert item["encrypted_content"] == UNSEALED


def test_state_of_another_dialect_comes_in_an_envelope_its_domain_alone_can_open():
    (item,) = items(told(*block(0, Reasoning(), "hm", opaque=SIGNED)))
    assert unwrap(item["encrypted_content"], "home") == SIGNED
    assert unwrap(item["encrypted_content"], "elsewhere") is None


def test_responses_own_state_without_words_is_as_it_came_under_its_own_id():
    stream = told(*block(0, Reasoning(summary=True), opaque=ENCRYPTED))
    assert stream[2]["item"]["id"] == "rs_theirs"
    (item,) = items(stream)
    assert (item["id"], item["encrypted_content"]) == ("rs_theirs", "gAAA")


def test_an_item_keeps_the_id_it_was_announced_with_and_its_state_can_still_come_back():
    stream = told(*block(0, Reasoning(summary=True), "hm", opaque=ENCRYPTED))
    (item,) = items(stream)
    assert item["id"] == stream[2]["item"]["id"] == "rs_1a2b_0"
    assert unwrap(item["encrypted_content"], "home") == ENCRYPTED


# --- the response --------------------------------------------------------------------------------


def test_an_answer_of_nothing_is_an_empty_message():
    (item,) = items(told(reason="length"))
    assert item["content"][0]["text"] == ""


def test_usage_has_the_total_codex_needs():
    usage = Usage(input=100, output=20, cached=40, reasoning=5)
    assert told(*block(0, Text(), "Hi"), usage=usage)[-1]["response"]["usage"] == {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    }


@pytest.mark.parametrize("usage", [None, Usage(output=20), Usage(input=100)])
def test_usage_without_a_total_is_none(usage):
    assert told(*block(0, Text(), "Hi"), usage=usage)[-1]["response"]["usage"] is None


def test_what_the_request_said_is_repeated_by_every_response():
    stream = told(*block(0, Text(), "Hi"), echo={"temperature": 0.5, "instructions": "Be brief."})
    told_again = [each["response"] for each in stream if "response" in each]
    assert len(told_again) == 3
    for response in told_again:
        assert (response["temperature"], response["instructions"]) == (0.5, "Be brief.")
    whole = encode_whole(
        fold([Started(), Finished("stop")]), way("responses", echo={"temperature": 0.5})
    )
    assert json.loads(whole)["temperature"] == 0.5


def test_a_response_of_ours_goes_on_with_its_id_and_numbers():
    face = Watcher("coder", response_id="resp_ours")
    face.created_at = 11
    begun = [json.loads(frame.partition(b"data: ")[2]) for frame in (face.opening(), face.ping())]
    encoder = Encoder(way("responses"))
    encoder.adopt("resp_ours", face.created_at, face.next_number)
    stream = told(*block(0, Text(), "Hi"), encoder=encoder)
    assert kinds(stream)[0] == "output_item.added"
    assert [each["sequence_number"] for each in begun + stream] == list(range(len(stream) + 2))
    last = stream[-1]["response"]
    assert (last["id"], last["created_at"]) == ("resp_ours", 11)
    assert last["output"][0]["id"] == "msg_ours_0"
    assert last.keys() == begun[0]["response"].keys()
    assert encoder.next_number == len(stream) + 2


def test_a_sign_of_life_in_the_middle_takes_a_number():
    encoder = Encoder(way("responses"))
    frames = [encoder.feed(event) for event in (Started(), *block(0, Text(), "Hi")[:2])]
    before = documents([frame for each in frames for frame in each])[-1]["sequence_number"]
    encoder.adopt("resp_1a2b", 1_795_219_232, encoder.next_number + 1)
    (delta,) = documents(encoder.feed(BlockDelta(0, "!")))
    assert delta["sequence_number"] == before + 2
    assert delta["item_id"] == "msg_1a2b_0"


def test_logprobs_stand_with_their_delta_and_with_the_whole_text():
    stream = told(
        BlockStarted(0, Text()),
        BlockDelta(0, "Hi", LOGPROBS),
        BlockDelta(0, "!"),
        BlockEnded(0),
    )
    told_logprobs = [each["logprobs"] for each in stream if "logprobs" in each]
    assert told_logprobs == [list(LOGPROBS), [], list(LOGPROBS)]
    assert items(stream)[0]["content"][0]["logprobs"] == list(LOGPROBS)
