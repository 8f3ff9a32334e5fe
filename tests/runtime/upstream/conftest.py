"""Fixtures of the upstream leg's tests: both event loops, a fault upstream, a leg."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from runtime.upstream import Upstreams
from runtime.vocabulary import Provider, Timeouts
from tests.runtime.upstream.support import LONG, FaultUpstream, Leg, Peer, Script, fault_upstream


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request):
    """Every asynchronous test runs on both loops."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture(params=["fast"])
def transport(request) -> str:
    """Which transport a test runs on; parametrise it indirectly to run on several."""
    return request.param


@pytest.fixture
async def ready(transport):
    """Builds a fault upstream with a script and a leg pointed at it; ends both."""
    async with AsyncExitStack() as stack:

        async def build(
            script: Script,
            *,
            timeouts: Timeouts | None = None,
            **provider: Any,
        ) -> tuple[Leg, FaultUpstream]:
            upstream = await stack.enter_async_context(fault_upstream(script))
            timeouts = timeouts or Timeouts(connect=LONG, first_byte=LONG, idle=LONG, total=LONG)
            given = {"base_url": upstream.url, "auth": "none", "transport": transport, **provider}
            upstreams = Upstreams({"p": Provider(timeouts=timeouts, **given)}, {"KEY": " secret\n"})
            stack.push_async_callback(upstreams.aclose)
            return Leg(upstreams, timeouts.first_byte), upstream

        yield build


@pytest.fixture
def answering(ready):
    """A leg whose upstream reads a request, sends these packets, and waits for the close."""

    async def build(*packets: bytes, **more: Any) -> Leg:
        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(*packets)
            await peer.sees_close()

        leg, _ = await ready(script, **more)
        return leg

    return build
