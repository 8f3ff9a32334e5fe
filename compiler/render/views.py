"""What the templates place: every line decided, every value already text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compiler.model import GroupDef
from compiler.plan import Paths, Plan
from compiler.render.literals import Literals
from runtime.eligibility import NO_SKIN

_WIDTH = 100
_SKINS = frozenset({"skins"})
_INSIDE_GROUP = frozenset({"phases"})


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of the module: its name, its type, its finished rows."""

    name: str
    type: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Surface:
    """The paths of one surface; `path` leads to their cause in the YAML.

    `out` says why targets have none; that they have no skin, the runtime assumes by itself.
    """

    name: str
    path: str
    lines: tuple[str, ...]
    out: str


def providers(plan: Plan, text: Literals) -> list[Table]:
    """providers.py"""
    return [_records(text, "PROVIDERS", "Provider", plan.tables.providers)]


def targets(plan: Plan, text: Literals) -> list[Table]:
    """targets.py"""
    return [
        _lines(text, "PRICES", "Price", plan.tables.prices),
        _records(text, "TARGETS", "Target", plan.tables.targets, _SKINS),
    ]


def policies(plan: Plan, text: Literals) -> list[Table]:
    """policies.py"""
    tables = [_records(text, "GROUPS", "Group", plan.tables.groups, _INSIDE_GROUP)]
    if plan.tables.phase_rules:
        tables.append(_phase_rules(plan, text))
    return tables


def callers(plan: Plan, text: Literals) -> list[Table]:
    """callers.py"""
    projects = _lines(text, "PROJECT_LIMITS", "str", plan.project_limits)
    return [
        _lines(text, "REACHES", "tuple[str, ...]", plan.tables.reaches),
        _lines(text, "LIMITS", "LimitSet", plan.limits),
        *([projects] if plan.project_limits else []),
        _lines(text, "CALLERS", "Caller", plan.callers),
        _lines(text, "TOKENS", "Token", plan.tokens),
    ]


def surfaces(plan: Plan, group: GroupDef, text: Literals) -> list[Surface]:
    """routes/<group>.py"""
    text.words.add("Route")
    return [_surface(group, plan.tables.paths[group.id, name], text) for name in group.surfaces]


def imports(words: Iterable[str]) -> str:
    """The import of a module's words: on one line where it fits, else one word per line."""
    names = sorted(words, key=lambda word: (not word.isupper(), word))
    line = f"from runtime.vocabulary import {', '.join(names)}"
    if len(line) <= _WIDTH:
        return line
    return "from runtime.vocabulary import (\n" + "".join(f"    {n},\n" for n in names) + ")"


def comment(text: str) -> str:
    """Text that stays inside its comment, whatever it holds."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def _surface(group: GroupDef, paths: Paths, text: Literals) -> Surface:
    out = {entry.target: entry for entry in paths.out}
    told = {target: entry.reason for target, entry in out.items() if entry.reason != NO_SKIN}
    lines = []
    for member in group.members:
        if member.target in out:
            entry = out[member.target]
            lines.append(comment(f"# not {entry.target}: {entry.reason} ({entry.detail})"))
        mine = (route for route in paths.routes if route.target == member.target)
        lines += [f"{text.route(route)}," for route in mine]
    return Surface(
        name=text.value(paths.surface),
        path=comment(f"groups.{group.id} on {paths.surface}"),
        lines=tuple(lines),
        out=text.value(told) if told else "",
    )


def _records(
    text: Literals,
    name: str,
    record: str,
    entries: Mapping[str, object],
    unfold: frozenset[str] = frozenset(),
) -> Table:
    """A field per line: records that grow."""
    text.words.add(record)
    rows = (f"{text.value(key)}: {text.block(item, 1, unfold)}" for key, item in entries.items())
    return Table(name, f"dict[str, {record}]", tuple(rows))


def _phase_rules(plan: Plan, text: Literals) -> Table:
    """A rule per line, in the order they are tried."""
    rows = []
    for name, rules in plan.tables.phase_rules.items():
        lines = "".join(f"        {text.value(rule)},\n" for rule in rules)
        rows.append(f"{text.value(name)}: (\n{lines}    )")
    return Table("PHASE_RULES", "dict[str, tuple[PhaseRule, ...]]", tuple(rows))


def _lines(text: Literals, name: str, kind: str, entries: Mapping[str, object]) -> Table:
    """An entry per line: records that are few words."""
    if kind.isidentifier() and kind != "str":
        text.words.add(kind)
    rows = (f"{text.value(key)}: {text.value(item)}" for key, item in entries.items())
    return Table(name, f"dict[str, {kind}]", tuple(rows))
