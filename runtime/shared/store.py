"""One Redis or Valkey behind a seam: short waits, a breaker, and None where it does not answer.

It knows no key and no command; who uses it says what holds without it. The address may hold a
password, so it stands in no line and no error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from runtime import log

if TYPE_CHECKING:
    from redis.asyncio import Redis

Result = TypeVar("Result")
Operation = Callable[["Redis"], Awaitable[Result]]

TIMEOUT = 0.05  # seconds an operation may take
OPEN_AFTER = 5  # failures in a row
REST = 10.0  # seconds until a probe
_SLICES = 5  # of the timeout: see _Patience
# Connections, and so operations at once: the others wait their turn here, not in the store.
_CONNECTIONS = 8
_PROBE = "{interlock}:probe"


class StoreError(Exception):
    """Why there can be no store, in one line."""


def connect(url: str) -> Store:
    """A store for an address; nothing is connected yet. Raises StoreError."""
    try:
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ImportError as error:
        raise StoreError(
            "INTERLOCK_REDIS_URL is set, but the Redis client is not installed; "
            "install `interlock-router[redis]`"
        ) from error
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS + 1,  # the probe's
            timeout=None,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,  # the store bounds time itself
            socket_connect_timeout=None,
            protocol=2,  # the older one: every server and proxy knows it
        )
    except Exception:  # noqa: BLE001 - whatever it says may repeat the address
        pool = None
    if pool is None:
        raise StoreError("INTERLOCK_REDIS_URL is no redis://, rediss:// or unix:// address")
    return Store(Redis.from_pool(pool))


class Store:
    """`open`: the breaker is open, so that nobody waits. `failures`: of all operations so far.

    One failure is a slow, refused or senseless answer. Five in a row open the breaker; then a
    probe, every ten seconds and on nobody's time, closes it again.
    """

    def __init__(self, client: Redis, *, timeout: float = TIMEOUT, rest: float = REST) -> None:
        self.open = False
        self.failures = 0
        self._client = client
        self._timeout = timeout
        self._rest = rest
        self._in_a_row = 0
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._probing: asyncio.TimerHandle | asyncio.Task[None] | None = None

    async def run(self, operation: Operation[Result]) -> Result | None:
        """What the operation returns; None when the store gave no good answer in time.

        The operation reads the answer itself: what it raises counts as a failure. With None it
        may have been done all the same.
        """
        if self.open:
            return None
        async with self._turns:
            if self.open:  # since we wait
                return None
            try:
                result = await self._timed(operation)
            except Exception as error:  # noqa: BLE001 - whatever it is, it costs a degrade only
                self._failed(error)
                return None
            self._in_a_row = 0
            return result

    async def warm(self, operation: Operation[Any]) -> None:
        """Does something on every connection, so that no request has to wait for one to be made."""
        await asyncio.gather(*(self.run(operation) for _ in range(_CONNECTIONS)))

    async def aclose(self) -> None:
        """Ends all connections."""
        if self._probing is not None:
            self._probing.cancel()
        await self._client.aclose()

    async def _timed(self, operation: Operation[Result]) -> Result:
        async with asyncio.timeout(None) as timer:
            patience = _Patience(timer, self._timeout)
            try:
                return await operation(self._client)
            finally:
                patience.end()

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        log.log("debug", "store-failed", error=type(error).__name__)
        self._in_a_row += 1
        if self._in_a_row >= OPEN_AFTER and not self.open:
            self.open = True
            log.log("warning", "store-down", error=type(error).__name__, seconds=self._rest)
            self._probe_later()

    def _probe_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._probing = loop.call_later(self._rest, self._start_probe)

    def _start_probe(self) -> None:
        self._probing = asyncio.get_running_loop().create_task(self._probe())

    async def _probe(self) -> None:
        """A write, for a replica takes none."""

        async def write(client: Redis) -> Any:
            return await client.set(_PROBE, 1, px=1000)

        try:
            await self._timed(write)
        except Exception:  # noqa: BLE001 - as above
            self.failures += 1
            self._probe_later()
            return
        self.open = False
        self._in_a_row = 0
        self._probing = None
        log.log("info", "store-up")


class _Patience:
    """Ends an operation after some time, which is counted in slices.

    A loop that was busy sees all its timers at once as past, and answers only after them. So each
    slice begins when the one before was seen to end: what arrived meanwhile is read first.
    """

    __slots__ = ("_handle", "_left", "_loop", "_slice", "_timer")

    def __init__(self, timer: asyncio.Timeout, timeout: float) -> None:
        self._timer = timer
        self._loop = asyncio.get_running_loop()
        self._slice = timeout / _SLICES
        self._left = _SLICES
        self._handle = self._loop.call_later(self._slice, self._over)

    def _over(self) -> None:
        self._left -= 1
        if self._left:
            self._handle = self._loop.call_later(self._slice, self._over)
        else:
            self._timer.reschedule(self._loop.time())

    def end(self) -> None:
        """The operation is over."""
        self._handle.cancel()
