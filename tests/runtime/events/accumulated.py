"""The whole answer that a stream adds up to, by the official SDKs' own accumulators."""

import json

from anthropic.lib.streaming._messages import accumulate_event
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk


def accumulated(dialect, documents):
    """The body of an answer in one piece."""
    return json.dumps(_ACCUMULATORS[dialect](list(documents))).encode()


def _chat(documents):
    state, places = ChatCompletionStreamState(), ({}, {})
    for document in documents:
        for choice in document["choices"]:
            choice["delta"] = _as_openai_has_it(choice.get("delta") or {}, places)
        state.handle_chunk(ChatCompletionChunk.construct(**document))
    return state.current_completion_snapshot.to_dict(mode="json", warnings=False)


def _as_openai_has_it(delta, places):
    """The SDK adds up all texts, labels too, and members of lists by an index from 0."""
    calls, details = places
    delta.pop("role", None)
    delta.pop("annotations", None)
    for place, call in enumerate(delta.get("tool_calls") or ()):
        call["index"] = calls.setdefault(call.get("index", place), len(calls))
    for detail in delta.get("reasoning_details") or ():
        detail["index"] = details.setdefault(detail["type"], len(details))
        detail.pop("format", None)
    return delta


def _responses(documents):
    return documents[-1]["response"]


def _messages(documents):
    snapshot, buffers = None, {}
    for document in documents:
        if document["type"] == "message_start" and snapshot is not None:
            continue
        snapshot = accumulate_event(event=document, current_snapshot=snapshot, json_bufs=buffers)
    return snapshot.to_dict(mode="json", warnings=False)


_ACCUMULATORS = {"chat": _chat, "responses": _responses, "messages": _messages}
