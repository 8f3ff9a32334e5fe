"""The frozen Deployment: every name resolved, every default written out, nothing from pydantic.

`resolve` builds it, everything after reads it. Durations are seconds, sizes are bytes, dates are
`datetime.date`. Mappings keep the author's order. A `path` is the way to a value in the YAML,
e.g. ("groups", "coder", "members", 0, "target"); only the report turns it into a place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.vocabulary import Cap, Limits, PhaseRule, Price, Provider, Reasoning, Settings

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A dated proof that something was seen to work."""

    verified: dt.date
    by: str
    clients: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class PriceEntry:
    """A price with the source and date a reader can check it by."""

    price: Price
    source: str | None
    as_of: dt.date | None


@dataclass(frozen=True, slots=True)
class Bridge:
    """A way to a skin from another dialect. `carry` are words of `vocabulary.CARRY`."""

    name: str  # one of vocabulary.BRIDGES
    from_dialect: str
    to_dialect: str
    carry: tuple[str, ...]
    evidence: str | None


@dataclass(frozen=True, slots=True)
class SkinDef:
    """A skin with profiles merged and defaults written out; field names as in the YAML."""

    dialect: str
    path: str  # URL path below base_url
    model: str
    stream: str  # native | synthesized | none
    input: tuple[str, ...]
    image_sources: tuple[str, ...]
    tools: tuple[str, ...]  # function, parallel, forced, custom, namespace, hosted:<type>
    structured: tuple[str, ...]
    extras: tuple[str, ...]
    reasoning: Reasoning | None
    cap: Cap | None
    stateful: bool
    store: str
    prefill: bool
    system_turns: str
    prompt_cache: str
    tool_schemas: str  # keep | openapi | basic
    drop: tuple[str, ...]
    patch: Mapping[str, object]
    betas: str | tuple[str, ...]
    limits: Limits
    only_when: tuple[str, ...]  # feature words
    evidence: str | None
    bridges: Mapping[str, Bridge]


@dataclass(frozen=True, slots=True)
class TargetDef:
    id: str
    provider: str
    model: str
    context: int | None
    price: str | None
    tags: tuple[str, ...]
    skins: Mapping[str, SkinDef]


@dataclass(frozen=True, slots=True)
class Member:
    target: str
    weight: int = 1
    last_resort: bool = False
    only_when: tuple[str, ...] = ()
    skins: tuple[str, ...] | None = None  # dialects this member may be reached by; None = all


@dataclass(frozen=True, slots=True)
class Promise:
    """`shapes` names extra shapes promised beside the client's core shapes."""

    client: str
    depth: int
    shapes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupDef:
    id: str
    title: str
    about: str
    purpose: str
    surfaces: tuple[str, ...]
    aliases: tuple[str, ...]
    members: tuple[Member, ...]  # of a `phases` group: the union of its phase lists
    kind: str  # ordered | weighted | cheapest | phases
    attempts: int
    attempt_timeout: float
    total_timeout: float
    phases: Mapping[str, tuple[str, ...]]
    phase_rules: str | None
    reasoning_default: str | None
    unsupported: str  # refuse | drop
    sticky: bool
    cache: bool
    baseline: str | None
    promises: tuple[Promise, ...]
    codex: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PhaseRules:
    rules: tuple[PhaseRule, ...]
    examples: Mapping[str, str]  # sentence -> phase


@dataclass(frozen=True, slots=True)
class BudgetDef:
    requests: int | None = None
    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class LimitDef:
    rpm: int | None
    tpm: int | None
    concurrent: int | None
    day: BudgetDef
    month: BudgetDef
    reserve_output: int


@dataclass(frozen=True, slots=True)
class Project:
    id: str
    providers: tuple[str, ...]  # already narrowed by `regions`: where its prompts may travel
    regions: tuple[str, ...] | None
    limits: str | None


@dataclass(frozen=True, slots=True)
class TokenDef:
    id: str
    sha256: str
    status: str
    expires: dt.date | None


@dataclass(frozen=True, slots=True)
class CallerDef:
    id: str
    user: str
    project: str
    env: str
    groups: tuple[str, ...]
    limits: str | None
    clients: tuple[str, ...] | None  # None: every promised client
    roles: tuple[str, ...]
    status: str
    expires: dt.date | None
    tokens: tuple[TokenDef, ...]


@dataclass(frozen=True, slots=True)
class ClientShape:
    """One request a client really sends: feature words needed, preferred, and its numbers."""

    name: str
    needs: tuple[str, ...]
    prefers: tuple[str, ...] = ()
    cap: int | None = None
    input_tokens: int = 0
    core: bool = True
    # needs reasoning at the level the group advertises as default (Codex with a catalog)
    default_level: bool = False
    harmless: bool = False  # a failure does the client no harm: a warning, not an error
    # asked for as well, and left out of what is promised
    waives: tuple[str, ...] = ()
    # amounts that limits are held against; 0: as few as the needs allow
    tools: int = 0
    tool_schema_bytes: int = 0
    # where it was seen: `captures/<client>/<case>`, or `documented: <what>`
    source: str = ""


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """What is known of one client: the surface it speaks and the shapes it sends."""

    id: str
    surface: str
    shapes: tuple[ClientShape, ...]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """All of one YAML file, resolved. `settings` is the record that reaches the artifact."""

    file: str  # as the user named it
    source: bytes  # the YAML text, for digests
    name: str
    as_of: dt.date
    settings: Settings
    evidence_max_age_days: int | None
    evidence_required: bool
    providers: Mapping[str, Provider]
    prices: Mapping[str, PriceEntry]
    targets: Mapping[str, TargetDef]
    groups: Mapping[str, GroupDef]
    phase_rules: Mapping[str, PhaseRules]
    limits: Mapping[str, LimitDef]
    projects: Mapping[str, Project]
    callers: Mapping[str, CallerDef]
    evidence: Mapping[str, Evidence]
    clients: Mapping[str, ClientProfile]  # the deployment's own, beside the built-in ones
    # the YAML as plain data: what the author wrote out, and what has no effect yet
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def written(self, *path: str | int) -> bool:
        """Whether the author wrote this out, as against a default or a profile's value."""
        value: Any = self.document
        try:
            for step in path:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
        return True
