"""Signs of life for a silent stream: one timer per stream, re-armed only when it fires."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    """Calls `beat` after `first` seconds of silence, then after every further `interval`.

    Whoever writes notes the time of it in `last`, and no more: the timer looks when it fires.
    """

    __slots__ = ("_beat", "_interval", "_loop", "_timer", "last")

    def __init__(self, first: float, interval: float, beat: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._beat = beat
        self._interval = interval
        self.last = self._loop.time() + first - interval
        self._timer = self._loop.call_later(first, self._fire)

    def stop(self) -> None:
        """No more beats."""
        self._timer.cancel()

    def _fire(self) -> None:
        now = self._loop.time()
        if now - self.last >= self._interval:
            self.last = now
            self._beat()
        self._timer = self._loop.call_at(self.last + self._interval, self._fire)
