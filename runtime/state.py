"""What one worker holds while it serves; everything a handler needs reaches it through this record.

There are no module globals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.artifact import Artifact
from runtime.availability import Availability
from runtime.cache import Answers, LocalAnswers
from runtime.clients import client_of
from runtime.edge.call import Call
from runtime.limits import InProcess, Limits
from runtime.metrics.board import Board
from runtime.records.account import Account, Recorder
from runtime.serving import Serving

if TYPE_CHECKING:
    from runtime.records.store import Store as Rows
    from runtime.shared import Store
    from runtime.tracing import Tracing


@dataclass(slots=True)
class Reloads:
    """How often another artifact went into service, and how often one was refused."""

    ok: int = 0
    failed: int = 0


@dataclass(slots=True)
class State:
    """`head_start`: seconds of silence after which a stream's 200 head goes out.

    `state_key` signs the ids of stateful answers; None where no skin is stateful. `recorders` get
    the record of every request, `metrics` holds the numbers of this worker. `tracing` is None where
    no spans are asked for.
    """

    serving: Serving
    state_key: bytes | None = None
    head_start: float = 10.0
    recorders: tuple[Recorder, ...] = ()
    stopping: bool = False
    availability: Availability = field(default_factory=Availability)
    answers: Answers = field(default_factory=LocalAnswers)
    limits: Limits = field(default_factory=InProcess)
    # None where nothing is shared with other workers
    store: Store | None = None
    reloads: Reloads = field(default_factory=Reloads)
    metrics: Board = field(default_factory=Board)
    tracing: Tracing | None = None
    # opens the database of usage rows for reading; None where no rows are kept
    rows: Callable[[], Rows] | None = None

    @property
    def artifact(self) -> Artifact:
        """What is served now; who awaits anything in between holds on to `serving` instead."""
        return self.serving.artifact

    def account(self, call: Call, surface: str) -> Account:
        """The notes of a request that comes now."""
        recorders = self.recorders
        if self.tracing is not None:
            recorders = (*recorders, self.tracing.below(call.headers.get(b"traceparent")))
        account = Account(call.request_id, self.serving, surface, recorders)
        account.client = client_of(call)
        return account

    def today(self) -> dt.date:
        """The UTC day tokens and callers are judged by."""
        return dt.datetime.now(dt.UTC).date()
