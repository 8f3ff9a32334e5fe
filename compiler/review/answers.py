"""Who answers the requests of each client, in words that can be compared across deployments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from compiler.model import ClientShape
from compiler.plan.verdicts import judge, refused
from compiler.render.lock import losses_of
from compiler.review.view import Place, View
from runtime.cost import estimate
from runtime.selection import Candidate, Choice
from runtime.vocabulary import LEVELS, Cap, Settings


class Sent(NamedTuple):
    """One request a client sends; `phase` only where the group has any."""

    client: str
    shape: str
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One candidate: by which skin and bridge, what is lost on the way, its share among equals."""

    target: str
    skin: str
    bridge: str | None
    losses: tuple[str, ...]
    weight: int | None
    last_resort: bool


@dataclass(frozen=True, eq=False)
class Answer:
    """Who answers one request. `refused` are hosted tools for which all of it is refused."""

    sent: Sent
    shape: ClientShape
    refused: tuple[str, ...]
    choice: Choice
    settings: Settings

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The targets that answer, in order."""
        return () if self.refused else tuple(c.target_id for c in self.choice.order)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The same with the way to each: made only where somebody looks, for there are many."""
        return () if self.refused else tuple(map(self._step, self.choice.order))

    def why_not(self, target: str) -> tuple[str, ...]:
        """Why a target of the group does not answer; empty for one that is no member."""
        if self.refused:
            return tuple(f"refused-{word}" for word in self.refused)
        return next((out.reasons for out in self.choice.excluded if out.target == target), ())

    def _step(self, candidate: Candidate) -> Step:
        group, target = self.choice.cell.group, candidate.target_id
        return Step(
            target=target,
            skin=candidate.route.skin,
            bridge=candidate.route.bridge,
            losses=tuple(losses_of(self.settings, self.shape, self.choice, candidate)),
            weight=group.weights.get(target, 1) if group.kind == "weighted" else None,
            last_resort=candidate.route.last_resort,
        )


def answers_of(view: View, place: Place, reach: str, clients: Iterable[str]) -> Iterator[Answer]:
    """One answer per shape of the clients that speak this surface, and per phase of the group."""
    group, surface = place
    default = view.defaults.get((reach, group, surface))
    for name in clients:
        client = view.clients.get(name)
        if client is None or client.surface != surface:
            continue
        for shape in client.shapes:
            more = LEVELS[default] if shape.default_level and default else 0
            turned_away = refused(shape, view.settings)
            for phase in tuple(view.groups[group].phases) or (None,):
                choice = judge(view, place, reach, shape, more=more, phase=phase)
                sent = Sent(name, shape.name, phase)
                yield Answer(sent, shape, turned_away, choice, view.settings)


def worst_usd(view: View, answer: Answer, attempts: int) -> float | None:
    """USD of a request of this shape when every attempt is billed in full and fails but the last.

    None where a candidate has no price, or nothing bounds what it may write.
    """
    if answer.refused:
        return 0.0
    costs = [_usd(view, answer, candidate) for candidate in answer.choice.order]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return None
    return sum(sorted(known, reverse=True)[:attempts])


def _usd(view: View, answer: Answer, candidate: Candidate) -> float | None:
    price = candidate.target.price
    output = _most_output(candidate, answer.choice)
    if price is None or output is None:
        return None
    shape = answer.choice.shape
    return estimate(view.prices[price], shape.input_tokens, output, shape.images)


def _most_output(candidate: Candidate, choice: Choice) -> int | None:
    """What is asked after clamping, else what the skin fills in or allows, else the context."""
    cap = candidate.skin.cap or Cap(field="")
    context = candidate.target.context
    room = None if context is None else context - choice.shape.input_tokens
    bounds = (candidate.cap, choice.shape.cap, cap.default, cap.max, room)
    return next((bound for bound in bounds if bound is not None), None)
