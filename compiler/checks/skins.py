"""6xx: what a skin says of one target in one dialect: caps, reasoning, fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from compiler.checks.said import sayers, unsayable
from compiler.checks.walk import skins
from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import Deployment, SkinDef, TargetDef
from runtime.vocabulary import Cap, Reasoning

# A thinking budget must leave room for the answer (Anthropic: budget_tokens < max_tokens).
ROOM_FOR_ANSWER: Final = 1024
CAP_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "chat": ("max_tokens", "max_completion_tokens"),
    "responses": ("max_output_tokens",),
    "messages": ("max_tokens",),
}
# What the router itself writes or reads in a body; a patch or drop would break the exchange.
OWNED: Final[Mapping[str, tuple[str, ...]]] = {
    "chat": ("model", "messages", "stream"),
    "responses": ("model", "input", "stream"),
    "messages": ("model", "messages", "stream"),
}
_KEEPS_SYSTEM_TURNS: Final = "mid-conversation-system"


@rule("IL620")
def cap_inconsistent(deployment: Deployment) -> Iterator[Finding]:
    """The numbers of an output cap contradict one another or the context window.

    Requests would be clamped to a number that the model refuses.

    Bad:

        context: 8192
        skins:
          chat: {output_cap: {field: max_tokens, min: 4096, max: 1024, default: 16}}

    Good:

        context: 8192
        skins:
          chat: {output_cap: {field: max_tokens, min: 16, max: 1024, default: 1024}}
    """
    for path, target, skin in skins(deployment):
        if skin.cap:
            for field, message, hint in _cap_slips(skin.cap, target.context):
                yield Finding((*path, "output_cap", field), message, hint=hint)


def _cap_slips(cap: Cap, context: int | None) -> Iterator[tuple[str, str, str]]:
    low, high, default = cap.min, cap.max, cap.default
    if low is not None and high is not None and low > high:
        yield "min", f"the smallest cap ({low}) is above the largest ({high})", "swap them"
    if default is not None and high is not None and default > high:
        yield "default", f"the default cap ({default}) is above `max` ({high})", "lower it"
    if default is not None and low is not None and default < low:
        yield "default", f"the default cap ({default}) is below `min` ({low})", "raise it"
    if context is not None and high is not None and high > context:
        reason = f"the largest cap ({high}) is above the context window ({context})"
        yield "max", reason, "lower `max`, or correct `context`"


@rule("IL621")
def cap_field(deployment: Deployment) -> Iterator[Finding]:
    """The field of an output cap is not one of its dialect.

    Chat has `max_tokens` and `max_completion_tokens`, Responses `max_output_tokens`, Messages
    `max_tokens`.

    Bad:

        responses: {output_cap: {field: max_tokens, max: 8192}}

    Good:

        responses: {output_cap: {field: max_output_tokens, max: 8192}}
    """
    for path, _, skin in skins(deployment):
        if skin.cap and skin.cap.field not in CAP_FIELDS[skin.dialect]:
            fitting = " or ".join(f"`{f}`" for f in CAP_FIELDS[skin.dialect])
            yield Finding(
                (*path, "output_cap", "field"),
                f"`{skin.cap.field}` is no field of {skin.dialect}",
                hint=f"use {fitting}",
            )


@rule("IL623")
def reasoning_inconsistent(deployment: Deployment) -> Iterator[Finding]:
    """What a skin says of reasoning contradicts itself.

    A level that is listed is not mapped as well; a mapped level is sent as one that is listed; the
    default is a listed level; the smallest budget is below the largest, and leaves 1,024 tokens of
    the output cap for the answer.

    Bad:

        reasoning: {control: effort, levels: [low, high], map: {xhigh: max, low: high}}

    Good:

        reasoning: {control: effort, levels: [low, high], map: {xhigh: high}}
    """
    for path, _, skin in skins(deployment):
        if skin.reasoning:
            for field, message, hint in _reasoning_slips(skin.reasoning, skin.cap):
                yield Finding((*path, "reasoning", *field), message, hint=hint)


def _reasoning_slips(reasoning: Reasoning, cap: Cap | None) -> Iterator[tuple[Path, str, str]]:
    levels = ", ".join(f"`{level}`" for level in reasoning.levels)
    listed = f"choose one of {levels}, or list it" if levels else "list it in `levels`"
    for asked, sent in reasoning.map:
        if asked in reasoning.levels:
            reason = f"`{asked}` is listed in `levels`, and mapped to `{sent}`"
            yield ("map", asked), reason, "remove it from `levels` or from `map`"
        elif sent not in reasoning.levels:
            reason = f"`{asked}` is mapped to `{sent}`, which is not listed in `levels`"
            yield ("map", asked), reason, listed
    if reasoning.default and reasoning.default not in reasoning.levels:
        reason = f"the default `{reasoning.default}` is not listed in `levels`"
        yield ("default",), reason, listed
    low, high = reasoning.min_budget, reasoning.max_budget
    if low and high and low > high:
        reason = f"the smallest budget ({low}) is above the largest ({high})"
        yield ("min_budget",), reason, "swap them"
    if low and cap and cap.max and low + ROOM_FOR_ANSWER > cap.max:
        reason = f"the smallest budget ({low}) leaves no room for an answer below the cap"
        yield ("min_budget",), reason, f"{cap.max - ROOM_FOR_ANSWER} is the most that fits"


@rule("IL624")
def budget_missing(deployment: Deployment) -> Iterator[Finding]:
    """A skin takes budgets, and no number stands for one of its levels.

    With `control: budget` a level travels as a number of tokens, which `reasoning.budgets` of the
    deployment gives.

    Bad:

        reasoning:
          budgets: {low: 2048}
        # and in a skin
        reasoning: {control: budget, levels: [low, high]}

    Good:

        reasoning:
          budgets: {low: 2048, high: 16384}
    """
    for path, _, skin in skins(deployment):
        if skin.reasoning and skin.reasoning.control == "budget":
            for level in skin.reasoning.levels:
                if level != "none" and level not in deployment.settings.budgets:
                    yield Finding(
                        (*path, "reasoning", "levels"),
                        f"`{level}` has no budget, and this skin takes budgets",
                        hint=f"add `{level}: TOKENS` to the deployment's `reasoning.budgets`",
                        on="key",
                    )


@rule("IL625")
def system_turns(deployment: Deployment) -> Iterator[Finding]:
    """System turns are kept for an upstream that is not told to take them.

    A `role: system` turn inside Messages is read only with its beta value; where `betas` filters
    it, the turn must be folded into the neighbouring user turn.

    Bad:

        messages: {system_turns: keep, betas: []}

    Good:

        messages: {system_turns: keep, betas: pass}
    """
    for path, _, skin in skins(deployment):
        told = skin.betas == "pass" or any(b.startswith(_KEEPS_SYSTEM_TURNS) for b in skin.betas)
        if skin.system_turns == "keep" and skin.dialect == "messages" and not told:
            yield Finding(
                (*path, "system_turns"),
                "system turns are kept, and `betas` filters the value that allows them",
                hint="use `system_turns: fold`, or `betas: pass`",
            )


@rule("IL626")
def field_of_another_dialect(deployment: Deployment) -> Iterator[Finding]:
    """A skin has what its dialect does not know.

    `betas` and `system_turns` belong to Messages, `stateful` and namespace tools to Responses,
    custom tools and log probabilities to Responses and Chat; a trailing assistant turn is history
    on Responses, no prefill; `multiple` answers are Chat's; Messages knows JSON by a schema only,
    and no audio.

    Bad:

        chat: {betas: pass, stateful: true}

    Good:

        messages: {betas: pass}
        responses: {stateful: true}
    """
    for path, _, skin in skins(deployment):
        for field, word, dialects in _foreign(skin):
            yield Finding(
                (*path, field),
                f"{word} is not for a {skin.dialect} skin",
                hint=f"remove it; it belongs to {' and '.join(dialects)}",
            )


# Fields of a skin that only some dialects have, and the value that says nothing.
_FIELDS: Final[Mapping[str, tuple[object, tuple[str, ...]]]] = {
    "betas": ((), ("messages",)),
    "system_turns": ("fold", ("messages",)),
    "stateful": (False, ("responses",)),
    "store": ("pass", ("responses", "chat")),
}


def _foreign(skin: SkinDef) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for field, (nothing, dialects) in _FIELDS.items():
        value = getattr(skin, field)
        if value != nothing and skin.dialect not in dialects:
            told = f"`{field}: {value}`" if field == "system_turns" else f"`{field}`"
            yield field, told, dialects
    for field, word, feature in unsayable(skin):
        kind = "the tool word " if field == "tools" else ""
        yield field, f"{kind}`{word}`", sayers(feature)


@rule("IL627")
def owned_field(deployment: Deployment) -> Iterator[Finding]:
    """A patch or drop touches a body field that the router itself writes or reads.

    The request would no longer be the one that was routed, or its answer not be understood.

    Bad:

        chat: {drop: [messages], patch: {model: other}}

    Good:

        chat: {model: other, drop: [logit_bias], patch: {safe_prompt: true}}
    """
    for path, _, skin in skins(deployment):
        owned = {*OWNED[skin.dialect], *((skin.cap.field,) if skin.cap else ())}
        for index, field in enumerate(skin.drop):
            if field in owned:
                yield Finding(
                    (*path, "drop", index),
                    f"`{field}` cannot be dropped: the router writes it",
                    hint="remove it from `drop`",
                )
        for field in skin.patch:
            if field in owned:
                yield Finding(
                    (*path, "patch", field),
                    f"`{field}` cannot be patched: the router writes it",
                    hint="use the field of the skin that says so: `model`, `stream`, `output_cap`",
                    on="key",
                )
            elif field in skin.drop:
                yield Finding(
                    (*path, "patch", field),
                    f"`{field}` is dropped and patched",
                    hint="patch alone replaces what the caller sent",
                    on="key",
                )


@rule("IL628")
def tools_incomplete(deployment: Deployment) -> Iterator[Finding]:
    """A skin has a way of using function tools, and no function tools.

    Forced or parallel calls, and namespaces, are ways of using function tools; `tool_schemas` says
    how their parameters are written.

    Bad:

        chat: {tools: [parallel, forced]}

    Good:

        chat: {tools: [function, parallel, forced]}
    """
    for path, _, skin in skins(deployment):
        if "function" not in skin.tools:
            for word in ("parallel", "forced", "namespace"):
                if word in skin.tools:
                    yield Finding(
                        (*path, "tools"),
                        f"`{word}` says how function tools are used, and `function` is not listed",
                        hint="add `function`",
                        on="key",
                    )
                    break
            if skin.tool_schemas != "keep":
                yield Finding(
                    (*path, "tool_schemas"),
                    "`tool_schemas` is for function tools, and `function` is not listed",
                    hint="add `function` to `tools`, or remove `tool_schemas`",
                    on="key",
                )


@rule("IL629")
def text_missing(deployment: Deployment) -> Iterator[Finding]:
    """The inputs of a skin lack text.

    Every request of an agent has text; the list names everything the model reads, not only what it
    reads beside text.

    Bad:

        chat: {input: [image]}

    Good:

        chat: {input: [text, image]}
    """
    for path, target, skin in skins(deployment):
        if "text" not in skin.input:
            yield Finding(
                (*path, "input"),
                f"the `{skin.dialect}` skin of `{target.id}` does not read text",
                hint=f"write `input: [{', '.join(('text', *skin.input))}]`",
                on="key",
            )


@rule("IL630", Severity.WARNING)
def cap_missing(deployment: Deployment) -> Iterator[Finding]:
    """A native Messages skin has no output cap.

    Messages requires `max_tokens`, so callers send one, and agents send 32,000 as a matter of
    course. Without `max` a model with less answers 400 instead of being clamped or left out.

    Bad:

        messages: {stream: native, tools: [function]}

    Good:

        messages: {stream: native, tools: [function], output_cap: {max: 64000, over: clamp}}
    """
    for path, target, skin in skins(deployment):
        if skin.dialect == "messages" and (skin.cap is None or skin.cap.max is None):
            yield Finding(path, *_no_cap(target), on="key")


def _no_cap(target: TargetDef) -> tuple[str, str, str]:
    return (
        f"the `messages` skin of `{target.id}` has no largest output cap",
        "",
        "add `output_cap: {max: TOKENS, over: clamp}`",
    )
