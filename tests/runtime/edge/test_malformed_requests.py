"""What is not HTTP as we read it: one exact outcome each, and never a second request."""

from __future__ import annotations

import json

import pytest

from tests.support.edge import BODY_LIMIT, Edge, running

POST = b"POST /v1/messages HTTP/1.1\r\n"
HOST = b"Host: t\r\n"
# What a smuggler wants to have executed.
CANARY = b"POST /v1/chat/completions HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\ncanary"
HIDDEN = b"Content-Length: %d\r\n" % len(CANARY)
CHUNKED = POST + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
BIG = b"a" * (BODY_LIMIT + 1)

# name: (bytes, status). All of them end the connection.
REFUSED = {
    "space before the colon": (POST + HOST + b"Content-Length : 5\r\n\r\nhello" + CANARY, 400),
    "tab before the colon": (POST + HOST + b"Content-Length\t: 5\r\n\r\nhello" + CANARY, 400),
    "NUL in a header name": (POST + HOST + b"Content-Length\x00: 5\r\n\r\nhello" + CANARY, 400),
    "NUL in a header value": (POST + HOST + b"X: a\x00b\r\n\r\n" + CANARY, 400),
    "control character in a value": (POST + HOST + b"X: a\x01b\r\n\r\n" + CANARY, 400),
    "bare LF hides the length": (POST + HOST + b"X: a\n" + HIDDEN + b"\r\n" + CANARY, 400),
    "bare CR hides the length": (POST + HOST + b"X: a\r" + HIDDEN + b"\r\n" + CANARY, 400),
    "bare LF everywhere": ((POST + HOST).replace(b"\r", b"") + b"\n" + CANARY, 400),
    "folded header": (POST + HOST + b"X: a\r\n b\r\n\r\n" + CANARY, 400),
    "folded length": (POST + HOST + b"Content-Length:\r\n 5\r\n\r\nhello" + CANARY, 400),
    "header without a colon": (POST + HOST + b"nothing\r\n\r\n" + CANARY, 400),
    "header without a name": (POST + HOST + b": x\r\n\r\n" + CANARY, 400),
    "no Host": (POST + b"Content-Length: 0\r\n\r\n" + CANARY, 400),
    "two Hosts": (POST + HOST + HOST + b"\r\n" + CANARY, 400),
    "Host with a path": (POST + b"Host: x/public?\r\n\r\n" + CANARY, 400),
    "Host with a space": (POST + b"Host: x y\r\n\r\n" + CANARY, 400),
    "length twice, equal": (
        POST + HOST + b"Content-Length: 5\r\n" * 2 + b"\r\nhello" + CANARY,
        400,
    ),
    "length twice, different": (
        POST + HOST + b"Content-Length: 0\r\n" + HIDDEN + b"\r\n" + CANARY,
        400,
    ),
    "length as a list": (POST + HOST + b"Content-Length: 5, 5\r\n\r\nhello" + CANARY, 400),
    "length with a sign": (POST + HOST + b"Content-Length: +5\r\n\r\nhello" + CANARY, 400),
    "negative length": (POST + HOST + b"Content-Length: -5\r\n\r\nhello" + CANARY, 400),
    "hexadecimal length": (POST + HOST + b"Content-Length: 0x5\r\n\r\nhello" + CANARY, 400),
    "empty length": (POST + HOST + b"Content-Length: \r\n\r\n" + CANARY, 400),
    "length in other digits": (
        POST + HOST + "Content-Length: \u0665\r\n\r\nhello".encode() + CANARY,
        400,
    ),
    "endless length": (POST + HOST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n" + CANARY, 400),
    "length and chunks": (
        POST + HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + CANARY,
        400,
    ),
    "chunks and length": (
        POST + HOST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + CANARY,
        400,
    ),
    "unknown coding": (POST + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + CANARY, 400),
    "chunked not alone": (
        POST + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + CANARY,
        400,
    ),
    "chunked twice": (
        POST + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n" + CANARY,
        400,
    ),
    "coding behind a vertical tab": (
        POST + HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + CANARY,
        400,
    ),
    "chunks in HTTP/1.0": (
        b"POST /v1/messages HTTP/1.0\r\n"
        + HOST
        + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        + CANARY,
        400,
    ),
    "chunk size with 0x": (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk size with spaces": (CHUNKED + b" 5 \r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk size with a sign": (CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "negative chunk size": (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk size without digits": (CHUNKED + b"\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk size too long": (CHUNKED + b"000000005\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk extension": (CHUNKED + b"5;a=b\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "LF in a chunk extension": (CHUNKED + b"5;a\nb\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk size ended by LF": (CHUNKED + b"5\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "chunk not ended by CRLF": (CHUNKED + b"5\r\nhelloXX0\r\n\r\n" + CANARY, 400),
    "chunk longer than its size": (CHUNKED + b"3\r\nhello\r\n0\r\n\r\n" + CANARY, 400),
    "trailers": (CHUNKED + b"0\r\nX: y\r\n\r\n" + CANARY, 400),
    "no version": (b"GET /v1/models\r\n\r\n" + CANARY, 400),
    "HTTP/0.9": (b"GET /v1/models HTTP/0.9\r\n" + HOST + b"\r\n" + CANARY, 400),
    "HTTP/1.2": (b"GET /v1/models HTTP/1.2\r\n" + HOST + b"\r\n" + CANARY, 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + CANARY, 400),
    "other protocol": (b"SOURCE / ICE/1.0\r\n\r\n" + CANARY, 400),
    "method in lower case": (b"post /v1/messages HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "unknown method": (b"BREW /v1/messages HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "two spaces": (b"GET  /v1/models HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "space in the target": (b"GET /v1/mod els HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "bytes outside ASCII in the target": (b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "fragment in the target": (b"GET /v1/models#x HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "target is no path": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "target is a URL": (b"GET http://t/v1/models HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "CONNECT": (b"CONNECT t:1 HTTP/1.1\r\n" + HOST + b"\r\n" + CANARY, 400),
    "TLS on the plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "two empty lines first": (b"\r\n\r\n" + CANARY, 400),
    "two tokens": (POST + HOST + b"x-api-key: a\r\nx-api-key: b\r\n\r\n" + CANARY, 400),
    "other expectation": (POST + HOST + b"Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}", 417),
    "compressed body": (
        POST + HOST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        415,
    ),
    "long URL": (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "endless URL": (b"GET /" + b"a" * 9000, 414),
    "long query": (b"GET /v1/models?" + b"a=b&" * 2100 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "long head": (POST + HOST + b"X: " + b"a" * 17000 + b"\r\n\r\n", 431),
    "endless head": (POST + HOST + b"X: y\r\n" * 3000, 431),
    "many headers": (POST + HOST + b"X: y\r\n" * 101 + b"\r\n", 431),
    "large body": (POST + HOST + b"Content-Length: %d\r\n\r\n" % len(BIG) + BIG, 413),
    "large body announced": (
        POST + HOST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BIG),
        413,
    ),
    "large chunk": (CHUNKED + b"%x\r\n" % len(BIG) + BIG, 413),
    "large body in small chunks": (CHUNKED + b"ffff\r\n%b\r\n" % (b"a" * 0xFFFF) * 5, 413),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_the_connection_ends(edge: Edge, name: str):
    request, status = REFUSED[name]
    edge.calls.clear()
    client = edge.connect().send(request)
    answer = client.answer()
    assert answer.status == status
    assert answer.headers[b"connection"] == b"close"
    assert answer.headers[b"x-should-retry"] == b"false"
    assert json.loads(answer.body)["error"]["message"]
    assert client.ended()
    assert edge.calls == [], "a request was executed that is none"


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (b"/v1/messages", "messages"),
        (b"/anthropic/v1/messages/count_tokens", "messages"),
        (b"/v1/chat/completions", "openai"),
        (b"/responses", "openai"),
        (b"/v1/models", "openai"),
        (b"/nowhere", "openai"),
    ],
)
def test_a_refusal_speaks_the_dialect_of_the_path(edge: Edge, path: bytes, dialect: str):
    answer = edge.connect().send(b"POST %b HTTP/1.1\r\nHost : t\r\n\r\n" % path).answer()
    body = json.loads(answer.body)
    assert (body.get("type") == "error") == (dialect == "messages")
    assert body["error"]["code"] == "invalid-request"
    assert body["error"]["type"] == "invalid_request_error"


def test_a_large_body_is_request_too_large_in_messages(edge: Edge):
    answer = edge.connect().send(REFUSED["large body announced"][0]).answer()
    assert json.loads(answer.body)["error"]["type"] == "request_too_large"


@pytest.mark.parametrize("name", ["large body", "bare LF everywhere", "chunk extension"])
def test_it_is_refused_alike_when_it_comes_byte_by_byte(name: str):
    request, status = REFUSED[name]
    with running() as edge:
        client = edge.connect()
        for at in range(400):
            try:
                client.send(request[at : at + 1])
            except OSError:
                break  # refused before its end
        assert client.answer().status == status
        assert edge.calls == []


def test_a_request_before_a_malformed_one_is_answered_first(edge: Edge):
    edge.calls.clear()
    client = edge.connect().post(b"first").send(POST + b"\r\n" + CANARY)
    assert client.answer().body == b"first"
    assert client.answer().status == 400
    assert client.ended()
    assert len(edge.calls) == 1


def test_a_refusal_names_nothing_the_client_sent(edge: Edge):
    answer = edge.connect().send(POST + b"Host : secret-marker\r\n\r\n").answer()
    assert b"secret-marker" not in answer.body
