"""The candidates of one request, one after the other, and what the request holds meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runtime.availability.availability import FULL, Availability
from runtime.errors import UpstreamError
from runtime.selection import Candidate
from runtime.vocabulary import Provider

# Seconds a caller waits here for a rate limit to open, and what is added lest all come at once.
_LONGEST_WAIT: Final = 5.0
_BACKOFF: Final = (0.05, 0.5)


class Turns:
    """One request at the upstreams, until it is closed.

    `next` opens an attempt; `failed` or `answered` ends it, and `close` does where the request ends
    in any other way. `skipped` holds who was passed over and not asked since, as "target:reason".
    """

    __slots__ = (
        "_again",
        "_attempts",
        "_availability",
        "_began",
        "_candidate",
        "_left",
        "_made",
        "_probes",
        "_providers",
        "_retries",
        "_skipped",
        "skipped",
    )

    def __init__(
        self,
        availability: Availability,
        order: tuple[Candidate, ...],
        providers: Mapping[str, Provider],
        attempts: int,
    ) -> None:
        self._availability = availability
        self._providers = providers
        self._left = order
        self._attempts = attempts
        self._made = 0
        self._candidate: Candidate | None = None  # the one that is being asked
        self._began = 0.0
        self._probes = False
        self._retries = False
        self._again = True
        self._skipped: dict[str, str] = {}
        self.skipped: tuple[str, ...] = ()
        availability.requests += 1

    def close(self) -> None:
        """The request is over, whatever came of it."""
        if self._candidate is not None:
            self._end()
        if self._retries:
            self._free_retry()
        self._availability.requests -= 1

    def next(self) -> Candidate | None:
        """The candidate to ask now.

        None where there is none left, or none beyond the first may be tried. As long as nobody was
        asked, resting is no reason to give up: then it is who rests the shortest.
        """
        if self._made and not self._may_try():
            return None
        room, providers = self._availability, self._providers
        for candidate in self._left:
            reason = room.reason(candidate, providers)
            if reason is None:
                return self._ask(candidate)
            self._skipped[candidate.target_id] = reason
        soonest = None if self._made else room.soonest(self._left, providers)
        if soonest is None:
            self._tell_skipped()
            return None
        return self._ask(soonest)

    def committed(self) -> None:
        """The first content is here: the target works, and this is no attempt any more."""
        candidate, cooldowns = self._candidate, self._availability.cooldowns
        if cooldowns.troubled and candidate is not None:
            cooldowns.woke(candidate.target_id, candidate.target.provider, self._began)
            self._end_probe(candidate)
        if self._retries:
            self._free_retry()

    def answered(self) -> None:
        """The candidate has answered in full."""
        candidate, cooldowns = self._candidate, self._availability.cooldowns
        if cooldowns.troubled and candidate is not None:
            cooldowns.answered(candidate.target_id, candidate.target.provider, self._began)
        self._end()

    def failed(self, failure: UpstreamError) -> None:
        """The candidate has failed."""
        if (candidate := self._candidate) is not None:
            provider_id = candidate.target.provider
            self._availability.cooldowns.failed(
                candidate.target_id,
                provider_id,
                self._providers[provider_id],
                failure,
                self._began,
            )
            self._left = tuple([other for other in self._left if other is not candidate])
        self._end()

    def pause(self, failure: UpstreamError, left: float) -> float | None:
        """How long to wait before the candidate that just failed is asked `again`.

        That is worth it once, for a rate limit that opens soon by its own words, and not where the
        `left` seconds end before it. None: not worth it.
        """
        wait = failure.wait if failure.kind == "rate-limited" else None
        if wait is None or wait > _LONGEST_WAIT or not self._again:
            return None
        least, most = _BACKOFF
        wait += least + (most - least) * self._availability.draw()
        if wait >= left or not self._may_try():
            return None
        self._again = False
        return wait

    def again(self, candidate: Candidate) -> Candidate | None:
        """The same candidate once more, rested or not; None where its provider is full by now."""
        if self._availability.reason(candidate, self._providers) == FULL:
            return None
        return self._ask(candidate)

    def _may_try(self) -> bool:
        """Whether the group and the budget allow one more attempt; takes a part of the budget."""
        if self._made >= self._attempts:
            return False
        if not self._retries:
            self._retries = self._availability.take_retry()
        return self._retries

    def _ask(self, candidate: Candidate) -> Candidate:
        room = self._availability
        self._made += 1
        self._candidate = candidate
        self._began = room.clock()
        if self._skipped:
            self._skipped.pop(candidate.target_id, None)
            self._tell_skipped()
        if room.cooldowns.troubled:
            self._probes = room.cooldowns.begun(candidate.target_id)
        room.in_flight[candidate.target.provider] += 1
        return candidate

    def _tell_skipped(self) -> None:
        self.skipped = tuple([f"{target}:{reason}" for target, reason in self._skipped.items()])

    def _end(self) -> None:
        if (candidate := self._candidate) is not None:
            self._candidate = None
            if self._probes:
                self._end_probe(candidate)
            self._availability.in_flight[candidate.target.provider] -= 1

    def _end_probe(self, candidate: Candidate) -> None:
        if self._probes:
            self._probes = False
            self._availability.cooldowns.unprobed(candidate.target_id)

    def _free_retry(self) -> None:
        self._retries = False
        self._availability.free_retry()
