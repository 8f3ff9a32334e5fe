"""Who takes a body as it comes gets all of it in order, may stop at any part and go on later."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from runtime.upstream import ReadError, ReadTimeout, RemoteProtocolError
from runtime.vocabulary import Timeouts
from tests.runtime.upstream.support import LONG, SHORT

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
PARTS = [b"one", b"two", b"three", b"four"]
EACH_TRANSPORT = pytest.mark.parametrize("transport", ["fast", "httpx"], indirect=True)


def chunk(part: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(part), part)


class Taker:
    """Notes what it gets, and wants no more for now after the `last` of its parts."""

    near: tuple[object, ...] = ()

    def __init__(self, last: bytes = b"-", *, fails: bytes = b"-") -> None:
        self.parts: list[bytes] = []
        self.came = asyncio.Event()
        self._last = last
        self._fails = fails

    def take(self, data: bytes) -> float:
        self.parts.append(data)
        self.came.set()
        if self._fails in data:
            raise RuntimeError("the taker has failed")
        return 0.0 if self._last in data else asyncio.get_running_loop().time()

    @property
    def taken(self) -> bytes:
        return b"".join(self.parts)


def sending(*packets: bytes, pause: float = 0.01):
    """The script of an upstream that answers each request with a head and these."""

    async def script(peer):
        while True:
            await peer.request()
            await peer.send(HEAD, *packets, pause=pause)

    return script


def holding(*packets: bytes, pause: float = 0.01):
    """The same, of one that says no more until the connection is closed."""

    async def script(peer):
        await peer.request()
        await peer.send(HEAD, *packets, pause=pause)
        await peer.sees_close()

    return script


@EACH_TRANSPORT
async def test_a_taker_gets_the_whole_body(ready):
    leg, _ = await ready(sending(*map(chunk, PARTS), END))
    taker = Taker()
    answer = await leg.open()
    assert await answer.pipe(taker) is True
    assert taker.taken == b"".join(PARTS)
    assert await answer.pipe(taker) is True


@EACH_TRANSPORT
async def test_a_taker_gets_the_plain_bytes_of_a_compressed_body(answering):
    packed = gzip.compress(b"".join(PARTS))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    taker = Taker()
    answer = await (await answering(head % len(packed), packed[:9], packed[9:])).open()
    assert await answer.pipe(taker) is True
    assert taker.taken == b"".join(PARTS)


@EACH_TRANSPORT
@pytest.mark.parametrize("waits", [0, 0.03])
async def test_a_taker_that_wants_no_more_gets_no_more_until_it_is_piped_again(ready, waits):
    leg, upstream = await ready(sending(*map(chunk, PARTS), END))
    taker = Taker(b"two")
    answer = await leg.open()
    assert await answer.pipe(taker) is False
    seen = list(taker.parts)
    await asyncio.sleep(waits)
    assert taker.parts == seen
    assert await answer.pipe(taker) is True
    assert taker.taken == b"".join(PARTS)
    assert await leg.open()
    assert len(upstream.peers) == 1


async def test_what_comes_before_a_taker_that_stopped_is_heard_of_waits_for_it(ready):
    """One that stops is told so in a later turn of the loop; packets may come until then."""
    leg, _ = await ready(holding(chunk(b"one")))
    taker = Taker(b"two")
    answer = await leg.open()
    piped = asyncio.ensure_future(answer.pipe(taker))
    await taker.came.wait()
    for part in (b"two", b"three", b"four"):
        answer._connection.data_received(chunk(part))
    assert await piped is False
    assert taker.parts == [b"one", b"two"]
    answer._connection.data_received(END)
    assert await answer.pipe(taker) is True
    assert taker.taken == b"onetwothreefour"


@EACH_TRANSPORT
async def test_a_body_may_end_with_the_part_that_its_taker_stops_at(ready):
    leg, upstream = await ready(sending(chunk(b"one"), chunk(b"two") + END))
    for _ in range(2):
        taker = Taker(b"two")
        answer = await leg.open()
        assert await answer.pipe(taker) is False
        assert await answer.pipe(taker) is True
        assert taker.taken == b"onetwo"
    assert len(upstream.peers) == 1


@pytest.mark.parametrize("packets", [PARTS, [b"".join(PARTS[:3])]], ids=["alone", "at once"])
async def test_what_a_taker_raises_is_raised_where_it_was_piped_and_ends_the_connection(
    ready, packets
):
    leg, upstream = await ready(holding(*map(chunk, packets)))
    answer = await leg.open()
    with pytest.raises(RuntimeError, match="the taker has failed"):
        await answer.pipe(Taker(fails=b"three"))
    answer.close()
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


@pytest.mark.parametrize(
    ("end", "error"),
    [("close", RemoteProtocolError), ("reset", ReadError), ("junk", RemoteProtocolError)],
)
async def test_a_failure_comes_behind_the_parts_before_it(ready, end, error):
    taker = Taker()

    async def script(peer):
        await peer.request()
        await peer.send(HEAD, chunk(b"one"))
        await taker.came.wait()
        if end == "reset":
            peer.reset()
        elif end == "junk":
            await peer.send(chunk(b"two") + b"zz\r\n")
            await peer.sees_close()

    leg, _ = await ready(script)
    answer = await leg.open()
    with pytest.raises(error):
        await answer.pipe(taker)
    assert taker.taken == (b"onetwo" if end == "junk" else b"one")


async def test_a_taker_that_is_cancelled_ends_the_connection_and_gets_no_more(ready):
    leg, upstream = await ready(holding(chunk(b"one")))
    taker = Taker()
    answer = await leg.open()
    piped = asyncio.ensure_future(answer.pipe(taker))
    await taker.came.wait()
    connection = answer._connection
    piped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await piped
    connection.data_received(chunk(b"two"))  # the loop may have had it at hand
    assert taker.parts == [b"one"]
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_a_taker_gets_nothing_of_an_answer_that_has_failed(ready):
    leg, _ = await ready(holding(chunk(b"one")))
    taker = Taker()
    answer = await leg.open()
    piped = asyncio.ensure_future(answer.pipe(taker))
    await taker.came.wait()
    connection = answer._connection
    answer.close()
    connection.data_received(chunk(b"two"))  # the loop may have had it at hand
    with pytest.raises(ReadError):
        await piped
    assert taker.parts == [b"one"]


async def test_a_taker_may_close_its_answer(ready):
    class Closing(Taker):
        def take(self, data: bytes) -> float:
            answer.close()
            return super().take(data)

    leg, upstream = await ready(holding())
    taker = Closing(b"one")
    answer = await leg.open()
    piped = asyncio.ensure_future(answer.pipe(taker))
    connection = answer._connection
    await asyncio.sleep(0)
    assert connection.taker is taker
    connection.data_received(chunk(b"one") + END)
    connection.data_received(chunk(b"two"))
    with pytest.raises(ReadError):
        await piped
    assert taker.parts == [b"one"]
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


# --- time ---------------------------------------------------------------------------------------


@EACH_TRANSPORT
async def test_each_part_a_taker_gets_begins_the_idle_deadline_anew(ready):
    leg, _ = await ready(
        sending(*[chunk(b"x")] * 6, END, pause=SHORT / 2), timeouts=Timeouts(idle=SHORT)
    )
    taker = Taker()
    assert await (await leg.open()).pipe(taker) is True
    assert taker.taken == b"xxxxxx"


@EACH_TRANSPORT
@pytest.mark.parametrize("packets", [[], [chunk(b"x")], [chunk(b"x")] * 3])
async def test_silence_while_a_taker_waits_is_a_read_timeout_and_ends_the_connection(
    ready, packets
):
    script = holding(*packets, pause=SHORT / 2)
    leg, upstream = await ready(script, timeouts=Timeouts(idle=SHORT))
    taker = Taker()
    answer = await leg.open()
    with pytest.raises(ReadTimeout):
        await answer.pipe(taker)
    assert taker.taken == b"x" * len(packets)
    await asyncio.wait_for(upstream.peers[0].gone.wait(), LONG)


async def test_a_body_that_goes_on_for_ever_ends_at_the_total_deadline_of_its_taker(ready):
    async def script(peer):
        await peer.request()
        await peer.send(HEAD)
        while True:
            await peer.send(chunk(b"x"), pause=0.02)

    leg, _ = await ready(script, timeouts=Timeouts(total=2 * SHORT, idle=LONG))
    taker = Taker()
    answer = await leg.open()
    with pytest.raises(ReadTimeout):
        await answer.pipe(taker)
    assert taker.parts


@EACH_TRANSPORT
@pytest.mark.parametrize("how", ["pipe", "next"])
async def test_the_upstream_has_the_whole_time_again_when_a_taker_comes_back(ready, how):
    """As long as nobody waits for it, it cannot be late."""
    going_on = asyncio.Event()

    async def script(peer):
        await peer.request()
        await peer.send(HEAD, *[chunk(b"x")] * 3, chunk(b"last"), pause=SHORT / 2)
        await going_on.wait()
        await peer.send(chunk(b"more") + END)

    leg, _ = await ready(script, timeouts=Timeouts(idle=SHORT))
    taker = Taker(b"last")
    answer = await leg.open()
    assert await answer.pipe(taker) is False
    await asyncio.sleep(2 * SHORT)
    asyncio.get_running_loop().call_later(SHORT / 2, going_on.set)
    if how == "pipe":
        assert await answer.pipe(taker) is True
    else:
        taker.parts.append(await answer.next())
    assert taker.taken == b"xxxlastmore"
