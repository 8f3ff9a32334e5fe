"""The reading of response heads: strict, and alone in deciding where a body ends."""

from __future__ import annotations

import pytest

from runtime.upstream.response import BadHead, Framing, find_head_end, read_head


def head(*lines: bytes) -> bytes:
    return b"\r\n".join((*lines, b"", b""))


OK = b"HTTP/1.1 200 OK"


def test_a_head_gives_status_and_lower_case_names_with_trimmed_values():
    read = read_head(head(OK, b"Content-Type: \t application/json ", b"X-A:1", b"x-a: 2"))
    assert read.status == 200
    assert read.headers == {"content-type": "application/json", "x-a": "1, 2"}


@pytest.mark.parametrize(
    ("lines", "framing", "length"),
    [
        ((OK, b"Content-Length: 12"), Framing.LENGTH, 12),
        ((OK, b"Content-Length: 12", b"content-length: 12"), Framing.LENGTH, 12),
        ((OK, b"Content-Length: 12, 12"), Framing.LENGTH, 12),
        ((OK, b"Content-Length: 0"), Framing.NONE, 0),
        ((OK, b"Transfer-Encoding: Chunked"), Framing.CHUNKED, 0),
        ((OK,), Framing.CLOSE, 0),
        ((b"HTTP/1.1 204 No Content",), Framing.NONE, 0),
        ((b"HTTP/1.1 304 Not Modified", b"content-length: 9"), Framing.NONE, 0),
        ((b"HTTP/1.1 100 Continue",), Framing.NONE, 0),
    ],
)
def test_the_end_of_the_body_follows_from_the_head(lines, framing, length):
    read = read_head(head(*lines))
    assert (read.framing, read.length) == (framing, length)


def test_the_answer_to_a_head_request_has_no_body_whatever_it_announces():
    raw = head(OK, b"content-length: 5")
    assert read_head(raw).framing is Framing.LENGTH
    assert read_head(raw, bodiless=True).framing is Framing.NONE
    assert read_head(raw).framing is Framing.LENGTH


def test_nothing_of_a_head_is_kept_where_it_is_read():
    raw = head(OK, b"set-cookie: of-a-connection")
    assert read_head(raw) is not read_head(raw)


def test_a_head_that_is_refused_is_refused_each_time():
    for _ in range(3):
        with pytest.raises(BadHead):
            read_head(head(OK, b"content-length: 5", b"transfer-encoding: chunked"))


@pytest.mark.parametrize(
    "raw",
    [
        head(OK, b"a: 1\nContent-Length: 5"),
        head(OK, b"a: 1\rb: 2"),
        head(OK, b"a: 1\x00"),
        head(OK, b"a : 1"),
        head(OK, b"a\x00: 1"),
        head(OK, b" a: 1"),
        head(OK, b"a: 1", b" folded"),
        head(OK, b"a: 1", b"\tfolded"),
        head(OK, b"no colon"),
        head(OK, b": no name"),
        head(b"HTTP/1.1 20 OK"),
        head(b"HTTP/1.1 2000 OK"),
        head(b"HTTP/1.1 600 What"),
        head(b"HTTP/1.1  200 OK"),
        head(b"HTTP/1.1 200OK"),
        head(b"HTTP/2 200 OK"),
        head(b"HTTP/1.2 200 OK"),
        head(b"http/1.1 200 OK"),
        head(b"ICY 200 OK"),
        head("HTTP/1.1 \u0662\u0660\u0660 OK".encode()),
        b"\r\n" + head(OK),
        head(OK, b"content-length: 5", b"transfer-encoding: chunked"),
        head(OK, b"content-length: 5", b"content-length: 6"),
        head(OK, b"content-length: 5, 6"),
        head(OK, b"content-length: -5"),
        head(OK, b"content-length: +5"),
        head(OK, b"content-length: 0x5"),
        head(OK, b"content-length:"),
        head(OK, "content-length: \u0665".encode()),
        head(OK, b"content-length: " + b"9" * 16),
        head(OK, b"transfer-encoding: gzip, chunked"),
        head(OK, b"transfer-encoding: chunked, chunked"),
        head(OK, b"transfer-encoding: identity"),
        head(b"HTTP/1.0 200 OK", b"transfer-encoding: chunked"),
        head(OK, *(b"a: 1" for _ in range(101))),
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(raw):
    with pytest.raises(BadHead):
        read_head(raw)


def test_exactly_a_hundred_headers_pass():
    assert read_head(head(OK, *(b"a: 1" for _ in range(100)))).status == 200


@pytest.mark.parametrize(
    ("lines", "keep"),
    [
        ((OK, b"content-length: 1"), float("inf")),
        ((OK, b"content-length: 1", b"Connection: Close"), 0),
        ((OK, b"content-length: 1", b"connection: keep-alive, close"), 0),
        ((OK, b"content-length: 1", b"keep-alive: timeout=5, max=100"), 4),
        ((OK, b"content-length: 1", b"keep-alive: timeout=0"), 0),
        ((b"HTTP/1.0 200 OK", b"content-length: 1", b"connection: keep-alive"), 0),
        ((OK,), 0),
        ((b"HTTP/1.1 204 No Content",), float("inf")),
        ((b"HTTP/1.1 204 No Content", b"content-length: 5"), 0),
    ],
)
def test_a_connection_is_kept_only_where_the_next_answer_is_sure_to_begin(lines, keep):
    assert read_head(head(*lines)).keep == keep


def test_a_bare_line_feed_is_seen_before_the_head_is_whole():
    with pytest.raises(BadHead, match="line feed"):
        find_head_end(b"HTTP/1.1 200 OK\ncontent-length: 5\n\nhello", 0)


def test_a_carriage_return_and_its_line_feed_may_come_apart():
    buffer = b"HTTP/1.1 200 OK\r"
    assert find_head_end(buffer, 0) == 0
    buffer += b"\n\r\n"
    assert find_head_end(buffer, 16) == len(buffer)
