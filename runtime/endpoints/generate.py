"""POST /v1/chat/completions, /v1/responses, /v1/messages: one short story for all three."""

from __future__ import annotations

import asyncio

from runtime import failures
from runtime.auth import authenticate
from runtime.cache import look_up
from runtime.decision import Decision, decide, estimate_cost, refusal
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading
from runtime.edge import Call, ClientGone
from runtime.endpoints.dry_run import dry_run
from runtime.errors import RouterError
from runtime.exchange import Exchange
from runtime.limits.used import price_of, used
from runtime.log import log_account
from runtime.records.account import Account
from runtime.state import State
from runtime.vocabulary import Caller

_REQUEST = "request"
_DAY = 86_400  # seconds
_CANCELLED = 499  # in rows alone: nobody was there to get a status
_CROSSES = "crosses"  # in what a connection knows: whether its last request crossed a bridge


def authenticated(state: State, account: Account, call: Call) -> tuple[str, Caller]:
    """The token's id and its caller, proven once a day for all equal heads of a connection.

    Raises CallerError with 401 or 403.
    """
    artifact = account.serving.artifact
    # a token may have gone with a reload; by its digest, an artifact does not outlive its use
    when = account.time // _DAY, artifact.digest
    proven: tuple[object, tuple[str, Caller]] | None = call.known.get(authenticated)
    if proven is None or proven[0] != when:
        found = authenticate(artifact, call.headers, state.today())
        proven = call.known[authenticated] = when, found
    return proven[1]


class Generate:
    """The handler of one surface."""

    def __init__(self, state: State, surface: str) -> None:
        self._state = state
        self._surface = surface
        self._dialect = DIALECTS[surface]

    async def __call__(self, call: Call) -> None:
        """Answers the call, and closes its account however it ends. Raises RouterError."""
        state = self._state
        account = state.account(call, self._surface)
        account.kind = kind = self._kind(call)
        try:
            account.token, account.caller = token, caller = authenticated(state, account, call)
            try:
                reading, decision = self._decided(call, account, token, caller)
            except RouterError:
                await self._charge(call, account, token, caller)
                raise
            if kind != _REQUEST:
                await self._charge(call, account, token, caller)
                await self._look(call, account, reading, decision)
                return
            artifact = account.serving.artifact
            price = price_of(artifact, decision)
            ticket = await state.limits.admit(artifact, token, caller, reading.shape, price)
            call.lines += ticket.lines
            exchange = Exchange(call, state, account, reading, decision)
            try:
                if not (decision.group.cache and await self._repeated(exchange)):
                    await exchange.run()
            finally:
                ticket.settle(*used(account))
        except BaseException as exc:
            self._close(call, account, exc)
            raise
        finally:
            log_account(call, account)

    def _close(self, call: Call, account: Account, exc: BaseException) -> None:
        """Closes the account of a call that was not answered."""
        if isinstance(exc, RouterError):
            status = call.status if call.started else self._dialect.status_of(exc)
            account.close(status, code=exc.code, outcome="error")
        elif isinstance(exc, asyncio.CancelledError | ClientGone):
            account.close(call.status or _CANCELLED, outcome="client-gone")
        elif isinstance(exc, Exception):
            account.close(call.status or 500, code="internal-error", outcome="internal-error")

    async def _charge(self, call: Call, account: Account, token: str, caller: Caller) -> None:
        """Counts what asks nobody: what nobody may answer, and what only looks."""
        limits = self._state.limits
        charge = limits.refused if account.kind == _REQUEST else limits.look
        call.lines += await charge(account.serving.artifact, token, caller)

    def _kind(self, call: Call) -> str:
        """What its row calls it; only a request gets the answer of a model."""
        asked = call.headers.get(b"x-dry-run")
        dry = asked is not None and asked.strip().lower() == b"true"
        return "dry-run" if dry else _REQUEST

    def _decided(
        self, call: Call, account: Account, token_id: str, caller: Caller
    ) -> tuple[Reading, Decision]:
        """What the body asks for and who may answer. Raises RouterError where nobody does."""
        serving = account.serving
        artifact = serving.artifact
        # the next body of a conversation most likely goes where the last one went
        crosses = call.known.get(_CROSSES, False)
        account.reading = reading = self._dialect.read(
            call.body, call.headers, artifact.settings, crosses=crosses
        )
        account.decision = decision = decide(
            artifact,
            self._surface,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=self._state.state_key,
        )
        if not decision.order:
            error = refusal(artifact, decision, reading)
            error.trace = serving.tracer.refused(decision.group_id, self._surface)
            raise error
        call.known[_CROSSES] = decision.order[0].route.skin != reading.dialect
        return reading, decision

    async def _repeated(self, exchange: Exchange) -> bool:
        """Whether an answer that was kept is the answer; else there may be a place for the next."""
        exchange.place = place = await look_up(
            self._state.answers,
            exchange.call,
            exchange.account,
            exchange.decision,
            exchange.reading,
        )
        if place is None or place.again is None:
            return False
        exchange.repeat(*place.again)
        return True

    async def _look(
        self, call: Call, account: Account, reading: Reading, decision: Decision
    ) -> None:
        """The decision itself is the answer."""
        artifact = account.serving.artifact
        view = self._state.availability.view(decision.order, artifact.providers)
        if not view.ready:
            error = failures.full()
            error.trace = account.serving.tracer.refused(decision.group_id, self._surface)
            raise error
        chosen = view.ready[0]
        estimate = estimate_cost(artifact, decision, reading, chosen)
        body = dry_run(artifact, call.body, reading, decision, view, estimate)
        trace = account.serving.tracer.routed(
            decision.group_id,
            self._surface,
            chosen,
            attempts=0,
            phase=decision.phase,
            estimate=estimate,
        )
        account.close(200)
        await call.send(200, [(b"content-type", b"application/json")], body, trace)
