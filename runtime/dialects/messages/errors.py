"""Errors as Messages clients read them: Anthropic's envelope, and the words they act on."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime import sse
from runtime.dialects.answer import Watcher
from runtime.dialects.chat.errors import is_interrupted, resets_at, sendable
from runtime.errors import CallerError, RouterError

OVERLOADED: Final = 529
_TYPES: Final[dict[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    OVERLOADED: "overloaded_error",
}
# Codes whose type says more than the status does.
_TYPE_OF_CODE: Final[dict[str, str]] = {"budget-exceeded": "usage_limit_reached"}


def error_body(error: RouterError, request_id: str) -> bytes:
    """The body of an answer that is an error."""
    kind = _TYPE_OF_CODE.get(error.code) or _type_of(status_of(error))
    return _encoded(error, kind, request_id)


def error_event(error: RouterError, request_id: str, watcher: Watcher | None) -> bytes:
    """The last thing in a stream that failed; no `message_stop` follows it."""
    kind = "api_error" if is_interrupted(error, watcher) else _type_of(status_of(error))
    return sse.event("error", _encoded(error, kind, request_id))


def overflow(estimate: int, maximum: int) -> CallerError:
    """The error Claude Code answers by compacting; it parses these very words."""
    return CallerError(
        "context_length_exceeded",
        f"prompt is too long: {estimate} tokens > {maximum} maximum",
        param="messages",
    )


def status_of(error: RouterError) -> int:
    """The HTTP status; Messages has one of its own for overload."""
    return OVERLOADED if error.code == "upstream-overloaded" else error.status


def _encoded(error: RouterError, kind: str, request_id: str) -> bytes:
    told: dict[str, Any] = {
        "type": kind,
        "message": sendable(error.message),
        "code": error.told_code or error.code,
        "details": _details(error),
    }
    body = {"type": "error", "error": told | resets_at(error), "request_id": request_id}
    return msgspec.json.encode(body)


def _details(error: RouterError) -> dict[str, Any] | None:
    """This envelope has no `param`; a path into the body is still worth telling."""
    if error.param is None:
        return error.details
    return {"param": sendable(error.param), **(error.details or {})}


def _type_of(status: int) -> str:
    return _TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
