"""The shapes of the clients, judged by the very rule the runtime chooses by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.clients import BUILT_IN
from compiler.model import CallerDef, ClientProfile, ClientShape, Deployment, GroupDef
from compiler.plan.features import bits
from compiler.plan.model import Offer, Tables, Verdict
from runtime.selection import Choice, choose
from runtime.shape import Shape
from runtime.vocabulary import (
    CUSTOM,
    FORCED,
    IMAGE_INLINE,
    IMAGE_URL,
    LEVELS,
    NAMESPACE,
    TOOLS,
    Settings,
)

_BYTES_PER_TOKEN = 4  # the inverse of the estimate the runtime makes of a text body
_HOSTED = "hosted:"
_TOOLS = TOOLS | FORCED | CUSTOM | NAMESPACE
_IMAGES = IMAGE_INLINE | IMAGE_URL


def known_clients(deployment: Deployment) -> dict[str, ClientProfile]:
    """The built-in profiles, and the deployment's own beside them."""
    return {**BUILT_IN, **deployment.clients}


def active_callers(deployment: Deployment, tables: Tables, group: str) -> list[CallerDef]:
    """Those who may call a group on the day the deployment is judged by."""
    return [
        caller
        for caller in tables.callers_of[group]
        if caller.status == "active"
        and (caller.expires is None or caller.expires >= deployment.as_of)
    ]


def reaches_of(
    tables: Tables, callers: Iterable[CallerDef], client: str | None = None
) -> tuple[str, ...]:
    """The distinct reaches of some callers; with a client, of those who use it."""
    found = {
        tables.reach_of[caller.project]
        for caller in callers
        if client is None or caller.clients is None or client in caller.clients
    }
    return tuple(reach for reach in tables.reaches if reach in found)


def hosted_policy(settings: Settings, word: str) -> str:
    """What the deployment does about a hosted tool; one it does not name is needed."""
    return settings.hosted_tools.get(word.removeprefix(_HOSTED), "need")


def needed(shape: ClientShape, settings: Settings) -> tuple[str, ...]:
    """The feature words a request of this shape really needs under this deployment."""
    return tuple(
        word
        for word in (*shape.needs, *shape.prefers)
        if not word.startswith(_HOSTED) or hosted_policy(settings, word) == "need"
    )


def refused(shape: ClientShape, settings: Settings) -> tuple[str, ...]:
    """The hosted tools of a shape that this deployment refuses altogether."""
    return tuple(
        word
        for word in (*shape.needs, *shape.prefers)
        if word.startswith(_HOSTED) and hosted_policy(settings, word) == "refuse"
    )


def judge(
    tables: Tables,
    cell: tuple[str, str],
    reach: str,
    shape: ClientShape,
    *,
    more: int = 0,
    less: int = 0,
    phase: str | None = None,
) -> Choice:
    """The plan for one shape of a client, with features added or left out."""
    needs = bits(needed(shape, tables.settings)) & ~less | more
    return choose(
        tables.cells[cell],
        Shape(
            needs=needs,
            cap=shape.cap,
            input_tokens=shape.input_tokens,
            body_bytes=shape.input_tokens * _BYTES_PER_TOKEN,
            tools=int(bool(needs & _TOOLS)),  # at least one, or it would not need them
            images=int(bool(needs & _IMAGES)),
        ),
        reach=reach,
        phase=phase,
    )


def verdicts_of(
    deployment: Deployment,
    tables: Tables,
    clients: Mapping[str, ClientProfile],
    offers: Mapping[tuple[str, str, str], Offer],
    group: GroupDef,
) -> Iterator[Verdict]:
    """One verdict per open surface, reach of the group's callers, phase and proven shape."""
    reaches = reaches_of(tables, active_callers(deployment, tables, group.id))
    for surface in group.surfaces:
        shapes = list(_proven_shapes(group, clients, surface))
        for client, shape in shapes:
            for reach in reaches:
                default = offers[group.id, surface, reach].default
                yield from _of_shape(tables, group, surface, reach, client, shape, default)


def _of_shape(
    tables: Tables,
    group: GroupDef,
    surface: str,
    reach: str,
    client: str,
    shape: ClientShape,
    default: str | None,
) -> Iterator[Verdict]:
    level = LEVELS[default] if shape.default_level and default else 0
    turned_away = refused(shape, tables.settings)
    phases: tuple[str | None, ...] = tuple(group.phases) or (None,)
    for phase in phases:
        choice = judge(tables, (group.id, surface), reach, shape, more=level, phase=phase)
        yield Verdict(group.id, surface, reach, client, shape, phase, choice, turned_away)


def _proven_shapes(
    group: GroupDef, clients: Mapping[str, ClientProfile], surface: str
) -> Iterator[tuple[str, ClientShape]]:
    """Core shapes of every client of the surface, and the extra ones this group promises."""
    promised = {(p.client, name) for p in group.promises for name in p.shapes}
    for client in clients.values():
        if client.surface == surface:
            for shape in client.shapes:
                if shape.core or (client.id, shape.name) in promised:
                    yield client.id, shape
