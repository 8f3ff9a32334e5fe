"""POST /v1/chat/completions, /v1/responses, /v1/messages: one short story for all three."""

from __future__ import annotations

from runtime.auth import authenticate
from runtime.decision import Decision, decide, estimate_cost, refusal
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading
from runtime.edge import Call
from runtime.endpoints.dry_run import dry_run
from runtime.errors import RouterError
from runtime.exchange import Exchange
from runtime.log import log_exchange
from runtime.state import State
from runtime.trace import Tracer
from runtime.vocabulary import Caller


def authenticated(state: State, call: Call) -> tuple[str, Caller]:
    """The token's id and its caller, proven once a day for all equal heads of a connection.

    Raises CallerError with 401 or 403.
    """
    today = state.today()
    found: tuple[str, Caller] | None = call.known.get(today)
    if found is None:
        found = call.known[today] = authenticate(state.artifact, call.headers, today)
    return found


class Generate:
    """The handler of one surface."""

    def __init__(self, state: State, surface: str) -> None:
        self._state = state
        self._surface = surface
        self._tracer = Tracer(state.artifact)

    async def __call__(self, call: Call) -> None:
        """Authenticates, reads, decides, and lets the exchange answer. Raises RouterError."""
        state = self._state
        token_id, caller = authenticated(state, call)
        call.notes["token"] = token_id
        reading = DIALECTS[self._surface].read(call.body, call.headers, state.artifact.settings)
        decision = decide(
            state.artifact,
            self._surface,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=state.state_key,
        )
        call.notes.update(group=decision.group_id, surface=self._surface)
        if not decision.order:
            raise self._refused(reading, decision)
        if call.headers.get(b"x-dry-run", b"").strip().lower() == b"true":
            await self._dry_run(call, reading, decision)
            return
        exchange = Exchange(call, state, self._tracer, reading, decision)
        try:
            await exchange.run()
        finally:
            log_exchange(call, exchange)

    def _refused(self, reading: Reading, decision: Decision) -> RouterError:
        error = refusal(self._state.artifact, decision, reading)
        error.trace = self._tracer.refused(decision.group_id, self._surface)
        return error

    async def _dry_run(self, call: Call, reading: Reading, decision: Decision) -> None:
        artifact, chosen = self._state.artifact, decision.order[0]
        estimate = estimate_cost(artifact, decision, reading, chosen)
        body = dry_run(artifact, call.body, reading, decision, estimate)
        trace = self._tracer.routed(
            decision.group_id,
            self._surface,
            chosen,
            attempts=0,
            phase=decision.phase,
            estimate=estimate,
        )
        await call.send(200, [(b"content-type", b"application/json")], body, trace)
