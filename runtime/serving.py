"""What one request is answered from, first byte to last: an artifact and its upstreams.

A reload puts another record in its place; requests under way keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.artifact import Artifact
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "tracer", Tracer(self.artifact))
