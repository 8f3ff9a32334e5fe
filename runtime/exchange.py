"""One exchange: candidates in order, the fallback rule, and what the caller gets to see.

Before the commit point (the first content sent to the caller) a failed candidate is followed by
the next one. After it never: the caller gets the dialect's error event and the connection is cut,
so that a broken stream never looks finished. It knows no wire: dialects read and write bodies,
`runtime.upstream` carries them.
"""

from __future__ import annotations

import asyncio

from runtime import failures, stateful
from runtime.availability import Turns
from runtime.bridges.relay import Relay
from runtime.cache import Kept, Place
from runtime.decision import Decision, estimate_cost, passage_to
from runtime.dialects import DIALECTS
from runtime.dialects.answer import Watcher, Whole, content_matches
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

Headers = list[tuple[bytes, bytes]]

_JSON_LINE = b"content-type: application/json\r\n"
_EVENT_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # asks proxies in front of us (nginx and its kin) not to collect events
    (b"x-accel-buffering", b"no"),
]
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
        self._state = state
        self._serving = serving = account.serving
        self._artifact = serving.artifact
        self._tracer = serving.tracer
        self._dialect = DIALECTS[decision.surface]
        self._asked = reading.model or decision.group_id
        self._traces_bodies = self._artifact.settings.trace.body and decision.surface == "chat"
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + decision.group.total_timeout
        self._committed = False
        self._watcher: Watcher | Relay | None = None
        self.pulse: Pulse | None = None
        self._turns = Turns(
            state.availability,
            decision.order,
            self._artifact.providers,
            decision.group.attempts,
        )

    async def run(self) -> None:
        """Answers the call. Raises UpstreamError where no target is left and nothing was sent."""
        if self.reading.stream:
            keepalive = self._artifact.settings.keepalive
            self.pulse = Pulse(self._state.head_start, keepalive, self._beat)
        try:
            with self._turns:
                failure = await self._answer()
        finally:
            if self.pulse is not None:
                self.pulse.stop()
        if failure is not None:
            self._fail(failure)

    async def _answer(self) -> UpstreamError | None:
        """Asks one candidate after the other until one has answered; None then."""
        turns = self._turns
        if (candidate := self._next()) is None:
            return failures.full()
        while True:
            failure = await self._attempt(candidate)
            if failure is None:
                turns.answered()
                return None
            turns.failed(failure)
            if self._committed or not failure.retryable or self._late():
                return failure
            another = self._next() or await self._same_again(candidate, failure)
            if another is None:
                return failure
            candidate = another

    def _next(self) -> Candidate | None:
        """Who is asked now; who is passed over is noted."""
        candidate = self._turns.next()
        self.account.skipped = self._turns.skipped
        return candidate

    async def _same_again(self, candidate: Candidate, failure: UpstreamError) -> Candidate | None:
        """The candidate that just failed, after the short wait it asks for, if it does."""
        wait = self._turns.pause(failure, self._deadline - self._clock())
        if wait is None:
            return None
        await asyncio.sleep(wait)
        return self._turns.again(candidate)

    async def _attempt(self, candidate: Candidate) -> UpstreamError | None:
        """Why the candidate failed; None when it has answered."""
        self.account.begin(candidate)
        try:
            await (self._stream(candidate) if self.reading.stream else self._whole(candidate))
            return None
        except UpstreamError as error:
            rows = self._artifact.providers[candidate.target.provider].errors
            failure = failures.reclassified(error, rows) if rows else error
        except (TransportError, TimeoutError) as exc:
            failure = failures.from_exception(exc)
            if self._committed:
                failure = failures.interrupted(failure)
        self.account.end(failure)
        return failure

    def _fail(self, error: UpstreamError) -> None:
        """The caller learns of the failure: as a status while there is none yet, else in-stream."""
        call = self.call
        self._reword(error)
        self._make_private(error)
        if call.started:
            seen = self._watcher.face if self._watcher is not None else None
            event = self._dialect.error_event(error, call.request_id, seen)
            self.account.close(call.status, code=error.code, outcome="aborted")
            call.write(event)
            call.abort()
            call.notes["code"] = error.code
            return
        if (served := self.account.served) is not None:
            error.trace = self._trace(served)
        else:
            error.trace = self._tracer.refused(self.decision.group_id, self.decision.surface)
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
        name = served.skin.model
        error.message = error.message.replace(name, self._asked)
        if error.param:
            error.param = error.param.replace(name, self._asked)

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
        block = _JSON_LINE + self._trace(candidate) + self._tracer.cost(0.0)
        body = self._traced(kept.body, candidate, 0.0) if self._traces_bodies else kept.body
        call.write_whole(200, [], body, block)

    # --- one attempt ---------------------------------------------------------------------------

    async def _whole(self, candidate: Candidate) -> None:
        passage = self._passage(candidate)
        answer = await self._open(candidate, passage.edited)
        try:
            whole = await self._read_whole(answer, candidate, passage)
        finally:
            answer.close()
        account = self.account
        account.usage, account.unknown = whole.usage, whole.unknown
        spent = account.spent()
        usd = spent.total if spent is not None else None
        block = _JSON_LINE + self._trace(candidate) + self._tracer.cost(usd)
        body = self._traced(whole.body, candidate, usd) if self._traces_bodies else whole.body
        account.committed()
        account.close(200)
        self.call.write_whole(200, _passed_back(answer), body, block)
        if self.place is not None:
            self.place.add(whole.body)
            self.place.keep(candidate)

    async def _read_whole(self, answer: Answer, candidate: Candidate, passage: Passage) -> Whole:
        """After its head an answer has the provider's total time, and no other target."""
        await self._expect(answer, streaming=False)
        try:
            body = await answer.read(_MAX_ANSWER_BYTES)
        except TransportError as exc:
            raise failures.after_head(exc) from exc
        return passage.whole(body, self._sealer(candidate))

    async def _stream(self, candidate: Candidate) -> None:
        passage = self._passage(candidate)
        watcher = self._watch(candidate, passage)
        way = _Way if self.place is None else _KeepingWay
        try:
            # The upstream leg bounds the head; this clock goes on to the commit point.
            async with asyncio.timeout(self._time_left()) as timer:
                answer = await self._open(candidate, passage.edited)
                try:
                    await self._expect(answer, streaming=not candidate.skin.synthesized)
                    if candidate.skin.synthesized:
                        timer.reschedule(None)  # one piece: the provider's total time counts
                    await self._relay(answer, way(self, watcher, candidate, timer))
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

    async def _relay(self, answer: Answer, way: _Way) -> None:
        """Whole events from the upstream to the caller, until the dialect's own terminator."""
        watcher = way.watcher
        while not watcher.done:
            try:
                if ended := await answer.pipe(way.take):
                    way.send(watcher.eof())
            except TransportError as exc:
                ended = True
                way.send(watcher.broken(exc))
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

    def _passage(self, candidate: Candidate) -> Passage:
        passage = passage_to(self._artifact, self.decision, self.reading, candidate, self.call.body)
        self.account.dropped = passage.edited.dropped
        return passage

    async def _open(self, candidate: Candidate, edited: Edited) -> Answer:
        """The candidate's answer at its head. Raises UpstreamError for any status but 200."""
        timeouts = self._artifact.providers[candidate.target.provider].timeouts
        answer = await self._serving.upstreams.open(
            candidate.target.provider,
            path=candidate.skin.path,
            headers=request_headers(
                self.call,
                candidate,
                edited,
                streaming=self.reading.stream and not candidate.skin.synthesized,
            ),
            body=edited.body,
            first_byte=min(timeouts.first_byte, self._time_left()),
        )
        self.account.head(answer.status)
        if answer.status == 200:
            return answer
        body = await self._read_error(answer)
        raise failures.from_response(answer.status, answer.headers, body)

    async def _expect(self, answer: Answer, *, streaming: bool) -> None:
        """A client that asked for a stream and gets JSON loops for ever; so that is a failure."""
        kind = answer.headers.get("content-type")
        if not content_matches(streaming=streaming, content_type=kind):
            raise failures.from_mismatch(await self._read_error(answer))

    async def _read_error(self, answer: Answer) -> bytes:
        try:
            return await answer.read(_MAX_ERROR_BYTES)
        except TransportError:
            return b""  # the status alone says enough
        finally:
            answer.close()

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
        trace = self._tracer.refused(self.decision.group_id, self.decision.surface)
        self.call.start(200, _EVENT_STREAM, trace)
        self.call.write(watcher.opening())

    # --- what the answer carries ---------------------------------------------------------------

    def _trace(self, candidate: Candidate) -> bytes:
        return self._tracer.routed(
            self.decision.group_id,
            self.decision.surface,
            candidate,
            attempts=self.account.tried,
            dropped=self.account.dropped,
            phase=self.decision.phase,
            estimate=estimate_cost(self._artifact, self.decision, self.reading, candidate),
        )

    def _traced(self, body: bytes, candidate: Candidate, usd: float | None) -> bytes:
        return self._tracer.in_body(
            body,
            request_id=self.call.request_id,
            group=self.decision.group_id,
            candidate=candidate,
            phase=self.decision.phase,
            input_tokens=self.reading.shape.input_tokens,
            cost=Estimate(usd, self.account.baseline()),
        )

    def _sealer(self, candidate: Candidate) -> stateful.Sealer | None:
        key = self._state.state_key
        if not candidate.skin.stateful or key is None:
            return None
        return stateful.sealer(key, self.decision.caller.project, candidate.target.tag)

    # --- time ----------------------------------------------------------------------------------

    def _time_left(self) -> float:
        """Seconds this attempt may take."""
        left = self._deadline - self._clock()
        return min(self.decision.group.attempt_timeout, left)

    def _late(self) -> bool:
        return self._clock() >= self._deadline


def request_headers(
    call: Call, candidate: Candidate, edited: Edited, *, streaming: bool
) -> Headers:
    """The headers an upstream gets beside its credential; of the caller's own only these two."""
    headers: Headers = [
        (b"accept", b"text/event-stream" if streaming else b"application/json"),
    ]
    if candidate.route.skin == "messages":
        version = call.headers.get(b"anthropic-version", _ANTHROPIC_VERSION)
        headers.append((b"anthropic-version", version))
        if edited.betas:
            headers.append((b"anthropic-beta", ",".join(edited.betas).encode("latin-1")))
    return headers


def _passed_back(answer: Answer) -> Headers:
    return [
        (name.encode(), answer.headers[name].encode("latin-1"))
        for name in _PASSED_BACK
        if name in answer.headers
    ]


class _Way:
    """The way of one answer's bytes to the caller; hot, for it is walked for every event."""

    __slots__ = ("_call", "_candidate", "_exchange", "_pulse", "_timer", "watcher")

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
        self._timer: asyncio.Timeout | None = timer
        assert exchange.pulse is not None, "only streams have a way"  # noqa: S101
        self._pulse = exchange.pulse

    def take(self, data: bytes) -> bool:
        """Bytes of the upstream; False when the exchange has to look at something."""
        watcher = self.watcher
        if out := watcher.feed(data):
            self.send(out)
        return not (watcher.done or watcher.error is not None or self._call.paused)

    def send(self, out: bytes) -> None:
        """What goes on to the caller. The first of it is the commit point."""
        if not out:
            return
        if self._timer is not None:
            self._timer.reschedule(None)
            self._timer = None
            self._exchange.commit(self._candidate)
        self._call.write(out)
        self._pulse.touch()


class _KeepingWay(_Way):
    """The same where the answer is to be kept."""

    __slots__ = ()

    def send(self, out: bytes) -> None:
        """What goes on to the caller, and to its place."""
        super().send(out)
        if (place := self._exchange.place) is not None:
            place.add(out)
