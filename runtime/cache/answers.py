"""Answers kept in this worker, the ones used last, within bytes and seconds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import msgspec

from runtime.vocabulary import Cache

# What an entry takes beside its body: key, records, places in tables.
_FRAME: Final = 512
# No single answer takes more than this part of the room.
_PART: Final = 8


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A complete answer in the bytes its caller got, and the candidate it came from.

    `spared` is what the next one costs less by: USD, None where prices or tokens are unknown.
    """

    target: str
    skin: str
    dropped: tuple[str, ...]
    spared: float | None
    body: bytes


class Answers(Protocol):
    """Where answers are kept. A store that is away has none."""

    def takes(self, size: int, room: Cache) -> bool:
        """Whether a body of this many bytes may be kept."""
        ...

    async def get(self, key: bytes) -> Kept | None:
        """The answer that was kept under a key."""
        ...

    def put(self, key: bytes, kept: Kept, room: Cache) -> None:
        """Keeps an answer; does not wait for it."""
        ...


class _Entry(NamedTuple):
    kept: Kept
    until: float
    size: int


class LocalAnswers:
    """The answers of one worker, gone with it. `size` is what they take, in bytes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.size = 0
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def takes(self, size: int, room: Cache) -> bool:
        """Whether a body of this many bytes may be kept."""
        return size + _FRAME <= room.max_bytes // _PART

    async def get(self, key: bytes) -> Kept | None:
        """The answer that was kept under a key."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.until <= self._clock():
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.kept

    def put(self, key: bytes, kept: Kept, room: Cache) -> None:
        """Keeps an answer, and lets go of those not used for longest."""
        if key in self._entries:
            self._drop(key)
        size = len(kept.body) + _FRAME
        self._entries[key] = _Entry(kept, self._clock() + room.ttl, size)
        self.size += size
        while self.size > room.max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: bytes) -> None:
        self.size -= self._entries.pop(key).size
