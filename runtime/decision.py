"""Who answers a request: group, candidates in order, and why each other target is out.

Pure: reads the artifact and what was read from the body, calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from runtime import stateful
from runtime.artifact import Artifact
from runtime.bridges.served import BRIDGES
from runtime.cost import estimate
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading, Step
from runtime.eligibility import SURFACE_CLOSED
from runtime.errors import CallerError, RouterError
from runtime.names import resolve_group
from runtime.passage import Passage, passage
from runtime.selection import (
    Candidate,
    Choice,
    Excluded,
    choose,
    is_offered,
    only_over_body,
    only_over_context,
)
from runtime.trace import Estimate
from runtime.vocabulary import Caller, Group, words

# An estimate needs an answer length before there is an answer: a turn of an agent is short.
_EXPECTED_OUTPUT_TOKENS = 1024
_NEAREST = 3


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Everything the exchange needs to know, and the dry run to show.

    `previous_response_id` is the upstream's own id of the answer that is continued.
    """

    group_id: str
    group: Group
    surface: str
    caller: Caller
    order: tuple[Candidate, ...]
    choice: Choice | None
    # candidates by shape whose bridge refuses what the body holds
    refused: tuple[Excluded, ...] = ()
    phase: str | None = None
    previous_response_id: str | None = None

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Each other target of the group, with all its reasons."""
        if self.choice is None:
            return tuple(Excluded(target, (SURFACE_CLOSED,)) for target in self.group.ranks)
        return (*self.refused, *self.choice.excluded)


def decide(
    artifact: Artifact,
    surface: str,
    caller: Caller,
    reading: Reading,
    *,
    token_id: str,
    request_id: str,
    state_key: bytes | None,
) -> Decision:
    """The decision for one request. Raises CallerError for a model or state id not to be had."""
    group_id = resolve_group(artifact, caller, reading.model)
    group = artifact.groups[group_id]
    cell = artifact.cells.get((group_id, surface))
    phase = phase_of(artifact, group_id, reading) if group.phases else None
    choice, upstream_id = None, None
    order: tuple[Candidate, ...] = ()
    refused: tuple[Excluded, ...] = ()
    if cell is not None:
        session = None
        if cell.draws:
            # Without stickiness every request draws anew; the request id is the lot.
            session = f"{token_id}\n{reading.session or request_id}" if group.sticky else request_id
        choice = choose(cell, reading.shape, caller.reach, phase, session)
        order = choice.order
    if reading.signs:
        order, refused = _crossable(order, reading)
    if reading.unsealed is not None:
        raise stateful.not_found(reading.unsealed)
    if reading.previous_response_id is not None:
        tag, upstream_id = stateful.unseal(state_key, caller.project, reading.previous_response_id)
        order = tuple(c for c in order if c.target.tag == tag and c.skin.stateful)
        if not order:
            raise stateful.not_found()
    return Decision(
        group_id=group_id,
        group=group,
        surface=surface,
        caller=caller,
        order=order,
        choice=choice,
        refused=refused,
        phase=phase,
        previous_response_id=upstream_id,
    )


def phase_of(artifact: Artifact, group_id: str, reading: Reading) -> str | None:
    """The phase a request of this group is in; None where the group has none."""
    detector = artifact.detectors.get(group_id)
    if detector is None:
        return artifact.groups[group_id].phase_default
    return detector.phase(reading.said, reading.shape.input_tokens)


def _crossable(
    order: tuple[Candidate, ...], reading: Reading
) -> tuple[tuple[Candidate, ...], tuple[Excluded, ...]]:
    """The candidates whose bridge lets the body through, and the others with what keeps it."""
    kept, refused = [], []
    for candidate in order:
        bridge = BRIDGES.get(f"{reading.dialect}_to_{candidate.route.skin}")
        signs = bridge.table.refuses(reading.signs) if bridge else []
        if signs:
            reasons = tuple(f"bridge-refuses-{sign}" for sign in dict.fromkeys(signs))
            refused.append(Excluded(candidate.target_id, reasons))
        else:
            kept.append(candidate)
    return tuple(kept), tuple(refused)


def refusal(artifact: Artifact, decision: Decision, reading: Reading) -> RouterError:
    """Why nobody can answer: the overflow errors clients compact on, or `no-eligible-target`."""
    if (choice := decision.choice) is not None:
        if (tokens := only_over_context(choice)) is not None:
            return DIALECTS[decision.surface].overflow(reading.shape.input_tokens, tokens)
        if (most := only_over_body(choice)) is not None:
            return CallerError(
                "request-too-large",
                f"The body has {reading.shape.body_bytes} bytes; the targets of "
                f"`{decision.group_id}` take at most {most}. Shorten the conversation.",
            )
    return _nobody(artifact, decision, words(reading.shape.needs))


def _nobody(artifact: Artifact, decision: Decision, needs: list[str]) -> CallerError:
    # A target that is offered to such requests is nearer than one that has no path to them.
    nearest = sorted(decision.excluded, key=lambda out: (not is_offered(out), len(out.reasons)))[
        :_NEAREST
    ]
    show = artifact.settings.trace.show_upstream
    asked = f"--group {decision.group_id} --surface {decision.surface}"
    asked += f" --phase {decision.phase}" if decision.phase else ""
    why = (
        f"{target}: {', '.join(reasons)}" if show else ", ".join(reasons)
        for target, reasons in nearest
    )
    return CallerError(
        "no-eligible-target",
        f"No target of `{decision.group_id}` can serve this request on {decision.surface}: "
        + "; ".join(dict.fromkeys(why))
        + ". Drop what is lacking, or ask the administrator for a target that has it.",
        status=artifact.settings.no_eligible_status,
        details={
            "surface": decision.surface,
            "requirements": needs,
            "nearest": told(nearest, show_upstream=show),
            "hint": f"interlock explain ARTIFACT {asked}"
            + (f" --needs {','.join(needs)}" if needs else ""),
        },
    )


def told(excluded: Iterable[Excluded], *, show_upstream: bool) -> list[dict[str, str | None]]:
    """Who is out, each with its first reason; targets have no name where callers see none."""
    return [
        {"target": target if show_upstream else None, "reason": reasons[0]}
        for target, reasons in excluded
        if reasons
    ]


def step(artifact: Artifact, decision: Decision, reading: Reading, candidate: Candidate) -> Step:
    """What `candidate` wants done to the body."""
    providers, first = artifact.providers, decision.order[0]
    return Step(
        skin=candidate.skin,
        target=candidate.target,
        features=candidate.route.features,
        asked=reading.model or decision.group_id,
        keep_level=candidate.keep_level,
        cap=candidate.cap,
        group_default=decision.group.reasoning_default,
        budgets=artifact.settings.budgets,
        input_tokens=reading.shape.input_tokens,
        previous_response_id=decision.previous_response_id,
        # Signatures in the history come from the session's usual target, the first in order.
        same_continuity=candidate is first
        or providers[candidate.target.provider].continuity
        == providers[first.target.provider].continuity,
    )


def passage_to(
    artifact: Artifact,
    decision: Decision,
    reading: Reading,
    candidate: Candidate,
    body: bytes,
    wanted: Step | None = None,
) -> Passage:
    """The passage of the caller's body to `candidate`, by default in the form of `step`."""
    return passage(
        body,
        reading,
        decision.surface,
        candidate.route.skin,
        wanted or step(artifact, decision, reading, candidate),
        artifact.providers[candidate.target.provider].continuity,
    )


def estimate_cost(
    artifact: Artifact, decision: Decision, reading: Reading, candidate: Candidate
) -> Estimate:
    """What `candidate` will about cost, beside the group's baseline; in USD."""
    prices, shape = artifact.prices, reading.shape
    output = min(shape.cap or _EXPECTED_OUTPUT_TOKENS, _EXPECTED_OUTPUT_TOKENS)
    selected = baseline = None
    if (price := candidate.target.price) is not None:
        selected = estimate(prices[price], shape.input_tokens, output, shape.images)
    if (usual := decision.group.baseline) is not None:
        price = artifact.targets[usual].price
        if price is not None:
            baseline = estimate(prices[price], shape.input_tokens, output, shape.images)
    return Estimate(selected, baseline)
