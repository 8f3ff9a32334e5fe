"""The routing trace: what the router decided, in answer headers and in the dry run.

Names and numbers only. It never holds content, keys or upstream URLs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from runtime.artifact import Artifact
from runtime.cost import decimals, money, percent
from runtime.selection import Candidate

_NO_PHASE = "coding"  # what an agent's request is about where nothing tells more
_MEDIUM, _HIGH = 4_000, 32_000  # input tokens from which a request counts as that complex
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f]")


def task_type(phase: str | None) -> str:
    """What a request is about, for its phase."""
    return phase or _NO_PHASE


def complexity(input_tokens: int) -> str:
    """How complex a request is, by its estimated size: low, medium or high."""
    if input_tokens < _MEDIUM:
        return "low"
    return "medium" if input_tokens < _HIGH else "high"


class Estimate(msgspec.Struct, frozen=True, gc=False):
    """What a request has or will about cost in USD, and what the group's baseline would have."""

    selected: float | None = None
    baseline: float | None = None

    @property
    def savings(self) -> str | None:
        """How much of the baseline's cost is saved, as "99.4%"; None where either is unknown."""
        if not self.baseline or self.selected is None:
            return None
        return percent(1 - self.selected / self.baseline)


class Tracer:
    """Writes the trace headers of one artifact, as finished lines; what is constant, once."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._prefix = prefix = artifact.settings.trace.prefix
        # what a line with an amount of money begins with
        self._estimated = f"{prefix}-Cost-Estimate: $".encode()
        self._cost = f"{prefix}-Cost: $".encode()
        self._known: dict[tuple[str, str, str, str], bytes] = {}
        self._digest = {"Artifact": artifact.digest[:12]}

    def refused(self, group: str, surface: str) -> bytes:
        """The trace of a request that reached no target."""
        return self.lines({"Group": group, "Surface": surface} | self._digest)

    def routed(
        self,
        group: str,
        surface: str,
        candidate: Candidate,
        *,
        attempts: int,
        dropped: Sequence[str] = (),
        phase: str | None = None,
        estimate: Estimate | None = None,
        cost: float | None = None,
    ) -> bytes:
        """The trace of a request that `candidate` answers (or was the last to fail).

        `cost` is what the answer has cost, in USD, where that is known.
        """
        # bytes from the start: as text the same lines take more than twice the time
        lines = b"%b%d\r\n" % (self._until_attempts(group, surface, candidate), attempts)
        if attempts > 1:
            lines += self.lines({"Fallback": "true"})
        if dropped:
            lines += self.lines({"Dropped": ",".join(dropped)})
        if phase:
            lines += self.lines({"Phase": phase})
        if estimate is not None and (usd := estimate.selected) is not None:
            lines += b"%b%.*f\r\n" % (self._estimated, decimals(usd), usd)
            if savings := estimate.savings:
                lines += self.lines({"Savings": savings})
        if cost is not None:
            lines += b"%b%.*f\r\n" % (self._cost, decimals(cost), cost)
        return lines

    def in_body(
        self,
        body: bytes,
        *,
        request_id: str,
        group: str,
        candidate: Candidate,
        phase: str | None,
        input_tokens: int,
        cost: Estimate,
    ) -> bytes:
        """A JSON answer with the trace as its member `_router`; one that came along is replaced."""
        shown = self._artifact.settings.trace.show_upstream
        facts = {
            "request_id": request_id,
            "model_used": candidate.skin.model if shown else group,
            "task_type": task_type(phase),
            "complexity": complexity(input_tokens),
            "cost": None if cost.selected is None else money(cost.selected),
            "savings": cost.savings,
        }
        members = _MEMBERS.decode(body)
        members["_router"] = msgspec.Raw(msgspec.json.encode(facts))
        return msgspec.json.encode(members)

    def lines(self, pairs: Mapping[str, str]) -> bytes:
        """Header lines under the deployment's prefix; what a header cannot hold becomes "?"."""
        prefix = self._prefix
        text = "".join([f"{prefix}-{k}: {_NO_TEXT.sub('?', v)}\r\n" for k, v in pairs.items()])
        return text.encode("latin-1", "replace")

    def _until_attempts(self, group: str, surface: str, candidate: Candidate) -> bytes:
        """The lines that are the same for all requests on one path, and what the next begins with.

        There are as many paths as the artifact has.
        """
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
            attempts = f"{self._prefix}-Attempts: ".encode()
            known = self._known[key] = self.lines(pairs | self._digest) + attempts
        return known
