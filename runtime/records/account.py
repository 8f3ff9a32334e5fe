"""What is noted of one request while it is answered, and the one record at its end."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter, time
from typing import Protocol

from runtime.cost import Cost, cost
from runtime.decision import Decision
from runtime.dialects.reading import Reading
from runtime.errors import RouterError, UpstreamError
from runtime.records.record import Attempt, Record, bucket, feature_words
from runtime.selection import Candidate
from runtime.serving import Serving
from runtime.usage import Usage
from runtime.vocabulary import Caller


class Recorder(Protocol):
    """Who wants every record: the journal, the metrics. Must not wait, must not raise."""

    def take(self, record: Record) -> None: ...


class Account:
    """The notes of one request. `close` makes the record, once, before the last byte goes out."""

    __slots__ = (
        "_asked",
        "_asked_at",
        "_began",
        "_closed",
        "_first_byte",
        "_head_at",
        "_recorders",
        "_spent",
        "_status",
        "attempts",
        "cache",
        "caller",
        "client",
        "decision",
        "dropped",
        "kind",
        "reading",
        "request_id",
        "served",
        "serving",
        "skipped",
        "spared",
        "surface",
        "time",
        "token",
        "unknown",
        "usage",
    )

    def __init__(
        self, request_id: str, serving: Serving, surface: str, recorders: Iterable[Recorder]
    ) -> None:
        self.request_id = request_id
        self.serving = serving
        self.surface = surface
        self.kind = "request"
        self.token: str | None = None
        self.caller: Caller | None = None
        self.client: str | None = None
        self.reading: Reading | None = None
        self.decision: Decision | None = None
        self.attempts: list[Attempt] = []
        # the candidate that answered, or was the last to fail
        self.served: Candidate | None = None
        self.dropped: tuple[str, ...] = ()
        self.skipped: tuple[str, ...] = ()
        self.usage: Usage | None = None
        self.unknown = 0  # events of kinds we do not know
        self.cache: str | None = None
        # USD that an answer out of the cache would have cost
        self.spared: float | None = None
        self.time = time()
        self._began = perf_counter()
        self._first_byte: float | None = None
        # the attempt under way: who is asked, since when, and the head of the answer
        self._asked: Candidate | None = None
        self._asked_at = 0.0
        self._head_at: float | None = None
        self._status: int | None = None
        # what the usage beside it has cost, which is asked for more than once
        self._spent: tuple[Usage, Cost | None] | None = None
        self._recorders = recorders
        self._closed = False

    # --- attempts ------------------------------------------------------------------------------

    def begin(self, candidate: Candidate) -> None:
        """An attempt begins."""
        self.served = self._asked = candidate
        self.usage = self._head_at = self._status = None
        self._asked_at = perf_counter()

    def head(self, status: int) -> None:
        """The head of its answer is here."""
        self._head_at, self._status = perf_counter(), status

    def end(self, error: RouterError | None = None, *, kind: str | None = None) -> None:
        """The attempt is over; without an error or a `kind` of failure it has answered."""
        if (candidate := self._asked) is None:
            return
        self._asked = None
        if isinstance(error, UpstreamError):
            kind = error.kind
        target, route, at = candidate.target, candidate.route, self._asked_at
        self.attempts.append(
            Attempt(
                target=candidate.target_id,
                provider=target.provider,
                model=candidate.skin.model,
                skin=route.skin,
                bridge=route.bridge,
                at=_ms(at - self._began),
                ms=_ms(perf_counter() - at),
                head=None if self._head_at is None else _ms(self._head_at - at),
                status=self._status,
                kind=kind,
                code=error.code if error is not None else None,
            )
        )

    def committed(self) -> None:
        """The first content goes out to the caller."""
        self._first_byte = perf_counter()

    @property
    def answered(self) -> bool:
        """Whether content went out to the caller."""
        return self._first_byte is not None

    @property
    def tried(self) -> int:
        """How many attempts have begun."""
        return len(self.attempts) + self.asking

    @property
    def asking(self) -> bool:
        """Whether an attempt is under way."""
        return self._asked is not None

    # --- the end -------------------------------------------------------------------------------

    def spent(self) -> Cost | None:
        """What the answer has cost; None where tokens or prices are unknown."""
        if (usage := self.usage) is None or self.served is None:
            return None
        if (known := self._spent) is None or known[0] is not usage:
            self._spent = known = usage, self._at(self.served.target.price)
        return known[1]

    def baseline(self) -> float | None:
        """USD that its tokens would have cost at the group's baseline; None as above.

        Of an answer out of the cache: what it would have cost made anew.
        """
        if self.spared is not None:
            return self.spared
        group = self.decision.group if self.decision is not None else None
        if group is None or group.baseline is None:
            return None
        usual = self._at(self.serving.artifact.targets[group.baseline].price)
        return usual.total if usual is not None else None

    def _at(self, price: str | None) -> Cost | None:
        if self.usage is None or price is None:
            return None
        images = self.reading.shape.images if self.reading is not None else 0
        return cost(self.serving.artifact.prices[price], self.usage, images)

    def close(self, status: int, *, code: str | None = None, outcome: str = "ok") -> None:
        """Makes the record and hands it to the recorders. Only the first call does anything."""
        if self._closed:
            return
        self._closed = True
        self.end(kind=None if outcome == "ok" else outcome)
        if self._recorders:
            record = self._record(status, code, outcome)
            for recorder in self._recorders:
                recorder.take(record)

    def _record(self, status: int, code: str | None, outcome: str) -> Record:
        record = Record(
            id=self.request_id,
            time=self.time,
            artifact=self.serving.artifact.digest[:12],
            kind=self.kind,
            surface=self.surface,
            token=self.token,
            client=self.client,
            attempts=tuple(self.attempts),
            dropped=self.dropped,
            skipped=self.skipped,
            cache=self.cache,
            status=status,
            code=code,
            outcome=outcome,
            first_byte=None if self._first_byte is None else _ms(self._first_byte - self._began),
            ms=_ms(perf_counter() - self._began),
        )
        self._add_caller(record)
        self._add_shape(record)
        self._add_route(record)
        self._add_usage(record)
        return record

    def _add_caller(self, record: Record) -> None:
        if (caller := self.caller) is None:
            return
        artifact = self.serving.artifact
        if self.token is not None:
            record.caller = artifact.tokens[self.token].caller
        record.user, record.project, record.env = caller.user, caller.project, caller.env

    def _add_shape(self, record: Record) -> None:
        if (reading := self.reading) is None:
            return
        shape = reading.shape
        record.posted, record.stream = reading.dialect, reading.stream
        record.features = feature_words(shape.needs)
        record.cap = shape.cap
        record.input_estimate = bucket(shape.input_tokens)
        record.body_bytes = bucket(shape.body_bytes)
        record.tool_schema_bytes = bucket(shape.tool_schema_bytes)
        record.tools, record.image_count = bucket(shape.tools), shape.images
        record.input_has_image = shape.images > 0

    def _add_route(self, record: Record) -> None:
        if (decision := self.decision) is not None:
            record.group, record.phase = decision.group_id, decision.phase
            record.policy = decision.group.kind
            record.plan = tuple([c.target_id for c in decision.order])
        if (served := self.served) is not None:
            record.target, record.provider = served.target_id, served.target.provider
            record.key_id = self.serving.artifact.providers[served.target.provider].key_id
            record.model, record.skin = served.skin.model, served.route.skin
            record.bridge = served.route.bridge

    def _add_usage(self, record: Record) -> None:
        if (usage := self.usage) is None:
            return
        record.input, record.output = usage.input, usage.output
        record.cached, record.cache_write = usage.cached, usage.cache_write
        record.reasoning, record.image_tokens = usage.reasoning, usage.image
        record.cost_reported = usage.reported
        if (spent := self.spent()) is None:
            return
        record.cost_input, record.cost_output = spent.input, spent.output
        record.cost_image, record.cost = spent.image, spent.total
        if (usual := self.baseline()) is not None:
            record.cost_baseline, record.savings = usual, usual - spent.total


def _ms(seconds: float) -> float:
    return int(seconds * 100_000 + 0.5) / 100  # as rounded; `round` itself takes thrice the time
