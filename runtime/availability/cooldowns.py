"""When a failing target rests, for how long, and how it comes back.

Only targets that have failed since their last success are remembered. It knows targets by id
alone, so that what it knows holds on over a reload.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import random
from typing import Final

from runtime import log
from runtime.errors import UpstreamError
from runtime.vocabulary import Provider

_JITTER: Final = 0.2
# Failures that speak against a target when they come in a row; others are about one request.
_SPEAK_AGAINST: Final = frozenset(
    {"connect", "timeout", "server", "overloaded", "rate-limited", "invalid", "interrupted"}
)


class _Health:
    """A target that has failed. `since` and `until` are the ends of its rest."""

    __slots__ = ("failures", "probed", "resting", "rests", "since", "until")

    def __init__(self) -> None:
        self.failures = 0  # in a row
        self.rests = 0  # in a row
        self.resting = False
        self.since = 0.0
        self.until = 0.0
        self.probed = False  # a request is finding out whether the rest may end


class Cooldowns:
    """The targets of one worker that fail; where none is `troubled` nothing needs to be asked.

    `clock` must not run backwards; `draw` gives numbers from 0 to 1 for the jitter.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, draw: Callable[[], float] = random
    ) -> None:
        self.clock = clock
        self.draw = draw
        self.troubled: dict[str, _Health] = {}

    def rests(self, target: str) -> bool:
        """Whether a target is not to be asked now: it rests, or another request is its probe."""
        health = self.troubled.get(target)
        return (
            health is not None and health.resting and (health.probed or health.until > self.clock())
        )

    def ends(self, target: str) -> float:
        """When the rest of a target is over, by the clock."""
        health = self.troubled.get(target)
        return health.until if health is not None and health.resting else self.clock()

    def left(self) -> dict[str, float]:
        """The seconds each resting target has before it; 0 for those that wait for their probe."""
        now = self.clock()
        return {
            target: max(0.0, health.until - now)
            for target, health in self.troubled.items()
            if health.resting
        }

    def begun(self, target: str) -> bool:
        """A target is asked. Whether that is the probe after its rest; `unprobed` must follow."""
        health = self.troubled.get(target)
        if health is None or not health.resting or health.probed or health.until > self.clock():
            return False
        health.probed = True
        return True

    def unprobed(self, target: str) -> None:
        """The probe is over, whatever came of it."""
        if (health := self.troubled.get(target)) is not None:
            health.probed = False

    def woke(self, target: str, provider_id: str, began: float) -> None:
        """A target has sent content to a request that began then: its rest is over."""
        health = self.troubled.get(target)
        if health is None or not health.resting or began < health.since:
            return
        health.resting = False
        health.failures = 0
        seconds = round(self.clock() - health.since, 1)
        log.log("info", "target-recovered", target=target, provider=provider_id, seconds=seconds)

    def answered(self, target: str, provider_id: str, began: float) -> None:
        """A target has answered in full; an answer from before its rest says nothing about now."""
        health = self.troubled.get(target)
        if health is not None and began >= health.since:
            self.woke(target, provider_id, began)
            del self.troubled[target]

    def failed(
        self,
        target: str,
        provider_id: str,
        provider: Provider,
        failure: UpstreamError,
        began: float,
    ) -> None:
        """A target has failed a request that began then."""
        told = self._told(provider, failure)
        if told is None and failure.kind not in _SPEAK_AGAINST:
            return
        health = self.troubled.get(target)
        if health is None:
            health = self.troubled[target] = _Health()
        now = self.clock()
        if told is not None:
            seconds = told
        elif began < health.since or (health.resting and now < health.until):
            return  # it rests because of this
        else:
            health.failures += 1
            if not health.resting and health.failures < provider.cooldown.failures:
                return
            seconds = self._grown(provider, health.rests)
        news = not health.resting or now >= health.until
        health.until = max(health.until, now + seconds)
        if news:
            health.resting, health.since = True, now
            health.rests += 1
            log.log(
                "warning",
                "target-cooling-down",
                target=target,
                provider=provider_id,
                kind=failure.kind,
                count=health.failures or None,
                seconds=round(seconds, 1),
            )

    def _told(self, provider: Provider, failure: UpstreamError) -> float | None:
        """The rest of a target that tells by itself how long it will fail."""
        if failure.kind == "auth":  # until somebody changes a key or pays
            return self._jittered(provider.cooldown.max)
        if failure.kind == "rate-limited" and failure.wait is not None:
            # Never shorter than told; and not all workers at the same moment.
            return failure.wait * (1 + _JITTER * self.draw())
        return None

    def _grown(self, provider: Provider, rests: int) -> float:
        base, most = provider.cooldown.base, provider.cooldown.max
        return self._jittered(min(base * 2 ** min(rests, 32), most))

    def _jittered(self, seconds: float) -> float:
        return seconds * (1 + _JITTER * (2 * self.draw() - 1))
