"""Writes a Messages request for one candidate: the caller's bytes, and declared changes."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from runtime.dialects import draft as shared
from runtime.dialects.decode import ABSENT
from runtime.dialects.draft import Draft, closed, open_list, open_object
from runtime.dialects.reading import Edited, Reading, Step
from runtime.opaque import holds_wrapped
from runtime.vocabulary import JSON_SCHEMA

_CAP_FIELDS: Final = ("max_tokens",)
_DATE: Final = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_SYSTEM_TURNS: Final = "mid-conversation-system"
# A beta value without its date -> the body fields it brought in.
_BETA_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "context-management": ("context_management",),
    "effort": ("output_config.effort",),
    "structured-outputs": ("output_config.format", "output_format"),
}
_THINKING: Final = ("thinking", "redacted_thinking")
# Anthropic refuses to clear thinking where none is on.
_CLEARS_THINKING: Final = "clear_thinking"


class _Turn(msgspec.Struct):
    role: str | None = None


class _Block(msgspec.Struct):
    type: str | None = None
    signature: msgspec.Raw = ABSENT


_TURN: Final = msgspec.json.Decoder(_Turn)
_BLOCK: Final = msgspec.json.Decoder(_Block)
_QUOTE: Final = ord('"')
_BRACKET: Final = ord("[")


def edit(body: bytes | dict[str, Any], reading: Reading, step: Step) -> Edited:
    """The body for one candidate, and what was left out of it."""
    draft = shared.begun(body, reading, step)
    shared.write_tools(draft, _write_parallel_off)
    _write_cap(draft)
    shared.write_reasoning(draft)
    if reading.thinking not in (None, "disabled") and "thinking" not in draft.top:
        _keep_thinking_uncleared(draft)
    if reading.opaque:
        _leave_out_thinking(draft)
    if reading.betas or reading.system_turns:
        _apply_betas(draft)
    shared.write_form(draft)
    return draft.finish()


def _write_parallel_off(draft: Draft) -> None:
    """One call at a time: Messages says so inside `tool_choice`."""
    if draft.get("tool_choice.type") == "none":
        return
    asked = draft.get("tool_choice.disable_parallel_tool_use")
    if asked:
        return
    if draft.get("tool_choice.type") is None:
        draft.top["tool_choice"] = {"type": "auto"}
    draft.set("tool_choice.disable_parallel_tool_use", True)
    draft.dropped += ["parallel_tool_calls"] if asked is False else []


def _write_cap(draft: Draft) -> None:
    declared = draft.step.skin.cap
    if draft.cap is None and declared is not None:
        draft.cap = declared.default  # Messages does without no cap
    shared.write_cap(draft, _CAP_FIELDS)


def _keep_thinking_uncleared(draft: Draft) -> None:
    edits = draft.get("context_management.edits")
    if not isinstance(edits, list):
        return
    kept = [edit for edit in edits if not _clears_thinking(edit)]
    if len(kept) == len(edits):
        return
    if kept:
        draft.set("context_management.edits", kept)
    else:
        draft.drop("context_management")


def _clears_thinking(edit: Any) -> bool:
    return isinstance(edit, dict) and str(edit.get("type")).startswith(_CLEARS_THINKING)


def _leave_out_thinking(draft: Draft) -> None:
    """Takes earlier thinking out of the history where the skin may not or cannot have it."""
    reasoning, reading = draft.step.skin.reasoning, draft.reading
    forbidden = reasoning is not None and reasoning.echo == "forbidden"
    everything = not draft.step.same_continuity or forbidden
    if not (everything or reading.wrapped):
        return
    turns = []
    for turn in open_list(draft.top["messages"]):
        members = open_object(turn) or {}
        content = members.get("content")
        if not isinstance(content, msgspec.Raw) or memoryview(content)[0] == _QUOTE:
            turns.append(turn)
            continue
        blocks = open_list(content)
        kept = [block for block in blocks if not _goes(_BLOCK.decode(block), everything)]
        if len(kept) == len(blocks):
            turns.append(turn)
        elif kept:
            turns.append(closed({**members, "content": kept}))
    draft.top["messages"] = turns
    draft.dropped.append("thinking.signature")


def _goes(block: _Block, everything: bool) -> bool:
    """Whether thinking stays behind: what was made behind a bridge always does."""
    return block.type in _THINKING and (everything or holds_wrapped(block.signature))


def _apply_betas(draft: Draft) -> None:
    """Sends the beta values the skin takes; the others go, with their body fields."""
    reading, skin = draft.reading, draft.step.skin
    allowed = reading.betas if skin.betas == "pass" else skin.betas
    draft.betas = tuple(value for value in reading.betas if value in allowed)
    gone = {_DATE.sub("", value) for value in reading.betas if value not in allowed}
    if reading.system_turns and (skin.system_turns == "fold" or _SYSTEM_TURNS in gone):
        _fold_system_turns(draft)
    for family, fields in _BETA_FIELDS.items():
        if family in gone and not _declared(draft, family):
            for field in fields:
                draft.drop(field)


def _declared(draft: Draft, family: str) -> bool:
    """Whether the skin takes the fields by itself: what it was validated for needs no beta."""
    reasoning = draft.step.skin.reasoning
    if family == "effort":
        return reasoning is not None and reasoning.control in ("effort", "adaptive")
    return family == "structured-outputs" and bool(draft.step.features & JSON_SCHEMA)


def _fold_system_turns(draft: Draft) -> None:
    """Makes each system turn a text of the neighbouring user turn: the one before, else after."""
    turns: list[Any] = []
    waiting: list[Any] = []
    for turn in open_list(draft.top["messages"]):
        role = _TURN.decode(turn).role
        if role == "system":
            texts = _blocks(open_object(turn) or {})
            if turns and _role(turns[-1]) == "user":
                turns[-1] = _opened(turns[-1])
                turns[-1]["content"] += texts
            else:
                waiting += texts
            continue
        if waiting and role == "user":
            turn = _prepended(turn, waiting)
        elif waiting:
            turns.append(_user_turn(waiting))
        waiting = []
        turns.append(turn)
    draft.top["messages"] = [*turns, _user_turn(waiting)] if waiting else turns


def _role(turn: Any) -> str | None:
    return "user" if isinstance(turn, dict) else _TURN.decode(turn).role


def _opened(turn: Any) -> dict[str, Any]:
    """A turn with its content as blocks, in the bytes they came in."""
    if isinstance(turn, dict):
        return turn
    members = open_object(turn) or {}
    return {**members, "content": _blocks(members)}


def _blocks(members: dict[str, Any]) -> list[Any]:
    content = members.get("content")
    if not isinstance(content, msgspec.Raw):
        return []
    view = memoryview(content)
    if view[0] == _QUOTE:
        return [{"type": "text", "text": content}] if len(view) > 2 else []
    return open_list(content) if view[0] == _BRACKET else []


def _prepended(turn: Any, texts: list[Any]) -> dict[str, Any]:
    """Before the user's own text, but after tool results: Messages wants those first."""
    opened = _opened(turn)
    own = opened["content"]
    results = 0
    while results < len(own) and _block_type(own[results]) == "tool_result":
        results += 1
    return {**opened, "content": [*own[:results], *texts, *own[results:]]}


def _block_type(block: Any) -> str | None:
    return block["type"] if isinstance(block, dict) else _BLOCK.decode(block).type


def _user_turn(blocks: list[Any]) -> dict[str, Any]:
    return {"role": "user", "content": blocks}
