"""Crosses bodies to Messages, and judges the Messages request that comes out.

The rules share no code of ours: types are those of Anthropic's SDK, order is judged by hand.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from anthropic.types import MessageParam, TextBlockParam, ToolChoiceParam, ToolParam
from anthropic.types.message_create_params import MessageCreateParamsBase
from pydantic import TypeAdapter, ValidationError

from runtime.bridges import chat_to_messages, responses_to_messages
from runtime.bridges.crossing import Crossed, Crossing
from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from runtime.vocabulary import JSON_SCHEMA, TOOLS, Reasoning, Settings, Skin
from tests.runtime.bridges.twice import crossed_twice
from tests.runtime.dialects.bodies import BUDGETS, body_of, open_skin, read, step_of
from tests.runtime.dialects.captures import captures

BRIDGES = {"chat": chat_to_messages, "responses": responses_to_messages}
DOMAIN = "the provider"
FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"
THINKS = Reasoning(control="budget", levels=("low", "medium", "high"), summaries=True)
SETTINGS = Settings(
    name="test",
    budgets=BUDGETS,
    hosted_tools=dict.fromkeys(
        ("web_search", "file_search", "code_interpreter", "mcp", "tool_search", "other"), "strip"
    ),
)

_TYPES = {
    "system": TypeAdapter(list[TextBlockParam]),
    "messages": TypeAdapter(list[MessageParam]),
    "tools": TypeAdapter(list[ToolParam]),
    "tool_choice": TypeAdapter(ToolChoiceParam),
}
_BODY = TypeAdapter(MessageCreateParamsBase)
_LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_THINKING = {"thinking", "redacted_thinking"}
_BLOCKS = {
    "user": {"text", "image", "document", "tool_result"},
    "assistant": {"text", "tool_use"} | _THINKING,
    "system": {"text"},
}
_WORDS = {"auto", "any", "none", "tool"}


def cross_body(
    dialect: str, body: bytes, skin: Skin | None = None, headers: Any = None, **step: Any
) -> Crossed:
    """Crosses a whole body; what comes out is lawful."""
    reading = read(dialect, body, SETTINGS, **(headers or {}))
    given = {"features": TOOLS | JSON_SCHEMA, **step}
    crossing = Crossing(reading=reading, step=step_of(skin or open_skin(), **given), domain=DOMAIN)
    crossed = crossed_twice(BRIDGES[dialect], crossing)
    assert len(set(crossed.dropped)) == len(crossed.dropped)
    assert list(faults(crossed.top)) == []
    return crossed


def cross(dialect: str, skin: Skin | None = None, step: Any = None, **fields: Any) -> Crossed:
    """Crosses a body that is complete but for the given fields."""
    return cross_body(dialect, body_of(dialect, **fields), skin, **(step or {}))


def sent(dialect: str, body: bytes, skin: Skin, **step: Any) -> dict[str, Any]:
    """What goes on the wire: a crossed body after the edit that all Messages requests take."""
    crossed = cross_body(dialect, body, skin, **step)
    reading = msgspec.structs.replace(
        read(dialect, body, SETTINGS), dialect="messages", broken_turn=crossed.broken_turn
    )
    edited = DIALECTS["messages"].edit(crossed.top, reading, step_of(skin, **step))
    document: dict[str, Any] = json.loads(edited.body)
    return document


def recorded(dialect: str) -> list[tuple[str, bytes, dict[str, str]]]:
    """Every capture and every recorded request of a dialect that can be read at all."""
    found = [
        (c.name, c.body, {k.decode().replace("-", "_"): v.decode() for k, v in c.headers.items()})
        for c in captures()
        if c.dialect == dialect
    ]
    found += [
        (file.name.removesuffix(".request.json"), file.read_bytes(), {})
        for file in sorted((FIXTURES / dialect).glob("*.request.json"))
    ]
    return [row for row in found if _is_readable(dialect, row[1])]


def capture(name: str) -> bytes:
    """One captured request by its name."""
    return next(c.body for c in captures() if c.name == name)


def _is_readable(dialect: str, body: bytes) -> bool:
    try:
        return read(dialect, body, SETTINGS).dialect == dialect
    except CallerError:
        return False


# --- what a Messages request must be -------------------------------------------------------------


def faults(top: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a Messages request, in words."""
    if "model" in top:
        yield "a model, which the edit writes"
    for name, adapter in _TYPES.items():
        if name in top:
            yield from _type_faults(name, adapter, top[name])
    plain = {name: value for name, value in top.items() if name not in _TYPES}
    body = {"max_tokens": 1, "model": "m", "messages": [], **plain}
    if "thinking" not in body:  # the edit completes what a bridge says of it
        yield from _type_faults("body", _BODY, body)
    yield from _order_faults(top["messages"])
    yield from _pairing_faults(top["messages"])
    yield from _block_faults(top)
    yield from _tool_faults(top)
    yield from _schema_faults(top)


def _type_faults(name: str, adapter: TypeAdapter, value: Any) -> Iterator[str]:
    try:
        _read_lazily(adapter.validate_python(value))
    except ValidationError as error:
        yield f"{name}: {error}"


def _read_lazily(value: Any) -> None:
    """Pydantic reads an `Iterable` only when somebody asks for its elements."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, str) and hasattr(value, "__iter__"):
        for inner in value:
            _read_lazily(inner)


def _order_faults(messages: list[dict[str, Any]]) -> Iterator[str]:
    if not messages:
        yield "no messages"
        return
    if messages[0]["role"] != "user":
        yield f"begins with {messages[0]['role']}"
    before = None
    for turn in messages:
        if turn["role"] == before:
            yield f"two {before} turns in a row"
        before = turn["role"]
        kinds = [block["type"] for block in turn["content"]]
        if not kinds or not set(kinds) <= _BLOCKS[before]:
            yield f"{before} with {kinds}"
        if before == "assistant" and kinds[-1] in _THINKING:
            yield "a turn that ends in thinking"
    last = messages[-1]["content"][-1]
    if before == "assistant" and last.get("text") != last.get("text", "").rstrip():
        yield "white space at the end of a prefill"


def _pairing_faults(messages: list[dict[str, Any]]) -> Iterator[str]:
    waiting: list[str] = []
    seen: set[str] = set()
    for turn in messages:
        kinds = [block["type"] for block in turn["content"]]
        results = [b["tool_use_id"] for b in turn["content"] if b["type"] == "tool_result"]
        if kinds[: len(results)] != ["tool_result"] * len(results):
            yield "results that do not stand first"
        if sorted(results) != sorted(waiting):
            yield f"results of {results}, calls of {waiting}"
        waiting = [b["id"] for b in turn["content"] if b["type"] == "tool_use"]
        if len(set(waiting)) != len(waiting) or seen & set(waiting):
            yield "an id twice"
        if not all(map(_LEGAL.fullmatch, waiting)):
            yield f"illegal ids: {waiting}"
        seen |= set(waiting)
    if waiting:
        yield f"no results of {waiting}"


def _block_faults(top: dict[str, Any]) -> Iterator[str]:
    marks = 0
    outer = [*top.get("tools", []), *top.get("system", [])]
    outer += [block for turn in top["messages"] for block in turn["content"]]
    for block in outer:
        marks += "cache_control" in block
        if block.get("type") in _THINKING and "cache_control" in block:
            yield "a breakpoint on thinking"
        content = block.get("content")
        for inner in [block, *(content if isinstance(content, list) else [])]:
            if inner is not block and "cache_control" in inner:
                yield "a breakpoint inside a result"
            if inner.get("type") == "text" and not inner["text"].strip():
                yield "a blank text"
        if content == [] or (isinstance(content, str) and not content.strip()):
            yield "an empty result"
    if marks > 4:
        yield f"{marks} breakpoints"


def _tool_faults(top: dict[str, Any]) -> Iterator[str]:
    names = [tool["name"] for tool in top.get("tools", [])]
    used = [b["name"] for t in top["messages"] for b in t["content"] if b["type"] == "tool_use"]
    if not all(map(_LEGAL.fullmatch, [*names, *used])):
        yield f"illegal names: {names} {used}"
    if len(set(names)) != len(names):
        yield "two tools have one name"
    if used and not names:
        yield "tool blocks without tools"
    choice = top.get("tool_choice")
    if "tools" in top and not names:
        yield "an empty list of tools"
    if choice is None:
        return
    if not names:
        yield "a choice without tools"
    if choice["type"] not in _WORDS or (choice["type"] == "tool" and choice["name"] not in names):
        yield f"a choice of {choice}"
    if choice["type"] == "none" and len(choice) > 1:
        yield "`none` says nothing else"


def _schema_faults(top: dict[str, Any]) -> Iterator[str]:
    for tool in top.get("tools", []):
        schema = tool["input_schema"]
        if schema.get("type") != "object" or schema.keys() & {"anyOf", "oneOf", "allOf"}:
            yield f"{tool['name']}: not an object"
        if tool.get("strict"):
            yield from _open_objects(schema)
    form = top.get("output_config", {}).get("format", {})
    yield from _open_objects(form.get("schema"))
    for text in top.get("stop_sequences", []):
        if not text.strip():
            yield "a blank stop sequence"
    if not 0 <= top.get("temperature", 0) <= 1:
        yield "a temperature beyond 1"


def _open_objects(schema: Any) -> Iterator[str]:
    """Strict output wants every object closed, and knows no limits of numbers and lengths."""
    if isinstance(schema, list):
        for inner in schema:
            yield from _open_objects(inner)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        yield "an open object"
    if {"minimum", "maximum", "minLength", "maxLength", "pattern", "oneOf"} & schema.keys():
        yield "a limit"
    for key, inner in schema.items():
        if key in ("properties", "$defs"):
            yield from _open_objects(list(inner.values()))
        elif key not in ("enum", "const", "required", "default"):
            yield from _open_objects(inner)


# --- tables --------------------------------------------------------------------------------------

_SEGMENT = re.compile(r"(\w+)(\[(?:(\w+)=([^\]]+))?\])?")


def reaches(document: Any, path: str) -> bool:
    """Whether a path of a field table leads to something."""
    head, _, rest = path.partition(".")
    name, listed, key, value = _SEGMENT.fullmatch(head).groups()
    if not isinstance(document, dict) or document.get(name) is None:
        return False
    inner = document[name]
    if not listed:
        return not rest or reaches(inner, rest)
    inner = [part for part in inner if isinstance(part, dict)] if isinstance(inner, list) else []
    chosen = [part for part in inner if key is None or part.get(key) == value]
    return any(not rest or reaches(part, rest) for part in chosen)
