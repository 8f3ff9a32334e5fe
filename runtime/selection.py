"""Which candidates answer a request, in order, and why each other target does not.

A cell holds the routes of one (group, surface) as one bitset per feature; a bounded memo keeps the
candidates per (needs, reach, phase), and numbers and stickiness are looked at after it. It knows
nothing of bodies, keys, cooldowns or upstream calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from math import inf, log
from typing import Final, NamedTuple

import msgspec

from runtime import eligibility
from runtime.shape import Shape, estimate_input_tokens
from runtime.vocabulary import ALL_LEVELS, Group, Route, Skin, Target

MEMO_SIZE: Final = 256  # per cell: clients ask for few different things
CAPS_REMEMBERED: Final = 8
_UNBOUNDED: Final = 1 << 62
_MASK: Final = (1 << 64) - 1

# Reasons that say a target is not offered to such requests at all: it is no candidate for them,
# so it has no say in whether the others fail by size alone.
_NOT_OFFERED: Final = frozenset(
    {
        eligibility.SURFACE_CLOSED,
        eligibility.NO_SKIN,
        eligibility.NOT_IN_PHASE,
        eligibility.PROJECT_FORBIDS,
    }
)
_OVER_CONTEXT: Final = frozenset({"over-context", "over-input-tokens"})
_OVER_BODY: Final = frozenset({"over-body-bytes"})
_SIZES: Final = _OVER_CONTEXT | _OVER_BODY


class Candidate(msgspec.Struct, frozen=True):
    """A target by one path. `cap` is the output cap to send, None: as asked."""

    target_id: str
    target: Target
    route: Route
    skin: Skin
    keep_level: bool = True
    cap: int | None = None


Tiers = tuple[tuple[Candidate, ...], ...]
# the candidates in a row, and in tiers
Ranking = tuple[tuple[Candidate, ...], Tiers]


class Excluded(NamedTuple):
    """A target that may not answer, with every reason in the order they are judged."""

    target: str
    reasons: tuple[str, ...]


class Choice(msgspec.Struct, eq=False, gc=False):
    """The candidates in the order they are tried; the excluded are worked out when asked for."""

    order: tuple[Candidate, ...]
    cell: Cell
    shape: Shape
    reach: str
    phase: str | None
    known: tuple[Excluded, ...] | None = None

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Every other target of the group, in the group's order, with its reasons."""
        if self.known is None:
            self.known = self.cell.excluded(self.shape, self.reach, self.phase)
        return self.known


def choose(
    cell: Cell,
    shape: Shape,
    reach: str,
    phase: str | None = None,
    session: str | None = None,
) -> Choice:
    """The plan for one request. Equal `session`, equal order: what varies it is the caller's
    business. Without one, equals stand as a reader of the plan expects them.
    """
    plan = cell.plan(shape.needs, reach, phase)
    if plan.bounds.hold(shape):
        ranking = plan.by_cap.get(shape.cap) or cell.remember_cap(plan, shape, phase)
    else:
        ranking = _ranking(cell.fitting(plan, shape, phase))
    order, tiers = ranking
    if cell.draws:
        spread = [tier if len(tier) == 1 else cell.spread(tier, session) for tier in tiers]
        order = tuple(chain.from_iterable(spread))
    return Choice(order, cell, shape, reach, phase)


def best(choice: Choice) -> tuple[Candidate, ...]:
    """Those among whom the session decides who is first; one where nothing is left to decide."""
    tiers = choice.cell.tiers(choice.order, choice.phase)
    return tiers[0] if tiers else ()


def only_over_context(choice: Choice) -> int | None:
    """The most input tokens any candidate takes, where size alone keeps all of them out.

    Clients compact their history on the error this leads to, and a smaller request is served.
    """
    if not _only(choice, _SIZES, with_one_of=_OVER_CONTEXT):
        return None
    rooms = (
        _least((target.context, skin.limits.input_tokens, _tokens(skin.limits.body_bytes)))
        for target, skin in _too_small(choice, _SIZES)
    )
    return max(rooms)


def only_over_body(choice: Choice) -> int | None:
    """The most body bytes any candidate takes, where that limit alone keeps all of them out."""
    if not _only(choice, _OVER_BODY, with_one_of=_OVER_BODY):
        return None
    return max(skin.limits.body_bytes or 0 for _, skin in _too_small(choice, _OVER_BODY))


def is_offered(out: Excluded) -> bool:
    """Whether a target has a path to such requests at all, so that its own lacks matter."""
    return _NOT_OFFERED.isdisjoint(out.reasons)


class Bounds(NamedTuple):
    """The tightest numbers over all paths: inside them, only the cap decides."""

    input_tokens: int
    body_bytes: int
    tool_schema_bytes: int
    tools: int
    images: int
    clamped_context: int

    def hold(self, shape: Shape) -> bool:
        """Whether neither context nor a limit matters to any path."""
        # taken apart at once: each look at a field by its name costs as much
        input_tokens, body_bytes, tool_schema_bytes, tools, images, clamped_context = self
        return (
            shape.input_tokens <= input_tokens
            and shape.body_bytes <= body_bytes
            and shape.tool_schema_bytes <= tool_schema_bytes
            and shape.tools <= tools
            and shape.images <= images
            and (shape.cap is None or shape.cap + shape.input_tokens <= clamped_context)
        )


_NO_BOUNDS: Final = Bounds(*[_UNBOUNDED] * len(Bounds._fields))


class Plan(NamedTuple):
    """What the memo holds: the paths per target, and their order by cap inside the bounds."""

    paths: tuple[tuple[Candidate, ...], ...]
    bounds: Bounds
    by_cap: dict[int | None, Ranking]


class Cell:
    """The routes of one (group, surface). `out` holds targets that have no path here, and why.

    `reaches` names the sets of providers that projects may reach. `draws`: targets of equal rank
    are here, so the order depends on the session.
    """

    def __init__(
        self,
        group_id: str,
        group: Group,
        surface: str,
        routes: tuple[Route, ...],
        targets: Mapping[str, Target],
        reaches: Mapping[str, frozenset[str]],
        out: Mapping[str, str] | None = None,
    ) -> None:
        self.group_id = group_id
        self.group = group
        self.surface = surface
        self.routes = routes
        self.targets = targets
        self.out = dict(out or {})
        self._reaches = reaches
        self._drops = group.unsupported == "drop"
        self._ranks = _ranks(group)
        self.draws = any(
            len({ranks.get(target, len(ranks)) for target in group.ranks}) < len(group.ranks)
            for ranks in self._ranks.values()
        )
        self._weights = {
            target: (_salt(target), group.weights.get(target, 1)) for target in group.ranks
        }
        self._memo: dict[tuple[int, str, str | None], Plan] = {}
        # The last shape with why each target's paths fail: a compiler asks for reach after reach.
        self._judged: tuple[Shape | None, dict[str, tuple[str, ...]]] = (None, {})
        self._candidates: dict[tuple[int, bool], Candidate] = {}
        self._bounds: dict[int, Bounds] = {}
        self._index()

    def plan(self, needs: int, reach: str, phase: str | None) -> Plan:
        """The candidates by features, reach and phase; remembered."""
        key = (needs, reach, phase)
        plan = self._memo.get(key)
        if plan is None:
            if len(self._memo) >= MEMO_SIZE:
                self._memo.clear()
            plan = self._memo[key] = self._make_plan(needs, reach, phase)
        return plan

    def fitting(self, plan: Plan, shape: Shape, phase: str | None) -> Tiers:
        """The tiers when numbers matter: per target the first path that fits, its cap clamped."""
        chosen = []
        for options in plan.paths:
            for option in options:
                context = option.target.context
                if eligibility.numbers_fit(option.skin, context, shape):
                    cap = eligibility.clamped_cap(option.skin.cap, context, shape)
                    chosen.append(option if cap is None else _with_cap(option, cap))
                    break
        return self.tiers(chosen, phase)

    def remember_cap(self, plan: Plan, shape: Shape, phase: str | None) -> Ranking:
        """The ranking for a cap inside the bounds; clients send few different ones."""
        if shape.cap is None:  # no number is left that could keep a path out
            tiers = self.tiers([options[0] for options in plan.paths], phase)
        else:
            tiers = self.fitting(plan, shape, phase)
        ranking = _ranking(tiers)
        if len(plan.by_cap) < CAPS_REMEMBERED:
            plan.by_cap[shape.cap] = ranking
        return ranking

    def spread(self, tier: tuple[Candidate, ...], session: str | None) -> list[Candidate]:
        """Candidates of equal rank, by weighted rendezvous of session and target.

        Every replica finds the same order, and a target that leaves moves only its own sessions.
        Without a session the heaviest come first, which is what a reader of a plan expects.
        """
        weights = self._weights
        if session is None:
            return sorted(tier, key=lambda candidate: -weights[candidate.target_id][1])
        seed = _number(session)
        scored = [
            (_score(seed, *weights[candidate.target_id]), place)
            for place, candidate in enumerate(tier)
        ]
        scored.sort()
        return [tier[place] for _, place in scored]

    def excluded(self, shape: Shape, reach: str, phase: str | None) -> tuple[Excluded, ...]:
        """The targets without an eligible path; of several paths the nearest one's reasons."""
        judged, (asked, nearest) = [], self._judged
        if asked != shape:
            nearest = {}
            self._judged = (shape, nearest)
        for target in self._by_rank(phase):
            if target not in nearest:
                nearest[target] = self._nearest(target, shape)
            reasons = nearest[target] + self._closed(target, reach, phase)
            if reasons:
                judged.append(Excluded(target, reasons))
        return tuple(judged)

    def path_reasons(self, route: Route, shape: Shape) -> tuple[str, ...]:
        """Why one path may not answer; reach and phase, the same for all paths, left aside."""
        target = self.targets[route.target]
        return tuple(eligibility.path_reasons(route, target, shape, drop=self._drops))

    def routes_of(self, target: str) -> tuple[Route, ...]:
        """The paths to a target, native first."""
        return tuple(self.routes[index] for index in self._paths[target])

    def _index(self) -> None:
        """Bitsets over the routes, and the routes of each target."""
        routes = self.routes
        self._every = (1 << len(routes)) - 1
        self._has = _bitsets(eligibility.has(route) for route in routes)
        self._requiring = _bitsets(route.only_when for route in routes)
        self._conditions = sum(self._requiring)
        self._paths: dict[str, list[int]] = {target: [] for target in self.group.ranks}
        for index, route in enumerate(routes):
            self._paths[route.target].append(index)
        self._bits = {target: sum(1 << i for i in mine) for target, mine in self._paths.items()}
        self._order = {
            phase: sorted(self._paths, key=lambda target: ranks.get(target, len(ranks)))
            for phase, ranks in self._ranks.items()
        }
        self._of_reach = {
            reach: self._where(t for t in self._paths if self.targets[t].provider in providers)
            for reach, providers in self._reaches.items()
        }
        self._of_phase = {phase: self._where(listed) for phase, listed in self.group.phases.items()}

    def _where(self, targets: Iterable[str]) -> int:
        return sum(self._bits[target] for target in set(targets))

    def _phase(self, phase: str | None) -> str:
        """Where none is told, a request is in the one that catches all."""
        return phase or self.group.phase_default or ""

    def _eligible(self, needs: int, reach: str, phase: str | None) -> int:
        """The routes that meet all needs, whose conditions hold, within reach and phase."""
        found = self._every & self._of_reach[reach]
        if self.group.phases:
            found &= self._of_phase.get(self._phase(phase), 0)
        for bit in _bits(needs & ~ALL_LEVELS if self._drops else needs):
            found &= self._has.get(bit, 0)
        for bit in _bits(self._conditions & ~needs):
            found &= ~self._requiring[bit]
        return found

    def _make_plan(self, needs: int, reach: str, phase: str | None) -> Plan:
        eligible = self._eligible(needs, reach, phase)
        paths, numbers = [], []
        for target in self._by_rank(phase):
            if mine := eligible & self._bits[target]:
                indexes = [index for index in self._paths[target] if mine >> index & 1]
                numbers += [self._bounds_of(index) for index in indexes]
                paths.append(tuple([self._candidate(index, needs) for index in indexes]))
        return Plan(tuple(paths), Bounds(*map(min, zip(_NO_BOUNDS, *numbers, strict=True))), {})

    def _candidate(self, index: int, needs: int) -> Candidate:
        """Made once for either fate of the level, and shared by every plan."""
        route = self.routes[index]
        key = (index, eligibility.keeps_level(route, needs))
        made = self._candidates.get(key)
        if made is None:
            target = self.targets[route.target]
            skin = target.skins[route.skin]
            made = self._candidates[key] = Candidate(route.target, target, route, skin, key[1])
        return made

    def _bounds_of(self, index: int) -> Bounds:
        """The numbers of one path; worked out when first needed, for a load has many paths."""
        if (known := self._bounds.get(index)) is not None:
            return known
        route = self.routes[index]
        target = self.targets[route.target]
        skin = target.skins[route.skin]
        limits, clamps = skin.limits, skin.cap is not None and skin.cap.over == "clamp"
        found = self._bounds[index] = Bounds(
            input_tokens=_least((target.context, limits.input_tokens)),
            body_bytes=_least((limits.body_bytes,)),
            tool_schema_bytes=_least((limits.tool_schema_bytes,)),
            tools=_least((limits.tools,)),
            images=_least((limits.images,)),
            clamped_context=_least((target.context if clamps else None,)),
        )
        return found

    def _by_rank(self, phase: str | None) -> Iterable[str]:
        return self._order.get(self._phase(phase), self._paths)

    def tiers(self, candidates: Iterable[Candidate], phase: str | None) -> Tiers:
        """Candidates of equal standing together: last resorts last, keepers of the level first."""
        ranks = self._ranks.get(self._phase(phase), {})
        tiers: dict[tuple[bool, bool, int], list[Candidate]] = {}
        for candidate in candidates:
            rank = ranks.get(candidate.target_id, len(ranks))
            standing = (candidate.route.last_resort, not candidate.keep_level, rank)
            tiers.setdefault(standing, []).append(candidate)
        return tuple(tuple(tiers[standing]) for standing in sorted(tiers))

    def _nearest(self, target: str, shape: Shape) -> tuple[str, ...]:
        """Why no path to a target fits. Of several, the reasons of one that a smaller request
        could take, else of the one that lacks least.
        """
        if target in self.out:
            return (self.out[target],)
        paths = [self.path_reasons(route, shape) for route in self.routes_of(target)]
        if len(paths) > 1:
            paths.sort(key=lambda reasons: (not _SIZES.issuperset(reasons), len(reasons)))
        return paths[0] if paths else (eligibility.NO_SKIN,)

    def _closed(self, target: str, reach: str, phase: str | None) -> tuple[str, ...]:
        """Why a target is closed to such requests, whatever its paths."""
        reasons: tuple[str, ...] = ()
        if self.group.phases and target not in self.group.phases.get(self._phase(phase), ()):
            reasons = (eligibility.NOT_IN_PHASE,)
        if self.targets[target].provider not in self._reaches[reach]:
            reasons += (eligibility.PROJECT_FORBIDS,)
        return reasons


def _ranks(group: Group) -> dict[str, dict[str, int]]:
    """Places by phase; a group without phases has one, under the empty name."""
    if not group.phases:
        return {"": group.ranks}
    return {
        phase: {target: place for place, target in enumerate(listed)}
        for phase, listed in group.phases.items()
    }


def _bits(value: int) -> Iterator[int]:
    while value:
        bit = value & -value
        yield bit
        value ^= bit


def _ranking(tiers: Tiers) -> Ranking:
    return tuple(chain.from_iterable(tiers)), tiers


def _bitsets(values: Iterable[int]) -> dict[int, int]:
    """For each bit the positions of the values that hold it, as a set of bits."""
    found: dict[int, int] = {}
    for position, value in enumerate(values):
        for bit in _bits(value):
            found[bit] = found.get(bit, 0) | 1 << position
    return found


def _least(values: Iterable[int | None]) -> int:
    return min((value for value in values if value is not None), default=_UNBOUNDED)


def _with_cap(candidate: Candidate, cap: int) -> Candidate:
    return Candidate(
        candidate.target_id,
        candidate.target,
        candidate.route,
        candidate.skin,
        candidate.keep_level,
        cap,
    )


@lru_cache(maxsize=4096)
def _salt(target: str) -> int:
    """A target stands in many cells; its number is the same in all."""
    return _number(target)


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def _score(seed: int, salt: int, weight: int) -> float:
    """An exponential draw with rate `weight`: the smallest wins with a chance by its weight.

    Seed and salt are digests; the mixing is splitmix64's, so that no two targets' draws relate.
    """
    if weight <= 0:
        return inf
    mixed = seed ^ salt
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
    mixed ^= mixed >> 31
    return -log((mixed + 1) / (_MASK + 2)) / weight


def _only(choice: Choice, allowed: frozenset[str], *, with_one_of: frozenset[str]) -> bool:
    """Whether every target that is offered at all fails by the allowed reasons alone."""
    offered = [set(out.reasons) for out in choice.excluded if is_offered(out)]
    return (
        not choice.order
        and any(reasons & with_one_of for reasons in offered)
        and all(reasons <= allowed for reasons in offered)
    )


def _too_small(choice: Choice, allowed: frozenset[str]) -> Iterator[tuple[Target, Skin]]:
    """The paths that a smaller request could take."""
    cell = choice.cell
    for out in choice.excluded:
        for route in cell.routes_of(out.target) if is_offered(out) else ():
            if allowed.issuperset(cell.path_reasons(route, choice.shape)):
                target = cell.targets[out.target]
                yield target, target.skins[route.skin]


def _tokens(body_bytes: int | None) -> int | None:
    return None if body_bytes is None else estimate_input_tokens(body_bytes, 0, 0)
