"""A running edge with handlers of the tests' own, and a client that writes raw bytes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

from runtime.app import App, create_app
from runtime.artifact import Artifact, read_listing
from runtime.edge import Call, Caps, EdgeProtocol
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import Upstreams
from runtime.vocabulary import Caller, Settings, Token

BODY_LIMIT = 300_000
SECRET = "rtr_acme_dev_tools_ci_k1_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3"[:26] + "Z"
LISTING = (
    b'{"object":"list","data":[\n{"id":"coder","object":"model"},\n{"id":"org/coder"}\n],'
    b'"models":[\n{"slug":"coder"}\n]}\n'
)


def artifact() -> Artifact:
    """The smallest one: a caller with a token and a listing, no groups."""
    from hashlib import sha256

    token = Token("dev", sha256(SECRET.encode()).hexdigest())
    caller = Caller("dev", "tools", "ci", (), "all", listing="l1")
    return Artifact(
        name="tiny",
        digest="d" * 64,
        settings=Settings(name="tiny", body_limit=BODY_LIMIT),
        providers={},
        targets={},
        prices={},
        groups={},
        detectors={},
        cells={},
        reaches={"all": frozenset()},
        callers={"dev": caller},
        tokens={SECRET.rpartition("_")[0]: token},
        limits={},
        listings={"l1": read_listing(LISTING)},
    )


class Edge:
    """A served app. `calls` holds what the echo handler was called with."""

    def __init__(self) -> None:
        self.port = 0
        self.app: App
        self.loop: asyncio.AbstractEventLoop
        self.calls: list[Call] = []
        self.events: list[str] = []
        self.clients: list[Client] = []

    async def echo(self, call: Call) -> None:
        """Answers with the body, in order of arrival."""
        self.calls.append(call)
        await call.send(200, [(b"content-type", b"application/json")], call.body)

    def connect(self) -> Client:
        """A new connection."""
        client = Client(self.port)
        self.clients.append(client)
        return client

    def run(self, coroutine: Any) -> Any:
        """Runs a coroutine in the edge's own loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def wait_for(self, event: str) -> None:
        """Until a handler has noted `event`."""
        until(lambda: event in self.events)


class Client:
    """One raw connection."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.buffer = b""

    def send(self, data: bytes) -> Client:
        """Writes bytes as they are."""
        self.sock.sendall(data)
        return self

    def post(self, body: bytes = b"{}", path: bytes = b"/v1/messages", more: bytes = b"") -> Client:
        """A well-formed POST."""
        return self.send(
            b"POST %b HTTP/1.1\r\nHost: t\r\n%bContent-Length: %d\r\n\r\n%b"
            % (path, more, len(body), body)
        )

    def get(self, path: bytes, more: bytes = b"", method: bytes = b"GET") -> Client:
        """A request without a body."""
        return self.send(b"%b %b HTTP/1.1\r\nHost: t\r\n%b\r\n" % (method, path, more))

    def answer(self, *, head_only: bool = False) -> Answer:
        """The next whole answer."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        headers = {k.lower(): v for k, _, v in (line.partition(b": ") for line in lines)}
        answer = Answer(int(status.split()[1]), headers)
        if headers.get(b"transfer-encoding") == b"chunked":
            answer.body = self._chunks()
        elif not head_only:
            length = int(headers.get(b"content-length", b"0"))
            while len(self.buffer) < length:
                self._more()
            answer.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return answer

    def rest(self) -> bytes:
        """Everything until the connection ends; a reset counts as an end."""
        try:
            while True:
                self._more()
        except EOFError:
            return self.buffer

    def ended(self) -> bool:
        """Whether the other side ends the connection with nothing more in it."""
        return self.rest() == b""

    def close(self) -> None:
        """Ends the connection."""
        self.sock.close()

    def _chunks(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self.buffer:
                self._more()
            size, _, self.buffer = self.buffer.partition(b"\r\n")
            end = int(size, 16) + 2
            while len(self.buffer) < end:
                self._more()
            chunk, self.buffer = self.buffer[: end - 2], self.buffer[end:]
            if not chunk:
                return body
            body += chunk

    def _more(self) -> None:
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError(self.buffer)
        self.buffer += data


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.status = status
        self.headers = headers
        self.body = b""


def until(condition: Callable[[], bool]) -> None:
    """Waits for something another thread does; a test that waits in vain fails."""
    tick = threading.Event()
    for _ in range(1000):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError("it did not happen")


@contextmanager
def running(
    handler: Callable[[Edge], Callable[[Call], Awaitable[None]]] | None = None,
    caps: Caps | None = None,
) -> Iterator[Edge]:
    """An edge whose hot paths are answered by `handler(edge)`, by default an echo."""
    edge = Edge()
    handle = handler(edge) if handler is not None else edge.echo
    paths = (b"/v1/chat/completions", b"/v1/responses", b"/v1/messages")
    state = State(Serving(artifact(), Upstreams({}, {})))
    edge.app = create_app(state, hot=dict.fromkeys(paths, handle), caps=caps)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    edge.port = sock.getsockname()[1]
    started, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        edge.loop = asyncio.get_running_loop()
        server = await edge.app.create_server(
            sock=sock, protocol=EdgeProtocol, return_asyncio_server=True
        )
        assert server is not None
        await server.startup()
        edge.app.ctx.connections.start(edge.loop)
        started.set()
        await stop.wait()
        server.close()
        edge.app.ctx.connections.stop()
        await asyncio.sleep(0)

    def thread() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    worker = threading.Thread(target=thread, daemon=True)
    worker.start()
    assert started.wait(10)
    try:
        yield edge
    finally:
        edge.loop.call_soon_threadsafe(stop.set)
        worker.join(10)
        for client in edge.clients:
            client.close()
