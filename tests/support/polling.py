"""Waiting for something to become true that nobody announces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


async def until(look: Callable[[], Seen], seconds: float = 10.0) -> Seen:
    """Looks until it sees something true. The bound is so generous that only a fault meets it."""
    async with asyncio.timeout(seconds):
        while not (seen := look()):  # noqa: ASYNC110 (the other side is another process)
            await asyncio.sleep(0.005)
    return seen
