"""Errors as answers: the body in the dialect of the path, and the headers every error carries."""

from __future__ import annotations

from runtime.dialects import DIALECTS
from runtime.edge.call import Call
from runtime.edge.paths import dialect_of
from runtime.errors import RouterError

# Paths that belong to no dialect (model lists, health, unknown ones) are answered as Chat is: that
# envelope is what most tools know.
_NEUTRAL = "chat"
# 4xx that a client may send again as they are. All others are final.
_RETRYABLE_4XX = frozenset({408, 409})
_FINAL_CODES = frozenset({"no-eligible-target", "upstream-auth"})
_OVERLOADED = frozenset({429, 503, 529})
_LONGEST_WAIT = 60  # clients sleep exactly as long as told; above this some give up


async def answer_error(call: Call, error: RouterError) -> None:
    """Answers `error` in the dialect of the call's path."""
    call.notes["code"] = error.code
    status, headers, body = error_answer(error, call.path, call.request_id)
    await call.send(status, headers, body, error.trace)


def error_answer(
    error: RouterError, path: bytes, request_id: str
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of an error at a normalised path."""
    dialect = DIALECTS[dialect_of(path) or _NEUTRAL]
    status = dialect.status_of(error)
    headers = [(b"content-type", b"application/json"), *_retry_headers(error, status)]
    headers += error.headers
    return status, headers, dialect.error_body(error, request_id)


def internal_error() -> RouterError:
    """What a caller gets to see of a fault of ours."""
    return RouterError(
        "internal-error", "The router failed on this request. Report the request id to its admin."
    )


def error_event(error: RouterError, call: Call) -> bytes:
    """The event that ends a broken stream in the dialect of the call's path."""
    name = dialect_of(call.path)
    seen = call.watcher.face if call.watcher is not None else None
    return DIALECTS[name].error_event(error, call.request_id, seen) if name else b""


def _retry_headers(error: RouterError, status: int) -> list[tuple[bytes, bytes]]:
    if status in _OVERLOADED and error.code != "budget-exceeded":
        seconds = min(max(error.retry_after or 1, 1), _LONGEST_WAIT)
        return [(b"retry-after", b"%d" % seconds)]
    final = 400 <= status < 500 and status not in _RETRYABLE_4XX
    if final or error.code in _FINAL_CODES:
        return [(b"x-should-retry", b"false")]
    return []
