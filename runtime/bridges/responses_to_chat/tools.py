"""The tools and the tool choice of a Responses request, in the words of `to_chat`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from runtime import hosted
from runtime.bridges.from_responses import BRINGS_TOOLS
from runtime.bridges.parts import Lost
from runtime.bridges.to_chat import Choice, Tool, Toolset, toolset
from runtime.bridges.to_chat.tools import name_of
from runtime.bridges.tools import Original
from runtime.dialects.decode import ABSENT
from runtime.dialects.responses.read import Item

_TOOL: Final = {"type", "name", "description", "parameters", "strict", "format"}
_WORDS: Final = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_CLIENT_RUN: Final = (None, "function", "custom")


def read_tools(body: Mapping[str, Any], items: Iterable[Item], lost: Lost) -> Toolset:
    """The tools of a body, and those that stand in its input."""
    lists = [("tools", body["tools"])] if "tools" in body else []
    lists += [
        ("input[].tools", item.tools)
        for item in items
        if item.type in BRINGS_TOOLS and item.tools is not ABSENT
    ]
    return toolset(_listed, lists, lost)


def _listed(lists: Iterable[tuple[str, list[dict[str, Any]]]], lost: Lost) -> Iterator[Tool]:
    for _, tools in lists:
        yield from _tools(tools, None, lost)


def _tools(tools: Iterable[Mapping[str, Any]], namespace: str | None, lost: Lost) -> Iterator[Tool]:
    for tool in tools:
        kind = tool.get("type")
        if kind == "namespace":
            if tool.get("description"):
                lost["tools[type=namespace].description"] = None
            yield from _tools(tool.get("tools") or (), name_of(tool, "tools[]"), lost)
        elif kind in _CLIENT_RUN:
            yield _tool(tool, namespace, lost)
        else:
            lost[f"hosted:{hosted.normalise(str(kind))}"] = None


def _tool(tool: Mapping[str, Any], namespace: str | None, lost: Lost) -> Tool:
    kind = tool.get("type") or "function"
    # some clients send the nested form of Chat
    nested = tool.get(kind)
    inner = nested if isinstance(nested, dict) else tool
    if not inner.keys() <= _TOOL:
        lost |= {f"tools[].{key}": None for key, said in inner.items() if said and key not in _TOOL}
    original = Original(name_of(inner, "tools[]"), kind == "custom", namespace or None)
    description = inner.get("description")
    if original.custom:
        return Tool(original, description, form=inner.get("format"))
    return Tool(original, description, inner.get("parameters"), inner.get("strict"))


def read_choice(
    choice: Any, tools: Toolset, lost: Lost
) -> tuple[Choice, Collection[Original] | None]:
    """The choice, and the tools it restricts the model to, if it does."""
    if choice is None or not tools:
        return None, None
    if isinstance(choice, str):
        return _word(choice, lost), None
    if choice.get("type") == "allowed_tools":
        listing = choice.get("allowed_tools") or choice
        allowed = _allowed(listing.get("tools") or (), tools)
        # a listing of nothing but hosted tools went with them
        return (_word(listing.get("mode", "auto"), lost), allowed) if allowed else (None, None)
    named = _named(choice, tools)
    if named is None and choice.get("type") in _CLIENT_RUN:
        lost["tool_choice"] = None
    return named, None


def _word(word: Any, lost: Lost) -> str | None:
    known = _WORDS.get(word)
    if known is None:
        lost["tool_choice"] = None
    return known


def _named(choice: Mapping[str, Any], tools: Toolset) -> Original | None:
    nested = choice.get(choice.get("type") or "function")
    inner = nested if isinstance(nested, dict) else choice
    return tools.find(inner.get("name"))


def _allowed(listed: Iterable[Mapping[str, Any]], tools: Toolset) -> Collection[Original]:
    allowed: set[Original] = set()
    for entry in listed:
        if entry.get("type") == "namespace":
            allowed.update(tools.inside(entry.get("name")))
        elif (named := _named(entry, tools)) is not None:
            allowed.add(named)
    return allowed
