"""What is counted in this process: a sliding minute, requests at once, a day, a month.

Gauges know no limit and no caller. The minute is read off the monotonic clock, so that a changed
wall clock neither empties nor fills it; days and months are UTC.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

MINUTE = 60.0
_WIDTH = 1.0  # seconds of requests that a bucket holds together
_DAY = 86400
_PERIODS = 4  # kept, for a clock that is set back finds what it counted then

Mark = Any  # where an amount was counted, so that some of it can be taken back


class Gauge(Protocol):
    """`mono` is the monotonic clock, `utc` Unix time; both in seconds."""

    def level(self, mono: float, utc: float) -> int:
        """What counts now."""

    def add(self, mono: float, utc: float, amount: int) -> Mark:
        """Counts an amount."""

    def settle(self, mono: float, utc: float, mark: Mark, change: int) -> None:
        """More counts now; less is taken back where it was counted, if that still counts."""

    def opens(self, mono: float, utc: float, excess: int) -> float:
        """Seconds until `excess` less counts; with 0, until anything does. Asked after `level`."""

    def put(self, mono: float, utc: float, level: int) -> None:
        """Forgets what was counted: this much counts now."""


class _Bucket:
    __slots__ = ("amount", "first", "last", "live")

    def __init__(self, now: float, amount: int) -> None:
        self.first = self.last = now
        self.amount = amount
        self.live = True


class Window:
    """The last sixty seconds, in at most 61 buckets.

    A bucket counts until its youngest request is a minute old: never less than was there in any
    minute counts, and no request counts longer than 61 seconds.
    """

    __slots__ = ("_buckets", "_level")

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque()
        self._level = 0

    def level(self, mono: float, utc: float) -> int:
        buckets = self._buckets
        while buckets and buckets[0].last <= mono - MINUTE:
            old = buckets.popleft()
            old.live = False
            self._level -= old.amount
        return self._level

    def add(self, mono: float, utc: float, amount: int) -> Mark:
        buckets = self._buckets
        self._level += amount
        if buckets and mono - (last := buckets[-1]).first < _WIDTH:
            last.amount += amount
            last.last = mono
            return last
        bucket = _Bucket(mono, amount)
        buckets.append(bucket)
        return bucket

    def settle(self, mono: float, utc: float, mark: Mark, change: int) -> None:
        if change > 0:
            self.add(mono, utc, change)
        elif mark.live:
            mark.amount += change
            self._level += change

    def opens(self, mono: float, utc: float, excess: int) -> float:
        if self._level <= 0:
            return 0.0
        freed = 0
        for bucket in self._buckets:
            freed += bucket.amount
            if freed >= excess and bucket.amount > 0:
                return bucket.last + MINUTE - mono
        return MINUTE

    def put(self, mono: float, utc: float, level: int) -> None:
        for bucket in self._buckets:
            bucket.live = False
        self._buckets.clear()
        self._level = 0
        if level > 0:
            self.add(mono, utc, level)


class Slots:
    """Requests at once, which are `taken`: no clock changes that."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        self.taken = 0

    def level(self, mono: float, utc: float) -> int:
        return self.taken

    def add(self, mono: float, utc: float, amount: int) -> Mark:
        self.taken += amount
        return None

    def settle(self, mono: float, utc: float, mark: Mark, change: int) -> None:
        self.taken += change

    def opens(self, mono: float, utc: float, excess: int) -> float:
        """Nobody knows when a request ends; a second is soon enough to ask again."""
        return 1.0 if excess else 0.0

    def put(self, mono: float, utc: float, level: int) -> None:
        """Nothing: what runs in this process is known best here."""


class Budget:
    """A calendar day or month."""

    __slots__ = ("_begin", "_bounds", "_counts", "_end")

    def __init__(self, bounds: Callable[[float], tuple[int, int]]) -> None:
        self._bounds = bounds
        self._begin = self._end = 0
        self._counts: dict[int, int] = {0: 0}

    def level(self, mono: float, utc: float) -> int:
        if not self._begin <= utc < self._end:
            self._turn(utc)
        return self._counts[self._begin]

    def add(self, mono: float, utc: float, amount: int) -> Mark:
        if not self._begin <= utc < self._end:
            self._turn(utc)
        self._counts[self._begin] += amount
        return self._begin

    def settle(self, mono: float, utc: float, mark: Mark, change: int) -> None:
        if change > 0:
            self.add(mono, utc, change)
        elif mark in self._counts:
            self._counts[mark] += change

    def opens(self, mono: float, utc: float, excess: int) -> float:
        return self._end - utc

    def put(self, mono: float, utc: float, level: int) -> None:
        self.level(mono, utc)
        self._counts[self._begin] = level

    def _turn(self, utc: float) -> None:
        self._begin, self._end = self._bounds(utc)
        self._counts.setdefault(self._begin, 0)
        others = sorted(self._counts.keys() - {self._begin})
        for begin in others[: max(len(self._counts) - _PERIODS, 0)]:
            del self._counts[begin]


def day(utc: float) -> tuple[int, int]:
    """Begin and end of the UTC day, in Unix seconds."""
    begin = int(utc // _DAY) * _DAY
    return begin, begin + _DAY


def month(utc: float) -> tuple[int, int]:
    """Begin and end of the UTC month, in Unix seconds."""
    now = dt.datetime.fromtimestamp(utc, dt.UTC)
    begin = dt.datetime(now.year, now.month, 1, tzinfo=dt.UTC)
    end = dt.datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=dt.UTC)
    return int(begin.timestamp()), int(end.timestamp())
