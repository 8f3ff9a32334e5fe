"""Shapes to the frozen Deployment: profiles merged, defaults written out; judges nothing.

A name that leads nowhere stays a name, so that the checks can report all of them at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from compiler.diagnostics import Finding, Path, Report, rule
from compiler.model import (
    Bridge,
    BudgetDef,
    CallerDef,
    ClientProfile,
    ClientShape,
    Deployment,
    Evidence,
    GroupDef,
    LimitDef,
    Member,
    PhaseRules,
    PriceEntry,
    Project,
    Promise,
    SkinDef,
    TargetDef,
    TokenDef,
)
from compiler.schema import (
    BridgeShape,
    BudgetShape,
    CallerShape,
    ClientShapeOf,
    DeploymentShape,
    EvidenceShape,
    GroupShape,
    LimitShape,
    OutputCap,
    PhaseRulesShape,
    PriceShape,
    ProjectShape,
    PromiseShape,
    ProviderShape,
    SkinReasoning,
    SkinShape,
    TargetShape,
)
from compiler.source import Document
from runtime.vocabulary import (
    LEVELS,
    Cache,
    Cap,
    Cooldown,
    ErrorRow,
    Images,
    Limits,
    PhaseRule,
    Price,
    Provider,
    Reasoning,
    Settings,
    Timeouts,
    Trace,
)

PATHS: Final = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages"}
# Messages and Responses have one field for the cap; Chat has two, so it must be named there.
CAP_FIELDS: Final = {"messages": "max_tokens", "responses": "max_output_tokens"}
NO_DATE: Final = dt.date(1970, 1, 1)

A = TypeVar("A")
B = TypeVar("B")


def resolve(shape: DeploymentShape, document: Document, report: Report) -> Deployment | None:
    """The deployment, or None when a merged skin lacks what it cannot do without."""
    profiles = cast("dict[str, dict[str, Any]]", document.data.get("profiles", {}))
    targets: dict[str, TargetDef] = {}
    for name, target in shape.targets.items():
        raw = document.data["targets"][name]["skins"]
        skins = {d: SkinShape.model_validate(merged(raw[d], profiles)) for d in raw}
        report.run(incomplete_skin, name, skins)
        targets[name] = _target(name, target, skins)
    if not report.clean:
        return None
    providers = _each(shape.providers, _provider)
    return Deployment(
        file=document.file,
        source=document.text.encode(),
        name=shape.name,
        as_of=shape.as_of or newest_date(shape),
        settings=_settings(shape),
        evidence_max_age_days=shape.settings.evidence.max_age_days,
        evidence_required=shape.settings.evidence.require,
        providers=providers,
        prices=_each(shape.prices, _price),
        targets=targets,
        groups=_each(shape.groups, _group),
        phase_rules=_each(shape.phase_rules, _phase_rules),
        limits=_each(shape.limits, _limit),
        projects=_each(shape.projects, lambda id_, p: _project(id_, p, providers)),
        callers=_each(shape.callers, _caller),
        evidence=_each(shape.evidence, _evidence),
        clients=_each(shape.clients, _client),
        document=document.data,
    )


def merged(skin: Mapping[str, Any], profiles: Mapping[str, Any]) -> dict[str, Any]:
    """A skin laid over its profiles: later ones win over earlier, the skin over all."""
    return _laid_over_profiles(skin, profiles, ())


def uses(skin: Mapping[str, Any]) -> list[str]:
    """The profiles a skin or profile begins with, as a list."""
    named = skin.get("use", [])
    return [named] if isinstance(named, str) else list(named)


def newest_date(shape: DeploymentShape) -> dt.date:
    """What stands in for `as_of`: the newest date that somebody wrote of something they saw."""
    seen = [e.verified for e in shape.evidence.values()]
    seen += [p.as_of for p in shape.prices.values() if p.as_of]
    return max(seen, default=NO_DATE)


@rule("IL301")
def incomplete_skin(target: str, skins: Mapping[str, SkinShape]) -> Iterator[Finding]:
    """A skin, merged with its profiles, lacks a field it cannot do without.

    `reasoning` needs its `control`, for a level cannot be written without knowing the form. The
    `output_cap` of a Chat skin needs its `field`, for Chat has two: `max_tokens`, and
    `max_completion_tokens` for models that refuse the former.

    Bad:

        chat:
          output_cap: {max: 8192}
          reasoning: {levels: [low, high]}

    Good:

        chat:
          output_cap: {field: max_tokens, max: 8192}
          reasoning: {control: effort, levels: [low, high]}
    """
    for dialect, skin in skins.items():
        path: Path = ("targets", target, "skins", dialect)
        where = f"the `{dialect}` skin of `{target}`"
        if skin.reasoning and not skin.reasoning.control:
            yield Finding(
                (*path, "reasoning"),
                f"the reasoning of {where} has no `control`",
                hint="add `control: effort`, `budget`, `adaptive` or `toggle`",
                on="key",
            )
        if skin.output_cap and not (skin.output_cap.field or dialect in CAP_FIELDS):
            yield Finding(
                (*path, "output_cap"),
                f"the output cap of {where} has no `field`",
                hint="add `field: max_tokens`, or `max_completion_tokens` for newer models",
                on="key",
            )


# --- one function per noun ---------------------------------------------------------------------


def _each(shapes: Mapping[str, A], resolved: Callable[[str, A], B]) -> dict[str, B]:
    return {id_: resolved(id_, shape) for id_, shape in shapes.items()}


def _settings(shape: DeploymentShape) -> Settings:
    own = shape.settings
    return Settings(
        name=shape.name,
        description=shape.description or "",
        public_url=shape.public_url.rstrip("/") if shape.public_url else None,
        default_group=shape.default_group,
        trace=Trace(own.trace.prefix, own.trace.show_upstream, own.trace.body),
        images=Images(
            url_schemes=tuple(own.images.url_schemes),
            inline_types=tuple(own.images.inline_types),
            max_count=own.images.max_count,
            max_bytes=own.images.max_bytes,
        ),
        body_limit=own.body_limit,
        no_eligible_status=own.no_eligible_status,
        cache=Cache(own.cache.max_bytes, own.cache.ttl),
        keepalive=own.keepalive,
        docs=own.docs,
        hosted_tools=dict(own.hosted_tools),
        levels=_by_level(shape.reasoning.levels),
        budgets=_by_level(shape.reasoning.budgets),
    )


def _by_level(values: Mapping[Any, A]) -> dict[str, A]:
    """Levels have an order of their own, whatever the author's."""
    return {level: values[level] for level in LEVELS if level in values}


def _price(_: str, shape: PriceShape) -> PriceEntry:
    price = Price(
        input=float(shape.input),
        output=float(shape.output),
        cache_read=float(shape.input if shape.cache_read is None else shape.cache_read),
        cache_write=float(shape.input if shape.cache_write is None else shape.cache_write),
        image=float(shape.image),
        image_tokens=None if shape.image_tokens is None else float(shape.image_tokens),
    )
    return PriceEntry(price, shape.source, shape.as_of)


def _provider(id_: str, shape: ProviderShape) -> Provider:
    waits, cooldown = shape.timeouts, shape.cooldown
    return Provider(
        base_url=shape.base_url.rstrip("/"),
        auth=shape.auth if isinstance(shape.auth, str) else shape.auth.header,
        key_env=shape.key_env,
        key_file=shape.key_file,
        key_id=shape.key_id,
        region=shape.region,
        continuity=shape.continuity or id_,
        headers=tuple(shape.headers.items()),
        timeouts=Timeouts(waits.connect, waits.first_byte, waits.idle, waits.total),
        cooldown=Cooldown(cooldown.failures, cooldown.base, cooldown.max),
        max_in_flight=shape.max_in_flight,
        errors=tuple(ErrorRow(row.status, row.code, row.class_) for row in shape.errors),
        transport=shape.transport,
    )


def _target(id_: str, shape: TargetShape, skins: Mapping[str, SkinShape]) -> TargetDef:
    return TargetDef(
        id=id_,
        provider=shape.provider,
        model=shape.model,
        context=shape.context,
        price=shape.price,
        tags=tuple(shape.tags),
        skins={dialect: _skin(dialect, shape.model, skin) for dialect, skin in skins.items()},
    )


def _skin(dialect: str, model: str, shape: SkinShape) -> SkinDef:
    betas = shape.betas if isinstance(shape.betas, str) else tuple(shape.betas)
    limits = shape.limits
    return SkinDef(
        dialect=dialect,
        path=shape.path or PATHS[dialect],
        model=shape.model or model,
        stream=shape.stream,
        input=tuple(shape.input),
        image_sources=tuple(shape.image_sources) if "image" in shape.input else (),
        tools=tuple(shape.tools),
        structured=tuple(shape.structured),
        extras=tuple(shape.extras),
        reasoning=_reasoning(shape.reasoning) if shape.reasoning else None,
        cap=_cap(dialect, shape.output_cap) if shape.output_cap else None,
        stateful=shape.stateful,
        store=shape.store,
        prefill=shape.prefill,
        system_turns=shape.system_turns or ("keep" if betas == "pass" else "fold"),
        prompt_cache=shape.prompt_cache,
        tool_schemas=shape.tool_schemas,
        drop=tuple(shape.drop),
        patch=dict(shape.patch),
        betas=betas,
        limits=Limits(
            body_bytes=limits.body_bytes,
            input_tokens=limits.input_tokens,
            tool_schema_bytes=limits.tool_schema_bytes,
            tools=limits.tools,
            images=limits.images,
        ),
        only_when=tuple(shape.only_when),
        evidence=shape.evidence,
        bridges={name: _bridge(name, bridge) for name, bridge in shape.bridges.items()},
    )


def _bridge(name: str, shape: BridgeShape) -> Bridge:
    speaks, _, leads_to = name.partition("_to_")
    return Bridge(name, speaks, leads_to, tuple(shape.carry), shape.evidence)


def _reasoning(shape: SkinReasoning) -> Reasoning:
    return Reasoning(
        control=shape.control or "effort",
        levels=tuple(level for level in LEVELS if level in shape.levels),
        map=tuple(_by_level(shape.map).items()),
        default=shape.default,
        min_budget=shape.min_budget,
        max_budget=shape.max_budget,
        summaries=shape.summaries,
        echo=shape.echo,
        field=shape.field,
        rejects=tuple(shape.rejects),
    )


def _cap(dialect: str, shape: OutputCap) -> Cap:
    return Cap(
        field=shape.field or CAP_FIELDS.get(dialect, ""),
        min=shape.min,
        max=shape.max,
        over=shape.over,
        honored=shape.honored,
        default=shape.default,
    )


def _group(id_: str, shape: GroupShape) -> GroupDef:
    phases = {phase: tuple(targets) for phase, targets in (shape.phases or {}).items()}
    union = dict.fromkeys(target for targets in phases.values() for target in targets)
    members = tuple(
        Member(
            target=member.target,
            weight=member.weight,
            last_resort=member.last_resort,
            only_when=tuple(member.only_when),
            skins=tuple(member.skins) if member.skins else None,
        )
        for member in shape.members or ()
    )
    return GroupDef(
        id=id_,
        title=shape.title or id_,
        about=shape.about or "",
        purpose=shape.purpose,
        surfaces=tuple(shape.surfaces),
        aliases=tuple(shape.aliases),
        members=members or tuple(Member(target) for target in union),
        kind=shape.policy.kind,
        attempts=shape.policy.attempts,
        attempt_timeout=shape.policy.attempt_timeout,
        total_timeout=shape.policy.total_timeout,
        phases=phases,
        phase_rules=shape.phase_rules,
        reasoning_default=shape.reasoning.default,
        unsupported=shape.reasoning.unsupported,
        sticky=shape.sticky,
        cache=shape.cache,
        baseline=shape.baseline,
        promises=tuple(_promise(client, told) for client, told in shape.promise.items()),
        codex=shape.codex.model_dump(exclude_unset=True),
    )


def _promise(client: str, told: int | PromiseShape) -> Promise:
    if isinstance(told, int):
        return Promise(client, told)
    return Promise(client, told.depth, tuple(told.shapes))


def _phase_rules(_: str, shape: PhaseRulesShape) -> PhaseRules:
    rules = tuple(
        PhaseRule(
            phase=r.phase,
            last_user=r.last_user,
            max_chars=r.max_chars,
            after_tools=r.after_tools,
            min_input_tokens=r.min_input_tokens,
        )
        for r in shape.rules
    )
    return PhaseRules(rules, dict(shape.examples))


def _limit(_: str, shape: LimitShape) -> LimitDef:
    return LimitDef(
        rpm=shape.rpm,
        tpm=shape.tpm,
        concurrent=shape.concurrent,
        day=_budget(shape.day),
        month=_budget(shape.month),
        reserve_output=shape.reserve_output or 0,
    )


def _budget(shape: BudgetShape) -> BudgetDef:
    usd = None if shape.usd is None else float(shape.usd)
    return BudgetDef(shape.requests, shape.tokens, usd)


def _project(id_: str, shape: ProjectShape, providers: Mapping[str, Provider]) -> Project:
    named = shape.providers or list(providers)
    regions = tuple(shape.regions) if shape.regions else None
    allowed = tuple(
        name
        for name in named
        if name in providers and (regions is None or providers[name].region in regions)
    )
    return Project(id_, allowed, regions, shape.limits)


def _caller(id_: str, shape: CallerShape) -> CallerDef:
    return CallerDef(
        id=id_,
        user=shape.user,
        project=shape.project,
        env=shape.env,
        groups=tuple(shape.groups),
        limits=shape.limits,
        clients=tuple(shape.clients) if shape.clients else None,
        roles=tuple(shape.roles),
        status=shape.status,
        expires=shape.expires,
        tokens=tuple(TokenDef(t.id, t.sha256, t.status, t.expires) for t in shape.tokens),
    )


def _evidence(_: str, shape: EvidenceShape) -> Evidence:
    return Evidence(shape.verified, shape.by, dict(shape.clients), shape.note or "")


def _client(id_: str, shape: ClientShapeOf) -> ClientProfile:
    shapes = tuple(
        ClientShape(
            name=request.name,
            needs=tuple(request.needs),
            prefers=tuple(request.prefers),
            cap=request.cap,
            input_tokens=request.input_tokens,
        )
        for request in shape.shapes
    )
    return ClientProfile(id_, shape.surface, shapes)


def _laid_over_profiles(
    skin: Mapping[str, Any], profiles: Mapping[str, Any], above: tuple[str, ...]
) -> dict[str, Any]:
    """`above` are the profiles on the way here: a circle is cut, and reported by its check."""
    result: dict[str, Any] = {}
    for name in uses(skin):
        if name in profiles and name not in above:
            _lay(result, _laid_over_profiles(profiles[name], profiles, (*above, name)))
    _lay(result, skin)
    return result


def _lay(result: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Mappings merge key by key; lists and scalars replace."""
    for key, value in over.items():
        if isinstance(value, dict):
            below = result.get(key)
            result[key] = dict(below) if isinstance(below, dict) else {}
            _lay(result[key], value)
        else:
            result[key] = value
