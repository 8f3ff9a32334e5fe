"""Calls that are not hot, as ordinary Sanic requests: its router, handlers and responses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sanic.compat import Header
from sanic.exceptions import MethodNotAllowed, NotFound, SanicException
from sanic.handlers import ErrorHandler
from sanic.http import Stage
from sanic.http.stream import Stream
from sanic.models.server_types import ConnInfo
from sanic.request import Request
from sanic.response import BaseHTTPResponse, HTTPResponse

from runtime.edge.answers import error_answer, internal_error
from runtime.edge.call import Call
from runtime.errors import CallerError, RouterError
from runtime.log import log_internal

if TYPE_CHECKING:
    from runtime.app import App


# A parameter as Sanic writes it, with its kind; logs show `/v1/models/{model}`.
_PARAMETER = re.compile(r"<(\w+):\w+>")


async def route(app: App, call: Call) -> None:
    """Lets Sanic answer the call. Raises nothing but what a lost connection raises."""
    # Sanic routes HEAD and GET apart; here every GET answers HEAD too, without its body.
    method = "GET" if call.method == b"HEAD" else call.method.decode()
    url = call.path + b"?" + call.query if call.query else call.path
    headers = Header([(n.decode("latin-1"), v.decode("latin-1")) for n, v in call.headers.items()])
    try:
        request: Any = Request(url, headers, call.version, method, call.transport, app)  # type: ignore[arg-type]
    except SanicException as exc:
        raise not_found() from exc
    request.ctx.call = call
    request.body = call.body
    request.conn_info = ConnInfo(call.transport)  # type: ignore[arg-type]
    request.stream = AnswerStream(call)
    await app.handle_request(request)
    if request.route is not None:
        call.label = "/" + _PARAMETER.sub(r"{\1}", request.route.path)


def not_found() -> CallerError:
    """There is nothing at this path."""
    return CallerError("not-found", "Nothing is served at this path.")


class AnswerStream(Stream):
    """What Sanic's responses write to; they end in the same `Call` as everything else."""

    request_body = None  # read already

    def __init__(self, call: Call) -> None:
        self.call = call
        self.stage = Stage.HANDLER
        self.response: BaseHTTPResponse | None = None

    def respond(self, response: BaseHTTPResponse) -> BaseHTTPResponse:
        """Makes `response` the one that is sent."""
        if self.stage is not Stage.HANDLER:
            raise RuntimeError("this call has been answered already")
        if self.response is not None:
            self.response.stream = None
        response.stream, self.response = self, response  # type: ignore[assignment]
        return response

    async def send(self, data: bytes | str, end_stream: bool) -> None:
        """A part of the body, with the head before the first."""
        body = data.encode() if isinstance(data, str) else data or b""
        if self.stage is Stage.HANDLER and self.response is not None:
            body = (self.response.body or b"") + body
            headers = [h for h in self.response.processed_headers if h[0] != b"content-length"]
            if end_stream:
                self.call.write_whole(self.response.status, headers, body)
            else:
                self.call.start(self.response.status, headers)
        if not end_stream:
            self.call.write(body)
            await self.call.drain()
        elif not self.call.finished:
            self.call.write(body)
            self.call.finish()
        self.stage = Stage.IDLE if end_stream else Stage.RESPONSE


class Errors(ErrorHandler):
    """Every error of a Sanic handler as an answer of ours; Sanic's own pages are never shown."""

    def response(self, request: Any, exception: Exception) -> HTTPResponse:
        """The answer to a request whose handler raised."""
        call: Call = request.ctx.call
        error = _translated(exception, call)
        call.notes["code"] = error.code
        status, headers, body = error_answer(error, call.path, call.request_id)
        response = HTTPResponse(body, status)
        for name, value in headers:
            response.headers[name.decode()] = value.decode("latin-1")
        return response


def _translated(exception: Exception, call: Call) -> RouterError:
    if isinstance(exception, RouterError):
        return exception
    if isinstance(exception, MethodNotAllowed):
        error = CallerError("method-not-allowed", "This path does not take this method.")
        allowed = exception.headers.get("Allow", "GET")
        # what Sanic calls GET answers HEAD too
        error.headers = ((b"allow", allowed.replace("GET", "GET, HEAD").encode()),)
        return error
    if isinstance(exception, NotFound):
        return not_found()
    if isinstance(exception, SanicException) and exception.status_code < 500:
        return CallerError("invalid-request", "This request cannot be answered here.")
    log_internal(exception, call)
    return internal_error()
