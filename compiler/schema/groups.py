"""The shape of `groups` and `phase_rules`: what callers name in `model`."""
# ruff: noqa: RUF012 - pydantic copies defaults for every instance

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from compiler.schema.base import (
    Alias,
    Feature,
    Id,
    LongText,
    Node,
    Seconds,
    Text,
    Tokens,
    Unique,
    mapping_or_scalar,
)
from compiler.schema.settings import Level
from compiler.schema.targets import Dialect

Depth = Annotated[int, Field(ge=1, le=100)]


class MemberShape(Node):
    """A target in a group."""

    target: Id
    """The name of the target."""
    weight: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Its share among members of equal standing: all of a `weighted` policy, equal prices of a
    `cheapest` one."""
    last_resort: bool = False
    """Always last in the order."""
    only_when: Annotated[list[Feature], Unique] = []
    """Only for requests that need all of these."""
    skins: Annotated[list[Dialect], Unique, Field(min_length=1)] | None = None
    """Only these skins of the target; all when absent."""


class PolicyShape(Node):
    """How the eligible targets are ordered and tried."""

    kind: Literal["ordered", "weighted", "cheapest", "phases"] = "ordered"
    """The order: ordered (as the members stand), weighted (shares of sessions), cheapest (by
    price), phases (a list per phase of the work)."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 3
    """How many targets are tried at most."""
    attempt_timeout: Seconds = 90.0
    """For one attempt, up to the first content."""
    total_timeout: Seconds = 300.0
    """For all attempts together, up to the first content."""


class GroupReasoning(Node):
    """Reasoning in this group."""

    default: Level | None = None
    """Filled in when the caller asks for no level."""
    unsupported: Literal["refuse", "drop"] = "refuse"
    """What a target without the asked level means: refuse (it is left out), drop (it comes after
    all others, and is sent no level)."""


class PromiseShape(Node):
    """A promise with its depth and extra shapes."""

    depth: Depth
    """How many different targets answer each shape."""
    shapes: Annotated[list[Id], Unique] = []
    """Extra shapes promised beside the core ones."""


Promised = Annotated[
    Annotated[Depth, Tag("scalar")] | Annotated[PromiseShape, Tag("mapping")],
    Discriminator(mapping_or_scalar),
]


class CodexShape(Node):
    """Own fields of this group's entry in the Codex catalog."""

    base_instructions: LongText | None = None
    """The prompt Codex works by; ours when absent."""


class GroupShape(Node):
    """The contract behind a name that callers put in `model`."""

    title: Text | None = None
    """Its name for people; the id when absent."""
    about: Text | None = None
    """One sentence for people."""
    purpose: Literal["production", "smoke"] = "production"
    """`smoke` groups are for tests of the deployment, not for ordinary callers."""
    surfaces: Annotated[list[Dialect], Unique, Field(min_length=1)]
    """The dialects callers may speak."""
    aliases: Annotated[list[Alias], Unique] = []
    """Other names for it: literals, and globs on `model`."""
    members: Annotated[list[MemberShape], Field(min_length=1)] | None = None
    """Its targets, in the author's order."""
    policy: PolicyShape = PolicyShape()
    """How targets are ordered and tried."""
    phases: (
        Annotated[dict[Id, Annotated[list[Id], Unique, Field(min_length=1)]], Field(min_length=1)]
        | None
    ) = None
    """Phase to targets in order; the members are their union."""
    phase_rules: Id | None = None
    """The rules that tell the phase of a request."""
    reasoning: GroupReasoning = GroupReasoning()
    """Reasoning in this group."""
    sticky: bool = True
    """Whether a session stays with its target."""
    cache: bool = False
    """Whether answers to deterministic requests are kept."""
    baseline: Id | None = None
    """The target that savings are measured against."""
    promise: dict[Id, Promised] = {}
    """Client to how many targets must answer each request it usually sends: every build proves
    it."""
    codex: CodexShape = CodexShape()
    """Own fields of the Codex catalog."""


class PhaseRuleShape(Node):
    """All conditions must hold; a rule without conditions catches all."""

    phase: Id
    """The phase it tells."""
    last_user: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """A pattern in the caller's own text of the last user turn; case is ignored."""
    max_chars: Annotated[int, Field(ge=1, le=4000)] | None = None
    """That text is no longer than this."""
    after_tools: bool | None = None
    """Whether tool results follow that text: the model is in the middle of its work."""
    min_input_tokens: Tokens | None = None
    """The estimated input is at least this."""


class PhaseRulesShape(Node):
    """Rules in order, the last of which catches all."""

    rules: Annotated[list[PhaseRuleShape], Field(min_length=1)]
    """The first rule that holds tells the phase."""
    examples: dict[Text, Id] = {}
    """Sentence to the phase it must get; checked at build time."""
