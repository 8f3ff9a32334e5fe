"""What one token is held to: a row per limit of its user and its project, as the artifact has it.

A set of limits is one allowance of a user: all callers and tokens of the user that are given the
same set share it. A project's set is shared by all its callers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from runtime.artifact import Artifact
from runtime.cost import estimate
from runtime.shape import Shape
from runtime.vocabulary import Caller, LimitSet, Price

Kind = Literal["window", "slots", "day", "month"]
Scope = Literal["user", "project"]
Amounts = tuple[int, int, int, int, int]

# What a request costs; the index of each in its amounts.
RATE, REQUESTS, TOKENS, USD, SLOT = range(5)
NANO: Final = 1_000_000_000  # money is counted in billionths of a dollar, as whole numbers

# Costs of a request whose tokens and money nobody limits, and of those that ask no upstream, which
# are also how a limit counts that has no place for the others.
REQUEST: Final[Amounts] = (1, 1, 0, 0, 1)
LOOK: Final[Amounts] = (1, 0, 0, 0, 0)  # a dry run, a count of tokens
REFUSED: Final[Amounts] = (1, 1, 0, 0, 0)


class Row(msgspec.Struct, frozen=True, eq=False):
    """One limit. `key` names its gauge; equal keys are one gauge, whoever is held to it.

    `whole`: an amount must fit as a whole; else a limit is good until it is used up.
    """

    scope: Scope
    name: str
    key: str
    kind: Kind
    unit: int
    limit: int
    code: str
    whole: bool


class Allowance(msgspec.Struct, frozen=True, eq=False):
    """All rows of a token. `looks` and `refused` are those that such requests count for.

    `shown` are the rows that X-RateLimit-* may tell of, requests or else tokens; of equal ones the
    first is told.
    """

    rows: tuple[Row, ...]
    looks: tuple[Row, ...]
    refused: tuple[Row, ...]
    shown: tuple[Row, ...]
    reserve_output: int
    money: bool

    def amounts(self, shape: Shape, price: Price | None) -> Amounts:
        """What a request reserves: its input, and of its output what the set says."""
        output = self.reserve_output
        if shape.cap is not None and shape.cap < output:
            output = shape.cap
        usd = 0
        if self.money and price is not None:
            usd = round(estimate(price, shape.input_tokens, output) * NANO)
        return 1, 1, shape.input_tokens + output, usd, 1


class _Kind(msgspec.Struct, frozen=True):
    name: str
    kind: Kind
    unit: int
    code: str
    whole: bool = False


_KINDS: Final = (
    _Kind("rpm", "window", RATE, "rpm-exceeded", whole=True),
    _Kind("tpm", "window", TOKENS, "tpm-exceeded", whole=True),
    _Kind("concurrent", "slots", SLOT, "concurrency-exceeded", whole=True),
    _Kind("day.requests", "day", REQUESTS, "budget-exceeded"),
    _Kind("day.tokens", "day", TOKENS, "budget-exceeded"),
    _Kind("day.usd", "day", USD, "budget-exceeded"),
    _Kind("month.requests", "month", REQUESTS, "budget-exceeded"),
    _Kind("month.tokens", "month", TOKENS, "budget-exceeded"),
    _Kind("month.usd", "month", USD, "budget-exceeded"),
)


def allowance(artifact: Artifact, caller: Caller) -> Allowance:
    """What the callers of this kind are held to now."""
    found = tuple(_sets(artifact, caller))
    rows = tuple(row for scope, key, limits in found for row in _rows(scope, key, limits))
    in_requests = [row for row in rows if row.unit in (RATE, REQUESTS)]
    return Allowance(
        rows=rows,
        looks=_counting(rows, LOOK),
        refused=_counting(rows, REFUSED),
        shown=tuple(in_requests or (row for row in rows if row.unit == TOKENS)),
        reserve_output=max((limits.reserve_output for *_, limits in found), default=0),
        money=any(row.unit == USD for row in rows),
    )


def _sets(artifact: Artifact, caller: Caller) -> Iterator[tuple[Scope, str, LimitSet]]:
    if caller.limits is not None:
        key = f"user:{caller.user}:{caller.limits}"
        yield "user", key, artifact.limits[caller.limits]
    if (name := artifact.project_limits.get(caller.project)) is not None:
        yield "project", f"project:{caller.project}", artifact.limits[name]


def _rows(scope: Scope, key: str, limits: LimitSet) -> Iterator[Row]:
    for kind in _KINDS:
        value: Any = limits
        for step in kind.name.split("."):
            value = getattr(value, step)
        if value is not None:
            limit = round(value * NANO) if kind.unit == USD else value
            yield Row(
                scope,
                kind.name,
                f"{key}:{kind.name}",
                kind.kind,
                kind.unit,
                limit,
                kind.code,
                kind.whole,
            )


def _counting(rows: tuple[Row, ...], amounts: Amounts) -> tuple[Row, ...]:
    return tuple(row for row in rows if amounts[row.unit])
