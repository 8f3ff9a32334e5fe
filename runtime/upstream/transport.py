"""The default transport: one request on one connection, nothing between it and the socket."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from weakref import WeakSet

from runtime.upstream.connection import FastAnswer
from runtime.upstream.door import httpx
from runtime.upstream.origin import Origin
from runtime.upstream.request import render, request_line
from runtime.upstream.tls import context
from runtime.vocabulary import Timeouts

_NEVER = float("inf")


class FastTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 over pools of kept connections, one per origin. Follows no redirect, uses no proxy.

    Takes httpx requests like every transport. The hot path asks an origin for `send` instead and
    spares the request and response objects; both go through the same connections.
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._tls = tls
        self._env = env or {}
        self._origins: dict[tuple[str, bytes, int | None], Origin] = {}
        self._retired: WeakSet[Origin] = WeakSet()

    def origin(self, url: httpx.URL) -> Origin:
        """Where requests to this URL go."""
        key = (url.scheme, url.raw_host, url.port)
        origin = self._origins.get(key)
        if origin is None:
            origin = self._origins[key] = Origin(url, self._tls_for(url))
        return origin

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """httpx's own entry."""
        origin = self.origin(request.url)
        timeouts = _timeouts(request.extensions.get("timeout") or {})
        fields = request.headers.raw
        line = request_line(request.method.encode("ascii"), request.url.raw_path)
        head = line + render(fields) + b"\r\n"
        if isinstance(request.stream, httpx.ByteStream):
            body = b"".join(request.stream)
            bodiless = request.method == "HEAD"
            answer = await origin.send(head, body, timeouts, bodiless=bodiless)
        else:
            assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101
            framed = "transfer-encoding" in request.headers
            answer = await origin.upload(head, request.stream, timeouts, framed=framed)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Stream(answer),
            extensions={"http_version": b"HTTP/1.1"},
        )

    def keep(self, used: Collection[Origin]) -> None:
        """Retires the origins that are not used any more."""
        for key, origin in tuple(self._origins.items()):
            if origin not in used:
                del self._origins[key]
                self._retired.add(origin)
                origin.retire()

    async def aclose(self) -> None:
        """Drops every connection."""
        for origin in (*self._origins.values(), *self._retired):
            origin.close()

    def _tls_for(self, url: httpx.URL) -> ssl.SSLContext | None:
        if url.scheme == "http":
            return None
        if url.scheme != "https":
            raise httpx.UnsupportedProtocol("an upstream's URL begins with https:// or http://")
        if self._tls is None:
            self._tls = context(self._env)
        return self._tls


class _Stream(httpx.AsyncByteStream):
    """An answer in the clothes of httpx."""

    def __init__(self, answer: FastAnswer) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.chunks()

    async def aclose(self) -> None:
        self._answer.close()


def _timeouts(given: Mapping[str, Any]) -> Timeouts:
    """httpx's four timeouts as ours: `read` bounds the wait for the head and between bytes."""
    connect, read = given.get("connect"), given.get("read")
    read = _NEVER if read is None else read
    return Timeouts(
        connect=_NEVER if connect is None else connect, first_byte=read, idle=read, total=_NEVER
    )
