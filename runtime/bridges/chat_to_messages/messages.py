"""Messages of a Chat request, one after another, as they are told to a Messages history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from runtime.arguments import INPUT, arguments_object
from runtime.bridges.body import UNSAID, plain
from runtime.bridges.parts import Where, malformed
from runtime.bridges.to_messages import Block, Frame, Toolset
from runtime.dialects.chat.read import Message
from runtime.dialects.decode import ABSENT
from runtime.opaque import is_wrapped

DETAILS: Final = "messages[].reasoning_details"
# Readable thinking of earlier answers, in the words of the providers that have it.
_READABLE: Final = ("reasoning_content", "reasoning")
# What calls were made with before they had ids; no id begins so.
_BY_NAME: Final = "function:"


class Messages:
    """Reads the messages of one request."""

    def __init__(self, frame: Frame, tools: Toolset) -> None:
        self._frame = frame
        self._blocks = frame.blocks
        self._turns = frame.turns
        self._tools = tools
        self._lost = frame.lost

    def add(self, message: Message, where: Where) -> None:
        """One message at a JSON path. Raises CallerError."""
        handler = _HANDLERS.get(message.role)
        if handler is None:
            roles = ", ".join(f"`{name}`" for name in _HANDLERS)
            raise malformed((where, "role"), f"one of {roles}")
        handler(self, message, where)

    def instruct(self, message: Message, where: Where) -> None:
        """Words of who set the model up."""
        blocks = self._frame.system_blocks(message.content, (where, "content"))
        self._turns.instruct(self._closed(message, blocks))

    def user(self, message: Message, where: Where) -> None:
        """Words of the user."""
        blocks = self._blocks.read(message.content, (where, "content"))
        self._turns.say("user", self._closed(message, blocks))

    def assistant(self, message: Message, where: Where) -> None:
        """What the assistant thought, said and called, in this order."""
        if message.reasoning_content or message.reasoning or message.reasoning_details:
            self._think(message)
        blocks = self._blocks.read(message.content, (where, "content"))
        if message.refusal not in UNSAID:
            blocks += self._blocks.read(message.refusal, (where, "refusal"))
        self._turns.say("assistant", self._closed(message, blocks))
        if message.tool_calls is not ABSENT:
            self._calls(plain(message.tool_calls) or [], (where, "tool_calls"))
        if isinstance(function := plain(message.function_call), dict):
            self._function(f"{_BY_NAME}{function.get('name')}", function, (where, "function_call"))

    def tool(self, message: Message, where: Where) -> None:
        """The result of a call."""
        if not isinstance(message.tool_call_id, str):
            raise malformed((where, "tool_call_id"), "a string")
        self._result(message.tool_call_id, message, where)

    def function(self, message: Message, where: Where) -> None:
        """The result of a call that has no id."""
        self._result(f"{_BY_NAME}{message.name}", message, where)

    def _result(self, call_id: str, message: Message, where: Where) -> None:
        content = self._blocks.read_result(message.content, (where, "content"))
        block = self._turns.result(call_id, content)
        if block is not None:
            self._mark(block, message)

    def _closed(self, message: Message, blocks: list[Block]) -> list[Block]:
        """Blocks of a message, with what stands beside its content."""
        if message.name:
            self._lost["messages[].name"] = None
        if message.audio is not ABSENT and plain(message.audio):
            self._lost["messages[].audio"] = None
        if blocks:
            self._mark(blocks[-1], message)
        return blocks

    def _mark(self, block: Block, message: Message) -> None:
        control, breakpoint_ = message.cache_control, message.prompt_cache_breakpoint
        if control is not ABSENT or breakpoint_ is not ABSENT:
            self._blocks.mark(block, plain(control), plain(breakpoint_))

    def _calls(self, calls: Any, where: Where) -> None:
        if not isinstance(calls, list):
            raise malformed(where, "a list")
        for index, call in enumerate(calls):
            if not isinstance(call, dict):
                raise malformed((where, index), "an object")
            call_id = call.get("id") or ""
            if isinstance(custom := call.get("custom"), dict):
                name = self._tools.name(_name(custom, ((where, index), "custom")), custom=True)
                self._turns.call(str(call_id), name, {INPUT: custom.get("input") or ""})
            elif isinstance(function := call.get("function"), dict):
                self._function(str(call_id), function, ((where, index), "function"))
            else:
                raise malformed(((where, index), "function"), "an object")

    def _function(self, call_id: str, function: dict[str, Any], where: Where) -> None:
        name = self._tools.name(_name(function, where))
        self._turns.call(call_id, name, arguments_object(function.get("arguments")))

    def _think(self, message: Message) -> None:
        """Thinking goes back with its signature, or not at all: all of a turn, as it was."""
        readable = next((name for name in _READABLE if getattr(message, name)), None)
        details = [plain(detail) for detail in message.reasoning_details or ()]
        proofs = [
            (part, self._frame.proof(part.get("data"))) for part in details if _is_state(part)
        ]
        signed = [part for part, proof in proofs if proof is not None and "signature" in proof]
        texts = {id(part): _told(details, part) for part in signed}
        if len(signed) == 1:
            texts[id(signed[0])] = getattr(message, readable) if readable else ""
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


def _told(details: list[Any], proof: dict[str, Any]) -> Any:
    """The text of one thinking block among several: that of the same index."""
    place = proof.get("index")
    texts = [
        part["text"]
        for part in details
        if isinstance(part, dict) and part.get("index") == place and "text" in part
    ]
    return texts[0] if len(texts) == 1 else None


def _name(holder: dict[str, Any], where: Where) -> str:
    name = holder.get("name")
    if not isinstance(name, str) or not name:
        raise malformed((where, "name"), "a string with something in it")
    return name


_HANDLERS: Final[dict[str | None, Callable[[Messages, Message, Where], None]]] = {
    "system": Messages.instruct,
    "developer": Messages.instruct,
    "user": Messages.user,
    "assistant": Messages.assistant,
    "tool": Messages.tool,
    "function": Messages.function,
}
