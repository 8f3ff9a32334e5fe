"""Which requests gain, lose and reorder targets, aggregated: one line of YAML moves hundreds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import gcd
from typing import Final, Protocol

from msgspec.structs import replace

from compiler.review.answers import Step, answers_of
from compiler.review.changes import Change
from compiler.review.facts import Audience, Facts, Key
from compiler.review.view import Place, View
from runtime.vocabulary import LEVELS

NOT_A_MEMBER: Final = "not-a-member"
NO_TARGET: Final = "no-such-target"

_NO_CAP: Final = 1 << 62
_LEVEL: Final = re.compile(rf"\breasoning\.({'|'.join(LEVELS)})\b")


class Answered(Protocol):
    """Who answers one request, and why others do not: worked out, or read from a lock."""

    @property
    def targets(self) -> Sequence[str]: ...
    @property
    def steps(self) -> Sequence[Step]: ...
    @property
    def refused(self) -> tuple[str, ...]: ...
    def why_not(self, target: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reaches of the same callers, before and after."""

    old: str
    new: str
    audiences: Mapping[Audience, tuple[str, ...]]


def candidate_changes(old: View, new: View) -> list[Change]:
    """Every change of who answers, for callers who may call the group before and after."""
    facts = Facts()
    for group in new.groups:
        pairs = pairs_of(old, new, group) if group in old.groups else []
        for surface in new.groups[group].surfaces:
            for pair in pairs:
                if surface in old.groups[group].surfaces:
                    _compare(facts, old, new, (group, surface), pair)
    return facts.changes(new)


def pairs_of(old: View, new: View, group: str) -> list[Pair]:
    """The callers of a group by how their reach changes."""
    found: dict[tuple[str, str], dict[Audience, tuple[str, ...]]] = {}
    for project, names in new.callers_of[group].items():
        for name in names:
            before = old.active.get(name)
            if before is not None and group in before.groups:
                clients = new.clients_of(name).intersection(old.clients)
                audience = Audience(before.project, project, clients)
                here = found.setdefault((before.reach, new.callers[name].reach), {})
                here[audience] = (*here.get(audience, ()), name)
    return [Pair(*reaches, audiences) for reaches, audiences in found.items()]


def unchanged(old: View, new: View, place: Place, pair: Pair) -> bool:
    """Whether nothing that decides about this place differs, so that nobody need be judged."""
    group, surface = place
    old_group, new_group = old.groups[group], new.groups[group]
    targets = new_group.ranks
    return (
        replace(old_group, aliases=()) == replace(new_group, aliases=())
        and old.routes[place] == new.routes[place]
        and old.out[place] == new.out[place]
        and all(old.targets[target] == new.targets[target] for target in targets)
        and _providers(old, targets, pair.old) == _providers(new, targets, pair.new)
        and old.settings.hosted_tools == new.settings.hosted_tools
        and old.clients == new.clients
        and old.defaults.get((pair.old, group, surface))
        == new.defaults.get((pair.new, group, surface))
    )


def _providers(view: View, targets: Iterable[str], reach: str) -> list[bool]:
    return [view.targets[target].provider in view.reaches[reach] for target in targets]


def _compare(facts: Facts, old: View, new: View, place: Place, pair: Pair) -> None:
    clients = frozenset().union(*(audience.clients for audience in pair.audiences))
    if unchanged(old, new, place, pair):
        return
    was = {answer.sent: answer for answer in answers_of(old, place, pair.old, clients)}
    for answer in answers_of(new, place, pair.new, clients):
        for audience, callers in pair.audiences.items():
            if answer.sent.client in audience.clients:
                facts.consider(place, answer.sent, audience, callers)
        before = was.get(answer.sent)
        for key in differences(before, answer, old.targets, new.targets) if before else ():
            for audience in pair.audiences:
                if answer.sent.client in audience.clients:
                    facts.add(key, place, answer.sent, audience)


def differences(
    before: Answered, after: Answered, was: Collection[str], now: Collection[str]
) -> Iterator[Key]:
    """What one request meets otherwise; `was` and `now` are the targets there are."""
    if before.refused != after.refused:
        yield from _refusals(before, after)
        return
    lost = [target for target in before.targets if target not in after.targets]
    gained = [target for target in after.targets if target not in before.targets]
    if before.targets and not after.targets:
        why = tuple(f"{t} {word}" for t in lost for word in _reasons(after, t, now))
        yield Key("cut", "", before=tuple(lost), reasons=why, finding="lost")
        return
    if after.targets and not before.targets:
        ways = tuple(f"{t} {loss}" for t in gained for loss in _lost_on(after, t))
        yield Key("answered", "", after=tuple(gained), reasons=ways)
        return
    for target in lost:
        yield Key("lost", target, reasons=_reasons(after, target, now), finding="lost")
    for target in gained:
        why = _reasons(before, target, was)
        yield Key("gained", target, after=_lost_on(after, target), reasons=why)
    yield from _on_the_way(before, after)


def _lost_on(answer: Answered, target: str) -> tuple[str, ...]:
    """What the way to a target that only now answers loses."""
    losses = next(step.losses for step in answer.steps if step.target == target)
    return tuple(map(_any_level, losses))


def _refusals(before: Answered, after: Answered) -> Iterator[Key]:
    if words := tuple(word for word in after.refused if word not in before.refused):
        yield Key("refused", ", ".join(words), finding="lost")
    if words := tuple(word for word in before.refused if word not in after.refused):
        yield Key("accepted", ", ".join(words))


def _reasons(answer: Answered, target: str, known: Collection[str]) -> tuple[str, ...]:
    """Why a target does not answer, levels all told alike: the request says which it asks for."""
    if target not in known:
        return (NO_TARGET,)
    return tuple(map(_any_level, answer.why_not(target))) or (NOT_A_MEMBER,)


def _on_the_way(before: Answered, after: Answered) -> Iterator[Key]:
    """What differs for the targets that answer before and after."""
    was = {step.target: step for step in before.steps}
    now = {step.target: step for step in after.steps if step.target in was}
    for target, step in now.items():
        if _way(was[target]) != _way(step):
            yield Key("way", target, before=(_way(was[target]),), after=(_way(step),))
        ends = _without(was[target].losses, step.losses)
        begins = _without(step.losses, was[target].losses)
        if ends or begins:
            yield Key("loss", target, ends, begins, finding=_lossy(ends, begins))
    old_order = [step for step in before.steps if step.target in now]
    if len(now) > 1 and _standing(old_order) != _standing(list(now.values())):
        yield Key("order", "", before=_shown(old_order), after=_shown(list(now.values())))


def _way(step: Step) -> str:
    return f"{step.skin} by {step.bridge}" if step.bridge else step.skin


def _without(words: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_any_level(word) for word in words if word not in others)


def _standing(steps: list[Step]) -> list[tuple[str, int, bool]]:
    """Order and shares, whatever number the weights are multiples of."""
    weights = [step.weight or 0 for step in steps]
    unit = reduce(gcd, weights, 0) or 1
    return [(step.target, (step.weight or 0) // unit, step.last_resort) for step in steps]


def _shown(steps: list[Step]) -> tuple[str, ...]:
    """Targets as a reader sees their order: with shares where it is drawn by weight."""
    whole = sum(step.weight or 0 for step in steps if not step.last_resort)
    return tuple(_with_share(step, whole) for step in steps)


def _with_share(step: Step, whole: int) -> str:
    if step.last_resort:
        return f"{step.target} (last resort)"
    if step.weight is None or not whole:
        return step.target
    return f"{step.target} {100 * step.weight / whole:.0f}%"


def _any_level(word: str) -> str:
    """`lacks-reasoning.high` and `reasoning.high-mapped` as what they say of any level."""
    return _LEVEL.sub("reasoning", word)


def _lossy(ends: tuple[str, ...], begins: tuple[str, ...]) -> str | None:
    """What begins to be lost: levels alone, or anything else. A wider cap is no loss."""
    narrow = min(map(_cap, ends), default=_NO_CAP)
    words = [word for word in begins if _cap(word) == _NO_CAP or _cap(word) < narrow]
    if not words:
        return None
    return "levels" if all(word.startswith("reasoning-") for word in words) else "lost"


def _cap(word: str) -> int:
    head, _, number = word.partition("cap-")
    return int(number) if not head and number else _NO_CAP
