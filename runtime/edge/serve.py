"""One call from its handler to its answer: who handles it, and what its exceptions become."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from runtime.edge.answers import answer_error, internal_error
from runtime.edge.call import Call, ClientGone
from runtime.edge.router import route
from runtime.errors import CallerError, RouterError
from runtime.log import log_call, log_internal

if TYPE_CHECKING:
    from runtime.app import App


async def serve(app: App, call: Call, then: Callable[[Call], None]) -> None:
    """Answers the call, whatever its handler does, and calls `then`. Raises CancelledError only."""
    began = perf_counter()
    outcome = "ok"
    try:
        handler = app.ctx.hot.get(call.path)
        if handler is None:
            await route(app, call)
        else:
            _check(call)
            await handler(call)
        if not call.finished and not call.gone:
            raise RuntimeError("the handler has not answered")
        if call.gone:
            outcome = "aborted"
        elif "code" in call.notes:  # an error that Sanic's handler answered
            outcome = "error"
    except RouterError as error:
        outcome = "error"
        await _answer(call, error)
    except ClientGone:
        outcome = "client-gone"
    except asyncio.CancelledError:
        outcome = "cancelled"
        raise
    except Exception as exc:  # noqa: BLE001 - whatever it is, the caller gets an answer
        outcome = "internal-error"
        log_internal(exc, call)
        await _answer(call, internal_error())
    finally:
        then(call)
        log_call(call, outcome, perf_counter() - began)


def _check(call: Call) -> None:
    """What a hot handler relies on."""
    call.label = call.path.decode()
    if call.method != b"POST":
        raise _not_post(call)
    if not call.body and not call.headers.keys() & {b"content-length", b"transfer-encoding"}:
        raise CallerError("length-required", "Send a JSON body, with content-length or chunked.")


async def _answer(call: Call, error: RouterError) -> None:
    """After the head of an answer an error can only be a cut."""
    if call.started:
        call.notes.setdefault("code", error.code)
        if not call.finished:
            call.abort()
    else:
        await answer_error(call, error)


def _not_post(call: Call) -> RouterError:
    if call.headers.get(b"upgrade", b"").lower() == b"websocket":
        # Codex tries a websocket first and falls back to POST at once on this status alone.
        return CallerError("websocket-unsupported", "Send POST requests: no websocket is served.")
    error = CallerError("method-not-allowed", "This path takes POST.")
    error.headers = ((b"allow", b"POST"),)
    return error
