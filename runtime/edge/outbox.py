"""Parts of streamed answers, written together once everything that came in a turn of the loop is
taken.

A reader that sleeps is woken by each write, and while the next event is made it falls asleep again:
one write at a time wakes it for every event. It knows no content and no connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from runtime.log import log_internal

if TYPE_CHECKING:
    from runtime.edge.call import Call

# Bytes that are written at once: so a slow reader is noticed, and little waits here.
_MOST: Final = 64 * 1024


class Outbox:
    """What the streams of one worker have to send since the last turn of its loop."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[tuple[Call, bytes]] = []
        self._size = 0

    def add(self, call: Call, part: bytes) -> None:
        """A part of an answer, framed; goes out before this turn ends, in the order it came."""
        parts = self._parts
        if not parts:
            asyncio.get_running_loop().call_soon(self.flush)
        parts.append((call, part))
        self._size += len(part)
        if self._size > _MOST:
            self.flush()

    def flush(self) -> None:
        """Writes what waits: whoever writes to a stream past us, or ends it, calls this first."""
        parts, self._parts, self._size = self._parts, [], 0
        for call, part in parts:
            try:
                if not call.gone:
                    call.transport.write(part)
            except Exception as exc:  # noqa: BLE001 - whatever it is, the others get theirs
                log_internal(exc, call)
                call.drop()
