"""A real router whose stores, disk, targets and callers all fail for a while, under steady load.

What counts is what callers saw: each has a healthy target, so each that stays gets its answer.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from compiler.demo import Asked, Failure, Reply, ScriptedUpstream, Turn
from tests.support import redis, wire
from tests.support.demo import DEPLOYMENT, PROVIDER, TOKEN
from tests.support.disks import fill, on_a_small_disk, seen_by
from tests.support.postgres import Postgres, postgres
from tests.support.redis import RedisServer
from tests.support.router import Router, build, running
from tests.support.serving import PATHS

_HEAD = {"authorization": f"Bearer {TOKEN.whole}"}
_LEAVING = 0.1  # of the callers
_CACHED = 0.2  # of the requests
_FAILING = 0.3  # of what the first target is asked
_ENDS = {"chat": b"[DONE]", "messages": b"message_stop", "responses": b"response.completed"}


@dataclass
class Place:
    """What stands around the router, and may fail."""

    router: Router
    database: Postgres
    store: RedisServer
    disk: Path

    def fill_disk(self) -> None:
        """No byte more goes on it."""
        fill(self.disk / "ballast")

    def empty_disk(self) -> None:
        """There is room again."""
        (self.disk / "ballast").unlink()

    def memory(self) -> int:
        """Bytes that the whole server holds."""
        pid = self.router.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return sum(_resident(each) for each in (str(pid), *children))


# How something fails, and how it comes back.
FAULTS: dict[str, tuple[Callable[[Place], None], Callable[[Place], None]]] = {
    "the database is killed": (lambda p: p.database.kill(), lambda p: p.database.start()),
    "the database hangs": (lambda p: p.database.pause(), lambda p: p.database.resume()),
    "the store hangs": (lambda p: p.store.pause(), lambda p: p.store.resume()),
    "the store is killed": (lambda p: p.store.stop(), lambda p: p.store.start()),
    "the disk is full": (Place.fill_disk, Place.empty_disk),
}


@dataclass
class Crowd:
    """Callers that come at a steady pace, whatever became of the ones before."""

    port: int
    answered: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left: int = 0
    _numbers: Iterator[int] = field(default_factory=count)

    async def come(self, seconds: float, per_second: int) -> None:
        """So many a second; returns when the last of them is gone."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for number in range(int(seconds * per_second)):
                await asyncio.sleep(began + number / per_second - loop.time())
                group.create_task(self._one())

    async def _one(self) -> None:
        surface = random.choice(list(PATHS))
        stream = random.random() < 0.5
        body = _question(surface, stream=stream, number=next(self._numbers))
        try:
            if random.random() < _LEAVING:
                await self._leave(surface, body)
                return
            answer = await wire.ask(self.port, "POST", PATHS[surface], _HEAD, body)
        except (OSError, TimeoutError) as error:
            self.failed.append(type(error).__name__)
            return
        whole = answer.ending == "clean" and (not stream or _ENDS[surface] in answer.body)
        if answer.status == 200 and whole:
            self.answered.append(answer.header("x-request-id") or "")
        else:
            self.failed.append(f"{answer.status} {answer.ending} {answer.body[-200:]!r}")

    async def _leave(self, surface: str, body: bytes) -> None:
        async with wire.connected(self.port) as connection:
            connection.send("POST", PATHS[surface], _HEAD, body)
            await asyncio.sleep(random.uniform(0, 0.02))
            connection.reset()
        self.left += 1


@contextmanager
def place(folder: Path, size: str = "256k") -> Iterator[Place]:
    """A router of two workers with both stores, on a disk too small for all of its rows."""
    text = DEPLOYMENT.read_text(encoding="utf-8")
    for old, new in (
        ("laptop: {rpm: 600, tpm: 10000000, concurrent: 32}",
         "laptop: {rpm: 600000, tpm: 1000000000, concurrent: 1000}"),
        ("    baseline: large\n", "    baseline: large\n    cache: true\n"),
    ):  # fmt: skip
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    data = folder / "data"
    with (
        ScriptedUpstream(_script) as upstream,
        postgres() as database,
        redis.running(folder) as store,
    ):
        artifact = build(text.replace(PROVIDER, upstream.base_url), folder)
        env = {"INTERLOCK_DATABASE_URL": database.url, "INTERLOCK_REDIS_URL": store.url}
        disk = on_a_small_disk(data, size)
        with running(artifact, folder, env, ("--workers", "2"), prefix=disk) as router:
            yield Place(router, database, store, seen_by(router, data))


def _script(asked: Asked) -> Reply:
    if asked.model.endswith("small") and random.random() < _FAILING:
        return Failure(500, "not now")
    return Turn(text="Hello, and a few words more.")


def _question(surface: str, *, stream: bool, number: int) -> bytes:
    body: dict[str, object] = {"model": "coder", "stream": stream, "temperature": 0}
    if random.random() < _CACHED:
        number = 0
    turns = [{"role": "user", "content": f"Say hello to number {number}"}]
    body |= {"input": turns} if surface == "responses" else {"messages": turns}
    body |= {"max_tokens": 100} if surface == "messages" else {}
    return json.dumps(body).encode()


def _resident(pid: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
