"""The frozen Plan: who may answer what, in the words of the artifact, with every reason why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.model import CallerDef, ClientProfile, ClientShape, Deployment
from runtime.selection import Cell, Choice
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


@dataclass(frozen=True, slots=True)
class Out:
    """A target without a path on a surface: the reason word, and what is missing in words."""

    target: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Paths:
    """One (group, surface): every path, targets in the order of the members."""

    group: str
    surface: str
    routes: tuple[Route, ...]
    out: tuple[Out, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """The records of the artifact. `reaches` names the distinct provider sets of projects."""

    settings: Settings
    providers: Mapping[str, Provider]
    prices: Mapping[str, Price]
    targets: Mapping[str, Target]
    groups: Mapping[str, Group]
    phase_rules: Mapping[str, tuple[PhaseRule, ...]]
    reaches: Mapping[str, tuple[str, ...]]
    reach_of: Mapping[str, str]  # project -> reach
    callers_of: Mapping[str, tuple[CallerDef, ...]]  # by group
    paths: Mapping[tuple[str, str], Paths]
    cells: Mapping[tuple[str, str], Cell]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who answers one shape of one client, for one group and reach (and phase, where it has any).

    `refused` names hosted tools the deployment refuses to such requests altogether.
    """

    group: str
    surface: str
    reach: str
    client: str
    shape: ClientShape
    phase: str | None
    choice: Choice
    refused: tuple[str, ...] = ()

    @property
    def answered(self) -> tuple[str, ...]:
        """The targets that answer, in order."""
        return () if self.refused else tuple(c.target_id for c in self.choice.order)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a group advertises on one surface within one reach. `window` in tokens, None: unknown.

    `levels` are those one candidate has natively for the usual shape of that surface's client.
    """

    levels: tuple[str, ...]
    default: str | None
    window: int | None


@dataclass(frozen=True, slots=True)
class ListingPlan:
    """A model list: for whom, and the finished text that is served as it stands."""

    id: str
    groups: tuple[str, ...]
    reach: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is rendered, and everything that is proven."""

    deployment: Deployment
    clients: Mapping[str, ClientProfile]
    tables: Tables
    offers: Mapping[tuple[str, str, str], Offer]  # (group, surface, reach)
    verdicts_of: Mapping[str, tuple[Verdict, ...]]  # by group
    listings: Mapping[str, ListingPlan]
    callers: Mapping[str, Caller]
    tokens: Mapping[str, Token]
    limits: Mapping[str, LimitSet]
    project_limits: Mapping[str, str]  # project -> set of limits, where it has one
