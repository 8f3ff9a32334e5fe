"""The shape of the whole file, and of `evidence` and `clients`."""
# ruff: noqa: RUF012 - pydantic copies defaults for every instance

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compiler.schema.base import Day, Feature, Id, Name, Node, Text, Tokens, Unique
from compiler.schema.callers import CallerShape, LimitShape, ProjectShape
from compiler.schema.groups import GroupShape, PhaseRulesShape
from compiler.schema.providers import PriceShape, ProviderShape
from compiler.schema.settings import ReasoningShape, SettingsShape
from compiler.schema.targets import Dialect, SkinShape, TargetShape


class EvidenceShape(Node):
    """A dated proof that something was seen to work."""

    verified: Day
    """When it was seen."""
    by: Text
    """By whom or by what run."""
    clients: dict[Id, Text] = {}
    """Client to the version it was seen with."""
    note: Text | None = None
    """Anything else a reader should know."""


class ClientRequest(Node):
    """One request a client really sends."""

    name: Id
    """Its name in promises and reports."""
    needs: Annotated[list[Feature], Unique] = []
    """Features it cannot do without."""
    prefers: Annotated[list[Feature], Unique] = []
    """Features it can do without."""
    cap: Tokens | None = None
    """Its output cap."""
    input_tokens: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Its usual input."""


class ClientShapeOf(Node):
    """An own client profile."""

    surface: Dialect
    """The dialect it speaks."""
    shapes: Annotated[list[ClientRequest], Field(min_length=1)]
    """The requests it sends."""


class DeploymentShape(Node):
    """An Interlock deployment: one file, one artifact."""

    interlock: Literal[1]
    """The version of this format."""
    name: Name
    """Names the artifact, and the organisation in router tokens."""
    description: Text | None = None
    """One sentence for people."""
    public_url: Text | None = None
    """Where clients reach the router, for the recipes."""
    as_of: Day | None = None
    """The date that ages are judged by; the build has no clock."""
    default_group: Id | None = None
    """Serves requests that name no model, of callers that have it."""
    settings: SettingsShape = SettingsShape()
    """What holds for the whole deployment."""
    reasoning: ReasoningShape = ReasoningShape()
    """Advertised reasoning levels and their budgets."""
    prices: dict[Id, PriceShape] = {}
    """What models cost."""
    providers: Annotated[dict[Id, ProviderShape], Field(min_length=1)]
    """Upstream hosts with their credentials."""
    profiles: dict[Id, SkinShape] = {}
    """Skin fields that several skins share."""
    targets: Annotated[dict[Id, TargetShape], Field(min_length=1)]
    """Models at providers."""
    groups: Annotated[dict[Id, GroupShape], Field(min_length=1)]
    """The names callers put in `model`."""
    phase_rules: dict[Id, PhaseRulesShape] = {}
    """Rules that tell the phase of a request."""
    limits: dict[Id, LimitShape] = {}
    """Named sets of limits."""
    projects: dict[Id, ProjectShape] = {}
    """Where prompts may travel."""
    callers: dict[Id, CallerShape] = {}
    """Who holds router tokens."""
    evidence: dict[Id, EvidenceShape] = {}
    """Dated proofs."""
    clients: dict[Id, ClientShapeOf] = {}
    """Own client profiles beside the built-in ones."""
