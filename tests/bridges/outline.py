"""Requests as text that a reviewer can read: a line for each turn, tool and field."""

import json
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from runtime import sse

_LONG = 72
_TURNS = ("messages", "input")


def outlined(name: str, body: bytes, toolboxes: dict[str, str]) -> list[str]:
    """A request in short: plain fields, tools by name and parameters, turns with cut texts.

    `toolboxes` remembers which request had which tools first: the others only name it.
    """
    case, top = name, json.loads(body)
    lines = []
    for name, value in top.items():
        if name == "tools":
            first = toolboxes.setdefault(digest(value), case)
            known = f" as in {first}" if first != case else ""
            lines += [f"tools {len(value)}{known}", *(() if known else map(_tool, value))]
        elif name in _TURNS and isinstance(value, list):
            lines += [f"{name} {len(value)}", *(f"  {_compact(turn)}" for turn in value)]
        elif name == "system" and isinstance(value, list):
            lines += ["system", *(f"  {_compact(block)}" for block in value)]
        else:
            lines.append(f"{name} {_compact(value)}")
    return lines


def whole(body: bytes) -> str:
    """A request as indented JSON in which only long texts are cut."""
    return json.dumps(shortened(json.loads(body), 400), ensure_ascii=False, indent=1)


def shortened(value: Any, room: int = _LONG) -> Any:
    """The value with long texts cut, each with what is missing as a number and a digest."""
    if isinstance(value, dict):
        return {key: shortened(inner, room) for key, inner in value.items()}
    if isinstance(value, list):
        return [shortened(inner, room) for inner in value]
    if isinstance(value, str) and len(value) > room + 16:
        return f"{value[:room]}…+{len(value) - room}#{digest(value)}"
    return value


def digest(value: Any) -> str:
    """Eight letters that change when the value does, the order of its members included."""
    return blake2b(json.dumps(value).encode(), digest_size=4).hexdigest()


def _compact(value: Any, room: int = _LONG) -> str:
    return json.dumps(shortened(value, room), ensure_ascii=False, separators=(",", ":"))


def _tool(tool: dict[str, Any]) -> str:
    """Name, parameters (required ones with a star), flags; the digest is of all of it."""
    inner = tool.get("function") or tool.get("custom") or tool
    schema = inner.get("parameters") or inner.get("input_schema") or {}
    required = schema.get("required", ())
    names = [name + "*" * (name in required) for name in schema.get("properties", ())]
    flags = {key: inner[key] for key in ("strict", "format") if key in inner}
    flags |= {key: tool[key] for key in ("type", "cache_control") if key in tool}
    return (
        f"  {inner.get('name')}({', '.join(names)}) {_compact(flags)}"
        f" described in {len(inner.get('description') or '')} #{digest(tool)}"
    )


# --- answers -------------------------------------------------------------------------------------


def told(surface: str, frames: list[bytes]) -> list[str]:
    """The events of a stream in order; texts of one kind that follow each other are joined."""
    lines: list[str] = []
    joined: tuple[str, list[str]] | None = None
    for frame in frames:
        name, data = sse.parse(frame)
        for kind, text, rest in _EVENTS[surface](name.decode(), data):
            if text is None:
                joined = None
                lines.append(f"{kind} {_compact(rest)}" if rest else kind)
            elif joined is not None and joined[0] == kind:
                joined[1].append(text)
                lines[-1] = _joined(*joined)
            else:
                joined = (kind, [text])
                lines.append(_joined(*joined))
    return lines


def _joined(kind: str, texts: list[str]) -> str:
    return f"{kind} x{len(texts)} {json.dumps(shortened(''.join(texts), 240), ensure_ascii=False)}"


Told = Iterator[tuple[str, str | None, Any]]


def _chat_events(name: str, data: bytes) -> Told:
    assert not name
    if data == b"[DONE]":
        yield "[DONE]", None, None
        return
    chunk = json.loads(data)
    head = [chunk.pop(key) for key in ("id", "object", "created", "model")]
    assert head == ["chatcmpl-ours", "chat.completion.chunk", 1_795_219_200, "group"], head
    choices = chunk.pop("choices")
    if chunk:
        yield "chunk", None, chunk
    for choice in choices:
        delta = choice.pop("delta")
        choice = {key: value for key, value in choice.items() if value not in (None, 0)}
        for key in [key for key in delta if isinstance(delta[key], str) and key != "role"]:
            yield key, delta.pop(key), None
        for call in delta.pop("tool_calls", ()):
            inner = call.get("function") or call.get("custom")
            text = inner.pop("arguments", None) or inner.pop("input", None)
            number = call.pop("index")
            if "id" in call:
                yield f"call {number}", None, call
            if text:
                yield f"arguments {number}", text, None
        if delta:
            yield "delta", None, delta
        if choice:
            yield "choice", None, choice


def _messages_events(name: str, data: bytes) -> Told:
    event = json.loads(data)
    assert event.pop("type") == name
    if name == "content_block_delta":
        delta = event["delta"]
        kind = delta.pop("type")
        (text,) = delta.values()
        yield f"{kind} of {event['index']}", text, None
        return
    if name == "message_start":
        head = [event["message"].pop(key) for key in ("id", "type", "role", "model")]
        assert head == ["msg_ours", "message", "assistant", "group"], head
    yield name, None, event


def _responses_events(name: str, data: bytes) -> Told:
    event = json.loads(data)
    assert event.pop("type") == name
    event.pop("sequence_number")
    if name.endswith(".delta"):
        place = ".".join(
            str(event[key])
            for key in ("output_index", "content_index", "summary_index")
            if key in event
        )
        yield f"{name.removeprefix('response.')} of {place}", event["delta"], None
        return
    if "response" in event:
        event = _response(event["response"])
    yield name.removeprefix("response."), None, event


def _response(response: dict[str, Any]) -> dict[str, Any]:
    head = [response.pop(key) for key in ("id", "object", "created_at", "model")]
    assert head == ["resp_ours", "response", 1_795_219_200, "group"], head
    kept = ("status", "output", "usage", "error", "incomplete_details")
    return {key: response[key] for key in kept if response.get(key)}


_EVENTS = {"chat": _chat_events, "messages": _messages_events, "responses": _responses_events}


def outlined_answer(body: bytes) -> list[str]:
    """An answer in one piece, a line for each part of it."""
    lines = []
    for name, value in json.loads(body).items():
        if isinstance(value, list):
            lines += [name, *(f"  {_compact(inner, 240)}" for inner in value)]
        elif value is not None:
            lines.append(f"{name} {_compact(value, 240)}")
    return lines
