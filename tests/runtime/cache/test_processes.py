"""Real routers, each of two workers, that share what they keep."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from compiler.demo import Asked, ScriptedUpstream, Turn
from tests.support import redis, wire
from tests.support.demo import BRIDGED, PROVIDER, TOKEN
from tests.support.router import Router, build, running
from tests.support.serving import PATHS

_MEMBER = "members: [{target: chat}]"
_HEAD = {"authorization": f"Bearer {TOKEN.whole}"}


def ask(router: Router, surface: str) -> wire.Answer:
    """The same request each time, on a connection of its own: any worker may get it."""
    body = {"model": "only-chat", "temperature": 0, "stream": True}
    turns = [{"role": "user", "content": "Say hi."}]
    body |= {"input": turns} if surface == "responses" else {"messages": turns}
    body |= {"max_tokens": 100} if surface == "messages" else {}
    raw = json.dumps(body).encode()
    return asyncio.run(wire.ask(router.port, "POST", PATHS[surface], _HEAD, raw))


def test_one_answer_serves_all_workers_of_all_routers(tmp_path: Path):
    said: list[Asked] = []

    def script(asked: Asked) -> Turn:
        said.append(asked)
        return Turn(text=f"Hi for the {len(said)}th time.")

    with ScriptedUpstream(script) as upstream, redis.running(tmp_path) as server:
        text = BRIDGED.read_text(encoding="utf-8").replace(PROVIDER, upstream.base_url)
        assert text.count(_MEMBER) == 1
        artifact = build(text.replace(_MEMBER, f"{_MEMBER}\n    cache: true"), tmp_path)
        env, two = {"INTERLOCK_REDIS_URL": server.url}, ("--workers", "2")
        with (
            running(artifact, tmp_path, env, two) as one,
            running(artifact, tmp_path, env, two) as other,
        ):
            for surface in PATHS:
                first = ask(one, surface)
                assert (first.status, first.ending) == (200, "clean")
                assert first.header("x-router-cache") == "miss"
                deadline = time.monotonic() + 10
                while b"interlock:answer:" not in server.ask("KEYS", "*answer*"):
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
                again = [ask(router, surface) for router in (one, other) for _ in range(4)]
                assert {answer.header("x-router-cache") for answer in again} == {"hit"}
                assert {answer.body for answer in again} == {first.body}
                server.ask("FLUSHALL")
    assert len(said) == len(PATHS)
