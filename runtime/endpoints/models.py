"""The models a token may use, as finished bytes, for OpenAI and Anthropic clients and Codex."""

from __future__ import annotations

from urllib.parse import unquote

from sanic.request import Request
from sanic.response import HTTPResponse

from runtime.artifact import Listing
from runtime.auth import authenticate
from runtime.edge import Call
from runtime.errors import CallerError
from runtime.state import State

_EMPTY = Listing(
    all=b'{"object":"list","data":[],"has_more":false,"first_id":null,"last_id":null,"models":[]}',
    codex=b'{"models":[]}',
    entries={},
)


class Models:
    """The handlers of /v1/models, /v1/models/{id} and /v1/codex/models.json."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def all(self, request: Request) -> HTTPResponse:
        """Every model of the token; `data` for OpenAI and Anthropic clients, `models` for Codex."""
        name, listing = self._listing(request)
        return self._answer(request, f"{name}-all", listing.all)

    async def codex(self, request: Request) -> HTTPResponse:
        """The part that Codex reads."""
        name, listing = self._listing(request)
        return self._answer(request, f"{name}-codex", listing.codex)

    async def one(self, request: Request, model: str) -> HTTPResponse:
        """One model by id. Unknown and forbidden ones answer alike."""
        name, listing = self._listing(request)
        model = unquote(model)
        if (entry := listing.entries.get(model)) is None:
            raise CallerError(
                "not-found", "No such model for this token. GET /v1/models lists those there are."
            )
        return self._answer(request, f"{name}-{_position(listing, model)}", entry)

    def _listing(self, request: Request) -> tuple[str, Listing]:
        call: Call = request.ctx.call
        artifact = self._state.artifact
        token, caller = authenticate(artifact, call.headers, self._state.today())
        call.notes["token"] = token
        if caller.listing is None:
            return "none", _EMPTY
        return caller.listing, artifact.listings[caller.listing]

    def _answer(self, request: Request, part: str, body: bytes) -> HTTPResponse:
        """The body, or 304 where the client holds it already."""
        tag = f'"{self._state.artifact.digest[:16]}-{part}"'
        headers = {
            "cache-control": "private, no-cache",
            "vary": "authorization, x-api-key",
            "etag": tag,
        }
        if tag in request.headers.get("if-none-match", ""):
            return HTTPResponse(b"", 304, headers)
        return HTTPResponse(body, 200, headers, "application/json")


def _position(listing: Listing, model: str) -> int:
    return list(listing.entries).index(model)
