"""Bodies as they arrive: however they are framed, cut into packets, or compressed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import zlib

import pytest

from runtime.upstream import RemoteProtocolError

pytestmark = pytest.mark.anyio

TEXT = b"data: 1\n\ndata: 22\n\n"
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"content-length: %d\r\n\r\n" % len(TEXT) + TEXT
CHUNKED = (
    OK + b"transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\na;x=y\r\ndata: 22\n\n\r\n0\r\n"
)
NO_TRAILER, TRAILER = CHUNKED + b"\r\n", CHUNKED + b"x-trailer: 1\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + LENGTH


@pytest.mark.parametrize("wire", [LENGTH, NO_TRAILER, TRAILER, INTERIM])
async def test_a_body_reads_the_same_wherever_its_packets_are_cut(ready, wire):
    async def script(peer):
        for cut in range(1, len(wire)):
            await peer.request()
            await peer.send(wire[:cut], pause=0.001)
            await peer.send(wire[cut:])
        await peer.sees_close()

    leg, upstream = await ready(script)
    for _ in range(1, len(wire)):
        assert await leg.fetch() == (200, TEXT)
    assert len(upstream.peers) == 1


async def test_a_body_may_come_byte_by_byte(answering):
    leg = await answering(*(bytes([byte]) for byte in TRAILER))
    assert await leg.fetch() == (200, TEXT)


async def test_a_body_without_length_lasts_until_the_connection_closes(ready):
    async def script(peer):
        await peer.request()
        await peer.send(OK + b"\r\n", TEXT, pause=0.01)

    leg, _ = await ready(script)
    assert await leg.fetch() == (200, TEXT)


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        OK + b"content-length: 0\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_an_empty_body_is_a_clean_end_at_once(answering, wire):
    answer = await (await answering(wire)).open()
    assert await answer.next() == b""
    assert await answer.next() == b""


async def test_one_read_takes_all_that_is_queued(ready):
    async def script(peer):
        await peer.request()
        await peer.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        await peer.send(*(b"1\r\n%d\r\n" % n for n in range(5)), pause=0.01)
        await peer.sees_close()

    leg, _ = await ready(script)
    answer = await leg.open()
    await asyncio.sleep(0.15)
    assert await answer.next() == b"01234"


async def test_chunks_gives_the_body_as_it_arrives(answering):
    answer = await (await answering(LENGTH)).open()
    assert b"".join([part async for part in answer.chunks()]) == TEXT


async def test_a_redirect_is_an_answer_like_any_other(answering):
    wire = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/\r\n\r\n"
    answer = await (await answering(wire)).open()
    assert answer.status == 307


async def test_an_error_status_keeps_its_headers_and_body(answering):
    wire = b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\ncontent-length: 2\r\n\r\n{}"
    answer = await (await answering(wire)).open()
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert await answer.read(2) == b"{}"


@pytest.mark.parametrize("wire", [LENGTH, NO_TRAILER])
async def test_a_whole_body_over_the_limit_is_a_protocol_error(answering, wire):
    answer = await (await answering(wire)).open()
    with pytest.raises(RemoteProtocolError, match="over 18 bytes"):
        await answer.read(len(TEXT) - 1)


# --- compressed ---------------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def encoded(coding: str, data: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\ncontent-length: {len(data)}\r\n\r\n"
    return head.encode() + data


EACH_TRANSPORT = pytest.mark.parametrize("transport", ["fast", "httpx"], indirect=True)


@EACH_TRANSPORT
@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress),
     ("deflate", raw_deflate), ("identity", bytes)],
)  # fmt: skip
async def test_a_body_compressed_unasked_is_unpacked(answering, coding, pack):
    wire = encoded(coding, pack(TEXT * 50))
    answer = await (await answering(*(wire[n : n + 16] for n in range(0, len(wire), 16)))).open()
    assert await answer.read(1 << 20) == TEXT * 50
    assert coding == "identity" or "content-encoding" not in answer.headers


@EACH_TRANSPORT
async def test_a_head_that_comes_again_says_again_that_the_body_is_compressed(ready):
    wire = encoded("gzip", gzip.compress(TEXT, mtime=0))

    async def script(peer) -> None:
        for _ in range(3):
            await peer.request()
            await peer.send(wire)
        await peer.sees_close()

    leg, _ = await ready(script)
    for _ in range(3):
        answer = await leg.open()
        assert await answer.read(1 << 20) == TEXT


@EACH_TRANSPORT
async def test_a_compressed_body_may_come_byte_by_byte(answering):
    noise = b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(100))
    wire = encoded("gzip", gzip.compress(noise))  # unpacks to nothing for thousands of packets
    answer = await (await answering(*(bytes([byte]) for byte in wire))).open()
    assert await answer.read(1 << 20) == noise


@EACH_TRANSPORT
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gzip.compress(bytes(50_000_000)), "over 100 times"),
        (gzip.compress(TEXT)[:-4], "cut short"),
        (gzip.compress(TEXT) + b"more", "behind"),
        (b"\x1f\x8b" + b"junk" * 10, "damaged"),
        (b"plain text", "damaged"),
    ],
)
async def test_a_compressed_body_that_cannot_be_trusted_is_a_protocol_error(answering, data, why):
    answer = await (await answering(encoded("gzip", data))).open()
    with pytest.raises(RemoteProtocolError, match=why):
        await answer.read(1 << 30)


@EACH_TRANSPORT
@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
async def test_an_encoding_nobody_can_read_is_refused_at_the_head(answering, coding):
    leg = await answering(encoded(coding, b"x"))
    with pytest.raises(RemoteProtocolError, match="not asked for"):
        await leg.open()
