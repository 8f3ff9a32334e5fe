"""Input items of a Responses request, one after another, as they are told to a Chat history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from runtime.arguments import wrapped
from runtime.bridges.body import Text, members, plain, text, words
from runtime.bridges.from_responses import BRINGS_TOOLS, CLIENT_RUN, SERVER_RUN, SYSTEM, kind_of
from runtime.bridges.parts import Lost, Where, legible, malformed, named
from runtime.bridges.to_chat import History, Toolset
from runtime.bridges.to_chat.parts import (
    Said,
    arguments,
    parts_of,
    read_parts,
    read_said,
    spelt_arguments,
    text_part,
    texts_alone,
)
from runtime.dialects.responses.read import Item


class Items:
    """Reads the items of one request."""

    def __init__(self, history: History, tools: Toolset, lost: Lost) -> None:
        self._history = history
        self._tools = tools
        self._lost = lost

    def tell(self, items: Iterable[Item], where: Where) -> None:
        """The items of a list at a JSON path. Raises CallerError."""
        for index, item in enumerate(items):
            kind = item.type or kind_of(item)
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, item, (where, index))
            elif kind not in BRINGS_TOOLS:
                self._lost[f"input[type={named(kind)}]"] = None

    def message(self, item: Item, _where: Where) -> None:
        """Words of the user, of the assistant, or of who set it up."""
        role = item.role
        if item.phase:
            self._lost["input[].phase"] = None
        said = read_said(item.content, self._lost, cached=False)
        if role == "assistant":
            self._assistant(texts_alone(said, "assistant", self._lost))
        elif role in SYSTEM:
            self._history.say("system", texts_alone(said, "system", self._lost))
        else:
            self._history.say("user", said)

    def _assistant(self, said: Said) -> None:
        """Words of the assistant: parts of one message are one sentence."""
        if isinstance(said, list):
            for index, part in enumerate(said):
                self._history.text([part], glued=index > 0)
        elif said:
            self._history.text(said)

    def function_call(self, item: Item, where: Where) -> None:
        """A call of a function, with or without a namespace."""
        asked = text(item.arguments) or spelt_arguments(item.arguments)
        self._call(item, where, asked, custom=False)

    def custom_tool_call(self, item: Item, where: Where) -> None:
        """A call of a custom tool: its text becomes the one argument."""
        self._call(item, where, wrapped(str(plain(item.input) or "")), custom=True)

    def _call(self, item: Item, where: Where, asked: Text, *, custom: bool) -> None:
        if not isinstance(item.name, str):
            raise malformed((where, "name"), "a string")
        namespace = item.namespace if isinstance(item.namespace, str) else None
        name = self._tools.name(item.name, custom=custom, namespace=namespace)
        self._history.call(_call_id(item, where), name, asked)

    def output(self, item: Item, where: Where) -> None:
        """The result of a call."""
        result: Said = text(item.output) or read_said(item.output, self._lost, cached=False)
        self._history.result(_call_id(item, where), result)

    def client_run(self, item: Item, where: Where) -> None:
        """A call of a tool whose arguments have a form of their own."""
        name, field = CLIENT_RUN[item.type or ""]
        asked = arguments(members(item).get(field))
        self._history.call(_call_id(item, where), name, asked)

    def client_run_output(self, item: Item, where: Where) -> None:
        """The result of such a tool: a text, a screenshot, or a form of its own."""
        output = plain(item.output)
        if isinstance(output, list) or output is None:
            parts = [text_part(legible(output if output else item.status or ""))]
        else:
            parts = read_parts(output, self._lost, cached=False)
        self._history.result(_call_id(item, where), parts)

    def server_run(self, item: Item, where: Where) -> None:
        """A call and its result in one; nothing is said of one whose result is not told."""
        told, kind = members(item), item.type or ""
        default, field, outcome = SERVER_RUN[kind]
        result = told.get(outcome) or told.get("error")
        if not result or field not in told:
            self._lost[f"input[type={kind}]"] = None
            return
        if item.id is None:
            raise malformed((where, "id"), "a string")
        asked = told[field] if field == "arguments" else {field: told[field]}
        self._history.call(item.id, str(item.name or default), arguments(asked))
        failed = not told.get(outcome)
        self._history.result(item.id, [text_part(legible(result))], failed=failed)

    def reasoning(self, item: Item, _where: Where) -> None:
        """Thinking of the assistant: its own words, or else the summary of them."""
        told = read_parts(item.content, self._lost, cached=False)
        told = told or read_parts(plain(item.summary), self._lost, cached=False)
        for part in parts_of(texts_alone(told, "assistant", self._lost)):
            self._history.think(words(part["text"]))
        self._history.prove(plain(item.encrypted_content), "reasoning.encrypted_content")

    def reference(self, _item: Item, _where: Where) -> None:
        """Reasoning that an upstream keeps; references to anything else never get here."""
        self._lost["item_reference"] = None


def _call_id(item: Item, where: Where) -> str:
    call_id: Any = item.call_id or item.id
    if not isinstance(call_id, str):
        raise malformed((where, "call_id"), "a string")
    return call_id


_HANDLERS: Final[dict[str, Callable[[Items, Item, Where], None]]] = {
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
