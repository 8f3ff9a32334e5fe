"""Where prompts may travel: which provider, in which region, by which groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from compiler.review.changes import Change
from compiler.review.view import View
from runtime.vocabulary import Caller, Provider

Reached = Mapping[str, tuple[str, ...]]  # provider -> the groups that lead there


def reach_changes(old: View, new: View) -> Iterator[Change]:
    """Per project, and for callers who moved to another one."""
    was, now = _by_project(old), _by_project(new)
    yield from _between(new, "reach-gained", "reach", _gained(was, now))
    still = {project: reached for project, reached in was.items() if project in now}
    yield from _between(old, "reach-lost", None, _gained(now, still))
    yield from _between(new, "reach-gained", "reach", _moved(old, new), callers=True)
    yield from _allowed(old, new, now)
    yield from _hosts(old, new, now)


def host(provider: Provider) -> str:
    """The host name prompts go to."""
    return urlsplit(provider.base_url).hostname or provider.base_url


def _by_project(view: View) -> dict[str, Reached]:
    """Project -> where its callers' requests may end, by the paths there really are."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for classes in _classes(view).values():
        caller = classes[0]
        mine = found.setdefault(caller.project, {})
        for provider, groups in _reached(view, caller).items():
            mine[provider] = tuple(dict.fromkeys((*mine.get(provider, ()), *groups)))
    return dict(found)


def _classes(view: View) -> dict[tuple[object, ...], list[Caller]]:
    """Active callers who see the same, each class judged once."""
    found: dict[tuple[object, ...], list[Caller]] = {}
    for caller in view.active.values():
        found.setdefault((caller.project, caller.reach, caller.groups), []).append(caller)
    return found


def _reached(view: View, caller: Caller) -> Reached:
    found: dict[str, list[str]] = {}
    for group in caller.groups:
        for surface in view.groups[group].surfaces:
            for route in view.routes[group, surface]:
                provider = view.targets[route.target].provider
                if provider in view.reaches[caller.reach]:
                    found.setdefault(provider, []).append(group)
    return {provider: tuple(dict.fromkeys(groups)) for provider, groups in found.items()}


def _gained(
    was: Mapping[str, Reached], now: Mapping[str, Reached]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(project, provider, groups) for every provider that was out of reach."""
    for project, reached in now.items():
        for provider, groups in reached.items():
            if provider not in was.get(project, {}):
                yield project, provider, groups


def _moved(old: View, new: View) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(caller, provider, groups) for callers who came from another project."""
    for name, caller in new.active.items():
        before = old.active.get(name)
        if before is not None and before.project != caller.project:
            had = _reached(old, before)
            for provider, groups in _reached(new, caller).items():
                if provider not in had:
                    yield name, provider, groups


def _between(
    view: View,
    kind: str,
    finding: str | None,
    found: Iterable[tuple[str, str, tuple[str, ...]]],
    *,
    callers: bool = False,
) -> Iterator[Change]:
    """One change per provider and way there, whoever it concerns."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for who, provider, groups in found:
        alike.setdefault((provider, groups), []).append(who)
    for (provider, groups), people in alike.items():
        yield Change(
            kind,
            provider,
            after=_place(view.providers[provider]),
            groups=groups,
            projects=() if callers else tuple(people),
            callers=tuple(people) if callers else _callers(view, people, groups),
            finding=finding,
        )


def _callers(view: View, projects: Iterable[str], groups: Iterable[str]) -> tuple[str, ...]:
    found = {
        name
        for group in groups
        for project in projects
        for name in view.callers_of[group].get(project, ())
    }
    return tuple(sorted(found))


def _allowed(old: View, new: View, now: Mapping[str, Reached]) -> Iterator[Change]:
    """What a project may reach by its own list, though no group of its callers leads there yet."""
    was = {caller.project: old.reaches[caller.reach] for caller in old.callers.values()}
    alike: dict[str, list[str]] = {}
    reaches = {caller.project: new.reaches[caller.reach] for caller in new.callers.values()}
    for project, reach in reaches.items():
        if project in was:
            for provider in reach - was[project] - now.get(project, {}).keys():
                alike.setdefault(provider, []).append(project)
    for provider in new.providers:
        if provider in alike:
            after, projects = _place(new.providers[provider]), tuple(alike[provider])
            yield Change("reach-allowed", provider, after=after, projects=projects, finding="reach")


def _hosts(old: View, new: View, now: Mapping[str, Reached]) -> Iterator[Change]:
    """The same provider at another host or in another region."""
    for name, provider in new.providers.items():
        before = old.providers.get(name)
        if before is not None and _place(before) != _place(provider):
            through = {
                project: reached[name] for project, reached in now.items() if name in reached
            }
            callers = {
                c for project, ways in through.items() for c in _callers(new, [project], ways)
            }
            yield Change(
                "provider-moved",
                name,
                before=_place(before),
                after=_place(provider),
                projects=tuple(through),
                callers=tuple(sorted(callers)),
                finding="reach" if through else None,
            )


def _place(provider: Provider) -> tuple[str | None, str]:
    return provider.region, host(provider)
