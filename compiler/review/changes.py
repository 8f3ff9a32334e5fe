"""What a change is, whoever found it and however it is told; compares nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# What --fail-on may name, and what each stands for.
FINDINGS: Final[dict[str, str]] = {
    "lost": "a request, a name or a caller that was answered before and is not, or with less",
    "reach": "prompts that may travel where they could not before",
    "price": "a request that may cost more",
    "levels": "a reasoning level that is no longer advertised or no longer kept",
}

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a change shows: requests (`client/shape`) of some projects on some groups.

    `every`: these are all requests that may come there. No `phases`: in every phase, or the groups
    have none. `callers` is everybody concerned, `whole` whether that is all who call from there.
    """

    groups: tuple[str, ...]
    surface: str
    shapes: tuple[str, ...]
    every: bool
    phases: tuple[str, ...]
    projects: tuple[str, ...]
    callers: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `kind` is a stable word; what `about` names follows from it.

    `before` and `after` hold values of the kind, `reasons` the words of the plan, and `finding` is
    the key of FINDINGS under which a pipeline may refuse the change.
    """

    kind: str
    about: str
    before: tuple[Value, ...] = ()
    after: tuple[Value, ...] = ()
    reasons: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    groups: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    finding: str | None = None
