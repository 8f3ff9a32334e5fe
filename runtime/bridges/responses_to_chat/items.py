"""Input items of a Responses request, one after another, as they are told to a Chat history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from runtime.arguments import wrapped
from runtime.bridges.from_responses import BRINGS_TOOLS, CLIENT_RUN, SERVER_RUN, SYSTEM
from runtime.bridges.parts import Lost, kind_of, legible, malformed
from runtime.bridges.to_chat import History, Toolset
from runtime.bridges.to_chat.parts import arguments, read_parts, text_part, texts_alone
from runtime.bridges.tools import Original

Item = Mapping[str, Any]


class Items:
    """Reads the items of one request."""

    def __init__(self, history: History, tools: Toolset, lost: Lost) -> None:
        self._history = history
        self._tools = tools
        self._lost = lost

    def add(self, item: Any, where: str) -> None:
        """One item at a JSON path. Raises CallerError."""
        if not isinstance(item, dict):
            raise malformed(where, "an object")
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference"
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, item, where)
        elif kind not in BRINGS_TOOLS:
            self._lost[f"input[type={kind_of(item)}]"] = None

    def message(self, item: Item, _where: str) -> None:
        """Words of the user, of the assistant, or of who set it up."""
        role = item.get("role")
        if item.get("phase"):
            self._lost["input[].phase"] = None
        parts = read_parts(item.get("content"), self._lost, cached=False)
        if role == "assistant":
            for index, part in enumerate(texts_alone(parts, "assistant", self._lost)):
                self._history.text([part], glued=index > 0)
        elif role in SYSTEM:
            self._history.say("system", texts_alone(parts, "system", self._lost))
        else:
            self._history.say("user", parts)

    def function_call(self, item: Item, where: str) -> None:
        """A call of a function, with or without a namespace."""
        self._call(item, where, arguments(item.get("arguments")), custom=False)

    def custom_tool_call(self, item: Item, where: str) -> None:
        """A call of a custom tool: its text becomes the one argument."""
        self._call(item, where, wrapped(str(item.get("input") or "")), custom=True)

    def _call(self, item: Item, where: str, asked: str, *, custom: bool) -> None:
        name = _required(item, "name", where)
        namespace = item.get("namespace")
        original = Original(name, custom, namespace if isinstance(namespace, str) else None)
        self._history.call(_call_id(item, where), self._tools.name(original), asked)

    def output(self, item: Item, where: str) -> None:
        """The result of a call."""
        parts = read_parts(item.get("output"), self._lost, cached=False)
        self._history.result(_call_id(item, where), parts)

    def client_run(self, item: Item, where: str) -> None:
        """A call of a tool whose arguments have a form of their own."""
        name, field = CLIENT_RUN[item["type"]]
        self._history.call(_call_id(item, where), name, arguments(item.get(field)))

    def client_run_output(self, item: Item, where: str) -> None:
        """The result of such a tool: a text, a screenshot, or a form of its own."""
        output = item.get("output")
        if isinstance(output, list) or output is None:
            parts = [text_part(legible(output if output else item.get("status", "")))]
        else:
            parts = read_parts(output, self._lost, cached=False)
        self._history.result(_call_id(item, where), parts)

    def server_run(self, item: Item, where: str) -> None:
        """A call and its result in one; nothing is said of one whose result is not told."""
        default, field, outcome = SERVER_RUN[item["type"]]
        result = item.get(outcome) or item.get("error")
        if not result or field not in item:
            self._lost[f"input[type={item['type']}]"] = None
            return
        call_id = _required(item, "id", where)
        asked = item[field] if field == "arguments" else {field: item[field]}
        self._history.call(call_id, str(item.get("name") or default), arguments(asked))
        failed = not item.get(outcome)
        self._history.result(call_id, [text_part(legible(result))], failed=failed)

    def reasoning(self, item: Item, _where: str) -> None:
        """Thinking of the assistant: its own words, or else the summary of them."""
        told = read_parts(item.get("content"), self._lost, cached=False)
        told = told or read_parts(item.get("summary"), self._lost, cached=False)
        for part in texts_alone(told, "assistant", self._lost):
            self._history.think(part["text"])
        self._history.prove(item.get("encrypted_content"), "reasoning.encrypted_content")

    def reference(self, _item: Item, _where: str) -> None:
        """Reasoning that an upstream keeps; references to anything else never get here."""
        self._lost["item_reference"] = None


def _call_id(item: Item, where: str) -> str:
    call_id = item.get("call_id") or item.get("id")
    if not isinstance(call_id, str):
        raise malformed(f"{where}.call_id", "a string")
    return call_id


def _required(item: Item, field: str, where: str) -> str:
    value = item.get(field)
    if not isinstance(value, str):
        raise malformed(f"{where}.{field}", "a string")
    return value


_HANDLERS: Final[dict[str, Callable[[Items, Item, str], None]]] = {
    "message": Items.message,
    "function_call": Items.function_call,
    "function_call_output": Items.output,
    "custom_tool_call": Items.custom_tool_call,
    "custom_tool_call_output": Items.output,
    "reasoning": Items.reasoning,
    "item_reference": Items.reference,
    **dict.fromkeys(CLIENT_RUN, Items.client_run),
    **{f"{kind}_output": Items.client_run_output for kind in CLIENT_RUN},
    **dict.fromkeys(SERVER_RUN, Items.server_run),
}
