"""Targets, a clock that a test moves, and failures, built by hand."""

from __future__ import annotations

from contextlib import closing

from runtime import failures
from runtime.availability import Availability, Turns
from runtime.errors import UpstreamError
from runtime.selection import Candidate
from runtime.vocabulary import STREAM, Cooldown, Provider, Route, Skin, Target

BASE, MOST = 30.0, 300.0


class Clock:
    """Seconds since some moment; they pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


class World:
    """One worker. `draw` is what the jitter draws: 0.5 is none, for a rest that grows."""

    def __init__(self, draw: float = 0.5, *, workers: int = 1, **providers: Provider) -> None:
        self.clock = Clock()
        self.drawn = draw
        self.availability = Availability(self.clock, lambda: self.drawn, workers=workers)
        self.providers = {"p": provider(), **providers}

    def request(self, *order: str, attempts: int = 3) -> Turns:
        """A request with these targets for a plan; it is to be closed."""
        candidates = tuple(candidate(name) for name in order)
        return Turns(self.availability, candidates, self.providers, attempts)

    def turns(self, *order: str, attempts: int = 3) -> closing[Turns]:
        """The same for the time of a block."""
        return closing(self.request(*order, attempts=attempts))

    def fail(self, target: str, failure: UpstreamError | None = None, times: int = 1) -> None:
        """So many requests at this target alone fail, one after the other."""
        for _ in range(times):
            with self.turns(target) as turns:
                assert turns.next() is not None
                turns.failed(failure or server())

    def answer(self, target: str) -> None:
        """A request at this target alone is answered."""
        with self.turns(target) as turns:
            assert turns.next() is not None
            turns.answered()

    def first(self, *order: str) -> str | None:
        """Who a request with this plan would be sent to now; nothing is taken."""
        view = self.availability.view([candidate(name) for name in order], self.providers)
        return view.ready[0].target_id if view.ready else None

    def rests(self, target: str) -> bool:
        """Whether a target is passed over where there is another."""
        return self.first(target, "another") == "another"


def provider(failures: int = 3, **more: object) -> Provider:
    """A provider whose targets rest after so many failures."""
    cooldown = Cooldown(failures=failures, base=BASE, max=MOST)
    return Provider(base_url="https://p.example/v1", cooldown=cooldown, **more)


def candidate(name: str) -> Candidate:
    """A target of that name, in Chat; `name@q` is at provider `q`, all others are at `p`."""
    at = name.partition("@")[2] or "p"
    skin = Skin(path="/chat/completions", model="m")
    target = Target(
        provider=at, model="m", tag="abcdef", context=None, price=None, skins={"chat": skin}
    )
    return Candidate(name, target, Route(name, "chat", None, STREAM), skin)


def status(number: int, retry_after: str | None = None) -> UpstreamError:
    """What an answer of that status means."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return failures.from_response(number, headers, b"")


def server() -> UpstreamError:
    """The upstream has failed."""
    return status(500)


def limited(retry_after: str | None = None) -> UpstreamError:
    """The upstream's rate limit is reached."""
    return status(429, retry_after)


# Every kind of failure there is, by its name.
KINDS = {
    "connect": failures.from_exception(OSError()),
    "timeout": failures.from_exception(TimeoutError()),
    "server": server(),
    "overloaded": status(529),
    "rate-limited": limited(),
    "invalid": failures.empty(),
    "interrupted": failures.incomplete(),
    "auth": status(401),
    "client": status(400),
    "context": status(413),
}
