"""A provider that answers every Chat request with the name of the model it was asked for.

It speaks HTTP/1.1 on kept connections and counts them; a stream goes on until it is told to end.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_PULSE = 0.2  # seconds between two events of a stream


class Steady:
    """`asked` counts requests by model, `connections` those ever made, by port."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.connections: Counter[int] = Counter()
        self.open: Counter[int] = Counter()
        self.ports: list[int] = []
        self.keys: set[str] = set()  # that came as credentials
        self.delay = 0.0  # seconds until an unstreamed answer
        self._release = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event

    def release(self) -> None:
        """Lets every stream end, those to come at once."""
        self._loop.call_soon_threadsafe(self._release.set)

    def hold(self) -> None:
        """Streams go on until `release` again."""
        self._loop.call_soon_threadsafe(self._release.clear)

    async def main(self, ports: int, started: Callable[[], None]) -> None:
        """Serves until stopped."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers = [await asyncio.start_server(self._visit, "127.0.0.1", 0) for _ in range(ports)]
        self.ports = [server.sockets[0].getsockname()[1] for server in servers]
        started()
        await self._stop.wait()
        for server in servers:
            server.close()

    def stop(self) -> None:
        """Ends `main`."""
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("sockname")[1]
        self.connections[port] += 1
        self.open[port] += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                await self._answer(await _request(reader, self.keys), writer)
        self.open[port] -= 1
        writer.close()

    async def _answer(self, body: dict, writer: asyncio.StreamWriter) -> None:
        model = body["model"]
        self.asked[model] += 1
        if not body.get("stream"):
            await asyncio.sleep(self.delay)
            text = json.dumps(_answer(model)).encode()
            writer.write(_JSON % (len(text), text))
            return
        writer.write(_STREAM)
        while True:
            writer.write(_chunk(_event(model, {"role": "assistant", "content": model})))
            with suppress(TimeoutError):
                async with asyncio.timeout(_PULSE):
                    await self._release.wait()
                    break
        end = _event(model, {}, "stop") + b"data: [DONE]\n\n"
        writer.write(_chunk(end) + b"0\r\n\r\n")


async def _request(reader: asyncio.StreamReader, keys: set[str]) -> dict:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    pairs = (line.partition(": ") for line in head.split("\r\n")[1:])
    headers = {name.lower(): value for name, _, value in pairs}
    keys.add(headers.get("authorization", "").removeprefix("Bearer "))
    return json.loads(await reader.readexactly(int(headers["content-length"])))


def _answer(model: str) -> dict:
    message = {"role": "assistant", "content": model}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model}
    return {**head, "choices": [choice], "usage": usage}


def _event(model: str, delta: dict, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return b"data: %b\n\n" % json.dumps({**head, "choices": [choice]}).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@contextmanager
def steady(ports: int = 1) -> Iterator[Steady]:
    """The provider for the time of a block, on so many ports."""
    provider, started = Steady(), threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(provider.main(ports, started.set)), daemon=True
    )
    thread.start()
    assert started.wait(10)
    try:
        yield provider
    finally:
        provider.stop()
        thread.join(10)
