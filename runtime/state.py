"""What one worker holds while it serves; everything a handler needs reaches it through this record.

There are no module globals.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from runtime.artifact import Artifact
from runtime.records.account import Account, Recorder
from runtime.serving import Serving


@dataclass(slots=True)
class State:
    """`head_start`: seconds of silence after which a stream's 200 head goes out.

    `state_key` signs the ids of stateful answers; None where no skin is stateful. `recorders` get
    the record of every request.
    """

    serving: Serving
    state_key: bytes | None = None
    head_start: float = 10.0
    recorders: tuple[Recorder, ...] = ()
    stopping: bool = False

    @property
    def artifact(self) -> Artifact:
        """What is served now; who awaits anything in between holds on to `serving` instead."""
        return self.serving.artifact

    def account(self, request_id: str, surface: str) -> Account:
        """The notes of a request that comes now."""
        return Account(request_id, self.serving, surface, self.recorders)

    def today(self) -> dt.date:
        """The UTC day tokens and callers are judged by."""
        return dt.datetime.now(dt.UTC).date()
