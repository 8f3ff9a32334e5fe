"""3xx: names that lead nowhere, names that hide one another, and what belongs to nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from compiler.checks.walk import named, section, written_skins
from compiler.clients import BUILT_IN
from compiler.diagnostics import Finding, Path, Severity, did_you_mean, rule
from compiler.model import Deployment, GroupDef
from runtime.names import is_glob

# A client with a recipe and no profile: it sends what its user writes.
UNPROFILED: Final = ("curl",)

Reference = tuple[str, Path, str]  # what kind of thing is named, where, and its name


@rule("IL302")
def unknown_name(deployment: Deployment) -> Iterator[Finding]:
    """A name leads to nothing: no such target, provider, profile, price, limit …

    Names are looked up in the sections of this file; nothing is looked up anywhere else.

    Bad:

        groups:
          coder: {surfaces: [chat], members: [{target: smal}]}

    Good:

        groups:
          coder: {surfaces: [chat], members: [{target: small}]}
    """
    known = known_names(deployment)
    for kind, path, name in unresolved(deployment):
        hint = did_you_mean(name, known[kind])
        yield Finding(
            path,
            f"there is no {kind} `{name}`",
            hint=hint or f"add it, or remove it here: no {kind} is declared",
            on="key" if path[-1] == name else "value",
        )


def unresolved(deployment: Deployment) -> Iterator[Reference]:
    """The references that lead nowhere."""
    known = known_names(deployment)
    for reference in references(deployment):
        kind, _, name = reference
        if name not in known[kind]:
            yield reference


def known_names(deployment: Deployment) -> dict[str, Collection[str]]:
    """What there is, by the kind a reference calls it."""
    profiled = [*BUILT_IN, *deployment.clients]
    return {
        "provider": deployment.providers,
        "price": deployment.prices,
        "target": deployment.targets,
        "profile": section(deployment, "profiles"),
        "group": deployment.groups,
        "set of phase rules": deployment.phase_rules,
        "set of limits": deployment.limits,
        "project": deployment.projects,
        "evidence": deployment.evidence,
        "client with a profile": profiled,
        "client": [*profiled, *UNPROFILED],
    }


def references(deployment: Deployment) -> Iterator[Reference]:
    """Every name in the file that stands for something declared elsewhere."""
    data = deployment.document
    yield from _of("group", data, (), "default_group")
    for id_, target in section(deployment, "targets").items():
        yield from _of("provider", target, ("targets", id_), "provider")
        yield from _of("price", target, ("targets", id_), "price")
    for path, skin in written_skins(deployment):
        yield from _of("profile", skin, path, "use")
        yield from _of("evidence", skin, path, "evidence")
        for name, bridge in skin.get("bridges", {}).items():
            yield from _of("evidence", bridge, (*path, "bridges", name), "evidence")
    for id_, group in section(deployment, "groups").items():
        yield from _of_group(group, ("groups", id_))
    for id_, project in section(deployment, "projects").items():
        yield from _of("provider", project, ("projects", id_), "providers")
        yield from _of("set of limits", project, ("projects", id_), "limits")
    for id_, caller in section(deployment, "callers").items():
        yield from _of("project", caller, ("callers", id_), "project")
        yield from _of("group", caller, ("callers", id_), "groups")
        yield from _of("set of limits", caller, ("callers", id_), "limits")
        yield from _of("client", caller, ("callers", id_), "clients")


def _of_group(group: Mapping[str, Any], path: Path) -> Iterator[Reference]:
    for index, member in enumerate(group.get("members", ())):
        yield from _of("target", member, (*path, "members", index), "target")
    for phase in group.get("phases", {}):
        yield from _of("target", group["phases"], (*path, "phases"), phase)
    yield from _of("set of phase rules", group, path, "phase_rules")
    yield from _of("target", group, path, "baseline")
    for client in group.get("promise", {}):
        yield "client with a profile", (*path, "promise", client), client


def _of(kind: str, holder: Mapping[str, Any], path: Path, field: str) -> Iterator[Reference]:
    for place, name in named(holder.get(field), (*path, field)):
        yield kind, place, name


@rule("IL303")
def profile_cycle(deployment: Deployment) -> Iterator[Finding]:
    """Profiles use one another in a circle.

    Neither could win over the other.

    Bad:

        profiles:
          agent: {use: thinker, stream: native}
          thinker: {use: agent, structured: [json_schema]}

    Good:

        profiles:
          agent: {stream: native}
          thinker: {use: agent, structured: [json_schema]}
    """
    profiles = section(deployment, "profiles")
    for start in profiles:
        for place, used in named(profiles[start].get("use"), ("profiles", start, "use")):
            way = _way_back(profiles, used, start, ())
            if way:
                circle = " → ".join(f"`{name}`" for name in (start, *way))
                yield Finding(
                    place,
                    f"profiles use one another in a circle: {circle}",
                    hint="take one of these `use` away",
                )


def _way_back(
    profiles: Mapping[str, Any], at: str, goal: str, been: tuple[str, ...]
) -> tuple[str, ...]:
    """The profiles from `at` to `goal`; empty when none of its uses leads there."""
    been = (*been, at)
    if at == goal:
        return been
    for _, used in named(profiles.get(at, {}).get("use"), ()):
        if used not in been:
            way = _way_back(profiles, used, goal, been)
            if way:
                return way
    return ()


@rule("IL305")
def alias_is_a_group(deployment: Deployment) -> Iterator[Finding]:
    """A literal alias is the id of a group.

    The id wins for callers of both, and a reader of the listing cannot tell which is meant.

    Bad:

        groups:
          coder: {aliases: [fast], surfaces: [chat], members: [{target: big}]}
          fast: {surfaces: [chat], members: [{target: small}]}

    Good:

        groups:
          coder: {aliases: [thorough], surfaces: [chat], members: [{target: big}]}
          fast: {surfaces: [chat], members: [{target: small}]}
    """
    for group in deployment.groups.values():
        for index, alias in enumerate(group.aliases):
            if alias in deployment.groups:
                yield Finding(
                    ("groups", group.id, "aliases", index),
                    f"the alias `{alias}` of `{group.id}` is the id of a group",
                    hint="choose another alias" if alias != group.id else "remove it",
                )


@rule("IL306", Severity.WARNING)
def alias_shadowed(deployment: Deployment) -> Iterator[Finding]:
    """An alias never decides for callers who have both groups: an earlier group has it too.

    A name is looked up among the caller's own groups, in their order: ids, then literal aliases,
    then globs.

    Bad:

        groups:
          coder: {aliases: ["claude-*"], surfaces: [chat], members: [{target: big}]}
          fast: {aliases: ["claude-haiku-*"], surfaces: [chat], members: [{target: small}]}
        callers:
          alice: {groups: [coder, fast], user: alice, project: web, env: dev, limits: all}

    Good:

        callers:
          alice: {groups: [fast, coder], user: alice, project: web, env: dev, limits: all}
    """
    for names in dict.fromkeys(caller.groups for caller in deployment.callers.values()):
        groups = [deployment.groups[name] for name in names if name in deployment.groups]
        for place, group in enumerate(groups):
            for earlier in groups[:place]:
                yield from _shadowed(earlier, group)


def _shadowed(earlier: GroupDef, later: GroupDef) -> Iterator[Finding]:
    for index, alias in enumerate(later.aliases):
        for other in earlier.aliases:
            # A literal is looked up before any glob; a glob that matches a pattern covers it.
            if alias == other or (is_glob(alias) and fnmatchcase(alias, other)):
                yield Finding(
                    ("groups", later.id, "aliases", index),
                    f"`{alias}` never leads to `{later.id}` for callers who have `{earlier.id}`"
                    f" before it",
                    label=f"`{other}` of `{earlier.id}` comes first",
                    hint="put the narrower group first in `callers.<id>.groups`,"
                    " or remove one of the aliases",
                )


@rule("IL307")
def member_twice(deployment: Deployment) -> Iterator[Finding]:
    """A group names a target twice among its members.

    One of the two rows, with its weight and conditions, would never count.

    Bad:

        members: [{target: small}, {target: big}, {target: small, weight: 2}]

    Good:

        members: [{target: small, weight: 2}, {target: big}]
    """
    for group in deployment.groups.values():
        seen: set[str] = set()
        for index, member in enumerate(group.members):
            if member.target in seen:
                yield Finding(
                    ("groups", group.id, "members", index, "target"),
                    f"`{member.target}` is a member of `{group.id}` twice",
                    hint="keep one of the two",
                )
            seen.add(member.target)


@rule("IL308")
def member_skin(deployment: Deployment) -> Iterator[Finding]:
    """A member is narrowed to a skin that its target does not have.

    The member could never answer by that skin.

    Bad:

        members: [{target: small, skins: [messages]}]     # small has a chat skin only

    Good:

        members: [{target: small, skins: [chat]}]
    """
    for group in deployment.groups.values():
        for index, member in enumerate(group.members):
            target = deployment.targets.get(member.target)
            for place, dialect in enumerate(member.skins or () if target else ()):
                if target and dialect not in target.skins:
                    yield Finding(
                        ("groups", group.id, "members", index, "skins", place),
                        f"`{target.id}` has no `{dialect}` skin",
                        hint=f"it has {_listed(target.skins)}",
                    )


@rule("IL310")
def phases_or_members(deployment: Deployment) -> Iterator[Finding]:
    """A group's policy and its lists do not fit.

    A `phases` group lists its targets under `phases` and names `phase_rules`; its members are the
    union of those lists. Every other policy takes `members`, and no phases.

    Bad:

        coder:
          surfaces: [chat]
          policy: {kind: phases}
          members: [{target: small}]

    Good:

        coder:
          surfaces: [chat]
          policy: {kind: phases}
          phase_rules: default
          phases: {implement: [small]}
    """
    for id_, group in deployment.groups.items():
        needs, refuses = _LISTS[group.kind == "phases"]
        for field in needs:
            if not deployment.written("groups", id_, field):
                yield Finding(
                    ("groups", id_),
                    f"`{id_}` has the policy `{group.kind}` and no `{field}`",
                    hint=f"add `{field}:`",
                    on="key",
                )
        for field in refuses:
            if deployment.written("groups", id_, field):
                yield Finding(
                    ("groups", id_, field),
                    f"`{field}` does not go with the policy `{group.kind}` of `{id_}`",
                    hint=f"remove it, or change the policy: {_listed(needs)} say who answers",
                    on="key",
                )


# Whether a group goes by phases -> the fields it needs, and those that do not go with it.
_LISTS: Final[dict[bool, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    False: (("members",), ("phases", "phase_rules")),
    True: (("phases", "phase_rules"), ("members",)),
}


@rule("IL311")
def phase_without_targets(deployment: Deployment) -> Iterator[Finding]:
    """The rules tell a phase for which the group lists no targets.

    Requests of that phase would find nobody.

    Bad:

        phase_rules:
          default: {rules: [{phase: plan, last_user: design}, {phase: implement}]}
        groups:
          auto: {phases: {implement: [small]}, phase_rules: default, policy: {kind: phases}}

    Good:

        groups:
          auto:
            phases: {plan: [big], implement: [small]}
            phase_rules: default
            policy: {kind: phases}
    """
    for group in deployment.groups.values():
        missing = [phase for phase in _told(deployment, group) if phase not in group.phases]
        if group.phases and missing:
            yield Finding(
                ("groups", group.id, "phases"),
                f"`{group.id}` lists no targets for the phase {_listed(missing)}",
                label=f"`{group.phase_rules}` tells {'it' if len(missing) == 1 else 'them'}",
                hint=f"add `{missing[0]}: [target, …]`",
                on="key",
            )


@rule("IL312", Severity.WARNING)
def phase_never_told(deployment: Deployment) -> Iterator[Finding]:
    """A group lists targets for a phase that its rules never tell.

    The list never counts, while its author believes that such requests get other targets.

    Bad:

        phase_rules:
          default: {rules: [{phase: implement}]}
        groups:
          auto:
            phases: {review: [big], implement: [small]}
            phase_rules: default
            policy: {kind: phases}

    Good:

        groups:
          auto: {phases: {implement: [small]}, phase_rules: default, policy: {kind: phases}}
    """
    for group in deployment.groups.values():
        told = _told(deployment, group)
        for phase in group.phases:
            if told and phase not in told:
                yield Finding(
                    ("groups", group.id, "phases", phase),
                    f"no rule of `{group.phase_rules}` tells the phase `{phase}`",
                    hint=did_you_mean(phase, [p for p in told if p not in group.phases])
                    or "add a rule for it, or remove it",
                    on="key",
                )


def _told(deployment: Deployment, group: GroupDef) -> list[str]:
    rules = deployment.phase_rules.get(group.phase_rules or "")
    return list(dict.fromkeys(rule.phase for rule in rules.rules)) if rules else []


@rule("IL313")
def smoke_for_ordinary_callers(deployment: Deployment) -> Iterator[Finding]:
    """A caller has smoke groups beside production groups.

    Smoke groups isolate a target to test it; a person who can name one will, sooner or later. Give
    tests a caller of their own, with small limits.

    Bad:

        alice: {groups: [coder, vision-smoke], user: alice, project: web, env: dev, limits: all}

    Good:

        alice: {groups: [coder], user: alice, project: web, env: dev, limits: all}
        ci: {groups: [vision-smoke], user: ci, project: web, env: ci, limits: small}
    """
    for caller in deployment.callers.values():
        purposes = [
            deployment.groups[name].purpose if name in deployment.groups else ""
            for name in caller.groups
        ]
        if "production" not in purposes:
            continue
        for index, purpose in enumerate(purposes):
            if purpose == "smoke":
                yield Finding(
                    ("callers", caller.id, "groups", index),
                    f"`{caller.id}` has production groups and the smoke group"
                    f" `{caller.groups[index]}`",
                    hint="give the smoke group to a caller of its own",
                )


@rule("IL314")
def project_reaches_nothing(deployment: Deployment) -> Iterator[Finding]:
    """A project's prompts may travel to no provider at all.

    Its `regions` leave none of its `providers`; a provider without a region is in none.

    Bad:

        providers:
          openai: {base_url: https://api.openai.com/v1, key_env: OPENAI_KEY, region: us}
        projects:
          vault: {regions: [eu]}

    Good:

        projects:
          vault: {regions: [us]}
    """
    for project in deployment.projects.values():
        if not project.providers:
            have = sorted({p.region for p in deployment.providers.values() if p.region})
            yield Finding(
                ("projects", project.id),
                f"`{project.id}` may reach no provider",
                hint=f"the providers are in {_listed(have)}"
                if have
                else "no provider has a region",
                on="key",
            )


@rule("IL315")
def client_built_in(deployment: Deployment) -> Iterator[Finding]:
    """An own client profile has the name of a built-in one.

    The built-in profiles were seen on the wire, and promises are proven with them; a profile of
    the same name would make every promise to that client mean something else.

    Bad:

        clients:
          codex: {surface: responses, shapes: [{name: main, needs: [stream]}]}

    Good:

        clients:
          codex-nightly: {surface: responses, shapes: [{name: main, needs: [stream]}]}
    """
    for id_ in deployment.clients:
        if id_ in BUILT_IN:
            yield Finding(
                ("clients", id_),
                f"`{id_}` is a built-in profile",
                hint="give your own profile another name, and promise that one",
                on="key",
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
