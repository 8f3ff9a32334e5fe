"""A Responses request as a Chat Completions request; it knows no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.parts import Lost, echoed, malformed
from runtime.bridges.responses_to_chat import tools as tools_of
from runtime.bridges.responses_to_chat.fields import TABLE
from runtime.bridges.responses_to_chat.items import Items
from runtime.bridges.to_chat import History, write_tools
from runtime.bridges.to_chat.fields import write_format
from runtime.bridges.to_chat.parts import LINES
from runtime.dialects.parts import texts
from runtime.dialects.responses.read import Item

_PARALLEL: Final = "parallel_tool_calls"  # without tools it is not sent
_LOGPROBS: Final = "message.output_text.logprobs"
_UNDERSTOOD: Final = frozenset((_LOGPROBS, "reasoning.encrypted_content"))
_LOST_REASONING: Final = ("summary", "generate_summary", "context", "mode")


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request as Chat has it. Raises CallerError where the history cannot be read."""
    lost: Lost = dict.fromkeys(TABLE.lost(body))
    items = body["input"]
    toolset = tools_of.read_tools(body, items, lost)
    history = History(crossing, lost, "reasoning")
    _instruct(history, body.get("instructions") or ())
    walk = Items(history, toolset, lost)
    walk.tell(items, "input")
    top: dict[str, Any] = {"messages": history.messages()}
    if not top["messages"]:
        raise malformed("input", "a string or a list with at least one message")
    choice, allowed = tools_of.read_choice(body.get("tool_choice"), toolset, lost)
    write_tools(top, toolset, choice, body.get(_PARALLEL), allowed)
    _write_options(top, body, lost)
    if crossing.reading.stream:
        top["stream"] = True
    return Crossed(top=top, dropped=tuple(lost), tools=toolset.names, echo=echoed(body))


def _instruct(history: History, instructions: msgspec.Raw | Sequence[Item]) -> None:
    """Instructions are a text; answers to requests with a stored prompt list them as messages."""
    if isinstance(instructions, msgspec.Raw):
        history.say("system", instructions)
        return
    for item in instructions:
        history.say("system", LINES.join(filter(None, texts(item.content))))


def _write_options(top: dict[str, Any], given: Mapping[str, Any], lost: Lost) -> None:
    for name in TABLE.carried:
        if name in given and name != _PARALLEL:
            top[name] = given[name]
    if "max_output_tokens" in given:
        top["max_tokens"] = given["max_output_tokens"]
    text = given.get("text") or {}
    write_format(top, text.get("format"))
    if text.get("verbosity"):
        top["verbosity"] = text["verbosity"]
    include = given.get("include") or ()
    if given.get("top_logprobs"):
        top["top_logprobs"] = given["top_logprobs"]
    if given.get("top_logprobs") or _LOGPROBS in include:
        top["logprobs"] = True
    if any(value not in _UNDERSTOOD for value in include):
        lost["include"] = None
    reasoning = given.get("reasoning") or {}
    lost |= dict.fromkeys(f"reasoning.{name}" for name in _LOST_REASONING if reasoning.get(name))
