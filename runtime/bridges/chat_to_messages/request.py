"""A Chat request as a Messages request. Pure: same body, same candidate, same result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.bridges.chat_to_messages.fields import TABLE
from runtime.bridges.chat_to_messages.messages import Messages
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.parts import Lost
from runtime.bridges.to_messages import Frame, is_blank

_SEARCH: Final = "web_search_options"
_OBFUSCATION: Final = "include_obfuscation"


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request as Messages has it. Raises CallerError where the history cannot be read."""
    frame = Frame(body, crossing, TABLE, "messages[].reasoning_details")
    given = frame.given
    tools = frame.toolset([(name, given[name]) for name in ("tools", "functions") if name in given])
    Messages(frame, tools).tell(given["messages"], "messages")
    if "tool_choice" not in given:
        given["tool_choice"] = _choice_of(given.get("function_call"))
    frame.write_format(given.get("response_format"), "response_format")
    _write_stop(frame.top, given.get("stop"), frame.lost)
    _name_options(given, frame.lost)
    return frame.finish(tools, "messages")


def _choice_of(function_call: Any) -> Any:
    """What a choice was called before there were kinds of tools."""
    if isinstance(function_call, dict):
        return {"type": "function", "function": function_call}
    return function_call


def _write_stop(top: dict[str, Any], stop: Any, lost: Lost) -> None:
    """Anthropic refuses stop sequences of white space alone."""
    asked = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    kept = [text for text in asked if isinstance(text, str) and not is_blank(text)]
    if kept:
        top["stop_sequences"] = kept
    if len(kept) < len(asked):
        lost["stop"] = None


def _name_options(given: dict[str, Any], lost: Lost) -> None:
    """What is lost inside of fields, and what has another name in every trace."""
    if _SEARCH in lost:
        del lost[_SEARCH]
        lost["hosted:web_search"] = None
    options = given.get("stream_options")
    if isinstance(options, dict) and options.get(_OBFUSCATION):
        lost[f"stream_options.{_OBFUSCATION}"] = None
