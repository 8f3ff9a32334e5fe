"""What a deployment does, in the form in which two are compared: the same whether it comes from a
plan or from an artifact. It knows nothing of files, and compares nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import msgspec

from compiler.clients import ALWAYS, BUILT_IN
from compiler.model import ClientProfile, Evidence, Promise
from compiler.plan import Plan
from compiler.render.kept import Kept, kept_of
from runtime.artifact import Artifact, Listing, read_listing
from runtime.eligibility import NO_SKIN
from runtime.selection import Cell
from runtime.vocabulary import (
    Caller,
    Group,
    LimitSet,
    PhaseRule,
    Price,
    Provider,
    Route,
    Settings,
    Target,
    Token,
)

Place = tuple[str, str]  # (group, surface)

# Surface -> the section of a model list its clients read, and the key that names an entry.
_READS: Final = {
    "responses": ("models", "slug"),
    "messages": ("data", "id"),
    "chat": ("data", "id"),
}


@dataclass(frozen=True)
class View:
    """A deployment as its callers meet it. Keys keep the author's order.

    `reaches` names provider sets, as a caller's `reach` does; `uses` are the clients of callers
    that name any; `evidence` is by `target/skin[/bridge]`; `listings` hold the decoded lists.
    """

    name: str
    as_of: dt.date
    max_age_days: int | None
    settings: Settings
    providers: Mapping[str, Provider]
    prices: Mapping[str, Price]
    targets: Mapping[str, Target]
    groups: Mapping[str, Group]
    routes: Mapping[Place, tuple[Route, ...]]
    out: Mapping[Place, Mapping[str, str]]
    reaches: Mapping[str, frozenset[str]]
    callers: Mapping[str, Caller]
    tokens: Mapping[str, Token]
    limits: Mapping[str, LimitSet]
    project_limits: Mapping[str, str]
    listings: Mapping[str, Mapping[str, Any]]
    promises: Mapping[str, Mapping[str, Promise]]
    uses: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, Evidence]
    clients: Mapping[str, ClientProfile]
    phase_rules: Mapping[str, tuple[PhaseRule, ...]]
    cells: Mapping[Place, Cell] = field(compare=False, repr=False)

    @cached_property
    def active(self) -> dict[str, Caller]:
        """Callers who count on the day the deployment is judged by: live, and not with dead tokens
        alone. One that has no token yet counts, as in every promise: it is about to get one.
        """
        day = self.as_of.isoformat()
        known = {token.caller for token in self.tokens.values()}
        return {
            name: caller
            for name, caller in self.callers.items()
            if _lives(caller, day) and (name in self.holding or name not in known)
        }

    @cached_property
    def holding(self) -> frozenset[str]:
        """Callers with a live token, whether they live themselves or not."""
        day = self.as_of.isoformat()
        return frozenset(token.caller for token in self.tokens.values() if _lives(token, day))

    @cached_property
    def projects(self) -> tuple[str, ...]:
        """Those that have callers, in the order of these."""
        return tuple(dict.fromkeys(caller.project for caller in self.callers.values()))

    @cached_property
    def callers_of(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """Group -> project -> its active callers."""
        found: dict[str, dict[str, tuple[str, ...]]] = {group: {} for group in self.groups}
        for name, caller in self.active.items():
            for group in caller.groups:
                mine = found[group]
                mine[caller.project] = (*mine.get(caller.project, ()), name)
        return found

    @cached_property
    def defaults(self) -> dict[tuple[str, str, str], str | None]:
        """(reach, group, surface) -> the level a client asks for where it reads the model list."""
        found: dict[tuple[str, str, str], str | None] = {}
        for caller in self.callers.values():
            for surface, (section, key) in _READS.items():
                for entry in self.listings.get(caller.listing or "", {}).get(section, ()):
                    level = entry.get("default_reasoning_level")
                    found[caller.reach, entry[key], surface] = level
        return found

    def clients_of(self, caller: str) -> frozenset[str]:
        """The clients a caller names; else the usual agents, the deployment's own, and those its
        groups promise something.
        """
        if caller in self.uses:
            return frozenset(self.uses[caller])
        promised = {
            client
            for group in self.callers[caller].groups
            for client in self.promises.get(group, ())
        }
        return frozenset({*ALWAYS, *(self.clients.keys() - BUILT_IN.keys()), *promised})


def view_of_plan(plan: Plan) -> View:
    """The view of what was compiled just now."""
    tables = plan.tables
    return _view(
        name=plan.deployment.name,
        kept=kept_of(plan.deployment),
        settings=tables.settings,
        providers=tables.providers,
        prices=tables.prices,
        targets=tables.targets,
        groups=tables.groups,
        cells=tables.cells,
        reaches={name: frozenset(reach) for name, reach in tables.reaches.items()},
        callers=plan.callers,
        tokens=plan.tokens,
        limits=plan.limits,
        project_limits=plan.project_limits,
        listings={
            name: read_listing(listing.text.encode()) for name, listing in plan.listings.items()
        },
    )


def view_of_artifact(artifact: Artifact, kept: Kept) -> View:
    """The view of what was built once."""
    return _view(
        name=artifact.name,
        kept=kept,
        settings=artifact.settings,
        providers=artifact.providers,
        prices=artifact.prices,
        targets=artifact.targets,
        groups=artifact.groups,
        cells=artifact.cells,
        reaches=artifact.reaches,
        callers=artifact.callers,
        tokens=artifact.tokens,
        limits=artifact.limits,
        project_limits=artifact.project_limits,
        listings=artifact.listings,
    )


def _view(
    *,
    kept: Kept,
    groups: Mapping[str, Group],
    cells: Mapping[Place, Cell],
    listings: Mapping[str, Listing],
    **tables: Any,
) -> View:
    """Closed surfaces are left out: whoever asks there is refused before any candidate. A target
    without a skin is what a cell assumes by itself, so an artifact does not say it.
    """
    open_ = {(g, s): cells[g, s] for g, group in groups.items() for s in group.surfaces}
    return View(
        as_of=kept.as_of,
        max_age_days=kept.max_age_days,
        groups=groups,
        routes={place: cell.routes for place, cell in open_.items()},
        out={
            place: {target: why for target, why in cell.out.items() if why != NO_SKIN}
            for place, cell in open_.items()
        },
        cells=open_,
        listings={name: msgspec.json.decode(listing.all) for name, listing in listings.items()},
        promises={group: {p.client: p for p in made} for group, made in kept.promises.items()},
        uses=kept.uses,
        evidence=kept.evidence,
        clients={**BUILT_IN, **kept.clients},
        phase_rules=kept.phase_rules,
        **tables,
    )


def _lives(holder: Caller | Token, day: str) -> bool:
    return holder.status == "active" and (holder.expires is None or holder.expires >= day)
