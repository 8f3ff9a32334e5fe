"""What one request is answered from, first byte to last: an artifact and its upstreams.

A reload puts another record in its place; requests under way keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.artifact import Artifact
from runtime.records.record import Record
from runtime.trace import Tracer
from runtime.upstream import Upstreams


@dataclass(frozen=True, slots=True, eq=False)
class Serving:
    """An artifact in service."""

    artifact: Artifact
    upstreams: Upstreams
    tracer: Tracer = field(init=False)
    # targets whose upstream was found to count no tokens
    countless: set[str] = field(default_factory=set)
    # usage rows begun: who asked and who answered, which many requests have alike
    forms: dict[tuple[str | None, ...], Record] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tracer", Tracer(self.artifact))
