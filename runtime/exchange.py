"""One exchange: candidates in order, the fallback rule, and what the caller gets to see.

Before the commit point (the first content sent to the caller) a failed candidate is followed by
the next one. After it never: the caller gets the dialect's error event and the connection is cut,
so that a broken stream never looks finished. It knows no wire: dialects read and write bodies,
`runtime.upstream` carries them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from time import monotonic
from typing import Any

from runtime import failures, stateful
from runtime.availability import Turns
from runtime.bridges.relay import Relay
from runtime.cache import Kept, Place
from runtime.decision import Decision, estimate_cost, passage_to
from runtime.dialects import DIALECTS
from runtime.dialects.answer import Watcher, content_matches
from runtime.dialects.reading import Edited, Reading
from runtime.edge import Call
from runtime.errors import UpstreamError
from runtime.passage import Passage, reword
from runtime.pulse import Pulse
from runtime.records.account import Account
from runtime.selection import Candidate
from runtime.state import State
from runtime.trace import Estimate
from runtime.upstream import Answer, TransportError
from runtime.usage import Usage

Headers = Sequence[tuple[bytes, bytes]]

_JSON_LINE = b"content-type: application/json\r\n"
_EVENT_STREAM: Headers = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # asks proxies in front of us (nginx and its kin) not to collect events
    (b"x-accel-buffering", b"no"),
)
_ACCEPT_JSON: Headers = ((b"accept", b"application/json"),)
_ACCEPT_EVENTS: Headers = ((b"accept", b"text/event-stream"),)
_ANTHROPIC_VERSION = b"2023-06-01"
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_MAX_ERROR_BYTES = 1024 * 1024
# What an upstream may add to our answer; everything else of its head stays with us.
_PASSED_BACK = ("openai-processing-ms",)


class Exchange:
    """One request on its way. What happens to it is noted in `account`."""

    def __init__(
        self, call: Call, state: State, account: Account, reading: Reading, decision: Decision
    ) -> None:
        self.call = call
        self.account = account
        self.reading = reading
        self.decision = decision
        # where the answer is kept once it is whole
        self.place: Place | None = None
        self.pulse: Pulse | None = None
        self._state = state
        self._serving = account.serving
        self._artifact = account.serving.artifact
        self._deadline = monotonic() + decision.group.total_timeout
        self._tried = 0
        self._committed = False
        self._watcher: Watcher | Relay | None = None

    async def run(self) -> None:
        """Answers the call. Raises UpstreamError where no target is left and nothing was sent."""
        state, account, decision = self._state, self.account, self.decision
        artifact, attempt = self._artifact, self._whole
        if self.reading.stream:
            attempt = self._stream
            self.pulse = Pulse(state.head_start, artifact.settings.keepalive, self._beat)
        self._turns = turns = Turns(
            state.availability, decision.order, artifact.providers, decision.group.attempts
        )
        failure = None
        try:
            candidate = turns.next()
            account.skipped = turns.skipped
            while candidate is not None:
                self._tried += 1
                account.begin(candidate)
                try:
                    passage = self._passage(candidate)
                    account.dropped = passage.edited.dropped
                    await attempt(candidate, passage)
                    turns.answered()
                    return
                except (UpstreamError, TransportError, TimeoutError) as exc:
                    failure = self._failed(candidate, exc)
                candidate = await self._another(candidate, failure)
        finally:
            turns.close()
            if self.pulse is not None:
                self.pulse.stop()
                self.pulse = None  # it holds us: the body would stay until garbage is looked for
        self._fail(failure or failures.full())

    def _passage(self, candidate: Candidate) -> Passage:
        """The way to the candidate. Its answer may take minutes: what was read of the history goes
        at once, and is read again for the next one. Raises CallerError.
        """
        call = self.call
        if self._tried > 1:
            read = DIALECTS[self.decision.surface].read
            self.reading = read(call.body, call.headers, self._artifact.settings)
        reading = self.reading
        passage = passage_to(self._artifact, self.decision, reading, candidate, call.body)
        reading.turns.clear()
        return passage

    def _failed(self, candidate: Candidate, exc: Exception) -> UpstreamError:
        """Why the candidate failed."""
        if isinstance(exc, UpstreamError):
            rows = self._artifact.providers[candidate.target.provider].errors
            failure = failures.reclassified(exc, rows) if rows else exc
        else:
            failure = failures.from_exception(exc)
            if self._committed:
                failure = failures.interrupted(failure)
        self.account.end(failure)
        self._turns.failed(failure)
        return failure

    async def _another(self, candidate: Candidate, failure: UpstreamError) -> Candidate | None:
        """Who is asked after the candidate that just failed; None: its failure is the answer.

        Where nobody else is left, that is the same once more, after the short wait it asks for.
        """
        turns, left = self._turns, self._deadline - monotonic()
        if self._committed or not failure.retryable or left <= 0:
            return None
        other = turns.next()
        self.account.skipped = turns.skipped
        if other is not None or (wait := turns.pause(failure, left)) is None:
            return other
        await asyncio.sleep(wait)
        return turns.again(candidate)

    def _fail(self, error: UpstreamError) -> None:
        """The caller learns of the failure: as a status while there is none yet, else in-stream."""
        call = self.call
        self._reword(error)
        self._make_private(error)
        if call.started:
            seen = self._watcher.face if self._watcher is not None else None
            event = DIALECTS[self.decision.surface].error_event(error, call.request_id, seen)
            self.account.close(call.status, code=error.code, outcome="aborted")
            call.write(event)
            call.abort()
            call.notes["code"] = error.code
            return
        if (served := self.account.served) is not None:
            error.trace = self._trace(served)
        else:
            error.trace = self._refused()
        raise error

    def _reword(self, error: UpstreamError) -> None:
        """What a bridged upstream says is not always what clients of the surface understand."""
        served = self.account.served
        if served is not None and served.route.skin != self.decision.surface:
            context, estimate = served.target.context, self.reading.shape.input_tokens
            reword(error, self.decision.surface, estimate, context)

    def _make_private(self, error: UpstreamError) -> None:
        """Takes out of an upstream's words what the caller may not see: keys, private names."""
        error.message = self._serving.upstreams.censored(error.message)
        served = self.account.served
        if served is None or self._artifact.settings.trace.show_upstream:
            return
        name, asked = served.skin.model, self.reading.model or self.decision.group_id
        error.message = error.message.replace(name, asked)
        if error.param:
            error.param = error.param.replace(name, asked)

    def repeat(self, candidate: Candidate, kept: Kept) -> None:
        """Answers with one of `candidate` that was kept: nobody is asked and nothing is spent."""
        account, call = self.account, self.call
        account.served, account.dropped, account.spared = candidate, kept.dropped, kept.spared
        account.usage = Usage(input=0, output=0)
        account.committed()
        account.close(200)
        if self.reading.stream:
            call.start(200, _EVENT_STREAM, self._trace(candidate))
            call.write(kept.body)
            call.finish()
            return
        block = _JSON_LINE + self._trace(candidate, 0.0)
        call.write_whole(200, [], self._traced(kept.body, candidate, 0.0), block)

    # --- one attempt ---------------------------------------------------------------------------

    async def _whole(self, candidate: Candidate, passage: Passage) -> None:
        """An answer in one piece. After its head no other target is asked for being late."""
        account = self.account
        answer = await self._open(candidate, passage.edited, streaming=False)
        if not self._fits(answer, streaming=False):
            raise await self._unfit(answer)
        try:
            body = await answer.read(_MAX_ANSWER_BYTES)
        except TransportError as exc:
            raise failures.after_head(exc) from exc
        finally:
            answer.close()
        whole = passage.whole(body, self._sealer(candidate))
        account.usage, account.unknown = whole.usage, whole.unknown
        spent = account.spent()
        usd = None if spent is None else spent.total
        block = _JSON_LINE + self._trace(candidate, usd)
        body = self._traced(whole.body, candidate, usd)
        account.committed()
        account.close(200)
        self.call.write_whole(200, _passed_back(answer), body, block)
        if self.place is not None:
            self.place.add(whole.body)
            self.place.keep(candidate)

    async def _stream(self, candidate: Candidate, passage: Passage) -> None:
        watcher = self._watch(candidate, passage)
        native = not candidate.skin.synthesized
        try:
            # The upstream leg bounds the head; this clock goes on to the commit point.
            async with asyncio.timeout(self._time_left()) as timer:
                answer = await self._open(candidate, passage.edited, streaming=native)
                try:
                    if not self._fits(answer, streaming=native):
                        raise await self._unfit(answer)
                    if not native:
                        timer.reschedule(None)  # one piece: the provider's total time counts
                    await self._relay(answer, Delivery(self, watcher, candidate, timer))
                except BaseException:
                    answer.close()
                    raise
        finally:
            self.account.usage = watcher.usage
            self.account.unknown = watcher.unknown if isinstance(watcher, Relay) else 0
        self.account.close(200)
        self.call.finish()
        answer.release()
        if self.place is not None and watcher.done:
            self.place.keep(candidate)

    async def _relay(self, answer: Answer, delivery: Delivery) -> None:
        """Whole events from the upstream to the caller, until the dialect's own terminator."""
        watcher = delivery.watcher
        while not watcher.done:
            try:
                if ended := await answer.pipe(delivery):
                    delivery.end(watcher.eof())
            except TransportError as exc:
                ended = True
                delivery.end(watcher.broken(exc))
            if watcher.error is not None:
                raise watcher.error
            if ended:
                return
            if self.call.paused:
                await self.call.drain()

    def commit(self, candidate: Candidate) -> None:
        """The first content is about to go out: from here on there is no other target."""
        self._committed = True
        self._turns.committed()
        self.account.committed()
        if not self.call.started:
            self.call.start(200, _EVENT_STREAM, self._trace(candidate))

    def write_kept(self, out: bytes) -> None:
        """A part of a streamed answer, which is kept where there is a place for it."""
        self.call.write(out)
        if self.place is not None:
            self.place.add(out)

    def _open(
        self, candidate: Candidate, edited: Edited, *, streaming: bool
    ) -> Coroutine[Any, Any, Answer]:
        """Asks the candidate; awaited, this is its answer at its head."""
        provider_id = candidate.target.provider
        first_byte = self._artifact.providers[provider_id].timeouts.first_byte
        return self._serving.upstreams.open(
            provider_id,
            path=candidate.skin.path,
            headers=request_headers(self.call, candidate, edited, streaming=streaming),
            body=edited.body,
            first_byte=min(first_byte, self._time_left()),
        )

    def _fits(self, answer: Answer, *, streaming: bool) -> bool:
        """Whether an answer is one, in the form that was asked for; its head is noted."""
        self.account.head(answer.status)
        kind = answer.headers.get("content-type")
        return answer.status == 200 and content_matches(streaming=streaming, content_type=kind)

    async def _unfit(self, answer: Answer) -> UpstreamError:
        """What an answer says that does not fit.

        A client that asked for a stream and gets JSON loops for ever; so that is a failure.
        """
        try:
            body = await answer.read(_MAX_ERROR_BYTES)
        except TransportError:
            body = b""  # the status alone says enough
        finally:
            answer.close()
        if answer.status == 200:
            return failures.from_mismatch(body)
        return failures.from_response(answer.status, answer.headers, body)

    # --- signs of life -------------------------------------------------------------------------

    def _watch(self, candidate: Candidate, passage: Passage) -> Watcher | Relay:
        previous = self._watcher
        watcher = passage.watcher(self._sealer(candidate))
        if self.call.started:
            watcher.adopt(previous.face if previous is not None else None)
        self._watcher = self.call.watcher = watcher
        return watcher

    def _beat(self) -> None:
        """Silence has lasted: the head goes out without knowing who will answer."""
        watcher = self._watcher
        assert watcher is not None, "only streams beat"  # noqa: S101
        self.place = None  # what follows a sign of life is no answer by itself
        if self.call.started:
            self.call.write(watcher.ping())
            return
        self.call.start(200, _EVENT_STREAM, self._refused())
        self.call.write(watcher.opening())

    # --- what the answer carries ---------------------------------------------------------------

    def _trace(self, candidate: Candidate, usd: float | None = None) -> bytes:
        """What is told of the way by `candidate`, and of its answer's cost where it is known."""
        decision, account = self.decision, self.account
        return self._serving.tracer.routed(
            decision.group_id,
            decision.surface,
            candidate,
            attempts=self._tried,
            dropped=account.dropped,
            phase=decision.phase,
            estimate=estimate_cost(self._artifact, decision, self.reading, candidate),
            cost=usd,
        )

    def _refused(self) -> bytes:
        """The trace where nobody has answered yet."""
        return self._serving.tracer.refused(self.decision.group_id, self.decision.surface)

    def _traced(self, body: bytes, candidate: Candidate, usd: float | None) -> bytes:
        """The body with the trace in it, where the deployment wants that."""
        decision = self.decision
        if not self._artifact.settings.trace.body or decision.surface != "chat":
            return body
        return self._serving.tracer.in_body(
            body,
            request_id=self.call.request_id,
            group=decision.group_id,
            candidate=candidate,
            phase=decision.phase,
            input_tokens=self.reading.shape.input_tokens,
            cost=Estimate(usd, self.account.baseline()),
        )

    def _sealer(self, candidate: Candidate) -> stateful.Sealer | None:
        key = self._state.state_key
        if key is None or not candidate.skin.stateful:
            return None
        return stateful.sealer(key, self.decision.caller.project, candidate.target.tag)

    # --- time ----------------------------------------------------------------------------------

    def _time_left(self) -> float:
        """Seconds this attempt may take."""
        return min(self.decision.group.attempt_timeout, self._deadline - monotonic())


def request_headers(
    call: Call, candidate: Candidate, edited: Edited, *, streaming: bool
) -> Headers:
    """The headers an upstream gets beside its credential; of the caller's own only these two."""
    accepted = _ACCEPT_EVENTS if streaming else _ACCEPT_JSON
    if candidate.route.skin != "messages":
        return accepted
    version = call.headers.get(b"anthropic-version", _ANTHROPIC_VERSION)
    headers = [*accepted, (b"anthropic-version", version)]
    if edited.betas:
        headers.append((b"anthropic-beta", ",".join(edited.betas).encode("latin-1")))
    return headers


def _passed_back(answer: Answer) -> Headers:
    theirs = answer.headers
    if theirs.keys().isdisjoint(_PASSED_BACK):
        return ()
    return [
        (name.encode(), theirs[name].encode("latin-1")) for name in _PASSED_BACK if name in theirs
    ]


class Delivery:
    """Hands the bytes of one answer to the caller as they come; hot, for it does so per event."""

    __slots__ = (
        "_call",
        "_candidate",
        "_exchange",
        "_is_kept",
        "_loop",
        "_pulse",
        "_timer",
        "near",
        "watcher",
    )

    def __init__(
        self,
        exchange: Exchange,
        watcher: Watcher | Relay,
        candidate: Candidate,
        timer: asyncio.Timeout,
    ) -> None:
        self.watcher = watcher
        self._exchange = exchange
        self._call = exchange.call
        self._candidate = candidate
        self._is_kept = exchange.place is not None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Timeout | None = timer
        assert exchange.pulse is not None, "only streams are delivered"  # noqa: S101
        self._pulse = exchange.pulse
        self.near: tuple[object, ...] = ()

    def take(self, data: bytes) -> float:
        """Bytes of the upstream; when that was, 0.0 when the exchange has to look at something."""
        now = self._loop.time()
        flow = self.watcher.flow
        if flow is not None and (out := flow.cross(data)) is not None:
            stops = False
        else:
            out = self._taken(data)
            stops = self.watcher.done or self.watcher.error is not None
        if out:
            if self._is_kept:
                self._exchange.write_kept(out)
            else:
                self._call.write(out)
            self._pulse.last = now
        return 0.0 if stops or self._call.paused else now

    def _taken(self, data: bytes) -> bytes:
        out = self.watcher.feed(data)
        if out and self._timer is not None:
            self._commit(self._timer)
        flow = self.watcher.flow
        if flow is None:
            self.near = ()
        elif flow not in self.near:
            call = self._call
            self.near = (self.watcher, flow, call, call.transport, self._pulse, *flow.pieces)
        return out

    def end(self, out: bytes) -> None:
        """What goes on to the caller when no more bytes come."""
        if out:
            if self._timer is not None:
                self._commit(self._timer)
            self._exchange.write_kept(out)

    def _commit(self, timer: asyncio.Timeout) -> None:
        """The first of what goes on is the commit point."""
        timer.reschedule(None)
        self._timer = None
        self._exchange.commit(self._candidate)
