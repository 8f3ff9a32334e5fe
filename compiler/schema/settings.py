"""The shape of `settings` and `reasoning`: what holds for the whole deployment."""
# ruff: noqa: RUF012 - pydantic copies defaults for every instance

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compiler.schema.base import (
    Count,
    HeaderPrefix,
    HostedType,
    ImageType,
    Node,
    Scheme,
    Seconds,
    Size,
    Text,
    Tokens,
    Unique,
)

Level = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class TraceShape(Node):
    """The routing trace in answers."""

    prefix: HeaderPrefix = "X-Router"
    """What the names of the trace headers begin with."""
    show_upstream: bool = True
    """Whether target, provider and upstream model are named."""
    body: bool = False
    """Whether unstreamed Chat answers carry a `_router` object."""


class ImagesShape(Node):
    """What images a request may bring."""

    url_schemes: Annotated[list[Scheme], Unique] = ["https"]
    """Schemes of image URLs; an empty list refuses image URLs."""
    inline_types: Annotated[list[ImageType], Unique] = [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
    ]
    """Types of images sent inline."""
    max_count: Count | None = None
    """How many images one request may bring."""
    max_bytes: Size | None = None
    """How large one inline image may be, decoded."""


class CacheShape(Node):
    """The response cache of groups with `cache: true`."""

    max_bytes: Size = 64 * 1024 * 1024
    """How much the cache of one worker may hold."""
    ttl: Seconds = 3600.0
    """How long an answer is kept."""


class EvidenceSettings(Node):
    """What is asked of the evidence named by skins and bridges."""

    max_age_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Evidence older than this, counted from `as_of`, is reported."""
    require: bool = False
    """Whether every skin and bridge must name evidence that is young enough."""


class SettingsShape(Node):
    """What holds for the whole deployment."""

    trace: TraceShape = TraceShape()
    """The routing trace in answers."""
    images: ImagesShape = ImagesShape()
    """What images a request may bring."""
    body_limit: Size = 32 * 1024 * 1024
    """Larger request bodies are refused with 413."""
    no_eligible_status: Literal[502, 400, 404, 422] = 502
    """The status of `no-eligible-target`; 400 keeps clients from retrying what cannot succeed."""
    cache: CacheShape = CacheShape()
    """The response cache of groups with `cache: true`."""
    evidence: EvidenceSettings = EvidenceSettings()
    """What is asked of evidence."""
    keepalive: Seconds = 15.0
    """After so much silence a stream gets a sign of life."""
    docs: Literal["token", "public", "off"] = "token"
    """Who may read the names of groups and targets under `/docs/`: token (callers), public
    (everybody), off (there are no such pages)."""
    hosted_tools: dict[HostedType, Literal["prefer", "strip", "refuse", "need"]] = {}
    """What to do with a tool that a provider runs, by its type: prefer (kept where the target has
    it, else left out), strip (left out), refuse (400), need (only targets that have it). A type
    that is not listed is needed."""


class ReasoningShape(Node):
    """The reasoning levels this deployment advertises, and the budgets that mean them."""

    levels: dict[Level, Text] = {}
    """Level to description, as clients show it."""
    budgets: dict[Level, Tokens] = {}
    """Level to thinking tokens; a caller's budget means the level it reaches."""
