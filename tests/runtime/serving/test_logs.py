"""One line per request: who, which group, what came of it; never what was said."""

from __future__ import annotations

import json
import logging

import httpx
import pytest

from runtime import log
from tests.runtime.serving.deployment import (
    MESSAGES,
    OFF,
    WEB,
    ask,
    messages_events,
    named,
    streamed,
)
from tests.support.demo import BRIDGED, TOKEN
from tests.support.edge import until
from tests.support.serving import PATHS, Served, compiled, serving

SECRET = "Wv3-prompt-marker-9Kz"


@pytest.fixture
def lines(tmp_path):
    """Reads the request lines written so far, and how many are awaited."""
    path = tmp_path / "log"
    handlers, level = logging.root.handlers[:], logging.root.level

    def read(count):
        def found():
            written = [json.loads(text) for text in path.read_bytes().splitlines()]
            return [line for line in written if line["event"] == "request"]

        until(lambda: len(found()) >= count)
        return found()

    with path.open("wb") as file:
        log.configure("info", file.fileno())
        yield read
        log.configure("off")
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_a_refused_request_is_an_error_in_the_log_whoever_refused_it(router: Served, lines):
    token = {"authorization": f"Bearer {WEB.whole}"}
    router.send("GET", "/v1/models", {})
    router.send("GET", f"/v1/models/{SECRET}", token)
    router.send("GET", "/v1/models/plain", token)
    router.send("POST", "/v1/models", token, b"{}")
    router.send("GET", f"/{SECRET}", token)
    told = [
        (line["status"], line["outcome"], line.get("code"), line.get("path")) for line in lines(5)
    ]
    assert told == [
        (401, "error", "invalid-api-key", "/v1/models"),
        (404, "error", "not-found", "/v1/models/{model}"),
        (200, "ok", None, "/v1/models/{model}"),
        (405, "error", "method-not-allowed", None),
        (404, "error", "not-found", None),
    ]
    assert SECRET not in json.dumps(lines(5))


def test_what_is_known_of_a_refused_request_is_logged(router: Served, lines):
    for token, body in (
        (OFF, ask("chat")),
        (WEB, ask("chat", "nobody")),
        (WEB, ask("chat", "talk", n=2)),
        (WEB, ask("chat", "talk")),
    ):
        body["messages"][0]["content"] = SECRET
        router.post(PATHS["chat"], token, body)
    told = [
        (line["outcome"], line.get("code"), line.get("token"), line.get("group"), line.get("skin"))
        for line in lines(4)
    ]
    assert told == [
        ("error", "key-disabled", None, None, None),
        ("error", "model-not-allowed", WEB.id, None, None),
        ("error", "no-eligible-target", WEB.id, "talk", None),
        ("ok", None, WEB.id, "talk", "chat"),
    ]
    assert SECRET not in json.dumps(lines(4))
    assert WEB.secret not in json.dumps(lines(4))


NEW_BLOCK = {"type": "brand_new", "secret": SECRET}


def with_news(asked):
    """A Messages answer with two things that no other dialect has."""
    if not asked.body.get("stream"):
        return httpx.Response(
            200, json=MESSAGES | {"content": [*MESSAGES["content"], NEW_BLOCK] * 2}
        )
    begin, *rest = messages_events(asked.body)
    return streamed(
        [begin, named({"type": "brand_new", "secret": SECRET}), named(NEW_BLOCK), *rest]
    )


@pytest.fixture(params=["native", "synthesized"])
def bridged(request, tmp_path_factory):
    yaml = BRIDGED.read_text().replace("stream: native", f"stream: {request.param}")
    with serving(compiled(yaml, tmp_path_factory.mktemp("bridged")), with_news) as router:
        yield router


def test_what_another_dialect_has_no_words_for_is_counted(bridged: Served, lines):
    for dialect, stream in (("chat", True), ("chat", False), ("messages", False)):
        body = ask(dialect, "only-messages", stream=stream)
        assert bridged.post(PATHS[dialect], TOKEN, body).status == 200
    told = lines(3)
    assert [line.get("unknown_events") for line in told] == [2, 2, None]
    assert SECRET not in json.dumps(told)
    assert "brand_new" not in json.dumps(told)
