"""One connection over its life: keep-alive, order, bodies in pieces, deadlines, caps, endings."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct

import pytest

from runtime.edge import Call, Caps, ClientGone
from runtime.errors import CallerError, RouterError, UpstreamError
from tests.support.edge import Edge, running, until

JSON = [(b"content-type", b"application/json")]
CLOSE = b"Connection: Close\r\n"
QUICK = Caps(head=0.2, body=0.2, idle=0.2, stall=0.2, linger=0.2, sweep=0.05)


def test_a_connection_serves_many_requests(edge: Edge):
    client = edge.connect()
    for body in (b"1", b"22", b"333"):
        answer = client.post(body).answer()
        assert (answer.status, answer.body) == (200, body)
        assert b"connection" not in answer.headers


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"X-Request-Id: mine\r\n", 200),
        (b"Content-Length: 3\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n", 400),
        (b"Connection: close\r\n", 200),
    ],
)
def test_a_head_that_nearly_repeats_the_last_one_is_read_anew(edge: Edge, more: bytes, status: int):
    head = b"POST /v1/messages HTTP/1.1\r\nHost: t\r\n%bContent-Length: %d\r\n\r\n%b"
    client = edge.connect()
    for body in (b"1", b"22"):
        assert client.send(head % (b"", len(body), body)).answer().body == body
    answer = client.send(head % (more, 3, b"333")).answer()
    assert answer.status == status
    assert (answer.body == b"333") == (status == 200)
    assert (answer.headers[b"x-request-id"] == b"mine") == (b"mine" in more)
    assert (b"connection" in answer.headers) == (status == 400 or b"close" in more)


def test_what_is_known_from_headers_is_known_to_equal_heads_alone():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            length = call.headers[b"content-length"]
            seen = call.known.setdefault("seen", 0)
            call.known["seen"] = seen + 1
            await call.send(200, JSON, b"%b %d" % (length, seen))

        return handle

    with running(handler) as edge:
        client = edge.connect()
        bodies = [client.post(b"x" * size).answer().body for size in (1, 20, 300)]
        other = client.post(b"x", more=b"x-api-key: other\r\n").answer().body
        back = client.post(b"x").answer().body
    assert bodies == [b"1 0", b"20 1", b"300 2"]
    assert (other, back) == (b"1 0", b"1 0")


def test_pipelined_requests_are_answered_in_order_and_one_at_a_time():
    def handler(edge: Edge):
        running_now = 0

        async def handle(call: Call) -> None:
            nonlocal running_now
            running_now += 1
            assert running_now == 1
            # the first takes longest
            await asyncio.sleep(0.05 if call.body == b"0" else 0)
            running_now -= 1
            await call.send(200, JSON, call.body)

        return handle

    with running(handler) as edge:
        client = edge.connect()
        client.send(
            b"".join(
                b"POST /v1/messages HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n%b"
                % (len(str(n)), str(n).encode())
                for n in range(50)
            )
        )
        assert [client.answer().body for _ in range(50)] == [str(n).encode() for n in range(50)]


def test_more_pipelined_bytes_than_are_held_back_wait_in_the_socket():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            await asyncio.sleep(0.01)
            await call.send(200, JSON, b"%d" % len(call.body))

        return handle

    with running(handler) as edge:
        client = edge.connect()
        for _ in range(8):
            client.post(b"x" * 100_000)
        assert [client.answer().body for _ in range(8)] == [b"100000"] * 8


@pytest.mark.parametrize("step", [1, 7, 64])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_may_come_in_any_pieces(edge: Edge, step: int, chunked: bool):
    framing, body = b"Content-Length: 11\r\n\r\n", b"hello world"
    if chunked:
        framing, body = (
            b"Transfer-Encoding: Chunked\r\n\r\n",
            b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        )
    request = b"\r\nPOST /v1/responses?x=1 HTTP/1.1\r\nHost: t\r\n" + framing + body
    client = edge.connect()
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(2):
        for at in range(0, len(request), step):
            client.send(request[at : at + step])
        assert client.answer().body == b"hello world"


def test_the_handler_sees_a_request_as_it_was(edge: Edge):
    edge.calls.clear()
    more = b"X-Thing:  a \r\nAccept: b\r\nAccept: c\r\nX-Request-Id: my.id_1\r\n"
    edge.connect().post(b"{}", b"/openai/v1/v1/responses/?a=b", more).answer()
    call = edge.calls[0]
    assert (call.method, call.path, call.query) == (b"POST", b"/v1/responses", b"a=b")
    assert call.headers[b"accept"] == b"b, c"
    assert call.headers[b"x-thing"].strip() == b"a"
    assert (call.request_id, call.peer) == ("my.id_1", "127.0.0.1")


@pytest.mark.parametrize("given", [b"a b", b"x" * 65, b"\xc3\xa9", b"a\xe2\x80\xa8b", b'"'])
def test_a_request_id_unfit_for_logs_is_replaced(edge: Edge, given: bytes):
    answer = edge.connect().post(more=b"X-Request-Id: %b\r\n" % given).answer()
    assert answer.headers[b"x-request-id"].startswith(b"req_")


def test_request_ids_differ(edge: Edge):
    client = edge.connect()
    ids = {client.post().answer().headers[b"x-request-id"] for _ in range(20)}
    assert len(ids) == 20


def test_100_continue_is_sent_when_a_body_is_waited_for(edge: Edge):
    client = edge.connect()
    client.send(
        b"POST /v1/messages HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
        b"Content-Length: 2\r\n\r\n"
    )
    assert client.answer().status == 100
    assert client.send(b"{}").answer().body == b"{}"


def test_connection_close_is_obeyed(edge: Edge):
    client = edge.connect().post(more=CLOSE)
    assert client.answer().headers[b"connection"] == b"close"
    assert client.ended()


def test_http_1_0_gets_one_answer_and_the_end(edge: Edge):
    client = edge.connect().send(b"POST /v1/messages HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    assert client.answer().body == b"{}"
    assert client.ended()


def test_no_answer_names_a_server(edge: Edge):
    client = edge.connect()
    for answer in (client.post().answer(), client.get(b"/healthz").answer()):
        assert b"server" not in answer.headers
        assert b"date" in answer.headers


# --- streams -------------------------------------------------------------------------------------


def streaming(ending: str):
    """A handler that streams two events and then ends as told."""

    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.start(200, [(b"content-type", b"text/event-stream")])
            call.write(b"data: 1\n\n")
            call.write(b"")
            await call.drain()
            call.write(b"data: 2\n\n")
            if ending == "finish":
                call.finish()
            elif ending == "abort":
                call.write(b"event: error\n\n")
                call.abort()
            elif ending == "raise":
                raise UpstreamError("upstream-unreachable", "gone", kind="reset", retryable=True)
            elif ending == "bug":
                raise ZeroDivisionError

        return handle

    return handler


def test_a_stream_arrives_in_chunks_and_the_connection_lives_on():
    with running(streaming("finish")) as edge:
        client = edge.connect()
        for _ in range(3):
            assert client.post().answer().body == b"data: 1\n\ndata: 2\n\n"


@pytest.mark.parametrize("ending", ["abort", "raise", "bug", "forgotten"])
def test_a_broken_stream_never_looks_finished(ending: str):
    with running(streaming(ending)) as edge:
        sent = edge.connect().post().rest()
        assert b"data: 2\n\n" in sent
        assert not sent.endswith(b"0\r\n\r\n")
        assert (b"event: error" in sent) == (ending == "abort")


def test_a_broken_stream_to_http_1_0_ends_in_a_reset():
    with running(streaming("abort")) as edge:
        client = edge.connect()
        client.send(b"POST /v1/messages HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: client.sock.recv(65536), b""))


def test_a_stream_to_http_1_0_ends_with_the_connection():
    with running(streaming("finish")) as edge:
        client = edge.connect()
        client.send(b"POST /v1/messages HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        assert client.rest().endswith(b"\r\n\r\ndata: 1\n\ndata: 2\n\n")


def test_a_stream_that_answers_a_head_request_is_its_head_alone():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.method = b"HEAD"  # which comes to no path that streams as yet
            await streaming("finish")(edge)(call)
            edge.events.append(f"{call.sent} bytes")

        return handle

    with running(handler) as edge:
        head, end, body = edge.connect().post(more=CLOSE).rest().partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert (end, body) == (b"\r\n\r\n", b"")
    assert edge.events == ["0 bytes"]


def test_the_bytes_of_a_stream_are_counted_without_their_frames():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            await streaming("finish")(edge)(call)
            edge.events.append(f"{call.sent} bytes")

        return handle

    with running(handler) as edge:
        edge.connect().post().answer()
        edge.connect().send(b"POST /v1/messages HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}").rest()
    assert edge.events == ["18 bytes"] * 2


# --- what handlers raise -------------------------------------------------------------------------


def raising(error: BaseException):
    """A handler that raises."""

    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            raise error

        return handle

    return handler


@pytest.mark.parametrize(
    ("error", "status", "retry_after", "should_retry"),
    [
        (CallerError("invalid-request", "no"), 400, None, b"false"),
        (CallerError("invalid-api-key", "no"), 401, None, b"false"),
        (CallerError("rpm-exceeded", "no", retry_after=7), 429, b"7", None),
        (CallerError("rpm-exceeded", "no"), 429, b"1", None),
        (CallerError("rpm-exceeded", "no", retry_after=3600), 429, b"60", None),
        (CallerError("budget-exceeded", "no"), 429, None, b"false"),
        (CallerError("request-timeout", "no"), 408, None, None),
        (CallerError("no-eligible-target", "no"), 502, None, b"false"),
        (RouterError("upstream-auth", "no"), 502, None, b"false"),
        (RouterError("upstream-unreachable", "no"), 502, None, None),
        (RouterError("shutting-down", "no"), 503, b"1", None),
        (RouterError("upstream-overloaded", "no", retry_after=9), 529, b"9", None),
        (RouterError("upstream-timeout", "no"), 504, None, None),
        (ValueError("secret-marker"), 500, None, None),
    ],
)
def test_an_exception_is_an_error_answer_and_the_connection_lives_on(
    error, status, retry_after, should_retry
):
    with running(raising(error)) as edge:
        client = edge.connect()
        for _ in range(2):
            answer = client.post().answer()
            assert answer.status == status
            assert answer.headers.get(b"retry-after") == retry_after
            assert answer.headers.get(b"x-should-retry") == should_retry
            assert json.loads(answer.body)["type"] == "error"
            assert b"secret-marker" not in answer.body


def test_a_handler_that_forgets_to_answer_is_an_internal_error():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            return

        return handle

    with running(handler) as edge:
        assert edge.connect().post().answer().status == 500


def test_a_header_value_with_a_line_break_is_never_sent():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            await call.send(200, [(b"x", b"a\r\nset-cookie: b")], b"")

        return handle

    with running(handler) as edge:
        answer = edge.connect().post().answer()
        assert answer.status == 500
        assert b"set-cookie" not in answer.headers


# --- clients that leave --------------------------------------------------------------------------


def waiting(edge: Edge):
    """A handler that notes when it is cancelled."""

    async def handle(call: Call) -> None:
        edge.events.append("started")
        if call.body == b"stream":
            call.start(200, [(b"content-type", b"text/event-stream")])
            call.write(b"data: 1\n\n")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            edge.events.append("cancelled")
            assert call.gone
            with pytest.raises(ClientGone):
                await call.drain()
            call.write(b"into the void")
            edge.events.append("ended")
            raise

    return handle


@pytest.mark.parametrize("body", [b"whole", b"stream"])
@pytest.mark.parametrize("leaving", ["close", "half-close", "reset"])
def test_a_client_that_leaves_cancels_its_request(body: bytes, leaving: str):
    with running(waiting) as edge:
        client = edge.connect().post(body)
        edge.wait_for("started")
        if leaving == "half-close":
            client.sock.shutdown(socket.SHUT_WR)
        elif leaving == "reset":
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        else:
            client.close()
        edge.wait_for("ended")
        until(lambda: len(edge.app.ctx.connections) == 0)


def test_a_client_that_leaves_while_pipelined_requests_wait_cancels_all():
    with running(waiting) as edge:
        client = edge.connect().post(b"1").post(b"2")
        edge.wait_for("started")
        client.close()
        edge.wait_for("ended")
        until(lambda: len(edge.app.ctx.connections) == 0)
        assert edge.events.count("started") == 1


def test_what_follows_a_complete_answer_is_not_cancelled():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            await call.send(200, JSON, b"{}")
            await asyncio.sleep(0.1)
            edge.events.append("accounted")

        return handle

    with running(handler) as edge:
        client = edge.connect().post()
        client.answer()
        client.close()
        edge.wait_for("accounted")


def test_a_slow_reader_makes_the_handler_wait_and_is_dropped_in_the_end():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.start(200, [(b"content-type", b"text/event-stream")])
            try:
                while True:
                    call.write(b"x" * 65536)
                    if call.paused:
                        edge.events.append("paused")
                    await call.drain()
                    await asyncio.sleep(0)
            except (asyncio.CancelledError, ClientGone):
                edge.events.append("dropped")
                raise

        return handle

    with running(handler, QUICK) as edge:
        client = edge.connect()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.post()
        edge.wait_for("paused")
        edge.wait_for("dropped")
        until(lambda: len(edge.app.ctx.connections) == 0)
        assert not client.rest().endswith(b"0\r\n\r\n")


def test_a_slow_reader_that_catches_up_gets_everything():
    size = 8 * 1024 * 1024

    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            call.start(200, [(b"content-type", b"text/event-stream")])
            for _ in range(size // 65536):
                call.write(b"x" * 65536)
                if call.paused:
                    edge.events.append("paused")
                    await call.drain()
            call.finish()

        return handle

    with running(handler) as edge:
        client = edge.connect().post()
        edge.wait_for("paused")
        assert len(client.answer().body) == size


# --- deadlines and caps --------------------------------------------------------------------------


def test_a_head_has_a_deadline_however_its_bytes_come():
    with running(caps=QUICK) as edge:
        client = edge.connect()
        with contextlib.suppress(OSError):
            for byte in b"POST /v1/messages HTTP/1.1\r\nHost: t\r\n" + b"X" * 4000:
                client.send(bytes([byte]))
                if edge.run(_held(edge)) == 0:
                    break
        assert client.answer().status == 408


async def _held(edge: Edge) -> int:
    await asyncio.sleep(0.01)
    return len(edge.app.ctx.connections)


def test_a_body_has_a_deadline():
    with running(caps=QUICK) as edge:
        client = edge.connect()
        client.send(b"POST /v1/messages HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n{")
        answer = client.answer()
        assert answer.status == 408
        assert json.loads(answer.body)["type"] == "error"
        assert client.ended()
        assert edge.calls == []


def test_a_connection_without_a_request_is_closed():
    with running(caps=QUICK) as edge:
        assert edge.connect().ended()
        client = edge.connect()
        client.post().answer()
        assert client.ended()


def test_connections_over_the_caps_are_turned_away_and_others_are_not():
    with running(caps=Caps(per_address=2)) as edge:
        first, second = edge.connect(), edge.connect()
        first.post().answer()
        second.post().answer()
        third = edge.connect()
        assert third.answer().status == 503
        assert third.ended()
        assert first.post().answer().status == 200
        second.close()
        until(lambda: len(edge.app.ctx.connections) == 1)
        assert edge.connect().post().answer().status == 200


def test_all_connections_together_have_a_cap():
    with running(caps=Caps(per_address=0, total=1)) as edge:
        first = edge.connect()
        first.post().answer()
        assert edge.connect().answer().status == 503


def test_a_client_that_goes_on_sending_after_a_refusal_still_gets_it():
    with running() as edge:
        client = edge.connect()
        client.send(b"POST /v1/messages HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n")
        with contextlib.suppress(OSError):
            for _ in range(64):
                client.send(b"x" * 65536)
        assert client.answer().status == 413


# --- the drain ------------------------------------------------------------------------------------


def test_a_drain_closes_idle_connections_and_lets_answers_end():
    def handler(edge: Edge):
        async def handle(call: Call) -> None:
            edge.events.append("started")
            await asyncio.sleep(0.2)
            await call.send(200, JSON, b"{}")

        return handle

    with running(handler) as edge:
        idle, busy = edge.connect(), edge.connect()
        idle.get(b"/healthz").answer()
        busy.post()
        edge.wait_for("started")
        edge.run(edge.app.ctx.connections.drain(5))
        assert idle.ended()
        answer = busy.answer()
        assert (answer.status, answer.headers[b"connection"]) == (200, b"close")
        assert busy.ended()


def test_what_a_drain_cuts_gets_the_error_of_its_dialect():
    with running(waiting) as edge:
        clients = {}
        for path in (b"/v1/messages", b"/v1/chat/completions", b"/v1/responses"):
            for body in (b"stream", b"whole"):
                clients[path, body] = edge.connect().post(body, path)
        until(lambda: edge.events.count("started") == 6)
        edge.run(edge.app.ctx.connections.drain(0))
        for (path, body), client in clients.items():
            if body == b"whole":
                answer = client.answer()
                assert (answer.status, answer.headers[b"retry-after"]) == (503, b"1")
                assert json.loads(answer.body)["error"]["code"] == "shutting-down"
            else:
                sent = client.rest()
                assert b"error" in sent.partition(b"data: 1\n\n")[2], path
                assert not sent.endswith(b"0\r\n\r\n")
        assert edge.events.count("cancelled") == 6
