"""Upstream faults: each is an httpx exception, in time, and never looks like an answer."""

from __future__ import annotations

import asyncio
import socket

import pytest

from runtime.upstream import (
    ConnectError,
    ConnectTimeout,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    Upstreams,
)
from runtime.vocabulary import Provider, Timeouts
from tests.runtime.upstream.support import LONG, SHORT, Leg

pytestmark = pytest.mark.anyio

LENGTH_5 = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"


def leg_to(port: int, **timeouts: float) -> Leg:
    provider = Provider(
        base_url=f"http://127.0.0.1:{port}", auth="none", timeouts=Timeouts(**timeouts)
    )
    return Leg(Upstreams({"p": provider}, {}), LONG)


# --- connecting --------------------------------------------------------------------------------


async def test_a_refused_connection_is_a_connect_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening
        with pytest.raises(ConnectError) as caught:
            await leg_to(taken.getsockname()[1]).open()
    assert caught.value.request.url.host == "127.0.0.1"


async def test_a_host_name_that_cannot_be_one_is_a_connect_error():
    provider = Provider(base_url=f"http://{'a' * 64}.invalid", auth="none")
    with pytest.raises(ConnectError):
        await Leg(Upstreams({"p": provider}, {}), LONG).open()


async def test_an_upstream_that_takes_no_connection_is_a_connect_timeout():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:  # the queue of the listener is full after the first ones
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            with pytest.raises(ConnectTimeout):
                await leg_to(full.getsockname()[1], connect=SHORT).open()
        finally:
            for each in waiting:
                each.close()


# --- before the head ---------------------------------------------------------------------------


async def test_a_reset_before_the_head_is_a_read_error(ready):
    async def script(peer):
        await peer.request()
        peer.reset()

    leg, _ = await ready(script)
    with pytest.raises(ReadError):
        await leg.open()


async def test_a_close_before_the_head_is_a_protocol_error(ready):
    leg, upstream = await ready(lambda peer: peer.request())
    with pytest.raises(RemoteProtocolError):
        await leg.open()
    assert len(upstream.peers) == 1  # a fresh connection gets no second try


async def test_silence_before_the_head_is_a_read_timeout(answering):
    leg = await answering(timeouts=Timeouts(first_byte=SHORT))
    with pytest.raises(ReadTimeout):
        await leg.open()


async def test_a_head_that_trickles_past_the_deadline_is_a_read_timeout(ready):
    async def trickle(peer):
        await peer.request()
        await peer.send(*(bytes([byte]) for byte in LENGTH_5), pause=0.02)

    leg, _ = await ready(trickle, timeouts=Timeouts(first_byte=SHORT))
    with pytest.raises(ReadTimeout):
        await leg.open()


async def test_endless_interim_answers_do_not_hold_the_deadline_off(ready):
    async def script(peer):
        await peer.request()
        while True:
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.04)

    leg, _ = await ready(script, timeouts=Timeouts(first_byte=SHORT))
    with pytest.raises(ReadTimeout):
        await leg.open()


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\n" * 9 + LENGTH_5 + b"hello", id="interim-flood"
        ),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            id="switching-protocols",
        ),
        pytest.param(b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", id="bare-lf"),
        pytest.param(b"HTTP/1.1 200 OK\r\na: 1\ncontent-length: 5\r\n\r\nhello", id="one-bare-lf"),
        pytest.param(b"HTTP/1.1 200 OK\r\na: 1\r\n b\r\n\r\n", id="folded"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
            id="length-and-chunked",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
            id="two-lengths",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\na: " + b"x" * 70_000, id="huge-head"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: 1\r\n" * 101 + b"\r\n", id="many-headers"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="another-protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\nx", id="unknown-encoding"),
    ],
)
async def test_an_unacceptable_head_is_a_protocol_error_and_ends_the_connection(ready, packet):
    async def script(peer):
        await peer.request()
        await peer.send(packet)
        await peer.sees_close()

    leg, upstream = await ready(script)
    with pytest.raises(RemoteProtocolError) as caught:
        await leg.open()
    assert caught.value.request.method == "POST"
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


# --- in the body -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(LENGTH_5 + b"hel", id="short-length"),
        pytest.param(CHUNKED + b"3\r\nhel\r\n", id="no-last-chunk"),
        pytest.param(CHUNKED + b"5\r\nhel", id="cut-in-a-chunk"),
        pytest.param(CHUNKED + b"3\r\nhel\r\n0\r\n", id="cut-in-the-last-chunk"),
    ],
)
async def test_a_cut_body_is_a_protocol_error_behind_the_bytes_that_came(ready, packet):
    async def script(peer):
        await peer.request()
        await peer.send(packet)

    leg, _ = await ready(script)
    answer = await leg.open()
    assert await answer.next() == b"hel"
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            await answer.next()


@pytest.mark.parametrize(
    "chunk",
    [b"zz\r\n", b"0x2\r\nab\r\n", b" 2\r\nab\r\n", b"2 \r\nab\r\n", b"2\nab\n", b"2\r\nabcd\r\n",
     b"-2\r\nab\r\n", b"fffffffffffffffff\r\n", b"2;a=\n\r\nab\r\n"],
)  # fmt: skip
async def test_a_malformed_chunk_is_a_protocol_error_and_ends_the_connection(ready, chunk):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED, b"3\r\nhel\r\n" + chunk, pause=0.01)
        await peer.sees_close()

    leg, upstream = await ready(script)
    answer = await leg.open()
    with pytest.raises(RemoteProtocolError):
        await answer.read(1000)
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


@pytest.mark.parametrize("head", [LENGTH_5, CHUNKED, UNTIL_CLOSE])
async def test_a_reset_in_the_body_is_a_read_error(ready, head):
    async def script(peer):
        await peer.request()
        await peer.send(head, pause=0.02)
        peer.reset()

    leg, _ = await ready(script)
    answer = await leg.open()
    with pytest.raises(ReadError):
        await answer.next()


async def test_silence_between_body_bytes_is_a_read_timeout_and_ends_the_connection(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"3\r\nhel\r\n")
        await peer.sees_close()

    leg, upstream = await ready(script, timeouts=Timeouts(idle=SHORT))
    answer = await leg.open()
    assert await answer.next() == b"hel"
    with pytest.raises(ReadTimeout):
        await answer.next()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_each_body_byte_begins_the_idle_deadline_anew(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED, *[b"1\r\nx\r\n"] * 6, b"0\r\n\r\n", pause=SHORT / 2)

    leg, _ = await ready(script, timeouts=Timeouts(idle=SHORT))
    assert await leg.fetch() == (200, b"xxxxxx")


async def test_bytes_that_are_no_body_do_not_hold_the_idle_deadline_off(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"3;")
        while True:
            await peer.send(b"a=b;", pause=0.02)

    leg, _ = await ready(script, timeouts=Timeouts(idle=SHORT))
    answer = await leg.open()
    with pytest.raises(ReadTimeout):
        await answer.next()


async def test_a_body_that_trickles_on_for_ever_ends_at_the_total_deadline(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED)
        while True:
            await peer.send(b"1\r\nx\r\n", pause=0.02)

    leg, _ = await ready(script, timeouts=Timeouts(total=2 * SHORT, idle=LONG))
    answer = await leg.open()
    assert await answer.next() == b"x"
    with pytest.raises(ReadTimeout):
        await answer.read(1000)


async def test_an_answer_its_reader_forgot_is_dropped_at_the_total_deadline(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED + b"1\r\nx\r\n")
        await peer.sees_close()

    leg, upstream = await ready(script, timeouts=Timeouts(total=SHORT))
    answer = await leg.open()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)
    assert await answer.next() == b"x"
    with pytest.raises(ReadTimeout):
        await answer.next()


async def test_a_slow_reader_is_not_taken_for_a_silent_upstream(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED, b"1\r\nx\r\n")
        await asyncio.sleep(2.5 * SHORT)
        await peer.send(b"1\r\ny\r\n0\r\n\r\n")

    leg, _ = await ready(script, timeouts=Timeouts(idle=SHORT, first_byte=SHORT))
    answer = await leg.open()
    await asyncio.sleep(2 * SHORT)
    assert await answer.next() == b"x"
    assert await answer.next() == b"y"
    assert await answer.next() == b""
