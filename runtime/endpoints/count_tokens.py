"""POST /v1/messages/count_tokens: the provider's count where it has one, else our estimate.

Same eligibility and reach as a real request. A header says which of the two it is.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec

from runtime.auth import authenticate
from runtime.decision import Decision, decide, passage_to, refusal, step
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Edited, Reading
from runtime.edge import Call
from runtime.exchange import request_headers
from runtime.selection import Candidate
from runtime.state import State
from runtime.trace import Tracer
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
        self._tracer = Tracer(state.artifact)
        # targets whose upstream was found to count nothing
        self._countless: set[str] = set()

    async def __call__(self, call: Call) -> None:
        """Counts the input tokens of a Messages body. Raises RouterError as a real request does."""
        state = self._state
        token_id, caller = authenticate(state.artifact, call.headers, state.today())
        call.notes["token"] = token_id
        reading = DIALECTS[_SURFACE].read(call.body, call.headers, state.artifact.settings)
        decision = decide(
            state.artifact,
            _SURFACE,
            caller,
            reading,
            token_id=token_id,
            request_id=call.request_id,
            state_key=state.state_key,
        )
        call.notes.update(group=decision.group_id, surface=_SURFACE)
        if not decision.order:
            error = refusal(state.artifact, decision, reading)
            error.trace = self._tracer.refused(decision.group_id, _SURFACE)
            raise error
        await self._answer(call, reading, decision, decision.order[0])

    async def _answer(
        self, call: Call, reading: Reading, decision: Decision, candidate: Candidate
    ) -> None:
        edited = self._edit(call, reading, decision, candidate)
        tokens, source = await self._ask(call, candidate, edited), "upstream"
        if tokens is None:
            tokens, source = reading.shape.input_tokens, "estimate"
        trace = self._tracer.routed(
            decision.group_id,
            _SURFACE,
            candidate,
            attempts=1,
            dropped=edited.dropped,
            phase=decision.phase,
        )
        trace += self._tracer.lines({"Count": source})
        await call.send(200, [_JSON], msgspec.json.encode({"input_tokens": tokens}), trace)

    def _edit(
        self, call: Call, reading: Reading, decision: Decision, candidate: Candidate
    ) -> Edited:
        """The body as for an answer; but counting knows no output cap, and nothing a patch adds."""
        skin = msgspec.structs.replace(candidate.skin, cap=None, patch={})
        plain = msgspec.structs.replace(
            step(self._state.artifact, decision, reading, candidate),
            skin=skin,
            cap=None,
            group_default=None,
        )
        artifact = self._state.artifact
        return passage_to(artifact, decision, reading, candidate, call.body, plain).edited

    async def _ask(self, call: Call, candidate: Candidate, edited: Edited) -> int | None:
        """The provider's own count; None where it has none or does not answer well."""
        if candidate.route.skin != _SURFACE or candidate.target_id in self._countless:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                status, body = await self._fetch(call, candidate, edited)
        except (TransportError, TimeoutError):
            return None
        if status in _NO_SUCH_PATH:
            self._countless.add(candidate.target_id)
        return _count_in(body) if status == 200 else None

    async def _fetch(self, call: Call, candidate: Candidate, edited: Edited) -> tuple[int, bytes]:
        answer = await self._state.upstreams.open(
            candidate.target.provider,
            path=f"{candidate.skin.path}/count_tokens",
            headers=request_headers(call, candidate, edited, streaming=False),
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
