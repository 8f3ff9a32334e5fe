"""What a test sees of a running router from outside: its workers, its log, its open files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from tests.runtime.process.releases import HEADERS, PATH, request
from tests.support.polling import until
from tests.support.router import Router
from tests.support.wire import Answer, Connection, connected

PATIENCE = 60.0  # seconds; only a fault takes so long
TWO_WORKERS = ("--workers", "2", "--connections-per-address", "0")


async def answered(connection: Connection, method: str, path: str, body: bytes = b"") -> Answer:
    """The next answer on a kept connection."""
    connection.raw.clear()
    connection.send(method, path, HEADERS, body)
    return await connection.finished()


async def chat(connection: Connection) -> Answer:
    """A Chat answer on a kept connection."""
    return await answered(connection, "POST", PATH, request())


async def version(connection: Connection) -> str:
    """The digest of the artifact that is served."""
    digest: str = json.loads((await answered(connection, "GET", "/version")).body)["artifact"]
    return digest


def worker_of(answer: Answer) -> str:
    """The worker that answered: its request ids begin alike, and no other's do."""
    return (answer.header("x-request-id") or "")[:16]


@asynccontextmanager
async def every_worker(router: Router, count: int = 2) -> AsyncIterator[list[Connection]]:
    """A connection to each worker. One that is just dying may take connections with it."""
    async with AsyncExitStack() as stack:
        found: dict[str, Connection] = {}
        while len(found) < count:
            with suppress(ConnectionError):
                connection = await stack.enter_async_context(connected(router.port))
                answer = await answered(connection, "GET", "/version")
                found.setdefault(worker_of(answer), connection)
            await asyncio.sleep(0.005)
        yield list(found.values())


def seen(look: Callable[[], object]) -> None:
    """Waits until something is true; a process may have to start first, on a busy machine."""
    asyncio.run(until(look, PATIENCE))


async def all_serve(router: Router) -> None:
    """Waits until both workers answer."""
    async with asyncio.timeout(PATIENCE), every_worker(router):
        pass


def events(router: Router, event: str) -> list[dict]:
    """The log lines of one kind so far."""
    lines = [line for line in router.logs().splitlines() if line.startswith("{")]
    return [found for line in lines if (found := json.loads(line))["event"] == event]


def fds(pid: int) -> int:
    """How many files a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def cpu(pid: int) -> int:
    """Clock ticks a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def children(router: Router) -> list[int]:
    """The process ids of the workers, those just dying too."""
    pid = router.process.pid
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
