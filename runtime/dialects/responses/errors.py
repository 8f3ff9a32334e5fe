"""Errors as Responses clients read them: the OpenAI envelope, or a failed response in a stream."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime import sse
from runtime.dialects.answer import Watcher as AnyWatcher
from runtime.dialects.chat.errors import error_body, is_interrupted, sendable, status_of
from runtime.dialects.responses.answer import Watcher
from runtime.errors import CallerError, RouterError

__all__ = ["error_body", "error_event", "overflow", "status_of"]

_FAILED: Final = "response.failed"
# Codex waits as told and tries again on the first, compacts on the second, and tries again on
# `server_error`, which stands for all others. On `server_is_overloaded` it would end its turn.
_CODES: Final[dict[str, str]] = {
    "upstream-rate-limited": "rate_limit_exceeded",
    "context_length_exceeded": "context_length_exceeded",
}


def error_event(error: RouterError, request_id: str, watcher: AnyWatcher | None) -> bytes:
    """`response.failed`, the last thing in a stream that failed; no `response.completed` follows.

    The number goes on from the last event, the id is the one the caller has seen.
    """
    if not isinstance(watcher, Watcher):
        watcher = Watcher("")
    code = "server_error"
    if not is_interrupted(error, watcher):
        code = _CODES.get(error.code, code)
    told: dict[str, Any] = {"code": code, "message": _message(error, code, request_id)}
    data = {
        "type": _FAILED,
        "sequence_number": watcher.next_number,
        "response": watcher.response("failed", told),
    }
    return sse.event(_FAILED, msgspec.json.encode(data))


def overflow(estimate: int, maximum: int) -> CallerError:
    """The error Codex answers by compacting the conversation."""
    return CallerError(
        "context_length_exceeded",
        "Your input exceeds the context window of this model. Please adjust your input and try "
        f"again. It has about {estimate} tokens, the window {maximum}.",
        param="input",
    )


def _message(error: RouterError, code: str, request_id: str) -> str:
    text = sendable(error.message)
    if code == "rate_limit_exceeded" and error.retry_after:
        # Codex reads its waiting time out of these words.
        text += f" Please try again in {error.retry_after}s."
    return f"{text} (request {request_id})"
