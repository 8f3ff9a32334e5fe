"""The head of an answer, the name in it, and what a provider sees of the caller."""

from __future__ import annotations

import json

import httpx
import msgspec
import pytest

from runtime.artifact import Artifact
from tests.runtime.serving.deployment import CHAT, MESSAGES, RESPONSES, WEB, ask, good
from tests.support.serving import PATHS, Asked, Served, serving

DIALECTS = pytest.mark.parametrize("dialect", PATHS)
MODES = pytest.mark.parametrize("stream", [False, True])
WHOLE = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}


@DIALECTS
@MODES
def test_an_answer_says_how_it_came_about(router: Served, dialect: str, stream: bool):
    got = router.post(PATHS[dialect], WEB, ask(dialect, "claude-plain", stream=stream))
    trace = {
        "group": "plain",
        "surface": dialect,
        "target": "small",
        "provider": "one",
        "model": "small-upstream-1",
        "skin": dialect,
        "attempts": "1",
        "cost-estimate": "$0.0002",
        "savings": "99.4%",
        "artifact": router.artifact.digest[:12],
    }
    if not stream:
        trace["cost"] = "$0.000060"
    assert got.trace == trace
    kind = "text/event-stream; charset=utf-8" if stream else "application/json"
    assert got.headers["content-type"] == kind


@DIALECTS
@MODES
def test_an_answer_names_the_model_as_the_caller_did(router: Served, dialect: str, stream: bool):
    got = router.post(PATHS[dialect], WEB, ask(dialect, "claude-plain", stream=stream))
    assert b"upstream-1" not in got.raw.replace(b"resp_upstream1", b"")
    assert b"claude-plain" in got.raw
    if not stream:
        assert got.body == WHOLE[dialect] | {"model": "claude-plain"} | (
            {"previous_response_id": None} if dialect == "responses" else {}
        )


@DIALECTS
@MODES
def test_the_next_target_is_tried_and_the_trace_says_so(router: Served, dialect: str, stream: bool):
    def answer(asked: Asked) -> httpx.Response:
        if "one.example" in asked.url:
            return httpx.Response(503, headers={"retry-after": "9"})
        return good(asked)

    router.answer = answer
    got = router.post(PATHS[dialect], WEB, ask(dialect, stream=stream))
    assert got.status == 200
    assert (got.trace["target"], got.trace["attempts"]) == ("searching", "2")
    assert got.trace["fallback"] == "true"


@pytest.mark.parametrize(
    ("upstream", "dialect", "status", "kind", "code"),
    [
        (500, "chat", 500, "server_error", "upstream-invalid-response"),
        (502, "chat", 502, "server_error", "upstream-unreachable"),
        (503, "chat", 503, "server_error", "upstream-overloaded"),
        (504, "chat", 504, "server_error", "upstream-timeout"),
        (529, "responses", 503, "server_error", "upstream-overloaded"),
        (500, "messages", 500, "api_error", "upstream-invalid-response"),
        (503, "messages", 529, "overloaded_error", "upstream-overloaded"),
        (529, "messages", 529, "overloaded_error", "upstream-overloaded"),
        (401, "messages", 502, "api_error", "upstream-auth"),
    ],
)
def test_a_providers_failure_is_told_by_its_kind(
    router: Served, upstream, dialect, status, kind, code
):
    router.answer = lambda asked: httpx.Response(upstream, headers={"retry-after": "9"})
    got = router.post(PATHS[dialect], WEB, ask(dialect, "search"))
    assert (got.status, got.error["type"], got.error["code"]) == (status, kind, code)
    waits = status in (503, 529)
    assert got.headers.get("retry-after") == ("9" if waits else None)
    assert got.headers.get("x-should-retry") == ("false" if code == "upstream-auth" else None)
    assert got.trace["target"] == "searching"


@DIALECTS
def test_of_the_callers_headers_only_two_travel(router: Served, dialect: str):
    router.post(
        PATHS[dialect],
        WEB,
        ask(dialect),
        x_api_key=WEB.whole,
        cookie="a=b",
        x_forwarded_for="198.51.100.7",
        anthropic_version="2026-10-21",
        anthropic_beta="effort-2025-11-24",
        openai_beta="x",
        http_referer="https://caller.example",
        x_session_id="s1",
        x_request_id="r1",
        user_agent="caller/1",
    )
    expected = {
        "host": "one.example",
        "authorization": "Bearer provider-key",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "interlock",
        "http-referer": "https://acme.example",
        "accept": "application/json",
        "content-length": str(len(router.last().raw)),
    }
    if dialect == "messages":
        expected["anthropic-version"] = "2026-10-21"
    assert router.last().headers == expected


def test_nothing_of_a_providers_head_comes_back_unless_it_is_listed(router: Served):
    private = {
        "set-cookie": "a=b",
        "openai-model": "x",
        "x-models-etag": "x",
        "x-codex-turn-state": "x",
        "authorization": "Bearer provider-key",
        "server": "x",
        "retry-after": "3",
        "x-ratelimit-remaining": "1",
    }
    router.answer = lambda asked: httpx.Response(
        200, headers={**private, "openai-processing-ms": "12"}, json=CHAT
    )
    got = router.post(PATHS["chat"], WEB, ask("chat"))
    assert got.status == 200
    own = got.headers["x-ratelimit-remaining"]
    assert own != private.pop("x-ratelimit-remaining")
    assert not private.keys() & got.headers.keys()
    assert got.headers["openai-processing-ms"] == "12"


def test_a_bearer_token_is_found_behind_any_white_space(router: Served):
    body = json.dumps(ask("chat")).encode()
    for value in (f"Bearer\t{WEB.whole}", f"bearer   {WEB.whole} \t", f"BEARER {WEB.whole}"):
        got = router.send("POST", PATHS["chat"], {"authorization": value}, body)
        assert got.status == 200, value


def test_a_probe_that_finds_the_process_stopping_is_told_when_to_come_again(artifact):
    with serving(artifact, good) as router:
        assert router.send("GET", "/readyz", {}).status == 200
        router.state.stopping = True
        got = router.send("GET", "/readyz", {})
    assert (got.status, got.headers["retry-after"]) == (503, "1")


def test_a_method_that_is_not_served_is_told_which_are(router: Served):
    for path, allowed in (("/v1/models", "GET, HEAD"), ("/v1/messages", "POST")):
        got = router.send("DELETE", path, {})
        assert (got.status, got.headers["allow"]) == (405, allowed)


@DIALECTS
@MODES
def test_a_refusal_that_echoes_a_long_body_keeps_its_status(
    router: Served, dialect: str, stream: bool
):
    echo = {"error": {"message": "tools[0] is odd", "type": "invalid"}, "input": "x" * 300_000}
    router.answer = lambda asked: httpx.Response(422, json=echo)
    got = router.post(PATHS[dialect], WEB, ask(dialect, stream=stream))
    assert got.status == 422
    assert got.error["message"] == "tools[0] is odd"
    assert got.trace["attempts"] == "1"


@DIALECTS
@MODES
def test_a_refusal_names_no_upstream_model_where_the_trace_hides_it(
    artifact: Artifact, dialect: str, stream: bool
):
    words = {"error": {"message": "`n` is not supported by small-upstream-1."}}
    trace = msgspec.structs.replace(artifact.settings.trace, show_upstream=False)
    with serving(artifact, lambda asked: httpx.Response(400, json=words), trace=trace) as router:
        got = router.post(PATHS[dialect], WEB, ask(dialect, "claude-plain", stream=stream))
    assert got.status == 400
    assert got.error["message"] == "`n` is not supported by claude-plain."
