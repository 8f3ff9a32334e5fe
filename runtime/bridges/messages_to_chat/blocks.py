"""Turns of a Messages request, block by block, as they are told to a Chat history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from runtime.bridges.parts import BILLING, Lost, legible, malformed, without_billing
from runtime.bridges.to_chat import History, Toolset
from runtime.bridges.to_chat.parts import (
    Part,
    arguments,
    is_text,
    mark,
    read_part,
    read_parts,
    text_part,
    texts_alone,
)
from runtime.bridges.tools import Original

Block = Mapping[str, Any]

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
        for part in self._texts(content, "system"):
            text = without_billing(part["text"])
            if text != part["text"]:
                self._lost[BILLING] = None
                part["text"] = text
            if text:
                parts.append(part)
        self._history.say("system", parts)

    def add(self, turn: Any, where: str) -> None:
        """One turn at a JSON path. Raises CallerError."""
        if not isinstance(turn, dict):
            raise malformed(where, "an object")
        content = turn.get("content")
        if turn.get("role") == "assistant":
            self._assistant(content, f"{where}.content")
        elif turn.get("role") == "system":
            self._history.say("system", self._texts(content, "system"))
        else:
            self._user(content, f"{where}.content")

    def _read(self, content: Any) -> list[Part]:
        return read_parts(content, self._lost, cached=self._cached)

    def _texts(self, content: Any, role: str) -> list[Part]:
        return texts_alone(self._read(content), role, self._lost)

    # --- the user --------------------------------------------------------------------------------

    def _user(self, content: Any, where: str) -> None:
        """Results go behind their calls; what else the user says comes after them."""
        if not isinstance(content, list):
            self._history.say("user", self._read(content))
            return
        said: list[Part] = []
        for index, block in enumerate(content):
            if is_text(block):
                said.append(block)
            elif isinstance(block, dict) and block.get("type") == "tool_result":
                self._result(block, f"{where}[{index}]")
            else:
                said += read_part(block, self._lost, cached=self._cached)
        self._history.say("user", said)

    def _result(self, block: Block, where: str) -> None:
        parts = self._read(block.get("content"))
        if "cache_control" in block:
            mark(parts, block, self._lost, cached=self._cached)
        call_id = _word(block, "tool_use_id", where)
        self._history.result(call_id, parts, failed=bool(block.get("is_error")))

    # --- the assistant ---------------------------------------------------------------------------

    def _assistant(self, content: Any, where: str) -> None:
        if not isinstance(content, list):
            self._history.text(self._texts(content, "assistant"))
            return
        before: Any = None
        for index, block in enumerate(content):
            if not isinstance(block, dict):
                raise malformed(f"{where}[{index}]", "an object")
            kind = block.get("type")
            handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
            if is_text(block):
                self._history.text([block], glued=before == "text")
            elif handler is not None:
                handler(self, block, f"{where}[{index}]")
            elif isinstance(kind, str) and kind.endswith(_SERVER_RESULT):
                self._server_result(block, f"{where}[{index}]")
            else:
                # citations cut one text into many blocks
                texts = self._texts(block, "assistant")
                self._history.text(texts, glued=before == "text")
            before = kind

    def _thinking(self, block: Block, _where: str) -> None:
        words = block.get("thinking")
        self._history.think(words if isinstance(words, str) else "")
        self._history.prove(block.get("signature"), "thinking.signature")

    def _redacted(self, block: Block, _where: str) -> None:
        self._history.prove(block.get("data"), "redacted_thinking.data")

    def _call(self, block: Block, where: str) -> None:
        if block.get("cache_control") is not None:
            self._lost["cache_control"] = None
        name = self._tools.name(Original(_word(block, "name", where)))
        self._history.call(_word(block, "id", where), name, arguments(block.get("input")))

    def _server_result(self, block: Block, where: str) -> None:
        content = block.get("content")
        parts = self._read(content) if block["type"] == "mcp_tool_result" else None
        if parts is None:
            parts = [text_part(legible(content))]
        failed = bool(block.get("is_error"))
        self._history.result(_word(block, "tool_use_id", where), parts, failed=failed)

    def _compaction(self, block: Block, _where: str) -> None:
        """The provider's own summary of what was said before, in plain words."""
        self._history.text(self._texts(block.get("content"), "assistant"))


def _word(block: Block, field: str, where: str) -> str:
    word = block.get(field)
    if not isinstance(word, str):
        raise malformed(f"{where}.{field}", "a string")
    return word


_HANDLERS: Final[dict[str, Callable[[Turns, Block, str], None]]] = {
    "thinking": Turns._thinking,
    "redacted_thinking": Turns._redacted,
    "tool_use": Turns._call,
    "server_tool_use": Turns._call,
    "mcp_tool_use": Turns._call,
    "compaction": Turns._compaction,
}
