"""Answers kept in the store that workers and machines share. A store that is away has none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from runtime.cache.answers import Kept
from runtime.shared import Store
from runtime.vocabulary import Cache

if TYPE_CHECKING:
    from redis.asyncio import Redis

# With the form of what is kept: another one is never read as this.
_PREFIX: Final = b"interlock:answer:1:"
# More could take longer than the store is waited for, and would count as its failure.
_LARGEST: Final = 1024 * 1024
# Answers on their way to a slow store; further ones are not kept.
_MOST_UNDER_WAY: Final = 32
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Kept)


class SharedAnswers:
    """`max_bytes` bounds single answers alone here: the room as a whole is the store's to bound."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._under_way: set[asyncio.Task[None]] = set()

    def takes(self, size: int, room: Cache) -> bool:
        """Whether a body of this many bytes may be kept."""
        return size <= min(_LARGEST, room.max_bytes)

    async def get(self, key: bytes) -> Kept | None:
        """The answer that was kept under a key; None too where the store does not say."""

        async def read(client: Redis) -> Kept | None:
            found: Any = await client.get(_PREFIX + key)
            return None if found is None else _opened(key, found)

        return await self._store.run(read)

    def put(self, key: bytes, kept: Kept, room: Cache) -> None:
        """Sends an answer to the store, on nobody's time."""
        if self._store.open or len(self._under_way) >= _MOST_UNDER_WAY:
            return
        task = asyncio.get_running_loop().create_task(self._write(key, kept, room))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _write(self, key: bytes, kept: Kept, room: Cache) -> None:
        async def write(client: Redis) -> Any:
            value = key + _ENCODER.encode(kept)
            return await client.set(_PREFIX + key, value, px=max(int(room.ttl * 1000), 1))

        await self._store.run(write)


def _opened(key: bytes, value: bytes) -> Kept:
    """What was kept under this key. Raises ValueError for anything else.

    A connection that somebody left in the middle of a command could hold the answer to that one,
    and answers are other people's: so each bears its key.
    """
    if value[: len(key)] != key:
        raise ValueError("the store gave the value of another key")
    return _DECODER.decode(value[len(key) :])
