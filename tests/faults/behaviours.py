"""How the fault upstream misbehaves: one function per model name.

A name says what happens; `tests.faults.table` says what must come of it.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable

from tests.faults.answers import (
    PIECES,
    data,
    error_body,
    error_events,
    giant,
    tool_call_pieces,
    whole,
)
from tests.faults.upstream import Behaviour, Visit

SILENCE = 2.4  # seconds; longer than the head start the router is given
MEBIBYTE = 1024 * 1024
OVERFLOW = {
    "chat": "This model's maximum context length is 200000 tokens. However, your messages resulted "
    "in 210000 tokens.",
    "responses": "Your input exceeds the context window of this model.",
    "messages": "prompt is too long: 210000 tokens > 200000 maximum",
}

BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    """Enters a function in the table."""

    def enter(function: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = function
        return function

    return enter


# --- good answers, in all the ways they may be framed --------------------------------------------


@behaviour("good")
async def good(visit: Visit) -> None:
    if not visit.asked.streamed:
        await visit.json(
            200,
            whole(visit.asked.dialect, visit.asked.model),
            set_cookie="upstream=1",
            openai_model="secret-model",
            x_models_etag="abc",
            x_internal_key="zx-internal-8fKq",
            retry_after="9",
        )
        return
    await visit.head(
        content_type="text/event-stream; charset=utf-8",
        transfer_encoding="chunked",
        set_cookie="upstream=1",
        openai_model="secret-model",
        x_models_etag="abc",
        x_internal_key="zx-internal-8fKq",
    )
    script = visit.script
    for event in (*script.opening, *script.content, *script.closing):
        await visit.chunk(event)
    await visit.last_chunk()


@behaviour("good-trickled")
async def good_trickled(visit: Visit) -> None:
    if not visit.asked.streamed:
        body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
        await visit.head(content_type="application/json", content_length=str(len(body)))
        await _slowly(visit, body)
        return
    text = visit.script.whole
    await visit.head(content_type="text/event-stream", content_length=str(len(text)))
    await _slowly(visit, text)


async def _slowly(visit: Visit, text: bytes, size: int = 7) -> None:
    for start in range(0, len(text), size):
        await visit.raw(text[start : start + size])
        await asyncio.sleep(0)


@behaviour("good-in-one-piece")
async def good_in_one_piece(visit: Visit) -> None:
    if not visit.asked.streamed:
        await good(visit)
        return
    text = visit.script.whole
    await visit.raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: %d\r\n\r\n%s"
        % (len(text), text)
    )


@behaviour("good-with-crlf-lines")
async def good_with_crlf_lines(visit: Visit) -> None:
    if not visit.asked.streamed:
        await good(visit)
        return
    await visit.event_stream()
    await visit.chunk(visit.script.whole.replace(b"\n", b"\r\n"))
    await visit.last_chunk()


@behaviour("good-with-comments")
async def good_with_comments(visit: Visit) -> None:
    if not visit.asked.streamed:
        body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
        await visit.body(200, "application/json", b"\n\n   \n" + body)
        return
    await visit.event_stream()
    script = visit.script
    for event in (*script.opening, *script.content, *script.closing):
        await visit.chunk(b": waiting\n\n", event)
    await visit.last_chunk()


@behaviour("good-delimited-by-close")
async def good_delimited_by_close(visit: Visit) -> None:
    if visit.asked.streamed:
        await visit.head(content_type="text/event-stream", connection="close")
        await visit.raw(visit.script.whole)
    else:
        await visit.head(content_type="application/json", connection="close")
        await visit.raw(json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode())
    await visit.close()


@behaviour("good-without-done")
async def good_without_done(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(visit.script.whole.replace(b"data: [DONE]\n\n", b""))
    await visit.last_chunk()


@behaviour("good-but-cut-after-the-terminator")
async def good_but_cut_after_the_terminator(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(visit.script.whole)
    await visit.reset()


@behaviour("good-but-cut-before-done")
async def good_but_cut_before_done(visit: Visit) -> None:
    """Every choice has its finish_reason: the answer is whole, whatever happens then."""
    await visit.event_stream()
    await visit.chunk(visit.script.whole.replace(b"data: [DONE]\n\n", b""))
    await visit.reset()


@behaviour("good-after-interim-answers")
async def good_after_interim_answers(visit: Visit) -> None:
    await visit.raw(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n")
    await good(visit)


@behaviour("stopped-by-length")
async def stopped_by_length(visit: Visit) -> None:
    text = visit.script.whole
    for said, instead in (
        (b'"finish_reason": "stop"', b'"finish_reason": "length"'),
        (b'"stop_reason": "end_turn"', b'"stop_reason": "max_tokens"'),
        (b"response.completed", b"response.incomplete"),
    ):
        text = text.replace(said, instead)
    await visit.event_stream()
    await visit.chunk(text)
    await visit.last_chunk()


# --- silence -------------------------------------------------------------------------------------


@behaviour("silent-then-good")
async def silent_then_good(visit: Visit) -> None:
    await asyncio.sleep(SILENCE)
    await good(visit)


@behaviour("silent-after-head-then-good")
async def silent_after_head_then_good(visit: Visit) -> None:
    script = visit.script
    await visit.event_stream()
    await visit.chunk(*script.opening)
    await asyncio.sleep(SILENCE)
    await visit.chunk(*script.content, *script.closing)
    await visit.last_chunk()


@behaviour("silent-mid-stream-then-good")
async def silent_mid_stream_then_good(visit: Visit) -> None:
    script = visit.script
    await visit.event_stream()
    await visit.chunk(*script.opening, *script.content[:2])
    await asyncio.sleep(SILENCE)
    await visit.chunk(*script.content[2:], *script.closing)
    await visit.last_chunk()


@behaviour("slow-in-one-piece")
async def slow_in_one_piece(visit: Visit) -> None:
    """An answer that takes longer to write than an attempt may wait for its head."""
    body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
    await visit.head(content_type="application/json", content_length=str(len(body)))
    await asyncio.sleep(SILENCE)
    await visit.raw(body)


@behaviour("silent-then-reset")
async def silent_then_reset(visit: Visit) -> None:
    await asyncio.sleep(SILENCE)
    await visit.reset()


@behaviour("silent-then-503")
async def silent_then_503(visit: Visit) -> None:
    await asyncio.sleep(SILENCE)
    await BEHAVIOURS["status-503"](visit)


@behaviour("silent-then-cut-mid-stream")
async def silent_then_cut_mid_stream(visit: Visit) -> None:
    await asyncio.sleep(SILENCE)
    await cut_between_events(visit)


@behaviour("hangs-before-head")
async def hangs_before_head(visit: Visit) -> None:
    await visit.gone()


@behaviour("hangs-after-head")
async def hangs_after_head(visit: Visit) -> None:
    if visit.asked.streamed:
        await visit.event_stream()
    else:
        await visit.head(content_type="application/json", content_length="500")
    await visit.gone()


@behaviour("hangs-before-content")
async def hangs_before_content(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(*visit.script.opening)
    await visit.gone()


@behaviour("hangs-mid-body")
async def hangs_mid_body(visit: Visit) -> None:
    if visit.asked.streamed:
        script = visit.script
        await visit.event_stream()
        await visit.chunk(*script.opening, *script.content[:2])
    else:
        await visit.head(content_type="application/json", content_length="500")
        await visit.raw(b'{"id": "half')
    await visit.gone()


@behaviour("comments-for-ever")
async def comments_for_ever(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(*visit.script.opening)
    while True:
        await visit.chunk(b": still here\n\n")
        await asyncio.sleep(0.03)


@behaviour("content-for-ever")
async def content_for_ever(visit: Visit) -> None:
    script = visit.script
    await visit.event_stream()
    await visit.chunk(*script.opening)
    if visit.asked.dialect == "responses":
        await _numbered_for_ever(visit)
    await visit.chunk(script.content[0])
    while True:
        await visit.chunk(script.content[1])
        await asyncio.sleep(0.03)


async def _numbered_for_ever(visit: Visit) -> None:
    first, second, *_ = visit.script.content
    await visit.chunk(first)
    number = 5
    while True:
        await visit.chunk(
            second.replace(b'"sequence_number": 5', b'"sequence_number": %d' % number)
        )
        number += 1
        await asyncio.sleep(0.03)


# --- connections that break ----------------------------------------------------------------------


@behaviour("reset-before-head")
async def reset_before_head(visit: Visit) -> None:
    await visit.reset()


@behaviour("closed-before-head")
async def closed_before_head(visit: Visit) -> None:
    await visit.close()


@behaviour("reset-in-head")
async def reset_in_head(visit: Visit) -> None:
    await visit.raw(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await visit.reset()


@behaviour("garbage-for-a-head")
async def garbage_for_a_head(visit: Visit) -> None:
    await visit.raw(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    await visit.close()


@behaviour("reset-before-content")
async def reset_before_content(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(*visit.script.opening)
    await visit.reset()


@behaviour("cut-between-events")
async def cut_between_events(visit: Visit) -> None:
    await _begin(visit)
    await visit.reset()


@behaviour("cut-mid-event")
async def cut_mid_event(visit: Visit) -> None:
    await _begin(visit)
    await visit.chunk(visit.script.content[2][:-20])
    await visit.reset()


@behaviour("closed-mid-stream")
async def closed_mid_stream(visit: Visit) -> None:
    await _begin(visit)
    await visit.close()


@behaviour("closed-mid-stream-without-framing")
async def closed_mid_stream_without_framing(visit: Visit) -> None:
    script = visit.script
    await visit.head(content_type="text/event-stream", connection="close")
    await visit.raw(*script.opening, *script.content[:2])
    await visit.close()


async def _begin(visit: Visit) -> None:
    """The head and half of the content."""
    script = visit.script
    await visit.event_stream()
    await visit.chunk(*script.opening, *script.content[:2])


# --- statuses ------------------------------------------------------------------------------------

_STATUSES = {
    # name: status, error type, message, code, headers
    "status-400": (400, "invalid_request_error", "Upstream says: bad field.", None, {}),
    "status-401": (401, "authentication_error", "Incorrect key.", "invalid_api_key", {}),
    "status-402": (402, "billing_error", "Your balance is empty.", "insufficient_balance", {}),
    "status-403": (403, "permission_error", "No access.", None, {}),
    "status-404": (404, "not_found_error", "Upstream says: no such thing.", None, {}),
    "status-404-model": (404, "not_found_error", "model: status-404", "model_not_found", {}),
    "status-413": (413, "request_too_large", "Upstream says: too large.", "too_large", {}),
    "status-422": (422, "invalid_request_error", "Upstream says: unprocessable.", None, {}),
    "status-429": (429, "rate_limit_error", "Slow down.", "rate_limit", {"retry_after": "7"}),
    "status-429-bare": (429, "rate_limit_error", "Slow down.", "rate_limit", {}),
    "status-429-long": (429, "rate_limit_error", "Slow down.", "x", {"retry_after": "3600"}),
    "status-500": (500, "api_error", "Boom.", None, {}),
    "status-502": (502, "api_error", "Boom.", None, {}),
    "status-503": (503, "api_error", "Boom.", None, {}),
    "status-503-waits": (503, "api_error", "Boom.", None, {"retry_after": "11"}),
    "status-504": (504, "api_error", "Boom.", None, {}),
    "status-529": (529, "overloaded_error", "Overloaded.", None, {}),
}


def _status(name: str) -> Behaviour:
    status, type_, message, code, headers = _STATUSES[name]

    async def answer(visit: Visit) -> None:
        body = error_body(visit.asked.dialect, type_, message, code)
        await visit.json(status, body, set_cookie="upstream=1", **headers)

    return answer


for _name in _STATUSES:
    BEHAVIOURS[_name] = _status(_name)

_HTML = b"<html><head><title>Oops</title></head><body>nginx internal-host-7</body></html>"


def _html(status: int) -> Behaviour:
    async def answer(visit: Visit) -> None:
        await visit.body(status, "text/html", _HTML)

    return answer


for _code in (400, 401, 403, 404, 500, 502, 503):
    BEHAVIOURS[f"status-{_code}-html"] = _html(_code)


@behaviour("status-400-overflow")
async def status_400_overflow(visit: Visit) -> None:
    dialect = visit.asked.dialect
    code = None if dialect == "messages" else "context_length_exceeded"
    body = error_body(dialect, "invalid_request_error", OVERFLOW[dialect], code)
    await visit.json(400, body)


@behaviour("status-400-quoting-the-key")
async def status_400_quoting_the_key(visit: Visit) -> None:
    key = visit.asked.headers["authorization"].removeprefix("Bearer ")
    message = f"Bad field; you sent the key {key} to http://upstream.internal:8000/v1."
    body = error_body(visit.asked.dialect, "invalid_request_error", message)
    await visit.json(400, body)


@behaviour("status-400-quoting-the-model")
async def status_400_quoting_the_model(visit: Visit) -> None:
    message = f"{visit.asked.model} takes no such field."
    body = error_body(visit.asked.dialect, "invalid_request_error", message)
    body["error"]["param"] = f"models.{visit.asked.model}"
    await visit.json(400, body)


@behaviour("status-500-quoting-everything")
async def status_500_quoting_everything(visit: Visit) -> None:
    asked = visit.asked
    message = f"Traceback: {dict(asked.headers)} {json.dumps(asked.body)}"
    await visit.json(500, error_body(asked.dialect, "api_error", message))


@behaviour("redirect")
async def redirect(visit: Visit) -> None:
    await visit.head(307, location="/v1/elsewhere", content_length="0")


@behaviour("status-304")
async def status_304(visit: Visit) -> None:
    await visit.head(304)


@behaviour("switching-protocols")
async def switching_protocols(visit: Visit) -> None:
    await visit.head(101, upgrade="websocket", connection="Upgrade")
    await visit.gone()


@behaviour("interim-answers-for-ever")
async def interim_answers_for_ever(visit: Visit) -> None:
    while True:
        await visit.raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 20)
        await asyncio.sleep(0.005)


# --- 200, but not an answer ----------------------------------------------------------------------


@behaviour("junk-json")
async def junk_json(visit: Visit) -> None:
    await visit.body(200, "application/json", b'{"id": "x", "choices": [}')


@behaviour("json-of-another-shape")
async def json_of_another_shape(visit: Visit) -> None:
    await visit.json(200, ["not", "an", "answer"])


@behaviour("error-body-with-200")
async def error_body_with_200(visit: Visit) -> None:
    await visit.json(200, error_body(visit.asked.dialect, "api_error", "Boom."))


@behaviour("wrong-content-type")
async def wrong_content_type(visit: Visit) -> None:
    await visit.body(200, "text/html", _HTML)


@behaviour("empty-body")
async def empty_body(visit: Visit) -> None:
    content_type = "text/event-stream" if visit.asked.streamed else "application/json"
    await visit.body(200, content_type, b"")


@behaviour("json-for-a-stream")
async def json_for_a_stream(visit: Visit) -> None:
    await visit.json(200, whole(visit.asked.dialect, visit.asked.model))


@behaviour("stream-for-json")
async def stream_for_json(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(visit.script.whole)
    await visit.last_chunk()


@behaviour("too-large")
async def too_large(visit: Visit) -> None:
    await visit.head(content_type="application/json", transfer_encoding="chunked")
    for _ in range(34):
        await visit.chunk(b" " * MEBIBYTE)
    await visit.chunk(json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode())
    await visit.last_chunk()


@behaviour("bad-gzip")
async def bad_gzip(visit: Visit) -> None:
    content_type = "text/event-stream" if visit.asked.streamed else "application/json"
    junk = b"\x1f\x8b\x08\x00" + b"this is not gzip at all" * 4
    await visit.body(200, content_type, junk, content_encoding="gzip")


@behaviour("cut-gzip")
async def cut_gzip(visit: Visit) -> None:
    """A compressed body that ends early, in a well-framed answer."""
    if visit.asked.streamed:
        script = visit.script
        plain, content_type = b"".join((*script.opening, *script.content)), "text/event-stream"
    else:
        plain = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
        content_type = "application/json"
    await visit.body(200, content_type, gzip.compress(plain)[:-9], content_encoding="gzip")


@behaviour("broken-chunking")
async def broken_chunking(visit: Visit) -> None:
    content_type = "text/event-stream" if visit.asked.streamed else "application/json"
    await visit.head(content_type=content_type, transfer_encoding="chunked")
    await visit.raw(b"zz\r\nwhat?\r\n")
    await visit.close()


@behaviour("broken-chunking-mid-stream")
async def broken_chunking_mid_stream(visit: Visit) -> None:
    await _begin(visit)
    await visit.raw(b"zz\r\nwhat?\r\n")
    await visit.close()


@behaviour("short-content-length")
async def short_content_length(visit: Visit) -> None:
    """The connection ends before as many bytes came as the head announced."""
    body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
    await visit.head(content_type="application/json", content_length=str(len(body) + 50))
    await visit.raw(body)
    await visit.close()


@behaviour("whole-cut-by-reset")
async def whole_cut_by_reset(visit: Visit) -> None:
    body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
    await visit.head(content_type="application/json", content_length=str(len(body)))
    await visit.raw(body[:40])
    await visit.reset()


@behaviour("whole-cut-without-framing")
async def whole_cut_without_framing(visit: Visit) -> None:
    body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
    await visit.head(content_type="application/json", connection="close")
    await visit.raw(body[:40])
    await visit.close()


@behaviour("length-and-chunking")
async def length_and_chunking(visit: Visit) -> None:
    """Two framings at once: whoever picks one of them can be smuggled past."""
    content_type = "text/event-stream" if visit.asked.streamed else "application/json"
    await visit.head(content_type=content_type, content_length="5", transfer_encoding="chunked")
    await visit.chunk(visit.script.whole)
    await visit.last_chunk()


@behaviour("bare-line-feeds-in-head")
async def bare_line_feeds_in_head(visit: Visit) -> None:
    body = json.dumps(whole(visit.asked.dialect, visit.asked.model)).encode()
    await visit.raw(
        b"HTTP/1.1 200 OK\ncontent-type: application/json\ncontent-length: %d\n\n%s"
        % (len(body), body)
    )
    await visit.close()


# --- streams without an answer -------------------------------------------------------------------


@behaviour("ends-before-content")
async def ends_before_content(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(*visit.script.opening)
    await visit.last_chunk()


@behaviour("only-comments")
async def only_comments(visit: Visit) -> None:
    await visit.event_stream()
    await visit.chunk(b": waiting\n\n", b": waiting\n\n")
    await visit.last_chunk()


@behaviour("ends-mid-event")
async def ends_mid_event(visit: Visit) -> None:
    await _begin(visit)
    await visit.chunk(visit.script.content[2][:-20])
    await visit.last_chunk()


@behaviour("ends-without-terminator")
async def ends_without_terminator(visit: Visit) -> None:
    """All of the text and a regular end of the body, but not the dialect's own end."""
    script = visit.script
    await visit.event_stream()
    await visit.chunk(*script.opening, *script.content)
    await visit.last_chunk()


@behaviour("ends-before-last-event")
async def ends_before_last_event(visit: Visit) -> None:
    """Every block is closed: Claude Code takes this for a whole answer."""
    script = visit.script
    keep = {"chat": 0, "responses": 3, "messages": 1}[visit.asked.dialect]
    await visit.event_stream()
    await visit.chunk(*script.opening, *script.content, *script.closing[:keep])
    await visit.last_chunk()


@behaviour("ends-in-a-tool-call")
async def ends_in_a_tool_call(visit: Visit) -> None:
    pieces = tool_call_pieces(visit.asked.dialect, visit.asked.model)
    await visit.event_stream()
    await visit.chunk(*visit.script.opening, *pieces)
    await visit.last_chunk()


@behaviour("done-without-finish-reason")
async def done_without_finish_reason(visit: Visit) -> None:
    script = visit.script
    await visit.event_stream()
    await visit.chunk(*script.opening, *script.content, b"data: [DONE]\n\n")
    await visit.last_chunk()


# --- errors inside a 200 -------------------------------------------------------------------------

_ERRORS = {
    # kind: type and code in Chat, type in Messages, code in Responses
    "error": ("server_error", None, "api_error", "server_error"),
    "overloaded": ("server_error", "overloaded", "overloaded_error", "server_is_overloaded"),
    "rate-limited": (
        "rate_limit_error",
        "rate_limit_exceeded",
        "rate_limit_error",
        "rate_limit_exceeded",
    ),
    "overflow": (
        "invalid_request_error",
        "context_length_exceeded",
        "invalid_request_error",
        "context_length_exceeded",
    ),
}


def _error(visit: Visit, kind: str, sequence: int) -> bytes:
    dialect, model = visit.asked.dialect, visit.asked.model
    chat_type, chat_code, messages_type, responses_code = _ERRORS[kind]
    message = OVERFLOW[dialect] if kind == "overflow" else "Boom on internal-host-7."
    type_ = {"chat": chat_type, "messages": messages_type}.get(dialect, responses_code)
    code = {"chat": chat_code, "responses": responses_code}.get(dialect)
    return error_events(dialect, model, sequence, type_, message, code)


def _error_first(kind: str) -> Behaviour:
    async def answer(visit: Visit) -> None:
        await visit.event_stream()
        opening = visit.script.opening if visit.asked.dialect != "chat" else ()
        await visit.chunk(*opening, _error(visit, kind, len(opening)))
        await visit.last_chunk()

    return answer


for _kind in _ERRORS:
    BEHAVIOURS[f"{_kind}-event-before-content"] = _error_first(_kind)


@behaviour("error-event-after-content")
async def error_event_after_content(visit: Visit) -> None:
    await _begin(visit)
    await visit.chunk(_error(visit, "error", 6))
    await visit.last_chunk()


@behaviour("error-event-then-done")
async def error_event_then_done(visit: Visit) -> None:
    """An error between content and a regular end, as some Chat providers send it."""
    await _begin(visit)
    await visit.chunk(_error(visit, "error", 6), b"data: [DONE]\n\n")
    await visit.last_chunk()


@behaviour("error-beside-a-choice")
async def error_beside_a_choice(visit: Visit) -> None:
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    error = {"code": 502, "message": "Boom on internal-host-7."}
    await _begin(visit)
    await visit.chunk(
        data({"id": "chatcmpl-1", "error": error, "choices": [choice]}), b"data: [DONE]\n\n"
    )
    await visit.last_chunk()


# --- streams that cannot be read -----------------------------------------------------------------


def _malformed(visit: Visit, piece: int) -> bytes:
    return b'event: whatever\ndata: {"choices": [\n\n'


def _not_utf8(visit: Visit, piece: int) -> bytes:
    *_, event = visit.script.content[piece].removesuffix(b"\n\n").split(b"\n\n")
    return event.replace(PIECES[piece].encode(), b"\xff\xfe") + b"\n\n"


def _giant(visit: Visit, piece: int) -> bytes:
    return giant(visit.asked.dialect, visit.asked.model, MEBIBYTE + 1000)


def _broken_event(event: Callable[[Visit, int], bytes], piece: int) -> Behaviour:
    """A stream with one bad event in place of a piece of its content."""

    async def answer(visit: Visit) -> None:
        script = visit.script
        await visit.event_stream()
        await visit.chunk(*script.opening, *script.content[:piece], event(visit, piece))
        await visit.chunk(*script.content[piece + 1 :], *script.closing)
        await visit.last_chunk()

    return answer


for _what, _event in (("malformed", _malformed), ("not-utf8", _not_utf8), ("giant", _giant)):
    BEHAVIOURS[f"{_what}-event-before-content"] = _broken_event(_event, 0)
    BEHAVIOURS[f"{_what}-event-after-content"] = _broken_event(_event, 2)
