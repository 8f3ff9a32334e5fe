"""GET /metrics: the numbers of all workers, for callers with the role."""

from __future__ import annotations

import asyncio

from sanic.request import Request
from sanic.response import HTTPResponse

from runtime.metrics.board import Board
from runtime.metrics.samples import Sample
from runtime.roles import METRICS, authorized
from runtime.state import State


class Metrics:
    """The handler. Any worker answers for all of them."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def page(self, request: Request) -> HTTPResponse:
        """One scrape. Raises CallerError with 401 or 403."""
        authorized(request, METRICS)
        board, accept = self._state.metrics, request.headers.get("accept", "")
        # Streams go on meanwhile: with many groups there are thousands of lines to write.
        body, content_type = await asyncio.to_thread(_page, board, board.ask(), accept)
        return HTTPResponse(body, 200, {"cache-control": "no-store"}, content_type)


def _page(board: Board, told: list[Sample], accept: str) -> tuple[bytes, str]:
    from runtime.metrics.text import render  # costs memory that a worker nobody scrapes can spare

    return render(board.whole(told), accept)
