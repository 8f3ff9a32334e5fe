"""What all requests of one worker share: resting targets, places at providers, the retry budget."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import random
from typing import Final, NamedTuple

from runtime.availability.cooldowns import Cooldowns
from runtime.selection import Candidate
from runtime.vocabulary import Provider

COOLING: Final = "cooling-down"
FULL: Final = "provider-full"

# So many requests may be at a further attempt at once, and this part of all where that is more.
_LEAST_RETRIES: Final = 3
_RETRIES: Final = 0.2


class Snapshot(NamedTuple):
    """How things stand in this worker.

    `cooling` has the seconds left of each resting target (0: it waits for its probe), `in_flight`
    the requests open at each provider that was asked yet, `retrying` those of `requests` that are
    at a further attempt; `denied` counts the further attempts for which there was no leave.
    """

    cooling: dict[str, float]
    in_flight: dict[str, int]
    requests: int
    retrying: int
    denied: int


class View(NamedTuple):
    """The candidates a request would be sent to now, in order, and why others are passed over."""

    ready: tuple[Candidate, ...]
    skipped: tuple[tuple[str, str], ...]


class Availability:
    """One per worker. Names are ids of targets and providers, so that a reload changes nothing.

    `workers` share each provider's `max_in_flight`.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random,
        *,
        workers: int = 1,
    ) -> None:
        self.clock = clock
        self.draw = draw
        self.cooldowns = Cooldowns(clock, draw)
        self.requests = 0
        self.retrying = 0
        self.denied = 0
        self._workers = workers
        # open requests by provider
        self.in_flight: defaultdict[str, int] = defaultdict(int)

    def snapshot(self) -> Snapshot:
        """For metrics: how things stand."""
        return Snapshot(
            self.cooldowns.left(),
            dict(self.in_flight),
            self.requests,
            self.retrying,
            self.denied,
        )

    def view(self, order: Sequence[Candidate], providers: Mapping[str, Provider]) -> View:
        """What a request with this plan would meet now; takes nothing."""
        reasons = [(candidate, self.reason(candidate, providers)) for candidate in order]
        ready = tuple(candidate for candidate, reason in reasons if reason is None)
        if not ready and (last := self.soonest(order, providers)) is not None:
            ready = (last,)
        skipped = tuple(
            (candidate.target_id, reason)
            for candidate, reason in reasons
            if reason is not None and candidate not in ready
        )
        return View(ready, skipped)

    def reason(self, candidate: Candidate, providers: Mapping[str, Provider]) -> str | None:
        """Why a candidate is passed over now; None: it can be asked."""
        provider_id = candidate.target.provider
        limit = providers[provider_id].max_in_flight
        if limit is not None and self.in_flight[provider_id] >= -(-limit // self._workers):
            return FULL
        cooldowns = self.cooldowns
        if cooldowns.troubled and cooldowns.rests(candidate.target_id):
            return COOLING
        return None

    def soonest(
        self, candidates: Iterable[Candidate], providers: Mapping[str, Provider]
    ) -> Candidate | None:
        """Of candidates that all rest the one whose rest ends first; None where all are full."""
        free = [c for c in candidates if self.reason(c, providers) != FULL]
        return min(free, key=lambda c: self.cooldowns.ends(c.target_id), default=None)

    def take_retry(self) -> bool:
        """Leave for a further attempt, or for waiting before it; False: too many are at theirs."""
        if self.retrying >= max(_LEAST_RETRIES, int(self.requests * _RETRIES)):
            self.denied += 1
            return False
        self.retrying += 1
        return True

    def free_retry(self) -> None:
        """The further attempt has led to content, or is over."""
        self.retrying -= 1
