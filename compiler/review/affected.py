"""Who notices: per caller the requests that are cut off, have fewer targets, or have more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from compiler.review.changes import Change

# Kind of change -> what it means for a caller's requests.
_MEANS: Final = {
    "cut": "cut",
    "refused": "cut",
    "lost": "fewer",
    "answered": "more",
    "accepted": "more",
    "gained": "more",
}


@dataclass(frozen=True, slots=True)
class Affected:
    """Callers who see the same; requests as `client/shape on group`, findings as in FINDINGS."""

    callers: tuple[str, ...]
    cut: tuple[str, ...]
    fewer: tuple[str, ...]
    more: tuple[str, ...]
    findings: tuple[str, ...]


def affected(changes: Iterable[Change]) -> tuple[Affected, ...]:
    """Every caller some change concerns, told together where all is the same."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for change in changes:
        for name, column, words in _concerns(change):
            found.setdefault(name, {}).setdefault(column, {}).update(dict.fromkeys(words))
    alike: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for name, columns in found.items():
        rows = tuple(tuple(columns.get(c, ())) for c in ("cut", "fewer", "more", "findings"))
        alike.setdefault(rows, []).append(name)
    return tuple(
        Affected(tuple(sorted(names)), *rows)
        for rows, names in sorted(alike.items(), key=lambda item: sorted(item[1])[0])
        if any(rows)
    )


def _concerns(change: Change) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """(caller, column, words)"""
    callers = {*change.callers, *(name for scope in change.scopes for name in scope.callers)}
    if change.finding is not None:
        for name in callers:
            yield name, "findings", (change.finding,)
    column = _MEANS.get(change.kind)
    for scope in change.scopes if column is not None else ():
        words = tuple(f"{shape} on {group}" for group in scope.groups for shape in scope.shapes)
        for name in scope.callers:
            yield name, str(column), words
