"""Writes a Messages request as a Responses request, for one candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from runtime.bridges.body import UNSAID, members, plain, text
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.messages_to_responses.fields import TABLE
from runtime.bridges.parts import BILLING, Lost, Where, legible, malformed, without_billing
from runtime.bridges.to_responses import frame
from runtime.bridges.to_responses.content import (
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
from runtime.dialects.messages.read import Message
from runtime.dialects.parts import Content
from runtime.dialects.parts import Part as Block

_ENCODER: Final = msgspec.json.Encoder()
_RESULT: Final = "tool_result"
# Ends the type of what a provider's own tool found.
_SERVER_RESULT: Final = "_tool_result"
_SIGNATURE: Final = "thinking.signature"
_CONFIG: Final = ("effort", "format")
_SERVICE_TIERS: Final = {"auto": "auto", "standard_only": "default"}


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request upstream, and what it lost. Raises CallerError."""
    lost = frame.left_out(TABLE, body)
    tools = toolset([("tools", body["tools"])] if "tools" in body else [], crossing.step, lost)
    if body.get("mcp_servers"):
        lost["hosted:mcp"] = None
    turns = _Turns(crossing, History(tools, lost), lost)
    turns.system(body.get("system"))
    for index, turn in enumerate(body["messages"]):
        turns.add(turn, ("messages", index))
    top = frame.carried(TABLE, body)
    frame.write_cap(top, body.get("max_tokens"), lost)
    write_choice(top, body.get("tool_choice"), tools, lost)
    _write_parallel(top, body.get("tool_choice"))
    _write_tier(top, body.get("service_tier"), lost)
    _write_format(top, body, lost)
    _write_summary(top, body.get("thinking"), crossing)
    _write_cache_key(top, crossing)
    return frame.crossed(top, turns.history, tools, crossing, lost)


class _Turns:
    """Reads the turns into a history."""

    def __init__(self, crossing: Crossing, history: History, lost: Lost) -> None:
        self._crossing = crossing
        self.history = history
        self._lost = lost
        # what the assistant said since its last call
        self._said: list[Part] = []

    def system(self, system: Any) -> None:
        """The system text, without the line that differs from session to session."""
        texts = []
        for told in texts_of(system, "system", self._lost):
            kept = without_billing(told)
            if kept is not told:
                self._lost[BILLING] = None
            texts += [kept] if kept else []
        self.history.instruct(texts)

    def add(self, turn: Message, where: Where) -> None:
        """One turn. Raises CallerError."""
        reader = _ROLES.get(turn.role)
        if reader is None:
            raise malformed((where, "role"), "`user`, `assistant` or `system`")
        reader(self, turn.content, (where, "content"))

    def system_turn(self, content: Content, where: Where) -> None:
        self.history.instruct(texts_of(content, where, self._lost))

    def user(self, content: Content, where: Where) -> None:
        """Results go behind their calls, wherever in the turn they stand."""
        said = isinstance(content, str)
        for index, block in enumerate(() if said else listed(content, where)):
            if block.type == _RESULT:
                self._result(block, ((where, index), "content"))
            else:
                said = True
        if said:
            self.history.message("user", parts_of(content, where, self._lost, skip=_RESULT))

    def _result(self, block: Block, where: Where) -> None:
        if is_marked(block):
            mark_dropped(members(block), self._lost)
        output = output_of(block.content, bool(block.is_error), where, self._lost)
        self.history.result(block.tool_use_id, output)

    def assistant(self, content: Content, where: Where) -> None:
        """Reasoning, words and calls in the order they were made."""
        if isinstance(content, str):
            if content:
                self._said.append(said(content))
        else:
            for index, block in enumerate(listed(content, where)):
                if is_marked(block):
                    mark_dropped(members(block), self._lost)
                handler = _BLOCKS.get(block.type)
                if handler is not None:
                    handler(self, block)
                elif block.type is not None and block.type.endswith(_SERVER_RESULT):
                    self._server_result(block, ((where, index), "content"))
                else:
                    unknown(block.type, self._lost)
        self._flush()
        self.history.end_turn(_SIGNATURE)

    def _flush(self) -> None:
        if self._said:
            self.history.message("assistant", self._said)
            self._said = []

    # --- blocks of an assistant turn -----------------------------------------------------------

    def text(self, block: Block) -> None:
        if block.text not in UNSAID:
            self._said.append(said(block.text))

    def compaction(self, block: Block) -> None:
        """A summary that stands for the turns before it."""
        if (told := text(block.content)) is not None:
            self._said.append(said(told))

    def thinking(self, block: Block) -> None:
        self._reason(plain(block.signature), plain(block.thinking), _SIGNATURE)

    def redacted(self, block: Block) -> None:
        self._reason(plain(block.data), None, "redacted_thinking.data")

    def _reason(self, proof: Any, text: Any, name: str) -> None:
        item = frame.restored(proof, text, self._crossing)
        if item is None:
            self._lost[name] = None
            return
        self._flush()
        self.history.reasoning(item)

    def call(self, block: Block) -> None:
        self._flush()
        arguments = _ENCODER.encode(plain(block.input) or {}).decode()
        self.history.call(block.id, str(block.name), arguments, custom=False)

    def _server_result(self, block: Block, where: Where) -> None:
        """What a provider found by itself: the model reads it like any other result."""
        self._flush()
        content: Any = block.content
        if block.type != "mcp_tool_result":  # this one alone holds plain parts
            content = legible(plain(content))
        output = output_of(content, bool(block.is_error), where, self._lost)
        self.history.result(block.tool_use_id, output)


_ROLES: Final[dict[Any, Callable[[_Turns, Content, Where], None]]] = {
    "user": _Turns.user,
    "assistant": _Turns.assistant,
    "system": _Turns.system_turn,
}
_BLOCKS: Final[dict[Any, Callable[[_Turns, Block], None]]] = {
    "text": _Turns.text,
    "thinking": _Turns.thinking,
    "redacted_thinking": _Turns.redacted,
    "tool_use": _Turns.call,
    "server_tool_use": _Turns.call,
    "mcp_tool_use": _Turns.call,
    "compaction": _Turns.compaction,
}


def _write_parallel(top: dict[str, Any], choice: Any) -> None:
    if isinstance(choice, dict) and isinstance(
        off := choice.get("disable_parallel_tool_use"), bool
    ):
        top["parallel_tool_calls"] = not off


def _write_tier(top: dict[str, Any], tier: Any, lost: Lost) -> None:
    if tier in _SERVICE_TIERS:
        top["service_tier"] = _SERVICE_TIERS[tier]
    elif tier is not None:
        lost["service_tier"] = None


def _write_format(top: dict[str, Any], body: Mapping[str, Any], lost: Lost) -> None:
    """The format of the answer; it once stood in a field of its own."""
    config = body.get("output_config")
    given = body.get("output_format")
    if isinstance(config, dict):
        given = config.get("format") or given
        for name in config:
            if name not in _CONFIG:
                lost[f"output_config.{name}"] = None
    if not isinstance(given, dict):
        return
    if given.get("type") == "json_schema":
        strict = frame.is_strict(given.get("schema"))
        top["text"] = {"format": frame.schema_format(given, strict)}
    elif given.get("type") == "json_object":
        top["text"] = {"format": {"type": "json_object"}}


def _write_summary(top: dict[str, Any], thinking: Any, crossing: Crossing) -> None:
    """Readable thinking, unless the caller wants none of it."""
    if not isinstance(thinking, dict) or thinking.get("display") != "omitted":
        frame.write_summary(top, crossing)


def _write_cache_key(top: dict[str, Any], crossing: Crossing) -> None:
    """What keeps a conversation with its cache; a digest, for session names stay private."""
    session = crossing.reading.session
    if crossing.step.skin.prompt_cache == "auto" and session:
        top["prompt_cache_key"] = blake2b(session.encode(), digest_size=16).hexdigest()
