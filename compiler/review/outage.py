"""What is left when something is down: promises that fall, requests and callers without anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compiler.model import ClientShape, Promise
from compiler.review.answers import Answer, answers_of
from compiler.review.changes import Change
from compiler.review.facts import Audience, Facts, Key
from compiler.review.view import View

PROMISE = "promise"  # the one finding an outage has


@dataclass(frozen=True, slots=True)
class Outage:
    """What is down, as it was asked for, and what that does."""

    down: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def falls(self) -> bool:
        """Whether a promise holds now and would not then."""
        return any(change.finding == PROMISE for change in self.changes)


@dataclass(frozen=True, slots=True)
class Class:
    """Callers of a group who see the same."""

    reach: str
    audiences: dict[Audience, tuple[str, ...]]

    @property
    def clients(self) -> frozenset[str]:
        return frozenset().union(*(audience.clients for audience in self.audiences))


def outage(view: View, down: Iterable[str]) -> Outage:
    """The effect of providers and targets, named `provider:x` and `target:y`, being down at once.

    Raises KeyError with the first that there is not.
    """
    asked = tuple(down)
    gone = frozenset(target for name in asked for target in targets_of(view, name))
    facts = Facts()
    alive: set[str] = set()  # callers somebody still answers
    dead: set[str] = set()  # callers who lose somebody's every answer
    for group in view.groups:
        for here in classes_of(view, group):
            for answer in _answers(view, group, here):
                _judge(facts, view, group, here, answer, gone)
                _count(answer, here, gone, alive, dead)
    locked = tuple(name for name in view.active if name in dead - alive)
    people = [Change("cut-off", "", callers=locked)] if locked else []
    return Outage(asked, (*people, *facts.changes(view)))


def targets_of(view: View, name: str) -> frozenset[str]:
    """The targets behind `provider:x` or `target:y`. Raises KeyError."""
    kind, _, wanted = name.partition(":")
    if kind == "target" and wanted in view.targets:
        return frozenset({wanted})
    if kind == "provider" and wanted in view.providers:
        return frozenset(n for n, target in view.targets.items() if target.provider == wanted)
    raise KeyError(name)


def classes_of(view: View, group: str) -> list[Class]:
    """The callers of a group by what they reach."""
    found: dict[str, dict[Audience, tuple[str, ...]]] = {}
    for project, names in view.callers_of[group].items():
        for name in names:
            audience = Audience(project, project, view.clients_of(name))
            here = found.setdefault(view.callers[name].reach, {})
            here[audience] = (*here.get(audience, ()), name)
    return [Class(reach, audiences) for reach, audiences in found.items()]


def promise_of(view: View, group: str, client: str, shape: str) -> Promise | None:
    """What a group promises for a request of a client: its core shapes, and those it names."""
    promise = view.promises.get(group, {}).get(client)
    if promise is None or not (shape_of(view, client, shape).core or shape in promise.shapes):
        return None
    return promise


def shape_of(view: View, client: str, shape: str) -> ClientShape:
    """A shape of a known client, by name."""
    return next(known for known in view.clients[client].shapes if known.name == shape)


def _answers(view: View, group: str, here: Class) -> Iterator[Answer]:
    for surface in view.groups[group].surfaces:
        yield from answers_of(view, (group, surface), here.reach, here.clients)


def _judge(
    facts: Facts, view: View, group: str, here: Class, answer: Answer, gone: frozenset[str]
) -> None:
    place = (group, answer.choice.cell.surface)
    keys = list(_effects(view, group, answer, gone))
    for audience, callers in here.audiences.items():
        if answer.sent.client in audience.clients:
            facts.consider(place, answer.sent, audience, callers)
            for key in keys:
                facts.add(key, place, answer.sent, audience)


def _effects(view: View, group: str, answer: Answer, gone: frozenset[str]) -> Iterator[Key]:
    left = tuple(target for target in answer.targets if target not in gone)
    promise = promise_of(view, group, answer.sent.client, answer.sent.shape)
    depth = promise.depth if promise else 0
    if len(answer.targets) < depth:
        yield Key("promise-broken", answer.sent.client, (len(answer.targets),), (depth,))
    elif len(left) < depth:
        harmless = shape_of(view, answer.sent.client, answer.sent.shape).harmless
        yield Key(
            "promise-falls-harmless" if harmless else "promise-falls",
            answer.sent.client,
            before=(depth,),
            after=left,
            finding=None if harmless else PROMISE,
        )
    elif answer.targets and not left:
        yield Key("nobody-left", "", before=answer.targets)


def _count(
    answer: Answer, here: Class, gone: frozenset[str], alive: set[str], dead: set[str]
) -> None:
    """Whom somebody still answers, and whom nobody does who did."""
    if not answer.targets:
        return
    crowd = alive if any(target not in gone for target in answer.targets) else dead
    for audience, callers in here.audiences.items():
        if answer.sent.client in audience.clients:
            crowd.update(callers)
