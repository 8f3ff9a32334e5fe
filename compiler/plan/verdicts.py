"""The shapes of the clients, judged by the very rule the runtime chooses by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from compiler.clients import ALWAYS, BUILT_IN
from compiler.model import CallerDef, ClientProfile, ClientShape, Deployment, GroupDef
from compiler.plan.features import bits
from compiler.plan.model import Offer, Tables, Verdict
from runtime.hosted import policy_of
from runtime.selection import Cell, Choice, choose
from runtime.shape import Shape
from runtime.vocabulary import IMAGE_INLINE, IMAGE_URL, LEVELS, Settings

_BYTES_PER_TOKEN = 4  # the inverse of the estimate the runtime makes of a text body
_HOSTED = "hosted:"
_IMAGES = IMAGE_INLINE | IMAGE_URL


class Judged(Protocol):
    """What a shape is judged by: of a plan, or of an artifact that is reviewed."""

    @property
    def settings(self) -> Settings: ...
    @property
    def cells(self) -> Mapping[tuple[str, str], Cell]: ...


def known_clients(deployment: Deployment) -> dict[str, ClientProfile]:
    """The built-in profiles, and the deployment's own beside them."""
    return {**BUILT_IN, **deployment.clients}


def active_callers(deployment: Deployment, tables: Tables, group: str) -> list[CallerDef]:
    """Those who may call a group on the day the deployment is judged by."""
    return [caller for caller in tables.callers_of[group] if is_active(deployment, caller)]


def is_active(deployment: Deployment, caller: CallerDef) -> bool:
    """Whether a caller may call on the day the deployment is judged by; the last day counts."""
    expired = caller.expires is not None and caller.expires < deployment.as_of
    return caller.status == "active" and not expired


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
    return policy_of(word.removeprefix(_HOSTED), settings.hosted_tools)


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
    tables: Judged,
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
            tool_schema_bytes=shape.tool_schema_bytes,
            tools=shape.tools,
            images=int(bool(needs & _IMAGES)),  # one, or it would not need them
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
    callers = active_callers(deployment, tables, group.id)
    reaches = reaches_of(tables, callers)
    judged = _judged_clients(deployment, group, callers)
    for surface in group.surfaces:
        for client, shape in _proven_shapes(group, clients, judged, surface):
            yield from verdicts_of_shape(tables, offers, group, surface, reaches, client, shape)


def verdicts_of_shape(
    tables: Tables,
    offers: Mapping[tuple[str, str, str], Offer],
    group: GroupDef,
    surface: str,
    reaches: Iterable[str],
    client: str,
    shape: ClientShape,
) -> Iterator[Verdict]:
    """One verdict per reach and phase; `reaches` are those of callers of the group."""
    turned_away = refused(shape, tables.settings)
    phases: tuple[str | None, ...] = tuple(group.phases) or (None,)
    for reach in reaches:
        default = offers[group.id, surface, reach].default
        level = LEVELS[default] if shape.default_level and default else 0
        for phase in phases:
            choice = judge(tables, (group.id, surface), reach, shape, more=level, phase=phase)
            yield Verdict(group.id, surface, reach, client, shape, phase, choice, turned_away)


def _judged_clients(
    deployment: Deployment, group: GroupDef, callers: Iterable[CallerDef]
) -> frozenset[str]:
    """The usual agents, the deployment's own, and whom a promise or a caller names."""
    promised = (promise.client for promise in group.promises)
    used = (client for caller in callers for client in caller.clients or ())
    return frozenset([*ALWAYS, *deployment.clients, *promised, *used])


def _proven_shapes(
    group: GroupDef, clients: Mapping[str, ClientProfile], judged: frozenset[str], surface: str
) -> Iterator[tuple[str, ClientShape]]:
    """Core shapes of the judged clients of the surface, and the extra ones this group promises."""
    promised = {(p.client, name) for p in group.promises for name in p.shapes}
    for client in clients.values():
        if client.surface == surface and client.id in judged:
            for shape in client.shapes:
                if shape.core or (client.id, shape.name) in promised:
                    yield client.id, shape
