"""The words generated code is written in, and that compiler and runtime share.

This module imports nothing of ours. It knows no rule: what a word means for a request stands in
`runtime.shape` (when a feature is needed) and `runtime.eligibility` (who has it).
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

Dialect = Literal["chat", "responses", "messages"]
DIALECTS: Final[tuple[Dialect, ...]] = ("responses", "messages", "chat")
BRIDGES: Final[tuple[str, ...]] = (
    "responses_to_chat",
    "responses_to_messages",
    "messages_to_chat",
    "messages_to_responses",
    "chat_to_messages",
    "chat_to_responses",
)

# --- features: one bit each, in the order reasons are listed ---------------------------------

STREAM = 1 << 0
TOOLS = 1 << 1
FORCED = 1 << 2
CUSTOM = 1 << 3
NAMESPACE = 1 << 4
IMAGE_INLINE = 1 << 5
IMAGE_URL = 1 << 6
DOCUMENT = 1 << 7
AUDIO = 1 << 8
JSON_OBJECT = 1 << 9
JSON_SCHEMA = 1 << 10
STATEFUL = 1 << 11
PREFILL = 1 << 12
LOGPROBS = 1 << 13
MULTIPLE = 1 << 14

WEB_SEARCH = 1 << 15
WEB_FETCH = 1 << 16
FILE_SEARCH = 1 << 17
CODE_INTERPRETER = 1 << 18
CODE_EXECUTION = 1 << 19
COMPUTER = 1 << 20
MCP = 1 << 21
IMAGE_GENERATION = 1 << 22
LOCAL_SHELL = 1 << 23
SHELL = 1 << 24
APPLY_PATCH = 1 << 25
TOOL_SEARCH = 1 << 26
BASH = 1 << 27
TEXT_EDITOR = 1 << 28
MEMORY = 1 << 29
OTHER = 1 << 30

# Reasoning levels live in the same integer, so that "needs" is one number.
NONE = 1 << 40
MINIMAL = 1 << 41
LOW = 1 << 42
MEDIUM = 1 << 43
HIGH = 1 << 44
XHIGH = 1 << 45
MAX = 1 << 46

HOSTED: Final[dict[str, int]] = {
    "web_search": WEB_SEARCH,
    "web_fetch": WEB_FETCH,
    "file_search": FILE_SEARCH,
    "code_interpreter": CODE_INTERPRETER,
    "code_execution": CODE_EXECUTION,
    "computer": COMPUTER,
    "mcp": MCP,
    "image_generation": IMAGE_GENERATION,
    "local_shell": LOCAL_SHELL,
    "shell": SHELL,
    "apply_patch": APPLY_PATCH,
    "tool_search": TOOL_SEARCH,
    "bash": BASH,
    "text_editor": TEXT_EDITOR,
    "memory": MEMORY,
    "other": OTHER,
}

LEVELS: Final[dict[str, int]] = {
    "none": NONE,
    "minimal": MINIMAL,
    "low": LOW,
    "medium": MEDIUM,
    "high": HIGH,
    "xhigh": XHIGH,
    "max": MAX,
}
ALL_LEVELS: Final = NONE | MINIMAL | LOW | MEDIUM | HIGH | XHIGH | MAX

# Every feature word of the YAML, the reasons, the lock and the docs -> its bit.
FEATURES: Final[dict[str, int]] = {
    "stream": STREAM,
    "tools": TOOLS,
    "tools.forced": FORCED,
    "tools.custom": CUSTOM,
    "tools.namespace": NAMESPACE,
    "image.inline": IMAGE_INLINE,
    "image.url": IMAGE_URL,
    "document": DOCUMENT,
    "audio": AUDIO,
    "json.object": JSON_OBJECT,
    "json.schema": JSON_SCHEMA,
    "stateful": STATEFUL,
    "prefill": PREFILL,
    "logprobs": LOGPROBS,
    "multiple": MULTIPLE,
    **{f"hosted:{word}": bit for word, bit in HOSTED.items()},
    **{f"reasoning.{word}": bit for word, bit in LEVELS.items()},
}

# The name generated code uses for each bit, e.g. "JSON_SCHEMA".
FLAG_NAMES: Final[dict[int, str]] = {
    value: name
    for name, value in list(globals().items())
    if name.isupper() and isinstance(value, int) and value and value.bit_count() == 1
}

# What a bridge's `carry` list may name -> the features that word covers.
CARRY: Final[dict[str, int]] = {
    **{w: b for w, b in FEATURES.items() if not w.startswith(("image.", "reasoning.", "hosted:"))},
    "image": IMAGE_INLINE | IMAGE_URL,
    "reasoning": ALL_LEVELS,
}
del CARRY["stateful"]  # state on a server never crosses a bridge

# What a feature is turned into on the far side of a bridge (all others: into themselves).
LOWERS: Final[dict[int, int]] = {CUSTOM: TOOLS, NAMESPACE: TOOLS}


def words(bits: int) -> list[str]:
    """The feature words of a set of bits, in vocabulary order."""
    return [word for word, bit in FEATURES.items() if bits & bit]


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base of every record in a generated package: immutable, defaults left out."""


# --- providers.py ------------------------------------------------------------------------------


class Timeouts(Word, frozen=True):
    """Seconds."""

    connect: float = 3.0
    first_byte: float = 60.0
    idle: float = 300.0
    total: float = 1800.0


class ErrorRow(Word, frozen=True):
    """An extra line of a provider's error classification."""

    status: int | None
    code: str | None
    cls: str


class Cooldown(Word, frozen=True):
    """`failures` in a row take a target out for `base` seconds, growing up to `max`."""

    failures: int = 5
    base: float = 30.0
    max: float = 300.0


class Provider(Word, frozen=True):
    """An upstream host. `auth` is bearer, x-api-key, none or the name of a header."""

    base_url: str
    auth: str = "bearer"
    key_env: str | None = None
    key_file: str | None = None
    # what the key is called in reports
    key_id: str | None = None
    region: str | None = None
    continuity: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    timeouts: Timeouts = Timeouts()
    cooldown: Cooldown = Cooldown()
    max_in_flight: int | None = None
    errors: tuple[ErrorRow, ...] = ()
    transport: Literal["fast", "httpx"] = "fast"


# --- targets.py --------------------------------------------------------------------------------


class Price(Word, frozen=True):
    """USD per million tokens; `image` is USD per image. Image tokens of None cost as `input`."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    image: float = 0.0
    image_tokens: float | None = None


class Cap(Word, frozen=True):
    """The output cap of a skin, in tokens; `field` is the body key it travels in."""

    field: str
    min: int | None = None
    max: int | None = None
    over: Literal["clamp", "skip"] = "skip"
    honored: bool = True
    default: int | None = None


class Reasoning(Word, frozen=True):
    """How a skin takes reasoning. `levels` natively; `map` turns an asked level into a sent one."""

    control: Literal["effort", "budget", "adaptive", "toggle"]
    levels: tuple[str, ...] = ()
    map: tuple[tuple[str, str], ...] = ()
    default: str | None = None
    min_budget: int | None = None
    max_budget: int | None = None
    summaries: bool = False
    echo: Literal["required", "optional", "forbidden"] = "optional"
    # where Chat answers carry it; `think`: between such tags at the start of the content
    field: Literal["reasoning_content", "reasoning", "think"] = "reasoning_content"
    rejects: tuple[str, ...] = ()


class Limits(Word, frozen=True):
    """Numbers a request must fit; None is no limit."""

    body_bytes: int | None = None
    input_tokens: int | None = None
    tool_schema_bytes: int | None = None
    tools: int | None = None
    images: int | None = None


class Skin(Word, frozen=True):
    """A target offered in one dialect: how requests are written for it, and its numbers.

    Which features it has stands on the routes. `betas` is "pass" or the allowed values.
    """

    path: str
    model: str
    cap: Cap | None = None
    reasoning: Reasoning | None = None
    limits: Limits = Limits()
    parallel: bool = False
    # custom tools as they are: without it a bridge sends them as functions
    custom: bool = False
    synthesized: bool = False
    stateful: bool = False
    store: Literal["pass", "force_false"] = "pass"
    system_turns: Literal["keep", "fold"] = "fold"
    prompt_cache: Literal["auto", "explicit", "none"] = "none"
    betas: Literal["pass"] | tuple[str, ...] = ()
    # the words tool schemas are written in
    tool_schemas: Literal["keep", "openapi", "basic"] = "keep"
    drop: tuple[str, ...] = ()
    patch: dict[str, Any] = {}


class Target(Word, frozen=True):
    """One model at one provider. `context` in tokens; `tag` marks its stateful answers."""

    provider: str
    model: str
    tag: str
    context: int | None
    price: str | None
    skins: dict[str, Skin]
    tags: tuple[str, ...] = ()


# --- routes/<group>.py -------------------------------------------------------------------------


class Route(Word, frozen=True):
    """One way from a surface to a target: `skin` is the upstream dialect, `bridge` leads there.

    `features`, `levels` (kept natively) and `mapped` (kept by the skin's map) are effective:
    skin, carry and lowering are already in them. `only_when` must all be needed by a request.
    """

    target: str
    skin: str
    bridge: str | None
    features: int
    levels: int = 0
    mapped: int = 0
    only_when: int = 0
    last_resort: bool = False


# --- policies.py -------------------------------------------------------------------------------


class PhaseRule(Word, frozen=True):
    """One rule: all its conditions must hold.

    `one_of`: of these, in lower case, at least one stands in every text in which the pattern
    `last_user` is found; empty where that is not known.
    """

    phase: str
    last_user: str | None = None
    one_of: tuple[str, ...] = ()
    max_chars: int | None = None
    after_tools: bool | None = None
    min_input_tokens: int | None = None


class Group(Word, frozen=True):
    """The contract behind a model name. Times in seconds.

    `ranks` gives each target its place before stickiness (equal rank: sticky order decides);
    `weights` are read inside a rank. `phases` lists per phase the targets it may use, in order;
    `phase_rules` names the rules that tell the phase, `phase_default` is that of the last one.
    """

    kind: Literal["ordered", "weighted", "cheapest", "phases"]
    surfaces: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    ranks: dict[str, int] = {}
    weights: dict[str, int] = {}
    phases: dict[str, tuple[str, ...]] = {}
    phase_rules: str | None = None
    phase_default: str | None = None
    attempts: int = 3
    attempt_timeout: float = 90.0
    total_timeout: float = 300.0
    reasoning_default: str | None = None
    unsupported: Literal["refuse", "drop"] = "refuse"
    sticky: bool = True
    cache: bool = False
    baseline: str | None = None
    purpose: Literal["production", "smoke"] = "production"


# --- callers.py --------------------------------------------------------------------------------


class Budget(Word, frozen=True):
    """What a day or month may hold; None is no limit."""

    requests: int | None = None
    tokens: int | None = None
    usd: float | None = None


class LimitSet(Word, frozen=True):
    """A named set of limits: per minute, at once, per day and month."""

    rpm: int | None = None
    tpm: int | None = None
    concurrent: int | None = None
    day: Budget = Budget()
    month: Budget = Budget()
    reserve_output: int = 0


class Caller(Word, frozen=True):
    """Who holds tokens. `reach` names an entry of REACHES, `listing` a file in models/.

    `expires` is the last valid day (UTC, ISO date).
    """

    user: str
    project: str
    env: str
    groups: tuple[str, ...]
    reach: str
    listing: str | None = None
    limits: str | None = None
    roles: tuple[str, ...] = ()
    status: Literal["active", "disabled"] = "active"
    expires: str | None = None


class Token(Word, frozen=True):
    """`sha256` is the hex digest of the whole token; the token itself stands nowhere."""

    caller: str
    sha256: str
    status: Literal["active", "disabled"] = "active"
    expires: str | None = None


# --- __init__.py -------------------------------------------------------------------------------


class Trace(Word, frozen=True):
    """The routing trace in answers; headers begin with `prefix`."""

    prefix: str = "X-Router"
    show_upstream: bool = True
    body: bool = False


class Images(Word, frozen=True):
    """What images a request may bring; `max_bytes` is one image, decoded."""

    url_schemes: tuple[str, ...] = ("https",)
    inline_types: tuple[str, ...] = ("image/png", "image/jpeg", "image/gif", "image/webp")
    max_count: int | None = None
    max_bytes: int | None = None


class Cache(Word, frozen=True):
    """How many bytes of answers one worker keeps, and for how many seconds."""

    max_bytes: int = 64 * 1024 * 1024
    ttl: float = 3600.0


class Settings(Word, frozen=True):
    """What holds for the whole deployment. Sizes in bytes, times in seconds."""

    name: str
    description: str = ""
    public_url: str | None = None
    default_group: str | None = None
    trace: Trace = Trace()
    images: Images = Images()
    body_limit: int = 32 * 1024 * 1024
    no_eligible_status: int = 502
    cache: Cache = Cache()
    keepalive: float = 15.0
    docs: Literal["token", "public", "off"] = "token"
    hosted_tools: dict[str, str] = {}
    levels: dict[str, str] = {}
    budgets: dict[str, int] = {}
