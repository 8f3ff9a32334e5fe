"""What was used: GET /v1/usage for whoever asks about themselves, /admin/* for who has the role.

Rows are read in a thread, a few at a time: a slow database holds up nobody but who asks.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec
from sanic.request import Request
from sanic.response import HTTPResponse

from runtime.auth import authenticate
from runtime.edge import Call
from runtime.errors import CallerError, RouterError
from runtime.limits import Level
from runtime.records import asking
from runtime.records.evidence import evidence
from runtime.records.forms import as_csv, told
from runtime.records.report import KEYS, report, used
from runtime.records.rows import Wanted
from runtime.records.store import Store, StoreError
from runtime.roles import REPORTS, authorized
from runtime.state import State

_T = TypeVar("_T")
_PATIENCE: Final = 10.0  # seconds for the rows of one caller
_LONG_PATIENCE: Final = 120.0  # for a report
_AT_ONCE: Final = 2
_PARAMETERS: Final = ("by", "since", "until", "where", "format")
_NOT_KEPT: Final = "This router keeps no usage rows: its data directory could not be written."


class UsagePages:
    """The handlers."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._few = asyncio.Semaphore(_AT_ONCE)

    async def own(self, request: Request) -> HTTPResponse:
        """The limits of the token that asks, and what its caller used today and this month."""
        call: Call = request.ctx.call
        state = self._state
        artifact = state.artifact
        token, caller = authenticate(artifact, call.headers, state.today())
        call.notes["token"] = token
        levels = await state.limits.peek(artifact, token, caller)
        found, standing = None, "not-kept"
        if state.rows is not None:
            own = partial(_own, user=caller.user, caller=artifact.tokens[token].caller)
            try:
                found, standing = await self._read(own, _PATIENCE), "kept"
            except RouterError:  # limits are told all the same
                standing = "unavailable"
        return _json(
            {
                "object": "usage",
                "user": caller.user,
                "project": caller.project,
                "env": caller.env,
                "limits": [_level(level) for level in levels],
                "usage": found,
                "rows": standing,
            }
        )

    async def report(self, request: Request) -> HTTPResponse:
        """The report of `interlock usage report`: by, since, until, where, format=json|csv."""
        authorized(request, REPORTS)
        by, wanted = _question(request)
        form = request.args.get("format", "json")
        if form not in ("json", "csv"):
            raise CallerError("invalid-request", "`format` is json or csv.", param="format")
        by_then = time.monotonic() + _LONG_PATIENCE
        made = await self._read(
            lambda store: report(store, by, wanted, lambda _: _in_time(by_then)), _LONG_PATIENCE
        )
        if form == "csv":
            return HTTPResponse(as_csv(made), 200, _PRIVATE, "text/csv; charset=utf-8")
        return _json(told(made))

    async def request(self, request: Request, request_id: str) -> HTTPResponse:
        """Everything known of a request."""
        authorized(request, REPORTS)
        wanted = unquote(request_id)
        found = await self._read(lambda store: evidence(store, wanted), _PATIENCE)
        if not found:
            raise CallerError(
                "not-found",
                "No row has this request id. Rows arrive a second or two after the request.",
            )
        return _json({"object": "list", "data": found})

    async def _read(self, ask: Callable[[Store], _T], patience: float) -> _T:
        """What `ask` finds. Raises RouterError."""
        if self._state.rows is None:
            raise CallerError("not-found", _NOT_KEPT)
        try:
            async with asyncio.timeout(patience), self._few:
                return await asyncio.to_thread(_asked, self._state.rows, ask)
        except (StoreError, TimeoutError) as error:
            raise RouterError(
                "usage-unavailable", "The database of usage rows does not answer. Try again later."
            ) from error


def _in_time(by_then: float) -> None:
    """Ends a thread nobody waits for any more."""
    if time.monotonic() > by_then:
        raise TimeoutError


def _asked(connect: Callable[[], Store], ask: Callable[[Store], _T]) -> _T:
    store = connect()
    try:
        return ask(store)
    finally:
        store.close()


def _own(store: Store, *, user: str, caller: str) -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    own = {"user": user, "caller": caller}
    return {
        name: {
            "since": since.isoformat(),
            **used(store, Wanted(since.timestamp(), where=own))._asdict(),
        }
        for name, since in (("day", day), ("month", day.replace(day=1)))
    }


def _level(level: Level) -> dict[str, Any]:
    shown = msgspec.structs.asdict(level)
    return {**shown, "left": max(level.limit - level.used, 0)}


def _question(request: Request) -> tuple[tuple[str, ...], Wanted]:
    """Raises CallerError."""
    args, param = request.args, ""
    try:
        for param in args:
            if param not in _PARAMETERS:
                raise asking.Unclear(f"no parameter {param!r}", param, _PARAMETERS)
        param = "by"
        by = asking.keys(",".join(args.getlist("by", ["user"])))
        bounds = []
        for param in ("since", "until"):
            *others, text = args.getlist(param, [""])
            if others:
                raise asking.Unclear(f"{param!r} is given twice")
            bounds.append(asking.moment(text) if text else None)
        param = "where"
        where = asking.together(map(asking.condition, args.getlist("where", [])))
    except asking.Unclear as error:
        known = f" Known are {', '.join(error.known or KEYS)}." if error.known else ""
        raise CallerError("invalid-request", f"{error}.{known}", param=param) from error
    return by, Wanted(bounds[0], bounds[1], where=where)


_PRIVATE: Final = {"cache-control": "private, no-store"}


def _json(value: object) -> HTTPResponse:
    return HTTPResponse(msgspec.json.encode(value), 200, _PRIVATE, "application/json")
