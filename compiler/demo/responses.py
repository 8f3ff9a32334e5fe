"""A turn on the wire of OpenAI Responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.demo.chat import error as error  # both OpenAI dialects word errors alike
from compiler.demo.turn import Asked, Call, Turn
from compiler.demo.wire import CREATED, named_frame, pieces, tokens

ENCRYPTED = "c2NyaXB0ZWQgcmVhc29uaW5n"


def whole(turn: Turn, asked: Asked) -> dict[str, Any]:
    """The unstreamed answer."""
    return _response(asked, "completed", _items(turn, asked), _usage(turn, asked))


def stream(turn: Turn, asked: Asked) -> Iterator[bytes]:
    """The frames of a stream, with running sequence numbers."""
    for number, event in enumerate(_events(turn, asked)):
        yield named_frame({"type": event.pop("type"), "sequence_number": number} | event)


def _events(turn: Turn, asked: Asked) -> Iterator[dict[str, Any]]:
    opened = _response(asked, "in_progress", [], None)
    yield {"type": "response.created", "response": opened}
    yield {"type": "response.in_progress", "response": opened}
    items = _items(turn, asked)
    for index, item in enumerate(items):
        place = {"output_index": index}
        started = item | {"status": "in_progress"} | EMPTY[item["type"]]
        yield {"type": "response.output_item.added", "item": started} | place
        yield from _content(item, place | {"item_id": item["id"]})
        yield {"type": "response.output_item.done", "item": item} | place
    done = _response(asked, "completed", items, _usage(turn, asked))
    yield {"type": "response.completed", "response": done}


# How an item looks before its content came.
EMPTY: dict[str, dict[str, Any]] = {
    "reasoning": {"summary": [], "encrypted_content": ""},
    "message": {"content": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
}


def _content(item: dict[str, Any], at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    match item["type"]:
        case "reasoning":
            yield from _part(item["summary"][0], at | {"summary_index": 0}, "reasoning_summary")
        case "message":
            yield from _part(item["content"][0], at | {"content_index": 0}, "")
        case "function_call":
            yield from _text("response.function_call_arguments", "arguments", item["arguments"], at)
        case _:
            yield from _text("response.custom_tool_call_input", "input", item["input"], at)


def _part(part: dict[str, Any], at: dict[str, Any], family: str) -> Iterator[dict[str, Any]]:
    """The events of one part: added, its text, done."""
    part_event = f"response.{family}_part" if family else "response.content_part"
    text_event = f"response.{family}_text" if family else "response.output_text"
    yield {"type": f"{part_event}.added", "part": part | {"text": ""}} | at
    extra: dict[str, Any] = {} if family else {"logprobs": []}
    yield from _text(text_event, "text", part["text"], at | extra)
    yield {"type": f"{part_event}.done", "part": part} | at


def _text(event: str, key: str, text: str, at: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for piece in pieces(text):
        yield {"type": f"{event}.delta", "delta": piece} | at
    yield {"type": f"{event}.done", key: text} | at


def _items(turn: Turn, asked: Asked) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if turn.reasoning:
        summary = [{"type": "summary_text", "text": turn.reasoning}]
        identity = f"rs_{asked.number:06}"
        reasoning = {"id": identity, "type": "reasoning", "summary": summary}
        items.append(reasoning | {"encrypted_content": ENCRYPTED})
    if turn.text:
        part = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
        message = {"id": f"msg_{asked.number:06}", "type": "message", "status": "completed"}
        items.append(message | {"role": "assistant", "content": [part]})
    return items + [_call(asked, number, call) for number, call in enumerate(turn.calls)]


def _call(asked: Asked, number: int, call: Call) -> dict[str, Any]:
    suffix = f"{asked.number:04}{number:02}"
    item = {"status": "completed", "call_id": f"call_{suffix}", "name": call.name}
    if call.custom:
        item = {"id": f"ctc_{suffix}", "type": "custom_tool_call"} | item
        return item | {"input": call.arguments}
    named = {"namespace": call.namespace} if call.namespace else {}
    item = {"id": f"fc_{suffix}", "type": "function_call"} | item | named
    return item | {"arguments": call.arguments}


def _response(
    asked: Asked, status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None
) -> dict[str, Any]:
    body = asked.body
    return {
        "id": f"resp_{asked.number:06}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": asked.model,
        "output": output,
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None} | (body.get("reasoning") or {}),
        "store": body.get("store", True),
        "temperature": 1.0,
        "text": {"format": {"type": "text"}} | (body.get("text") or {}),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": None,
        "metadata": {},
    }


def _usage(turn: Turn, asked: Asked) -> dict[str, Any]:
    read = len(asked.raw) // 4
    thought = tokens(turn.reasoning)
    said = tokens(turn.text) + sum(tokens(call.arguments) for call in turn.calls) + thought
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + said,
    }
