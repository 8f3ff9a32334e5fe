"""4xx: requests nobody answers, promises that do not hold, routes that lead nowhere.

Every verdict is the plan's; here it is only put into words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from compiler.diagnostics import Finding, Severity, did_you_mean, rule
from compiler.model import Deployment, GroupDef, Promise
from compiler.plan import Plan, Verdict
from compiler.plan.paths import TITLES
from compiler.plan.verdicts import active_callers, hosted_policy, reaches_of
from runtime.eligibility import has
from runtime.selection import is_offered
from runtime.vocabulary import ALL_LEVELS, Route, words

_LARGEST_LISTING = 1024 * 1024  # Codex reads no more of a catalog

Check = Callable[[Deployment, Plan], Iterable[Finding]]


@rule("IL401")
def promise_broken(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A promise does not hold: some request of the client finds fewer targets than promised.

    Each promise is proven for every shape the client sends, and within the reach of every project
    whose callers use that client, and in every phase of the group. A title request that fails does
    no harm: that is a warning.

    Bad:

        groups:
          coder:
            surfaces: [chat]
            members: [{target: small}]     # a target without `tools: [function]`
            promise: {opencode: 1}

    Good:

        groups:
          coder:
            surfaces: [chat]
            members: [{target: small}, {target: big}]     # `big` has tools
            promise: {opencode: 1}
    """
    for group, promise in _promises(deployment):
        callers = active_callers(deployment, plan.tables, group.id)
        reaches = reaches_of(plan.tables, callers, promise.client)
        broken: dict[tuple[str, str], list[Verdict]] = {}
        for verdict in _verdicts_of(plan, group, promise):
            if verdict.reach in reaches and len(verdict.answered) < promise.depth:
                broken.setdefault((verdict.shape.name, verdict.reach), []).append(verdict)
        for verdicts in broken.values():
            yield _broken(plan, promise, verdicts)


@rule("IL402")
def promise_on_closed_surface(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A group promises a client something on a surface that the group does not open.

    The client speaks one dialect only, so every one of its requests would be refused.

    Bad:

        surfaces: [chat]
        promise: {codex: 1}

    Good:

        surfaces: [chat, responses]
        promise: {codex: 1}
    """
    for group, promise in _promises(deployment):
        client = plan.clients.get(promise.client)
        if client is not None and client.surface not in group.surfaces:
            yield Finding(
                ("groups", group.id, "promise", promise.client),
                f"`{promise.client}` speaks {TITLES[client.surface]}, "
                f"which `{group.id}` does not open",
                hint=f"add `{client.surface}` to its surfaces, or drop the promise",
                on="key",
            )


@rule("IL403")
def unknown_promised_shape(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A promise names a shape that its client does not send.

    Nothing would be proven, while the promise reads as if something were.

    Bad:

        promise: {codex: {depth: 1, shapes: [picture]}}

    Good:

        promise: {codex: {depth: 1, shapes: [image]}}
    """
    for group, promise in _promises(deployment):
        client = plan.clients.get(promise.client)
        known = [shape.name for shape in client.shapes] if client else []
        for index, name in enumerate(promise.shapes):
            if client and name not in known:
                yield Finding(
                    ("groups", group.id, "promise", promise.client, "shapes", index),
                    f"`{promise.client}` sends no shape `{name}`",
                    hint=did_you_mean(name, known),
                )


@rule("IL404")
def surface_without_path(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A group opens a surface on which it has no path to any of its targets.

    Every request there would be refused.

    Bad:

        surfaces: [chat, responses]
        members: [{target: small}]     # has a `chat` skin alone, and no bridge to it

    Good:

        surfaces: [chat]
        members: [{target: small}]
    """
    for (group, surface), paths in plan.tables.paths.items():
        if paths.routes:
            continue
        place = deployment.groups[group].surfaces.index(surface)
        title = TITLES[surface]
        yield Finding(
            ("groups", group, "surfaces", place),
            f"no target of `{group}` can be reached on {title}",
            hint=f"add a member with a `{surface}` skin, or close the surface",
        )


@rule("IL405", Severity.WARNING)
def member_never_eligible(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A member of a group that no request can ever reach.

    It has no path on any surface of the group, or no project whose callers use the group may
    reach its provider, or its `only_when` asks for what no request it could answer needs: a
    feature its own skins lack, two reasoning levels, or a hosted tool that the deployment prefers
    or strips, which is then never a need.

    Bad:

        groups:
          coder:
            surfaces: [messages]
            members: [{target: opus}, {target: small}]     # `small` has a `chat` skin alone

    Good:

        groups:
          coder:
            surfaces: [messages]
            members: [{target: opus}]
    """
    for group in deployment.groups.values():
        callers = active_callers(deployment, plan.tables, group.id)
        reaches = reaches_of(plan.tables, callers)
        allowed = {p for reach in reaches for p in plan.tables.reaches[reach]}
        for index, member in enumerate(group.members):
            why = _why_never(plan, group, member.target, allowed if reaches else None)
            if why:
                named = group.kind != "phases"
                yield Finding(
                    ("groups", group.id, *(("members", index) if named else ("phases",))),
                    f"`{member.target}` can never answer in `{group.id}`",
                    label=why,
                    hint="take it out, or give it a path",
                )


@rule("IL406", Severity.WARNING)
def level_nowhere_offered(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A reasoning level is to be advertised, but no group offers it.

    A level is advertised only where a target has it natively, not by `map`, for the requests the
    clients usually send.

    Bad:

        reasoning: {levels: {low: Quick, max: The deepest}}     # no skin lists `max`

    Good:

        reasoning: {levels: {low: Quick}}
    """
    offered = {level for offer in plan.offers.values() for level in offer.levels}
    for level in deployment.settings.levels if plan.offers else ():
        if level not in offered:
            yield Finding(
                ("reasoning", "levels", level),
                f"no group offers the level `{level}`",
                hint="list it in the `reasoning.levels` of a skin that takes it, or drop it here",
                on="key",
            )


@rule("IL407", Severity.WARNING)
def default_level_not_offered(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A group's default level is offered on none of its surfaces, so clients see another default.

    The default of the listing must be a level that the listing offers.

    Bad:

        reasoning: {default: max}     # no member takes `max`

    Good:

        reasoning: {default: medium}
    """
    for group in deployment.groups.values():
        default = group.reasoning_default
        offers = [offer for (name, _, _), offer in plan.offers.items() if name == group.id]
        if default and offers and not any(default in offer.levels for offer in offers):
            yield Finding(
                ("groups", group.id, "reasoning", "default"),
                f"`{group.id}` offers the level `{default}` on none of its surfaces",
                hint="choose a level that a member takes natively and `reasoning.levels` names",
            )


@rule("IL408")
def listing_too_large(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """The model list of a caller is larger than 1 MiB, which Codex refuses to read.

    Mostly it is own `base_instructions` times many groups and aliases.

    Bad:

        callers:
          alice: {groups: [g1, g2, g3, ...]}     # 300 groups

    Good:

        callers:
          alice: {groups: [g1, g2]}
    """
    for caller in deployment.callers.values():
        listing = plan.listings.get(plan.callers[caller.id].listing or "")
        if listing is not None and (size := len(listing.text.encode())) > _LARGEST_LISTING:
            yield Finding(
                ("callers", caller.id, "groups"),
                f"the model list of `{caller.id}` has {size} bytes, "
                f"{size - _LARGEST_LISTING} more than clients read",
                hint="give the caller fewer groups, or shorten their `codex.base_instructions`",
            )


@rule("IL409")
def ambiguous_tag(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """Two targets with stateful skins share the six digits that mark their answers.

    A continued answer could then not be told apart; the digits come from the target's id.

    Bad:

        targets:
          a1: {...}     # happens to share its digits with b7

    Good:

        targets:
          a2: {...}
    """
    seen: dict[str, str] = {}
    for target in deployment.targets.values():
        if any(skin.stateful for skin in target.skins.values()):
            other = seen.setdefault(plan.tables.targets[target.id].tag, target.id)
            if other != target.id:
                yield Finding(
                    ("targets", target.id),
                    f"answers of `{target.id}` could not be told from those of `{other}`",
                    hint="rename one of the two targets",
                    on="key",
                )


@rule("IL410", Severity.WARNING)
def group_out_of_reach(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A caller may name a group of which its project may reach no target.

    Every request would be refused, though the group stands in the caller's model list.

    Bad:

        projects: {vault: {providers: [gpu]}}
        callers: {bob: {project: vault, groups: [coder]}}     # `coder` has no target on `gpu`

    Good:

        projects: {vault: {providers: [gpu, anthropic]}}
        callers: {bob: {project: vault, groups: [coder]}}
    """
    for caller in deployment.callers.values():
        reach = plan.tables.reach_of[caller.project]
        for index, group in enumerate(caller.groups):
            if not _reaches_anything(plan, deployment.groups[group], reach):
                yield Finding(
                    ("callers", caller.id, "groups", index),
                    f"project `{caller.project}` may reach no target of `{group}`",
                    hint=f"widen the project's providers, or take `{group}` from the caller",
                )


@rule("IL411", Severity.WARNING)
def client_unanswered(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A caller uses a client that a group of theirs cannot answer.

    The group opens the client's surface, but within the reach of the caller's project nobody
    answers some request this client sends as a matter of course. What a group promises is proven
    anyhow (IL401); here is what it does not.

    Bad:

        groups:
          notes: {surfaces: [chat], members: [{target: small}]}     # `small` has no tools
        callers:
          alice: {groups: [notes], clients: [opencode]}

    Good:

        groups:
          notes: {surfaces: [chat], members: [{target: small}]}
        callers:
          alice: {groups: [notes], clients: [aider]}
    """
    unanswered = _unanswered(plan)
    for caller in deployment.callers.values():
        reach = plan.tables.reach_of[caller.project]
        for index, client in enumerate(caller.clients or ()):
            for group in caller.groups:
                if verdict := unanswered.get((group, client, reach)):
                    label, hint = _nearest(verdict)
                    yield Finding(
                        ("callers", caller.id, "clients", index),
                        f"nobody answers `{client}/{verdict.shape.name}` in `{group}`, "
                        f"which `{caller.id}` may call",
                        label=label,
                        hint=f"{hint}; or take `{client}` or `{group}` from the caller",
                    )


@rule("IL412", Severity.WARNING)
def client_without_group(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A caller's clients and groups do not meet: no surface in common.

    A client speaks one dialect. Either none of the caller's groups opens it, or a group of theirs
    opens none that their clients speak.

    Bad:

        groups:
          notes: {surfaces: [chat], members: [{target: small}]}
        callers:
          alice: {groups: [notes], clients: [aider, codex]}     # Codex speaks Responses

    Good:

        callers:
          alice: {groups: [notes], clients: [aider]}
    """
    surfaces = {group.id: frozenset(group.surfaces) for group in deployment.groups.values()}
    for caller in deployment.callers.values():
        if not caller.clients or not caller.groups:
            continue
        spoken = [_spoken(plan, client) for client in caller.clients]
        opened = frozenset[str]().union(*(surfaces[group] for group in caller.groups))
        for index, client in enumerate(caller.clients):
            if opened.isdisjoint(spoken[index]):
                (surface,) = spoken[index]  # who may speak any dialect speaks one of these
                yield Finding(
                    ("callers", caller.id, "clients", index),
                    f"`{client}` speaks {TITLES[surface]}, which no group of `{caller.id}` opens",
                    hint="take it out, or open that surface in one of the groups",
                )
        for index, group in enumerate(caller.groups):
            if surfaces[group].isdisjoint(frozenset[str]().union(*spoken)):
                yield Finding(
                    ("callers", caller.id, "groups", index),
                    f"no client of `{caller.id}` speaks a dialect that `{group}` opens",
                    hint="take the group out, or name a client for it in `clients`",
                )


@rule("IL413", Severity.WARNING)
def promise_to_nobody(deployment: Deployment, plan: Plan) -> Iterator[Finding]:
    """A group promises a client something, and no active caller of it uses that client.

    A promise is proven within the reach of those who use it; for nobody, nothing is proven, while
    it reads as if it were.

    Bad:

        groups:
          coder: {surfaces: [chat], promise: {opencode: 2}, members: [{target: small}]}
        callers:
          alice: {groups: [coder], clients: [aider]}

    Good:

        callers:
          alice: {groups: [coder], clients: [aider, opencode]}
    """
    for group, promise in _promises(deployment):
        callers = active_callers(deployment, plan.tables, group.id)
        known = promise.client in plan.clients
        if callers and known and not reaches_of(plan.tables, callers, promise.client):
            yield Finding(
                ("groups", group.id, "promise", promise.client),
                f"`{group.id}` promises `{promise.client}` {_targets(promise.depth)}, "
                "and no caller of it uses that client: nothing is proven",
                hint=f"add `{promise.client}` to the `clients` of a caller, or drop the promise",
                on="key",
            )


CHECKS: Final[tuple[Check, ...]] = (
    promise_broken,
    promise_on_closed_surface,
    unknown_promised_shape,
    surface_without_path,
    member_never_eligible,
    level_nowhere_offered,
    default_level_not_offered,
    listing_too_large,
    ambiguous_tag,
    group_out_of_reach,
    client_unanswered,
    client_without_group,
    promise_to_nobody,
)


def _promises(deployment: Deployment) -> Iterator[tuple[GroupDef, Promise]]:
    for group in deployment.groups.values():
        for promise in group.promises:
            yield group, promise


def _verdicts_of(plan: Plan, group: GroupDef, promise: Promise) -> Iterator[Verdict]:
    for verdict in plan.verdicts_of.get(group.id, ()):
        named = verdict.shape.core or verdict.shape.name in promise.shapes
        if verdict.client == promise.client and named:
            yield verdict


def _spoken(plan: Plan, client: str) -> frozenset[str]:
    """The dialects of a client; one without a profile may speak any."""
    profile = plan.clients.get(client)
    return frozenset(TITLES) if profile is None else frozenset({profile.surface})


def _unanswered(plan: Plan) -> dict[tuple[str, str, str], Verdict]:
    """By (group, client, reach) a core request nobody answers and nothing promises."""
    groups = plan.deployment.groups
    promised = {(g.id, promise.client) for g in groups.values() for promise in g.promises}
    found: dict[tuple[str, str, str], Verdict] = {}
    for verdicts in plan.verdicts_of.values():
        for verdict in verdicts:
            unpromised = (verdict.group, verdict.client) not in promised
            if unpromised and not verdict.shape.harmless and not verdict.answered:
                found.setdefault((verdict.group, verdict.client, verdict.reach), verdict)
    return found


def _broken(plan: Plan, promise: Promise, verdicts: list[Verdict]) -> Finding:
    """Which shape, how many targets, who comes nearest and what exactly it lacks."""
    worst = min(verdicts, key=lambda verdict: len(verdict.answered))
    found = len(worst.answered) or "none"
    sent = f"`{promise.client}/{worst.shape.name}`"
    phases = ", ".join(f"`{verdict.phase}`" for verdict in verdicts if verdict.phase)
    label, hint = _nearest(worst)
    return Finding(
        ("groups", worst.group, "promise", promise.client),
        f"`{worst.group}` promises {_targets(promise.depth)} for {sent}"
        f"{f' in phase {phases}' if phases else ''}, "
        f"and has {found} within reach of {_projects(plan, worst)}",
        label=label,
        hint=hint,
        severity=Severity.WARNING if worst.shape.harmless else None,
        on="key",
    )


def _nearest(verdict: Verdict) -> tuple[str, str]:
    if verdict.refused:
        words = ", ".join(word.removeprefix("hosted:") for word in verdict.refused)
        label = f"`settings.hosted_tools` refuses {words}, which this client sends"
        return label, f"set `settings.hosted_tools.{verdict.refused[0][7:]}` to prefer or strip"
    if not verdict.choice.excluded:
        return "the group has no other member", "add members, or lower the depth"
    nearest = min(verdict.choice.excluded, key=lambda out: (not is_offered(out), len(out.reasons)))
    reasons = ", ".join(nearest.reasons)
    return f"nearest is `{nearest.target}`: {reasons}", _advice(nearest.reasons[0])


# How a reason begins -> what to do about it.
_ADVICE: Final = (
    (
        "lacks-hosted:",
        "set the tool's `settings.hosted_tools` to prefer or strip, or add a target that has it",
    ),
    (
        "lacks-reasoning.",
        "list or map the level in the skin, or set `reasoning.unsupported: drop` on the group",
    ),
    ("bridge-lacks-", "let the bridge carry it, once it was seen to survive, or add a target"),
    ("no-skin", "add a member with a skin of this dialect, or a bridge to one it has"),
    ("cap-", "use `over: clamp` in the skin's output_cap, or raise its max"),
    ("over-", "raise the limit, or add a target with more room"),
    ("project-forbids-provider", "let the project reach the provider, or narrow callers' clients"),
    ("only-when-", "drop the condition, or add a member without one"),
    ("not-in-phase", "add the target to the phase's list"),
)


def _advice(reason: str) -> str:
    for beginning, advice in _ADVICE:
        if reason.startswith(beginning):
            return advice
    return "add it to the skin if the model has it, add a target that has it, or lower the depth"


def _targets(count: int) -> str:
    return "1 target" if count == 1 else f"{count} targets"


def _projects(plan: Plan, verdict: Verdict) -> str:
    named = [p for p, reach in plan.tables.reach_of.items() if reach == verdict.reach]
    shown = ", ".join(f"`{project}`" for project in named[:3])
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"project{'s' if len(named) > 1 else ''} {shown}{more}"


def _why_never(plan: Plan, group: GroupDef, target: str, allowed: set[str] | None) -> str:
    provider = plan.tables.targets[target].provider
    if allowed is not None and provider not in allowed:
        return f"no project that uses the group may reach `{provider}`"
    here = [plan.tables.paths[group.id, surface] for surface in group.surfaces]
    routes = [route for paths in here for route in paths.routes if route.target == target]
    if routes:
        return "" if any(_can_hold(plan, group, route) for route in routes) else _NEVER_HOLDS
    details = {out.detail for paths in here for out in paths.out if out.target == target}
    return "; ".join(sorted(details))


_NEVER_HOLDS: Final = "no request it could answer meets its `only_when`"


def _can_hold(plan: Plan, group: GroupDef, route: Route) -> bool:
    """Whether some request that the route can answer needs all its conditions name."""
    conditions = route.only_when
    met = has(route) | (ALL_LEVELS if group.unsupported == "drop" else 0)
    needed = (hosted_policy(plan.tables.settings, word) == "need" for word in words(conditions))
    return not conditions & ~met and (conditions & ALL_LEVELS).bit_count() <= 1 and all(needed)


def _reaches_anything(plan: Plan, group: GroupDef, reach: str) -> bool:
    providers = plan.tables.reaches[reach]
    return any(
        plan.tables.targets[route.target].provider in providers
        for surface in group.surfaces
        for route in plan.tables.paths[group.id, surface].routes
    )
