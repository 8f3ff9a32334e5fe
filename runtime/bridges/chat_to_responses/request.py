"""Writes a Chat request as a Responses request, for one candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from runtime.bridges.body import UNSAID, members, plain, text
from runtime.bridges.chat_to_responses.fields import TABLE
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.parts import Lost, Where, malformed, path
from runtime.bridges.to_responses import frame
from runtime.bridges.to_responses.content import (
    Output,
    Part,
    is_marked,
    listed,
    mark_dropped,
    output_of,
    parts_of,
    said,
    texts_of,
    unknown,
)
from runtime.bridges.to_responses.history import History
from runtime.bridges.to_responses.tools import toolset, write_choice
from runtime.dialects.chat.read import Message
from runtime.dialects.decode import ABSENT
from runtime.dialects.parts import Part as Record
from runtime.dialects.parts import opened

_TEXTS: Final = frozenset((None, "text", "output_text"))
_LOST_DETAILS: Final = "messages[].reasoning_details"
_READABLE: Final = ("reasoning_content", "reasoning")


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request upstream, and what it lost. Raises CallerError."""
    lost = frame.left_out(TABLE, body)
    lists = [(name, body[name]) for name in ("tools", "functions") if name in body]
    tools = toolset(lists, crossing.step, lost)
    if body.get("web_search_options") is not None:
        lost["hosted:web_search"] = None
    turns = _Turns(crossing, History(tools, lost), lost)
    for index, message in enumerate(body["messages"]):
        turns.add(message, ("messages", index))
    top = frame.carried(TABLE, body)
    cap = body.get("max_tokens")
    frame.write_cap(top, body.get("max_completion_tokens") if cap is None else cap, lost)
    choice = body.get("tool_choice")
    write_choice(top, body.get("function_call") if choice is None else choice, tools, lost)
    _write_text(top, body)
    _write_obfuscation(top, body.get("stream_options"))
    reasoning = body.get("reasoning")
    asked = reasoning.get("summary") if isinstance(reasoning, dict) else None
    frame.write_summary(top, crossing, asked)
    include = (frame.LOGPROBS,) if body.get("logprobs") or body.get("top_logprobs") else ()
    return frame.crossed(top, turns.history, tools, crossing, lost, include)


class _Turns:
    """Reads the messages into a history."""

    def __init__(self, crossing: Crossing, history: History, lost: Lost) -> None:
        self._crossing = crossing
        self.history = history
        self._lost = lost

    def add(self, message: Message, where: Where) -> None:
        """One message. Raises CallerError."""
        reader = _ROLES.get(message.role)
        if reader is None:
            raise malformed((where, "role"), f"one of {', '.join(_ROLES)}")
        if is_marked(message):
            mark_dropped(members(message), self._lost)
        reader(self, message, where)

    def system(self, message: Message, where: Where) -> None:
        self._miss_name(message)
        self.history.instruct(texts_of(message.content, (where, "content"), self._lost))

    def user(self, message: Message, where: Where) -> None:
        self._miss_name(message)
        parts = parts_of(message.content, (where, "content"), self._lost)
        self.history.message("user", parts)

    def tool(self, message: Message, where: Where) -> None:
        self.history.result(message.tool_call_id, self._output(message, where))

    def function(self, message: Message, where: Where) -> None:
        """The first form of a result: by the name of what was called."""
        self.history.result(None, self._output(message, where), message.name)

    def assistant(self, message: Message, where: Where) -> None:
        """Reasoning, then words, then calls: the order Chat has no other for."""
        self._miss_name(message)
        if plain(message.audio) is not None:
            self._lost["messages[].audio"] = None
        self._reason(message)
        self.history.message("assistant", self._said(message, (where, "content")))
        if isinstance(call := plain(message.function_call), dict):
            self._call({"function": call}, (where, "function_call"))
        if calls := plain(message.tool_calls):
            where = (where, "tool_calls")
            for index, call in enumerate(listed(calls, where)):
                self._call(call, (where, index))
        self.history.end_turn(_LOST_DETAILS)

    def _output(self, message: Message, where: Where) -> Output:
        return output_of(message.content, False, (where, "content"), self._lost)

    def _miss_name(self, message: Message) -> None:
        if message.name:
            self._lost["messages[].name"] = None

    def _reason(self, message: Message) -> None:
        """Sealed reasoning as the items it was; the readable text is the summary of the first."""
        if not (message.reasoning_content or message.reasoning or message.reasoning_details):
            return
        field = next((name for name in _READABLE if getattr(message, name)), None)
        text = getattr(message, field) if field else None
        items = 0
        for detail in map(plain, message.reasoning_details or ()):
            proof = detail.get("data") if isinstance(detail, dict) else None
            item = frame.restored(proof, None if items else text, self._crossing)
            if item is None:
                self._lost[_LOST_DETAILS] = None
            else:
                self.history.reasoning(item)
                items += 1
        if field and not items:
            self._lost[f"messages[].{field}"] = None

    def _said(self, message: Message, where: Where) -> list[Part]:
        if (told := text(message.content)) is not None:
            found = [said(told)]
        else:
            content = None if message.content is ABSENT else opened(message.content, path(where))
            parts = [] if isinstance(content, str) else listed(content, where)
            found = [told for part in parts for told in self._said_part(part)]
        if refusal := plain(message.refusal):
            found.append({"type": "refusal", "refusal": refusal})
        return found

    def _said_part(self, part: Record) -> list[Part]:
        if is_marked(part):
            mark_dropped(members(part), self._lost)
        if part.type in _TEXTS:
            return [] if part.text in UNSAID else [said(part.text)]
        if part.type == "refusal":
            return [{"type": "refusal", "refusal": plain(part.refusal) or ""}]
        unknown(part.type, self._lost)
        return []

    def _call(self, call: Any, where: Where) -> None:
        """A call in any form: `function` and `custom` nested, or flat."""
        if not isinstance(call, dict):
            raise malformed(where, "an object")
        custom = call.get("type") == "custom"
        nested = call.get("custom" if custom else "function")
        inner = nested if isinstance(nested, dict) else call
        name = inner.get("name")
        if not isinstance(name, str):
            raise malformed((where, "name"), "the name of a tool")
        text = inner.get("input" if custom else "arguments")
        if not isinstance(text, str):
            text = msgspec.json.encode(text).decode() if text else ""
        if not custom and not text.strip():
            text = "{}"
        self.history.call(call.get("id"), name, text, custom=custom)


_ROLES: Final[dict[Any, Callable[[_Turns, Message, Where], None]]] = {
    "system": _Turns.system,
    "developer": _Turns.system,
    "user": _Turns.user,
    "assistant": _Turns.assistant,
    "tool": _Turns.tool,
    "function": _Turns.function,
}


def _write_text(top: dict[str, Any], body: Mapping[str, Any]) -> None:
    """Format and length of the answer."""
    text: dict[str, Any] = {}
    given = body.get("response_format")
    if isinstance(given, dict) and given.get("type") == "json_object":
        text["format"] = {"type": "json_object"}
    elif isinstance(given, dict) and isinstance(named := given.get("json_schema"), dict):
        text["format"] = frame.schema_format(named, bool(named.get("strict")))
    if verbosity := body.get("verbosity"):
        text["verbosity"] = verbosity
    if text:
        top["text"] = text


def _write_obfuscation(top: dict[str, Any], options: Any) -> None:
    name = "include_obfuscation"
    if isinstance(options, dict) and isinstance(options.get(name), bool):
        top["stream_options"] = {name: options[name]}
