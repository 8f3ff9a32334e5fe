"""The shape of `targets`, their skins and the `profiles` that skins share."""
# ruff: noqa: RUF012 - pydantic copies defaults for every instance

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from compiler.schema.base import (
    Beta,
    BodyField,
    CarryWord,
    Count,
    Feature,
    Id,
    Node,
    Size,
    Text,
    Tokens,
    ToolWord,
    Unique,
    UrlPath,
    one_or_many,
)
from compiler.schema.settings import Level

Dialect = Literal["chat", "responses", "messages"]
BridgeName = Literal[
    "responses_to_chat",
    "responses_to_messages",
    "messages_to_chat",
    "messages_to_responses",
    "chat_to_messages",
    "chat_to_responses",
]

_MOST = 2**53  # beyond it JSON readers disagree on integers


def _json_value(value: Any) -> Any:
    match value:
        case dict():
            for inner in value.values():
                _json_value(inner)
        case list():
            for inner in value:
                _json_value(inner)
        case int() if abs(value) > _MOST:
            raise PydanticCustomError("big_number", "too large a number")
    return value


class SkinReasoning(Node):
    """How a skin takes reasoning."""

    control: Literal["effort", "budget", "adaptive", "toggle"] | None = None
    """The form a level is written in: effort (a word), budget (thinking tokens), adaptive (the
    model decides, with a word), toggle (on or off)."""
    levels: Annotated[list[Level], Unique] = []
    """Levels the model has natively; only these are advertised."""
    map: dict[Level, Level] = {}
    """Asked level to the listed level that is sent instead."""
    default: Level | None = None
    """The level the model uses when none is asked."""
    min_budget: Tokens | None = None
    """The smallest thinking budget, in tokens."""
    max_budget: Tokens | None = None
    """The largest thinking budget, in tokens."""
    summaries: bool = False
    """Whether reasoning summaries can be asked for."""
    echo: Literal["required", "optional", "forbidden"] = "optional"
    """Whether the reasoning of earlier turns must (required), may (optional) or must not
    (forbidden) be sent back."""
    field: Literal["reasoning_content", "reasoning", "think"] = "reasoning_content"
    """The Chat field reasoning text stands in; `think`: between `<think>` and `</think>`, in front
    of the content."""
    rejects: Annotated[list[BodyField], Unique] = []
    """Parameters left out when reasoning goes on the wire because the caller asked."""


class OutputCap(Node):
    """The output cap of a skin, in tokens."""

    field: Literal["max_tokens", "max_completion_tokens", "max_output_tokens"] | None = None
    """The body key it travels in; Messages and Responses have one of their own."""
    min: Tokens | None = None
    """The smallest cap the model takes."""
    max: Tokens | None = None
    """The largest cap the model takes."""
    over: Literal["clamp", "skip"] = "skip"
    """What to do with a larger one: clamp (shrink it to `max`), or skip (leave the target out)."""
    honored: bool = True
    """Whether the model keeps to the cap."""
    default: Tokens | None = None
    """On Messages, sent when the caller names none; needed where a bridge reaches the skin."""


class SkinLimits(Node):
    """Numbers a request must fit."""

    body_bytes: Size | None = None
    """The size of the body."""
    input_tokens: Tokens | None = None
    """The estimated input."""
    tool_schema_bytes: Size | None = None
    """The size of all tool schemas together."""
    tools: Count | None = None
    """The number of tools."""
    images: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """The number of images."""


class BridgeShape(Node):
    """A way to this skin from another dialect."""

    carry: Annotated[list[CarryWord], Unique] = []
    """Features that were seen to survive this bridge to this skin."""
    evidence: Id | None = None
    """The evidence for it."""


Uses = Annotated[
    Annotated[Id, Tag("one")] | Annotated[list[Id], Unique, Tag("many")],
    Discriminator(one_or_many),
]
Betas = Annotated[
    Annotated[Literal["pass"], Tag("one")] | Annotated[list[Beta], Unique, Tag("many")],
    Discriminator(one_or_many),
]


class SkinShape(Node):
    """A target offered in one dialect, with what was validated for exactly that pair."""

    use: Uses | None = None
    """Profiles this skin begins with: later ones win over earlier, the skin over all."""
    path: UrlPath | None = None
    """The URL path below `base_url`; the dialect's own when absent."""
    model: Text | None = None
    """The upstream's model name in this dialect; the target's when absent."""
    stream: Literal["native", "synthesized", "none"] = "none"
    """Whether answers stream: native (the upstream does), synthesized (the router makes a stream of
    a whole answer), none."""
    input: Annotated[list[Literal["text", "image", "document", "audio"]], Unique] = ["text"]
    """What the model reads."""
    image_sources: Annotated[list[Literal["url", "inline"]], Unique] = ["url", "inline"]
    """How images may come: url (the upstream fetches them), inline (as data)."""
    tools: Annotated[list[ToolWord], Unique] = []
    """Kinds of tools: function, parallel (several calls at once), forced (a call may be demanded),
    custom (text by a grammar), namespace (Responses), `hosted:<type>` (run by the provider)."""
    structured: Annotated[list[Literal["json_object", "json_schema"]], Unique] = []
    """Forms of structured output: json_object (any JSON), json_schema (by a schema)."""
    extras: Annotated[list[Literal["logprobs", "multiple"]], Unique] = []
    """What few models have: logprobs (log probabilities), multiple (several answers at once)."""
    reasoning: SkinReasoning | None = None
    """How reasoning is taken; without it the skin has none."""
    output_cap: OutputCap | None = None
    """The largest and smallest output cap, and the field it travels in."""
    stateful: bool = False
    """Whether the upstream keeps responses that a later request may continue."""
    store: Literal["pass", "force_false"] = "pass"
    """What becomes of `store`: pass (as the caller wrote it), force_false."""
    prefill: bool = False
    """Whether a trailing assistant message is continued."""
    system_turns: Literal["keep", "fold"] | None = None
    """A `role: system` turn inside Messages: kept, or folded into the neighbouring user turn.
    Kept by default with `betas: pass`, else folded."""
    prompt_cache: Literal["auto", "explicit", "none"] = "none"
    """How the upstream caches prompts: auto (by itself), explicit (where the body marks it), none.
    It decides what a bridge does with the caller's cache hints."""
    tool_schemas: Literal["keep", "openapi", "basic"] = "keep"
    """The JSON Schema words of tools the upstream takes: keep (all of them), openapi (those of
    OpenAPI 3.0 that Gemini has), basic (types, properties, items, choices of strings, `anyOf`,
    descriptions). The others are left out, and references written out."""
    drop: Annotated[list[BodyField], Unique] = []
    """Top-level body fields that are left out, because the upstream refuses them."""
    patch: Annotated[dict[BodyField, Any], AfterValidator(_json_value)] = {}
    """Top-level body fields that are added, with their constant values."""
    betas: Betas = []
    """Allowed anthropic-beta values, or `pass` for all."""
    limits: SkinLimits = SkinLimits()
    """Numbers a request must fit."""
    only_when: Annotated[list[Feature], Unique] = []
    """Only for requests that need all of these."""
    evidence: Id | None = None
    """The evidence for this skin."""
    bridges: dict[BridgeName, BridgeShape] = {}
    """Ways to this skin from other dialects."""


class TargetShape(Node):
    """One model at one provider."""

    provider: Id
    """The provider that serves it."""
    model: Text
    """The upstream's name of the model."""
    context: Tokens | None = None
    """The context window in tokens."""
    price: Id | None = None
    """What it costs: an entry of `prices`."""
    tags: Annotated[list[Id], Unique] = []
    """Words for people and reports."""
    skins: Annotated[dict[Dialect, SkinShape], Field(min_length=1)]
    """The dialects it is offered in."""
