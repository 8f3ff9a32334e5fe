"""What is noted of one request while it is answered, and the one record at its end."""

from __future__ import annotations

from collections.abc import Iterable
from time import perf_counter, time
from typing import Protocol

from runtime.cost import cost
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
        "_began",
        "_closed",
        "_recorders",
        "_tried",
        "attempts",
        "cache",
        "caller",
        "decision",
        "dropped",
        "first_byte",
        "kind",
        "reading",
        "request_id",
        "served",
        "serving",
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
        self.reading: Reading | None = None
        self.decision: Decision | None = None
        self.attempts: list[Attempt] = []
        # the candidate that answered, or was the last to fail
        self.served: Candidate | None = None
        self.dropped: tuple[str, ...] = ()
        self.usage: Usage | None = None
        self.unknown = 0  # events of kinds we do not know
        self.cache: str | None = None
        self.first_byte: float | None = None
        self.time = time()
        self._began = perf_counter()
        self._tried: _Try | None = None
        self._recorders = recorders
        self._closed = False

    # --- attempts ------------------------------------------------------------------------------

    def begin(self, candidate: Candidate) -> None:
        """An attempt begins."""
        self.served = candidate
        self.usage = None
        self._tried = _Try(candidate, self._ms())

    def head(self, status: int) -> None:
        """The head of its answer is here."""
        if (tried := self._tried) is not None:
            tried.head, tried.status = self._ms() - tried.at, status

    def end(self, error: RouterError | None = None, *, kind: str | None = None) -> None:
        """The attempt is over; without an error or a `kind` of failure it has answered."""
        if (tried := self._tried) is None:
            return
        self._tried = None
        if isinstance(error, UpstreamError):
            kind = error.kind
        candidate = tried.candidate
        self.attempts.append(
            Attempt(
                target=candidate.target_id,
                provider=candidate.target.provider,
                model=candidate.skin.model,
                skin=candidate.route.skin,
                bridge=candidate.route.bridge,
                at=tried.at,
                ms=self._ms() - tried.at,
                head=tried.head,
                status=tried.status,
                kind=kind,
                code=error.code if error is not None else None,
            )
        )

    def committed(self) -> None:
        """The first content goes out to the caller."""
        self.first_byte = self._ms()

    # --- the end -------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the record is made."""
        return self._closed

    def usd(self) -> float | None:
        """What the answer has cost; None where tokens or prices are unknown."""
        served = self.served
        if self.usage is None or served is None or served.target.price is None:
            return None
        return cost(self.serving.artifact.prices[served.target.price], self.usage)

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
            attempts=tuple(self.attempts),
            dropped=self.dropped,
            cache=self.cache,
            status=status,
            code=code,
            outcome=outcome,
            first_byte=self.first_byte,
            ms=self._ms(),
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
            record.model, record.skin = served.skin.model, served.route.skin
            record.bridge = served.route.bridge

    def _add_usage(self, record: Record) -> None:
        if (usage := self.usage) is None:
            return
        record.input, record.output = usage.input, usage.output
        record.cached, record.cache_write = usage.cached, usage.cache_write
        record.reasoning = usage.reasoning
        record.cost = self.usd()

    def _ms(self) -> float:
        return round((perf_counter() - self._began) * 1000, 2)


class _Try:
    __slots__ = ("at", "candidate", "head", "status")

    def __init__(self, candidate: Candidate, at: float) -> None:
        self.candidate = candidate
        self.at = at
        self.head: float | None = None
        self.status: int | None = None
