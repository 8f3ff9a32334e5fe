"""POST /v1/messages/count_tokens: the provider's count where it has one, else our estimate.

Same eligibility and reach as a real request. A header says which of the two it is.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec

from runtime import failures
from runtime.availability import Availability
from runtime.decision import Decision, passage_to, step
from runtime.dialects.reading import Edited, Reading
from runtime.edge import Call
from runtime.endpoints.generate import Generate
from runtime.errors import UpstreamError
from runtime.exchange import request_headers
from runtime.records.account import Account
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


class CountTokens(Generate):
    """The handler: decided like a request, and then counted instead of answered."""

    def __init__(self, state: State) -> None:
        super().__init__(state, _SURFACE)

    def _kind(self, call: Call) -> str:
        return "count-tokens"

    async def _look(
        self, call: Call, account: Account, reading: Reading, decision: Decision
    ) -> None:
        await _Count(call, account, reading, decision, self._state.availability).answer()


class _Count:
    """One answer, for the target that a request would be sent to now."""

    def __init__(
        self,
        call: Call,
        account: Account,
        reading: Reading,
        decision: Decision,
        availability: Availability,
    ) -> None:
        self._call = call
        self._account = account
        self._serving = account.serving
        self._reading = reading
        self._decision = decision
        providers = self._serving.artifact.providers
        view = availability.view(decision.order, providers)
        account.skipped = tuple([f"{target}:{reason}" for target, reason in view.skipped])
        self._candidate = candidate = view.ready[0] if view.ready else decision.order[0]
        account.served = candidate
        self._asks = (
            candidate.route.skin == _SURFACE
            and candidate.target_id not in self._serving.countless
            # it may be the last one left, and still not one to bother
            and availability.reason(candidate, providers) is None
        )

    async def answer(self) -> None:
        """The provider's own count, else our estimate."""
        decision, account = self._decision, self._account
        edited = self._edit()
        account.dropped = edited.dropped
        tokens, source = await self._ask(edited) if self._asks else None, "upstream"
        if tokens is None:
            tokens, source = self._reading.shape.input_tokens, "estimate"
        tracer = self._serving.tracer
        trace = tracer.routed(
            decision.group_id,
            _SURFACE,
            self._candidate,
            attempts=len(account.attempts),
            dropped=edited.dropped,
            phase=decision.phase,
        )
        trace += tracer.lines({"Count": source})
        account.close(200)
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
        self._account.begin(self._candidate)
        try:
            async with asyncio.timeout(_PATIENCE):
                tokens = await self._fetch(edited)
        except UpstreamError as error:
            self._account.end(error)
        except (TransportError, TimeoutError) as exc:
            self._account.end(failures.from_exception(exc))
        else:
            self._account.end()
            return tokens
        return None

    async def _fetch(self, edited: Edited) -> int:
        """The count in the provider's answer. Raises UpstreamError where there is none."""
        candidate = self._candidate
        answer = await self._serving.upstreams.open(
            candidate.target.provider,
            path=f"{candidate.skin.path}/count_tokens",
            headers=request_headers(self._call, candidate, edited, streaming=False),
            body=edited.body,
            first_byte=_PATIENCE,
        )
        self._account.head(answer.status)
        try:
            body = await answer.read(_MAX_ANSWER_BYTES)
        finally:
            answer.close()
        if answer.status in _NO_SUCH_PATH:
            self._serving.countless.add(candidate.target_id)
        if answer.status != 200:
            raise failures.from_response(answer.status, answer.headers, body)
        return _count_in(body)


def _count_in(body: bytes) -> int:
    try:
        return msgspec.json.decode(body, type=_Counted).input_tokens
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise failures.invalid("the answer holds no count") from exc
