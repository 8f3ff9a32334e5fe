"""An upstream's answer as its reader sees it, whatever transport brought it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from runtime.upstream.door import httpx


class Taker(Protocol):
    """Who gets the bytes of a streamed answer as they come.

    `near`: what `take` will touch of this answer. Between two events the caches are lost to others,
    and used one by one, these would come out of memory one after the other.
    """

    @property
    def near(self) -> tuple[object, ...]:
        """Objects, in any order."""
        ...

    def take(self, data: bytes) -> float:
        """The next bytes. When that was, in seconds of the loop's clock; 0.0: wants no more."""
        ...


class Answer(ABC):
    """Status, headers (lower-case names), and a body that is read once, by one reader.

    A connection goes back to its pool by itself at the clean end of the body. Cancelling a read
    closes the connection at once.
    """

    __slots__ = ("headers", "status")

    status: int
    headers: Mapping[str, str]

    @abstractmethod
    async def next(self) -> bytes:
        """All body bytes that came since the last call; waits for the first; b"" at a clean end.

        Raises ReadTimeout, ReadError or RemoteProtocolError, after the bytes that came before.
        """

    async def pipe(self, taker: Taker) -> bool:
        """Gives `taker` body bytes as they come, until it wants no more or the body ends.

        True at a clean end. Raises what `next` raises, and what the taker raises.
        """
        while data := await self.next():
            if not taker.take(data):
                return False
        return True

    @abstractmethod
    def release(self) -> None:
        """Wants no more: the little that is left is thrown away, to keep the connection."""

    @abstractmethod
    def close(self) -> None:
        """Drops the connection, unless the body has already ended."""

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives, to its clean end."""
        try:
            while data := await self.next():
                yield data
        finally:
            self.close()

    async def read(self, limit: int) -> bytes:
        """The whole body. One over `limit` bytes is a RemoteProtocolError."""
        declared = self.headers.get("content-length", "")
        size = 0
        parts: list[bytes] = []
        if not (declared.isascii() and declared.isdigit() and int(declared) > limit):
            while size <= limit:
                data = await self.next()
                if not data:
                    return parts[0] if len(parts) == 1 else b"".join(parts)
                parts.append(data)
                size += len(data)
        self.close()
        raise httpx.RemoteProtocolError(f"the body is over {limit} bytes")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status}>"
