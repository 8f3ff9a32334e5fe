"""A request nobody waits for any more: the upstream sees the connection close, in every phase."""

from __future__ import annotations

import asyncio
import gc

import pytest

from runtime.upstream import Upstreams
from runtime.upstream.connection import Connection
from runtime.vocabulary import Provider
from tests.runtime.upstream.support import LONG, Leg

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
EVENT = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"
EACH_TRANSPORT = pytest.mark.parametrize("transport", ["fast", "httpx"], indirect=True)


async def cancelled(task: asyncio.Task) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_while_tls_is_agreed_on(ready):
    hello = asyncio.Event()

    async def script(peer):
        await peer.reader.read(1)  # and never an answer
        hello.set()
        await peer.sees_close()

    _, upstream = await ready(script)
    provider = Provider(base_url=upstream.url.replace("http", "https"), auth="none")
    leg = Leg(Upstreams({"p": provider}, {}), LONG)
    task = asyncio.ensure_future(leg.open())
    await asyncio.wait_for(hello.wait(), LONG)
    await cancelled(task)
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


@EACH_TRANSPORT
async def test_while_the_head_is_awaited(ready):
    asked = asyncio.Event()

    async def script(peer):
        await peer.request()
        asked.set()
        await peer.sees_close()

    leg, upstream = await ready(script)
    task = asyncio.ensure_future(leg.open())
    await asyncio.wait_for(asked.wait(), LONG)
    await cancelled(task)
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


@EACH_TRANSPORT
async def test_while_the_next_byte_is_awaited(ready):
    async def script(peer):
        await peer.request()
        await peer.send(EVENT)
        await peer.sees_close()

    leg, upstream = await ready(script)
    answer = await leg.open()
    assert await answer.next() == b"x"
    task = asyncio.ensure_future(answer.next())
    await asyncio.sleep(0.02)
    await cancelled(task)
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


@EACH_TRANSPORT
async def test_while_a_loop_over_the_chunks_is_left(ready):
    async def script(peer):
        await peer.request()
        await peer.send(EVENT)
        await peer.sees_close()

    leg, upstream = await ready(script)
    chunks = (await leg.open()).chunks()
    assert await anext(chunks) == b"x"
    await chunks.aclose()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_while_the_body_is_still_being_sent(ready):
    begun = asyncio.Event()

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        begun.set()
        await asyncio.sleep(0.05)
        await peer.sees_close()

    leg, upstream = await ready(script)
    task = asyncio.ensure_future(leg.open(bytes(16_000_000)))
    await asyncio.wait_for(begun.wait(), LONG)
    await cancelled(task)
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_cancelled_requests_leave_nothing_behind(ready):
    async def script(peer):
        while True:
            _, body = await peer.request()
            if body == b"{}":
                await peer.send(OK)

    leg, upstream = await ready(script)
    for _ in range(5):
        tasks = [asyncio.ensure_future(leg.open(b"hang")) for _ in range(4)]
        await asyncio.sleep(0.03)
        for task in tasks:
            await cancelled(task)
        assert await leg.fetch() == (200, b"ok")
    await asyncio.sleep(0.05)
    assert upstream.open == 1


async def test_requests_cancelled_at_any_moment_leave_nothing_behind(ready):
    async def script(peer):
        while True:
            await peer.request()
            await peer.send(OK)

    leg, upstream = await ready(script)
    for turns in range(60):
        task = asyncio.ensure_future(leg.fetch())
        for _ in range(turns % 20):
            await asyncio.sleep(0.0001)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.1)
    del task
    gc.collect()
    left = [each for each in gc.get_objects() if isinstance(each, Connection)]
    assert len(left) == upstream.open <= 1
