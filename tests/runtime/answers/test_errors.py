"""Errors in the words of each dialect, as the official SDKs and the agents read them."""

import json
from importlib import import_module

import anthropic
import httpx
import httpx2
import openai
import pytest

from runtime.errors import STATUS, CallerError, RouterError, UpstreamError
from tests.runtime.answers import scripts
from tests.runtime.answers.recordings import documents
from tests.runtime.answers.scripts import GOOD

ID = "req-1"
DIALECTS = ("chat", "responses", "messages")
EVERY_DIALECT = pytest.mark.parametrize("dialect", DIALECTS)
OPENAI_CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    429: openai.RateLimitError,
}
ANTHROPIC_CLASSES = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    413: anthropic.APIStatusError,
    429: anthropic.RateLimitError,
    529: anthropic.APIStatusError,
}
OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
MESSAGES_TYPES = OPENAI_TYPES | {413: "request_too_large", 529: "overloaded_error"}


def errors(dialect):
    return import_module(f"runtime.dialects.{dialect}.errors")


def watcher(dialect, *events):
    seen = import_module(f"runtime.dialects.{dialect}.answer").Watcher("coder")
    for event in events:
        seen.feed(event)
    return seen


def upstream_error(code="upstream-overloaded", kind="overloaded", **more):
    return UpstreamError(code, "Wait a little.", kind=kind, retryable=True, **more)


def call(dialect, status, body, content_type="application/json", *, stream=False):
    """What the official SDK makes of this answer."""

    library = httpx2 if dialect == "messages" else httpx  # each SDK takes its own

    def answer(_request):
        return library.Response(status, content=body, headers={"content-type": content_type})

    http = library.Client(transport=library.MockTransport(answer))
    options = {"api_key": "k", "base_url": "http://router", "max_retries": 0, "http_client": http}
    messages = [{"role": "user", "content": "Hi"}]
    with http:
        if dialect == "messages":
            client = anthropic.Anthropic(**options)
            made = client.messages.create(
                model="coder", max_tokens=9, messages=messages, stream=stream
            )
        elif dialect == "chat":
            made = openai.OpenAI(**options).chat.completions.create(
                model="coder", messages=messages, stream=stream
            )
        else:
            made = openai.OpenAI(**options).responses.create(
                model="coder", input="Hi", stream=stream
            )
        return list(made) if stream else made


# --- bodies ------------------------------------------------------------------------------------


@EVERY_DIALECT
@pytest.mark.parametrize("code", STATUS)
def test_the_official_sdk_raises_the_class_of_each_error(dialect, code):
    error = RouterError(code, "Do this next.", param="model", details={"surface": dialect})
    status = errors(dialect).status_of(error)
    sdk, classes = (
        (anthropic, ANTHROPIC_CLASSES) if dialect == "messages" else (openai, OPENAI_CLASSES)
    )
    with pytest.raises(classes.get(status, sdk.APIStatusError)) as raised:
        call(dialect, status, errors(dialect).error_body(error, ID))
    told = raised.value.body["error"] if dialect == "messages" else raised.value.body
    assert raised.value.status_code == status
    assert told["message"] == "Do this next."
    assert told["code"] == code


@EVERY_DIALECT
@pytest.mark.parametrize("code", STATUS)
def test_every_error_has_the_type_of_its_status(dialect, code):
    error = RouterError(code, "x")
    status = errors(dialect).status_of(error)
    types = MESSAGES_TYPES if dialect == "messages" else OPENAI_TYPES
    fallback = "invalid_request_error"
    if status >= 500:
        fallback = "api_error" if dialect == "messages" else "server_error"
    told = json.loads(errors(dialect).error_body(error, ID))["error"]
    if code != "budget-exceeded":
        assert told["type"] == types.get(status, fallback)
    assert told["code"] != "server_error"


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_the_openai_envelope_has_all_its_members(dialect):
    error = CallerError("invalid-request", "No.", param="tools[0]", details={"hint": "x"})
    assert json.loads(errors(dialect).error_body(error, ID)) == {
        "error": {
            "message": "No.",
            "type": "invalid_request_error",
            "code": "invalid-request",
            "param": "tools[0]",
            "request_id": ID,
            "details": {"hint": "x"},
        }
    }


def test_the_messages_envelope_has_all_its_members_and_the_path_among_the_details():
    error = CallerError("invalid-request", "No.", param="tools[0]", details={"hint": "x"})
    assert json.loads(errors("messages").error_body(error, ID)) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "No.",
            "code": "invalid-request",
            "details": {"param": "tools[0]", "hint": "x"},
        },
        "request_id": ID,
    }


@EVERY_DIALECT
def test_an_exhausted_budget_says_when_it_opens_again(dialect):
    error = CallerError("budget-exceeded", "Used up.", details={"resets_at": 1_800_000_000})
    told = json.loads(errors(dialect).error_body(error, ID))["error"]
    assert (told["type"], told["resets_at"]) == ("usage_limit_reached", 1_800_000_000)


@EVERY_DIALECT
def test_overload_has_the_status_its_clients_wait_on(dialect):
    expected = 529 if dialect == "messages" else 503
    assert errors(dialect).status_of(upstream_error()) == expected
    assert errors(dialect).status_of(RouterError("shutting-down", "x")) == 503


@pytest.mark.parametrize("status", [400, 404, 422, 502])
def test_a_status_the_admin_chose_for_no_eligible_target_is_kept(status):
    error = CallerError("no-eligible-target", "Nobody.", status=status)
    assert errors("chat").status_of(error) == status


@EVERY_DIALECT
def test_a_text_that_is_no_unicode_can_still_be_told(dialect):
    error = CallerError("model-not-allowed", "No \udc80 here.", param="\udc80")
    assert b"No ? here." in errors(dialect).error_body(error, ID)


@pytest.mark.parametrize(
    ("dialect", "code", "words"),
    [
        ("chat", "context_length_exceeded", "maximum context length is 200 tokens"),
        ("responses", "context_length_exceeded", "exceeds the context window"),
        ("messages", "context_length_exceeded", "prompt is too long: 300 tokens > 200 maximum"),
    ],
)
def test_overflow_is_said_in_the_words_clients_compact_on(dialect, code, words):
    error = errors(dialect).overflow(300, 200)
    assert (error.code, error.status) == (code, 400)
    assert words in error.message
    assert words.encode() in errors(dialect).error_body(error, ID)


# --- events ------------------------------------------------------------------------------------


def broken(dialect):
    """A stream that broke off after content, and all the caller got of it."""
    before, content, _ = GOOD[dialect]
    seen = watcher(dialect)
    out = b"".join(map(seen.feed, [*before, *content]))
    seen.broken(ConnectionResetError("http://secret:1"))
    return seen, out + errors(dialect).error_event(seen.error, ID, seen)


@EVERY_DIALECT
def test_a_stream_that_broke_off_ends_with_the_error_of_its_dialect(dialect):
    _, out = broken(dialect)
    last = list(documents(out))[-1]
    if dialect == "chat":
        told = last["error"]
        assert (told["code"], told["type"]) == ("upstream_stream_interrupted", "server_error")
    elif dialect == "messages":
        assert (last["type"], last["error"]["type"]) == ("error", "api_error")
    else:
        assert (last["type"], last["response"]["status"]) == ("response.failed", "failed")
        assert last["response"]["error"]["code"] == "server_error"
    assert b"secret" not in out


@EVERY_DIALECT
def test_a_stream_that_broke_off_never_looks_finished(dialect):
    _, out = broken(dialect)
    ends = (b"[DONE]", b'"stop"', b"message_stop", b"response.completed", b"response.incomplete")
    assert not any(end in out for end in ends)


@pytest.mark.parametrize(
    ("dialect", "raised"), [("chat", openai.APIError), ("messages", anthropic.APIStatusError)]
)
def test_the_official_sdk_raises_on_the_error_event(dialect, raised):
    _, out = broken(dialect)
    with pytest.raises(raised):
        call(dialect, 200, out, "text/event-stream", stream=True)


def test_the_official_sdk_reads_a_failed_response():
    _, out = broken("responses")
    events = call("responses", 200, out, "text/event-stream", stream=True)
    failed = events[-1]
    assert failed.type == "response.failed"
    assert failed.response.error.code == "server_error"
    assert failed.response.id == events[0].response.id == "resp_up"
    assert [event.sequence_number for event in events] == list(range(len(events)))


@EVERY_DIALECT
def test_the_official_sdk_reads_a_good_stream_to_its_end(dialect):
    out = b"".join(map(watcher(dialect).feed, [e for part in GOOD[dialect] for e in part]))
    events = call(dialect, 200, out, "text/event-stream", stream=True)
    assert events


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [("chat", "rate_limit_error"), ("messages", "rate_limit_error"), ("responses", None)],
)
def test_after_a_head_start_the_last_failure_is_told_as_what_it_is(dialect, kind):
    error = upstream_error("upstream-rate-limited", "rate-limited", retry_after=3)
    seen = watcher(dialect)
    seen.opening()
    told = next(documents(errors(dialect).error_event(error, ID, seen)))
    if kind:
        assert (told["error"]["type"], told["error"]["code"]) == (kind, "upstream-rate-limited")
    else:
        failure = told["response"]["error"]
        assert failure["code"] == "rate_limit_exceeded"
        assert "try again in 3s" in failure["message"]
        assert (told["sequence_number"], told["response"]["id"]) == (1, seen.response_id)


def test_overload_in_a_messages_stream_keeps_its_own_type():
    event = errors("messages").error_event(upstream_error(), ID, watcher("messages"))
    assert next(documents(event))["error"]["type"] == "overloaded_error"


def test_codex_is_never_told_that_the_server_is_overloaded_for_it_would_stop():
    event = errors("responses").error_event(upstream_error(), ID, watcher("responses"))
    assert next(documents(event))["response"]["error"]["code"] == "server_error"


@EVERY_DIALECT
def test_an_error_event_can_be_made_without_a_watcher(dialect):
    assert b"shutting" in errors(dialect).error_event(
        RouterError("shutting-down", "The router is shutting down."), ID, None
    )


def test_a_shutdown_amid_a_response_takes_the_next_number():
    seen = watcher("responses", scripts.CREATED, scripts.ITEM, scripts.TEXT_DELTA)
    error = RouterError("shutting-down", "The router is shutting down.")
    told = next(documents(errors("responses").error_event(error, ID, seen)))
    assert (told["sequence_number"], told["response"]["id"]) == (3, "resp_up")
