"""Signs of life for a silent stream: one timer per stream, re-armed only when it fires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    """Calls `beat` after `first` seconds of silence, then after every further `interval`.

    `touch` is called for each write and costs an assignment: the timer looks at it when it fires.
    """

    __slots__ = ("_beat", "_interval", "_last", "_loop", "_timer")

    def __init__(self, first: float, interval: float, beat: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._beat = beat
        self._interval = interval
        self._last = self._loop.time() + first - interval
        self._timer = self._loop.call_later(first, self._fire)

    def touch(self) -> None:
        """Something was just written."""
        self._last = self._loop.time()

    def stop(self) -> None:
        """No more beats."""
        self._timer.cancel()

    def _fire(self) -> None:
        now = self._loop.time()
        if now - self._last >= self._interval:
            self._last = now
            self._beat()
        self._timer = self._loop.call_at(self._last + self._interval, self._fire)
