"""5xx: bridges that lead elsewhere, carry what is not there, or are never crossed."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from compiler.checks.said import NEVER_SAID
from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import Bridge, Deployment, SkinDef, TargetDef
from compiler.plan import Plan
from compiler.plan.features import skin_features
from compiler.plan.paths import TITLES
from runtime.bridges.fields import DROP, REFUSE, Field
from runtime.bridges.served import BRIDGES
from runtime.vocabulary import CARRY, LOWERS, words

Check = Callable[[Deployment, Plan], Iterable[Finding]]


@rule("IL501")
def bridge_leads_elsewhere(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A bridge stands in a skin that it does not lead to.

    A bridge is named `<from>_to_<to>`: the caller speaks the first dialect, the skin the second.

    Bad:

        skins:
          chat: {bridges: {chat_to_messages: {carry: [stream]}}}

    Good:

        skins:
          chat: {bridges: {messages_to_chat: {carry: [stream]}}}
    """
    for path, _, skin, bridge in _bridges(deployment):
        if bridge.to_dialect != skin.dialect:
            fitting = [f"{other}_to_{skin.dialect}" for other in TITLES if other != skin.dialect]
            yield Finding(
                path,
                f"`{bridge.name}` does not lead to a {TITLES[skin.dialect]} skin",
                label=f"leads from {TITLES[bridge.from_dialect]} to {TITLES[bridge.to_dialect]}",
                hint=f"name {' or '.join(f'`{name}`' for name in fitting)} here",
                on="key",
            )


@rule("IL502")
def carries_what_skin_lacks(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A bridge carries a feature that the skin behind it does not have.

    Custom and namespace tools are lowered to function tools on the way; all else arrives as it is.

    Bad:

        chat:
          input: [text]
          bridges: {messages_to_chat: {carry: [stream, image]}}

    Good:

        chat:
          input: [text, image]
          bridges: {messages_to_chat: {carry: [stream, image]}}
    """
    for path, target, skin, bridge in _bridges(deployment):
        for index, word in enumerate(bridge.carry):
            if not _has(skin, word):
                lowered = [other for bit in [CARRY[word]] for other in words(LOWERS.get(bit, 0))]
                lacking = lowered[0] if lowered else word
                yield Finding(
                    (*path, "carry", index),
                    f"`{bridge.name}` carries `{word}`, but the {TITLES[skin.dialect]} skin of "
                    f"`{target.id}` has no `{lacking}`",
                    hint="declare it in the skin if the model has it, else drop the word",
                )


@rule("IL503", Severity.WARNING)
def carries_what_never_comes(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A bridge carries a feature that no request in its dialect can need.

    The word never decides anything; it was meant for another bridge, or is a misreading.

    Bad:

        messages_to_chat: {carry: [stream, tools.custom]}     # Messages has no custom tools

    Good:

        messages_to_chat: {carry: [stream, tools]}
    """
    for path, _, _, bridge in _bridges(deployment):
        for index, word in enumerate(bridge.carry):
            if word in NEVER_SAID[bridge.from_dialect]:
                yield Finding(
                    (*path, "carry", index),
                    f"no request in {TITLES[bridge.from_dialect]} ever needs `{word}`",
                    hint="drop the word",
                )


@rule("IL504")
def bridge_without_default_cap(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A Messages skin that a bridge reaches has no default output cap.

    Messages requires `max_tokens`; callers of other dialects often send no cap at all.

    Bad:

        messages:
          output_cap: {max: 64000}
          bridges: {chat_to_messages: {carry: [stream]}}

    Good:

        messages:
          output_cap: {max: 64000, default: 32000}
          bridges: {chat_to_messages: {carry: [stream]}}
    """
    for path, target, skin, bridge in _bridges(deployment):
        if skin.dialect == "messages" and (skin.cap is None or skin.cap.default is None):
            yield Finding(
                path,
                f"`{bridge.name}` reaches the Messages skin of `{target.id}`, "
                "which has no default output cap",
                hint="add `output_cap: {default: ...}` to the skin",
                on="key",
            )


@rule("IL505", Severity.WARNING)
def bridge_never_used(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A bridge that no group can cross: no member with this target is offered on its surface.

    It is kept up and tested for nothing, or a surface was forgotten.

    Bad:

        groups:
          coder: {surfaces: [chat], members: [{target: small}]}
        targets:
          small: {skins: {chat: {bridges: {messages_to_chat: {carry: [stream]}}}}}

    Good:

        groups:
          coder: {surfaces: [chat, messages], members: [{target: small}]}
    """
    crossed = {
        (member.target, surface, dialect)
        for group in deployment.groups.values()
        for member in group.members
        for surface in group.surfaces
        for dialect in member.skins or tuple(deployment.targets[member.target].skins)
    }
    for path, target, skin, bridge in _bridges(deployment):
        if (target.id, bridge.from_dialect, skin.dialect) not in crossed:
            yield Finding(
                path,
                f"no group reaches `{target.id}` over `{bridge.name}`",
                hint=f"open `{bridge.from_dialect}` in a group with it, or drop the bridge",
                on="key",
            )


@rule("IL506", Severity.WARNING)
def bridge_loses_fields(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A bridge that is used leaves fields of a request out, or refuses requests that have them.

    Not a slip: the list is there to be read once, before the bridge is relied upon. What is left
    out of a request is also named in its trace (`Dropped`); `docs/bridges.md` says why, field by
    field. A target with a skin of the caller's own dialect loses nothing.

    Bad:

        chat: {bridges: {messages_to_chat: {carry: [stream, tools]}}}

    Good:

        messages: {tools: [function]}      # a skin of its own
        chat: {bridges: {messages_to_chat: {carry: [stream, tools]}}}
    """
    first: dict[str, Path] = {}
    for path, *_, bridge in _bridges(deployment):
        if bridge.to_dialect == path[3]:
            first.setdefault(bridge.name, path)
    for name, path in first.items():
        table = BRIDGES[name].table
        yield Finding(
            path,
            f"`{name}` leaves out {len(table.of(DROP))} fields of a request, "
            f"and refuses requests with {len(table.of(REFUSE))} others",
            notes=(*_listed("left out", table.of(DROP)), *_listed("refused", table.of(REFUSE))),
            hint=f"read why in docs/bridges.md#{name}",
            on="key",
        )


def _listed(what: str, fields: Iterable[Field]) -> list[str]:
    names = ", ".join(field.name for field in fields)
    return [f"{what}: {line}" for line in textwrap.wrap(names, 90, break_on_hyphens=False)]


CHECKS: Final[tuple[Check, ...]] = (
    bridge_leads_elsewhere,
    carries_what_skin_lacks,
    carries_what_never_comes,
    bridge_without_default_cap,
    bridge_never_used,
    bridge_loses_fields,
)


def _bridges(deployment: Deployment) -> Iterator[tuple[Path, TargetDef, SkinDef, Bridge]]:
    for target in deployment.targets.values():
        for dialect, skin in target.skins.items():
            for name, bridge in skin.bridges.items():
                path: Path = ("targets", target.id, "skins", dialect, "bridges", name)
                yield path, target, skin, bridge


def _has(skin: SkinDef, word: str) -> bool:
    """Whether a skin has what a carry word names, after lowering."""
    if word == "reasoning":
        return skin.reasoning is not None
    wanted = CARRY[word]
    return bool(skin_features(skin) & LOWERS.get(wanted, wanted))
