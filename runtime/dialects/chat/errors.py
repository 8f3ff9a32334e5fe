"""Errors as Chat Completions clients read them: the OpenAI envelope, and the words they act on.

`error.code` is ours and hyphenated, so it is never `server_error`, which opencode would retry even
on a 400.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime import sse
from runtime.dialects.answer import Watcher
from runtime.errors import CallerError, RouterError, UpstreamError

_TYPES: Final[dict[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
# Codes whose type says more than the status does.
_TYPE_OF_CODE: Final[dict[str, str]] = {"budget-exceeded": "usage_limit_reached"}
_INTERRUPTED: Final = "upstream_stream_interrupted"


def error_body(error: RouterError, request_id: str) -> bytes:
    """The body of an answer that is an error."""
    return msgspec.json.encode({"error": error_object(error, request_id)})


def error_event(error: RouterError, request_id: str, watcher: Watcher | None) -> bytes:
    """The last thing in a stream that failed: no `finish_reason` and no `[DONE]` follow it."""
    told = error_object(error, request_id)
    if is_interrupted(error, watcher):
        told["type"], told["code"] = "server_error", _INTERRUPTED
    return sse.data_event(msgspec.json.encode({"error": told}))


def overflow(estimate: int, maximum: int) -> CallerError:
    """The error agents answer by compacting the conversation."""
    return CallerError(
        "context_length_exceeded",
        f"This model's maximum context length is {maximum} tokens. However, your messages "
        f"resulted in about {estimate} tokens. Please reduce the length of the messages.",
        param="messages",
    )


def status_of(error: RouterError) -> int:
    """The HTTP status; overload is 503 where there is no 529."""
    return 503 if error.status == 529 else error.status


def error_object(error: RouterError, request_id: str) -> dict[str, Any]:
    """The object behind `error`."""
    told = {
        "message": sendable(error.message),
        "type": _TYPE_OF_CODE.get(error.code) or _type_of(status_of(error)),
        "code": error.told_code or error.code,
        "param": sendable(error.param) if error.param else None,
        "request_id": request_id,
        "details": error.details,
    }
    return told | resets_at(error)


def is_interrupted(error: RouterError, watcher: Watcher | None) -> bool:
    """Whether an upstream failed after its content had gone out."""
    return isinstance(error, UpstreamError) and (
        error.kind == "interrupted" or (watcher is not None and watcher.committed)
    )


def resets_at(error: RouterError) -> dict[str, Any]:
    """When a budget opens again, where Codex looks for it (Unix seconds)."""
    moment = (error.details or {}).get("resets_at")
    return {} if moment is None else {"resets_at": moment}


def sendable(text: str) -> str:
    """The text without lone surrogates, which no JSON encoder takes."""
    return text.encode("utf-8", "replace").decode()


def _type_of(status: int) -> str:
    return _TYPES.get(status) or ("server_error" if status >= 500 else "invalid_request_error")
