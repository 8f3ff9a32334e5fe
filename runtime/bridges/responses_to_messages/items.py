"""Input items of a Responses request, one after another, as they are told to a Messages history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from runtime.arguments import INPUT, arguments_object
from runtime.bridges.from_responses import BRINGS_TOOLS, CLIENT_RUN, SERVER_RUN, SYSTEM
from runtime.bridges.parts import kind_of, legible, malformed
from runtime.bridges.to_messages import Block, Frame, Toolset, is_blank, text_block
from runtime.errors import CallerError

Item = dict[str, Any]

_ENCRYPTED: Final = "reasoning.encrypted_content"
_FAILED: Final = "failed"


class Items:
    """Reads the items of one request."""

    def __init__(self, frame: Frame, tools: Toolset) -> None:
        self._frame = frame
        self._turns = frame.turns
        self._tools = tools
        self._lost = frame.lost

    def add(self, item: Any, where: str) -> None:
        """One item at a JSON path. Raises CallerError."""
        if not isinstance(item, dict):
            raise malformed(where, "an object")
        kind = item.get("type")
        if kind is None:
            kind = "message" if "role" in item else "item_reference"
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is not None:
            handler(self, item, where)
        elif kind not in BRINGS_TOOLS:
            self._lost[f"input[type={kind_of(item)}]"] = None

    def message(self, item: Item, where: str) -> None:
        """Words of the user, of the assistant, or of who set it up."""
        role, content, where = item.get("role"), item.get("content"), f"{where}.content"
        if item.get("phase"):
            self._lost["input[].phase"] = None
        if role in SYSTEM:
            self._turns.instruct(self._frame.system_blocks(content, where))
        else:
            speaker = "assistant" if role == "assistant" else "user"
            self._turns.say(speaker, self._frame.blocks.read(content, where))

    def function_call(self, item: Item, where: str) -> None:
        """A call of a function, with or without a namespace."""
        name = self._tools.name(_text(item, "name", where), namespace=_namespace(item))
        self._frame.call(_call_id(item, where), name, arguments_object(item.get("arguments")))

    def custom_tool_call(self, item: Item, where: str) -> None:
        """A call of a custom tool: its text becomes the one argument."""
        called = _text(item, "name", where)
        name = self._tools.name(called, custom=True, namespace=_namespace(item))
        self._frame.call(_call_id(item, where), name, {INPUT: item.get("input") or ""})

    def output(self, item: Item, where: str) -> None:
        """The result of a call."""
        content = self._frame.blocks.read(item.get("output"), f"{where}.output")
        self._turns.result(_call_id(item, where), content)

    def client_run(self, item: Item, where: str) -> None:
        """A call of a tool whose arguments have a form of their own."""
        name, field = CLIENT_RUN[item["type"]]
        self._frame.call(_call_id(item, where), name, arguments_object(item.get(field)))

    def client_run_output(self, item: Item, where: str) -> None:
        """The result of such a tool: a text, a screenshot, or a list in a form of its own."""
        output = item.get("output")
        if isinstance(output, list):
            content = _told(output)
        else:
            content = self._frame.blocks.read(output, f"{where}.output")
        self._turns.result(_call_id(item, where), content, failed=item.get("status") == _FAILED)

    def server_run(self, item: Item, where: str) -> None:
        """A call and its result in one; nothing is said of one whose result is not told."""
        default, field, outcome = SERVER_RUN[item["type"]]
        result = item.get(outcome) or item.get("error")
        if not result:
            self._lost[f"input[type={item['type']}]"] = None
            return
        arguments = item.get(field)
        given = arguments if field == "arguments" else {field: arguments}
        call_id = _text(item, "id", where)
        name = self._tools.name(str(item.get("name") or default))
        self._frame.call(call_id, name, arguments_object(given))
        self._turns.result(call_id, _told(result), failed=not item.get(outcome))

    def reasoning(self, item: Item, _where: str) -> None:
        """Thinking of the assistant. Its text is what was thought, or else the summary of it."""
        proof = self._frame.proof(item.get("encrypted_content"))
        if proof is None:
            self._lost[_ENCRYPTED if item.get("encrypted_content") else "reasoning"] = None
        else:
            text = _joined(item.get("content")) or _joined(item.get("summary"))
            self._frame.think(proof, text)

    def reference(self, _item: Item, _where: str) -> None:
        """Reasoning that an upstream keeps; references to anything else never get here."""
        self._lost["item_reference"] = None

    def compaction_trigger(self, _item: Item, where: str) -> None:
        """Eligibility knows that no Messages target can do this."""
        message = f"`{where}`: this target cannot compact a history. Send a summary instead."
        raise CallerError("invalid-request", message, param=where)


def _call_id(item: Item, where: str) -> str:
    call_id = item.get("call_id")
    if call_id is None:
        call_id = item.get("id")  # where a local shell's result has it
    if not isinstance(call_id, str):
        raise malformed(f"{where}.call_id", "a string")
    return call_id


def _text(item: Item, field: str, where: str) -> str:
    value = item.get(field)
    if not isinstance(value, str) or not value:
        raise malformed(f"{where}.{field}", "a string with something in it")
    return value


def _namespace(item: Item) -> str | None:
    value = item.get("namespace")
    return value if isinstance(value, str) and value else None


def _joined(parts: Any) -> str:
    """Texts without anything between them: a signature covers every letter."""
    if not isinstance(parts, list):
        return ""
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def _told(result: Any) -> list[Block]:
    """A result in a form of its own, as text that a model can read."""
    text = legible(result)
    return [] if is_blank(text) else [text_block(text)]


_HANDLERS: Final[dict[str, Callable[[Items, Item, str], None]]] = {
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
