"""Small hand-written streams, one good one per dialect, for what no recording shows."""

from __future__ import annotations

import json
from typing import Any


def chunk(delta: Any = None, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return chat({"id": "c", "model": "upstream-1", "choices": [choice], **more})


def chat(document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def named(document: dict[str, Any]) -> bytes:
    data = json.dumps(document).encode()
    return b"event: " + document["type"].encode() + b"\ndata: " + data + b"\n\n"


def response(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "resp_up", "object": "response", "model": "upstream-1", "status": status, **more}


ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "Hello"})
STOP = chunk(finish="stop")
DONE = b"data: [DONE]\n\n"

START = named(
    {
        "type": "message_start",
        "message": {"id": "m", "type": "message", "model": "upstream-1", "content": []},
    }
)
PING = named({"type": "ping"})
EMPTY_BLOCK = named(
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
)
DELTA = named(
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hello"},
    }
)
BLOCK_STOP = named({"type": "content_block_stop", "index": 0})
MESSAGE_DELTA = named({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
MESSAGE_STOP = named({"type": "message_stop"})

CREATED = named(
    {"type": "response.created", "sequence_number": 0, "response": response("in_progress")}
)
ITEM = named(
    {
        "type": "response.output_item.added",
        "sequence_number": 1,
        "item": {"type": "message", "id": "msg_1", "content": []},
    }
)
TEXT_DELTA = named({"type": "response.output_text.delta", "sequence_number": 2, "delta": "Hello"})
COMPLETED = named(
    {
        "type": "response.completed",
        "sequence_number": 3,
        "response": response("completed", output=[{"type": "message"}]),
    }
)

# dialect -> (what comes before content, content, what ends the answer)
GOOD: dict[str, tuple[list[bytes], list[bytes], list[bytes]]] = {
    "chat": ([ROLE], [TEXT], [STOP, DONE]),
    "messages": ([START, PING, EMPTY_BLOCK], [DELTA], [BLOCK_STOP, MESSAGE_DELTA, MESSAGE_STOP]),
    "responses": ([CREATED, ITEM], [TEXT_DELTA], [COMPLETED]),
}
