"""Messages of a Chat request, one after another, as they are told to a Messages history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

import msgspec

from runtime.arguments import INPUT, arguments_object
from runtime.bridges.body import UNSAID, Text, is_visible, plain
from runtime.bridges.parts import Where, malformed
from runtime.bridges.to_messages import Block, Frame, Toolset
from runtime.dialects.chat.read import Message
from runtime.dialects.decode import ABSENT, UNREADABLE
from runtime.opaque import is_wrapped

DETAILS: Final = "messages[].reasoning_details"
# Readable thinking of earlier answers, in the words of the providers that have it.
_READABLE: Final = ("reasoning_content", "reasoning")
# What calls were made with before they had ids; no id begins so.
_BY_NAME: Final = "function:"


class _Function(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    arguments: str


class _Call(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A call as nearly all are, in one pass; the others are read as plain data."""

    id: str
    function: _Function
    type: str | None = None
    index: int | None = None


_CALLS: Final = msgspec.json.Decoder(list[_Call])


class Messages:
    """Reads the messages of one request."""

    def __init__(self, frame: Frame, tools: Toolset) -> None:
        self._frame = frame
        self._blocks = frame.blocks
        self._turns = frame.turns
        self._tools = tools
        self._lost = frame.lost

    def tell(self, messages: Iterable[Message], where: Where) -> None:
        """The messages of a list at a JSON path. Raises CallerError."""
        for index, message in enumerate(messages):
            handler = _HANDLERS.get(message.role)
            if handler is None:
                roles = ", ".join(f"`{name}`" for name in _HANDLERS)
                raise malformed(((where, index), "role"), f"one of {roles}")
            handler(self, message, (where, index))

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
        if message.refusal is not ABSENT and message.refusal not in UNSAID:
            blocks += self._blocks.read(message.refusal, (where, "refusal"))
        self._turns.say("assistant", self._closed(message, blocks))
        if message.tool_calls is not ABSENT:
            self._calls(message.tool_calls, (where, "tool_calls"))
        if message.function_call is not ABSENT:
            function = plain(message.function_call)
            if isinstance(function, dict):
                by_name = f"{_BY_NAME}{function.get('name')}"
                self._function(by_name, function, (where, "function_call"))

    def result(self, message: Message, where: Where) -> None:
        """The result of a call."""
        call_id = message.tool_call_id
        if message.role == "function":  # it has no id
            call_id = f"{_BY_NAME}{message.name}"
        elif not isinstance(call_id, str):
            raise malformed((where, "tool_call_id"), "a string")
        content: Text | list[Block] = message.content
        if not is_visible(message.content):
            content = self._blocks.read(message.content, (where, "content"))
        block = self._turns.result(call_id, content)
        if block is not None and (
            message.cache_control is not ABSENT or message.prompt_cache_breakpoint is not ABSENT
        ):
            self._mark(block, message)

    def _closed(self, message: Message, blocks: list[Block]) -> list[Block]:
        """Blocks of a message, with what stands beside its content."""
        if message.name:
            self._lost["messages[].name"] = None
        if message.audio is not ABSENT and plain(message.audio):
            self._lost["messages[].audio"] = None
        if blocks and (
            message.cache_control is not ABSENT or message.prompt_cache_breakpoint is not ABSENT
        ):
            self._mark(blocks[-1], message)
        return blocks

    def _mark(self, block: Block, message: Message) -> None:
        self._blocks.mark(
            block, plain(message.cache_control), plain(message.prompt_cache_breakpoint)
        )

    def _calls(self, raw: msgspec.Raw, where: Where) -> None:
        try:
            calls = _CALLS.decode(raw)
        except UNREADABLE:
            self._unusual_calls(plain(raw) or [], where)
            return
        for call in calls:
            function = call.function
            name = self._tools.name(function.name)
            self._turns.call(call.id, name, arguments_object(function.arguments))

    def _unusual_calls(self, calls: Any, where: Where) -> None:
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
    "tool": Messages.result,
    "function": Messages.result,
}
