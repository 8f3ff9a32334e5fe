"""Admission: every limit of a caller is looked at, then all of them count, or none does.

Here they are counted in this process, of each limit the share of one worker; all workers together
count in `runtime.limits.shared`. The rule of what costs what:

    what                                  rpm  requests  tokens, usd      at once
    a request that is sent upstream       1    1         reserved, then   1
                                                         what was used
    answered from the cache               1    1         none             while it is answered
    refused by decision: unreadable,      1    1         none             -
    nobody eligible
    dry run, count of tokens,             1    -         none             -
    refused ones too
    refused by a limit, or not            -    -         -                -
    authenticated
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import NamedTuple, Protocol

import msgspec

from runtime.artifact import Artifact
from runtime.errors import CallerError
from runtime.limits.allowance import (
    LOOK,
    NANO,
    REFUSED,
    REQUEST,
    TOKENS,
    USD,
    Amounts,
    Kind,
    Row,
    allowance,
)
from runtime.limits.gauges import Budget, Gauge, Mark, Slots, Window, day, month
from runtime.limits.refusal import Standing, lines, refusal
from runtime.shape import Shape
from runtime.vocabulary import Caller, Price

Clock = Callable[[], float]


class Ticket(Protocol):
    """An admitted request. `lines` are the finished X-RateLimit-* header lines."""

    @property
    def lines(self) -> bytes: ...

    def settle(self, tokens: int | None, usd: float | None) -> None:
        """What it used; None: nobody knows, and what was reserved stands. Only the first call
        does anything, and it never waits."""


class Level(msgspec.Struct, frozen=True):
    """One limit of a caller as they may see it; money in USD.

    `seconds` until some of it opens again. `shared`: counted over all workers; else `limit` and
    `used` are those of the worker that was asked.
    """

    scope: str
    name: str
    limit: float
    used: float
    seconds: int
    shared: bool


class Limits(Protocol):
    """Who counts. All that admit raise CallerError with 429, which costs nothing."""

    def start(self) -> None:
        """Begins what runs beside requests, in the running loop."""

    async def aclose(self) -> None:
        """Ends it; what has still to be told is told."""

    async def admit(
        self, artifact: Artifact, token: str, caller: Caller, shape: Shape, price: Price | None
    ) -> Ticket:
        """Admits a request; `price` is that of the target it will go to."""

    async def look(self, artifact: Artifact, token: str, caller: Caller) -> bytes:
        """Admits what asks nobody: a dry run, a count of tokens. Gives the header lines."""

    async def refused(self, artifact: Artifact, token: str, caller: Caller) -> bytes:
        """Counts a request that is refused by decision. Gives the header lines."""

    async def peek(self, artifact: Artifact, token: str, caller: Caller) -> list[Level]:
        """What the caller may use and has used. Counts nothing, raises nothing."""


class _Free:
    """The ticket of a caller without limits."""

    lines = b""

    def settle(self, tokens: int | None, usd: float | None) -> None:
        """There is nothing to settle."""


FREE = _Free()


class Held(NamedTuple):
    """A row, its gauge in this process, and the part of the limit that is held here."""

    gauge: Gauge
    limit: int
    unit: int
    whole: bool
    row: Row


class Counters:
    """The gauges of this process, and the share of every limit that is held here."""

    def __init__(
        self, share: int = 1, *, mono: Clock = time.monotonic, utc: Clock = time.time
    ) -> None:
        self.share = share
        self.mono = mono
        self.utc = utc
        self._gauges: dict[str, Gauge] = {}

    def hold(self, rows: Iterable[Row]) -> tuple[Held, ...]:
        """The rows with their gauges. Of a limit that allows anything so does its share."""
        return tuple(
            Held(self._gauge(row), self._part(row.limit), row.unit, row.whole, row) for row in rows
        )

    def admit(self, plan: Plan, amounts: Amounts) -> CountedTicket:
        """Counts a request on all rows of a plan, or raises CallerError and counts none."""
        for slots, limit in plan.slots:
            if slots.taken >= limit:
                raise self._refusal(plan.rows, amounts, self.mono(), self.utc())
        marks, lines = self._take(plan.meters, amounts, plan.shown) if plan.meters else ([], b"")
        for slots, _ in plan.slots:
            slots.taken += 1
        return CountedTicket(lines, self, plan, amounts, marks)

    def count(self, held: Sequence[Held], amounts: Amounts) -> bytes:
        """Counts what asks no upstream, as above. Gives the header lines."""
        return self._take(held, amounts, held)[1] if held else b""

    def settle(self, held: Held, mark: Mark, change: int) -> None:
        """The amount of a row was another one than reserved, or its slot is free."""
        held.gauge.settle(self.mono(), self.utc(), mark, change)

    def put(self, held: Held, level: int) -> None:
        """What counts for all workers is known: of what is left a share is held here."""
        all_of_it = held.row.limit
        left = max(all_of_it - level, 0) // self.share
        held.gauge.put(self.mono(), self.utc(), self._part(all_of_it) - left)

    def standing(self, held: Held) -> Standing:
        """How a limit stands here."""
        return _standing(held, 1, self.mono(), self.utc())

    def _take(
        self, held: Sequence[Held], amounts: Amounts, shown: Sequence[Held]
    ) -> tuple[list[Mark], bytes]:
        """Where the amounts were counted, and the header lines of what is shown."""
        mono, utc = self.mono(), self.utc()
        for gauge, limit, unit, whole, _ in held:
            amount = amounts[unit]
            # More than all of it never fits, so that goes when nothing else counts.
            need = (amount if amount < limit else limit) if whole else 1
            if gauge.level(mono, utc) + need > limit:
                raise self._refusal(held, amounts, mono, utc)
        marks = [gauge.add(mono, utc, amounts[unit]) for gauge, _, unit, _, _ in held]
        return marks, _lines(shown, mono, utc) if shown else b""

    def _refusal(
        self, held: Sequence[Held], amounts: Amounts, mono: float, utc: float
    ) -> CallerError:
        """The limit that stays shut the longest of all that were in the way then."""
        found = []
        for one in held:
            need = min(amounts[one.unit], one.limit) if one.whole else 1
            standing = _standing(one, need, mono, utc)
            if standing.level + need > one.limit:
                found.append(standing)
        return refusal(max(found, key=lambda standing: standing.seconds), utc, self.share)

    def _part(self, limit: int) -> int:
        return min(limit, max(limit // self.share, 1))

    def _gauge(self, row: Row) -> Gauge:
        gauge = self._gauges.get(row.key)
        if gauge is None:
            gauge = self._gauges[row.key] = _GAUGES[row.kind]()
        return gauge


_GAUGES: dict[Kind, Callable[[], Gauge]] = {
    "window": Window,
    "slots": Slots,
    "day": lambda: Budget(day),
    "month": lambda: Budget(month),
}


def _standing(held: Held, need: int, mono: float, utc: float) -> Standing:
    """How a limit stood then, for a request that needs some of it."""
    level = held.gauge.level(mono, utc)
    excess = max(level + need - held.limit, 0)
    return Standing(held.row, held.limit, level, held.gauge.opens(mono, utc, excess))


def _lines(shown: Sequence[Held], mono: float, utc: float) -> bytes:
    """Header lines of the limit with the least left."""
    tightest = shown[0]
    left = tightest.limit - tightest.gauge.level(mono, utc)
    for held in shown[1:]:
        if (rest := held.limit - held.gauge.level(mono, utc)) < left:
            tightest, left = held, rest
    seconds = tightest.gauge.opens(mono, utc, 0 if left > 0 else 1 - left)
    return lines(tightest.limit, left, seconds)


class Plan:
    """What a token is held to in this process, looked up once per artifact."""

    __slots__ = (
        *("allowance", "limits", "looks", "meters", "refused", "rows", "settled"),
        *("share", "shown", "slots"),
    )

    def __init__(self, artifact: Artifact, caller: Caller, counters: Counters) -> None:
        # not the artifact, which may be out of service while its plans are still known
        self.limits = artifact.limits
        self.share = counters.share
        self.allowance = held = allowance(artifact, caller)
        self.rows = rows = counters.hold(held.rows)
        self.looks = counters.hold(held.looks)
        self.refused = counters.hold(held.refused)
        self.shown = counters.hold(held.shown)
        # the rows again: requests at once, which need no clock, and all others
        self.slots = [(one.gauge, one.limit) for one in rows if isinstance(one.gauge, Slots)]
        self.meters = [one for one in rows if not isinstance(one.gauge, Slots)]
        # the places of meters of which something else may be used than was reserved
        self.settled = [n for n, one in enumerate(self.meters) if one.unit in (TOKENS, USD)]

    def amounts(self, shape: Shape, price: Price | None) -> Amounts:
        """What a request counts for."""
        return self.allowance.amounts(shape, price) if self.settled else REQUEST


class Plans:
    """The plan of each token."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._known: dict[str, Plan] = {}

    def of(self, artifact: Artifact, token: str, caller: Caller) -> Plan:
        """What the token is held to."""
        plan = self._known.get(token)
        share, limits = self._counters.share, artifact.limits
        if plan is None or plan.limits is not limits or plan.share != share:
            plan = self._known[token] = Plan(artifact, caller, self._counters)
        return plan


class InProcess:
    """Limits counted here alone. With `share` workers each holds its share of every limit:
    together they admit no more than the limit, and each caller as much as reaches one worker."""

    def __init__(
        self, share: int = 1, *, mono: Clock = time.monotonic, utc: Clock = time.time
    ) -> None:
        self._counters = Counters(share, mono=mono, utc=utc)
        self._plans = Plans(self._counters)

    def start(self) -> None:
        """Nothing runs beside requests."""

    async def aclose(self) -> None:
        """There is nobody to tell."""

    async def admit(
        self, artifact: Artifact, token: str, caller: Caller, shape: Shape, price: Price | None
    ) -> Ticket:
        """See Limits."""
        plan = self._plans.of(artifact, token, caller)
        if not plan.rows:
            return FREE
        return self._counters.admit(plan, plan.amounts(shape, price))

    async def look(self, artifact: Artifact, token: str, caller: Caller) -> bytes:
        """See Limits."""
        return self._counters.count(self._plans.of(artifact, token, caller).looks, LOOK)

    async def refused(self, artifact: Artifact, token: str, caller: Caller) -> bytes:
        """See Limits."""
        return self._counters.count(self._plans.of(artifact, token, caller).refused, REFUSED)

    async def peek(self, artifact: Artifact, token: str, caller: Caller) -> list[Level]:
        """See Limits."""
        rows = self._plans.of(artifact, token, caller).rows
        return [level_of(self._counters.standing(held), shared=False) for held in rows]


class CountedTicket(msgspec.Struct):
    """A ticket whose amounts were counted in this process."""

    lines: bytes
    counters: Counters
    plan: Plan
    amounts: Amounts
    marks: list[Mark]
    settled: bool = False

    def settle(self, tokens: int | None, usd: float | None) -> None:
        """See Ticket."""
        if self.settled:
            return
        self.settled = True
        plan = self.plan
        for slots, _ in plan.slots:
            slots.taken -= 1
        if plan.settled:
            self._settle(plan, changes_of(self.amounts, tokens, usd))

    def _settle(self, plan: Plan, changes: Amounts) -> None:
        mono, utc = self.counters.mono(), self.counters.utc()
        for place in plan.settled:
            gauge, _, unit, _, _ = plan.meters[place]
            if change := changes[unit]:
                gauge.settle(mono, utc, self.marks[place], change)


def changes_of(amounts: Amounts, tokens: int | None, usd: float | None) -> Amounts:
    """What is to be changed of reserved amounts when a request has ended."""
    return (
        0,
        0,
        0 if tokens is None else tokens - amounts[TOKENS],
        0 if usd is None else round(usd * NANO) - amounts[USD],
        -1,
    )


def level_of(standing: Standing, *, shared: bool) -> Level:
    """A limit in the units of the deployment."""
    row = standing.row
    unit = NANO if row.unit == USD else 1
    limit, used = standing.limit / unit, standing.level / unit
    return Level(row.scope, row.name, limit, used, ceil(standing.seconds), shared)
