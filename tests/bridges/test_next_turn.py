"""The next turn: what a client sends back of an answer is what the upstream had said, sealed state
included, and nobody else gets that state.
"""

import json

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from runtime.dialects import DIALECTS
from runtime.passage import passage
from tests.bridges.conversation import results_first, said
from tests.bridges.crossings import DOMAIN, SETTINGS, step_to
from tests.bridges.replies import cells, run, whole
from tests.runtime.answers.recordings import BROKEN, documents
from tests.runtime.events.accumulated import accumulated
from tests.runtime.events.test_decoders_recordings import UNREADABLE

QUESTION = "What is next?"
# Others are made by a provider's own tools: no bridge asks for them.
PARTS = {
    "messages": {"thinking", "redacted_thinking", "text", "tool_use"},
    "responses": {"reasoning", "message", "function_call", "custom_tool_call"},
}


# Answers that do not read as the history they become.
ODD = {
    "chat/cloudflare__structured__1.json": "the content is an object",
    "chat/huggingface__truncated-reasoning__1.json": "thinking stands in the content",
    "chat/huggingface__truncated-reasoning__2.json": "thinking stands in the content",
    "messages/anthropic__refusal__1.sse": "the refusal stands in no block",
    "responses/openai__background__2.json": "there is no answer yet",
}
# Streams of which the whole answer has other seals than its parts had.
SEALED_ANEW = {"responses/openai__tool-call-encrypted-reasoning__2.sse"}


def _keepable(found):
    """Recordings whose whole answer a client can send back, with that answer."""
    for recording, surface in found:
        if recording.status != 200 or recording.file in ODD | UNREADABLE | BROKEN:
            continue
        answer = _own(recording)
        parts = answer.get("content") or answer.get("output") or ()
        known = PARTS.get(recording.dialect)
        if known is None or {part["type"] for part in parts} <= known:
            yield recording, surface


def _own(recording):
    """The answer in its own dialect."""
    body = recording.body
    if recording.streaming:
        body = accumulated(recording.dialect, documents(body))
    return json.loads(body)


ANSWERS = list(_keepable([*cells(streaming=False), *cells(streaming=True)]))
named = pytest.mark.parametrize(
    ("recording", "surface"), ANSWERS, ids=[f"{r.file}-{surface}" for r, surface in ANSWERS]
)


@named
def test_what_comes_back_is_what_the_upstream_said(recording, surface):
    sent = _next(recording, surface, DOMAIN)
    own = _continued(recording.dialect, _own(recording))
    assert _spoken(recording.dialect, sent) == _spoken(recording.dialect, own)
    restored, sealed = _sealed(recording.dialect, sent), _sealed(recording.dialect, own)
    assert len(restored) == len(sealed)
    # no SDK adds up the details of a Chat stream
    added_up = not (recording.streaming and recording.dialect == "chat")
    if added_up and recording.file not in SEALED_ANEW:
        assert restored == sealed


@named
def test_sealed_state_goes_to_nobody_else(recording, surface):
    sent = _next(recording, surface, "another-provider")
    own = _continued(recording.dialect, _own(recording))
    assert _spoken(recording.dialect, sent) == _spoken(recording.dialect, own)
    assert _sealed(recording.dialect, sent) == []
    assert "il1." not in json.dumps(sent)


def test_the_recordings_hold_sealed_state_of_every_kind():
    kinds = {
        kind
        for recording, _ in ANSWERS
        for kind, *_ in _sealed(recording.dialect, _continued(recording.dialect, _own(recording)))
    }
    assert kinds == {"thinking", "redacted_thinking", "reasoning", "details"}


def _next(recording, surface, domain):
    """What the upstream gets when the caller goes on."""
    if recording.streaming:
        answer = _added_up(surface, list(documents(run(recording, surface).out)))
    else:
        answer = json.loads(whole(recording, surface))
    request = json.dumps(_continued(surface, answer)).encode()
    reading = DIALECTS[surface].read(request, {}, SETTINGS)
    step = step_to(recording.dialect, reading).step
    edited = passage(request, reading, surface, recording.dialect, step, domain).edited
    return json.loads(edited.body)


def _added_up(surface, events):
    """The whole answer to a caller who streams."""
    if surface != "chat":
        return json.loads(accumulated(surface, events))
    state = ChatCompletionStreamState()
    for event in events:
        state.handle_chunk(ChatCompletionChunk.construct(**event))
    return state.current_completion_snapshot.to_dict(mode="json", warnings=False)


# --- what clients do with answers ----------------------------------------------------------------


def _continued(dialect, answer):
    """The next request of a client that keeps all of an answer and runs every call."""
    return {"model": "group", **_CONTINUED[dialect](answer)}


def _chat(answer):
    message = {**answer["choices"][0].get("message", {}), "role": "assistant"}
    calls = message.get("tool_calls") or ()
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in calls]
    asked = {"role": "user", "content": "Hi"}
    after = results or [{"role": "user", "content": QUESTION}]
    return {"messages": [asked, message, *after]}


def _messages(answer):
    calls = [block["id"] for block in answer["content"] if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": call, "content": "done"} for call in calls]
    after = results or [{"type": "text", "text": QUESTION}]
    return {
        "max_tokens": 4096,
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": answer["content"]},
            {"role": "user", "content": after},
        ],
    }


def _responses(answer):
    results = [
        {"type": f"{item['type']}_output", "call_id": item["call_id"], "output": "done"}
        for item in answer["output"]
        if item["type"] in ("function_call", "custom_tool_call")
    ]
    after = results or [{"type": "message", "role": "user", "content": QUESTION}]
    asked = {"type": "message", "role": "user", "content": "Hi"}
    return {"store": False, "input": [asked, *answer["output"], *after]}


_CONTINUED = {"chat": _chat, "messages": _messages, "responses": _responses}


# --- what must come back -------------------------------------------------------------------------


def _spoken(dialect, top):
    """All turns; ids of calls by their order, for some are not legal on the other side."""
    ids = {}
    turns = []
    for atom in said(dialect, top).turns:
        if atom[0] in ("call", "result"):
            atom = (atom[0], ids.setdefault(atom[1], len(ids)), *atom[2:])
        turns.append(atom)
    return list(results_first(turns))


def _sealed(dialect, top):
    """Sealed state with the readable words it proves, in order."""
    return list(_SEALED[dialect](top))


def _sealed_chat(top):
    for message in top["messages"]:
        details = message.get("reasoning_details") or ()
        if any("data" in detail or "signature" in detail for detail in details):
            yield "details", details


def _sealed_messages(top):
    for turn in top["messages"]:
        for block in turn["content"] if isinstance(turn["content"], list) else ():
            if block["type"] == "thinking":
                yield "thinking", block["thinking"], block["signature"]
            elif block["type"] == "redacted_thinking":
                yield "redacted_thinking", block["data"]


def _sealed_responses(top):
    for item in top["input"]:
        if item["type"] == "reasoning" and item.get("encrypted_content"):
            yield "reasoning", item["id"], item["encrypted_content"], item["summary"]


_SEALED = {
    "chat": _sealed_chat,
    "messages": _sealed_messages,
    "responses": _sealed_responses,
}
