"""Parts of streams go out together, in the order they were made, none behind an end or a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from runtime.edge import Call
from runtime.edge.outbox import Outbox
from tests.support.edge import Edge, running

SMALL = b"part "
KILOBYTE = bytes(1024)
LARGE = bytes(70_000)
MORE_THAN_A_SOCKET_TAKES = bytes(8 * 1024 * 1024)


class Stream:
    """What an outbox sees of a call; everything written is noted in `wire`, under its name."""

    def __init__(self, name: str, wire: list[tuple[str, bytes]]) -> None:
        self.transport = self
        self.request_id = self.name = name
        self.wire = wire
        self.gone = False
        self.broken = False

    def write(self, part: bytes) -> None:
        if self.broken:
            raise RuntimeError("the handle is closed")
        self.wire.append((self.name, part))

    def drop(self) -> None:
        self.gone = True
        self.wire.append((self.name, b"cut"))


def in_a_turn(work: Callable[[Outbox, Callable[[str], Stream]], None]) -> list[tuple[str, bytes]]:
    """What is written by the end of a turn of the loop in which `work` was done."""
    wire: list[tuple[str, bytes]] = []

    async def turn() -> None:
        work(Outbox(), lambda name: Stream(name, wire))
        wire.append(("turn", b"made"))
        await asyncio.sleep(0)

    asyncio.run(turn())
    return wire


def test_parts_of_all_streams_are_written_when_all_are_made_and_in_their_order():
    def work(outbox: Outbox, stream: Callable[[str], Stream]) -> None:
        a, b = stream("a"), stream("b")
        for at, one in enumerate((a, b, a)):
            outbox.add(one, b"%d" % at)

    assert in_a_turn(work) == [("turn", b"made"), ("a", b"0"), ("b", b"1"), ("a", b"2")]


def test_much_is_written_at_once_behind_what_waits():
    def work(outbox: Outbox, stream: Callable[[str], Stream]) -> None:
        a, b = stream("a"), stream("b")
        outbox.add(a, SMALL)
        outbox.add(b, LARGE)
        outbox.add(a, SMALL)

    told = [("a", SMALL), ("b", LARGE), ("turn", b"made"), ("a", SMALL)]
    assert in_a_turn(work) == told


def test_what_waits_is_flushed_once():
    def work(outbox: Outbox, stream: Callable[[str], Stream]) -> None:
        outbox.add(stream("a"), SMALL)
        outbox.flush()

    assert in_a_turn(work) == [("a", SMALL), ("turn", b"made")]


def test_nothing_is_written_to_a_client_that_has_left():
    def work(outbox: Outbox, stream: Callable[[str], Stream]) -> None:
        a, b = stream("a"), stream("b")
        outbox.add(a, SMALL)
        outbox.add(b, SMALL)
        a.gone = True

    assert in_a_turn(work) == [("turn", b"made"), ("b", SMALL)]


def test_a_stream_that_cannot_be_written_is_cut_and_costs_the_others_nothing():
    def work(outbox: Outbox, stream: Callable[[str], Stream]) -> None:
        a, b = stream("a"), stream("b")
        a.broken = True
        outbox.add(a, SMALL)
        outbox.add(b, SMALL)
        outbox.add(a, SMALL)

    assert in_a_turn(work) == [("turn", b"made"), ("a", b"cut"), ("b", SMALL)]


PARTS = (b"one", b"two")
CHUNKS = b"3\r\none\r\n3\r\ntwo\r\n"
ENDS: dict[str, Callable[[Edge, Call], object]] = {
    "finish": lambda _, call: call.finish(),
    "abort": lambda _, call: call.abort(),
    "stop": lambda edge, _: edge.app.ctx.connections.stop(),
}


def ending(end: Callable[[Edge, Call], object], *, keep_alive: bool = False):
    """A handler that streams the parts and ends, all in one turn."""

    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.keep_alive = call.keep_alive and keep_alive
            call.start(200, [])
            for part in PARTS:
                call.write(part)
            end(edge, call)

        return handle

    return handler


@pytest.mark.parametrize(("end", "last"), [("finish", b"0\r\n\r\n"), ("abort", b""), ("stop", b"")])
def test_the_end_of_a_stream_goes_out_behind_its_parts(end: str, last: bytes):
    with running(ending(ENDS[end])) as edge:
        _, _, body = edge.connect().post().rest().partition(b"\r\n\r\n")
    assert body == CHUNKS + last


def test_so_it_does_where_the_end_of_the_connection_is_the_end_of_the_body():
    with running(ending(ENDS["finish"])) as edge:
        client = edge.connect().send(b"POST /v1/messages HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        assert client.rest().endswith(b"\r\n\r\nonetwo")


def test_the_error_of_a_shutdown_goes_out_behind_the_parts():
    def shut_down(edge: Edge, _: Call) -> None:
        for connection in tuple(edge.app.ctx.connections._open):
            connection.shut_down()

    with running(ending(shut_down)) as edge:
        _, _, body = edge.connect().post(b'{"stream":true}').rest().partition(b"\r\n\r\n")
    assert body.startswith(CHUNKS)
    assert b"error" in body.removeprefix(CHUNKS)
    assert not body.endswith(b"0\r\n\r\n")


def test_streams_of_pipelined_requests_follow_each_other():
    with running(ending(ENDS["finish"], keep_alive=True)) as edge:
        client = edge.connect()
        for _ in range(3):
            client.post()
        assert [client.answer().body for _ in range(3)] == [b"onetwo"] * 3


def test_a_slow_reader_is_noticed_while_a_turn_lasts():
    unsent = []

    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.start(200, [])
            for _ in range(16_000):
                call.write(KILOBYTE)
                if call.paused:
                    unsent.append(call.transport.get_write_buffer_size())
                    break
            call.abort()
            edge.events.append("cut")

        return handle

    with running(handler) as edge:
        client = edge.connect().post()
        edge.wait_for("cut")
        client.rest()
    assert unsent
    assert unsent[0] < 512 * 1024


class Clogged:
    """A transport that cannot write the part `two`."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def write(self, part: bytes) -> None:
        if b"two" in part:
            raise RuntimeError("it cannot be written")
        self.transport.write(part)


def test_no_end_goes_out_behind_a_part_that_could_not_be_written():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.start(200, [])
            call.transport = Clogged(call.transport)
            for part in (MORE_THAN_A_SOCKET_TAKES, b"two", b"three"):
                call.write(part)
            call.finish()

        return handle

    with running(handler) as edge:
        sent = edge.connect().post().rest()
    assert b"three" not in sent
    assert not sent.endswith(b"0\r\n\r\n")


def test_who_makes_a_stream_that_cannot_be_written_is_told_to_stop():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.start(200, [])
            call.transport = Clogged(call.transport)
            call.write(b"two")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                edge.events.append("told")
                raise

        return handle

    with running(handler) as edge:
        edge.connect().post()
        edge.wait_for("told")
