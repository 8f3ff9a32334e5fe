"""A router in this process, compiled from a YAML text, in front of providers a test plays itself.

What callers send goes over a socket; what providers are asked is kept, header by header.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvloop

from runtime.app import create_app
from runtime.artifact import Artifact, load
from runtime.edge import EdgeProtocol
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import Upstreams
from tests.support.router import Token, build

Json = dict[str, Any]
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}


@dataclass(frozen=True)
class Asked:
    """One request a provider got."""

    url: str
    path: str
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Json:
        """The body as data."""
        return json.loads(self.raw)


@dataclass(frozen=True)
class Got:
    """What a caller got. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Json:
        """The body as data."""
        return json.loads(self.raw)

    @property
    def error(self) -> Json:
        """The error object of either envelope."""
        return self.body["error"]

    @property
    def events(self) -> list[Json]:
        """The data of a stream's events, but for Chat's end mark."""
        datas = [line[5:].strip() for line in self.raw.split(b"\n") if line.startswith(b"data:")]
        return [json.loads(data) for data in datas if data != b"[DONE]"]

    @property
    def trace(self) -> dict[str, str]:
        """The routing trace, by the names behind the prefix."""
        prefix = "x-router-"
        return {k.removeprefix(prefix): v for k, v in self.headers.items() if k.startswith(prefix)}

    @property
    def dropped(self) -> list[str]:
        """What the trace says was left out."""
        return self.trace.get("dropped", "").split(",") if "dropped" in self.trace else []


@dataclass
class Served:
    """The running router. `answer` plays all providers; a test may put another in its place."""

    artifact: Artifact
    answer: Callable[[Asked], httpx.Response]
    port: int = 0
    state: State | None = None
    asked: list[Asked] = field(default_factory=list)

    def post(self, path: str, token: Token, body: Json | bytes, **headers: str) -> Got:
        """A JSON body to a path; underscores in header names become dashes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, {"authorization": f"Bearer {token.whole}", **headers}, raw)

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Got:
        """Any request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            pairs = {name.lower(): value for name, value in answer.getheaders()}
            try:
                return Got(answer.status, pairs, answer.read())
            except http.client.IncompleteRead as cut:
                return Got(answer.status, pairs, cut.partial)
        finally:
            connection.close()

    def last(self) -> Asked:
        """What a provider was asked last."""
        return self.asked[-1]


def compiled(yaml: str, folder: Path) -> Artifact:
    """The artifact of a deployment text."""
    return load(build(yaml, folder))


@contextmanager
def serving(
    artifact: Artifact,
    answer: Callable[[Asked], httpx.Response],
    *,
    state_key: bytes | None = None,
    head_start: float = 10.0,
    begin: Callable[[State], None] | None = None,
    **settings: Any,
) -> Iterator[Served]:
    """The router for the time of a block; `settings` replace those of the deployment.

    `begin` gets the state before the first request, to add what a worker adds.
    """
    if settings:
        changed = msgspec.structs.replace(artifact.settings, **settings)
        artifact = msgspec.structs.replace(artifact, settings=changed)
    served = Served(artifact, answer)

    def play(request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = Asked(str(url), url.path, dict(request.headers), request.content)
        served.asked.append(asked)
        return served.answer(asked)

    transport = httpx.MockTransport(play)
    upstreams = Upstreams(
        artifact.providers,
        {p.key_env: "provider-key" for p in artifact.providers.values() if p.key_env},
        transports=dict.fromkeys(artifact.providers, transport),
    )
    served.state = State(Serving(artifact, upstreams), state_key, head_start)
    if begin is not None:
        begin(served.state)
    with _in_a_thread(served.state) as port:
        served.port = port
        yield served


@contextmanager
def _in_a_thread(state: State) -> Iterator[int]:
    app = create_app(state)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    started, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        server = await app.create_server(
            sock=sock, protocol=EdgeProtocol, return_asyncio_server=True
        )
        assert server is not None
        await server.startup()
        app.ctx.connections.start(loops[0])
        started.set()
        await stop.wait()
        server.close()
        app.ctx.connections.stop()
        await state.serving.upstreams.aclose()
        if state.store is not None:
            await state.store.aclose()

    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield sock.getsockname()[1]
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)
