"""What an upstream failure means: may the next target be tried, and what does the caller see.

It reads statuses, error bodies and exceptions; it calls nobody. Upstream texts reach a caller
only where the caller is at fault, and only redacted.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from runtime.errors import UpstreamError
from runtime.redaction import redact
from runtime.vocabulary import ErrorRow

_MAX_WORDS: Final = 2400
MIN_RETRY_AFTER: Final = 1
MAX_RETRY_AFTER: Final = 60  # Claude Code gives up above a minute
DEFAULT_RETRY_AFTER: Final = 5
MAX_WAIT: Final = 3600.0  # seconds an upstream is left alone because it says so


class _Class(NamedTuple):
    """`status` None keeps the upstream's own."""

    kind: str
    code: str
    status: int | None
    retryable: bool
    message: str


_CLIENT: Final = _Class("client", "invalid-request", None, False, "The upstream refused this.")
_CONTEXT: Final = _Class("context", "context_length_exceeded", 400, False, "The input is too long.")
_TOO_LARGE: Final = _Class("context", "request-too-large", 413, False, "The body is too large.")
_STATE: Final = _Class(
    "client",
    "previous-response-not-found",
    400,
    False,
    "Previous response not found. Send the whole conversation again.",
)
_AUTH: Final = _Class(
    "auth",
    "upstream-auth",
    502,
    True,
    "The upstream does not accept this router's own credentials or account. "
    "Your token is fine; tell the administrator.",
)
_RATE: Final = _Class(
    "rate-limited",
    "upstream-rate-limited",
    429,
    True,
    "The upstream's rate limit is reached. Try again after the time in Retry-After.",
)
_OVERLOADED: Final = _Class(
    "overloaded",
    "upstream-overloaded",
    503,
    True,
    "The upstream is overloaded. Try again after the time in Retry-After.",
)
_TIMEOUT: Final = _Class(
    "timeout",
    "upstream-timeout",
    504,
    True,
    "The upstream did not answer in time. Try again, or ask for a shorter answer.",
)
# Somebody answered, but what came is no answer.
_SERVER: Final = _Class(
    "server",
    "upstream-invalid-response",
    None,
    True,
    "The upstream failed. Try again; if it goes on, tell the administrator.",
)
# Its front cannot get through to the model, as ours cannot where nothing answers at all.
_GATEWAY: Final = _SERVER._replace(code="upstream-unreachable", status=502)
_FULL: Final = _OVERLOADED._replace(
    retryable=False,
    message="Every target for this request has as many requests open as it may have. "
    "Try again after the time in Retry-After.",
)
_UNAVAILABLE: Final = _OVERLOADED._replace(
    message="The upstream is not available now. Try again after the time in Retry-After."
)
# A conflict or a replay in the upstream's eyes: nothing the caller did, and a 409 it would repeat.
_CONFLICT: Final = _SERVER._replace(status=502)
_CONNECT: Final = _Class(
    "connect",
    "upstream-unreachable",
    502,
    True,
    "The upstream cannot be reached. Try again; if it goes on, tell the administrator.",
)
_INVALID: Final = _Class(
    "invalid",
    "upstream-invalid-response",
    502,
    True,
    "The upstream's answer cannot be used. Try again; if it goes on, tell the administrator.",
)
_INTERRUPTED: Final = _Class(
    "interrupted",
    "upstream-invalid-response",
    502,
    False,
    "The upstream's answer broke off. What came so far is not complete: send the request again.",
)

_BY_STATUS: Final[dict[int, _Class]] = {
    400: _CLIENT,
    401: _AUTH,
    402: _AUTH,
    403: _AUTH,
    404: _CLIENT,
    408: _TIMEOUT,
    409: _CONFLICT,
    413: _TOO_LARGE,
    422: _CLIENT,
    425: _CONFLICT,
    429: _RATE,
    498: _OVERLOADED,  # Groq: no capacity in the flex tier
    500: _SERVER,
    502: _GATEWAY,
    503: _UNAVAILABLE,
    504: _TIMEOUT,
    524: _TIMEOUT,  # Cloudflare: the origin took too long
    529: _OVERLOADED,
}

# The words a provider's own rows of this table are written in; where the class keeps the upstream's
# status, which ones it keeps, and what stands for the others.
_OF_WORD: Final[dict[str, _Class]] = {
    "client": _CLIENT,
    "context": _CONTEXT,
    "auth": _AUTH,
    "rate-limited": _RATE,
    "overloaded": _OVERLOADED,
    "timeout": _TIMEOUT,
    "server": _SERVER,
    "invalid": _INVALID,
}
_KEPT: Final = {"client": (frozenset({400, 404, 422}), 400), "server": (frozenset({500}), 502)}

# Error words of the providers -> the status they stand for, where no status comes along.
_STATUS_OF_WORD: Final[dict[str, int]] = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "tool_use_failed": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "timeout_error": 504,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "slow_down": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "overloaded_error": 529,
    "server_is_overloaded": 529,
    "overloaded": 529,
}

# Providers agree on words more than on numbers: where a status is here, these words outrank it.
_WORDING: Final[tuple[tuple[re.Pattern[str], frozenset[int], _Class], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), frozenset(statuses), meaning)
    for pattern, statuses, meaning in (
        (
            r"insufficient_quota|credit balance is too low|(incorrect|invalid) (x-)?api[ -]key"
            r"|api key not valid",
            (400, 429),
            _AUTH,
        ),
        (
            r"previous_response_not_found|previous response with id .* not found",
            (400, 404),
            _STATE,
        ),
        (
            r"context_length_exceeded|too_many_prompt_tokens|maximum (context|prompt) length"
            r"|(prompt|input) (is )?too long|all messages is too long|input token count"
            r"|exceed\w* ([\w']+ ){0,3}context ?(length|limit|window|size)?"
            r"|reduce the length of the messages",
            (400, 422, 500),
            _CONTEXT,
        ),
        (
            r"overloaded_error|server_is_overloaded|currently overloaded",
            (429, 500, 503),
            _OVERLOADED,
        ),
    )
)
# What may stand as `code` in an answer of ours; `server_error` on a 4xx makes opencode repeat it.
_CODE: Final = re.compile(r"(?!server_error$)[A-Za-z0-9_.-]{1,64}")
_MODEL_MISSING: Final = re.compile(
    r"model_not_found|deploymentnotfound|unknown_model|\bmodel\b", re.IGNORECASE
)

# Names of httpx's exceptions (and the built-in ones behind them), looked up from the special to
# the general: nothing that reads bodies imports the library.
_BY_EXCEPTION: Final[dict[str, _Class]] = {
    "ConnectTimeout": _TIMEOUT,
    "PoolTimeout": _OVERLOADED,
    "TimeoutException": _TIMEOUT,
    "TimeoutError": _TIMEOUT,
    "ConnectError": _CONNECT,
    "RemoteProtocolError": _INVALID,
    "DecodingError": _INVALID,
}


class _Told(NamedTuple):
    """What an error body says about itself."""

    words: str  # type, code and message, for `_WORDING`
    message: str
    status: int | None
    param: str | None
    code: str | None = None
    names: tuple[str, ...] = ()  # whatever it calls its class, numbers as text


class _Evidence(NamedTuple):
    """What an upstream's answer was judged by. `wait`: seconds it asks to be left alone."""

    status: int
    told: _Told
    wait: float | None = None


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """The meaning of an answer whose status is not 200; header names are in lower case."""
    told = _told(body)
    wait = _seconds(headers.get("retry-after"))
    return _error(_meaning(status, told), _Evidence(status, told, wait))


def from_error_event(data: bytes, *, status: int | None = None) -> UpstreamError:
    """The meaning of an error inside a 200: the next target may be tried unless it is overflow."""
    told = _told(data)
    status = status or told.status or 500
    meaning = _meaning(status, told)
    error = _error(meaning, _Evidence(status, told))
    # The head said 200, so the provider had accepted the request: another one may do better.
    error.retryable = meaning.kind != "context"
    return error


def reclassified(error: UpstreamError, rows: Iterable[ErrorRow]) -> UpstreamError:
    """The same failure by the first of a provider's own rows that applies, else as it is.

    A row without a status or without a code applies to any. Only what an upstream has said about
    itself can be read anew: an answer that broke off stays what it is.
    """
    evidence = error.evidence
    if not isinstance(evidence, _Evidence):
        return error
    for row in rows:
        if row.status in (None, evidence.status) and (
            row.code is None or row.code in evidence.told.names
        ):
            return _error(_meant(row.cls, evidence.status), evidence)
    return error


def _meant(word: str, status: int) -> _Class:
    if word == "context" and status == 413:
        return _TOO_LARGE
    meaning = _OF_WORD[word]
    kept, otherwise = _KEPT.get(word, ((), None))
    return meaning if meaning.status or status in kept else meaning._replace(status=otherwise)


def full() -> UpstreamError:
    """Every candidate has as many requests open as it may have: nobody was asked."""
    return _plain(_FULL, DEFAULT_RETRY_AFTER)


def from_mismatch(body: bytes) -> UpstreamError:
    """The meaning of a 200 in another form than asked for; some hold an error body."""
    told = _told(body)
    if told.words:
        return from_error_event(body)
    return invalid("the answer is neither the form asked for nor an error body")


def from_exception(exc: BaseException) -> UpstreamError:
    """The meaning of what the upstream leg raised."""
    names = (kind.__name__ for kind in type(exc).__mro__)
    meaning = next((_BY_EXCEPTION[name] for name in names if name in _BY_EXCEPTION), _CONNECT)
    return _plain(meaning, _retry_after(meaning, None))


def after_head(exc: BaseException) -> UpstreamError:
    """The meaning of what the upstream leg raised between the head and the end of one piece."""
    error = from_exception(exc)
    if error.kind == "timeout":
        error.retryable = False  # the model was at work: another would be paid as well
    return error


def invalid(reason: str) -> UpstreamError:
    """An answer that cannot be used. `reason` is ours and quotes nothing."""
    return _plain(_INVALID, details={"reason": reason})


def empty() -> UpstreamError:
    """An answer that ended before it had content."""
    return invalid("the answer ended without content")


def incomplete() -> UpstreamError:
    """An answer that ended after content and before its terminator."""
    return _plain(_INTERRUPTED)


def interrupted(error: UpstreamError) -> UpstreamError:
    """The same failure after content went out: final, whatever it was."""
    return _plain(_INTERRUPTED, details=error.details or {"reason": error.kind})


def retry_after(value: str | None, *, now: dt.datetime | None = None) -> int | None:
    """A Retry-After header in whole seconds, 1 to 60; None where it cannot be read."""
    seconds = _seconds(value, now)
    return None if seconds is None else _whole(seconds)


def _whole(seconds: float) -> int:
    # Clients sleep exactly this long: round up, so that they do not come back too early.
    return int(min(max(-(-seconds // 1), MIN_RETRY_AFTER), MAX_RETRY_AFTER))


def _seconds(value: str | None, now: dt.datetime | None = None) -> float | None:
    """A Retry-After header in seconds, 1 to an hour; None where it cannot be read."""
    if not value:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", value, re.ASCII):
        seconds = float(value)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=dt.UTC)
        seconds = (moment - (now or dt.datetime.now(dt.UTC))).total_seconds()
    return min(max(seconds, MIN_RETRY_AFTER), MAX_WAIT)


# --- reading an error body ---------------------------------------------------------------------


def _told(body: bytes) -> _Told:
    try:
        document = msgspec.json.decode(body.strip())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Told("", "", None, None)
    if isinstance(document, list) and document:  # Google's OpenAI-compatible endpoint
        document = document[0]
    if not isinstance(document, dict):
        return _Told("", "", None, None)
    return _told_by(_error_object(document))


def _error_object(document: dict[str, Any]) -> dict[str, Any]:
    """The object that holds the words: `error`, `response.error`, or the document itself."""
    response = document.get("response")
    if isinstance(response, dict) and response.get("error"):
        document = response
    error = document.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str):  # xAI: {"code": "...", "error": "..."}
        return {**document, "message": error}
    if isinstance(detail := document.get("detail"), str):
        return {**document, "message": detail}
    return document if "message" in document or "code" in document else {}


def _told_by(error: dict[str, Any]) -> _Told:
    message = error.get("message")
    message = message if isinstance(message, str) else ""
    names = [name for name in (error.get("type"), error.get("code")) if isinstance(name, str)]
    numbers = [error.get("status_code"), error.get("code"), error.get("status")]
    status = next((n for n in numbers if isinstance(n, int) and 400 <= n < 600), None)
    if status is None:
        status = next((_STATUS_OF_WORD[n] for n in reversed(names) if n in _STATUS_OF_WORD), None)
    param, code = error.get("param"), error.get("code")
    return _Told(
        words=" ".join((*names, message[:_MAX_WORDS])).strip(),
        message=message,
        status=status,
        param=param if isinstance(param, str) else None,
        code=code if isinstance(code, str) and _CODE.fullmatch(code) else None,
        names=tuple(str(n) for n in (*names, *numbers) if isinstance(n, int | str)),
    )


def _meaning(status: int, told: _Told) -> _Class:
    for pattern, statuses, meaning in _WORDING:
        if status in statuses and pattern.search(told.words):
            return meaning
    if status == 404 and (not told.words or _MODEL_MISSING.search(told.words)):
        # The router's own model name or path is wrong; the caller could do nothing about it.
        return _INVALID
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return _GATEWAY if status >= 500 else _INVALID


# --- making the error --------------------------------------------------------------------------


def _error(meaning: _Class, evidence: _Evidence) -> UpstreamError:
    status, told, wait = evidence
    if meaning.kind in ("client", "context"):  # the caller's to know
        error = UpstreamError(
            meaning.code,
            redact(told.message) or meaning.message,
            kind=meaning.kind,
            retryable=meaning.retryable,
            status=meaning.status or status,
            param=redact(told.param)[:100] if told.param else None,
        )
        if meaning is _TOO_LARGE:
            error.told_code = told.code
    else:
        error = _plain(meaning, _retry_after(meaning, wait), status=status)
    error.wait, error.evidence = wait, evidence
    return error


def _plain(
    meaning: _Class,
    wait: int | None = None,
    *,
    status: int | None = None,
    details: dict[str, Any] | None = None,
) -> UpstreamError:
    return UpstreamError(
        meaning.code,
        meaning.message,
        kind=meaning.kind,
        retryable=meaning.retryable,
        status=meaning.status or status,
        details=details,
        retry_after=wait,
    )


def _retry_after(meaning: _Class, wait: float | None) -> int | None:
    if meaning.kind not in ("rate-limited", "overloaded", "server"):
        return None
    if wait is None:
        return None if meaning.kind == "server" else DEFAULT_RETRY_AFTER
    return _whole(wait)
