"""Counts every request by its record, once, at its end, and nothing per event.

Records wait until there are some, for it takes less to add up several in one go than each between
other work. Those that are alike in all their words have the same cells, found by one look-up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Final

import msgspec

from runtime.metrics.families import FAMILIES, PER_SECOND, SECONDS
from runtime.metrics.samples import Labels, Samples, add
from runtime.records.record import Record

# Of requests over these the seconds are known in whole: they were answered.
_ANSWERED: Final = "ok"
_REQUEST: Final = "request"
_REFUSED: Final = frozenset(
    {"rpm-exceeded", "tpm-exceeded", "concurrency-exceeded", "budget-exceeded"}
)
_TOKENS: Final = ("input", "output", "cached", "cache_write", "reasoning")
_STATUS: Final = ("", "1xx", "2xx", "3xx", "4xx", *("5xx",) * 5)
_STREAM: Final = ("false", "true")
# the edges of buckets in what records hold
_MS: Final = [second * 1000 for second in SECONDS]
_RATES: Final = list(PER_SECOND)
# Fewer tokens, or a shorter time, say nothing about the speed of a model.
_LEAST_TOKENS: Final = 16
_LEAST_MS: Final = 50.0
_WAITING: Final = 128  # records at most, for they stay in memory
_TALLIES: Final = 4096  # at most; those of a busy router are soon known again

# The number of a counter; the sum and the buckets of a histogram; or all kinds of tokens.
Cell = list[float]
Words = tuple[str | int | None, ...]


class _Tally(msgspec.Struct):
    """The cells of requests that are alike: each adds one to all of `ones`."""

    ones: tuple[Cell, ...]
    seconds: Cell
    first_byte: Cell
    tokens: Cell
    cost: Cell | None = None  # from the first on that has a price


class _Tried(msgspec.Struct):
    """The cells of attempts that are alike."""

    number: Cell
    heads: Cell


class Counts:
    """The recorder of one worker. A name that a record lacks is an empty label."""

    def __init__(self) -> None:
        self._waiting: list[Record] = []
        self._cells: dict[str, defaultdict[Labels, Cell]] = {
            name: defaultdict(partial(_zeros, size)) for name, size in _SIZES.items()
        }
        self._tallies: dict[Words, _Tally] = {}
        self._tried: dict[Words, _Tried] = {}

    def take(self, record: Record) -> None:
        """Counts one request."""
        waiting = self._waiting
        waiting.append(record)
        if len(waiting) == _WAITING:
            self.fold()

    def fold(self) -> None:
        """Adds up what waits; in the thread that takes."""
        waiting, self._waiting = self._waiting, []
        for record in waiting:
            if record.kind == _REQUEST:
                self._count(record)
            else:
                labels = record.kind, record.surface, _STATUS[record.status // 100]
                self._cells["interlock_other_calls_total"][labels][0] += 1

    def samples(self) -> Samples:
        """All that was added up, as the catalogue names it; in any thread."""
        found: Samples = {}
        for name, cells in self._cells.items():
            unit = _UNITS.get(name)
            for labels, cell in list(cells.items()):
                if name == _OF_TOKENS:
                    for kind, tokens in zip(_TOKENS, cell, strict=True):
                        if tokens:
                            add(found, name, (*labels, kind), tokens)
                elif unit is None:
                    add(found, name, labels, cell[0])
                elif any(cell):  # a tally has cells for what there never was
                    add(found, name, labels, [cell[0] / unit, *cell[1:]])
        return found

    def _count(self, record: Record) -> None:
        words = (
            record.group,
            record.surface,
            record.target,
            record.project,
            record.client,
            record.stream,
            record.phase,
            record.cache,
            record.status,
            record.outcome,
            record.code,
        )
        tally = self._tallies.get(words) or self._tally(words, record)
        for cell in tally.ones:
            cell[0] += 1
        if record.outcome == _ANSWERED:
            self._time(record, tally)
        attempts = record.attempts
        for attempt in attempts:
            tried = attempt.target, attempt.provider, attempt.kind
            cells = self._tried.get(tried) or self._attempted(*tried)
            cells.number[0] += 1
            if (head := attempt.head) is not None:
                cells.heads[0] += head
                cells.heads[bisect_left(_MS, head) + 1] += 1
        if record.input is not None or record.output is not None:
            self._use(record, tally)
        if len(attempts) > 1 and attempts[0].target != record.target:
            labels = record.group or "", record.target or "", record.outcome
            self._cells["interlock_fallbacks_total"][labels][0] += 1

    def _time(self, record: Record, tally: _Tally) -> None:
        ms, cell = record.ms, tally.seconds
        cell[0] += ms
        cell[bisect_left(_MS, ms) + 1] += 1
        if (first := record.first_byte) is None:
            return
        cell = tally.first_byte
        cell[0] += first
        cell[bisect_left(_MS, first) + 1] += 1
        output, took = record.output or 0, ms - first
        if record.stream and output >= _LEAST_TOKENS and took >= _LEAST_MS:
            rate = output * 1000 / took
            cell = self._cells["interlock_output_tokens_per_second"][record.target or "",]
            cell[0] += rate
            cell[bisect_left(_RATES, rate) + 1] += 1

    def _use(self, record: Record, tally: _Tally) -> None:
        cell = tally.tokens
        cell[0] += record.input or 0
        cell[1] += record.output or 0
        cell[2] += record.cached or 0
        cell[3] += record.cache_write or 0
        cell[4] += record.reasoning or 0
        if (usd := record.cost) is not None:
            if (paid := tally.cost) is None:
                labels = record.group or "", record.target or "", record.project or ""
                paid = tally.cost = self._cells["interlock_cost_usd_total"][labels]
            paid[0] += usd
        if (usual := record.cost_baseline) is not None and record.savings is not None:
            whose = record.group or "", record.project or ""
            self._cells["interlock_baseline_cost_usd_total"][whose][0] += usual
            self._cells["interlock_compared_cost_usd_total"][whose][0] += usual - record.savings

    def _tally(self, words: Words, record: Record) -> _Tally:
        """The cells of all requests with these words."""
        if len(self._tallies) == _TALLIES:
            self._tallies.clear()
        cells, group = self._cells, record.group or ""
        route = group, record.surface, _STREAM[record.stream]
        tally = self._tallies[words] = _Tally(
            ones=tuple([cells[name][labels] for name, labels in _ones(record)]),
            seconds=cells["interlock_request_seconds"][route],
            first_byte=cells["interlock_first_byte_seconds"][route],
            tokens=cells[_OF_TOKENS][group, record.target or ""],
        )
        return tally

    def _attempted(self, target: str, provider: str, kind: str | None) -> _Tried:
        """The cells of all attempts with these words."""
        cells = self._cells
        tried = self._tried[target, provider, kind] = _Tried(
            number=cells["interlock_attempts_total"][target, provider, kind or _ANSWERED],
            heads=cells["interlock_attempt_head_seconds"][target, provider],
        )
        return tried


def _zeros(size: int) -> Cell:
    return [0.0] * size


def _ones(record: Record) -> Iterator[tuple[str, Labels]]:
    """What a request adds one to: a metric, and its labels."""
    group, surface, outcome = record.group or "", record.surface, record.outcome
    status = _STATUS[record.status // 100]
    yield "interlock_requests_total", (group, surface, record.target or "", status, outcome)
    yield "interlock_client_requests_total", (record.client or "", surface, outcome)
    if (code := record.code) is not None:
        yield "interlock_request_errors_total", (group, surface, code)
        if code in _REFUSED:
            yield "interlock_limits_refused_total", (code, record.project or "")
    if record.cache is not None:
        yield "interlock_cache_total", (group, record.cache)
    if record.phase is not None:
        yield "interlock_phase_requests_total", (group, record.phase)


_OF_TOKENS: Final = "interlock_tokens_total"
# Histograms, and how much of what records hold is one of their unit.
_UNITS: Final = {
    "interlock_request_seconds": 1000,
    "interlock_first_byte_seconds": 1000,
    "interlock_attempt_head_seconds": 1000,
    "interlock_output_tokens_per_second": 1,
}
# How many numbers a cell has.
_SIZES: Final = {
    "interlock_requests_total": 1,
    "interlock_request_errors_total": 1,
    "interlock_client_requests_total": 1,
    "interlock_phase_requests_total": 1,
    "interlock_other_calls_total": 1,
    "interlock_attempts_total": 1,
    "interlock_fallbacks_total": 1,
    _OF_TOKENS: len(_TOKENS),
    "interlock_cost_usd_total": 1,
    "interlock_baseline_cost_usd_total": 1,
    "interlock_compared_cost_usd_total": 1,
    "interlock_limits_refused_total": 1,
    "interlock_cache_total": 1,
    **{name: 2 + len(FAMILIES[name].buckets) for name in _UNITS},
}
