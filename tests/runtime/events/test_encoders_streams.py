"""Any legal answer, in every dialect: what an SDK reads in the stream is what the answer says."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from runtime.arguments import wrapped
from runtime.dialects import DIALECTS
from runtime.events import Reasoning, Refusal, Text, ToolCall, fold
from runtime.opaque import UNSEALED, wrap
from tests.runtime.events.legal import answers, way
from tests.runtime.events.sdks import documents, frames_of, streamed, whole

EVERY_DIALECT = pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


@EVERY_DIALECT
@BOUNDED
@given(events=answers())
def test_a_stream_and_a_whole_answer_say_the_same_to_the_sdk(dialect, events):
    written = DIALECTS[dialect].encode_whole(fold(events), way(dialect))
    assert streamed(dialect, frames(dialect, events)) == whole(dialect, written)


@EVERY_DIALECT
@BOUNDED
@given(events=answers())
def test_the_sdk_reads_in_a_stream_what_the_answer_says(dialect, events):
    read = streamed(dialect, frames(dialect, events))
    answer = fold(events)
    assert SAID[dialect](read) == WANTED[dialect](answer)


@EVERY_DIALECT
@BOUNDED
@given(events=answers())
def test_the_native_watcher_takes_every_stream_for_complete(dialect, events):
    if not any(_is_heard(part) for part in fold(events).parts):
        return  # an answer of nothing is no answer to a watcher
    watcher = DIALECTS[dialect].Watcher("coder")
    out = b"".join(map(watcher.feed, frames(dialect, events))) + watcher.eof()
    assert watcher.error is None
    assert watcher.done
    assert watcher.committed
    assert out == b"".join(frames(dialect, events))


@EVERY_DIALECT
@BOUNDED
@given(events=answers())
def test_the_native_watcher_counts_what_the_answer_counts(dialect, events):
    usage = fold(events).usage
    if usage is None or None in (usage.input, usage.output):
        return
    watcher = DIALECTS[dialect].Watcher("coder")
    for frame in frames(dialect, events):
        watcher.feed(frame)
    least = (usage.cached or 0) + (usage.cache_write or 0)
    counted = max(usage.input, least) if dialect == "messages" else usage.input
    assert watcher.usage.input == counted
    assert watcher.usage.output == usage.output
    assert watcher.usage.cached == (usage.cached or 0)
    assert watcher.usage.cache_write == (usage.cache_write or 0)


@BOUNDED
@given(events=answers())
def test_responses_events_are_numbered_without_a_gap(events):
    numbers = [each["sequence_number"] for each in documents(frames("responses", events))]
    assert numbers == list(range(len(numbers)))


@BOUNDED
@given(events=answers())
def test_messages_blocks_come_one_at_a_time_and_in_order(events):
    number, is_open = 0, False
    for each in documents(frames("messages", events)):
        match each["type"].removeprefix("content_block_"):
            case "start":
                assert not is_open
                is_open = True
            case "delta":
                assert is_open
            case "stop":
                assert is_open
                is_open = False
        if "index" in each:
            assert each["index"] == number
        number += each["type"] == "content_block_stop"
    assert not is_open


@BOUNDED
@given(events=answers())
def test_a_chat_stream_ends_once(events):
    *chunks, usage = documents(frames("chat", events))
    if usage["choices"]:
        chunks.append(usage)
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons[-1]
    assert not any(reasons[:-1])
    assert frames("chat", events)[-1] == b"data: [DONE]\n\n"


# --- what an answer is, in the words of each dialect ---------------------------------------------


def frames(dialect, events):
    return frames_of(DIALECTS[dialect].Encoder(way(dialect)), events)


def _is_heard(part):
    return bool(part.text) or isinstance(part.block, ToolCall) or part.opaque is not None


def _texts(answer, kind, between=""):
    texts = (part.text for part in answer.parts if isinstance(part.block, kind))
    return between.join(filter(None, texts))


def _refused(answer):
    return any(isinstance(part.block, Refusal) for part in answer.parts)


def _openai_reason(answer):
    if answer.reason == "refusal":
        return "stop" if _refused(answer) else "content_filter"
    return answer.reason


def _openai_counts(usage, read, made):
    if usage is None or usage.input is None or usage.output is None:
        return None
    cached, written = usage.cached or 0, usage.cache_write or 0
    return {
        f"{read}_tokens": usage.input,
        f"{made}_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        f"{read}_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        f"{made}_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
    }


def said_in_chat(read):
    message = read["message"]
    return {
        **read,
        "message": (message.get("content") or "", message.get("reasoning_content") or ""),
        "refusal": message.get("refusal") or "",
        "calls": message.get("tool_calls", []),
    }


def wanted_in_chat(answer):
    calls, details = [], []
    for part in answer.parts:
        block, opaque = part.block, part.opaque
        if isinstance(block, ToolCall):
            kind, member = ("custom", "input") if block.custom else ("function", "arguments")
            inner = {"name": block.name, member: part.text}
            calls.append({"id": block.id, "type": kind, kind: inner})
        if opaque is not None:
            details.append("" if opaque.dialect == "chat" else wrap(opaque, "home"))
    reasons = {"stop_sequence": "stop", "pause": "stop", "context": "length"}
    reason = _openai_reason(answer)
    return {
        "head": ("chatcmpl-1a2b", 1_795_219_232, "coder", "chat.completion"),
        "message": (_texts(answer, Text, between="\n\n"), _texts(answer, Reasoning)),
        "refusal": _texts(answer, Refusal),
        "calls": calls,
        "details": details,
        "logprobs": None,
        "finish_reason": reasons.get(reason, reason),
        "usage": _openai_counts(answer.usage, "prompt", "completion"),
    }


def said_in_responses(read):
    ids = [item.pop("id") for item in read["output"]]
    assert len(set(ids)) == len(ids)
    return read


def wanted_in_responses(answer):
    reasons = {"length": "max_output_tokens", "context": "max_output_tokens"}
    reasons["content_filter"] = "content_filter"
    why = reasons.get(_openai_reason(answer))
    output = [_wanted_item(part) for part in answer.parts] or [_message("")]
    if why and "status" in output[-1]:
        output[-1]["status"] = "incomplete"
    return {
        "head": ("resp_1a2b", 1_795_219_232, "coder", "response"),
        "status": "incomplete" if why else "completed",
        "why": why,
        "output": output,
        "usage": _openai_counts(answer.usage, "input", "output"),
    }


def _wanted_item(part):
    match part.block:
        case Text():
            return _message(part.text)
        case Refusal():
            refusal = {"type": "refusal", "refusal": part.text}
            return {**_message(""), "content": [refusal]}
        case Reasoning():
            item = {"type": "reasoning"}
            item["summary"] = [{"type": "summary_text", "text": part.text}] if part.text else []
            if part.opaque is not None:
                own = part.opaque.dialect == "responses" and not part.text
                state = "gAAA" if own else wrap(part.opaque, "home")
                item["encrypted_content"] = state
            elif part.text:
                item["encrypted_content"] = UNSEALED
            return item
        case ToolCall(custom=custom, id=call_id, name=name, namespace=namespace):
            kind, member = ("custom_tool", "input") if custom else ("function", "arguments")
            item = {"type": f"{kind}_call", "call_id": call_id, "name": name, member: part.text}
            return item | {"status": "completed"} | ({"namespace": namespace} if namespace else {})


def _message(text):
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "role": "assistant", "status": "completed", "content": [part]}


def wanted_in_messages(answer):
    reasons = {
        "stop": "refusal" if _refused(answer) else "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
        "pause": "pause_turn",
        "context": "model_context_window_exceeded",
    }
    content = [block for part in answer.parts for block in _wanted_blocks(part)]
    return {
        "head": ("msg_1a2b", "message", "assistant", "coder"),
        "content": content or [{"type": "text", "text": ""}],
        "stop": (reasons.get(answer.reason, answer.reason), answer.stop_sequence),
        "usage": _wanted_usage(answer.usage),
    }


def _wanted_blocks(part):
    match part.block:
        case ToolCall(id=call_id, name=name, custom=custom):
            given = json.loads((wrapped(part.text) if custom else part.text) or "{}")
            return [{"type": "tool_use", "id": call_id, "name": name, "input": given}]
        case Reasoning() if part.text or part.opaque:
            state = part.opaque
            if state is not None and "redacted" in state.data:
                return [{"type": "redacted_thinking", "data": "cmVk"}]
            own = state is not None and state.dialect == "messages"
            signature = UNSEALED if state is None else "c2ln" if own else wrap(state, "home")
            return [{"type": "thinking", "thinking": part.text, "signature": signature}]
        case _:
            return [{"type": "text", "text": part.text}] if part.text else []


def _wanted_usage(usage):
    counts = {"input_tokens": 77, "output_tokens": 0}
    counts |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    if usage is None:
        return counts
    if usage.input is not None:
        rest = usage.input - (usage.cached or 0) - (usage.cache_write or 0)
        counts["input_tokens"] = max(0, rest)
    counts["cache_creation_input_tokens"] = usage.cache_write or 0
    counts["cache_read_input_tokens"] = usage.cached or 0
    counts["output_tokens"] = usage.output or 0
    if usage.reasoning is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return counts


SAID = {"chat": said_in_chat, "responses": said_in_responses, "messages": lambda read: read}
WANTED = {
    "chat": wanted_in_chat,
    "responses": wanted_in_responses,
    "messages": wanted_in_messages,
}
