"""Is it up, does it take requests, what does it serve: for load balancers and probes, no token."""

from __future__ import annotations

import msgspec
from sanic.request import Request
from sanic.response import HTTPResponse

from runtime import __version__
from runtime.state import State


class Health:
    """The handlers of /, /healthz, /readyz and /version."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def root(self, request: Request) -> HTTPResponse:
        """Claude Code asks HEAD / before anything else; any 200 will do."""
        return HTTPResponse(self._version(), content_type="application/json")

    async def alive(self, request: Request) -> HTTPResponse:
        """200 as long as the process answers."""
        return HTTPResponse(b'{"status":"ok"}', content_type="application/json")

    async def ready(self, request: Request) -> HTTPResponse:
        """503 from the moment the process has been asked to stop."""
        if self._state.stopping:
            wait = {"retry-after": "1"}  # another process may take over
            return HTTPResponse(b'{"status":"stopping"}', 503, wait, "application/json")
        return HTTPResponse(b'{"status":"ready"}', content_type="application/json")

    async def version(self, request: Request) -> HTTPResponse:
        """Which artifact is served, by which version of the router."""
        return HTTPResponse(self._version(), content_type="application/json")

    def _version(self) -> bytes:
        artifact = self._state.artifact
        return msgspec.json.encode(
            {
                "name": artifact.name,
                "artifact": artifact.digest,
                "router": "interlock",
                "version": __version__,
            }
        )
