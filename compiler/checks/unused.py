"""3xx: what the file declares and nothing uses; knows no request shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from compiler.checks.names import references, unresolved
from compiler.checks.walk import section, skins, written_skins
from compiler.diagnostics import Finding, Path, Severity, rule
from compiler.model import Deployment, SkinDef, TargetDef
from compiler.plan.verdicts import is_active

# Section -> what references call its entries. Targets and groups have codes of their own.
_SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "providers": ("provider",),
    "prices": ("price",),
    "profiles": ("profile",),
    "phase_rules": ("set of phase rules",),
    "limits": ("set of limits",),
    "projects": ("project",),
    "evidence": ("evidence",),
    "clients": ("client", "client with a profile"),
}


@rule("IL320", Severity.WARNING)
def unused(deployment: Deployment) -> Iterator[Finding]:
    """Nothing names this provider, price, profile, set of rules or limits, project or evidence.

    Dead lines mislead the reviewer, who believes that they matter.

    Bad:

        prices:
          big: {input: 5, output: 25}
          old: {input: 3, output: 15}     # no target has `price: old`

    Good:

        prices:
          big: {input: 5, output: 25}
    """
    misspelt = {kind for kind, _, _ in unresolved(deployment)}  # they may mean what is unused
    used: dict[str, set[str]] = {}
    for kind, path, name in references(deployment):
        if path[0] != "projects" or kind != "provider":  # a reach is no use
            used.setdefault(kind, set()).add(name)
    for name, kinds in _SECTIONS.items():
        for id_ in () if misspelt.intersection(kinds) else section(deployment, name):
            if not any(id_ in used.get(kind, ()) for kind in kinds):
                yield Finding(
                    (name, id_),
                    f"nothing uses `{id_}` of `{name}`",
                    hint="remove it, or name it where it is meant",
                    on="key",
                )


@rule("IL321", Severity.WARNING)
def idle_target(deployment: Deployment) -> Iterator[Finding]:
    """A target is in no group.

    It can answer nobody; its prices, evidence and credentials are kept up for nothing.

    Bad:

        targets:
          big: {provider: own, model: big, skins: {chat: {}}}
          small: {provider: own, model: small, skins: {chat: {}}}
        groups:
          coder: {surfaces: [chat], members: [{target: small}]}

    Good:

        groups:
          coder: {surfaces: [chat], members: [{target: small}, {target: big, last_resort: true}]}
    """
    members = {m.target for group in deployment.groups.values() for m in group.members}
    for id_ in deployment.targets if members <= set(deployment.targets) else ():
        if id_ not in members:
            yield _idle(("targets", id_), f"the target `{id_}` is in no group", "add it to a group")


@rule("IL322", Severity.WARNING)
def idle_group(deployment: Deployment) -> Iterator[Finding]:
    """Nobody may call a group: no active caller has it.

    It is compiled, listed for nobody, and proven for nobody.

    Bad:

        groups:
          coder: {surfaces: [chat], members: [{target: small}]}
          fast: {surfaces: [chat], members: [{target: small}]}
        callers:
          alice: {groups: [coder], user: alice, project: web, env: dev, limits: all}

    Good:

        callers:
          alice: {groups: [coder, fast], user: alice, project: web, env: dev, limits: all}
    """
    callable_ = {
        group
        for caller in deployment.callers.values()
        if is_active(deployment, caller)
        for group in caller.groups
    }
    for id_ in deployment.groups:
        if id_ not in callable_:
            yield _idle(("groups", id_), f"nobody may call `{id_}`", "give it to a caller")


@rule("IL323", Severity.WARNING)
def idle_default(deployment: Deployment) -> Iterator[Finding]:
    """No caller has the default group, so it never serves anybody.

    It serves requests that name no model, but only those of callers who have it.

    Bad:

        default_group: fast
        callers:
          alice: {groups: [coder], user: alice, project: web, env: dev, limits: all}

    Good:

        default_group: coder
    """
    default = deployment.settings.default_group
    if default in deployment.groups and not any(
        default in caller.groups for caller in deployment.callers.values()
    ):
        yield _idle(
            ("default_group",),
            f"no caller has the default group `{default}`",
            "give it to a caller, or choose another",
            on_key=False,
        )


@rule("IL324", Severity.WARNING)
def field_without_effect(deployment: Deployment) -> Iterator[Finding]:
    """A field says something that the fields beside it rule out.

    `weight` counts only among members of equal standing, which an `ordered` policy never has;
    `image_sources` only with `image` among the inputs; `over` only where the cap has a `max`, or
    `clamp` a context window to shrink to; a default cap and `system_turns` only on Messages;
    budgets only with `control: budget`; `settings.cache` only where a group has `cache: true`.

    Bad:

        policy: {kind: ordered}
        members: [{target: small, weight: 3}, {target: big}]

    Good:

        policy: {kind: weighted}
        members: [{target: small, weight: 3}, {target: big}]
    """
    for id_, group in deployment.groups.items():
        for index, _ in enumerate(group.members if group.kind == "ordered" else ()):
            if deployment.written("groups", id_, "members", index, "weight"):
                yield _idle(
                    ("groups", id_, "members", index, "weight"),
                    f"`weight` has no effect in the policy `{group.kind}`",
                    "use `kind: weighted`, or remove it",
                )
    if deployment.written("settings", "cache") and not any(
        group.cache for group in deployment.groups.values()
    ):
        yield _idle(
            ("settings", "cache"),
            "`cache` has no effect: no group keeps answers",
            "add `cache: true` to a group, or remove it",
        )
    written = dict(written_skins(deployment))
    for path, target, skin in skins(deployment):  # a profile says its part in the skins that use it
        for field, message, hint in _dead_fields(target, skin, written[path]):
            yield _idle((*path, *field), message, hint)


def _dead_fields(
    target: TargetDef, skin: SkinDef, written: Mapping[str, Any]
) -> Iterator[tuple[Path, str, str]]:
    if "image_sources" in written and "image" not in skin.input:
        reason = "`image_sources` has no effect: `image` is not in `input`"
        yield ("image_sources",), reason, "add `image` to `input`, or remove it"
    cap = written.get("output_cap", {})
    shrinks = skin.cap is not None and skin.cap.over == "clamp" and target.context is not None
    if "over" in cap and skin.cap and skin.cap.max is None and not shrinks:
        reason = "`over` has no effect: the cap has no `max`"
        yield ("output_cap", "over"), reason, "add `max`, or remove it"
    if skin.dialect != "messages":
        if "default" in cap:
            reason = f"`default` has no effect: a {skin.dialect} request may come without a cap"
            yield ("output_cap", "default"), reason, "remove it; only Messages requires a cap"
        if written.get("system_turns") == "fold":
            reason = f"`system_turns` has no effect on a {skin.dialect} skin"
            yield ("system_turns",), reason, "remove it; it is about Messages"
    reasoning = written.get("reasoning", {})
    for field in ("min_budget", "max_budget"):
        if field in reasoning and skin.reasoning and skin.reasoning.control != "budget":
            reason = f"`{field}` has no effect with `control: {skin.reasoning.control}`"
            yield ("reasoning", field), reason, "use `control: budget`, or remove it"


def _idle(path: Iterable[str | int], message: str, hint: str, *, on_key: bool = True) -> Finding:
    return Finding(tuple(path), message, hint=hint, on="key" if on_key else "value")
