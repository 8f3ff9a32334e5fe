"""Kept connections: the newest first, never one that cannot be trusted, one second try."""

from __future__ import annotations

import asyncio
import gc

import pytest

from runtime.upstream import ReadError, RemoteProtocolError, origin
from runtime.upstream.connection import Connection
from tests.runtime.upstream.support import LONG

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def replies(*packets: bytes):
    """A script that answers one request with each packet, then waits for the close."""

    async def script(peer):
        for packet in packets:
            await peer.request()
            await peer.send(packet)
        await peer.sees_close()

    return script


async def test_requests_one_after_the_other_share_a_connection(ready):
    leg, upstream = await ready(replies(*[OK] * 20))
    for _ in range(20):
        assert await leg.fetch() == (200, b"ok")
    assert len(upstream.peers) == 1


async def test_each_head_of_a_connection_says_what_it_says_alone(ready):
    long = b"x-long: %b\r\n" % (b"x" * 5000)
    packets = [
        b"HTTP/1.1 %d OK\r\nx: %b\r\n%bcontent-length: %d\r\n\r\n%b" % (*line, len(body), body)
        for line, body in [
            ((200, b"1", b""), b"ok"),
            ((200, b"1", b""), b"no"),
            ((200, b"2", b""), b"ok"),
            ((404, b"2", b""), b"ok"),
            ((404, b"2", long), b"ok"),
            ((404, b"2", long), b"no"),
            ((200, b"1", b""), b"three"),
            ((200, b"1", b""), b"ok"),
        ]
    ]
    leg, upstream = await ready(replies(*packets))
    got = []
    for _ in packets:
        answer = await leg.open()
        got.append((answer.status, answer.headers["x"], await answer.read(100)))
    assert got == [
        (200, "1", b"ok"),
        (200, "1", b"no"),
        (200, "2", b"ok"),
        (404, "2", b"ok"),
        (404, "2", b"ok"),
        (404, "2", b"no"),
        (200, "1", b"three"),
        (200, "1", b"ok"),
    ]
    assert len(upstream.peers) == 1


async def test_the_connection_used_last_is_used_first(ready):
    async def script(peer):
        while True:
            _, body = await peer.request()
            if body in holds:
                await holds[body].wait()
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
            await peer.send(b"%02d" % upstream.peers.index(peer))

    holds = {b"%d" % n: asyncio.Event() for n in range(3)}
    leg, upstream = await ready(script)
    tasks = {body: asyncio.ensure_future(leg.fetch(body)) for body in holds}
    for body in (b"2", b"0", b"1"):
        holds[body].set()
        _, last = await tasks[body]
    for _ in range(3):
        assert await leg.fetch(b"again") == (200, last)
    assert len(upstream.peers) == 3


async def test_answers_at_the_same_time_have_connections_of_their_own(ready):
    leg, upstream = await ready(replies(OK, OK))
    await asyncio.gather(*(leg.fetch() for _ in range(10)))
    await asyncio.gather(*(leg.fetch() for _ in range(10)))
    assert len(upstream.peers) == 10


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), id="close"),
        pytest.param(OK.replace(b"1.1", b"1.0"), id="http-1.0"),
        pytest.param(OK + b"surplus", id="surplus"),
        pytest.param(OK + OK, id="two-answers"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + OK,
            id="two-answers-chunked",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n?",
            id="surplus-chunked",
        ),
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nkeep-alive: timeout=0\r\n\r\n"), id="no-time"),
    ],
)
async def test_a_connection_that_cannot_be_trusted_is_not_kept(ready, packet):
    leg, upstream = await ready(replies(packet))
    for _ in range(2):
        assert await leg.fetch() == (200, b"ok")
    assert len(upstream.peers) == 2
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_bytes_on_an_idle_connection_end_it(ready):
    async def script(peer):
        await peer.request()
        await peer.send(OK, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", pause=0.05)
        await peer.sees_close()

    leg, upstream = await ready(script)
    await leg.fetch()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)
    assert await leg.fetch() == (200, b"ok")
    assert len(upstream.peers) == 2


async def test_a_connection_nobody_needs_expires(ready, monkeypatch):
    monkeypatch.setattr("runtime.upstream.connection.IDLE_EXPIRY", 0.05)
    leg, upstream = await ready(replies(OK))
    await leg.fetch()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_only_so_many_connections_are_kept(ready, monkeypatch):
    monkeypatch.setattr("runtime.upstream.origin.MAX_IDLE", 2)
    leg, upstream = await ready(replies(OK, OK))
    await asyncio.gather(*(leg.fetch() for _ in range(5)))
    await asyncio.sleep(0.05)
    assert upstream.open == 2


async def test_connections_that_the_upstream_closed_leave_nothing_behind(ready):
    async def script(peer):
        await peer.request()
        await peer.send(OK)

    leg, upstream = await ready(script)
    await asyncio.gather(*(leg.fetch() for _ in range(20)))
    await asyncio.sleep(0.05)
    assert upstream.open == 0
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, Connection)] == []


# --- the second try -----------------------------------------------------------------------------


def first_answers_then(end):
    """The first connection answers once and then ends on its next request; later ones answer."""

    def build(upstream_of):
        async def script(peer):
            await peer.request()
            await peer.send(OK)
            await peer.request()
            if upstream_of().peers[0] is peer:
                await end(peer)
            else:
                await peer.send(OK)

        return script

    return build


async def reset(peer):
    peer.reset()


async def close(_peer):
    pass


@pytest.mark.parametrize("end", [reset, close])
@pytest.mark.parametrize("size", [2, 300_000])
async def test_a_kept_connection_that_turns_out_dead_gives_way_to_a_fresh_one(ready, end, size):
    leg, upstream = await ready(first_answers_then(end)(lambda: upstream))
    await leg.fetch()
    assert await leg.fetch(b"x" * size) == (200, b"ok")
    assert len(upstream.peers) == 2


async def test_a_request_gets_one_second_try_and_no_third(ready):
    async def script(peer):
        await peer.request()
        if upstream.peers[0] is peer:
            await peer.send(OK)
            await peer.request()

    leg, upstream = await ready(script)
    await leg.fetch()
    with pytest.raises(RemoteProtocolError):
        await leg.fetch()
    assert len(upstream.peers) == 2


async def test_there_is_no_second_try_once_a_byte_of_the_answer_came(ready):
    async def half(peer):
        await peer.send(b"HTTP/1.1 ", pause=0.01)
        peer.reset()

    leg, upstream = await ready(first_answers_then(half)(lambda: upstream))
    await leg.fetch()
    with pytest.raises(ReadError):
        await leg.fetch()
    assert len(upstream.peers) == 1


async def test_there_is_no_second_try_for_an_upstream_that_worked_before_it_died(
    ready, monkeypatch
):
    monkeypatch.setattr(origin, "_STALE_SECONDS", 0.02)

    async def late(peer):
        await asyncio.sleep(0.1)
        peer.reset()

    leg, upstream = await ready(first_answers_then(late)(lambda: upstream))
    await leg.fetch()
    with pytest.raises(ReadError):
        await leg.fetch()
    assert len(upstream.peers) == 1


# --- answers not read to their end ---------------------------------------------------------------

EVENTS = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n[DONE]\r\n"


async def test_a_released_answer_keeps_its_connection_when_its_end_follows(ready):
    async def script(peer):
        for _ in range(2):
            await peer.request()
            await peer.send(EVENTS, b"2\r\n\n\n\r\n", b"0\r\n\r\n", pause=0.02)
        await peer.sees_close()

    leg, upstream = await ready(script)
    for _ in range(2):
        answer = await leg.open()
        assert await answer.next() == b"[DONE]"
        answer.release()
        await asyncio.sleep(0.1)
    assert len(upstream.peers) == 1


async def test_a_released_answer_that_goes_on_loses_its_connection(ready):
    async def script(peer):
        await peer.request()
        await peer.send(EVENTS)
        while True:
            await peer.send(b"4000\r\n" + bytes(0x4000) + b"\r\n")

    leg, upstream = await ready(script)
    (await leg.open()).release()
    await asyncio.sleep(0.1)
    assert upstream.open == 0


async def test_a_released_answer_that_ends_behind_too_much_loses_its_connection(ready):
    length = b"HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n"
    go = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(length)
        await go.wait()
        await peer.send(bytes(200_000))
        await peer.sees_close()

    leg, upstream = await ready(script)
    (await leg.open()).release()
    go.set()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_a_released_answer_that_never_ends_loses_its_connection(ready, monkeypatch):
    monkeypatch.setattr("runtime.upstream.connection.DISCARD_SECONDS", 0.05)
    leg, upstream = await ready(replies(EVENTS))
    (await leg.open()).release()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_a_closed_answer_loses_its_connection_and_cannot_be_read(ready):
    leg, upstream = await ready(replies(EVENTS))
    answer = await leg.open()
    answer.close()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)
    assert await answer.next() == b"[DONE]"
    with pytest.raises(ReadError):
        await answer.next()


async def test_closing_an_answer_that_has_ended_does_nothing(ready):
    leg, upstream = await ready(replies(OK, OK))
    for _ in range(2):
        answer = await leg.open()
        await answer.read(2)
        answer.close()
        answer.release()
    assert len(upstream.peers) == 1


async def test_an_answer_that_came_before_its_request_was_out_ends_the_connection(ready):
    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(OK)
        await asyncio.sleep(0.05)
        await peer.sees_close()

    leg, upstream = await ready(script)
    assert await leg.fetch(bytes(8_000_000)) == (200, b"ok")
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)
    assert await leg.fetch() == (200, b"ok")
    assert len(upstream.peers) == 2


async def test_closing_the_leg_ends_idle_connections_and_answers_under_way(ready):
    leg, upstream = await ready(replies(OK, EVENTS))
    await asyncio.gather(leg.fetch(), leg.fetch())
    answer = await leg.open()
    assert await answer.next() == b"[DONE]"
    waiting = asyncio.ensure_future(answer.next())
    await asyncio.sleep(0.01)
    await leg.upstreams.aclose()
    with pytest.raises(ReadError):
        await waiting
    await asyncio.sleep(0.05)
    assert upstream.open == 0
