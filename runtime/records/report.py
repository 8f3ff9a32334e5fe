"""What was used: requests, tokens, money and time, added up by whatever is asked for.

It reads rows and adds; how a report is shown is others' business.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from runtime.records.rows import Wanted, read
from runtime.records.schema import Row
from runtime.records.store import Store

# What a report can be broken down by: fields of a row, and the times it falls into (UTC).
FIELDS: Final = (
    "user",
    "project",
    "env",
    "caller",
    "token",
    "client",
    "group",
    "surface",
    "phase",
    "target",
    "provider",
    "key_id",
    "model",
    "bridge",
    "stream",
    "cache",
    "outcome",
    "status",
    "code",
    "artifact",
)
_TRUTH: Final = {0: "false", 1: "true"}
TIMES: Final[dict[str, str]] = {"hour": "%Y-%m-%d %H:00", "day": "%Y-%m-%d", "month": "%Y-%m"}
KEYS: Final = (*FIELDS, *TIMES)

_SUMMED: Final = (
    "input",
    "output",
    "cached",
    "cache_write",
    "reasoning",
    "cost",
    "cost_baseline",
    "savings",
)
_READ: Final = ("time", "outcome", "attempts", "cache", "stream", "first_byte", "ms", *_SUMMED)


@dataclass(slots=True)
class Line:
    """The sums over some rows. Tokens and USD count where they are known.

    `refused`: no upstream was asked. `failed`: some was, in vain, or the answer broke off.
    """

    requests: int = 0
    refused: int = 0
    failed: int = 0
    gone: int = 0  # the client left
    fallbacks: int = 0
    cache_hits: int = 0
    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    cost: float = 0.0
    cost_baseline: float = 0.0
    savings: float = 0.0
    unpriced: int = 0  # answered with tokens, but at no known price
    generated: int = 0  # output tokens of the answers that `seconds` were spent on
    seconds: float = 0.0
    ms: array[float] = field(default_factory=lambda: array("d"))

    def add(self, row: Row) -> None:
        """Adds a row of `_READ`."""
        _, outcome, attempts, cache, stream, first_byte, ms, *sums = row
        self.requests += 1
        self.ms.append(ms)
        self.fallbacks += attempts > 1
        hit = cache == "hit"
        self.cache_hits += hit
        if outcome == "client-gone":
            self.gone += 1
        elif outcome != "ok":
            if attempts:
                self.failed += 1
            else:
                self.refused += 1
        for name, value in zip(_SUMMED, sums, strict=True):
            if value is not None:
                setattr(self, name, getattr(self, name) + value)
        output, cost = sums[1], sums[5]
        self.unpriced += output is not None and cost is None
        if outcome == "ok" and output and not hit:
            self.generated += output
            self.seconds += (ms - (first_byte or 0.0 if stream else 0.0)) / 1000

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens per second of answering, after the first byte where it is streamed."""
        return self.generated / self.seconds if self.seconds > 0 else None

    def percentile(self, share: float) -> float | None:
        """Milliseconds within which that share of the requests was over."""
        if not self.ms:
            return None
        ordered = sorted(self.ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    def numbers(self) -> dict[str, float | int | None]:
        """All figures by their names, for machines."""
        found: dict[str, float | int | None] = {
            name: getattr(self, name) for name in _COUNTS + _SUMMED
        }
        for name in ("cost", "cost_baseline", "savings"):
            found[name] = round(getattr(self, name), 9)
        speed = self.tokens_per_second
        return found | {
            "unpriced": self.unpriced,
            "p50_ms": self.percentile(0.5),
            "p95_ms": self.percentile(0.95),
            "output_tokens_per_second": None if speed is None else round(speed, 2),
        }


_COUNTS: Final = ("requests", "refused", "failed", "gone", "fallbacks", "cache_hits")


@dataclass(frozen=True, slots=True)
class Report:
    """The lines by their keys, the dearest first, times in their order; and the sum of all."""

    by: tuple[str, ...]
    lines: list[tuple[tuple[str, ...], Line]]
    total: Line


def report(
    store: Store,
    by: Sequence[str],
    wanted: Wanted,
    step: Callable[[int], None] = lambda _: None,
) -> Report:
    """What the wanted requests used, by each of `by` (see KEYS). `step` is told of rows read.

    Raises StoreError.
    """
    fields = [key for key in by if key in FIELDS]
    lines: dict[tuple[str, ...], Line] = {}
    total = Line()
    keys_of = _keys(by, fields)
    for rows in read(store, wanted, (*_READ, *fields)):
        for row in rows:
            own, known = row[: len(_READ)], row[len(_READ) :]
            key = keys_of(own[0], known)
            if (line := lines.get(key)) is None:
                line = lines[key] = Line()
            line.add(own)
            total.add(own)
        step(len(rows))
    return Report(tuple(by), _ordered(by, lines.items()), total)


class Used(NamedTuple):
    """What one caller used; tokens and USD where they are known."""

    requests: int
    refused: int
    failed: int
    cache_hits: int
    input: int
    output: int
    cached: int
    reasoning: int
    cost: float
    savings: float


def used(store: Store, wanted: Wanted) -> Used:
    """The sums over the wanted rows, added up by the database. Raises StoreError."""
    condition, values = wanted.condition()
    failed = "outcome NOT IN ('ok', 'client-gone')"
    sums = ", ".join(f"COALESCE(SUM({name}), 0)" for name in Used._fields[4:])
    text = (
        "SELECT COUNT(*), "  # noqa: S608 - names of ours
        f"COALESCE(SUM(CASE WHEN {failed} AND attempts = 0 THEN 1 ELSE 0 END), 0), "
        f"COALESCE(SUM(CASE WHEN {failed} AND attempts > 0 THEN 1 ELSE 0 END), 0), "
        f"COALESCE(SUM(CASE WHEN cache = 'hit' THEN 1 ELSE 0 END), 0), {sums} "
        f"FROM requests WHERE {condition}"
    )
    *counts, cost, savings = store.query(text, values)[0]
    return Used._make([*map(int, counts), round(float(cost), 9), round(float(savings), 9)])


def _keys(
    by: Sequence[str], fields: Sequence[str]
) -> Callable[[float, Sequence[Any]], tuple[str, ...]]:
    def keys(time: float, known: Sequence[Any]) -> tuple[str, ...]:
        values = iter(known)
        return tuple(
            [_moment(time, key) if key in TIMES else _word(key, next(values)) for key in by]
        )

    return keys


def _word(key: str, value: Any) -> str:
    if key == "stream":
        return _TRUTH[value]
    return "-" if value is None else str(value)


def _moment(time: float, key: str) -> str:
    return dt.datetime.fromtimestamp(time, dt.UTC).strftime(TIMES[key])


def _ordered(
    by: Sequence[str], lines: Iterable[tuple[tuple[str, ...], Line]]
) -> list[tuple[tuple[str, ...], Line]]:
    times = [place for place, key in enumerate(by) if key in TIMES]

    def rank(entry: tuple[tuple[str, ...], Line]) -> tuple[Any, ...]:
        key, line = entry
        return (*[key[place] for place in times], -line.cost, -line.requests, key)

    return sorted(lines, key=rank)
