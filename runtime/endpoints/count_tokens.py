"""POST /v1/messages/count_tokens: the provider's count where it has one, else our estimate.

Same eligibility and reach as a real request. A header says which of the two it is.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec

from runtime.decision import Decision, decide, passage_to, refusal, step
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Edited, Reading
from runtime.edge import Call
from runtime.endpoints.generate import authenticated
from runtime.exchange import request_headers
from runtime.selection import Candidate
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import TransportError

_SURFACE = "messages"
_PATIENCE = 10.0  # seconds; the client shows a number, nobody waits long for it
_MAX_ANSWER_BYTES = 64 * 1024
_JSON = (b"content-type", b"application/json")
# An upstream without this path says so in one of these ways, and will again.
_NO_SUCH_PATH = frozenset({404, 405, 501})


class _Counted(msgspec.Struct):
    input_tokens: Annotated[int, msgspec.Meta(ge=0)]


class CountTokens:
    """The handler."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, call: Call) -> None:
        """Counts the input tokens of a Messages body. Raises RouterError as a real request does."""
        state, serving = self._state, self._state.serving
        artifact = serving.artifact
        token_id, caller = authenticated(state, serving, call)
        call.notes["token"] = token_id
        reading = DIALECTS[_SURFACE].read(call.body, call.headers, artifact.settings)
        decision = decide(
            artifact,
            _SURFACE,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=state.state_key,
        )
        call.notes.update(group=decision.group_id, surface=_SURFACE)
        if not decision.order:
            error = refusal(artifact, decision, reading)
            error.trace = serving.tracer.refused(decision.group_id, _SURFACE)
            raise error
        await _Count(call, serving, reading, decision, decision.order[0]).answer()


class _Count:
    """One answer."""

    def __init__(
        self,
        call: Call,
        serving: Serving,
        reading: Reading,
        decision: Decision,
        candidate: Candidate,
    ) -> None:
        self._call = call
        self._serving = serving
        self._reading = reading
        self._decision = decision
        self._candidate = candidate

    async def answer(self) -> None:
        """The provider's own count, else our estimate."""
        decision, reading, candidate = self._decision, self._reading, self._candidate
        edited = self._edit()
        tokens, source = await self._ask(edited), "upstream"
        if tokens is None:
            tokens, source = reading.shape.input_tokens, "estimate"
        tracer = self._serving.tracer
        trace = tracer.routed(
            decision.group_id,
            _SURFACE,
            candidate,
            attempts=1,
            dropped=edited.dropped,
            phase=decision.phase,
        )
        trace += tracer.lines({"Count": source})
        await self._call.send(200, [_JSON], msgspec.json.encode({"input_tokens": tokens}), trace)

    def _edit(self) -> Edited:
        """The body as for an answer; but counting knows no output cap, and nothing a patch adds."""
        artifact, reading, candidate = self._serving.artifact, self._reading, self._candidate
        decision = self._decision
        skin = msgspec.structs.replace(candidate.skin, cap=None, patch={})
        plain = msgspec.structs.replace(
            step(artifact, decision, reading, candidate),
            skin=skin,
            cap=None,
            group_default=None,
        )
        body = self._call.body
        return passage_to(artifact, decision, reading, candidate, body, plain).edited

    async def _ask(self, edited: Edited) -> int | None:
        """The provider's own count; None where it has none or does not answer well."""
        candidate, countless = self._candidate, self._serving.countless
        if candidate.route.skin != _SURFACE or candidate.target_id in countless:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                status, body = await self._fetch(edited)
        except (TransportError, TimeoutError):
            return None
        if status in _NO_SUCH_PATH:
            countless.add(candidate.target_id)
        return _count_in(body) if status == 200 else None

    async def _fetch(self, edited: Edited) -> tuple[int, bytes]:
        candidate = self._candidate
        answer = await self._serving.upstreams.open(
            candidate.target.provider,
            path=f"{candidate.skin.path}/count_tokens",
            headers=request_headers(self._call, candidate, edited, streaming=False),
            body=edited.body,
            first_byte=_PATIENCE,
        )
        try:
            return answer.status, await answer.read(_MAX_ANSWER_BYTES)
        finally:
            answer.close()


def _count_in(body: bytes) -> int | None:
    try:
        return msgspec.json.decode(body, type=_Counted).input_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
