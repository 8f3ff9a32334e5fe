"""The deployment as the records of the artifact, and a cell for every (group, open surface)."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.model import CallerDef, Deployment
from compiler.plan.model import Paths, Tables
from compiler.plan.paths import abilities_of, paths_of
from compiler.plan.records import group_record, phase_rule_record, target_record
from runtime.selection import Cell
from runtime.vocabulary import Group, Target


def make_tables(deployment: Deployment) -> Tables:
    """Names resolved, bridges folded into flags, nothing decided about any request yet."""
    targets = {name: target_record(target) for name, target in deployment.targets.items()}
    groups = {name: group_record(deployment, group) for name, group in deployment.groups.items()}
    reaches, reach_of = _reaches(deployment)
    abilities = abilities_of(deployment)
    paths = {
        (group.id, surface): paths_of(deployment, abilities, group, surface)
        for group in deployment.groups.values()
        for surface in group.surfaces
    }
    return Tables(
        settings=deployment.settings,
        providers=deployment.providers,
        prices={name: entry.price for name, entry in deployment.prices.items()},
        targets=targets,
        groups=groups,
        phase_rules={
            name: tuple(map(phase_rule_record, rules.rules))
            for name, rules in deployment.phase_rules.items()
        },
        reaches=reaches,
        reach_of=reach_of,
        callers_of=_callers(deployment),
        paths=paths,
        cells=_cells(paths, targets, groups, reaches),
    )


def _reaches(deployment: Deployment) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The distinct provider sets, each named after the first project that has it: a project
    more or less renames no other's.
    """
    names: dict[frozenset[str], str] = {}
    reaches: dict[str, tuple[str, ...]] = {}
    reach_of: dict[str, str] = {}
    for project in deployment.projects.values():
        providers = frozenset(project.providers)
        name = names.setdefault(providers, project.id)
        reaches[name] = tuple(p for p in deployment.providers if p in providers)
        reach_of[project.id] = name
    return reaches, reach_of


def _callers(deployment: Deployment) -> dict[str, tuple[CallerDef, ...]]:
    found: dict[str, list[CallerDef]] = {group: [] for group in deployment.groups}
    for caller in deployment.callers.values():
        for group in caller.groups:
            found[group].append(caller)
    return {group: tuple(callers) for group, callers in found.items()}


def _cells(
    paths: Mapping[tuple[str, str], Paths],
    targets: Mapping[str, Target],
    groups: Mapping[str, Group],
    reaches: Mapping[str, tuple[str, ...]],
) -> dict[tuple[str, str], Cell]:
    sets = {name: frozenset(providers) for name, providers in reaches.items()}
    return {
        (group, surface): Cell(
            group,
            groups[group],
            surface,
            here.routes,
            targets,
            sets,
            {out.target: out.reason for out in here.out},
        )
        for (group, surface), here in paths.items()
    }
