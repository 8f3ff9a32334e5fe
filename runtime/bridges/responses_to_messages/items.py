"""Input items of a Responses request, one after another, as they are told to a Messages history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from runtime.arguments import INPUT, arguments_object
from runtime.bridges.body import Text, is_visible, members, plain
from runtime.bridges.from_responses import BRINGS_TOOLS, CLIENT_RUN, SERVER_RUN, SYSTEM, kind_of
from runtime.bridges.parts import Where, legible, malformed, named, path
from runtime.bridges.to_messages import Block, Frame, Toolset, is_blank, text_block
from runtime.dialects.parts import Carried, Part
from runtime.dialects.responses.read import Item
from runtime.errors import CallerError

_ENCRYPTED: Final = "reasoning.encrypted_content"
_FAILED: Final = "failed"


class Items:
    """Reads the items of one request."""

    def __init__(self, frame: Frame, tools: Toolset) -> None:
        self._frame = frame
        self._blocks = frame.blocks
        self._turns = frame.turns
        self._tools = tools
        self._lost = frame.lost

    def tell(self, items: Iterable[Item], where: Where) -> None:
        """The items of a list at a JSON path. Raises CallerError."""
        for index, item in enumerate(items):
            kind = item.type
            if kind is None:
                kind = kind_of(item)
            handler = _HANDLERS.get(kind)
            if handler is not None:
                handler(self, item, (where, index))
            elif kind not in BRINGS_TOOLS:
                self._lost[f"input[type={named(kind)}]"] = None

    def message(self, item: Item, where: Where) -> None:
        """Words of the user, of the assistant, or of who set it up."""
        role, content, where = item.role, item.content, (where, "content")
        if item.phase:
            self._lost["input[].phase"] = None
        if role in SYSTEM:
            self._turns.instruct(self._frame.system_blocks(content, where))
        else:
            speaker = "assistant" if role == "assistant" else "user"
            self._turns.say(speaker, self._blocks.read(content, where))

    def function_call(self, item: Item, where: Where) -> None:
        """A call of a function, with or without a namespace."""
        name = self._name(item, where)
        self._turns.call(_call_id(item, where), name, arguments_object(plain(item.arguments)))

    def custom_tool_call(self, item: Item, where: Where) -> None:
        """A call of a custom tool: its text becomes the one argument."""
        name = self._name(item, where, custom=True)
        self._turns.call(_call_id(item, where), name, {INPUT: plain(item.input) or ""})

    def output(self, item: Item, where: Where) -> None:
        """The result of a call."""
        content: Text | list[Block] = item.output
        if not is_visible(item.output):
            content = self._blocks.read(item.output, (where, "output"))
        self._turns.result(_call_id(item, where), content)

    def client_run(self, item: Item, where: Where) -> None:
        """A call of a tool whose arguments have a form of their own."""
        name, field = CLIENT_RUN[item.type or ""]
        given = arguments_object(members(item).get(field))
        self._turns.call(_call_id(item, where), name, given)

    def client_run_output(self, item: Item, where: Where) -> None:
        """The result of such a tool: a text, a screenshot, or a list in a form of its own."""
        output = plain(item.output)
        if isinstance(output, list):
            content = _told(output)
        else:
            content = self._blocks.read(item.output, (where, "output"))
        self._turns.result(_call_id(item, where), content, failed=item.status == _FAILED)

    def server_run(self, item: Item, where: Where) -> None:
        """A call and its result in one; nothing is said of one whose result is not told."""
        told, kind = members(item), item.type or ""
        default, field, outcome = SERVER_RUN[kind]
        result = told.get(outcome) or told.get("error")
        if not result:
            self._lost[f"input[type={kind}]"] = None
            return
        arguments = told.get(field)
        given = arguments if field == "arguments" else {field: arguments}
        if not item.id:
            raise malformed((where, "id"), "a string with something in it")
        name = self._tools.name(str(item.name or default))
        self._turns.call(item.id, name, arguments_object(given))
        self._turns.result(item.id, _told(result), failed=not told.get(outcome))

    def reasoning(self, item: Item, _where: Where) -> None:
        """Thinking of the assistant. Its text is what was thought, or else the summary of it."""
        sealed = plain(item.encrypted_content)
        proof = self._frame.proof(sealed)
        if proof is None:
            self._lost[_ENCRYPTED if sealed else "reasoning"] = None
        else:
            self._frame.think(proof, _joined(item.content) or _joined(item.summary))

    def reference(self, _item: Item, _where: Where) -> None:
        """Reasoning that an upstream keeps; references to anything else never get here."""
        self._lost["item_reference"] = None

    def compaction_trigger(self, _item: Item, where: Where) -> None:
        """Eligibility knows that no Messages target can do this."""
        place = path(where)
        message = f"`{place}`: this target cannot compact a history. Send a summary instead."
        raise CallerError("invalid-request", message, param=place)

    def _name(self, item: Item, where: Where, *, custom: bool = False) -> str:
        """What the tool that was called is sent as."""
        name, namespace = item.name, item.namespace
        if not isinstance(name, str) or not name:
            raise malformed((where, "name"), "a string with something in it")
        if not isinstance(namespace, str) or not namespace:
            namespace = None
        return self._tools.name(name, custom=custom, namespace=namespace)


def _call_id(item: Item, where: Where) -> str:
    # a local shell's result has it in `id`
    call_id: Any = item.id if item.call_id is None else item.call_id
    if not isinstance(call_id, str):
        raise malformed((where, "call_id"), "a string")
    return call_id


def _joined(content: Carried) -> str:
    """Texts without anything between them: a signature covers every letter."""
    listed = plain(content) if isinstance(content, msgspec.Raw) else content
    if not isinstance(listed, list):
        return ""
    parts = (members(part) if isinstance(part, Part) else part for part in listed)
    told = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in told if isinstance(text, str))


def _told(result: Any) -> list[Block]:
    """A result in a form of its own, as text that a model can read."""
    text = legible(result)
    return [] if is_blank(text) else [text_block(text)]


_HANDLERS: Final[dict[str, Callable[[Items, Item, Where], None]]] = {
    "message": Items.message,
    "function_call": Items.function_call,
    "function_call_output": Items.output,
    "custom_tool_call": Items.custom_tool_call,
    "custom_tool_call_output": Items.output,
    "reasoning": Items.reasoning,
    "item_reference": Items.reference,
    "compaction_trigger": Items.compaction_trigger,
    **dict.fromkeys(CLIENT_RUN, Items.client_run),
    **{f"{kind}_output": Items.client_run_output for kind in CLIENT_RUN},
    **dict.fromkeys(SERVER_RUN, Items.server_run),
}
