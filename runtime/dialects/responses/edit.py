"""Writes a Responses request for one candidate: the caller's bytes, and declared changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from runtime import hosted
from runtime.dialects import draft as shared
from runtime.dialects.decode import ABSENT, is_set
from runtime.dialects.draft import Draft, closed, open_list, open_object
from runtime.dialects.reading import Edited, Reading, Step
from runtime.dialects.responses.read import ENCRYPTED, REASONING_ID, refers
from runtime.opaque import holds_wrapped

_CAP_FIELDS: Final = ("max_output_tokens",)
_SUMMARIES: Final = ("reasoning.summary", "reasoning.generate_summary")


class _Item(msgspec.Struct):
    type: str | None = None
    role: str | None = None
    id: str | None = None
    encrypted_content: msgspec.Raw = ABSENT


_ITEM: Final = msgspec.json.Decoder(_Item)


def edit(body: bytes | dict[str, Any], reading: Reading, step: Step) -> Edited:
    """The body for one candidate, and what was left out of it."""
    draft = shared.begun(body, reading, step)
    if "messages" in draft.top or "stream_options" in draft.top:
        _leave_out_chat(draft)
    shared.write_tools(draft, shared.write_parallel_off, _write_additional)
    shared.write_cap(draft, _CAP_FIELDS)
    shared.write_reasoning(draft)
    if "reasoning" in draft.top:
        _leave_out_summaries(draft)
    if step.skin.store == "force_false":
        _force_store(draft)
    if reading.previous_response_id is not None:
        _write_previous(draft)
    if reading.echo or reading.opaque or reading.references:
        _leave_out_reasoning(draft)
    shared.write_form(draft)
    return draft.finish()


def _write_additional(draft: Draft) -> None:
    """What was done to `tools`, done to those in input items."""
    reading, step = draft.reading, draft.step
    if step.skin.tool_schemas != "keep":
        _change_additional(draft, lambda tools, where: shared.with_schemas(draft, tools, where))
    words = hosted.to_strip(reading.hosted, step.features) if reading.strip else frozenset()
    if words:
        _change_additional(draft, lambda tools, _: shared.without_hosted(tools, words, set()))


def _change_additional(draft: Draft, change: Callable[[list[Any], str], list[Any]]) -> None:
    """Codex can put its tools into input items; one that is left without any goes."""
    raw = draft.top.get("input")
    if not isinstance(raw, msgspec.Raw) or b'"additional_tools"' not in bytes(raw):
        return
    items = []
    for place, item in enumerate(open_list(raw)):
        changed = item
        if _ITEM.decode(item).type == "additional_tools":
            members = open_object(item) or {}
            tools = open_list(members.get("tools"))
            kept = change(tools, f"input[{place}].tools")
            if kept != tools:
                changed = closed({**members, "tools": kept}) if kept else None
        if changed is not None:
            items.append(changed)
    draft.top["input"] = items


def _leave_out_chat(draft: Draft) -> None:
    """Cursor writes these beside a Responses body, and no Responses upstream takes them."""
    if "messages" in draft.top:
        draft.drop("messages")
    if draft.remove("stream_options.include_usage") and not draft.get("stream_options"):
        draft.remove("stream_options")


def _leave_out_summaries(draft: Draft) -> None:
    reasoning = draft.step.skin.reasoning
    if reasoning is None or not reasoning.summaries:
        for path in _SUMMARIES:
            if draft.get(path) is not None:
                draft.drop(path)


def _force_store(draft: Draft) -> None:
    asked = draft.get("store")
    if asked is not False:  # absent means yes here
        draft.dropped += ["store"] if asked else []
        draft.top["store"] = False


def _write_previous(draft: Draft) -> None:
    """The upstream's own id of the answer that is continued."""
    upstream_id = draft.step.previous_response_id
    if upstream_id is None:
        draft.drop("previous_response_id")
    else:
        draft.top["previous_response_id"] = upstream_id


def _leave_out_reasoning(draft: Draft) -> None:
    """Takes earlier reasoning out of the history where the skin may not or cannot have it."""
    skin, reading = draft.step.skin, draft.reading
    left_out = _LeftOut(
        # the id is the upstream's own, so nothing says whose reasoning it is
        references=reading.references,
        opaque=reading.opaque and not draft.step.same_continuity,
        wrapped=reading.wrapped,
        all=reading.echo and skin.reasoning is not None and skin.reasoning.echo == "forbidden",
    )
    if left_out == _NOTHING:
        return
    kept = []
    for raw in open_list(draft.top["input"]):
        name = _name_of(_ITEM.decode(raw), left_out)
        if name is None:
            kept.append(raw)
        else:
            draft.dropped.append(name)
    draft.top["input"] = kept


class _LeftOut(NamedTuple):
    """Which reasoning does not travel: `wrapped` that made behind a bridge, `all` readable too."""

    references: bool = False
    opaque: bool = False
    wrapped: bool = False
    all: bool = False


_NOTHING: Final = _LeftOut()


def _name_of(item: _Item, left_out: _LeftOut) -> str | None:
    """The name an item is missed by, or None when it stays."""
    gone = left_out.opaque or (left_out.wrapped and holds_wrapped(item.encrypted_content))
    if gone and is_set(item.encrypted_content):
        kind = item.type if item.type in ENCRYPTED else "item"
        return f"{kind}.encrypted_content"
    if left_out.references and refers(item):
        return "item_reference" if (item.id or "").startswith(REASONING_ID) else None
    return "reasoning" if left_out.all and item.type == "reasoning" else None
