"""The resolved deployment in the words of the artifact: one function per kind of record.

It decides nothing about who may answer what.
"""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from typing import Literal, cast

from msgspec.structs import replace

from compiler.model import (
    BudgetDef,
    CallerDef,
    Deployment,
    GroupDef,
    LimitDef,
    SkinDef,
    TargetDef,
    TokenDef,
)
from compiler.plan.patterns import one_of
from runtime.vocabulary import (
    Budget,
    Caller,
    Group,
    LimitSet,
    PhaseRule,
    Price,
    Skin,
    Target,
    Token,
)


def target_record(target: TargetDef) -> Target:
    """A target with its skins. Its tag outlives the artifact, for it stands in answers' ids."""
    return Target(
        provider=target.provider,
        model=target.model,
        tag=sha256(target.id.encode()).hexdigest()[:6],
        context=target.context,
        price=target.price,
        skins={dialect: skin_record(skin) for dialect, skin in target.skins.items()},
        tags=target.tags,
    )


def skin_record(skin: SkinDef) -> Skin:
    """How requests are written for a skin; what it can do stands on its routes."""
    return Skin(
        path=skin.path,
        model=skin.model,
        cap=skin.cap,
        reasoning=skin.reasoning,
        limits=skin.limits,
        parallel="parallel" in skin.tools,
        custom="custom" in skin.tools,
        synthesized=skin.stream == "synthesized",
        stateful=skin.stateful,
        store=cast(Literal["pass", "force_false"], skin.store),
        system_turns=cast(Literal["keep", "fold"], skin.system_turns),
        prompt_cache=cast(Literal["auto", "explicit", "none"], skin.prompt_cache),
        betas=cast(Literal["pass"] | tuple[str, ...], skin.betas),
        tool_schemas=cast(Literal["keep", "openapi", "basic"], skin.tool_schemas),
        drop=skin.drop,
        patch=dict(skin.patch),
    )


def group_record(deployment: Deployment, group: GroupDef) -> Group:
    """The contract behind a model name, members turned into places and weights."""
    return Group(
        kind=cast(Literal["ordered", "weighted", "cheapest", "phases"], group.kind),
        surfaces=group.surfaces,
        aliases=group.aliases,
        ranks=_ranks(deployment, group),
        weights=_weights(group),
        phases=dict(group.phases),
        phase_rules=group.phase_rules if group.phases else None,
        phase_default=_phase_default(deployment, group),
        attempts=group.attempts,
        attempt_timeout=group.attempt_timeout,
        total_timeout=group.total_timeout,
        reasoning_default=group.reasoning_default,
        unsupported=cast(Literal["refuse", "drop"], group.unsupported),
        sticky=group.sticky,
        cache=group.cache,
        baseline=group.baseline,
        purpose=cast(Literal["production", "smoke"], group.purpose),
    )


def phase_rule_record(row: PhaseRule) -> PhaseRule:
    """A rule with the words that spare most texts its pattern."""
    return row if row.last_user is None else replace(row, one_of=one_of(row.last_user))


def caller_record(caller: CallerDef, reach: str, listing: str | None) -> Caller:
    """Who holds tokens."""
    return Caller(
        user=caller.user,
        project=caller.project,
        env=caller.env,
        groups=caller.groups,
        reach=reach,
        listing=listing,
        limits=caller.limits,
        roles=caller.roles,
        status=cast(Literal["active", "disabled"], caller.status),
        expires=_day(caller.expires),
    )


def token_record(token: TokenDef, caller: str) -> Token:
    """A token by its digest."""
    return Token(
        caller=caller,
        sha256=token.sha256,
        status=cast(Literal["active", "disabled"], token.status),
        expires=_day(token.expires),
    )


def limit_record(limits: LimitDef) -> LimitSet:
    """A named set of limits."""
    return LimitSet(
        rpm=limits.rpm,
        tpm=limits.tpm,
        concurrent=limits.concurrent,
        day=_budget(limits.day),
        month=_budget(limits.month),
        reserve_output=limits.reserve_output,
    )


def blended(price: Price) -> float:
    """What a price is ranked by: agents read about three times what they write."""
    return 3 * price.input + price.output


def _ranks(deployment: Deployment, group: GroupDef) -> dict[str, int]:
    """Places before stickiness: by price, by the author's order, or all alike."""
    targets = [member.target for member in group.members]
    if group.kind == "weighted":
        return dict.fromkeys(targets, 0)
    if group.kind != "cheapest":
        return {target: place for place, target in enumerate(targets)}
    prices = {target: _rank_price(deployment, target) for target in targets}
    places = {price: place for place, price in enumerate(sorted(set(prices.values())))}
    return {target: places[prices[target]] for target in targets}


def _weights(group: GroupDef) -> dict[str, int]:
    """Shares among members of equal rank; left out where they decide nothing."""
    weights = {member.target: member.weight for member in group.members}
    alike = group.kind == "ordered" or set(weights.values()) == {1}
    return weights if group.kind == "weighted" or not alike else {}


def _rank_price(deployment: Deployment, target: str) -> float:
    """A target without a price ranks last."""
    price = deployment.targets[target].price
    return float("inf") if price is None else blended(deployment.prices[price].price)


def _phase_default(deployment: Deployment, group: GroupDef) -> str | None:
    """The last rule catches all; without rules the first list does."""
    if not group.phases:
        return None
    rules = deployment.phase_rules[group.phase_rules].rules if group.phase_rules else ()
    return rules[-1].phase if rules else next(iter(group.phases))


def _budget(budget: BudgetDef) -> Budget:
    return Budget(requests=budget.requests, tokens=budget.tokens, usd=budget.usd)


def _day(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()
