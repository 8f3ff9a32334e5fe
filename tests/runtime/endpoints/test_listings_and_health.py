"""Everything that is not a surface: model lists, health, version, and what is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.edge import LISTING, SECRET, Edge, running

TOKEN = b"x-api-key: " + SECRET.encode() + b"\r\n"


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    """An echo on the three surfaces."""
    with running() as edge:
        yield edge


def test_the_list_is_served_as_it_stands(edge: Edge):
    answer = edge.connect().get(b"/v1/models?client_version=1", TOKEN).answer()
    assert (answer.status, answer.body) == (200, LISTING)
    assert answer.headers[b"cache-control"].startswith(b"private")
    assert answer.headers[b"content-type"] == b"application/json"


@pytest.mark.parametrize("model", [b"org/coder", b"org%2Fcoder"])
def test_one_model_is_found_by_its_id(edge: Edge, model: bytes):
    answer = edge.connect().get(b"/v1/models/" + model, TOKEN).answer()
    assert json.loads(answer.body) == {"id": "org/coder"}


def test_codex_has_its_own_part(edge: Edge):
    answer = edge.connect().get(b"/v1/codex/models.json", TOKEN).answer()
    assert json.loads(answer.body) == {"models": [{"slug": "coder"}]}


@pytest.mark.parametrize("model", [b"other", b"..", b"%ff", b"coder%0a", b"coder/x"])
def test_an_unknown_model_is_not_found(edge: Edge, model: bytes):
    answer = edge.connect().get(b"/v1/models/" + model, TOKEN).answer()
    assert answer.status == 404
    assert json.loads(answer.body)["error"]["code"] == "not-found"


@pytest.mark.parametrize("path", [b"/v1/models", b"/v1/models/coder", b"/v1/codex/models.json"])
def test_a_list_needs_a_token(edge: Edge, path: bytes):
    for more in (b"", TOKEN.replace(b"rtr_acme", b"rtr_other")):
        answer = edge.connect().get(path, more).answer()
        assert answer.status == 401
        assert answer.headers[b"x-should-retry"] == b"false"
        assert json.loads(answer.body)["error"]["code"] == "invalid-api-key"


def test_a_client_that_has_the_list_is_told_so(edge: Edge):
    client = edge.connect()
    tags = {}
    for path in (b"/v1/models", b"/v1/models/coder", b"/v1/models/org/coder"):
        tags[path] = client.get(path, TOKEN).answer().headers[b"etag"]
        again = client.get(path, TOKEN + b"If-None-Match: %b\r\n" % tags[path]).answer()
        assert (again.status, again.body) == (304, b"")
        assert b"content-length" not in again.headers
    assert len(set(tags.values())) == 3
    assert client.get(b"/v1/models", TOKEN + b'If-None-Match: "old"\r\n').answer().status == 200


@pytest.mark.parametrize(
    "path", [b"/", b"/v1", b"/healthz", b"/readyz", b"/version", b"/v1/models"]
)
def test_head_is_get_without_the_body(edge: Edge, path: bytes):
    client = edge.connect()
    full = client.get(path, TOKEN).answer()
    head = client.get(path, TOKEN, b"HEAD").answer(head_only=True)
    assert (head.status, head.headers[b"content-length"]) == (
        200,
        b"%d" % len(full.body),
    )
    assert client.get(b"/healthz").answer().status == 200


def test_the_version_names_the_artifact(edge: Edge):
    version = json.loads(edge.connect().get(b"/version").answer().body)
    assert (version["name"], version["artifact"]) == ("tiny", "d" * 64)


def test_readiness_goes_before_the_end(edge: Edge):
    state = edge.app.ctx.state
    assert edge.connect().get(b"/readyz").answer().status == 200
    state.stopping = True
    try:
        assert edge.connect().get(b"/readyz").answer().status == 503
        assert edge.connect().get(b"/healthz").answer().status == 200
    finally:
        state.stopping = False


@pytest.mark.parametrize(
    ("request_line", "status", "code", "allow"),
    [
        (b"GET /", 200, None, None),
        (b"GET /nowhere", 404, "not-found", None),
        (b"GET //x/y", 404, "not-found", None),
        (b"GET /%00", 404, "not-found", None),
        (b"GET /v1/chat", 404, "not-found", None),
        (b"GET /metrics/more", 404, "not-found", None),
        (b"GET /v1/messages", 405, "method-not-allowed", b"POST"),
        (b"HEAD /v1/messages", 405, None, b"POST"),
        (b"DELETE /v1/responses", 405, "method-not-allowed", b"POST"),
        (b"OPTIONS /v1/chat/completions", 405, "method-not-allowed", b"POST"),
        (b"POST /v1/models", 405, "method-not-allowed", b"GET, HEAD"),
        (b"TRACE /healthz", 405, "method-not-allowed", b"GET, HEAD"),
        (b"POST /v1/messages", 411, "length-required", None),
    ],
)
def test_paths_and_methods_that_are_not_there(edge: Edge, request_line, status, code, allow):
    client = edge.connect()
    client.send(request_line + b" HTTP/1.1\r\nHost: t\r\n\r\n")
    answer = client.answer(head_only=request_line.startswith(b"HEAD"))
    assert answer.status == status
    if code:
        assert json.loads(answer.body)["error"]["code"] == code
    assert answer.headers.get(b"allow") == allow
    assert client.get(b"/healthz").answer().status == 200, "the connection lives on"


def test_a_websocket_upgrade_is_answered_with_426(edge: Edge):
    more = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    client = edge.connect()
    answer = client.get(b"/v1/responses", more).answer()
    assert answer.status == 426
    assert json.loads(answer.body)["error"]["code"] == "websocket-unsupported"
    assert client.post().answer().status == 200
