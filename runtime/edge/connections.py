"""All connections of one worker: caps, one clock for every deadline, the drain at the end."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from runtime.edge.outbox import Outbox

if TYPE_CHECKING:
    from runtime.edge.protocol import EdgeProtocol


@dataclass(frozen=True, slots=True)
class Caps:
    """What a client may take. Seconds; `per_address` 0 is no cap (behind a load balancer)."""

    per_address: int = 256
    total: int = 4096
    head: float = 10.0  # for the whole head, however slowly its bytes come
    body: float = 30.0  # for the whole body, plus its size at `body_rate`
    body_rate: float = 64 * 1024  # bytes per second
    idle: float = 75.0  # between two requests
    stall: float = 60.0  # of a reader that takes nothing
    linger: float = 3.0  # of a client that goes on sending after a refusal
    sweep: float = 1.0  # how often deadlines are looked at


class Connections:
    """What the connections of one worker share. No connection has a timer of its own."""

    def __init__(self, caps: Caps | None = None) -> None:
        self.caps = caps or Caps()
        self.draining = False
        self.date = b""
        self.outbox = Outbox()
        self._drain_until = 0.0
        self._open: set[EdgeProtocol] = set()
        self._per_address: dict[str, int] = {}
        self._prefix = f"req_{os.urandom(6).hex()}"
        self._numbers = itertools.count(0x1000)
        self._timer: asyncio.TimerHandle | None = None
        self._set_date()

    def __len__(self) -> int:
        return len(self._open)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to look at deadlines."""
        self._set_date()
        self._timer = loop.call_later(self.caps.sweep, self._sweep, loop)

    def stop(self) -> None:
        """Ends every connection behind what is written already."""
        if self._timer is not None:
            self._timer.cancel()
        for connection in tuple(self._open):
            connection.cut(reset=False)

    def admit(self, connection: EdgeProtocol) -> bool:
        """Counts a new connection in, unless the caps are reached."""
        count = self._per_address.get(connection.peer, 0)
        caps = self.caps
        if len(self._open) >= caps.total or (caps.per_address and count >= caps.per_address):
            return False
        self._per_address[connection.peer] = count + 1
        self._open.add(connection)
        return True

    def leave(self, connection: EdgeProtocol) -> None:
        """Counts a lost connection out."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        if (count := self._per_address.pop(connection.peer) - 1) > 0:
            self._per_address[connection.peer] = count

    def new_request_id(self) -> str:
        """An id no other request of any worker has."""
        return f"{self._prefix}{next(self._numbers):x}"

    async def drain(self, seconds: float) -> None:
        """Closes idle connections, lets answers end for `seconds`, then cuts what still runs."""
        self.draining = True
        loop = asyncio.get_running_loop()
        self._drain_until = loop.time() + seconds
        while self._busy() and loop.time() < self._drain_until:  # noqa: ASYNC110 - once, at the end
            await asyncio.sleep(0.05)
        for connection in tuple(self._open):
            connection.shut_down()
        # What was written last is still on its way out.
        deadline = loop.time() + self.caps.linger
        while any(c.unsent() for c in self._open) and loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def hurry(self) -> None:
        """Ends a running drain now."""
        self._drain_until = 0.0

    def _busy(self) -> int:
        return sum(not connection.close_if_idle() for connection in tuple(self._open))

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self.caps.sweep, self._sweep, loop)
        self._set_date()
        now = loop.time()
        for connection in tuple(self._open):
            connection.check(now)

    def _set_date(self) -> None:
        self.date = b"date: %b\r\n" % formatdate(time.time(), usegmt=True).encode()
