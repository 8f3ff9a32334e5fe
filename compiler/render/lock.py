"""`eligibility.lock`: whole sorted lines for people who review a change; nothing reads it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.plan import Offer, Plan, Verdict
from compiler.plan.verdicts import hosted_policy
from compiler.render.views import comment
from runtime.selection import Candidate
from runtime.vocabulary import ALL_LEVELS, FEATURES, Settings, words


def lock_text(plan: Plan) -> str:
    """Who answers what, who does not and why, and what is advertised."""
    lines = {
        line
        for verdicts in plan.verdicts_of.values()
        for verdict in verdicts
        for line in _verdict(plan.tables.settings, verdict)
    }
    lines |= set(_levels(plan.offers))
    return "".join(f"{comment(line)}\n" for line in sorted(lines))


def _verdict(settings: Settings, verdict: Verdict) -> Iterator[str]:
    shape = f"{verdict.client}/{verdict.shape.name}"
    if verdict.phase is not None:
        shape += f"@{verdict.phase}"
    head = f"{verdict.group} {verdict.surface} {verdict.reach} {shape}"
    if verdict.refused:
        yield f"{head} refused {' '.join(verdict.refused)}"
        return
    order = [_candidate(settings, verdict, candidate) for candidate in verdict.choice.order]
    yield f"{head} -> {' '.join(order) or 'nobody'}"
    for out in verdict.choice.excluded:
        yield f"{head} x {out.target} {' '.join(out.reasons)}"


def _candidate(settings: Settings, verdict: Verdict, candidate: Candidate) -> str:
    """A target, and what a request of this shape loses on the way to it."""
    route = candidate.route
    losses = [
        f"{word.removeprefix('hosted:')}-dropped"
        for word in (*verdict.shape.needs, *verdict.shape.prefers)
        if word.startswith("hosted:") and _is_dropped(settings, word, route.features)
    ]
    level = verdict.choice.shape.needs & ALL_LEVELS
    if level & route.mapped:
        losses += [f"{word}-mapped" for word in words(level)]
    if not candidate.keep_level:
        losses += [f"{word}-dropped" for word in words(level)]
    if candidate.cap is not None:
        losses.append(f"cap-{candidate.cap}")
    return f"{candidate.target_id}({','.join(losses)})" if losses else candidate.target_id


def _is_dropped(settings: Settings, word: str, features: int) -> bool:
    policy = hosted_policy(settings, word)
    return policy == "strip" or (policy == "prefer" and not features & FEATURES[word])


def _levels(offers: Mapping[tuple[str, str, str], Offer]) -> Iterator[str]:
    """What is advertised per group and surface; reaches are named only where they differ."""
    told: dict[tuple[str, str], dict[str, str]] = {}
    for (group, surface, reach), offer in offers.items():
        default = f" default {offer.default}" if offer.default else ""
        levels = f"levels {' '.join(offer.levels) or 'none-advertised'}{default}"
        told.setdefault((group, surface), {})[reach] = levels
    for (group, surface), by_reach in told.items():
        alike = len(set(by_reach.values())) == 1
        for reach, levels in by_reach.items():
            yield f"{group} {surface} {levels if alike else f'{reach} {levels}'}"
