"""Real router processes that share a store, an upstream of theirs, and bursts of requests."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from tests.support.router import Router, Token, build, running
from tests.support.wire import Answer, ask, connected

PATH = "/v1/chat/completions"
LIMIT = 24
BODY = json.dumps({"model": "coder", "messages": [{"role": "user", "content": "Hi"}]}).encode()


def tokens(number: int) -> list[Token]:
    """So many users, each with limits of their own."""
    secret = "mUxBf0Lq7Wc2Rn9Tz4Vh6Kd1Pj8"
    return [Token(f"u{n}", "web", "dev", secret=f"{n}{secret}") for n in range(number)]


def yaml(port: int, users: Sequence[Token], limits: str) -> str:
    """A deployment in front of an upstream at a port."""
    callers = "".join(
        f"""\
  {user.user}:
    user: {user.user}
    project: web
    env: dev
    groups: [coder]
    limits: own
    tokens: [{{id: {user.id}, sha256: {user.sha256}}}]
"""
        for user in users
    )
    return f"""\
interlock: 1
name: limits
as_of: 2026-11-20
providers:
  near: {{base_url: "http://127.0.0.1:{port}/v1", auth: none, allow_http: true}}
targets:
  small:
    provider: near
    model: small-1
    skins: {{chat: {{stream: native}}}}
groups:
  coder:
    surfaces: [chat]
    members: [{{target: small}}]
limits:
  own: {limits}
projects:
  web: {{}}
callers:
{callers}"""


class Upstream:
    """Answers every request as soon as `open` is set, and counts them."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0
        self._serving: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                self.waiting += 1
                await self.open.wait()
                self.waiting -= 1
                writer.write(b"HTTP/1.1 200 OK\r\n" + _ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
        self._serving.discard(task)
        self._writers.discard(writer)

    async def end(self) -> None:
        """Lets go of all connections."""
        self.open.set()
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*self._serving)


_MESSAGE = {"role": "assistant", "content": "Hi."}
_SAID = json.dumps(
    {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 400, "completion_tokens": 100, "total_tokens": 500},
    }
).encode()
_ANSWER = b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(_SAID), _SAID)


@asynccontextmanager
async def upstream(port: int) -> AsyncIterator[Upstream]:
    """The upstream at a port, for the time of a block."""
    playing = Upstream()
    server = await asyncio.start_server(playing.serve, "127.0.0.1", port)
    try:
        yield playing
    finally:
        server.close()
        await playing.end()


@contextmanager
def gateways(
    artifact: Path, folder: Path, number: int, *arguments: str, workers: int, url: str | None = None
) -> Iterator[list[Router]]:
    """So many routers of so many workers each, all on one store; each of them serves."""
    env = {"INTERLOCK_REDIS_URL": url} if url else {}
    options = ("--workers", str(workers), "--log", "debug", *arguments)
    with ExitStack() as stack:
        routers = [
            stack.enter_context(running(artifact, folder, env, options)) for _ in range(number)
        ]
        deadline = time.monotonic() + 20
        while any(router.logs().count('"event":"serving"') < workers for router in routers):
            assert time.monotonic() < deadline, "not all workers serve"
            time.sleep(0.02)
        yield routers


def compiled(yaml: str, folder: Path) -> Path:
    """The artifact of a deployment text, in a folder of its own."""
    folder.mkdir()
    return build(yaml, folder)


async def burst(routers: Sequence[Router], token: Token, requests: int) -> list[Answer]:
    """So many requests at once, each on a connection of its own that is there before."""
    ports = [router.port for router, _ in zip(itertools.cycle(routers), range(requests))]
    ready = asyncio.Barrier(requests)

    async def one(port: int) -> Answer:
        async with connected(port) as connection:
            await ready.wait()
            connection.send("POST", PATH, _headers(token), BODY)
            return await connection.finished()

    return list(await asyncio.gather(*(one(port) for port in ports)))


async def post(router: Router, token: Token) -> Answer:
    """One request."""
    return await ask(router.port, "POST", PATH, _headers(token), BODY)


async def used(router: Router, token: Token) -> dict[str, float]:
    """What counts of each limit of the caller."""
    told = json.loads((await ask(router.port, "GET", "/v1/usage", _headers(token))).body)
    return {limit["name"]: limit["used"] for limit in told["limits"]}


def statuses(answers: Sequence[Answer]) -> tuple[int, int]:
    """How many were admitted and how many refused by a limit; there is nothing else."""
    found = [answer.status for answer in answers]
    assert set(found) <= {200, 429}, [a.body for a in answers if a.status not in (200, 429)][:3]
    return found.count(200), found.count(429)


def _headers(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.whole}", "Content-Type": "application/json"}
