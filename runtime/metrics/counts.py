"""Counts every request by its record, once, at its end: a few additions, and nothing per event.

Metrics that have the same labels share a cell, so that a request costs few look-ups.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import Final

from runtime.metrics.families import PER_SECOND, SECONDS
from runtime.metrics.samples import Labels, Samples, Value, add
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

_Cells = dict[Labels, list[float]]


def _tokens() -> list[float]:
    return [0, 0, 0, 0, 0]


def _times() -> list[float]:
    return [0.0] * (len(_MS) + 2)


def _speeds() -> list[float]:
    return [0.0] * (len(_RATES) + 2)


class Counts:
    """The recorder of one worker. A name that a record lacks is an empty label."""

    def __init__(self) -> None:
        self._plain: dict[str, defaultdict[Labels, float]] = {
            name: defaultdict(float) for name in _PLAIN
        }
        plain = self._plain
        self._requests = plain["interlock_requests_total"]
        self._clients = plain["interlock_client_requests_total"]
        self._attempts = plain["interlock_attempts_total"]
        self._cost = plain["interlock_cost_usd_total"]
        self._tokens: _Cells = defaultdict(_tokens)
        self._seconds: _Cells = defaultdict(_times)
        self._first_byte: _Cells = defaultdict(_times)
        self._heads: _Cells = defaultdict(_times)
        self._speeds: _Cells = defaultdict(_speeds)

    def take(self, record: Record) -> None:
        """Counts one request."""
        surface, outcome = record.surface, record.outcome
        status = _STATUS[record.status // 100]
        if record.kind != _REQUEST:
            self._plain["interlock_other_calls_total"][record.kind, surface, status] += 1
            return
        group, target = record.group or "", record.target or ""
        self._requests[group, surface, target, status, outcome] += 1
        self._clients[record.client or "", surface, outcome] += 1
        if outcome == _ANSWERED:
            self._time(record, (group, surface, _STREAM[record.stream]))
        for attempt in record.attempts:
            kind = attempt.kind or _ANSWERED
            self._attempts[attempt.target, attempt.provider, kind] += 1
            if (head := attempt.head) is not None:
                cell = self._heads[attempt.target, attempt.provider]
                cell[0] += head
                cell[bisect_left(_MS, head) + 1] += 1
        if record.input is not None or record.output is not None:
            self._use(record, group, target)
        if record.code is not None or record.cache is not None or record.phase is not None:
            self._note(record, group)
        if len(record.attempts) > 1 and record.attempts[0].target != target:
            self._plain["interlock_fallbacks_total"][group, target, outcome] += 1

    def samples(self) -> Samples:
        """All there is, as the catalogue names it; in any thread."""
        found: Samples = {}
        for name, plain in self._plain.items():
            for labels, number in list(plain.items()):
                add(found, name, labels, number)
        for (group, target), cell in list(self._tokens.items()):
            for kind, value in zip(_TOKENS, cell, strict=True):
                if value:
                    add(found, "interlock_tokens_total", (group, target, kind), value)
        for name, cells in (
            ("interlock_request_seconds", self._seconds),
            ("interlock_first_byte_seconds", self._first_byte),
            ("interlock_attempt_head_seconds", self._heads),
        ):
            for labels, cell in list(cells.items()):
                seconds: Value = [cell[0] / 1000, *cell[1:]]
                add(found, name, labels, seconds)
        for labels, cell in list(self._speeds.items()):
            add(found, "interlock_output_tokens_per_second", labels, cell)
        return found

    def _time(self, record: Record, labels: Labels) -> None:
        ms = record.ms
        cell = self._seconds[labels]
        cell[0] += ms
        cell[bisect_left(_MS, ms) + 1] += 1
        if (first := record.first_byte) is None:
            return
        cell = self._first_byte[labels]
        cell[0] += first
        cell[bisect_left(_MS, first) + 1] += 1
        output, took = record.output or 0, ms - first
        if record.stream and output >= _LEAST_TOKENS and took >= _LEAST_MS:
            rate = output * 1000 / took
            cell = self._speeds[record.target or "",]
            cell[0] += rate
            cell[bisect_left(_RATES, rate) + 1] += 1

    def _use(self, record: Record, group: str, target: str) -> None:
        cell = self._tokens[group, target]
        cell[0] += record.input or 0
        cell[1] += record.output or 0
        cell[2] += record.cached or 0
        cell[3] += record.cache_write or 0
        cell[4] += record.reasoning or 0
        project = record.project or ""
        if (usd := record.cost) is not None:
            self._cost[group, target, project] += usd
        if (usual := record.cost_baseline) is not None and record.savings is not None:
            plain = self._plain
            plain["interlock_baseline_cost_usd_total"][group, project] += usual
            plain["interlock_compared_cost_usd_total"][group, project] += usual - record.savings

    def _note(self, record: Record, group: str) -> None:
        """What only some requests have."""
        plain = self._plain
        if (code := record.code) is not None:
            plain["interlock_request_errors_total"][group, record.surface, code] += 1
            if code in _REFUSED:
                plain["interlock_limits_refused_total"][code, record.project or ""] += 1
        if record.cache is not None:
            plain["interlock_cache_total"][group, record.cache] += 1
        if record.phase is not None:
            plain["interlock_phase_requests_total"][group, record.phase] += 1


_PLAIN: Final = (
    "interlock_requests_total",
    "interlock_request_errors_total",
    "interlock_client_requests_total",
    "interlock_phase_requests_total",
    "interlock_other_calls_total",
    "interlock_attempts_total",
    "interlock_fallbacks_total",
    "interlock_cost_usd_total",
    "interlock_baseline_cost_usd_total",
    "interlock_compared_cost_usd_total",
    "interlock_limits_refused_total",
    "interlock_cache_total",
)
