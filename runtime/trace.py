"""The routing trace: what the router decided, in answer headers and in the dry run.

Names and numbers only. It never holds content, keys or upstream URLs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from runtime.artifact import Artifact
from runtime.cost import money, percent
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


class Estimate(msgspec.Struct, frozen=True):
    """What a request has or will about cost in USD, and what the group's baseline would have."""

    selected: float | None = None
    baseline: float | None = None

    @property
    def savings(self) -> str | None:
        """How much of the baseline's cost is saved, as "99.4%"; None where either is unknown."""
        if self.selected is None or not self.baseline:
            return None
        return percent(1 - self.selected / self.baseline)


class Tracer:
    """Writes the trace headers of one artifact, as finished lines; what is constant, once."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._prefix = artifact.settings.trace.prefix
        self._known: dict[tuple[str, str, str, str], str] = {}
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
        dropped: Iterable[str] = (),
        phase: str | None = None,
        estimate: Estimate | None = None,
    ) -> bytes:
        """The trace of a request that `candidate` answers (or was the last to fail)."""
        prefix = self._prefix
        constant = self._constant(group, surface, candidate)
        lines = f"{constant}{prefix}-Attempts: {attempts}\r\n"
        if attempts > 1:
            lines += f"{prefix}-Fallback: true\r\n"
        if names := ",".join(dropped):
            lines += f"{prefix}-Dropped: {_NO_TEXT.sub('?', names)}\r\n"
        if phase:
            lines += f"{prefix}-Phase: {_NO_TEXT.sub('?', phase)}\r\n"
        if estimate is not None and estimate.selected is not None:
            lines += f"{prefix}-Cost-Estimate: {money(estimate.selected)}\r\n"
            if savings := estimate.savings:
                lines += f"{prefix}-Savings: {savings}\r\n"
        return lines.encode("latin-1", "replace")

    def cost(self, usd: float | None) -> bytes:
        """What an answer has cost; nothing where that is unknown."""
        if usd is None:
            return b""
        return f"{self._prefix}-Cost: {money(usd)}\r\n".encode("latin-1", "replace")

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
        return self._text(pairs).encode("latin-1", "replace")

    def _text(self, pairs: Mapping[str, str]) -> str:
        prefix = self._prefix
        return "".join([f"{prefix}-{k}: {_NO_TEXT.sub('?', v)}\r\n" for k, v in pairs.items()])

    def _constant(self, group: str, surface: str, candidate: Candidate) -> str:
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
            known = self._known[key] = self._text(pairs | self._digest)
        return known
