"""Request by request facts, told by what differs: one line of YAML moves hundreds of requests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from compiler.review.answers import Sent
from compiler.review.changes import Change, Scope, Value
from compiler.review.view import Place

# A request -> who sends it, and in which phases.
Seen = dict[str, dict["Audience", set[str | None]]]


class Audience(NamedTuple):
    """Callers who see the same: where they came from, where they are, and what they use."""

    old_project: str
    project: str
    clients: frozenset[str]


class Crowd(Protocol):
    """Everybody there is, by which it is told whether something shows to all of them."""

    @property
    def projects(self) -> Collection[str]: ...
    @property
    def callers_of(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]: ...
    def clients_of(self, caller: str) -> frozenset[str]: ...


class Key(NamedTuple):
    """What is the same for many requests, and is told once."""

    kind: str
    about: str
    before: tuple[Value, ...] = ()
    after: tuple[Value, ...] = ()
    reasons: tuple[str, ...] = ()
    finding: str | None = None


class Facts:
    """Collects what differs, request by request, and tells it by what differs."""

    def __init__(self) -> None:
        # key -> place -> request -> the audiences, each in some phases
        self._found: dict[Key, dict[Place, Seen]] = {}
        self._considered: dict[tuple[Place, Audience], dict[str, set[str | None]]] = {}
        self._callers: dict[tuple[str, Audience], tuple[str, ...]] = {}

    def consider(
        self, place: Place, sent: Sent, audience: Audience, callers: tuple[str, ...]
    ) -> None:
        """A request that may come, changed or not."""
        shapes = self._considered.setdefault((place, audience), {})
        shapes.setdefault(_named(sent), set()).add(sent.phase)
        self._callers[place[0], audience] = callers

    def add(self, key: Key, place: Place, sent: Sent, audience: Audience) -> None:
        """A request for which something differs."""
        shapes = self._found.setdefault(key, {}).setdefault(place, {})
        shapes.setdefault(_named(sent), {}).setdefault(audience, set()).add(sent.phase)

    def changes(self, new: Crowd) -> list[Change]:
        """One change per thing that differs, with everywhere it shows."""
        return [
            Change(
                kind=key.kind,
                about=key.about,
                before=key.before,
                after=key.after,
                reasons=key.reasons,
                scopes=self._scopes(places, new),
                finding=key.finding,
            )
            for key, places in self._found.items()
        ]

    def _scopes(self, places: Mapping[Place, Seen], new: Crowd) -> tuple[Scope, ...]:
        """Groups told together where they agree in all else."""
        merged: dict[tuple[object, ...], list[Scope]] = {}
        for place, shapes in places.items():
            for scope in self._of_place(place, shapes, new):
                alike = (scope.surface, scope.shapes, scope.phases, scope.projects, scope.whole)
                merged.setdefault(alike, []).append(scope)
        return tuple(_merge(scopes) for scopes in merged.values())

    def _of_place(self, place: Place, shapes: Seen, new: Crowd) -> Iterator[Scope]:
        """The requests of one place, told together where the same people see it in all phases."""
        alike: dict[tuple[frozenset[Audience], tuple[str, ...]], list[str]] = {}
        for shape, audiences in shapes.items():
            by_phase: dict[tuple[str, ...], list[Audience]] = {}
            for audience, phases in audiences.items():
                told = self._phases(place, audience, shape, phases)
                by_phase.setdefault(told, []).append(audience)
            for told, people in by_phase.items():
                alike.setdefault((frozenset(people), told), []).append(shape)
        for (everybody, told), names in alike.items():
            yield self._scope(place, everybody, told, names, new)

    def _phases(
        self, place: Place, audience: Audience, shape: str, phases: set[str | None]
    ) -> tuple[str, ...]:
        if phases == self._considered[place, audience][shape]:
            return ()
        return tuple(sorted(phase for phase in phases if phase is not None))

    def _scope(
        self,
        place: Place,
        people: frozenset[Audience],
        phases: tuple[str, ...],
        shapes: list[str],
        new: Crowd,
    ) -> Scope:
        group, surface = place
        here = {audience.project for audience in people}
        projects = tuple(project for project in new.projects if project in here)
        callers = {name for audience in people for name in self._callers[group, audience]}
        everybody = {name for p in projects for name in new.callers_of[group].get(p, ())}
        using = {name for name in everybody if _sends(new, name, shapes)}
        considered = {name for a in people for name in self._considered[place, a]}
        return Scope(
            groups=(group,),
            surface=surface,
            shapes=tuple(shapes),
            every=considered <= set(shapes),
            phases=phases,
            projects=projects,
            callers=tuple(sorted(callers)),
            whole=callers == using,
        )


def _merge(scopes: list[Scope]) -> Scope:
    first = scopes[0]
    return Scope(
        groups=tuple(group for scope in scopes for group in scope.groups),
        surface=first.surface,
        shapes=first.shapes,
        every=all(scope.every for scope in scopes),
        phases=first.phases,
        projects=first.projects,
        callers=tuple(sorted({name for scope in scopes for name in scope.callers})),
        whole=first.whole,
    )


def _named(sent: Sent) -> str:
    return f"{sent.client}/{sent.shape}"


def _sends(view: Crowd, caller: str, shapes: Iterable[str]) -> bool:
    clients = view.clients_of(caller)
    return any(shape.partition("/")[0] in clients for shape in shapes)
