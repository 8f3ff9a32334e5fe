"""Writes request bodies: {chat,messages,responses}-{small,large}[-stream|-paced].json.

small: about 1 KB, one question. large: about 200 KB, a coding agent's turn: a long system prompt,
20 tools with schemas, 60 messages with tool calls and tool results. The same bytes every time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

MODEL = "bench-model"
PACED = "[paced] "  # in a body, it makes the upstream pace its stream
WORDS = (  # noqa: SIM905 - a list of words reads worse
    "router target dialect stream request header compile table group upstream fallback "
    "token cache field value"
).split()
ENDS = ("", "", "", ",", ".\n", "()", " = 1\n", ' "x"')
_SEED = 7


@dataclass(frozen=True)
class Turn:
    """What one side says; an assistant's may call a tool, and a tool's bring the result."""

    role: str
    text: str = ""
    call_id: str = ""
    tool: str = ""
    arguments: dict[str, Any] | None = None


@dataclass(frozen=True)
class Talk:
    """A conversation in no dialect."""

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[tuple[str, str, dict[str, Any]], ...]  # name, description, schema


def write(folder: Path) -> None:
    """All bodies of all dialects."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, dialect in (("chat", chat), ("messages", messages), ("responses", responses)):
        for size in ("small", "large"):
            for kind, mark in (("", ""), ("-stream", ""), ("-paced", PACED)):
                body = dialect(talk(large=size == "large", mark=mark))
                if kind:
                    body["stream"] = True
                text = json.dumps(body, separators=(",", ":"))
                (folder / f"{name}-{size}{kind}.json").write_bytes(text.encode())


# --- the conversation ----------------------------------------------------------------------------


def talk(*, large: bool, mark: str) -> Talk:
    """The conversation of a size; `mark` opens its first message."""
    rng = Random(_SEED)
    tools = tuple(_tools(rng))
    system = _prose(rng, 8000 if large else 100)
    turns = tuple(_turns(rng, mark)) if large else (Turn("user", mark + _prose(rng, 700)),)
    return Talk(system, turns, tools if large else ())


def _turns(rng: Random, mark: str) -> Iterator[Turn]:
    yield Turn("user", mark + _prose(rng, 1500))
    for number in range(29):
        call = f"call_{number:04d}"
        arguments = {"arg_0": _prose(rng, 200), "arg_1": number}
        yield Turn("assistant", _prose(rng, 300), call, f"tool_{number % 20}", arguments)
        yield Turn("tool", _prose(rng, 4300), call)
    yield Turn("user", _prose(rng, 400))


def _tools(rng: Random) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for number in range(20):
        properties = {
            f"arg_{place}": {
                "type": rng.choice(("string", "integer", "boolean")),
                "description": _prose(rng, 90),
            }
            for place in range(6)
        }
        schema = {
            "type": "object",
            "properties": properties,
            "required": ["arg_0", "arg_1"],
            "additionalProperties": False,
        }
        yield f"tool_{number}", _prose(rng, 900), schema


def _prose(rng: Random, size: int) -> str:
    words: list[str] = []
    while sum(map(len, words)) + len(words) < size:
        words.append(rng.choice(WORDS) + rng.choice(ENDS))
    return " ".join(words)[:size]


# --- the dialects --------------------------------------------------------------------------------


def chat(told: Talk) -> dict[str, Any]:
    """The conversation as Chat Completions."""
    turns = [{"role": "system", "content": told.system}, *map(_chat_message, told.turns)]
    tools = [
        {"type": "function", "function": {"name": n, "description": d, "parameters": s}}
        for n, d, s in told.tools
    ]
    body = {"model": MODEL, "messages": turns, "temperature": 0.2, "max_tokens": 4096}
    return body | ({"tools": tools} if tools else {})


def _chat_message(turn: Turn) -> dict[str, Any]:
    if turn.role == "tool":
        return {"role": "tool", "tool_call_id": turn.call_id, "content": turn.text}
    if turn.arguments is None:
        return {"role": turn.role, "content": turn.text}
    function = {"name": turn.tool, "arguments": json.dumps(turn.arguments)}
    call = {"id": turn.call_id, "type": "function", "function": function}
    return {"role": "assistant", "content": turn.text, "tool_calls": [call]}


def messages(told: Talk) -> dict[str, Any]:
    """The conversation as Messages."""
    system = {"type": "text", "text": told.system, "cache_control": {"type": "ephemeral"}}
    tools = [{"name": n, "description": d, "input_schema": s} for n, d, s in told.tools]
    body = {
        "model": MODEL,
        "max_tokens": 4096,
        "system": [system],
        "messages": list(map(_messages_turn, told.turns)),
    }
    return body | ({"tools": tools} if tools else {})


def _messages_turn(turn: Turn) -> dict[str, Any]:
    if turn.role == "tool":
        result = {"type": "tool_result", "tool_use_id": turn.call_id, "content": turn.text}
        return {"role": "user", "content": [result]}
    blocks: list[dict[str, Any]] = [{"type": "text", "text": turn.text}]
    if turn.arguments is not None:
        use = {"id": turn.call_id, "name": turn.tool, "input": turn.arguments}
        blocks.append({"type": "tool_use", **use})
    return {"role": turn.role, "content": blocks}


def responses(told: Talk) -> dict[str, Any]:
    """The conversation as Responses."""
    tools = [
        {"type": "function", "name": n, "description": d, "parameters": s, "strict": False}
        for n, d, s in told.tools
    ]
    items = [item for turn in told.turns for item in _items(turn)]
    body = {"model": MODEL, "instructions": told.system, "input": items, "store": False}
    return body | ({"tools": tools} if tools else {})


def _items(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role == "tool":
        yield {"type": "function_call_output", "call_id": turn.call_id, "output": turn.text}
        return
    kind = "output_text" if turn.role == "assistant" else "input_text"
    content = [{"type": kind, "text": turn.text}]
    yield {"type": "message", "role": turn.role, "content": content}
    if turn.arguments is not None:
        call = {"call_id": turn.call_id, "name": turn.tool}
        yield {"type": "function_call", **call, "arguments": json.dumps(turn.arguments)}
