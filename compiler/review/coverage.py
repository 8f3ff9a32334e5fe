"""What a deployment can do by group and surface, and whom each client's requests find."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from dataclasses import dataclass, replace

from compiler.review.answers import Answer, answers_of
from compiler.review.fields import age, evidence_state
from compiler.review.outage import classes_of, promise_of, shape_of
from compiler.review.view import Place, View
from runtime.selection import is_offered
from runtime.vocabulary import ALL_LEVELS, Route, words


@dataclass(frozen=True, slots=True)
class Way:
    """A target by one skin and bridge, with what is left of its abilities. `evidence` in days."""

    target: str
    skin: str
    bridge: str | None
    features: tuple[str, ...]
    levels: tuple[str, ...]
    mapped: tuple[str, ...]
    only_when: tuple[str, ...]
    last_resort: bool
    cap: str
    context: int | None
    evidence: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Row:
    """Requests of one client that find the same. `depth` is promised, None where nothing is.

    `nearest` tells, where fewer answer than promised, who lacks least and what.
    """

    client: str
    shapes: tuple[str, ...]
    core: bool
    depth: int | None
    projects: tuple[str, ...]
    phases: tuple[str, ...]
    order: tuple[str, ...]
    nearest: str | None
    reasons: tuple[str, ...]

    @property
    def short(self) -> bool:
        """Whether fewer answer than promised; nobody where nothing is promised."""
        return len(self.order) < (self.depth or 1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One group on one surface. `out` are targets without a way there, with the reason."""

    group: str
    surface: str
    ways: tuple[Way, ...]
    out: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


def sheets(
    view: View, groups: Container[str] | None = None, clients: Collection[str] | None = None
) -> Iterator[Sheet]:
    """Every group and open surface; with names those groups alone, or those clients whoever uses
    them.
    """
    for group, record in view.groups.items():
        if groups is None or group in groups:
            for surface in record.surfaces:
                place = (group, surface)
                yield Sheet(
                    group=group,
                    surface=surface,
                    ways=tuple(_way(view, route) for route in view.routes[place]),
                    out=tuple(_out(view, place)),
                    rows=tuple(_rows(view, place, clients)),
                )


def _way(view: View, route: Route) -> Way:
    target = view.targets[route.target]
    name = f"{route.target}/{route.skin}"
    claim = f"{name}/{route.bridge}" if route.bridge else name
    cap = target.skins[route.skin].cap
    return Way(
        target=route.target,
        skin=route.skin,
        bridge=route.bridge,
        features=tuple(words(route.features & ~ALL_LEVELS)),
        levels=_levels(route.levels),
        mapped=_levels(route.mapped),
        only_when=tuple(words(route.only_when)),
        last_resort=route.last_resort,
        cap="" if cap is None or cap.max is None else f"{cap.max} ({cap.over})",
        context=target.context,
        evidence=age(view, claim),
        state=evidence_state(view, claim),
    )


def _levels(bits: int) -> tuple[str, ...]:
    return tuple(word.removeprefix("reasoning.") for word in words(bits & ALL_LEVELS))


def _out(view: View, place: Place) -> Iterator[tuple[str, str]]:
    here = {route.target for route in view.routes[place]}
    for target in view.groups[place[0]].ranks:
        if target not in here:
            yield target, view.out[place].get(target, "no-skin")


def _rows(view: View, place: Place, clients: Collection[str] | None) -> Iterator[Row]:
    """Requests told together where client, promise and result are the same."""
    found: dict[Row, dict[str, dict[str, tuple[str | None, ...]]]] = {}
    for here in classes_of(view, place[0]):
        projects = tuple(dict.fromkeys(audience.project for audience in here.audiences))
        asked = here.clients if clients is None else clients
        for answer in answers_of(view, place, here.reach, asked):
            alike = found.setdefault(_row(view, place[0], answer), {})
            shape = alike.setdefault(answer.sent.shape, {})
            for project in projects:
                shape[project] = (*shape.get(project, ()), answer.sent.phase)
    every = tuple(view.groups[place[0]].phases)
    for row, shapes in found.items():
        yield from _told(row, shapes, every)


def _told(
    row: Row, shapes: dict[str, dict[str, tuple[str | None, ...]]], every: tuple[str, ...]
) -> Iterator[Row]:
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for shape, projects in shapes.items():
        by_phases: dict[tuple[str, ...], list[str]] = {}
        for project, phases in projects.items():
            named = tuple(phase for phase in phases if phase is not None)
            by_phases.setdefault(() if named == every else named, []).append(project)
        for phases, people in by_phases.items():
            alike.setdefault((tuple(people), phases), []).append(shape)
    for (everybody, phases), names in alike.items():
        yield replace(row, shapes=tuple(names), projects=everybody, phases=phases)


def _row(view: View, group: str, answer: Answer) -> Row:
    """What an answer has in common with others: all but the request, the projects, the phase."""
    client, shape, _ = answer.sent
    promise = promise_of(view, group, client, shape)
    row = Row(
        client=client,
        shapes=(),
        core=shape_of(view, client, shape).core,
        depth=promise.depth if promise else None,
        projects=(),
        phases=(),
        order=tuple(_shown(step.target, step.losses) for step in answer.steps),
        nearest=None,
        reasons=(),
    )
    return _with_nearest(row, answer) if row.short else row


def _shown(target: str, losses: tuple[str, ...]) -> str:
    return f"{target} ({', '.join(losses)})" if losses else target


def _with_nearest(row: Row, answer: Answer) -> Row:
    if answer.refused:
        return replace(row, reasons=tuple(f"refused-{word}" for word in answer.refused))
    nearest = min(
        answer.choice.excluded,
        key=lambda out: (not is_offered(out), len(out.reasons)),
        default=None,
    )
    if nearest is None:
        return row
    return replace(row, nearest=nearest.target, reasons=nearest.reasons)
