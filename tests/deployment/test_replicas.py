"""Two replicas behind nginx with Redis and PostgreSQL, as documented, under load."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deployment.nginx import NAME, Nginx, nginx
from tests.runtime.process.observing import TWO_WORKERS, answered, events, worker_of
from tests.runtime.process.releases import HEADERS, PATH, Releases, releases, request
from tests.support.edge import until as wait_until
from tests.support.polling import until
from tests.support.postgres import Postgres, postgres
from tests.support.redis import RedisServer
from tests.support.redis import running as running_redis
from tests.support.router import Router, start, stop
from tests.support.steady import Steady, steady
from tests.support.wire import Answer, Connection, connected

CALLERS = 8
PAUSE = 0.02  # seconds between two requests of a caller
ENOUGH = 40  # answers that show that all goes well


@dataclass
class Replica:
    """One router of the team: it keeps its port and its data through a restart."""

    made: Releases
    folder: Path
    env: dict[str, str]
    router: Router | None = None
    port: int = 0

    def start(self) -> Router:
        self.folder.mkdir(exist_ok=True)
        self.router = start(self.made.current, self.folder, self.env, TWO_WORKERS, port=self.port)
        self.port = self.router.port
        return self.router

    def stop(self) -> None:
        if self.router is not None:
            stop(self.router)
            self.router = None

    def served(self) -> int:
        """How many Chat requests its log has."""
        assert self.router is not None
        return sum(line.get("path") == PATH for line in events(self.router, "request"))


@dataclass
class Team:
    """Everything of the documented set-up."""

    provider: Steady
    made: Releases
    replicas: list[Replica]
    front: Nginx
    database: Postgres

    def connect(self, stack: AsyncExitStack) -> Coroutine[object, object, Connection]:
        return stack.enter_async_context(connected(self.front.port, self.front.trust, NAME))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, Postgres]]:
    with running_redis(tmp_path_factory.mktemp("redis")) as redis, postgres() as database:
        yield redis, database


@contextmanager
def _running(made: Releases, folder: Path, env: dict[str, str]) -> Iterator[list[Replica]]:
    replicas = [Replica(made, folder / name, env) for name in ("left", "right")]
    try:
        for replica in replicas:
            replica.start()
        yield replicas
    finally:
        for replica in replicas:
            replica.stop()


@pytest.fixture
def team(stores: tuple[RedisServer, Postgres], tmp_path: Path) -> Iterator[Team]:
    redis, database = stores
    database.empty()
    env = {"INTERLOCK_REDIS_URL": redis.url, "INTERLOCK_DATABASE_URL": database.url}
    with steady() as provider:
        provider.hold()
        provider.delay = 0.05  # so that some requests are always under way
        made = releases(provider, tmp_path, ("one",))
        with (
            _running(made, tmp_path, env) as replicas,
            nginx([replica.port for replica in replicas], tmp_path) as front,
        ):
            yield Team(provider, made, replicas, front, database)


class Load:
    """Callers that ask one thing after the other over kept connections, and open streams."""

    def __init__(self, team: Team) -> None:
        self.answers: list[Answer] = []
        self._team = team
        self._over = asyncio.Event()

    async def run(self, story: Callable[[Load], Coroutine[object, object, None]]) -> None:
        """Asks until the story is told."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(self._ask(await self._team.connect(stack)))
            try:
                await story(self)
            finally:
                self._over.set()

    async def more(self) -> None:
        """Waits for enough further answers."""
        goal = len(self.answers) + ENOUGH
        await until(lambda: len(self.answers) >= goal, 20)

    async def _ask(self, connection: Connection) -> None:
        while not self._over.is_set():
            self.answers.append(await answered(connection, "POST", PATH, request()))
            await asyncio.sleep(PAUSE)


async def streams(team: Team, stack: AsyncExitStack, count: int) -> list[Connection]:
    """Streams that have begun and go on."""
    found = [await team.connect(stack) for _ in range(count)]
    for stream in found:
        stream.send("POST", PATH, HEADERS, request(stream=True))
    for stream in found:
        await stream.until(lambda answer: b"content" in answer.body)
    return found


def rows(team: Team) -> set[object]:
    return {row[0] for row in team.database.run("SELECT id FROM requests")}


def test_a_killed_replica_costs_its_running_streams_alone(team: Team):
    ended: list[Answer] = []
    load = Load(team)
    dead, _ = team.replicas

    async def story(load: Load) -> None:
        async with AsyncExitStack() as stack:
            running = await streams(team, stack, 10)
            await load.more()
            assert min(replica.served() for replica in team.replicas) > 0
            assert dead.router is not None
            os.killpg(dead.router.process.pid, signal.SIGKILL)
            await load.more()
            cut = [stream for stream in running if stream.closed]
            assert 0 < len(cut) < len(running)
            team.provider.release()
            ended.extend([await stream.finished() for stream in running])
            assert [answer.ending for answer in ended].count("aborted") == len(cut)
            dead.stop()
            dead.start()
            await load.more()
            await until(lambda: dead.served() > 0)

    asyncio.run(load.run(story))
    assert team.made.faults(load.answers) == []
    complete = [answer for answer in ended if answer.ending == "clean"]
    assert team.made.faults(complete) == []
    assert all(b"[DONE]" not in answer.body for answer in ended if answer not in complete)
    assert len({worker_of(answer) for answer in load.answers}) >= 4
    # what was answered has its row, whoever died
    ids = {answer.header("x-request-id") for answer in [*load.answers, *complete]}
    wait_until(lambda: ids <= rows(team))


def test_a_rolling_restart_fails_no_request_and_cuts_no_stream(team: Team):
    ended: list[Answer] = []
    load = Load(team)

    async def story(load: Load) -> None:
        for replica in team.replicas:
            async with AsyncExitStack() as stack:
                team.provider.hold()
                running = await streams(team, stack, 6)
                assert replica.router is not None
                replica.router.terminate()
                await load.more()
                team.provider.release()
                ended.extend([await stream.finished() for stream in running])
                code = await asyncio.to_thread(replica.router.wait)
                assert code == 0
                replica.stop()
                replica.start()
                await load.more()

    asyncio.run(load.run(story))
    assert team.made.faults([*load.answers, *ended]) == []
    ids = {answer.header("x-request-id") for answer in [*load.answers, *ended]}
    wait_until(lambda: ids <= rows(team))
