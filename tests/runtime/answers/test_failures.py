"""What each failure of an upstream means: is another target tried, and what the caller reads."""

import datetime as dt
import json
from typing import get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.schema.providers import ErrorClass
from runtime import failures
from runtime.dialects.chat.errors import error_body
from runtime.errors import STATUS
from runtime.vocabulary import ErrorRow
from tests.runtime.answers.recordings import recordings

NOW = dt.datetime(2026, 1, 1, 12, 0, 0, tzinfo=dt.UTC)


def response(status, error=None, headers=None):
    body = b"<html>" if error is None else json.dumps({"error": error}).encode()
    return failures.from_response(status, headers or {}, body)


# status -> kind, code, status for the caller, whether the next target is tried
STATUSES = {
    302: ("invalid", "upstream-invalid-response", 502, True),
    400: ("client", "invalid-request", 400, False),
    401: ("auth", "upstream-auth", 502, True),
    402: ("auth", "upstream-auth", 502, True),
    403: ("auth", "upstream-auth", 502, True),
    404: ("client", "invalid-request", 404, False),
    405: ("invalid", "upstream-invalid-response", 502, True),
    408: ("timeout", "upstream-timeout", 504, True),
    409: ("server", "upstream-invalid-response", 502, True),
    413: ("context", "request-too-large", 413, False),
    418: ("invalid", "upstream-invalid-response", 502, True),
    422: ("client", "invalid-request", 422, False),
    429: ("rate-limited", "upstream-rate-limited", 429, True),
    500: ("server", "upstream-invalid-response", 500, True),
    502: ("server", "upstream-unreachable", 502, True),
    503: ("overloaded", "upstream-overloaded", 503, True),
    504: ("timeout", "upstream-timeout", 504, True),
    520: ("server", "upstream-unreachable", 502, True),
    529: ("overloaded", "upstream-overloaded", 503, True),
}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_a_meaning(status):
    error = response(status, {"message": "Something is wrong.", "type": "x"})
    meaning = (error.kind, error.code, error.status, error.retryable)
    assert meaning == STATUSES[status]


@pytest.mark.parametrize("status", range(100, 600))
def test_no_status_escapes_the_table(status):
    error = response(status)
    assert error.code in STATUS
    assert 400 <= error.status <= 504
    assert error.status not in (401, 402, 403)
    assert error.retryable or error.kind in ("client", "context")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"code": "context_length_exceeded", "message": "x"}, 400, "context"),
        ({"message": "prompt is too long: 210000 tokens > 200000 maximum"}, 400, "context"),
        ({"message": "This model's maximum context length is 8192 tokens."}, 400, "context"),
        ({"message": "the request exceeds the available context size"}, 400, "context"),
        ({"message": "input length and `max_tokens` exceed context limit: 1 + 2"}, 400, "context"),
        ({"message": "The input token count (9) exceeds the maximum"}, 400, "context"),
        ({"message": "Input is too long for requested model."}, 400, "context"),
        ({"message": "Rate limit: 20,000 input tokens per minute"}, 429, "rate-limited"),
        ({"code": "insufficient_quota", "message": "You exceeded your quota"}, 429, "auth"),
        ({"message": "Your credit balance is too low to access the API."}, 400, "auth"),
        ({"message": "Incorrect API key provided."}, 400, "auth"),
        ({"type": "overloaded_error", "message": "Overloaded"}, 500, "overloaded"),
        ({"message": "That model is currently overloaded"}, 503, "overloaded"),
        ({"type": "not_found_error", "message": "model: claude-9"}, 404, "invalid"),
        ({"code": "model_not_found", "message": "No such."}, 404, "invalid"),
        ({"code": "DeploymentNotFound", "message": "No such."}, 404, "invalid"),
        ({"type": "not_found_error", "message": "File not found: file_1"}, 404, "client"),
    ],
)
def test_what_a_body_says_outranks_its_status(error, status, kind):
    assert response(status, error).kind == kind


@pytest.mark.parametrize(
    ("told", "kept"),
    [("tokens_exceeded", "tokens_exceeded"), ("server_error", None), ("a b", None), (413, None)],
)
def test_a_413_keeps_the_upstreams_code_and_words(told, kept):
    error = response(413, {"message": "Request too large.", "code": told})
    assert (error.code, error.told_code) == ("request-too-large", kept)
    assert error.message == "Request too large."
    body = json.loads(error_body(error, "r1"))
    assert body["error"]["code"] == (kept or "request-too-large")


def test_a_404_without_an_error_body_is_a_wrong_path_of_ours():
    assert response(404).kind == "invalid"


def test_a_continuation_the_upstream_does_not_know_keeps_the_code_clients_act_on():
    error = response(400, {"code": "previous_response_not_found", "message": "Not found."})
    assert (error.code, error.status, error.retryable) == (
        "previous-response-not-found",
        400,
        False,
    )


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("chat/anthropic-openai-compat__error-429-rate-limit__1.json", "rate-limited"),
        ("chat/azure__error-404__1.json", "invalid"),
        ("chat/deepseek__error-400-context-length__1.json", "context"),
        ("chat/llamacpp__error-500__1.json", "server"),
        ("chat/ollama-cloud__error-400-context-length__1.json", "context"),
        ("chat/openai__error-400-image__1.json", "client"),
        ("chat/openai__error-400__1.json", "client"),
        ("chat/openai__error-400__2.json", "client"),
        ("chat/openai__error-401__1.json", "auth"),
        ("chat/openai__error-429-rate-limit__1.json", "rate-limited"),
        ("chat/openrouter__error-400-context-length__1.json", "context"),
        ("chat/openrouter__error-429__1.json", "rate-limited"),
        ("chat/perplexity__error-400-context-length__1.json", "context"),
        ("messages/anthropic__error-400__1.json", "client"),
        ("messages/anthropic__error-401__1.json", "auth"),
        ("messages/anthropic__error-404__1.json", "invalid"),
        ("messages/anthropic__error-429-rate-limit__1.json", "rate-limited"),
        ("messages/anthropic__error-529-overloaded__1.json", "overloaded"),
        ("responses/deepseek__error-400-tool-result__1.json", "client"),
        ("responses/openai__error-400-context-length__1.json", "context"),
        ("responses/xai__error-400__1.json", "auth"),
    ],
)
def test_recorded_error_bodies_are_understood(file, kind):
    recording = next(r for r in recordings() if r.file == file)
    error = failures.from_response(recording.status, {}, recording.body)
    assert error.kind == kind
    if kind in ("client", "context"):
        assert json.loads(recording.body)["error"]["message"][:20] in error.message


def test_every_recorded_error_body_is_in_the_list_above():
    listed = test_recorded_error_bodies_are_understood.pytestmark[0].args[1]
    assert {file for file, _ in listed} == {r.file for r in recordings() if r.status != 200}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"[{}]",
        b'"x"',
        b"{",
        b"\xff",
        b"[" * 9999,
        b'{"error":null}',
        b'{"error":[1]}',
        b'{"error":{"message":5,"code":[],"type":{}}}',
    ],
)
def test_an_error_body_of_any_kind_is_survived(body):
    assert failures.from_response(400, {}, body).message
    assert failures.from_error_event(body).retryable


@given(st.binary(max_size=60), st.integers(min_value=100, max_value=599))
def test_no_body_and_no_status_raises(body, status):
    assert failures.from_response(status, {}, body).code in STATUS


def test_googles_errors_come_in_a_list():
    body = b'[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]'
    assert failures.from_error_event(body).kind == "rate-limited"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error":{"type":"overloaded_error","message":"x"}}', "overloaded"),
        (b'{"choices":[]}', "invalid"),
        (b"<html>", "invalid"),
    ],
)
def test_json_where_a_stream_was_asked_for_may_be_an_error_body(body, kind):
    assert failures.from_mismatch(body).kind == kind


# --- a provider's own rows ----------------------------------------------------------------------


def reread(status, error, *rows, headers=None):
    return failures.reclassified(response(status, error, headers), [ErrorRow(*r) for r in rows])


@pytest.mark.parametrize(
    ("cls", "status", "told"),
    [
        ("client", 422, ("client", "invalid-request", 422, False)),
        ("client", 403, ("client", "invalid-request", 400, False)),
        ("client", 500, ("client", "invalid-request", 400, False)),
        ("context", 400, ("context", "context_length_exceeded", 400, False)),
        ("context", 413, ("context", "request-too-large", 413, False)),
        ("auth", 418, ("auth", "upstream-auth", 502, True)),
        ("rate-limited", 503, ("rate-limited", "upstream-rate-limited", 429, True)),
        ("overloaded", 400, ("overloaded", "upstream-overloaded", 503, True)),
        ("timeout", 500, ("timeout", "upstream-timeout", 504, True)),
        ("server", 500, ("server", "upstream-invalid-response", 500, True)),
        ("server", 401, ("server", "upstream-invalid-response", 502, True)),
        ("invalid", 400, ("invalid", "upstream-invalid-response", 502, True)),
    ],
)
def test_a_row_says_what_an_error_is_taken_for(cls, status, told):
    error = reread(status, {"message": "Something."}, (status, None, cls))
    assert (error.kind, error.code, error.status, error.retryable) == told


def test_every_class_the_compiler_lets_through_is_known():
    for cls in get_args(ErrorClass):
        assert reread(400, {"message": "x"}, (None, None, cls)).kind == cls


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "busy"}, "busy"),
        ({"type": "busy"}, "busy"),
        ({"code": 1305}, "1305"),
        ({"status": "RESOURCE_EXHAUSTED"}, "RESOURCE_EXHAUSTED"),
    ],
)
def test_the_code_of_a_row_is_whatever_the_body_calls_its_class(error, code):
    error = error | {"message": "busy is only mentioned"}
    assert reread(400, error, (None, code, "overloaded")).kind == "overloaded"
    assert reread(400, error, (400, code, "overloaded")).kind == "overloaded"
    assert reread(400, error, (401, code, "overloaded")).kind == "client"
    assert reread(400, error, (None, "mentioned", "overloaded")).kind == "client"


def test_the_first_row_that_applies_counts_and_wins_over_what_is_built_in():
    rows = (429, "quota", "auth"), (429, None, "overloaded"), (None, None, "server")
    assert reread(429, {"code": "quota", "message": "x"}, *rows).kind == "auth"
    assert reread(429, {"code": "context_length_exceeded"}, *rows).kind == "overloaded"
    assert reread(200, {"message": "x"}, *rows).kind == "server"
    assert reread(400, {"message": "x"}, *rows[:2]).kind == "client"


def test_the_words_and_the_wait_of_the_upstream_survive_another_class():
    error = reread(503, {"message": "Bad field."}, (503, None, "client"))
    assert error.message == "Bad field."
    waiting = {"retry-after": "7"}
    error = reread(400, {"message": "x"}, (400, None, "rate-limited"), headers=waiting)
    assert (error.retry_after, error.wait) == (7, 7.0)


def test_an_error_event_is_read_by_rows_and_a_broken_answer_is_not():
    rows = [ErrorRow(None, None, "client")]
    event = failures.from_error_event(b'{"error":{"message":"x"}}')
    assert failures.reclassified(event, rows).kind == "client"
    for error in (failures.empty(), failures.incomplete(), failures.interrupted(event)):
        assert failures.reclassified(error, rows) is error


@pytest.mark.parametrize(
    ("value", "wait", "retry_after"),
    [
        (None, None, 5),
        ("soon", None, 5),
        ("0", 1, 1),
        ("2.5", 2.5, 3),
        ("90", 90, 60),
        ("86400", 3600, 60),
    ],
)
def test_what_an_upstream_asks_for_is_kept_beside_what_a_caller_is_told(value, wait, retry_after):
    error = response(429, {"message": "x"}, {} if value is None else {"retry-after": value})
    assert (error.wait, error.retry_after) == (wait, retry_after)


# --- exceptions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exc", "kind", "code", "status"),
    [
        (httpx.ConnectError("x"), "connect", "upstream-unreachable", 502),
        (httpx.ConnectTimeout("x"), "timeout", "upstream-timeout", 504),
        (httpx.ReadTimeout("x"), "timeout", "upstream-timeout", 504),
        (httpx.WriteTimeout("x"), "timeout", "upstream-timeout", 504),
        (TimeoutError(), "timeout", "upstream-timeout", 504),
        (httpx.PoolTimeout("x"), "overloaded", "upstream-overloaded", 503),
        (httpx.ReadError("x"), "connect", "upstream-unreachable", 502),
        (httpx.WriteError("x"), "connect", "upstream-unreachable", 502),
        (httpx.RemoteProtocolError("x"), "invalid", "upstream-invalid-response", 502),
        (httpx.DecodingError("x"), "invalid", "upstream-invalid-response", 502),
        (ConnectionResetError(), "connect", "upstream-unreachable", 502),
    ],
)
def test_an_exception_of_the_upstream_leg_means_what_happened(exc, kind, code, status):
    error = failures.from_exception(exc)
    assert (error.kind, error.code, error.status) == (kind, code, status)
    assert error.retryable
    assert "x" not in error.message.split()


# --- waiting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("1.2", 2),
        ("0", 1),
        ("90", 60),
        ("999999999999", 60),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 1),
        ("Thu, 01 Jan 2026 13:00:00 GMT", 60),
        ("", None),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("\u0667", None),
        ("1e3", None),
        ("Thu, 99 Jan 2026 13:00:00 GMT", None),
    ],
)
def test_the_time_to_wait_is_between_one_second_and_one_minute(value, seconds):
    assert failures.retry_after(value, now=NOW) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_header_raises(value):
    assert failures.retry_after(value, now=NOW) in (None, *range(1, 61))


@pytest.mark.parametrize("status", [429, 529])
def test_a_limit_always_says_how_long_to_wait(status):
    assert response(status).retry_after == failures.DEFAULT_RETRY_AFTER
    assert response(status, headers={"retry-after": "9"}).retry_after == 9
    assert response(500).retry_after is None


# --- what the upstream said --------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 402, 403, 429, 500, 502, 503, 504, 529])
def test_only_where_the_caller_is_at_fault_does_it_read_the_upstreams_words(status):
    assert "secret" not in response(status, {"message": "secret", "type": "secret"}).message
