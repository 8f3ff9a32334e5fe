"""Every provider of a deployment, ready to be asked: credential, request heads, transport.

Upstreams ── a leg per provider, anew with every artifact
_Pools ── the connections, which outlive it
"""

from __future__ import annotations

import ssl
from collections.abc import Coroutine, Iterable, Mapping, Sequence
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
    """Built once per artifact. Raises MissingKeys, naming every key that is not there.

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
        self._furnish(providers, _Pools(env, transports or {}, tls, trust_env=trust_env))

    def renewed(self, providers: Mapping[str, Provider]) -> Upstreams:
        """Those of another artifact, over the same connections. Keys are read again.

        Raises MissingKeys. Nothing changes here before `keep`, which may be called never.
        """
        renewed = Upstreams.__new__(Upstreams)
        renewed._furnish(providers, self._pools)
        return renewed

    def keep(self) -> None:
        """These are in service now: connections that only earlier ones had are given up.

        Those nobody uses at once, the others when their answers end.
        """
        self._pools.keep(self._legs.values())

    def _furnish(self, providers: Mapping[str, Provider], pools: _Pools) -> None:
        credentials = auth_headers(providers, pools.env)
        self._secrets = tuple(
            header[1].decode().removeprefix("Bearer ") for header in credentials.values() if header
        )
        self._pools = pools
        self._legs: dict[str, _Leg] = {}
        for provider_id, provider in providers.items():
            url = _base_url(provider_id, provider)
            heads = Heads(url, credentials[provider_id], provider.headers)
            door = pools.door(provider_id, provider, url)
            self._legs[provider_id] = _Leg(url, heads, provider.timeouts, door)

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
        await self._pools.aclose()


class _Pools:
    """The connections of all providers. None depends on a key, a header or a path."""

    def __init__(
        self,
        env: Mapping[str, str],
        transports: Mapping[str, httpx.AsyncBaseTransport],
        tls: ssl.SSLContext | None,
        *,
        trust_env: bool,
    ) -> None:
        self.env = env
        self._given = transports
        self._tls = tls
        self._trust_env = trust_env
        self._fast = FastTransport(tls=tls, env=env)
        self._foreign: dict[tuple[str, httpx.URL], Foreign] = {}

    def door(self, provider_id: str, provider: Provider, url: httpx.URL) -> Origin | Foreign:
        """The way to a provider: the one there is, or a new one."""
        transport = self._given.get(provider_id)
        if isinstance(transport, FastTransport):
            return transport.origin(url)
        if transport is None and provider.transport == "fast":
            return self._fast.origin(url)
        nowhere = blank(url)
        key = provider_id, nowhere.url
        if (foreign := self._foreign.get(key)) is None:
            foreign = Foreign(transport or self._stock(url), nowhere)
            self._foreign[key] = foreign
        return foreign

    def keep(self, legs: Iterable[_Leg]) -> None:
        """Gives up what no leg uses."""
        used = {leg.foreign or leg.origin for leg in legs}
        self._fast.keep({door for door in used if isinstance(door, Origin)})
        for key, foreign in tuple(self._foreign.items()):
            if foreign not in used:
                del self._foreign[key]
                foreign.retire()

    async def aclose(self) -> None:
        """Drops every connection."""
        await self._fast.aclose()
        for foreign in self._foreign.values():
            await foreign.aclose()

    def _stock(self, url: httpx.URL) -> httpx.AsyncBaseTransport:
        proxy = proxy_for(url, self.env) if self._trust_env else None
        # a context of its own: httpx writes its protocols into it
        return stock_transport(self._tls or context(self.env), proxy)


class _Leg:
    """One provider. `origin` is there on the fast transport and spares the httpx objects."""

    __slots__ = ("_url", "foreign", "heads", "origin", "timeouts")

    def __init__(
        self, url: httpx.URL, heads: Heads, timeouts: Timeouts, door: Origin | Foreign
    ) -> None:
        self._url = url
        self.heads = heads
        self.timeouts = timeouts
        self.origin = door if isinstance(door, Origin) else None
        self.foreign = door if isinstance(door, Foreign) else None

    async def send(
        self, path: str, headers: Sequence[Header], body: bytes, timeouts: Timeouts
    ) -> Answer:
        """The way over an httpx transport."""
        assert self.foreign is not None  # noqa: S101 - for the checker
        url = self._url.copy_with(raw_path=self.heads.target(path))
        fields = self.heads.fields(headers)
        render(fields)  # for what it refuses
        request = httpx.Request("POST", url, headers=fields, content=body)
        return await self.foreign.send(request, timeouts)


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
