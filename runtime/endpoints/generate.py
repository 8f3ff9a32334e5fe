"""POST /v1/chat/completions, /v1/responses, /v1/messages: one short story for all three."""

from __future__ import annotations

import asyncio

from runtime.auth import authenticate
from runtime.decision import Decision, decide, estimate_cost, refusal
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading
from runtime.edge import Call, ClientGone
from runtime.endpoints.dry_run import dry_run
from runtime.errors import RouterError
from runtime.exchange import Exchange
from runtime.log import log_account
from runtime.records.account import Account
from runtime.serving import Serving
from runtime.state import State
from runtime.vocabulary import Caller

_CANCELLED = 499  # in rows alone: nobody was there to get a status


def authenticated(state: State, serving: Serving, call: Call) -> tuple[str, Caller]:
    """The token's id and its caller, proven once a day for all equal heads of a connection.

    Raises CallerError with 401 or 403.
    """
    # a token may have gone with a reload
    key = state.today(), serving
    found: tuple[str, Caller] | None = call.known.get(key)
    if found is None:
        found = call.known[key] = authenticate(serving.artifact, call.headers, key[0])
    return found


class Generate:
    """The handler of one surface."""

    def __init__(self, state: State, surface: str) -> None:
        self._state = state
        self._surface = surface
        self._dialect = DIALECTS[surface]

    async def __call__(self, call: Call) -> None:
        """Answers the call, and closes its account however it ends. Raises RouterError."""
        account = self._state.account(call.request_id, self._surface)
        try:
            await self._answer(call, account)
        except RouterError as error:
            status = call.status if call.started else self._dialect.status_of(error)
            account.close(status, code=error.code, outcome="error")
            raise
        except (asyncio.CancelledError, ClientGone):
            account.close(call.status or _CANCELLED, outcome="client-gone")
            raise
        except Exception:
            account.close(call.status or 500, code="internal-error", outcome="internal-error")
            raise
        finally:
            log_account(call, account)

    async def _answer(self, call: Call, account: Account) -> None:
        """Authenticates, reads, decides, and lets the exchange answer."""
        state, serving = self._state, account.serving
        artifact = serving.artifact
        account.token, account.caller = token_id, caller = authenticated(state, serving, call)
        account.reading = reading = self._dialect.read(call.body, call.headers, artifact.settings)
        account.decision = decision = decide(
            artifact,
            self._surface,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=state.state_key,
        )
        if not decision.order:
            error = refusal(artifact, decision, reading)
            error.trace = serving.tracer.refused(decision.group_id, self._surface)
            raise error
        if call.headers.get(b"x-dry-run", b"").strip().lower() == b"true":
            await self._dry_run(call, account, reading, decision)
            return
        await Exchange(call, state, account, reading, decision).run()

    async def _dry_run(
        self, call: Call, account: Account, reading: Reading, decision: Decision
    ) -> None:
        artifact, chosen = account.serving.artifact, decision.order[0]
        account.kind = "dry-run"
        estimate = estimate_cost(artifact, decision, reading, chosen)
        body = dry_run(artifact, call.body, reading, decision, estimate)
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
