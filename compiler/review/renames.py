"""What has only another name, so that nobody reads of it as lost and gained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as changed
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from compiler.review.changes import Change
from compiler.review.view import View
from runtime.selection import Cell
from runtime.vocabulary import Group, Provider, Route, Target

T = TypeVar("T")

_ALIKE: Final = 0.5  # of all members, those that both have


@dataclass(frozen=True, slots=True)
class Names:
    """Old name -> new name, for what has one; all else keeps its own."""

    providers: Mapping[str, str]
    targets: Mapping[str, str]
    groups: Mapping[str, str]

    def provider(self, name: str) -> str:
        return self.providers.get(name, name)

    def target(self, name: str) -> str:
        return self.targets.get(name, name)

    def group(self, name: str) -> str:
        return self.groups.get(name, name)


def find_renames(old: View, new: View) -> Names:
    """The names for which something alike is gone and something alike has come."""
    providers = _pairs(old.providers, new.providers, _same_host)

    def same_model(one: Target, other: Target) -> float:
        at = providers.get(one.provider, one.provider)
        return float((at, one.model) == (other.provider, other.model))

    targets = _pairs(old.targets, new.targets, same_model)

    def same_members(one: Group, other: Group) -> float:
        here = {targets.get(target, target) for target in one.ranks}
        return _share(here, other.ranks.keys()) * _share(one.surfaces, other.surfaces)

    return Names(providers, targets, _pairs(old.groups, new.groups, same_members))


def rename_changes(old: View, names: Names) -> Iterator[Change]:
    """One change per name. State of an old answer is found by its target's name."""
    for kind, renamed in (("provider", names.providers), ("group", names.groups)):
        for before, after in renamed.items():
            yield Change(f"{kind}-renamed", after, before=(before,), after=(after,))
    for before, after in names.targets.items():
        stateful = any(skin.stateful for skin in old.targets[before].skins.values())
        yield Change(
            "target-renamed",
            after,
            before=(before,),
            after=(after,),
            reasons=("stateful",) if stateful else (),
            finding="lost" if stateful else None,
        )


def under_new_names(view: View, names: Names) -> View:
    """The old view as if everything had had its new name all along."""
    if not (names.providers or names.targets or names.groups):
        return view
    groups = {names.group(name): _group(group, names) for name, group in view.groups.items()}
    targets = {
        names.target(name): replace(target, provider=names.provider(target.provider))
        for name, target in view.targets.items()
    }
    reaches = {
        reach: frozenset(map(names.provider, providers))
        for reach, providers in view.reaches.items()
    }
    routes = {
        (names.group(group), surface): tuple(_route(route, names) for route in routes)
        for (group, surface), routes in view.routes.items()
    }
    out = {
        (names.group(group), surface): {names.target(t): why for t, why in here.items()}
        for (group, surface), here in view.out.items()
    }
    return changed(
        view,
        providers={
            names.provider(name): replace(provider, continuity=names.provider(provider.continuity))
            for name, provider in view.providers.items()
        },
        targets=targets,
        groups=groups,
        routes=routes,
        out=out,
        reaches=reaches,
        callers={
            name: replace(caller, groups=tuple(map(names.group, caller.groups)))
            for name, caller in view.callers.items()
        },
        listings={name: _listing(listing, names) for name, listing in view.listings.items()},
        promises={names.group(name): made for name, made in view.promises.items()},
        evidence={_way(way, names): evidence for way, evidence in view.evidence.items()},
        cells={
            (group, surface): Cell(
                group, groups[group], surface, here, targets, reaches, out[group, surface]
            )
            for (group, surface), here in routes.items()
        },
    )


def _pairs(
    old: Mapping[str, T], new: Mapping[str, T], alike: Callable[[T, T], float]
) -> dict[str, str]:
    """Each new name with the most alike old one, each used once."""
    gone = [name for name in old if name not in new]
    found: dict[str, str] = {}
    for name in new:
        if name not in old:
            scores = {other: alike(old[other], new[name]) for other in gone if other not in found}
            best = max(scores, key=lambda other: scores[other], default=None)
            if best is not None and scores[best] >= _ALIKE:
                found[best] = name
    return found


def _same_host(one: Provider, other: Provider) -> float:
    return float((one.base_url, one.region) == (other.base_url, other.region))


def _share(one: Any, other: Any) -> float:
    """How much of two sets is in both."""
    both = set(one) | set(other)
    return len(set(one) & set(other)) / len(both) if both else 0.0


def _group(group: Group, names: Names) -> Group:
    return replace(
        group,
        ranks={names.target(target): rank for target, rank in group.ranks.items()},
        weights={names.target(target): weight for target, weight in group.weights.items()},
        phases={phase: tuple(map(names.target, ts)) for phase, ts in group.phases.items()},
        baseline=names.target(group.baseline) if group.baseline else None,
    )


def _route(route: Route, names: Names) -> Route:
    return replace(route, target=names.target(route.target))


def _listing(listing: Mapping[str, Any], names: Names) -> dict[str, Any]:
    keys = {"data": "id", "models": "slug"}
    return {
        **listing,
        **{
            section: [{**entry, key: names.group(entry[key])} for entry in listing[section]]
            for section, key in keys.items()
        },
    }


def _way(way: str, names: Names) -> str:
    target, slash, rest = way.partition("/")
    return f"{names.target(target)}{slash}{rest}"
