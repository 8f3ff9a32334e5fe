"""The routing trace: what the router decided, in answer headers and in the dry run.

Names and numbers only. It never holds content, keys or upstream URLs.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runtime.artifact import Artifact
from runtime.cost import money, percent
from runtime.selection import Candidate

Headers = list[tuple[bytes, bytes]]


class Estimate(msgspec.Struct, frozen=True):
    """What a request will about cost in USD, and what the group's baseline would have cost."""

    selected: float | None = None
    baseline: float | None = None

    @property
    def savings(self) -> str | None:
        """How much of the baseline's cost is saved, as "99.4%"; None where either is unknown."""
        if self.selected is None or not self.baseline:
            return None
        return percent(1 - self.selected / self.baseline)


class Tracer:
    """Builds the trace headers of one artifact; the constant part of each is built once."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._prefix = artifact.settings.trace.prefix.encode()
        self._known: dict[tuple[str, str, str, str], tuple[tuple[bytes, bytes], ...]] = {}
        self._digest = self.header("Artifact", artifact.digest[:12])

    def refused(self, group: str, surface: str) -> Headers:
        """The trace of a request that reached no target."""
        return [self.header("Group", group), self.header("Surface", surface), self._digest]

    def routed(
        self,
        group: str,
        surface: str,
        candidate: Candidate,
        *,
        attempts: int,
        dropped: Iterable[str] = (),
        phase: str | None = None,
        estimate: Estimate | None = None,
    ) -> Headers:
        """The trace of a request that `candidate` answers (or was the last to fail)."""
        headers = list(self._constant(group, surface, candidate))
        headers.append(self.header("Attempts", str(attempts)))
        if attempts > 1:
            headers.append(self.header("Fallback", "true"))
        if names := ",".join(dropped):
            headers.append(self.header("Dropped", names))
        if phase:
            headers.append(self.header("Phase", phase))
        if estimate is not None and estimate.selected is not None:
            headers.append(self.header("Cost-Estimate", money(estimate.selected)))
            if savings := estimate.savings:
                headers.append(self.header("Savings", savings))
        return headers

    def _constant(
        self, group: str, surface: str, candidate: Candidate
    ) -> tuple[tuple[bytes, bytes], ...]:
        route = candidate.route
        key = (group, surface, candidate.target_id, route.skin)
        if (known := self._known.get(key)) is None:
            pairs = {"Group": group, "Surface": surface, "Skin": route.skin}
            if self._artifact.settings.trace.show_upstream:
                pairs["Target"] = candidate.target_id
                pairs["Provider"] = candidate.target.provider
                pairs["Model"] = candidate.skin.model
            if route.bridge:
                pairs["Bridge"] = route.bridge
            known = (*(self.header(name, value) for name, value in pairs.items()), self._digest)
            self._known[key] = known
        return known

    def header(self, name: str, value: str) -> tuple[bytes, bytes]:
        """One trace header under the deployment's prefix."""
        # Header values are Latin-1 on the wire; whatever is outside is shown as "?".
        return self._prefix + b"-" + name.encode(), value.encode("latin-1", "replace")
