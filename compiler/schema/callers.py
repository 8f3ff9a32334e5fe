"""The shape of `callers`, `projects` and `limits`: who may call, how much, and where prompts go."""
# ruff: noqa: RUF012 - pydantic copies defaults for every instance

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compiler.schema.base import (
    Amount,
    Count,
    Day,
    Id,
    Node,
    Sha256,
    TokenId,
    TokenPart,
    Tokens,
    Unique,
    Usd,
)


class BudgetShape(Node):
    """What a day or a month may hold."""

    requests: Amount | None = None
    """Requests."""
    tokens: Amount | None = None
    """Input and output tokens."""
    usd: Usd | None = None
    """US dollars."""


class LimitShape(Node):
    """A named set of limits."""

    rpm: Count | None = None
    """Requests per minute."""
    tpm: Amount | None = None
    """Tokens per minute."""
    concurrent: Count | None = None
    """Requests at once."""
    day: BudgetShape = BudgetShape()
    """Per day, UTC."""
    month: BudgetShape = BudgetShape()
    """Per calendar month, UTC."""
    reserve_output: Tokens | None = None
    """Output tokens reserved while a request is open; the request's own cap when smaller."""


class ProjectShape(Node):
    """Where the prompts of a project may travel at all."""

    providers: Annotated[list[Id], Unique, Field(min_length=1)] | None = None
    """Only to these providers; to all when absent."""
    regions: Annotated[list[Id], Unique, Field(min_length=1)] | None = None
    """Only to providers of these regions."""
    limits: Id | None = None
    """Limits for all callers of the project together."""


class TokenShape(Node):
    """A router token: its public id and the digest of the whole."""

    id: TokenId
    """Everything before the last `_` of the token."""
    sha256: Sha256
    """The SHA-256 of the whole token, in hex."""
    status: Literal["active", "disabled"] = "active"
    """A disabled token answers 403."""
    expires: Day | None = None
    """The last day it is valid, UTC."""


class CallerShape(Node):
    """Who holds router tokens."""

    user: TokenPart
    """The person or machine."""
    project: Id
    """The project whose rules apply."""
    env: TokenPart
    """The environment, e.g. dev or ci."""
    groups: Annotated[list[Id], Unique]
    """The groups they may name, in the order names are looked up."""
    limits: Id | None = None
    """Their limits; needed where `groups` is not empty."""
    clients: Annotated[list[Id], Unique, Field(min_length=1)] | None = None
    """The clients they use: promises are proven for these only."""
    roles: Annotated[list[Literal["metrics", "reports"]], Unique] = []
    """Rights beside calling models."""
    status: Literal["active", "disabled"] = "active"
    """A disabled caller's tokens answer 403."""
    expires: Day | None = None
    """The last day they may call, UTC."""
    tokens: list[TokenShape] = []
    """Their tokens: two at once while rotating."""
