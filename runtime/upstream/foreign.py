"""The same answers over any httpx transport: `transport: httpx`, or a MockTransport in tests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from importlib.util import find_spec
from typing import Any

from runtime.upstream.answer import Answer
from runtime.upstream.bounds import DISCARD_SECONDS, IDLE_EXPIRY, MAX_DISCARDED, MAX_IDLE
from runtime.upstream.door import httpx
from runtime.upstream.inflate import BadEncoding, Inflate, decoded
from runtime.vocabulary import Timeouts


def stock_transport(tls: ssl.SSLContext, proxy: str | None) -> httpx.AsyncHTTPTransport:
    """httpx's own transport: HTTP/2 where the h2 package is installed. It follows no redirect."""
    return httpx.AsyncHTTPTransport(
        verify=tls,
        http2=find_spec("h2") is not None,
        proxy=proxy,
        trust_env=False,
        limits=httpx.Limits(
            max_connections=None,
            max_keepalive_connections=MAX_IDLE,
            keepalive_expiry=IDLE_EXPIRY,
        ),
    )


def proxy_for(url: httpx.URL, env: Mapping[str, str]) -> str | None:
    """The proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for a URL."""
    known = {name.lower(): value for name, value in env.items() if name.lower().endswith("_proxy")}
    for name in known.get("no_proxy", "").lower().split(","):
        suffix = name.strip().lstrip(".")
        if suffix == "*" or (suffix and f".{url.host}".endswith(f".{suffix}")):
            return None
    return known.get(f"{url.scheme}_proxy") or known.get("all_proxy") or None


class Foreign:
    """One httpx transport, and the answers that still have to be closed on it."""

    def __init__(self, transport: httpx.AsyncBaseTransport, blank: httpx.Request) -> None:
        self._transport = transport
        self._blank = blank
        self._closing: set[asyncio.Task[None]] = set()
        self._open = 0  # answers asked for and not over
        self._retired = False

    async def send(self, request: httpx.Request, timeouts: Timeouts) -> Answer:
        """Sends a request and waits for the head of its answer."""
        started = asyncio.get_running_loop().time()
        connect = min(timeouts.connect, timeouts.first_byte)
        # reads and writes have no bound of their own: the waits here and in `next` hold them
        request.extensions["timeout"] = {"connect": connect, "pool": connect}
        self._open += 1
        try:
            async with asyncio.timeout(min(timeouts.first_byte, timeouts.total)):
                response = await self._transport.handle_async_request(request)
        except BaseException as exc:
            self._ended()
            if isinstance(exc, TimeoutError):
                raise self.placed(httpx.ReadTimeout("no response head came in time")) from exc
            if isinstance(exc, httpx.TransportError):
                raise self.placed(exc) from exc.__cause__
            raise
        answer = ForeignAnswer(self, response, timeouts.idle, started + timeouts.total)
        answer.start()
        return answer

    def placed(self, error: httpx.TransportError) -> httpx.TransportError:
        """The error with a request on it that says where it happened and holds no key."""
        error.request = self._blank
        return error

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Does on its own what an answer, being dropped, cannot wait for."""
        task = asyncio.get_running_loop().create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def over(self, stream: httpx.AsyncByteStream) -> None:
        """An answer is read to its end, or not wanted any more."""
        try:
            await stream.aclose()
        finally:
            self._ended()

    def retire(self) -> None:
        """Closes the transport as soon as no answer is under way; again after every later one."""
        self._retired = True
        if not self._open:
            self.later(self._transport.aclose())

    def _ended(self) -> None:
        self._open -= 1
        if self._retired and not self._open:
            self.later(self._transport.aclose())

    async def aclose(self) -> None:
        """Closes the transport, after the answers that are closing."""
        await asyncio.gather(*self._closing, return_exceptions=True)
        await self._transport.aclose()


class ForeignAnswer(Answer):
    """An httpx response, bounded in time and unpacked as on the fast transport."""

    __slots__ = (
        "_error",
        "_foreign",
        "_idle",
        "_inflate",
        "_over",
        "_parts",
        "_stream",
        "_total_at",
    )

    def __init__(
        self, foreign: Foreign, response: httpx.Response, idle: float, total_at: float
    ) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - for the checker
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self._foreign = foreign
        # the stream and not `aiter_raw`: a response built from bytes counts as read already
        self._stream = response.stream
        self._parts = response.stream.__aiter__()
        self._inflate: Inflate | None = None
        self._idle = idle
        self._total_at = total_at
        self._over = False
        self._error: Exception | None = None

    def start(self) -> None:
        """Looks at the head. Raises RemoteProtocolError for a body nobody can read."""
        coding = self.headers.get("content-encoding", "identity")
        if coding.lower() == "identity":
            return
        try:
            self._inflate = Inflate(coding)
        except BadEncoding as exc:
            self.close()
            raise self._foreign.placed(httpx.RemoteProtocolError(str(exc))) from exc
        self.headers = decoded(self.headers)

    async def next(self) -> bytes:
        """The next part of the body; b"" at a clean end."""
        if self._over:
            if self._error is not None:
                raise self._error
            return b""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self._idle, self._total_at - now)):
                data = await self._part()
        except TimeoutError as exc:
            raise self._stop(httpx.ReadTimeout("no further byte came in time")) from exc
        except BadEncoding as exc:
            raise self._stop(httpx.RemoteProtocolError(str(exc))) from exc
        except httpx.TransportError as exc:
            raise self._stop(exc) from exc.__cause__
        except BaseException:  # cancelled: the upstream must not go on working for nobody
            self.close()
            raise
        if not data:
            self._over = True
            await self._foreign.over(self._stream)
        return data

    def release(self) -> None:
        """Wants no more: the little that is left is thrown away, to keep the connection."""
        if not self._over:
            self._over = True
            self._foreign.later(self._drain())

    def close(self) -> None:
        """Drops the connection, unless the body has already ended."""
        self._stop(httpx.ReadError("the answer was closed before its end"))

    def _stop(self, error: httpx.TransportError) -> httpx.TransportError:
        if not self._over:
            self._over, self._error = True, self._foreign.placed(error)
            self._foreign.later(self._foreign.over(self._stream))
        return error

    async def _part(self) -> bytes:
        async for part in self._parts:
            data = part if self._inflate is None or not part else self._inflate.feed(part)
            if data:
                return data
        if self._inflate is not None:
            self._inflate.end()
        return b""

    async def _drain(self) -> None:
        left = MAX_DISCARDED
        try:
            async with asyncio.timeout(DISCARD_SECONDS):
                async for part in self._parts:
                    left -= len(part)
                    if left < 0:
                        break
        except (TimeoutError, httpx.TransportError):
            pass  # then it is not kept
        finally:
            await self._foreign.over(self._stream)
