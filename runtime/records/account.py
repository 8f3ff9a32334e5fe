"""What is noted of one request while it is answered, and the one record at its end."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
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

_FORMS = 4096  # per artifact; there are fewer unless very many callers share it


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

    def end(self, error: RouterError | None = None) -> None:
        """The attempt is over, if one is under way; without an error it has answered."""
        if (candidate := self._asked) is not None:
            kind = error.kind if isinstance(error, UpstreamError) else None
            code = None if error is None else error.code
            self._end(candidate, perf_counter(), kind, code)

    def _end(
        self, candidate: Candidate, now: float, kind: str | None, code: str | None = None
    ) -> None:
        self._asked = None
        target, route, at = candidate.target, candidate.route, self._asked_at
        self.attempts.append(
            Attempt(
                target=candidate.target_id,
                provider=target.provider,
                model=candidate.skin.model,
                skin=route.skin,
                bridge=route.bridge,
                at=_ms(at - self._began),
                ms=_ms(now - at),
                head=None if self._head_at is None else _ms(self._head_at - at),
                status=self._status,
                kind=kind,
                code=code,
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
        ended = perf_counter()
        if (candidate := self._asked) is not None:
            self._end(candidate, ended, None if outcome == "ok" else outcome)
        if self._recorders:
            record = self._record(status, code, outcome, ended)
            for recorder in self._recorders:
                recorder.take(record)

    def _record(self, status: int, code: str | None, outcome: str, ended: float) -> Record:
        record = copy(self._form())
        record.id, record.time, record.kind = self.request_id, self.time, self.kind
        record.client = self.client
        record.attempts = tuple(self.attempts)
        record.dropped, record.skipped, record.cache = self.dropped, self.skipped, self.cache
        record.status, record.code, record.outcome = status, code, outcome
        if (first := self._first_byte) is not None:
            record.first_byte = _ms(first - self._began)
        record.ms = _ms(ended - self._began)
        if (decision := self.decision) is not None:
            record.phase = decision.phase
            record.plan = tuple([c.target_id for c in decision.order])
        if (reading := self.reading) is not None:
            _add_shape(record, reading)
        if self.usage is not None:
            self._add_usage(record, self.usage)
        return record

    def _form(self) -> Record:
        """The record of nobody's request, with what all have in common that equal these names."""
        decision, served = self.decision, self.served
        group = None if decision is None else decision.group_id
        target, skin = (None, None) if served is None else (served.target_id, served.route.skin)
        key = (self.token, self.surface, group, target, skin)
        forms = self.serving.forms
        if (form := forms.get(key)) is None:
            if len(forms) == _FORMS:
                forms.clear()
            forms[key] = form = self._new_form()
        return form

    def _new_form(self) -> Record:
        artifact = self.serving.artifact
        form = Record(id="", time=0.0, artifact=artifact.digest[:12], surface=self.surface)
        if self.token is not None:
            form.token, form.caller = self.token, artifact.tokens[self.token].caller
        if (caller := self.caller) is not None:
            form.user, form.project, form.env = caller.user, caller.project, caller.env
        if (decision := self.decision) is not None:
            form.group, form.policy = decision.group_id, decision.group.kind
        if (served := self.served) is not None:
            form.target, form.provider = served.target_id, served.target.provider
            form.key_id = artifact.providers[served.target.provider].key_id
            form.model, form.skin = served.skin.model, served.route.skin
            form.bridge = served.route.bridge
        return form

    def _add_usage(self, record: Record, usage: Usage) -> None:
        record.input, record.output = usage.input, usage.output
        record.cached, record.cache_write = usage.cached, usage.cache_write
        record.reasoning, record.image_tokens = usage.reasoning, usage.image
        record.cost_reported = usage.reported
        if (spent := self.spent()) is None:
            return
        total = spent.total
        record.cost_input, record.cost_output = spent.input, spent.output
        record.cost_image, record.cost = spent.image, total
        if (usual := self.baseline()) is not None:
            record.cost_baseline, record.savings = usual, usual - total


def _add_shape(record: Record, reading: Reading) -> None:
    shape = reading.shape
    record.posted, record.stream = reading.dialect, reading.stream
    record.features, record.cap = feature_words(shape.needs), shape.cap
    record.input_estimate = bucket(shape.input_tokens)
    record.body_bytes = bucket(shape.body_bytes)
    if shape.tool_schema_bytes:  # also where none is counted, as in an empty namespace
        record.tools = bucket(shape.tools)
        record.tool_schema_bytes = bucket(shape.tool_schema_bytes)
    if shape.images:
        record.image_count, record.input_has_image = shape.images, True


def _ms(seconds: float) -> float:
    return int(seconds * 100_000) / 100  # cut, so that no attempt ends after its request
