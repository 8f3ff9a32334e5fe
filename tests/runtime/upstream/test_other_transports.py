"""Other httpx transports behind the same answers: the stock one, and mocks."""

from __future__ import annotations

import asyncio

import pytest

from runtime.upstream import (
    ConnectError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    Upstreams,
)
from runtime.upstream.door import httpx
from runtime.upstream.foreign import proxy_for
from runtime.vocabulary import Provider, Timeouts
from tests.runtime.upstream.support import LONG, SHORT, Leg

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
STOCK = pytest.mark.parametrize("transport", ["httpx"], indirect=True)


def mocked(handler, **timeouts: float) -> Leg:
    provider = Provider("http://mock.test/v1", key_env="KEY", timeouts=Timeouts(**timeouts))
    transports = {"p": httpx.MockTransport(handler)}
    return Leg(Upstreams({"p": provider}, {"KEY": "secret"}, transports=transports), LONG)


async def test_a_mock_sees_the_request_that_would_be_sent_and_answers_it():
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url == "http://mock.test/v1/messages"
        assert request.headers["authorization"] == "Bearer secret"
        assert request.headers["x-a"] == "b"
        assert request.content == b'{"model": "m"}'
        return httpx.Response(429, json={"error": 1}, headers={"Retry-After": "3"})

    leg = mocked(handler)
    answer = await leg.open(b'{"model": "m"}', path="/messages", headers=[(b"x-a", b"b")])
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    assert await answer.read(100) == b'{"error":1}'
    assert await answer.next() == b""
    await leg.upstreams.aclose()


async def test_a_mock_streams():
    async def events():
        yield b"data: 1\n\n"
        yield b""
        yield b"data: 2\n\n"

    leg = mocked(lambda request: httpx.Response(200, content=events()))
    answer = await leg.open()
    assert [part async for part in answer.chunks()] == [b"data: 1\n\n", b"data: 2\n\n"]
    await leg.upstreams.aclose()


async def test_a_mock_fails_before_and_after_its_head():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async def broken():
        yield b"data: 1\n\n"
        raise httpx.ReadError("reset")

    with pytest.raises(ConnectError):
        await mocked(refuse).open()
    answer = await mocked(lambda request: httpx.Response(200, content=broken())).open()
    assert await answer.next() == b"data: 1\n\n"
    for _ in range(2):
        with pytest.raises(ReadError):
            await answer.next()


async def test_a_mock_that_hangs_is_a_read_timeout_at_the_head_and_in_the_body():
    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(LONG)
        return httpx.Response(200)

    async def silent():
        yield b"x"
        await asyncio.sleep(LONG)

    with pytest.raises(ReadTimeout):
        await mocked(hang).open(first_byte=SHORT)
    leg = mocked(lambda request: httpx.Response(200, content=silent()), idle=SHORT)
    answer = await leg.open()
    assert await answer.next() == b"x"
    with pytest.raises(ReadTimeout):
        await answer.next()


@STOCK
async def test_the_stock_transport_keeps_its_connection(ready):
    async def script(peer):
        while True:
            await peer.request()
            await peer.send(OK)

    leg, upstream = await ready(script)
    for _ in range(3):
        assert await leg.fetch() == (200, b"ok")
    assert len(upstream.peers) == 1


@STOCK
async def test_the_stock_transport_keeps_the_connection_of_a_released_answer(ready):
    async def script(peer):
        while True:
            await peer.request()
            await peer.send(CHUNKED + b"1\r\nx\r\n", b"0\r\n\r\n", pause=0.02)

    leg, upstream = await ready(script)
    for _ in range(2):
        answer = await leg.open()
        assert await answer.next() == b"x"
        answer.release()
        await asyncio.sleep(0.1)
    assert len(upstream.peers) == 1


@STOCK
async def test_a_released_answer_that_goes_on_loses_its_connection_on_the_stock_transport(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED)
        while True:
            await peer.send(b"4000\r\n" + bytes(0x4000) + b"\r\n")

    leg, upstream = await ready(script)
    (await leg.open()).release()
    await asyncio.sleep(0.2)
    assert upstream.open == 0


async def test_a_cancelled_read_closes_the_stream_of_a_mock():
    closed = asyncio.Event()

    class Silent(httpx.AsyncByteStream):
        async def __aiter__(self):
            await asyncio.sleep(LONG)
            yield b""

        async def aclose(self):
            closed.set()

    leg = mocked(lambda request: httpx.Response(200, stream=Silent()))
    task = asyncio.ensure_future((await leg.open()).next())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(closed.wait(), LONG)


@STOCK
@pytest.mark.parametrize(
    ("packet", "error"),
    [(b"junk\r\n\r\n", RemoteProtocolError), (b"", RemoteProtocolError),
     (CHUNKED + b"5\r\nhel", RemoteProtocolError)],
)  # fmt: skip
async def test_faults_of_the_stock_transport_are_the_same_exceptions(ready, packet, error):
    async def script(peer):
        await peer.request()
        await peer.send(packet)

    leg, _ = await ready(script)
    with pytest.raises(error):
        await leg.fetch()


@STOCK
async def test_the_total_deadline_holds_on_the_stock_transport(ready):
    async def script(peer):
        await peer.request()
        await peer.send(CHUNKED)
        while True:
            await peer.send(b"1\r\nx\r\n", pause=0.02)

    leg, upstream = await ready(script, timeouts=Timeouts(total=SHORT))
    answer = await leg.open()
    with pytest.raises(ReadTimeout):
        await answer.read(1000)
    await asyncio.sleep(0.1)
    assert upstream.open == 0


@STOCK
async def test_the_stock_transport_follows_no_redirect(ready):
    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 302 Found\r\nlocation: /v2\r\ncontent-length: 0\r\n\r\n")
        await peer.sees_close()

    leg, _ = await ready(script)
    assert await leg.fetch() == (302, b"")


@pytest.mark.parametrize(
    ("env", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:1"}, "http://proxy:1"),
        ({"https_proxy": "http://proxy:1"}, "http://proxy:1"),
        ({"HTTP_PROXY": "http://proxy:1"}, None),
        ({"ALL_PROXY": "http://proxy:1"}, "http://proxy:1"),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "b.test, example.test"}, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": ".example.test"}, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "ample.test"}, "http://proxy:1"),
    ],
)
def test_the_environment_names_a_proxy_for_a_url(env, proxy):
    assert proxy_for(httpx.URL("https://api.example.test/v1"), env) == proxy


@STOCK
@pytest.mark.parametrize(("trust", "through_proxy"), [(True, 1), (False, 0)])
async def test_a_proxy_of_the_environment_is_used_only_where_it_is_trusted(
    ready, trust, through_proxy
):
    seen = []

    async def script(peer):
        head, _ = await peer.request()
        seen.append(head.split(b" ")[1])
        await peer.send(OK)

    _, proxy = await ready(script)
    _, upstream = await ready(script)
    provider = Provider(upstream.url, auth="none", transport="httpx")
    env = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"}
    upstreams = Upstreams({"p": provider}, env, trust_env=trust)
    assert await Leg(upstreams, LONG).fetch() == (200, b"ok")
    assert len(proxy.peers) == through_proxy
    await upstreams.aclose()
