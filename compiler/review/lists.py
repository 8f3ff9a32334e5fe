"""What the model lists say otherwise: levels, defaults, windows, what Codex is told it may send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from compiler.clients.codex import CODEX
from compiler.review.changes import Change, Value
from compiler.review.view import View

# Section of a list -> the key that names an entry.
_SECTIONS: Final = {"data": "id", "models": "slug"}

# Field of an entry -> kind of change.
_FIELDS: Final[Mapping[str, str]] = {
    "supported_reasoning_levels": "levels",
    "default_reasoning_level": "default-level",
    "context_window": "window",
    "display_name": "title",
    "description": "about",
    "input_modalities": "catalog-input",
    "apply_patch_tool_type": "catalog-apply-patch",
    "supports_parallel_tool_calls": "catalog-parallel",
    "base_instructions": "catalog-prompt",
}
_BY_DIGEST: Final = frozenset({"base_instructions"})  # whole pages

_Values = tuple[Value, ...]
_Key = tuple[str, str, _Values, _Values]  # kind, entry, before, after


def list_changes(old: View, new: View) -> Iterator[Change]:
    """Entries that callers have before and after. Which they have follows from groups and names."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for name, caller in new.active.items():
        before = old.active.get(name)
        if before is not None and before.listing and caller.listing:
            pairs.setdefault((before.listing, caller.listing), []).append(name)
    found: dict[_Key, dict[str, list[str]]] = {}
    for (was, now), callers in pairs.items():
        for section, key in _SECTIONS.items():
            readers = [name for name in callers if _reads(new, name, section)]
            for change in _entries(old.listings[was], new.listings[now], section, key):
                if readers:
                    found.setdefault(change, {}).setdefault(section, []).extend(readers)
    yield from _together(found)


def _together(found: Mapping[_Key, Mapping[str, list[str]]]) -> Iterator[Change]:
    """A group and its aliases, and groups alike, are told as one."""
    alike: dict[tuple[str, _Values, _Values, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (kind, entry, was, now), sections in found.items():
        callers = tuple(dict.fromkeys(name for names in sections.values() for name in names))
        alike.setdefault((kind, was, now, tuple(sections), callers), []).append(entry)
    for (kind, was, now, read_in, callers), entries in alike.items():
        yield Change(
            kind,
            entries[0],
            was,
            now,
            reasons=read_in,
            groups=tuple(entries),
            callers=callers,
            finding=_finding(kind, was, now),
        )


def _reads(view: View, caller: str, section: str) -> bool:
    """Whether a caller's clients read a section: Codex alone reads its catalog."""
    return section == "data" or CODEX.id in view.clients_of(caller)


def _entries(
    old: Mapping[str, Any], new: Mapping[str, Any], section: str, key: str
) -> Iterator[_Key]:
    was = {entry[key]: entry for entry in old[section]}
    for entry in new[section]:
        before = was.pop(entry[key], None)
        if before is None:
            if section == "models" and _names(old, entry[key]):
                yield "catalog-gained", entry[key], (), ()
            continue
        for field, kind in _FIELDS.items():
            one, other = _of_entry(before, field), _of_entry(entry, field)
            if one != other:
                yield kind, entry[key], one, other
    for name in was:
        if section == "models" and _names(new, name):
            yield "catalog-lost", name, (), ()


def _names(listing: Mapping[str, Any], name: str) -> bool:
    return any(entry["id"] == name for entry in listing["data"])


def _of_entry(entry: Mapping[str, Any], field: str) -> tuple[Value, ...]:
    values = _values(entry.get(field))
    if field in _BY_DIGEST:
        return tuple(sha256(str(value).encode()).hexdigest()[:8] for value in values)
    return values


def _values(value: object) -> tuple[Value, ...]:
    """A field of an entry as plain values; of a described level only its name."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(item["effort"] if isinstance(item, dict) else item for item in value)
    return (value,) if isinstance(value, str | int | float) else (str(value),)


def _finding(kind: str, before: tuple[Value, ...], after: tuple[Value, ...]) -> str | None:
    """Less than before: a level, the default, room, or a whole entry."""
    if kind in {"levels", "catalog-input"}:
        less = any(value not in after for value in before)
    elif kind == "window":
        less = bool(before) and (not after or int(after[0] or 0) < int(before[0] or 0))
    elif kind == "default-level":
        less = bool(before)
    else:
        less = kind in {"catalog-lost"} or (bool(before) and not (after and after[0]))
    if not less:
        return None
    return "levels" if kind in {"levels", "default-level"} else "lost"
