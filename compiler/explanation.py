"""One request put to the tables of a deployment: who answers, and what each would not be sent.

The runtime's own readers, rule and edits do all of it; nobody is called. It knows no command.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from compiler.plan import Plan
from runtime.artifact import Artifact, detectors_of, read_listing
from runtime.decision import Decision, passage_to
from runtime.dialects import DIALECTS as READERS
from runtime.dialects.reading import Reading
from runtime.eligibility import SURFACE_CLOSED
from runtime.errors import CallerError, RouterError
from runtime.selection import Cell, Choice
from runtime.vocabulary import DIALECTS, Caller

EVERY: Final = "every provider"  # the reach of nobody in particular

# Top-level fields that only one dialect has, whatever else stands in the body.
_TELLING: Final[Mapping[str, str]] = {
    "input": "responses",
    "instructions": "responses",
    "previous_response_id": "responses",
    "system": "messages",
    "anthropic_version": "messages",
    "context_management": "messages",
    "output_config": "messages",
    "stop_sequences": "messages",
}
_EITHER: Final = "chat"  # what is left; its reader knows blocks of Messages when it meets them


class Unreadable(Exception):
    """A request that the router itself would turn away; the message is one line."""


class Asked(NamedTuple):
    """A request body as the runtime reads it. `surface` is the dialect it is posted to."""

    body: bytes
    surface: str
    reading: Reading


def artifact_of(plan: Plan) -> Artifact:
    """The tables a worker would load from this plan, without the way over files: no digest."""
    tables = plan.tables
    reaches = {name: frozenset(providers) for name, providers in tables.reaches.items()}
    closed: dict[tuple[str, str], Cell] = {
        (name, surface): Cell(
            name,
            group,
            surface,
            (),
            tables.targets,
            reaches,
            dict.fromkeys(group.ranks, SURFACE_CLOSED),
        )
        for name, group in tables.groups.items()
        for surface in DIALECTS
        if surface not in group.surfaces
    }
    return Artifact(
        name=plan.deployment.name,
        digest="",
        settings=tables.settings,
        providers=dict(tables.providers),
        targets=dict(tables.targets),
        prices=dict(tables.prices),
        groups=dict(tables.groups),
        detectors=detectors_of(tables.groups, tables.phase_rules),
        cells={**tables.cells, **closed},
        reaches=reaches,
        callers=dict(plan.callers),
        tokens=dict(plan.tokens),
        limits=dict(plan.limits),
        listings={
            name: read_listing(listing.text.encode()) for name, listing in plan.listings.items()
        },
        project_limits=dict(plan.project_limits),
    )


def anybody(tables: Artifact) -> Caller:
    """One who may call every group and reach every provider."""
    return Caller(user="", project="", env="", groups=tuple(tables.groups), reach=EVERY)


def cell_of(tables: Artifact, group: str, surface: str) -> Cell:
    """The cell of a group that also knows the reach of nobody in particular."""
    cell = tables.cells[group, surface]
    reaches = {**tables.reaches, EVERY: frozenset(tables.providers)}
    return Cell(group, cell.group, surface, cell.routes, tables.targets, reaches, cell.out)


def read_request(tables: Artifact, content: bytes, surface: str | None = None) -> Asked:
    """A request body, or a recording of one that holds it under `body`.

    Without a surface it is taken for one in its own dialect. Raises Unreadable.
    """
    body, plain = _body(content)
    path = surface or _dialect(plain)
    try:
        reading = READERS[path].read(body, {}, tables.settings)
    except RouterError as error:
        raise Unreadable(f"{error.code}: {error.message}") from error
    return Asked(body, surface or reading.dialect, reading)


def dropped(
    tables: Artifact, asked: Asked, choice: Choice, caller: Caller
) -> dict[str, tuple[str, ...]]:
    """By candidate what it would not be sent, in the words of the trace.

    A body that a bridge cannot read is refused on the way to its candidate: `refused: why`.
    """
    decision = Decision(
        group_id=choice.cell.group_id,
        group=choice.cell.group,
        surface=asked.surface,
        caller=caller,
        order=choice.order,
        choice=choice,
        phase=choice.phase,
    )
    found: dict[str, tuple[str, ...]] = {}
    for candidate in choice.order:
        try:
            sent = passage_to(tables, decision, asked.reading, candidate, asked.body)
        except CallerError as error:
            found[candidate.target_id] = (f"refused: {error.message}",)
        else:
            found[candidate.target_id] = sent.edited.dropped
    return found


def _body(content: bytes) -> tuple[bytes, Mapping[str, Any]]:
    try:
        plain = msgspec.json.decode(content)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error
    if isinstance(plain, dict) and isinstance(plain.get("body"), dict) and "messages" not in plain:
        plain = plain["body"]
        return msgspec.json.encode(plain), plain
    if not isinstance(plain, dict):
        raise Unreadable("not a JSON object")
    return content, plain


def _dialect(body: Mapping[str, Any]) -> str:
    """The dialect a body is written in, by its fields."""
    return next((_TELLING[field] for field in body if field in _TELLING), _EITHER)
