"""Turns of a Messages request, block by block, as they are told to a Chat history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from runtime.bridges.body import plain, text, words
from runtime.bridges.parts import BILLING, Lost, Where, legible, malformed, without_billing
from runtime.bridges.to_chat import History, Toolset
from runtime.bridges.to_chat.parts import (
    Part,
    Said,
    bare_text,
    mark,
    parts_of,
    read_part,
    read_said,
    spelt_arguments,
    text_part,
    texts_alone,
)
from runtime.dialects.decode import ABSENT
from runtime.dialects.messages.read import Message
from runtime.dialects.parts import Content
from runtime.dialects.parts import Part as Block

# Ends the type of what a provider's own tool found.
_SERVER_RESULT: Final = "_tool_result"


class Turns:
    """Reads the turns of one request. `cached`: the skin takes cache marks on parts."""

    def __init__(self, history: History, tools: Toolset, lost: Lost, *, cached: bool) -> None:
        self._history = history
        self._tools = tools
        self._lost = lost
        self._cached = cached

    def system(self, content: Any) -> None:
        """What the model is set up with, without the billing line."""
        parts = []
        for part in parts_of(self._texts(content, "system")):
            text = without_billing(part["text"])
            if text is not part["text"]:
                self._lost[BILLING] = None
                part["text"] = text
            if text:
                parts.append(part)
        self._history.say("system", parts)

    def tell(self, turns: Iterable[Message], where: Where) -> None:
        """The turns of a list at a JSON path. Raises CallerError."""
        for index, turn in enumerate(turns):
            if turn.role == "assistant":
                self._assistant(turn.content, (where, index, "content"))
            elif turn.role == "system":
                self._history.say("system", self._texts(turn.content, "system"))
            else:
                self._user(turn.content, (where, index, "content"))

    def _read(self, content: Any) -> Said:
        return read_said(content, self._lost, cached=self._cached)

    def _texts(self, content: Any, role: str) -> Said:
        return texts_alone(self._read(content), role, self._lost)

    # --- the user --------------------------------------------------------------------------------

    def _user(self, content: Content, where: Where) -> None:
        """Results go behind their calls; what else the user says comes after them."""
        if not isinstance(content, list):
            self._history.say("user", self._read(content))
            return
        said: list[Part] = []
        for index, block in enumerate(content):
            if block.type == "tool_result":
                self._result(block, (where, index))
            else:
                said += read_part(block, self._lost, cached=self._cached)
        if said:
            self._history.say("user", said)

    def _result(self, block: Block, where: Where) -> None:
        result: Said = text(block.content) or self._read(block.content)
        if block.cache_control is not ABSENT:
            result = parts_of(result)
            mark(result, plain(block.cache_control), self._lost, cached=self._cached)
        if not isinstance(block.tool_use_id, str):
            raise malformed((where, "tool_use_id"), "a string")
        self._history.result(block.tool_use_id, result, failed=bool(block.is_error))

    # --- the assistant ---------------------------------------------------------------------------

    def _assistant(self, content: Content, where: Where) -> None:
        if not isinstance(content, list):
            self._history.text(self._texts(content, "assistant"))
            return
        before: str | None = None
        for index, block in enumerate(content):
            kind = block.type
            if kind == "text" and (told := bare_text(block)) is not None:
                self._history.text(told, glued=before == "text")
            elif (handler := _HANDLERS.get(kind)) is not None:
                handler(self, block, (where, index))
            elif kind is not None and kind.endswith(_SERVER_RESULT):
                self._server_result(block, (where, index))
            else:
                # citations cut one text into many blocks
                texts = texts_alone(
                    read_part(block, self._lost, cached=self._cached), "assistant", self._lost
                )
                self._history.text(texts, glued=before == "text")
            before = kind

    def _thinking(self, block: Block, _where: Where) -> None:
        told = text(block.thinking)
        self._history.think(words(told) if told else "")
        self._history.prove(plain(block.signature), "thinking.signature")

    def _redacted(self, block: Block, _where: Where) -> None:
        self._history.prove(plain(block.data), "redacted_thinking.data")

    def _call(self, block: Block, where: Where) -> None:
        if block.cache_control is not ABSENT and plain(block.cache_control) is not None:
            self._lost["cache_control"] = None
        if not isinstance(block.name, str):
            raise malformed((where, "name"), "a string")
        if not isinstance(block.id, str):
            raise malformed((where, "id"), "a string")
        name = self._tools.name(block.name)
        self._history.call(block.id, name, spelt_arguments(block.input))

    def _server_result(self, block: Block, where: Where) -> None:
        if block.type == "mcp_tool_result":
            parts = self._read(block.content)
        else:
            parts = [text_part(legible(plain(block.content)))]
        if not isinstance(block.tool_use_id, str):
            raise malformed((where, "tool_use_id"), "a string")
        self._history.result(block.tool_use_id, parts, failed=bool(block.is_error))

    def _compaction(self, block: Block, _where: Where) -> None:
        """The provider's own summary of what was said before, in plain words."""
        self._history.text(self._texts(block.content, "assistant"))


_HANDLERS: Final[dict[str | None, Callable[[Turns, Block, Where], None]]] = {
    "thinking": Turns._thinking,
    "redacted_thinking": Turns._redacted,
    "tool_use": Turns._call,
    "server_tool_use": Turns._call,
    "mcp_tool_use": Turns._call,
    "compaction": Turns._compaction,
}
