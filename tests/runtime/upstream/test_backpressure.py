"""Whoever is slow makes the other side wait; nobody's memory fills."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from runtime.upstream import FastTransport, ReadTimeout
from runtime.upstream.door import httpx
from runtime.vocabulary import Timeouts
from tests.runtime.upstream.support import LONG, SHORT

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b"
MEGABYTES_64 = 64 * 1024 * 1024


async def test_an_upstream_waits_for_a_slow_reader(ready):
    sent = 0

    async def script(peer):
        nonlocal sent
        await peer.request()
        await peer.send(OK % (MEGABYTES_64, b""))
        block = bytes(64 * 1024)
        while sent < MEGABYTES_64:
            await peer.send(block)
            sent += len(block)
        await peer.sees_close()

    leg, _ = await ready(script)
    answer = await leg.open()
    before = -1
    while sent != before:  # until the upstream stands still
        before = sent
        await asyncio.sleep(0.1)
    assert sent < MEGABYTES_64 / 2  # sockets hold a few megabytes, we a quarter of one
    first = await answer.next()
    assert len(first) <= 2 * 256 * 1024
    assert len(first) + len(await answer.read(MEGABYTES_64)) == MEGABYTES_64


async def test_a_large_body_reaches_an_upstream_that_reads_slowly(ready):
    body = b"".join(b"%07d\n" % n for n in range(500_000))

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        digest, left = hashlib.sha256(), len(body)
        while left:
            data = await peer.reader.read(300_000)
            digest.update(data)
            left -= len(data)
            await asyncio.sleep(0.002)
        answer = digest.hexdigest().encode()
        await peer.send(OK % (len(answer), answer))
        await peer.sees_close()

    leg, _ = await ready(script)
    assert await leg.fetch(body) == (200, hashlib.sha256(body).hexdigest().encode())


async def test_an_upstream_that_does_not_read_the_body_is_a_read_timeout(ready):
    async def script(peer):
        peer.writer.transport.pause_reading()
        await asyncio.sleep(LONG)

    leg, _ = await ready(script, timeouts=Timeouts(first_byte=SHORT))
    with pytest.raises(ReadTimeout):
        await leg.open(bytes(16_000_000))


async def test_a_body_that_is_produced_as_it_is_sent_waits_for_the_upstream(ready):
    produced = 0

    async def parts():
        nonlocal produced
        for _ in range(512):
            produced += 64 * 1024
            yield bytes(64 * 1024)

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.transport.pause_reading()
        await asyncio.sleep(SHORT)
        stopped_at.append(produced)
        peer.writer.transport.resume_reading()
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received = received[-5:] + await peer.reader.read(1 << 20)
        await peer.send(OK % (2, b"ok"))
        await peer.sees_close()

    stopped_at: list[int] = []
    _, upstream = await ready(script)
    transport = FastTransport()
    request = httpx.Request("POST", f"{upstream.url}/x", content=parts())
    response = await transport.handle_async_request(request)
    assert await response.aread() == b"ok"
    assert produced == 512 * 64 * 1024
    assert stopped_at[0] < produced
    await transport.aclose()


async def test_an_upload_stops_where_the_answer_comes_before_its_end(ready):
    async def parts():
        while True:
            yield bytes(1024)
            await asyncio.sleep(0.005)

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await peer.sees_close()

    _, upstream = await ready(script)
    transport = FastTransport()
    request = httpx.Request("POST", f"{upstream.url}/x", content=parts())
    response = await transport.handle_async_request(request)
    assert (response.status_code, await response.aread()) == (413, b"no")
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)
