"""Everything else that differs, field by field: what it does to requests stands elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from compiler.model import ClientShape
from compiler.review.changes import Change, Value
from compiler.review.view import View
from runtime.vocabulary import Caller, PhaseRule, words

# Told by other rooms, or said in other words there.
_TOLD: Final[Mapping[str, frozenset[str]]] = {
    "settings": frozenset(),
    "providers": frozenset({"base_url", "region"}),
    "targets": frozenset({"tag", "price"}),
    "groups": frozenset({"ranks", "surfaces", "aliases"}),
    "limits": frozenset(),
}
_ABILITIES: Final = frozenset({"custom", "stateful"})  # of a skin; told as features
# Field of a group's record -> as the YAML says it.
_WRITTEN_OF_GROUP: Final = {
    "kind": "policy.kind",
    "attempts": "policy.attempts",
    "attempt_timeout": "policy.attempt_timeout",
    "total_timeout": "policy.total_timeout",
    "reasoning_default": "reasoning.default",
    "unsupported": "reasoning.unsupported",
}
_OF_CALLER: Final = ("user", "env", "limits", "roles", "expires")


def field_changes(old: View, new: View) -> Iterator[Change]:
    """`settings`, then every named thing that is there before and after."""
    if old.as_of != new.as_of:
        yield Change("field", "as_of", (old.as_of.isoformat(),), (new.as_of.isoformat(),))
    yield from _differ("settings", _plain(old.settings), _plain(new.settings), _TOLD["settings"])
    for section in ("providers", "targets", "groups", "limits"):
        was, now = getattr(old, section), getattr(new, section)
        yield from _come_and_gone(section, was, now)
        for name in now:
            if name in was and was[name] != now[name]:
                place = f"{section}.{name}"
                one, other = _plain(was[name]), _plain(now[name])
                if section == "targets":
                    one, other = _once(one), _once(other)
                for change in _differ(place, one, other, _TOLD[section]):
                    yield replace(change, about=_as_written(section, place, change.about))
    yield from _differ("projects", _project_limits(old), _project_limits(new))
    yield from _phase_rules(old, new)
    yield from _clients(old, new)
    yield from _callers(old, new)
    yield from _promises(old, new)
    yield from _abilities(old, new)
    yield from _evidence(old, new)


def _as_written(section: str, place: str, about: str) -> str:
    """A field below a place as the YAML has it, where a record says it shorter."""
    first, *steps = about.removeprefix(f"{place}.").split(".")
    if section == "groups":
        first = _WRITTEN_OF_GROUP.get(first, first)
    elif section == "targets":
        steps = ["output_cap" if step == "cap" else step for step in steps]
    return ".".join([place, first, *steps])


def _come_and_gone(
    section: str, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Change]:
    """Groups are told with who may call them."""
    if section != "groups":
        for name in was:
            if name not in now:
                yield Change("removed", f"{section}.{name}")
        for name in now:
            if name not in was:
                yield Change("added", f"{section}.{name}")


def _differ(place: str, was: Any, now: Any, told: frozenset[str] = frozenset()) -> Iterator[Change]:
    """Field by field down to what is no mapping."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*was, *now)):
            if key not in told and was.get(key) != now.get(key):
                yield from _differ(f"{place}.{key}", was.get(key), now.get(key))
        return
    yield Change("field", place, _values(was), _values(now))


def _plain(record: msgspec.Struct) -> Any:
    """With defaults written out, so that a default that is left has two values."""
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return {
        name: _plain(value) if isinstance(value, msgspec.Struct) else _deep(value)
        for name, value in fields.items()
    }


def _once(target: dict[str, Any]) -> dict[str, Any]:
    """A skin says its model only where it is not its target's, and no ability."""
    skins = {
        dialect: {
            key: value
            for key, value in skin.items()
            if key not in _ABILITIES and (key, value) != ("model", target["model"])
        }
        for dialect, skin in target["skins"].items()
    }
    return {**target, "skins": skins}


def _deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) if isinstance(v, msgspec.Struct) else v for key, v in value.items()}
    return value


def _values(value: Any) -> tuple[Value, ...]:
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return tuple(map(_value, value))
    return (_value(value),)


def _value(value: Any) -> Value:
    """A plain value as it is, a pair as `this: that`, all else as JSON."""
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple) and len(value) == 2:
        return f"{value[0]}: {value[1]}"
    return _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _phase_rules(old: View, new: View) -> Iterator[Change]:
    yield from _come_and_gone("phase_rules", old.phase_rules, new.phase_rules)
    for name, rules in new.phase_rules.items():
        before = old.phase_rules.get(name, rules)
        yield from _rows(f"phase_rules.{name}", map(_rule, before), map(_rule, rules))


def _clients(old: View, new: View) -> Iterator[Change]:
    """The deployment's own profiles: what they send is what the others are judged by."""
    yield from _come_and_gone("clients", old.clients, new.clients)
    for name, client in new.clients.items():
        before = old.clients.get(name, client)
        yield from _rows(f"clients.{name}", map(_shape, before.shapes), map(_shape, client.shapes))


def _rows(place: str, was: Iterable[str], now: Iterable[str]) -> Iterator[Change]:
    """A list told by the rows that only one has; in full where only the order differs."""
    before, after = tuple(was), tuple(now)
    if before != after:
        gone = tuple(row for row in before if row not in after)
        come = tuple(row for row in after if row not in before)
        values = (gone, come) if gone or come else (before, after)
        yield Change("field", place, *values)


def _shape(shape: ClientShape) -> str:
    """A request of a client on one line."""
    cap = () if shape.cap is None else (f"cap {shape.cap}",)
    wanted = (f"~{word}" for word in shape.prefers)
    return f"{shape.name}: {' '.join((*shape.needs, *wanted, *cap))} {shape.input_tokens} tokens"


def _rule(rule: PhaseRule) -> str:
    """A rule on one line: its phase, and what must hold."""
    written = {name: getattr(rule, name) for name in rule.__struct_fields__[1:]}
    held = [f"{name} {value}" for name, value in written.items() if value not in (None, ())]
    return f"{rule.phase}: {', '.join(held) or 'all else'}"


def _callers(old: View, new: View) -> Iterator[Change]:
    """Callers of whom something else than access differs, told together."""
    found: dict[tuple[str, tuple[Value, ...], tuple[Value, ...]], list[str]] = {}
    for name, caller in new.callers.items():
        before = old.callers.get(name)
        for field in _OF_CALLER if before is not None else ():
            was, now = _values(getattr(before, field)), _values(getattr(caller, field))
            if was != now:
                found.setdefault((field, was, now), []).append(name)
        was, now = old.uses.get(name, ()), new.uses.get(name, ())
        if isinstance(before, Caller) and was != now:
            found.setdefault(("clients", was, now), []).append(name)
    for (field, was, now), names in found.items():
        yield Change("caller-field", field, was, now, callers=tuple(names))


def _project_limits(view: View) -> dict[str, str]:
    return {f"{project}.limits": name for project, name in view.project_limits.items()}


def _promises(old: View, new: View) -> Iterator[Change]:
    for group in new.groups:
        was, now = old.promises.get(group, {}), new.promises.get(group, {})
        for client in dict.fromkeys((*was, *now)):
            one, other = was.get(client), now.get(client)
            if one != other and group in old.groups:
                yield Change(
                    "promise",
                    client,
                    () if one is None else (one.depth, *one.shapes),
                    () if other is None else (other.depth, *other.shapes),
                    groups=(group,),
                )


def _abilities(old: View, new: View) -> Iterator[Change]:
    """What a skin or a bridge to it can do, whichever groups offer it."""
    was, now = _ways(old), _ways(new)
    for way, has in now.items():
        if way in was and was[way] != has:
            yield Change(
                "ability", way, tuple(words(was[way] & ~has)), tuple(words(has & ~was[way]))
            )


def _ways(view: View) -> dict[str, int]:
    found: dict[str, int] = {}
    for routes in view.routes.values():
        for route in routes:
            way = f"{route.target}/{route.skin}" + (f"/{route.bridge}" if route.bridge else "")
            found[way] = route.features | route.levels | route.mapped
    return found


def _evidence(old: View, new: View) -> Iterator[Change]:
    """Evidence that grew too old, was renewed, came or went."""
    for way in dict.fromkeys((*old.evidence, *new.evidence)):
        if way.partition("/")[0] in new.targets and way.partition("/")[0] in old.targets:
            was, now = evidence_state(old, way), evidence_state(new, way)
            if was != now:
                yield Change("evidence", way, (was, age(old, way)), (now, age(new, way)))


def evidence_state(view: View, way: str) -> str:
    """`none`, `fresh` or `old`, by the day the deployment is judged by."""
    days = age(view, way)
    if days is None:
        return "none"
    return "old" if view.max_age_days is not None and days > view.max_age_days else "fresh"


def age(view: View, way: str) -> int | None:
    """Days since something was seen to work; None without evidence."""
    evidence = view.evidence.get(way)
    return None if evidence is None else (view.as_of - evidence.verified).days
