"""Who may call what: callers, tokens, groups and the names groups are called by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from compiler.review.changes import Change
from compiler.review.view import View
from runtime.errors import CallerError
from runtime.names import is_glob, resolve_group
from runtime.vocabulary import Caller


def people_changes(old: View, new: View) -> Iterator[Change]:
    """From the groups there are to the names that lead to them."""
    yield from _groups(old, new)
    yield from _surfaces(old, new)
    yield from _callers(old, new)
    yield from _access(old, new)
    yield from _tokens(old, new)


def _groups(old: View, new: View) -> Iterator[Change]:
    for group in old.groups:
        if group not in new.groups:
            callers = _users(old, group)
            yield Change(
                "group-removed", group, callers=callers, finding="lost" if callers else None
            )
    for group, record in new.groups.items():
        if group not in old.groups:
            yield Change(
                "group-added", group, after=tuple(record.ranks), callers=_users(new, group)
            )


def _surfaces(old: View, new: View) -> Iterator[Change]:
    for group in new.groups:
        if group in old.groups:
            was, now = old.groups[group].surfaces, new.groups[group].surfaces
            callers = _users(old, group)
            for surface in was:
                if surface not in now:
                    finding = "lost" if callers else None
                    yield Change(
                        "surface-closed",
                        surface,
                        groups=(group,),
                        callers=callers,
                        finding=finding,
                    )
            for surface in now:
                if surface not in was:
                    yield Change("surface-opened", surface, groups=(group,), callers=callers)


def _callers(old: View, new: View) -> Iterator[Change]:
    """Callers who can no longer call at all, who moved, and who only now can; alike told as one."""
    found: dict[Change, list[str]] = {}
    for name, caller in old.active.items():
        still = new.active.get(name)
        if still is None or (name in old.holding and name not in new.holding):
            gone = Change("caller-removed", "", groups=caller.groups, finding="lost")
            locked = Change("caller-locked", "", reasons=_why(new, name), finding="lost")
            found.setdefault(locked if name in new.callers else gone, []).append(name)
        if still is not None and still.project != caller.project:
            moved = Change("caller-moved", "", (caller.project,), (still.project,))
            found.setdefault(moved, []).append(name)
    for name, caller in new.active.items():
        if name not in old.active or (name in new.holding and name not in old.holding):
            kind = "caller-unlocked" if name in old.callers else "caller-added"
            came = Change(kind, "", groups=caller.groups, projects=(caller.project,))
            found.setdefault(came, []).append(name)
    for change, names in found.items():
        yield replace(change, about=names[0], callers=tuple(names))


def _why(view: View, name: str) -> tuple[str, ...]:
    """Why a caller cannot call; nothing of one that is not there."""
    caller = view.callers.get(name)
    if caller is None:
        return ()
    if caller.status != "active":
        return ("disabled",)
    if caller.expires is not None and caller.expires < view.as_of.isoformat():
        return (f"expired {caller.expires}",)
    return ("no live token",)


def _access(old: View, new: View) -> Iterator[Change]:
    """Groups that callers may no longer name, or only now may."""
    for kind, finding, one, other in (
        ("access-lost", "lost", old, new),
        ("access-gained", None, new, old),
    ):
        found: dict[str, list[str]] = {}
        for name, caller in one.active.items():
            still = other.active.get(name)
            if still is not None:
                for group in caller.groups:
                    if group in other.groups and group not in still.groups:
                        found.setdefault(group, []).append(name)
        for group, names in found.items():
            yield Change(kind, group, callers=tuple(names), finding=finding)


def _tokens(old: View, new: View) -> Iterator[Change]:
    """Tokens by their public id; whose last one goes is told as locked out."""
    for id_, token in old.tokens.items():
        now = new.tokens.get(id_)
        if now is None:
            yield Change("token-removed", id_, callers=(token.caller,))
        elif now.status != token.status:
            yield Change("token-status", id_, (token.status,), (now.status,), callers=(now.caller,))
        elif now.sha256 != token.sha256:
            yield Change("token-replaced", id_, callers=(now.caller,))
        elif now.expires != token.expires:
            dates = (token.expires,), (now.expires,)
            yield Change("token-expires", id_, *dates, callers=(now.caller,))
    for id_, token in new.tokens.items():
        if id_ not in old.tokens:
            yield Change("token-added", id_, callers=(token.caller,))


def name_changes(old: View, new: View, renamed: Mapping[str, str]) -> Iterator[Change]:
    """Model names that lead elsewhere, nowhere, or only now somewhere, for callers of both.

    `renamed` are groups with another name: the old one is no name any more, unless an alias is.
    """
    probes = {**_probes(old), **_probes(new)}
    classes: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for name, caller in new.active.items():
        if name in old.active:
            classes.setdefault((old.active[name].groups, caller.groups), []).append(name)
    found: dict[tuple[str, str | None, str | None], list[str]] = {}
    for (was, now), callers in classes.items():
        if was == now and _named_alike(old, new, now):
            continue
        had = {renamed.get(group, group) for group in was}
        for shown, probe in probes.items():
            before, after = _leads(old, was, probe), _leads(new, now, probe)
            before = renamed.get(before, before) if before else None
            if before != after and not _told(new, shown, before, after, had, now):
                found.setdefault((shown, before, after), []).extend(callers)
    for (shown, before, after), callers in found.items():
        yield Change(
            "name-gained" if before is None else "name-moved" if after else "name-lost",
            shown,
            before=(before,),
            after=(after,),
            callers=tuple(callers),
            finding="lost" if before is not None else None,
        )


def _named_alike(old: View, new: View, groups: tuple[str, ...]) -> bool:
    """Whether no name can lead callers of these groups elsewhere."""
    return old.settings.default_group == new.settings.default_group and all(
        group in old.groups and old.groups[group].aliases == new.groups[group].aliases
        for group in groups
    )


def _probes(view: View) -> dict[str, str]:
    """Names worth trying, as they are shown: none, groups, aliases, a match of each pattern."""
    found = {"": "", **{group: group for group in view.groups}}
    for group in view.groups.values():
        for alias in group.aliases:
            found[alias] = alias.replace("*", "x").replace("?", "x") if is_glob(alias) else alias
    return found


def _leads(view: View, groups: tuple[str, ...], probe: str) -> str | None:
    caller = Caller(user="", project="", env="", groups=groups, reach="")
    try:
        return resolve_group(view, caller, probe)
    except CallerError:
        return None


def _told(
    new: View,
    shown: str,
    before: str | None,
    after: str | None,
    had: Collection[str],
    now: Collection[str],
) -> bool:
    """Whether a name comes or goes only because its group does, for these callers."""
    if before is None:
        return after not in had or shown == after
    return after is None and (before not in now or before not in new.groups)


def _users(view: View, group: str) -> tuple[str, ...]:
    return tuple(name for names in view.callers_of[group].values() for name in names)
