"""The good answers and the error bodies of the three dialects, as providers word them.

One fixed text in four pieces, so that a reader of a stream can tell the whole from a part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

PIECES = ("The ", "signal ", "is ", "green.")
TEXT = "".join(PIECES)
DIALECTS = ("chat", "responses", "messages")


@dataclass(frozen=True)
class Script:
    """A good stream: what comes before the content, the content, and its end."""

    opening: tuple[bytes, ...]
    content: tuple[bytes, ...]
    closing: tuple[bytes, ...]

    @property
    def whole(self) -> bytes:
        """All of it."""
        return b"".join((*self.opening, *self.content, *self.closing))


def data(payload: Json) -> bytes:
    """An event without a name."""
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def named(payload: Json) -> bytes:
    """An event whose name is the payload's type."""
    return b"event: " + payload["type"].encode() + b"\n" + data(payload)


def script(dialect: str, model: str, *, usage: bool = False) -> Script:
    """The good stream of a dialect. `usage`: Chat's caller asked for a usage chunk."""
    return {"chat": _chat, "responses": _responses, "messages": _messages}[dialect](model, usage)


def tool_call_pieces(dialect: str, model: str) -> tuple[bytes, ...]:
    """Content that breaks off inside the arguments of a tool call."""
    if dialect == "chat":
        call = {"index": 0, "id": "call_1", "type": "function"}
        started = {**call, "function": {"name": "write", "arguments": ""}}
        begun = {"index": 0, "function": {"arguments": '{"path": "no'}}
        return tuple(_chunk(model, {"tool_calls": [delta]}) for delta in (started, begun))
    if dialect == "responses":
        item = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "write"}
        added = {"output_index": 0, "item": {**item, "arguments": "", "status": "in_progress"}}
        begun = {"output_index": 0, "item_id": "fc_1", "delta": '{"path": "no'}
        delta = "response.function_call_arguments.delta"
        return (
            named({"type": "response.output_item.added", "sequence_number": 2, **added}),
            named({"type": delta, "sequence_number": 3, **begun}),
        )
    block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
    begun = {"type": "input_json_delta", "partial_json": '{"path": "no'}
    return (
        named({"type": "content_block_start", "index": 0, "content_block": block}),
        named({"type": "content_block_delta", "index": 0, "delta": begun}),
    )


def giant(dialect: str, model: str, size: int) -> bytes:
    """One content event of more than `size` bytes; it takes the place of the second piece."""
    text = "x" * size
    if dialect == "chat":
        return _chunk(model, {"content": text})
    if dialect == "responses":
        return _text_delta(5, text)
    return _block_delta(text)


def whole(dialect: str, model: str) -> Json:
    """The good answer to a request that did not ask for a stream."""
    if dialect == "chat":
        message = {"role": "assistant", "content": TEXT}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": _CHAT_USAGE,
        }
    if dialect == "responses":
        return _response(model, "completed", [_item("completed", TEXT)], _RESPONSES_USAGE)
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 5},
    }


def error_body(dialect: str, type_: str, message: str, code: str | None = None) -> Json:
    """An error as a provider of that dialect words it."""
    if dialect == "messages":
        error = {"type": type_, "message": message}
        return {"type": "error", "error": error, "request_id": "req_upstream"}
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def error_events(
    dialect: str, model: str, sequence: int, type_: str, message: str, code: str | None = None
) -> bytes:
    """An error inside a stream, as a provider of that dialect sends it."""
    if dialect == "chat":
        return data(error_body(dialect, type_, message, code))
    if dialect == "messages":
        return named(error_body(dialect, type_, message))
    flat = {"type": "error", "sequence_number": sequence, "code": code or type_, "param": None}
    failed = _response(model, "failed", [], None)
    failed["error"] = {"code": code or type_, "message": message}
    return named({**flat, "message": message}) + named(
        {"type": "response.failed", "sequence_number": sequence + 1, "response": failed}
    )


# --- Chat --------------------------------------------------------------------------------------

_CHAT_USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


def _chunk(model: str, delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": model,
            "choices": [choice],
        }
    )


def _chat(model: str, usage: bool) -> Script:
    counted = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": model,
        "choices": [],
        "usage": _CHAT_USAGE,
    }
    return Script(
        opening=(_chunk(model, {"role": "assistant", "content": ""}),),
        content=tuple(_chunk(model, {"content": piece}) for piece in PIECES),
        closing=(
            _chunk(model, {}, "stop"),
            *([data(counted)] if usage else []),
            b"data: [DONE]\n\n",
        ),
    )


# --- Responses ---------------------------------------------------------------------------------

_RESPONSES_USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 17,
}
_PART = {"type": "output_text", "annotations": [], "logprobs": []}


def _response(model: str, status: str, output: list[Json], usage: Json | None) -> Json:
    return {
        "id": "resp_upstream",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "store": False,
        "tools": [],
        "usage": usage,
    }


def _item(status: str, text: str | None) -> Json:
    content = [] if text is None else [{**_PART, "text": text}]
    return {
        "id": "msg_1",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _text_delta(sequence: int, text: str) -> bytes:
    return named(
        {
            "type": "response.output_text.delta",
            "sequence_number": sequence,
            "item_id": "msg_1",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
            "logprobs": [],
        }
    )


def _responses(model: str, usage: bool) -> Script:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    running = _response(model, "in_progress", [], None)
    begun = [
        {"type": "response.created", "response": running},
        {"type": "response.in_progress", "response": running},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": _item("in_progress", None),
        },
        {"type": "response.content_part.added", **place, "part": {**_PART, "text": ""}},
    ]
    done = [
        {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": {**_PART, "text": TEXT}},
        {"type": "response.output_item.done", "output_index": 0, "item": _item("completed", TEXT)},
        {"type": "response.completed", "response": whole("responses", model)},
    ]
    first = [named({**event, "sequence_number": n}) for n, event in enumerate(begun)]
    deltas = [_text_delta(len(begun) + n, piece) for n, piece in enumerate(PIECES)]
    after = len(begun) + len(deltas)
    last = [named({**event, "sequence_number": after + n}) for n, event in enumerate(done)]
    return Script(
        opening=tuple(first[:2]),
        content=(b"".join(first[2:]) + deltas[0], *deltas[1:]),
        closing=tuple(last),
    )


# --- Messages ----------------------------------------------------------------------------------


def _block_delta(text: str) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return named({"type": "content_block_delta", "index": 0, "delta": delta})


def _messages(model: str, usage: bool) -> Script:
    message = {**whole("messages", model), "content": [], "stop_reason": None}
    message["usage"] = {"input_tokens": 12, "output_tokens": 1}
    block = {"type": "text", "text": ""}
    started = named({"type": "content_block_start", "index": 0, "content_block": block})
    deltas = [_block_delta(piece) for piece in PIECES]
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return Script(
        opening=(named({"type": "message_start", "message": message}),),
        content=(started + deltas[0], *deltas[1:]),
        closing=(
            named({"type": "content_block_stop", "index": 0}),
            named({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}),
            named({"type": "message_stop"}),
        ),
    )
