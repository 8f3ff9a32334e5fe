"""POST /v1/messages/count_tokens: the provider's count where it has one, else our estimate.

Same eligibility and reach as a real request. A header says which of the two it is.
"""

from __future__ import annotations

import asyncio

import msgspec

from runtime.auth import authenticate
from runtime.decision import Decision, decide, refusal
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading, Step
from runtime.edge import Call
from runtime.endpoints.generate import read_body
from runtime.exchange import request_headers
from runtime.selection import Candidate
from runtime.state import State
from runtime.trace import Tracer
from runtime.upstream import TransportError

_SURFACE = "messages"
_PATIENCE = 10.0  # seconds; the client shows a number, nobody waits long for it
_MAX_ANSWER_BYTES = 64 * 1024
_JSON = (b"content-type", b"application/json")


class _Counted(msgspec.Struct):
    input_tokens: int


class CountTokens:
    """The handler."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tracer = Tracer(state.artifact)

    async def __call__(self, call: Call) -> None:
        """Counts the input tokens of a Messages body. Raises RouterError as a real request does."""
        state = self._state
        token_id, caller = authenticate(state.artifact, call.headers, state.today())
        reading = read_body(call, _SURFACE, state)
        decision = decide(
            state.artifact,
            _SURFACE,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=state.state_key,
        )
        if not decision.order:
            raise refusal(state.artifact, decision, reading)
        candidate = decision.order[0]
        counted = await self._ask(call, reading, decision, candidate)
        tokens, source = (
            (reading.shape.input_tokens, "estimate") if counted is None else (counted, "upstream")
        )
        headers = self._tracer.routed(decision.group_id, _SURFACE, candidate, attempts=1)
        headers += [_JSON, self._tracer.header("Count", source)]
        await call.send(200, headers, msgspec.json.encode({"input_tokens": tokens}))

    async def _ask(
        self, call: Call, reading: Reading, decision: Decision, candidate: Candidate
    ) -> int | None:
        """The provider's own count; None where it has none or does not answer well."""
        if candidate.route.skin != _SURFACE:
            return None
        state = self._state
        step = Step(
            # The counting path knows no output cap and nothing a patch adds.
            skin=msgspec.structs.replace(candidate.skin, cap=None, patch={}),
            target=candidate.target,
            features=candidate.route.features,
            asked=reading.model or decision.group_id,
            keep_level=candidate.keep_level,
            budgets=state.artifact.settings.budgets,
            input_tokens=reading.shape.input_tokens,
        )
        edited = DIALECTS[_SURFACE].edit(call.body, reading, step)
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await state.upstreams.open(
                    candidate.target.provider,
                    path=f"{candidate.skin.path}/count_tokens",
                    headers=request_headers(call, candidate, edited, streaming=False),
                    body=edited.body,
                    first_byte=_PATIENCE,
                )
                try:
                    body = await answer.read(_MAX_ANSWER_BYTES)
                finally:
                    answer.close()
            return msgspec.json.decode(body, type=_Counted).input_tokens
        except (TransportError, TimeoutError, msgspec.DecodeError):
            return None
