"""Every provider of a deployment, ready to be asked: credential, request heads, transport."""

from __future__ import annotations

import ssl
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from runtime.upstream.answer import Answer
from runtime.upstream.door import httpx
from runtime.upstream.foreign import Foreign, proxy_for, stock_transport
from runtime.upstream.keys import auth_headers
from runtime.upstream.origin import Origin
from runtime.upstream.request import Header, Heads, blank, render
from runtime.upstream.tls import context
from runtime.upstream.transport import FastTransport
from runtime.vocabulary import Provider, Timeouts


class Upstreams:
    """Built once per worker. Raises MissingKeys, naming every key that is not there.

    `transports` replaces the transport of single providers (httpx.MockTransport in tests), `tls`
    the trusted roots of all. Proxies named in `env` are used only with `trust_env`, and only by
    providers with `transport: httpx`.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        env: Mapping[str, str],
        *,
        transports: Mapping[str, httpx.AsyncBaseTransport] | None = None,
        tls: ssl.SSLContext | None = None,
        trust_env: bool = False,
    ) -> None:
        credentials = auth_headers(providers, env)
        self._secrets = tuple(
            header[1].decode().removeprefix("Bearer ") for header in credentials.values() if header
        )
        self._fast = FastTransport(tls=tls, env=env)
        self._legs: dict[str, _Leg] = {}
        for provider_id, provider in providers.items():
            url = _base_url(provider_id, provider)
            transport = (transports or {}).get(provider_id)
            if transport is None and provider.transport == "httpx":
                proxy = proxy_for(url, env) if trust_env else None
                # a context of its own: httpx writes its protocols into it
                transport = stock_transport(tls or context(env), proxy)
            heads = Heads(url, credentials[provider_id], provider.headers)
            self._legs[provider_id] = _Leg(url, heads, provider.timeouts, transport or self._fast)

    def open(
        self,
        provider_id: str,
        *,
        path: str,
        headers: Sequence[Header],
        body: bytes,
        first_byte: float,
        connect: float | None = None,
    ) -> Coroutine[Any, Any, Answer]:
        """POSTs a JSON body and, awaited, returns the answer as soon as its head is there.

        `path` is below the provider's base URL. `headers` come on top of what is always sent:
        host, framing, content-type, accept-encoding, the credential, the declared headers. Within
        `first_byte` seconds there is a connection, the body is sent and the head is here.
        """
        leg = self._legs[provider_id]
        timeouts = own = leg.timeouts
        if first_byte != own.first_byte or connect is not None:
            timeouts = Timeouts(
                connect=own.connect if connect is None else connect,
                first_byte=first_byte,
                idle=own.idle,
                total=own.total,
            )
        origin = leg.origin
        if origin is not None:
            return origin.send(leg.heads.head(path, headers, len(body)), body, timeouts)
        return leg.send(path, headers, body, timeouts)

    def censored(self, text: str) -> str:
        """An upstream's words without our keys, should it quote them."""
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        return text

    async def aclose(self) -> None:
        """Drops every connection; answers under way end with an error."""
        await self._fast.aclose()
        for leg in self._legs.values():
            await leg.aclose()


class _Leg:
    """One provider. `origin` is there on the fast transport and spares the httpx objects."""

    __slots__ = ("_foreign", "_url", "heads", "origin", "timeouts")

    def __init__(
        self,
        url: httpx.URL,
        heads: Heads,
        timeouts: Timeouts,
        transport: httpx.AsyncBaseTransport,
    ) -> None:
        self._url = url
        self.heads = heads
        self.timeouts = timeouts
        self.origin: Origin | None = None
        self._foreign: Foreign | None = None
        if isinstance(transport, FastTransport):
            self.origin = transport.origin(url)
        else:
            self._foreign = Foreign(transport, blank(url))

    async def send(
        self, path: str, headers: Sequence[Header], body: bytes, timeouts: Timeouts
    ) -> Answer:
        """The way over an httpx transport."""
        assert self._foreign is not None  # noqa: S101 - for the checker
        url = self._url.copy_with(raw_path=self.heads.target(path))
        fields = self.heads.fields(headers)
        render(fields)  # for what it refuses
        request = httpx.Request("POST", url, headers=fields, content=body)
        return await self._foreign.send(request, timeouts)

    async def aclose(self) -> None:
        if self._foreign is not None:
            await self._foreign.aclose()


def _base_url(provider_id: str, provider: Provider) -> httpx.URL:
    """The parsed base URL. The error does not show it: it may hold a password."""
    where = f"providers.{provider_id}.base_url"
    try:
        url = httpx.URL(provider.base_url)
    except httpx.InvalidURL:
        raise ValueError(f"{where} is no URL") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{where} does not begin with https://host or http://host")
    if url.userinfo or url.query or url.fragment:
        raise ValueError(f"{where} holds a user, a query or a fragment")
    return url
