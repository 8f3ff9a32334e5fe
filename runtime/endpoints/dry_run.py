"""The answer to `X-Dry-Run: true`: the whole decision as JSON, and no upstream call."""

from __future__ import annotations

import msgspec

from runtime.artifact import Artifact
from runtime.availability import View
from runtime.cost import money
from runtime.decision import Decision, passage_to, told
from runtime.dialects.reading import Reading
from runtime.selection import Excluded
from runtime.shape import Shape
from runtime.trace import Estimate, complexity, task_type
from runtime.vocabulary import words


def dry_run(
    artifact: Artifact,
    body: bytes,
    reading: Reading,
    decision: Decision,
    view: View,
    estimate: Estimate,
) -> bytes:
    """The body of the answer; `body` is the caller's, which is edited as for the real call.

    `view`: who of the plan can be asked now, at least one.
    """
    routing = _routing(artifact, body, reading, decision, view, estimate)
    return msgspec.json.encode({"dryRun": True, "routing": routing})


def _routing(
    artifact: Artifact,
    body: bytes,
    reading: Reading,
    decision: Decision,
    view: View,
    estimate: Estimate,
) -> dict[str, object]:
    chosen, *others = view.ready[: decision.group.attempts]
    skipped = tuple(Excluded(target, (reason,)) for target, reason in view.skipped)
    show = artifact.settings.trace.show_upstream
    edited = passage_to(artifact, decision, reading, chosen, body).edited
    return {
        "group": decision.group_id,
        "surface": decision.surface,
        "shape": _shape(reading.shape),
        "taskType": task_type(decision.phase),
        "complexity": complexity(reading.shape.input_tokens),
        "phase": decision.phase,
        "strategy": decision.group.kind,
        "modelSelected": chosen.skin.model if show else decision.group_id,
        "target": chosen.target_id if show else None,
        "skin": chosen.route.skin,
        "bridge": chosen.route.bridge,
        "fallbackChain": [other.target_id if show else None for other in others],
        "excluded": told((*skipped, *decision.excluded), show_upstream=show),
        "estimatedCost": {
            "selected": None if estimate.selected is None else money(estimate.selected),
            "baseline": None if estimate.baseline is None else money(estimate.baseline),
            "savings": estimate.savings,
        },
        "dropped": edited.dropped,
        "artifact": artifact.digest[:12],
    }


def _shape(shape: Shape) -> dict[str, object]:
    return {**msgspec.structs.asdict(shape), "needs": words(shape.needs)}
