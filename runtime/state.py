"""What one worker holds while it serves: the artifact, the upstreams, the few settings of the host.

Everything a handler needs reaches it through this record; there are no module globals.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from runtime.artifact import Artifact
from runtime.upstream import Upstreams


@dataclass(slots=True)
class State:
    """`head_start`: seconds of silence after which a stream's 200 head goes out.

    `state_key` signs the ids of stateful answers; None where no skin is stateful.
    """

    artifact: Artifact
    upstreams: Upstreams
    state_key: bytes | None = None
    head_start: float = 10.0
    stopping: bool = False

    def today(self) -> dt.date:
        """The UTC day tokens and callers are judged by."""
        return dt.datetime.now(dt.UTC).date()
