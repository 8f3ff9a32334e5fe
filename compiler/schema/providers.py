"""The shape of `providers` and `prices`: upstream hosts and what their tokens cost."""
# ruff: noqa: RUF012 - pydantic copies defaults for every instance

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from compiler.schema.base import (
    Count,
    Day,
    EnvName,
    FilePath,
    HeaderName,
    HeaderValue,
    Id,
    Node,
    Seconds,
    Text,
    Usd,
    mapping_or_scalar,
)

ErrorClass = Literal[
    "client", "context", "auth", "rate-limited", "overloaded", "timeout", "server", "invalid"
]


class PriceShape(Node):
    """What a model costs, in USD per million tokens."""

    input: Usd
    """USD per million input tokens."""
    output: Usd
    """USD per million output tokens."""
    cache_read: Usd | None = None
    """USD per million tokens read from the prompt cache; as `input` when absent."""
    cache_write: Usd | None = None
    """USD per million tokens written to the prompt cache; as `input` when absent."""
    image: Usd = 0.0
    """USD per image."""
    image_tokens: Usd | None = None
    """USD per million image tokens, where the upstream counts them; as `input` when absent."""
    source: Text | None = None
    """Where this price was read."""
    as_of: Day | None = None
    """When this price was read."""


class HeaderAuth(Node):
    """A credential in a header of the provider's own."""

    header: HeaderName
    """The name of the header that holds the key."""


Auth = Annotated[
    Annotated[Literal["bearer", "x-api-key", "none"], Tag("scalar")]
    | Annotated[HeaderAuth, Tag("mapping")],
    Discriminator(mapping_or_scalar),
]


class TimeoutsShape(Node):
    """How long to wait for an upstream."""

    connect: Seconds = 3.0
    """Until the connection stands."""
    first_byte: Seconds = 60.0
    """Until the head of the answer."""
    idle: Seconds = 300.0
    """Between two pieces of a streamed answer."""
    total: Seconds = 1800.0
    """For the whole answer."""


class CooldownShape(Node):
    """When a failing target rests."""

    failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """So many failures in a row take a target out, as long as there is another."""
    base: Seconds = 30.0
    """For how long at first; twice as long each time it fails the request that then probes it."""
    max: Seconds = 300.0
    """For how long at most, and at once where the upstream refuses the key."""


class ErrorRowShape(Node):
    """An extra line of the classification of this provider's errors."""

    status: Annotated[int, Field(ge=400, le=599)] | None = None
    """The HTTP status it applies to; any when absent."""
    code: Text | None = None
    """The error code in the body it applies to; any when absent."""
    class_: ErrorClass = Field(alias="class")
    """What such an error is taken for; it decides whether the next target is tried."""


class ProviderShape(Node):
    """An upstream host with its credential."""

    base_url: Text
    """Up to where the dialect's path begins, usually ending in `/v1`."""
    auth: Auth = "bearer"
    """How the key travels: `bearer`, `x-api-key`, `none`, or `{header: NAME}`."""
    key_env: EnvName | None = None
    """The environment variable that holds the key."""
    key_file: FilePath | None = None
    """The file that holds the key."""
    key_id: Text | None = None
    """A public label of the key, for people."""
    region: Id | None = None
    """Where prompts travel to; projects may be narrowed to regions."""
    headers: dict[HeaderName, HeaderValue] = {}
    """Attribution headers sent with every request."""
    allow_http: bool = False
    """The provider stands in your own network: http, private hosts and other ports are allowed."""
    timeouts: TimeoutsShape = TimeoutsShape()
    """How long to wait."""
    cooldown: CooldownShape = CooldownShape()
    """When a failing target rests."""
    max_in_flight: Count | None = None
    """How many requests may be open at once; each worker has its share, rounded up."""
    continuity: Id | None = None
    """The domain inside which signatures and encrypted reasoning stay valid; the provider's own
    when absent."""
    errors: list[ErrorRowShape] = []
    """Extra lines of the error classification; the first that applies wins over built-in ones."""
    transport: Literal["fast", "httpx"] = "fast"
    """`httpx` for proxies and HTTP/2."""
