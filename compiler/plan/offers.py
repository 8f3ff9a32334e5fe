"""What a group may advertise: reasoning levels and a window that its candidates really hold."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.clients import USUAL
from compiler.model import ClientProfile, ClientShape, Deployment, GroupDef
from compiler.plan.model import Offer, Tables
from compiler.plan.verdicts import judge, reaches_of
from runtime.selection import Candidate
from runtime.vocabulary import ALL_LEVELS, LEVELS


def offers_of(
    deployment: Deployment, tables: Tables, clients: Mapping[str, ClientProfile]
) -> dict[tuple[str, str, str], Offer]:
    """One offer per (group, open surface, reach of any of its callers)."""
    return {
        (group.id, surface, reach): _offer(tables, group, surface, reach, clients)
        for group in deployment.groups.values()
        for reach in reaches_of(tables, tables.callers_of[group.id])
        for surface in group.surfaces
    }


def usual_client(
    group: GroupDef, surface: str, clients: Mapping[str, ClientProfile]
) -> ClientProfile:
    """The client a group is offered to on a surface: the first promised one, else the usual."""
    for promise in group.promises:
        client = clients.get(promise.client)
        if client is not None and client.surface == surface:
            return client
    return clients[USUAL[surface]]


def promised_depth(group: GroupDef, surface: str, clients: Mapping[str, ClientProfile]) -> int:
    """How many targets the clients of a surface are promised; one where nothing is."""
    depths = (
        promise.depth
        for promise in group.promises
        if promise.client in clients and clients[promise.client].surface == surface
    )
    return max(depths, default=1)


def _offer(
    tables: Tables,
    group: GroupDef,
    surface: str,
    reach: str,
    clients: Mapping[str, ClientProfile],
) -> Offer:
    cell = (group.id, surface)
    shape, candidates = _usual(tables, cell, reach, usual_client(group, surface, clients))
    levels = tuple(
        level
        for level in tables.settings.levels
        if any(
            LEVELS[level] & candidate.route.levels
            for candidate in judge(
                tables, cell, reach, shape, less=ALL_LEVELS, more=LEVELS[level]
            ).order
        )
    )
    window = _window(candidates, promised_depth(group, surface, clients))
    return Offer(levels, _default(levels, group.reasoning_default), window)


def _usual(
    tables: Tables, cell: tuple[str, str], reach: str, client: ClientProfile
) -> tuple[ClientShape, tuple[Candidate, ...]]:
    """The first core shape that anybody answers, its level left aside."""
    core = [shape for shape in client.shapes if shape.core] or list(client.shapes)
    for shape in core:
        order = judge(tables, cell, reach, shape, less=ALL_LEVELS).order
        if order:
            return shape, order
    return core[0], ()


def _default(levels: tuple[str, ...], wished: str | None) -> str | None:
    if wished in levels:
        return wished
    return "medium" if "medium" in levels else next(iter(levels), None)


def _window(candidates: tuple[Candidate, ...], depth: int) -> int | None:
    """The most input that `depth` candidates hold; last resorts only where nobody else is."""
    counted = [c for c in candidates if not c.route.last_resort] or list(candidates)
    rooms = sorted((_room(candidate) for candidate in counted), reverse=True)
    if not rooms:
        return None
    room = rooms[min(depth, len(rooms)) - 1]
    return None if room == float("inf") else int(room)


def _room(candidate: Candidate) -> float:
    held = (candidate.target.context, candidate.skin.limits.input_tokens)
    return min((tokens for tokens in held if tokens is not None), default=float("inf"))
