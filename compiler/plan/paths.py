"""Every path from a surface to a target, native first, and why a target has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from compiler.model import Bridge, Deployment, GroupDef, Member, SkinDef, TargetDef
from compiler.plan.features import (
    bits,
    carried,
    mapped_levels,
    native_levels,
    skin_features,
    through,
)
from compiler.plan.model import Out, Paths
from runtime.eligibility import NO_SKIN
from runtime.vocabulary import ALL_LEVELS, Route

TITLES = {"chat": "Chat", "responses": "Responses", "messages": "Messages"}


@dataclass(frozen=True, slots=True)
class Able:
    """What a skin can do, as the flags of a route."""

    features: int
    levels: int
    mapped: int


Abilities = Mapping[tuple[str, str], Able]  # (target, dialect)


def abilities_of(deployment: Deployment) -> Abilities:
    """What every skin can do, worked out once for all groups."""
    return {
        (target.id, dialect): Able(
            features=skin_features(skin),
            levels=native_levels(skin.reasoning),
            mapped=mapped_levels(skin.reasoning),
        )
        for target in deployment.targets.values()
        for dialect, skin in target.skins.items()
    }


def paths_of(
    deployment: Deployment,
    abilities: Abilities,
    group: GroupDef,
    surface: str,
) -> Paths:
    """The paths of one (group, surface)."""
    routes: list[Route] = []
    out: list[Out] = []
    for member in group.members:
        target = deployment.targets[member.target]
        mine = list(_routes(abilities, member, target, surface))
        if mine:
            routes += mine
        else:
            out.append(_why_out(member, target, surface))
    return Paths(group.id, surface, tuple(routes), tuple(out))


def bridges_to(member: Member, target: TargetDef, surface: str) -> Iterator[tuple[SkinDef, Bridge]]:
    """The bridges from a surface to a target, in the order of its skins."""
    for skin in _skins(member, target):
        for bridge in skin.bridges.values():
            if bridge.from_dialect == surface and bridge.to_dialect == skin.dialect:
                yield skin, bridge


def _routes(
    abilities: Abilities,
    member: Member,
    target: TargetDef,
    surface: str,
) -> Iterator[Route]:
    for skin in _skins(member, target):
        if skin.dialect == surface:
            yield _native(member, abilities[target.id, surface], target, skin)
    for skin, bridge in bridges_to(member, target, surface):
        yield _bridged(member, abilities[target.id, skin.dialect], target, skin, bridge)


def _native(member: Member, able: Able, target: TargetDef, skin: SkinDef) -> Route:
    return Route(
        target=target.id,
        skin=skin.dialect,
        bridge=None,
        features=able.features,
        levels=able.levels,
        mapped=able.mapped,
        only_when=bits(skin.only_when) | bits(member.only_when),
        last_resort=member.last_resort,
    )


def _bridged(member: Member, able: Able, target: TargetDef, skin: SkinDef, bridge: Bridge) -> Route:
    """Levels cross all together, by the one carry word `reasoning`."""
    levels = carried(bridge) & ALL_LEVELS
    return Route(
        target=target.id,
        skin=skin.dialect,
        bridge=bridge.name,
        features=through(bridge, able.features),
        levels=levels & able.levels,
        mapped=levels & able.mapped,
        only_when=bits(skin.only_when) | bits(member.only_when),
        last_resort=member.last_resort,
    )


def _skins(member: Member, target: TargetDef) -> list[SkinDef]:
    return [
        skin
        for dialect, skin in target.skins.items()
        if member.skins is None or dialect in member.skins
    ]


def _why_out(member: Member, target: TargetDef, surface: str) -> Out:
    title = TITLES[surface]
    if surface in target.skins:
        return Out(target.id, NO_SKIN, f"the member leaves its {title} skin out")
    return Out(target.id, NO_SKIN, f"no {title} skin, no bridge from {title}")
