"""A Messages request as a Chat Completions request; it knows no answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from runtime import hosted
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.messages_to_chat.blocks import Turns
from runtime.bridges.messages_to_chat.fields import TABLE
from runtime.bridges.parts import Lost, Where, malformed
from runtime.bridges.to_chat import Choice, History, Tool, Toolset, toolset, write_tools
from runtime.bridges.to_chat.fields import write_format
from runtime.bridges.to_chat.tools import name_of
from runtime.bridges.tools import Original

_TIERS: Final = {"auto": "auto", "standard_only": "default"}
_CHOICES: Final = {"auto": "auto", "any": "required", "required": "required", "none": "none"}
# In Messages the type of a client's own tool is `custom`, or left out.
_CLIENT_RUN: Final = (None, "custom", "function")
# What a tool keeps, and what its other fields are missed by where that is not their own name.
_TOOL: Final = {"type", "name", "description", "input_schema", "strict"}
_OF_TOOL: Final = {"cache_control": "cache_control"}


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request as Chat has it. Raises CallerError where the history cannot be read."""
    lost: Lost = dict.fromkeys(TABLE.lost(body))
    cached = crossing.step.skin.prompt_cache == "explicit"
    tools = toolset(_tools, [("tools", body["tools"])] if "tools" in body else [], lost)
    if body.get("mcp_servers"):
        lost["hosted:mcp"] = None
    history = History(crossing, lost, "thinking")
    turns = Turns(history, tools, lost, cached=cached)
    turns.system(body.get("system"))
    turns.tell(body["messages"], "messages")
    top: dict[str, Any] = {"messages": history.messages()}
    if not top["messages"]:
        raise malformed("messages", "a list with at least one message")
    _write_choice(top, tools, body.get("tool_choice"), lost)
    _write_options(top, body, lost)
    if crossing.reading.stream:
        top["stream"] = True
    return Crossed(top=top, dropped=tuple(lost), tools=tools.names)


def _tools(lists: Iterable[tuple[str, list[dict[str, Any]]]], lost: Lost) -> Iterator[Tool]:
    for where, tools in lists:
        for index, tool in enumerate(tools):
            kind = tool.get("type")
            if kind in _CLIENT_RUN:
                yield _tool(tool, (where, index), lost)
            else:
                lost[f"hosted:{hosted.normalise(str(kind))}"] = None


def _tool(tool: Mapping[str, Any], where: Where, lost: Lost) -> Tool:
    if not tool.keys() <= _TOOL:
        others = (key for key, said in tool.items() if said and key not in _TOOL)
        lost |= {_OF_TOOL.get(key, f"tools[].{key}"): None for key in others}
    return Tool(
        Original(name_of(tool, where)),
        tool.get("description"),
        tool.get("input_schema"),
        tool.get("strict"),
    )


def _write_choice(top: dict[str, Any], tools: Toolset, choice: Any, lost: Lost) -> None:
    given = {"type": choice} if isinstance(choice, str) else choice or {}
    written: Choice = None
    if given.get("type") == "tool":
        written = tools.find(given.get("name"))
    elif given:
        written = _CHOICES.get(str(given.get("type")))
        if written is None:
            lost["tool_choice"] = None
    parallel = False if given.get("disable_parallel_tool_use") else None
    write_tools(top, tools, written, parallel)


def _write_options(top: dict[str, Any], given: Mapping[str, Any], lost: Lost) -> None:
    for name in TABLE.carried:
        if name in given:
            top[name] = given[name]
    if "max_tokens" in given:
        top["max_tokens"] = given["max_tokens"]
    if given.get("stop_sequences"):
        top["stop"] = given["stop_sequences"]
    if tier := given.get("service_tier"):
        top["service_tier"] = _TIERS.get(str(tier), tier)
    config = given.get("output_config") or {}
    wanted = config.get("format") or given.get("output_format")
    # Messages holds every answer to its schema
    write_format(top, {"strict": True, **wanted} if wanted else None)
    if config.get("task_budget"):
        lost["output_config.task_budget"] = None
    if (given.get("thinking") or {}).get("display"):
        lost["thinking.display"] = None
