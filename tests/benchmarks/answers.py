"""Writes the upstream's answers into a folder: whole ones as JSON, streams as server-sent events.

{chat,messages,responses}-{small,large}.json, {chat,messages,responses}.sse and models.json. A small
answer is about 1 KB, a large one 2 KB; a stream has `DELTAS` pieces of text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

DELTAS = 200
TEXT_BYTES = {"small": 640, "large": 1650}
WORDS = (" the", " function", " returns", " a", " value", " when", " called", ",")
MODEL = "mock-1"
CHAT_ID = "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG"
MESSAGE_ID = "msg_01XFDUDYJgAACzvnptvVoYEL"
RESPONSE_ID = "resp_67ccd2bed1ec8190b14f964abc054267"
ITEM_ID = "msg_67ccd2bf17f0"
CREATED = 1741570283

Events = Iterator[tuple[str | None, dict[str, Any]]]  # name and data


def write(folder: Path) -> None:
    """All answers of all dialects."""
    folder.mkdir(parents=True, exist_ok=True)
    for size, wanted in TEXT_BYTES.items():
        text = _text(wanted)
        for name, whole in (
            ("chat", _chat(text)),
            ("messages", _messages(text)),
            ("responses", _responses(text)),
        ):
            (folder / f"{name}-{size}.json").write_bytes(_json(whole))
    for name, events, end in (
        ("chat", _chat_events(), b"data: [DONE]\n\n"),
        ("messages", _messages_events(), b""),
        ("responses", _responses_events(), b""),
    ):
        (folder / f"{name}.sse").write_bytes(b"".join(map(_event, events)) + end)
    models = [{"id": MODEL, "object": "model", "created": CREATED, "owned_by": "mock"}]
    (folder / "models.json").write_bytes(_json({"object": "list", "data": models}))


def _text(wanted: int) -> str:
    text, words = "", cycle(WORDS)
    while len(text) < wanted:
        text += next(words)
    return text


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _event(event: tuple[str | None, dict[str, Any]]) -> bytes:
    name, data = event
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + _json(data) + b"\n\n"


def _usage(inputs: str, outputs: str, tokens: int) -> dict[str, Any]:
    return {inputs: 1117, outputs: tokens, "total_tokens": 1117 + tokens}


# --- whole answers -------------------------------------------------------------------------------


def _chat(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = _usage("prompt_tokens", "completion_tokens", 46)
    usage["prompt_tokens_details"] = {"cached_tokens": 0}
    return {
        "id": CHAT_ID,
        "object": "chat.completion",
        "created": CREATED,
        "model": MODEL,
        "choices": [choice],
        "usage": usage,
    }


def _messages(text: str) -> dict[str, Any]:
    cache = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {
        "id": MESSAGE_ID,
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1117, **cache, "output_tokens": 46},
    }


def _responses(text: str) -> dict[str, Any]:
    item = {
        "type": "message",
        "id": ITEM_ID,
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }
    usage = _usage("input_tokens", "output_tokens", 46)
    usage["input_tokens_details"] = {"cached_tokens": 0}
    usage["output_tokens_details"] = {"reasoning_tokens": 0}
    return _response("completed", [item], usage=usage)


def _response(status: str, output: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": RESPONSE_ID,
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "model": MODEL,
        "output": output,
        **more,
    }


# --- streams -------------------------------------------------------------------------------------


def _chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": CHAT_ID,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        **more,
    }


def _chat_events() -> Events:
    yield None, _chunk({"role": "assistant", "content": ""})
    for number in range(DELTAS):
        yield None, _chunk({"content": WORDS[number % len(WORDS)]})
    yield None, _chunk({}, "stop", usage=_usage("prompt_tokens", "completion_tokens", DELTAS))


def _messages_events() -> Events:
    def named(name: str, **data: Any) -> tuple[str, dict[str, Any]]:
        return name, {"type": name, **data}

    started = _messages("") | {"content": [], "stop_reason": None}
    started["usage"] = {"input_tokens": 1117, "output_tokens": 1}
    yield named("message_start", message=started)
    yield named("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for number in range(DELTAS):
        delta = {"type": "text_delta", "text": WORDS[number % len(WORDS)]}
        yield named("content_block_delta", index=0, delta=delta)
    yield named("content_block_stop", index=0)
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield named("message_delta", delta=ended, usage={"output_tokens": DELTAS})
    yield named("message_stop")


def _responses_events() -> Events:
    numbers = iter(range(DELTAS + 4))

    def numbered(name: str, **data: Any) -> tuple[str, dict[str, Any]]:
        return name, {"type": name, "sequence_number": next(numbers), **data}

    item = {"type": "message", "id": ITEM_ID, "status": "in_progress", "role": "assistant"}
    place = {"item_id": ITEM_ID, "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    yield numbered("response.created", response=_response("in_progress", []))
    yield numbered("response.output_item.added", output_index=0, item={**item, "content": []})
    yield numbered("response.content_part.added", **place, part=empty)
    for number in range(DELTAS):
        text = WORDS[number % len(WORDS)]
        yield numbered("response.output_text.delta", **place, delta=text)
    usage = _usage("input_tokens", "output_tokens", DELTAS)
    yield numbered("response.completed", response=_response("completed", [], usage=usage))
