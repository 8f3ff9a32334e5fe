"""The line between a worker and its supervisor: beats one way, and silence when either dies."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

VARIABLE = "INTERLOCK_LINK"  # holds the number of the inherited file descriptor
BEAT = 1.0  # seconds


class Link:
    """The worker's end. Its loop proves with every beat that it still turns."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, orphaned: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._orphaned = orphaned
        loop.add_reader(sock, self._heard)

    @staticmethod
    def inherited() -> bool:
        """Whether this process is a supervisor's worker."""
        return VARIABLE in os.environ

    @classmethod
    def connect(cls, loop: asyncio.AbstractEventLoop, orphaned: Callable[[], None]) -> Link | None:
        """The link of a supervised worker; `orphaned` is called when the supervisor is gone."""
        if not cls.inherited():
            return None
        sock = socket.socket(fileno=int(os.environ[VARIABLE]))
        sock.setblocking(False)
        return cls(loop, sock, orphaned)

    def ready(self, line: str) -> None:
        """Tells the supervisor that this worker serves, with the line it may print."""
        self._say(line.encode())
        self._loop.call_later(BEAT, self._beat)

    def _beat(self) -> None:
        self._say(b"\n")
        self._loop.call_later(BEAT, self._beat)

    def _say(self, data: bytes) -> None:
        try:
            self._sock.send(data)
        except OSError:
            return  # a stopped supervisor does not read, a dead one shows as an end below

    def _heard(self) -> None:
        try:
            data = self._sock.recv(64)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._loop.remove_reader(self._sock)
            self._orphaned()
