"""Crosses bodies to Responses, and says what is wrong with the Responses request that comes out."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
from openai.types.responses import tool_param
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from openai.types.responses.response_input_item_param import ResponseInputItemParam
from pydantic import TypeAdapter

from runtime.bridges import chat_to_responses, messages_to_responses
from runtime.bridges.crossing import Crossed, Crossing
from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from runtime.vocabulary import TOOLS, Settings, Skin
from tests.runtime.bridges.twice import crossed_twice
from tests.runtime.dialects.bodies import BUDGETS, body_of, effort, open_skin, read, step_of
from tests.runtime.dialects.captures import captures

SETTINGS = Settings(
    name="test",
    budgets=BUDGETS,
    hosted_tools=dict.fromkeys(
        ("web_search", "web_fetch", "computer", "memory", "mcp", "tool_search", "other"), "strip"
    ),
)
DOMAIN = "the provider"
BRIDGES = {"chat": chat_to_responses, "messages": messages_to_responses}
THINKS = effort("low", "medium", "high", "xhigh", summaries=True)
FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"

_ITEM = TypeAdapter(ResponseInputItemParam)
_TOOL = TypeAdapter(tool_param.ToolParam)
_BODY = TypeAdapter(ResponseCreateParamsNonStreaming)
_LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


def thinking_skin(**fields: Any) -> Skin:
    """A skin that reasons, shows summaries of it and caches prompts."""
    return open_skin(**{"reasoning": THINKS, "prompt_cache": "auto", **fields})


def grammar_skin(**fields: Any) -> Skin:
    """A skin that takes custom tools as they are."""
    return open_skin(custom=True, **fields)


def cross_body(
    dialect: str, body: bytes, skin: Skin | None = None, headers: Any = None, **step: Any
) -> Crossed:
    """Crosses a whole body; what comes out is lawful."""
    reading = read(dialect, body, SETTINGS, **(headers or {}))
    crossing = Crossing(
        reading=reading,
        step=step_of(skin or open_skin(), **{"features": TOOLS, **step}),
        domain=DOMAIN,
    )
    crossed = crossed_twice(BRIDGES[dialect], crossing)
    check(crossed.top)
    return crossed


def cross(dialect: str, skin: Skin | None = None, step: Any = None, **fields: Any) -> Crossed:
    """Crosses a body that is complete but for the given fields."""
    return cross_body(dialect, body_of(dialect, **fields), skin, **(step or {}))


def sent(dialect: str, body: bytes, skin: Skin) -> dict[str, Any]:
    """What goes on the wire: a crossed body after the edit that all Responses requests take."""
    step = step_of(skin, features=TOOLS)
    reading = msgspec.structs.replace(read(dialect, body, SETTINGS), dialect="responses")
    edited = DIALECTS["responses"].edit(cross_body(dialect, body, skin).top, reading, step)
    document: dict[str, Any] = json.loads(edited.body)
    return document


def items(dialect: str, messages: list[dict[str, Any]], **given: Any) -> list[dict[str, Any]]:
    """The input items of a conversation."""
    crossed = cross(dialect, messages=messages, **given)
    found: list[dict[str, Any]] = crossed.top["input"]
    return found


def recorded(dialect: str) -> list[tuple[str, bytes, dict[str, str]]]:
    """Every capture and recorded request of a dialect that can be read and names no uploads."""
    found = [
        (
            capture.name,
            capture.body,
            {
                key.decode().replace("-", "_"): value.decode()
                for key, value in capture.headers.items()
            },
        )
        for capture in captures()
        if capture.dialect == dialect
    ]
    found += [
        (file.name.removesuffix(".request.json"), file.read_bytes(), {})
        for file in sorted((FIXTURES / dialect).glob("*.request.json"))
    ]
    return [row for row in found if b'"file_id"' not in row[1] and _is_readable(dialect, row[1])]


def _is_readable(dialect: str, body: bytes) -> bool:
    try:
        return read(dialect, body, SETTINGS).dialect == dialect
    except CallerError:
        return False


# --- what a Responses request must be ------------------------------------------------------------


def check(top: dict[str, Any]) -> None:
    """Asserts the SDK's types, and the rules that OpenAI and DeepSeek have beside them."""
    assert "model" not in top
    assert top["store"] is False
    given = {key: value for key, value in top.items() if key != "stream"}
    _BODY.validate_python({**given, "model": "up", "input": "checked item by item"})
    assert top["input"], "no input"
    for item in top["input"]:
        _ITEM.validate_python(_complete(item), strict=True)
        assert item.get("content") != []
    _check_calls(top["input"])
    _check_reasoning(top["input"])
    _check_tools(top)
    assert top.get("max_output_tokens", 16) >= 16


def _complete(item: dict[str, Any]) -> dict[str, Any]:
    """Ids and states of earlier answers are the upstream's to make; the SDK's types want them."""
    if item.get("role") != "assistant":
        return item
    parts = [
        {**part, "annotations": []} if part["type"] == "output_text" else part
        for part in item["content"]
    ]
    assert {part["type"] for part in parts} <= {"output_text", "refusal"}
    return {**item, "content": parts, "id": "msg_1", "status": "completed"}


def _check_calls(found: list[dict[str, Any]]) -> None:
    """Each run of calls is followed by exactly its results."""
    waiting: list[tuple[str, str]] = []
    seen: set[str] = set()
    answered = False
    for item in found:
        kind = item["type"]
        if kind in ("function_call", "custom_tool_call"):
            assert not (answered and waiting), "a call among the results of others"
            assert _LEGAL.fullmatch(item["call_id"])
            assert _LEGAL.fullmatch(item["name"])
            assert item["call_id"] not in seen
            seen.add(item["call_id"])
            waiting.append((item["call_id"], f"{kind}_output"))
            answered = False
        elif kind.endswith("_output"):
            waiting.remove((item["call_id"], kind))
            answered = True
        else:
            assert not waiting, "something between a call and its result"
    assert not waiting, "a call without a result"


def _check_reasoning(found: list[dict[str, Any]]) -> None:
    for item, after in zip(found, [*found[1:], None], strict=True):
        if item["type"] == "reasoning":
            assert "content" not in item
            assert after is not None, "reasoning that nothing follows"
            assert after.get("role") in (None, "assistant")
            assert not after["type"].endswith("_output")


def _check_tools(top: dict[str, Any]) -> None:
    tools = top.get("tools")
    if tools is None:
        assert "tool_choice" not in top
        assert "parallel_tool_calls" not in top
        return
    names = [tool["name"] for tool in tools]
    assert len(set(names)) == len(names)
    assert all(map(_LEGAL.fullmatch, names))
    for tool in tools:
        _TOOL.validate_python(tool, strict=True)
        if tool["type"] == "function":
            assert tool["parameters"]["type"] == "object"
            assert "properties" in tool["parameters"]
            assert isinstance(tool["strict"], bool)
    choice = top.get("tool_choice")
    if isinstance(choice, dict):
        listed = choice.get("tools", [choice])
        assert all({"type", "name"} == set(one) - {"tools", "mode"} for one in listed)
        assert {(tool["type"], tool["name"]) for tool in tools} >= {
            (one["type"], one["name"]) for one in listed
        }


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


def explained(table: Any) -> set[str]:
    """Top-level names of a Responses request that a field table speaks of."""
    names = {
        field.to or field.name for field in table.fields if field.fate in ("carried", "mapped")
    }
    always = {"store", "include", "prompt_cache_key"}  # said by no field of the caller
    return always | {re.split(r"[.\[]", name)[0] for name in names}
