"""Writes a Messages request as a Responses request, for one candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.messages_to_responses.fields import TABLE
from runtime.bridges.parts import BILLING, Lost, legible, malformed, without_billing
from runtime.bridges.to_responses import frame
from runtime.bridges.to_responses.content import (
    Part,
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

_RESULT: Final = "tool_result"
# Ends the type of what a provider's own tool found.
_SERVER_RESULT: Final = "_tool_result"
_SIGNATURE: Final = "thinking.signature"
_CONFIG: Final = ("effort", "format")
_SERVICE_TIERS: Final = {"auto": "auto", "standard_only": "default"}


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request upstream, and what it lost. Raises CallerError."""
    lost = frame.left_out(TABLE, body)
    tools = toolset({"tools": body.get("tools")}, crossing.step, lost)
    if body.get("mcp_servers"):
        lost["hosted:mcp"] = None
    turns = _Turns(crossing, History(tools, lost), lost)
    turns.system(body.get("system"))
    for index, turn in enumerate(body["messages"]):
        turns.add(turn, f"messages[{index}]")
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
        for text in texts_of(system, "system", self._lost):
            kept = without_billing(text)
            if kept is not text:
                self._lost[BILLING] = None
            texts += [kept] if kept else []
        self.history.instruct(texts)

    def add(self, turn: Mapping[str, Any], where: str) -> None:
        """One turn. Raises CallerError."""
        reader = _ROLES.get(turn.get("role"))
        if reader is None:
            raise malformed(f"{where}.role", "`user`, `assistant` or `system`")
        reader(self, turn.get("content"), f"{where}.content")

    def system_turn(self, content: Any, where: str) -> None:
        self.history.instruct(texts_of(content, where, self._lost))

    def user(self, content: Any, where: str) -> None:
        """Results go behind their calls, wherever in the turn they stand."""
        if not isinstance(content, str):
            for index, block in enumerate(listed(content, where)):
                if isinstance(block, dict) and block.get("type") == _RESULT:
                    self._result(block, f"{where}[{index}].content")
        self.history.message("user", parts_of(content, where, self._lost, skip=_RESULT))

    def _result(self, block: Mapping[str, Any], where: str) -> None:
        mark_dropped(block, self._lost)
        failed = bool(block.get("is_error"))
        output = output_of(block.get("content"), failed, where, self._lost)
        self.history.result(block.get("tool_use_id"), output)

    def assistant(self, content: Any, where: str) -> None:
        """Reasoning, words and calls in the order they were made."""
        if isinstance(content, str):
            self._say(content)
        else:
            for index, block in enumerate(listed(content, where)):
                if not isinstance(block, dict):
                    raise malformed(f"{where}[{index}]", "an object")
                mark_dropped(block, self._lost)
                kind = str(block.get("type"))
                if kind.endswith(_SERVER_RESULT):
                    self._server_result(block, f"{where}[{index}].content")
                else:
                    _BLOCKS.get(kind, _Turns.unknown)(self, block)
        self._flush()
        self.history.end_turn(_SIGNATURE)

    def _say(self, text: Any) -> None:
        if isinstance(text, str) and text:
            self._said.append(said(text))

    def _flush(self) -> None:
        self.history.message("assistant", self._said)
        self._said = []

    # --- blocks of an assistant turn -----------------------------------------------------------

    def text(self, block: Mapping[str, Any]) -> None:
        self._say(block.get("text"))

    def compaction(self, block: Mapping[str, Any]) -> None:
        """A summary that stands for the turns before it."""
        self._say(block.get("content"))

    def thinking(self, block: Mapping[str, Any]) -> None:
        self._reason(block.get("signature"), block.get("thinking"), _SIGNATURE)

    def redacted(self, block: Mapping[str, Any]) -> None:
        self._reason(block.get("data"), None, "redacted_thinking.data")

    def _reason(self, proof: Any, text: Any, name: str) -> None:
        item = frame.restored(proof, text, self._crossing)
        if item is None:
            self._lost[name] = None
            return
        self._flush()
        self.history.reasoning(item)

    def call(self, block: Mapping[str, Any]) -> None:
        self._flush()
        arguments = msgspec.json.encode(block.get("input") or {}).decode()
        self.history.call(block.get("id"), str(block.get("name")), arguments, custom=False)

    def _server_result(self, block: Mapping[str, Any], where: str) -> None:
        """What a provider found by itself: the model reads it like any other result."""
        self._flush()
        content = block.get("content")
        if block["type"] != "mcp_tool_result":  # this one alone holds plain parts
            content = legible(content)
        output = output_of(content, bool(block.get("is_error")), where, self._lost)
        self.history.result(block.get("tool_use_id"), output)

    def unknown(self, block: Mapping[str, Any]) -> None:
        unknown(block, self._lost)


_ROLES: Final[dict[Any, Callable[[_Turns, Any, str], None]]] = {
    "user": _Turns.user,
    "assistant": _Turns.assistant,
    "system": _Turns.system_turn,
}
_BLOCKS: Final[dict[str, Callable[[_Turns, Mapping[str, Any]], None]]] = {
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
