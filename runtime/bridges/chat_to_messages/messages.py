"""Messages of a Chat request, one after another, as they are told to a Messages history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from runtime.arguments import INPUT, arguments_object
from runtime.bridges.parts import malformed
from runtime.bridges.to_messages import Block, Frame, Toolset
from runtime.opaque import is_wrapped

Message = dict[str, Any]

DETAILS: Final = "messages[].reasoning_details"
# Readable thinking of earlier answers, in the words of the providers that have it.
_READABLE: Final = ("reasoning_content", "reasoning")
_THOUGHTS: Final = frozenset((*_READABLE, "reasoning_details"))
_LOST_MEMBERS: Final = ("name", "audio")
# What calls were made with before they had ids; no id begins so.
_BY_NAME: Final = "function:"


class Messages:
    """Reads the messages of one request."""

    def __init__(self, frame: Frame, tools: Toolset) -> None:
        self._frame = frame
        self._turns = frame.turns
        self._tools = tools
        self._lost = frame.lost

    def add(self, message: Any, where: str) -> None:
        """One message at a JSON path. Raises CallerError."""
        if not isinstance(message, dict):
            raise malformed(where, "an object")
        role = message.get("role")
        handler = _HANDLERS.get(role) if isinstance(role, str) else None
        if handler is None:
            roles = ", ".join(f"`{name}`" for name in _HANDLERS)
            raise malformed(f"{where}.role", f"one of {roles}")
        handler(self, message, where)

    def instruct(self, message: Message, where: str) -> None:
        """Words of who set the model up."""
        blocks = self._frame.system_blocks(message.get("content"), f"{where}.content")
        self._turns.instruct(self._closed(message, blocks))

    def user(self, message: Message, where: str) -> None:
        """Words of the user."""
        blocks = self._frame.blocks.read(message.get("content"), f"{where}.content")
        self._turns.say("user", self._closed(message, blocks))

    def assistant(self, message: Message, where: str) -> None:
        """What the assistant thought, said and called, in this order."""
        self._think(message)
        blocks = self._frame.blocks.read(message.get("content"), f"{where}.content")
        if message.get("refusal"):
            blocks += self._frame.blocks.read(message["refusal"], f"{where}.refusal")
        self._turns.say("assistant", self._closed(message, blocks))
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise malformed(f"{where}.tool_calls", "a list")
        for index, call in enumerate(calls):
            self._call(call, f"{where}.tool_calls[{index}]")
        if isinstance(message.get("function_call"), dict):
            function = message["function_call"]
            self._function(f"{_BY_NAME}{function.get('name')}", function, f"{where}.function_call")

    def tool(self, message: Message, where: str) -> None:
        """The result of a call."""
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str):
            raise malformed(f"{where}.tool_call_id", "a string")
        self._result(call_id, message, where)

    def function(self, message: Message, where: str) -> None:
        """The result of a call that has no id."""
        self._result(f"{_BY_NAME}{message.get('name')}", message, where)

    def _result(self, call_id: str, message: Message, where: str) -> None:
        content = self._frame.blocks.read(message.get("content"), f"{where}.content")
        block = self._turns.result(call_id, content)
        if block is not None:
            self._frame.blocks.mark(block, message)

    def _closed(self, message: Message, blocks: list[Block]) -> list[Block]:
        """Blocks of a message, with what stands beside its content."""
        for name in _LOST_MEMBERS:
            if message.get(name):
                self._lost[f"messages[].{name}"] = None
        if blocks:
            self._frame.blocks.mark(blocks[-1], message)
        return blocks

    def _call(self, call: Any, where: str) -> None:
        if not isinstance(call, dict):
            raise malformed(where, "an object")
        call_id = call.get("id") or ""
        custom = call.get("custom")
        if isinstance(custom, dict):
            name = self._tools.name(_name(custom, f"{where}.custom"), custom=True)
            self._frame.call(str(call_id), name, {INPUT: custom.get("input") or ""})
            return
        function = call.get("function")
        if not isinstance(function, dict):
            raise malformed(f"{where}.function", "an object")
        self._function(str(call_id), function, f"{where}.function")

    def _function(self, call_id: str, function: Message, where: str) -> None:
        name = self._tools.name(_name(function, where))
        self._frame.call(call_id, name, arguments_object(function.get("arguments")))

    def _think(self, message: Message) -> None:
        """Thinking goes back with its signature, or not at all: all of a turn, as it was."""
        if _THOUGHTS.isdisjoint(message):
            return
        readable = next((name for name in _READABLE if message.get(name)), None)
        details = message.get("reasoning_details") or []
        proofs = [
            (part, self._frame.proof(part.get("data"))) for part in details if _is_state(part)
        ]
        signed = [part for part, proof in proofs if proof is not None and "signature" in proof]
        texts = {id(part): _told(details, part) for part in signed}
        if len(signed) == 1:
            texts[id(signed[0])] = message.get(readable or "", "")
        told = all(isinstance(text, str) for text in texts.values())
        carried = bool(proofs) and told and all(proof is not None for _, proof in proofs)
        if carried:
            for part, proof in proofs:
                self._frame.think(proof or {}, texts.get(id(part)) or "")
        elif readable is not None:
            self._lost[f"messages[].{readable}"] = None
        if details and not carried:
            self._lost[DETAILS] = None


def _is_state(part: Any) -> bool:
    """Whether a part of `reasoning_details` is an envelope; beside it stands what it says."""
    return isinstance(part, dict) and is_wrapped(str(part.get("data")))


def _told(details: list[Any], proof: Message) -> Any:
    """The text of one thinking block among several: that of the same index."""
    place = proof.get("index")
    texts = [
        part["text"]
        for part in details
        if isinstance(part, dict) and part.get("index") == place and "text" in part
    ]
    return texts[0] if len(texts) == 1 else None


def _name(holder: Message, where: str) -> str:
    name = holder.get("name")
    if not isinstance(name, str) or not name:
        raise malformed(f"{where}.name", "a string with something in it")
    return name


_HANDLERS: Final[dict[str, Callable[[Messages, Message, str], None]]] = {
    "system": Messages.instruct,
    "developer": Messages.instruct,
    "user": Messages.user,
    "assistant": Messages.assistant,
    "tool": Messages.tool,
    "function": Messages.function,
}
