"""A turn on the wire of Anthropic Messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from compiler.demo.turn import Asked, Failure, Turn
from compiler.demo.wire import named_frame, pieces, tokens

SIGNATURE = "c2NyaXB0ZWQgc2lnbmF0dXJl"

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def whole(turn: Turn, asked: Asked) -> dict[str, Any]:
    """The unstreamed answer."""
    return _message(asked, _blocks(turn, asked), _stop(turn), _usage(turn, asked))


def stream(turn: Turn, asked: Asked) -> Iterator[bytes]:
    """The frames of a stream: message start, one start, deltas and stop per block, message end."""
    usage = _usage(turn, asked)
    opened = _message(asked, [], None, usage | {"output_tokens": 1})
    yield named_frame({"type": "message_start", "message": opened})
    yield named_frame({"type": "ping"})
    for index, block in enumerate(_blocks(turn, asked)):
        start, deltas = _opening(block)
        yield named_frame({"type": "content_block_start", "index": index, "content_block": start})
        for delta in deltas:
            yield named_frame({"type": "content_block_delta", "index": index, "delta": delta})
        yield named_frame({"type": "content_block_stop", "index": index})
    end = {"stop_reason": _stop(turn), "stop_sequence": None}
    yield named_frame({"type": "message_delta", "delta": end, "usage": usage})
    yield named_frame({"type": "message_stop"})


def error(failure: Failure) -> dict[str, Any]:
    """The error body, as Anthropic words it."""
    kind = ERROR_TYPES.get(failure.status, "api_error")
    inner = {"type": kind, "message": failure.message}
    return {"type": "error", "error": inner, "request_id": "req_scripted"}


def _blocks(turn: Turn, asked: Asked) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if turn.reasoning:
        blocks.append({"type": "thinking", "thinking": turn.reasoning, "signature": SIGNATURE})
    if turn.text:
        blocks.append({"type": "text", "text": turn.text})
    for number, call in enumerate(turn.calls):
        identity = f"toolu_{asked.number:04}{number:02}"
        arguments = json.loads(call.arguments)
        blocks.append({"type": "tool_use", "id": identity, "name": call.name, "input": arguments})
    return blocks


def _opening(block: dict[str, Any]) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """A block as it starts, empty, and the deltas that fill it."""
    match block["type"]:
        case "thinking":
            return block | {"thinking": "", "signature": ""}, _thinking_deltas(block)
        case "text":
            text = block["text"]
            return block | {"text": ""}, ({"type": "text_delta", "text": p} for p in pieces(text))
        case _:
            written = json.dumps(block["input"], ensure_ascii=False)
            parts = ["", *pieces(written)]  # the real wire opens with an empty piece
            deltas = ({"type": "input_json_delta", "partial_json": part} for part in parts)
            return block | {"input": {}}, deltas


def _thinking_deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in pieces(block["thinking"]):
        yield {"type": "thinking_delta", "thinking": piece}
    yield {"type": "signature_delta", "signature": block["signature"]}


def _message(
    asked: Asked, content: list[dict[str, Any]], stop: str | None, usage: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": f"msg_{asked.number:06}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": usage,
    }


def _stop(turn: Turn) -> str:
    return "tool_use" if turn.calls else "end_turn"


def _usage(turn: Turn, asked: Asked) -> dict[str, Any]:
    said = tokens(turn.text + turn.reasoning) + sum(tokens(call.arguments) for call in turn.calls)
    return {
        "input_tokens": len(asked.raw) // 4,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": said,
    }
