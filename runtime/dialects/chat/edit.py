"""Writes a Chat Completions request for one candidate: the caller's bytes, and declared changes."""

from __future__ import annotations

from typing import Any, Final

from runtime.dialects import draft as shared
from runtime.dialects.draft import Draft, open_list, open_object
from runtime.dialects.reading import Edited, Reading, Step

_CAP_FIELDS: Final = ("max_tokens", "max_completion_tokens")
_ECHO_FIELDS: Final = ("reasoning_content", "reasoning", "reasoning_details")
_OPAQUE_FIELDS: Final = ("reasoning_details",)


def edit(body: bytes | dict[str, Any], reading: Reading, step: Step) -> Edited:
    """The body for one candidate, and what was left out of it."""
    draft = shared.begun(body, reading, step)
    shared.write_tools(draft, shared.write_parallel_off)
    shared.write_cap(draft, _CAP_FIELDS)
    shared.write_reasoning(draft)
    if step.skin.store == "force_false":
        _force_store(draft)
    if reading.echo or reading.opaque:
        _leave_out_reasoning(draft)
    shared.write_form(draft)
    if reading.stream:
        _ask_usage(draft)
    return draft.finish()


def _force_store(draft: Draft) -> None:
    if draft.get("store"):  # absent means no here
        draft.top["store"] = False
        draft.dropped.append("store")


def _leave_out_reasoning(draft: Draft) -> None:
    """Takes earlier reasoning out of the history where the skin may not or cannot have it."""
    reasoning = draft.step.skin.reasoning
    fields: tuple[str, ...] = ()
    # one detail that this skin cannot read spoils the row: they are only good together
    if draft.reading.opaque and (draft.reading.wrapped or not draft.step.same_continuity):
        fields = _OPAQUE_FIELDS
    if reasoning is not None and reasoning.echo == "forbidden":
        fields = _ECHO_FIELDS
    if fields:
        turns = open_list(draft.top["messages"])
        draft.top["messages"] = [_without(draft, turn, fields) for turn in turns]


def _without(draft: Draft, turn: Any, fields: tuple[str, ...]) -> Any:
    members = open_object(turn) or {}
    found = [field for field in fields if field in members]
    if not found:
        return turn
    draft.dropped += found
    return {key: value for key, value in members.items() if key not in found}


def _ask_usage(draft: Draft) -> None:
    """Asks for the usage chunk, for the router's own records."""
    skin = draft.step.skin
    if skin.synthesized or "stream_options" in skin.drop:
        return
    if not draft.reading.include_usage:
        draft.set("stream_options.include_usage", True)
        draft.hide_usage = True
