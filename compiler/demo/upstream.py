"""The server under the scripts: just enough HTTP/1.1 on asyncio, in a thread of its own."""

from __future__ import annotations

import asyncio
import http
import json
import threading
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Self

from compiler.demo import chat, messages, responses
from compiler.demo.turn import Asked, Failure, Script
from compiler.demo.wire import dump

DIALECTS: dict[str, ModuleType] = {"chat": chat, "responses": responses, "messages": messages}
HEAD_LIMIT = 1 << 20


class ScriptedUpstream:
    """A provider whose model follows a script. Use it as a context manager.

    `requests` holds everything that was asked, in order of arrival.
    """

    def __init__(self, script: Script, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.script = script
        self.requests: list[Asked] = []
        self._address = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def base_url(self) -> str:
        """Where the dialects' paths begin."""
        return f"http://{self._address[0]}:{self._address[1]}/v1"

    def asked(self, dialect: str) -> list[Asked]:
        """The generation requests that came in one dialect."""
        return [one for one in self.requests if one.method == "POST" and one.dialect == dialect]

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._end_thread()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        host, port = self._address
        self._server = await asyncio.start_server(self._serve, host, port, limit=HEAD_LIMIT)
        self._address = self._server.sockets[0].getsockname()[:2]

    async def _stop(self) -> None:
        self._server.close()
        for writer in self._connections:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (asked := await self._read(reader)) is not None:
                await self._answer(asked, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client hung up, or the server stops
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Asked | None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in _fields(lines)}
            raw = await reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError:
            return None
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        number = len(self.requests) + 1
        asked = Asked(number, method, path, query, headers, raw, json.loads(raw) if raw else {})
        self.requests.append(asked)
        return asked

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.path.endswith("/count_tokens"):
            return await _send(writer, 200, {"input_tokens": len(asked.raw) // 4})
        if asked.method != "POST" or not asked.dialect:
            return await _send(writer, 404, chat.error(Failure(404, f"no {asked.path} here")))
        wire = DIALECTS[asked.dialect]
        reply = self.script(asked)
        if isinstance(reply, Failure):
            return await _send(writer, reply.status, wire.error(reply), reply.headers)
        if asked.stream:
            return await _send_stream(writer, wire.stream(reply, asked))
        return await _send(writer, 200, wire.whole(reply, asked))


def _fields(lines: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    return (line.partition(":") for line in lines)


async def _send(
    writer: asyncio.StreamWriter, status: int, value: Any, headers: Mapping[str, str] | None = None
) -> None:
    body = dump(value)
    fields = {"content-type": "application/json", "content-length": str(len(body))}
    writer.write(_head(status, fields | dict(headers or {})) + body)
    await writer.drain()


async def _send_stream(writer: asyncio.StreamWriter, frames: Iterable[bytes]) -> None:
    fields = {"content-type": "text/event-stream; charset=utf-8", "transfer-encoding": "chunked"}
    writer.write(_head(200, fields))
    for frame in frames:
        writer.write(b"%x\r\n%s\r\n" % (len(frame), frame))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def _head(status: int, fields: Mapping[str, str]) -> bytes:
    phrases = {entry.value: entry.phrase for entry in http.HTTPStatus}
    lines = [f"HTTP/1.1 {status} {phrases.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
