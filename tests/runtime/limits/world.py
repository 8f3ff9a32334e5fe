"""Callers, limits and clocks that a test sets."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from runtime.artifact import Artifact
from runtime.errors import CallerError
from runtime.limits import InProcess, Level, Limits, Ticket
from runtime.shape import Shape
from runtime.vocabulary import Caller, LimitSet, Price
from tests.support.edge import artifact as tiny

Result = TypeVar("Result")
NOON = 1_795_262_400.0  # 2026-11-21 12:00 UTC
PRICE = Price(input=10.0, output=50.0, cache_read=1.0, cache_write=10.0)


class Clock:
    """Both clocks of a process."""

    def __init__(self) -> None:
        self.mono = 1000.0
        self.utc = NOON

    def on(self, seconds: float) -> None:
        """Time passes."""
        self.mono += seconds
        self.utc += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.utc += seconds

    def limits(self, share: int = 1) -> InProcess:
        """Limits that live by these clocks."""
        return InProcess(share, mono=lambda: self.mono, utc=lambda: self.utc)


def artifact(projects: dict[str, str] | None = None, /, **limits: LimitSet) -> Artifact:
    """An artifact with named sets of limits, and those of its projects."""
    return msgspec.structs.replace(tiny(), limits=limits, project_limits=projects or {})


def caller(user: str = "ada", project: str = "web", limits: str | None = "own") -> Caller:
    """Who asks."""
    return Caller(user=user, project=project, env="dev", groups=(), reach="all", limits=limits)


def shape(tokens: int = 100, cap: int | None = None) -> Shape:
    """A request of some input tokens."""
    return Shape(0, cap=cap, input_tokens=tokens)


class Asker:
    """One caller of one artifact: what its limits say."""

    def __init__(self, limits: Limits, held: Artifact, who: Caller | None = None) -> None:
        self.limits = limits
        self.held = held
        self.who = who or caller()
        self.token = f"rtr_acme_{self.who.user}_{self.who.project}_{self.who.limits}_k1"

    async def ask(self, tokens: int = 100, cap: int | None = None) -> Ticket:
        """A request that goes upstream. Raises CallerError."""
        return await self.limits.admit(self.held, self.token, self.who, shape(tokens, cap), PRICE)

    async def code(self, tokens: int = 100, cap: int | None = None) -> str:
        """What came of it: ok, or the code of the error."""
        try:
            await self.ask(tokens, cap)
        except CallerError as error:
            return error.code
        return "ok"

    async def accepted(self, requests: int, tokens: int = 100) -> int:
        """How many of so many at once are admitted."""
        codes = await asyncio.gather(*(self.code(tokens) for _ in range(requests)))
        return codes.count("ok")

    async def look(self) -> bytes:
        """A dry run."""
        return await self.limits.look(self.held, self.token, self.who)

    async def refused(self) -> bytes:
        """A request that is refused by decision."""
        return await self.limits.refused(self.held, self.token, self.who)

    async def levels(self) -> dict[str, Level]:
        """All limits of the caller, by scope and name."""
        found = await self.limits.peek(self.held, self.token, self.who)
        return {f"{level.scope} {level.name}": level for level in found}

    async def used(self, name: str) -> float:
        """What counts of one limit."""
        return (await self.levels())[name].used


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs to the end."""
    return asyncio.run(work)
