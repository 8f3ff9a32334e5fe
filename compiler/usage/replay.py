"""Recorded requests on another deployment: who would answer them now, and what that would cost.

Rows hold shapes, not bodies: sizes are the upper ends of their classes, and what a bridge refuses
in a body cannot be seen. Where sessions are spread over targets a request keeps its first target
as long as that is among the best; a target that its plan did not hold takes its share by weight,
and so does one whose weight grew, where the weights of then are known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import lru_cache, reduce
from typing import Final, NamedTuple

from compiler.review.view import View
from runtime.cost import cost
from runtime.errors import CallerError
from runtime.names import resolve_group
from runtime.records.rows import Wanted, read
from runtime.records.store import Store
from runtime.selection import Choice, best, choose, is_offered
from runtime.shape import Shape
from runtime.vocabulary import FEATURES, Caller

Who = tuple[str, str, str]  # (client, group, surface)

NOBODY: Final = "no-eligible-target"
CALLER_GONE: Final = "caller-gone"
SURFACE_CLOSED: Final = "surface-closed"


class Asked(NamedTuple):
    """What a row says of the question: all that decides its route."""

    caller: str
    project: str
    group: str
    surface: str
    phase: str | None
    features: str
    cap: int | None
    input_estimate: int
    body_bytes: int
    tool_schema_bytes: int
    tools: int
    image_count: int
    plan: str


class Answered(NamedTuple):
    """What a row says of the answer."""

    client: str | None
    code: str | None
    target: str | None
    input: int | None
    output: int | None
    cached: int | None
    cache_write: int | None
    image: int | None
    cost: float | None
    cache: str | None


# Of a row they are read one behind the other; one field has another name there.
_READ: Final = (
    *Asked._fields,
    *("image_tokens" if name == "image" else name for name in Answered._fields),
)


class Fate(NamedTuple):
    """What becomes of a question: the share of each target as the first, or why nobody answers."""

    first: Mapping[str, float]
    lost: str | None = None


@dataclass(slots=True)
class Tally:
    """Sums over rows. `moved` is expected: a share of a request counts as that share.

    `before` and `after` are USD of the rows whose cost is known on both sides; `unpriced` counts
    the answered rows that are not among them.
    """

    requests: int = 0
    lost: int = 0
    found: int = 0
    moved: float = 0.0
    before: float = 0.0
    after: float = 0.0
    unpriced: int = 0


@dataclass(slots=True)
class Replay:
    """The sums by (client, group, surface); the ways that change; why requests are lost.

    `ways` is by (client, group, surface, first target then, first target now), `reasons` by
    (client, group, surface, reason), `unknown` by the feature words this program does not know.
    `since` and `until`: the first and the last request.
    """

    lines: dict[Who, Tally] = field(default_factory=dict)
    ways: dict[tuple[str, str, str, str, str], float] = field(default_factory=dict)
    reasons: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    since: float | None = None
    until: float | None = None

    @property
    def total(self) -> Tally:
        """The sum of all lines."""
        sums = (sum(column) for column in zip(*map(astuple, self.lines.values()), strict=True))
        return Tally(*sums)


def replay(
    store: Store,
    view: View,
    wanted: Wanted,
    *,
    before: View | None = None,
    step: Callable[[], None] = lambda: None,
) -> Replay:
    """The recorded requests on the deployment of `view`; `before` knows the weights of then.

    Raises StoreError.
    """
    made, router = Replay(), _Router(view, before)
    for rows in read(store, wanted, ("time", *_READ)):
        for time, *row in rows:
            asked = Asked(*row[: len(Asked._fields)])
            if asked.group is None or asked.caller is None:
                continue  # refused before it had a way
            made.since = min(made.since or time, time)
            made.until = max(made.until or time, time)
            _add(made, router, asked, Answered(*row[len(Asked._fields) :]))
        step()
    return made


def _add(made: Replay, router: _Router, asked: Asked, answered: Answered) -> None:
    who = answered.client or "-", asked.group, asked.surface
    if (line := made.lines.get(who)) is None:
        line = made.lines[who] = Tally()
    line.requests += 1
    made.unknown.update(_unknown(asked.features))
    fate, planned = router.fate(asked), asked.plan.partition(" ")[0]
    if fate.lost is not None:
        if planned:
            line.lost += 1
            made.reasons[*who, fate.lost] += 1
    elif not planned:
        line.found += answered.code == NOBODY
    else:
        for name, share in fate.first.items():
            if name != planned:
                line.moved += share
                way = (*who, planned, name)
                made.ways[way] = made.ways.get(way, 0.0) + share
        if answered.output is not None and answered.cache != "hit":
            _add_cost(line, answered.cost, router.cost(fate, asked, answered))


def _add_cost(line: Tally, before: float | None, after: float | None) -> None:
    if before is None or after is None:
        line.unpriced += 1
    else:
        line.before += before
        line.after += after


class _Router:
    """The deployment, asked once for each different question."""

    def __init__(self, view: View, before: View | None) -> None:
        self._view = view
        self._before = before.groups if before is not None else {}
        self._known: dict[Asked, Fate] = {}

    def fate(self, asked: Asked) -> Fate:
        """What becomes of a question."""
        if (known := self._known.get(asked)) is None:
            known = self._known[asked] = self._fate(asked)
        return known

    def cost(self, fate: Fate, asked: Asked, answered: Answered) -> float | None:
        """USD of the same tokens at the new prices of whoever is first now; None: unknown.

        What stays with its first target is answered by whoever answered it then.
        """
        planned, total = asked.plan.partition(" ")[0], 0.0
        for name, share in fate.first.items():
            target = self._view.targets.get((answered.target or name) if name == planned else name)
            if target is None or target.price is None:
                return None
            price = self._view.prices[target.price]
            total += share * cost(price, answered, asked.image_count).total
        return total

    def _fate(self, asked: Asked) -> Fate:
        view = self._view
        caller = view.callers.get(asked.caller) or self._of_project(asked.project)
        if caller is None:
            return Fate({}, CALLER_GONE)
        try:
            group = resolve_group(view, caller, asked.group)
        except CallerError as error:
            return Fate({}, error.code)
        cell = view.cells.get((group, asked.surface))
        if cell is None:
            return Fate({}, SURFACE_CLOSED)
        known = view.groups[group]
        phase = asked.phase if asked.phase in known.phases else known.phase_default
        choice = choose(cell, _shape(asked), reach=caller.reach, phase=phase)
        if not choice.order:
            return Fate({}, _why(choice))
        weights = {c.target_id: known.weights.get(c.target_id, 1) for c in best(choice)}
        then = self._before.get(asked.group)
        old = {name: then.weights.get(name, 1) for name in weights} if then else weights
        return Fate(_shares(weights, asked.plan.split(), old))

    def _of_project(self, project: str) -> Caller | None:
        """Whoever may do what the caller who is gone could: callers come and go."""
        return next((c for c in self._view.active.values() if c.project == project), None)


@lru_cache
def _unknown(features: str) -> tuple[str, ...]:
    """The words that rows of another version use."""
    return tuple(word for word in features.split() if word not in FEATURES)


def _shape(asked: Asked) -> Shape:
    return Shape(
        needs=reduce(int.__or__, (FEATURES.get(word, 0) for word in asked.features.split()), 0),
        cap=asked.cap,
        input_tokens=asked.input_estimate,
        body_bytes=asked.body_bytes,
        tool_schema_bytes=asked.tool_schema_bytes,
        tools=asked.tools,
        images=asked.image_count,
    )


def _why(choice: Choice) -> str:
    """What keeps the nearest target out, in the word of the plan."""
    offered = [out for out in choice.excluded if is_offered(out)] or choice.excluded
    if not offered:
        return NOBODY
    nearest = min(offered, key=lambda out: len(out.reasons))
    return f"{nearest.target}: {nearest.reasons[0]}"


def _shares(
    weights: Mapping[str, int], plan: Sequence[str], old: Mapping[str, int]
) -> dict[str, float]:
    """How likely each of the best is the first one, for a session that had this plan."""
    shares = _normal(weights)
    kept = next((name for name in plan if name in weights), None)
    if kept is None:
        return shares
    new = {name: share for name, share in shares.items() if name not in plan}
    known = [name for name in weights if name in plan]
    now, then = (_normal({name: of[name] for name in known}) for of in (weights, old))
    # A target keeps all its sessions unless its share shrinks; those it loses go where shares grow.
    stays = min(1.0, now[kept] / then[kept]) if then[kept] else 1.0
    grown = _normal({name: max(now[name] - then[name], 0) for name in known})
    left = 1 - sum(new.values())
    found = {name: left * (1 - stays) * grown[name] for name in known} | new
    found[kept] = found.get(kept, 0.0) + left * stays
    return {name: share for name, share in found.items() if share > 0}


def _normal(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values()) or 1
    return {name: weight / total for name, weight in weights.items()}
