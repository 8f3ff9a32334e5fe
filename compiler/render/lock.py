"""`eligibility.lock`: whole sorted lines for people who review a change; nothing reads it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from compiler.model import ClientShape
from compiler.plan import Offer, Plan, Tables, Verdict
from compiler.plan.verdicts import hosted_policy
from compiler.render.views import comment
from runtime.hosted import is_stripped
from runtime.selection import Candidate, Choice
from runtime.vocabulary import ALL_LEVELS, Settings, words


def lock_text(plan: Plan) -> str:
    """Who answers what, who does not and why, and what is advertised."""
    verdicts = (verdict for found in plan.verdicts_of.values() for verdict in found)
    lines = _lines(plan.tables.settings, verdicts, plan.offers)
    return _text(lines.union(_reaches(plan.tables)))


def lines_of(
    settings: Settings,
    verdicts: Iterable[Verdict],
    offers: Mapping[tuple[str, str, str], Offer],
) -> str:
    """The lines of a lock about these verdicts and offers alone."""
    return _text(_lines(settings, verdicts, offers))


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{comment(line)}\n" for line in sorted(lines))


def _lines(
    settings: Settings,
    verdicts: Iterable[Verdict],
    offers: Mapping[tuple[str, str, str], Offer],
) -> set[str]:
    return {line for verdict in verdicts for line in _verdict(settings, verdict)}.union(
        _levels(offers)
    )


def _reaches(tables: Tables) -> Iterator[str]:
    """Where the prompts of a reach may travel, and the projects that share another's."""
    for reach, providers in tables.reaches.items():
        yield f"reach {reach} {' '.join(providers) or 'nowhere'}"
    for project, reach in tables.reach_of.items():
        if project != reach:
            yield f"reach {reach} also of {project}"


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
    alike: dict[tuple[str, ...], list[str]] = {}
    for out in verdict.choice.excluded:
        alike.setdefault(out.reasons, []).append(out.target)
    for reasons, targets in alike.items():
        yield f"{head} x {','.join(targets)} {' '.join(reasons)}"


def losses_of(
    settings: Settings, shape: ClientShape, choice: Choice, candidate: Candidate
) -> list[str]:
    """What a request of this shape loses on the way to one of its candidates."""
    route = candidate.route
    losses = [
        f"{word.removeprefix('hosted:')}-dropped"
        for word in (*shape.needs, *shape.prefers)
        if word.startswith("hosted:") and _is_dropped(settings, word, route.features)
    ]
    level = choice.shape.needs & ALL_LEVELS
    if level & route.mapped:
        losses += [f"{word}-mapped" for word in words(level)]
    if not candidate.keep_level:
        losses += [f"{word}-dropped" for word in words(level)]
    if candidate.cap is not None:
        losses.append(f"cap-{candidate.cap}")
    return losses


def _candidate(settings: Settings, verdict: Verdict, candidate: Candidate) -> str:
    losses = losses_of(settings, verdict.shape, verdict.choice, candidate)
    return f"{candidate.target_id}({','.join(losses)})" if losses else candidate.target_id


def _is_dropped(settings: Settings, word: str, features: int) -> bool:
    return is_stripped(word.removeprefix("hosted:"), hosted_policy(settings, word), features)


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
