"""Which changes stand together, in which order, and what a review says first; no format's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from compiler.review.affected import affected
from compiler.review.changes import FINDINGS, Change
from compiler.review.outage import PROMISE, Outage

_NAMED: Final = 4  # callers, or promises, in one line
_ERRORS: Final = 3  # of each deployment

# Section -> the kinds in it, both in the order a reviewer wants them.
SECTIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Callers cut off", ("cut-off",)),
    ("Promises that fall", ("promise-falls",)),
    ("Promises that fall without harm", ("promise-falls-harmless",)),
    ("Not promised, and nobody is left", ("nobody-left",)),
    ("Promises that do not hold as it is", ("promise-broken",)),
    ("Nobody answers any more", ("cut", "refused")),
    ("Lost", ("lost",)),
    ("Names and callers", (
        "group-removed", "surface-closed", "caller-locked", "caller-removed", "access-lost",
        "name-lost", "name-moved", "group-added", "surface-opened", "caller-added",
        "caller-unlocked", "caller-moved", "access-gained", "name-gained",
    )),
    ("Where prompts may travel", ("reach-gained", "provider-moved", "reach-allowed", "reach-lost")),
    ("What the model lists say", (
        "levels", "default-level", "window", "catalog-lost", "catalog-gained", "catalog-input",
        "catalog-apply-patch", "catalog-parallel", "catalog-prompt", "title", "about",
    )),
    ("What a request may cost", ("worst-usd", "worst-attempts", "worst-seconds", "price")),
    ("On the way", ("way", "loss")),
    ("Order", ("order",)),
    ("Newly answered", ("answered", "accepted")),
    ("Gained", ("gained",)),
    ("Only renamed", ("provider-renamed", "target-renamed", "group-renamed")),
    ("Evidence", ("evidence",)),
    ("What was edited", (
        "ability", "promise", "token-removed", "token-added", "token-replaced",
        "token-status", "token-expires", "caller-field", "added", "removed", "field",
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Diff:
    """Two deployments by the names they were asked for, and what differs. `errors` are those that
    keep one from being built.
    """

    old: str
    new: str
    old_errors: tuple[str, ...]
    new_errors: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Changes under one heading."""

    title: str
    changes: tuple[Change, ...]


def sections(changes: Iterable[Change]) -> Iterator[Section]:
    """The headings that have anything below them."""
    by_kind: dict[str, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change)
    for title, kinds in SECTIONS:
        here = tuple(change for kind in kinds for change in by_kind.get(kind, ()))
        if here:
            yield Section(title, here)


def found(changes: Iterable[Change]) -> tuple[str, ...]:
    """The findings among the changes, in the order of FINDINGS."""
    present = {change.finding for change in changes}
    return tuple(name for name in FINDINGS if name in present)


def headline(diff: Diff) -> str:
    """What a reviewer must know if nothing else is read."""
    if not diff.changes:
        return "Nothing changes: both answer every request alike, for the same callers and prices."
    counts = Counter(change.finding for change in diff.changes)
    told = [f"{name} ({counts[name]})" for name in FINDINGS if counts[name]]
    people = {name for row in affected(diff.changes) for name in row.callers}
    first = "Nothing is lost, no prompt travels further, nothing costs more."
    if told:
        first = f"Findings: {', '.join(told)}."
    return f"{first} {_noticed(sorted(people))}." if people else first


def _noticed(people: list[str]) -> str:
    names = f": {', '.join(people)}" if len(people) <= _NAMED else ""
    return f"{len(people)} caller{'s' * (len(people) != 1)} affected{names}"


def unbuilt(diff: Diff) -> Iterator[str]:
    """What keeps either from being built: the comparison holds all the same."""
    for name, errors in ((diff.old, diff.old_errors), (diff.new, diff.new_errors)):
        for error in errors[:_ERRORS]:
            yield f"{name} does not build: {error}"
        if len(errors) > _ERRORS:
            yield f"{name}: {len(errors) - _ERRORS} more errors; see `interlock check {name}`"


def fallen(outage: Outage) -> tuple[str, ...]:
    """The promises that fall, each as `group: client`."""
    return tuple(
        dict.fromkeys(
            f"{group}: {change.about}"
            for change in outage.changes
            if change.finding == PROMISE
            for scope in change.scopes
            for group in scope.groups
        )
    )


def cut_off(outage: Outage) -> tuple[str, ...]:
    """The callers nobody answers any more."""
    return tuple(
        name for change in outage.changes if change.kind == "cut-off" for name in change.callers
    )


def verdict(outage: Outage) -> str:
    """One outage on one line."""
    falls, callers = fallen(outage), cut_off(outage)
    told = [f"{len(falls)} promise{'s' * (len(falls) != 1)} fall{'s' * (len(falls) == 1)}"]
    if falls:
        more = f" and {len(falls) - _NAMED} more" if len(falls) > _NAMED else ""
        told = [f"{told[0]} ({', '.join(falls[:_NAMED])}{more})"]
    elif any(change.kind == "nobody-left" for change in outage.changes):
        told = ["every promise holds, but something unpromised is left with nobody"]
    else:
        told = ["every promise holds"]
    if callers:
        told.append(f"{len(callers)} caller{'s' * (len(callers) != 1)} cut off")
    return "; ".join(told)


def single_points(outages: Iterable[Outage]) -> str:
    """What must not go down, of everything that was tried alone."""
    names = [f"`{name}`" for outage in outages if outage.falls for name in outage.down]
    if not names:
        return "No single point of failure: every promise survives the loss of any one provider."
    plural = len(names) > 1
    return f"{len(names)} single point{'s' * plural} of failure: {', '.join(names)}."
