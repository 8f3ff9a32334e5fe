"""Everything known of one request, by its id, in sections that say when something is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

import msgspec

from runtime.records.schema import ATTEMPT_COLUMNS, COLUMN_NAMES, REQUEST_COLUMNS
from runtime.records.store import Store

MOST: Final = 20  # requests of one id

Standing = Literal["present", "not_applicable", "missing"]

_FIELDS: Final = {shown: field for field, shown in COLUMN_NAMES.items()}
# Section -> its fields, in the order of one request's life.
SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "request": ("kind", "surface", "posted", "stream", "client", "artifact"),
    "caller": ("user", "project", "env", "caller", "token"),
    "shape": (
        "features",
        "cap",
        "input_estimate",
        "body_bytes",
        "tool_schema_bytes",
        "tools",
        "image_count",
        "input_has_image",
    ),
    "routing": ("group", "policy", "phase", "plan", "skipped"),
    "answer": ("target", "provider", "key_id", "model", "skin", "bridge", "dropped", "cache"),
    "outcome": ("status", "code", "outcome", "first_byte", "ms"),
    "tokens": ("input", "output", "cached", "cache_write", "reasoning", "image_tokens"),
    "cost": (
        "cost_input",
        "cost_output",
        "cost_image",
        "cost",
        "cost_baseline",
        "savings",
        "cost_reported",
    ),
}
_YES_OR_NO: Final = frozenset({"stream", "input_has_image"})


class Section(msgspec.Struct, frozen=True):
    """One section; `facts` holds what is known, by field."""

    name: str
    standing: Standing
    facts: dict[str, Any]


class Evidence(msgspec.Struct, frozen=True):
    """One request. `completeness` is partial where a section is missing that should be there.

    `attempts` are in the order they were made, times in milliseconds.
    """

    id: str
    time: str
    completeness: Literal["complete", "partial"]
    sections: list[Section]
    attempts: list[dict[str, Any]]


def evidence(store: Store, request_id: str) -> list[Evidence]:
    """What is known under a request id: callers choose ids, and may repeat them; the newest come
    first, and no more than `MOST`.

    Raises StoreError.
    """
    if not (request_id.isascii() and request_id.isprintable()):
        return []  # no id is so, and not every database takes every text
    rows = store.query(
        f"SELECT {', '.join(REQUEST_COLUMNS)} FROM requests WHERE id = ? "  # noqa: S608 - names of ours
        f"ORDER BY time DESC, row_id DESC LIMIT {MOST}",
        (request_id,),
    )
    return [_evidence(store, dict(zip(REQUEST_COLUMNS, row, strict=True))) for row in rows]


def _evidence(store: Store, row: dict[str, Any]) -> Evidence:
    tried = store.query(
        f"SELECT {', '.join(ATTEMPT_COLUMNS)} FROM attempts WHERE row_id = ? ORDER BY number",  # noqa: S608 - names of ours
        (row["row_id"],),
    )
    attempts = [_known(dict(zip(ATTEMPT_COLUMNS, attempt, strict=True))) for attempt in tried]
    named = {_FIELDS.get(name, name): value for name, value in row.items()}
    sections = [_section(name, fields, named) for name, fields in SECTIONS.items()]
    lacking = len(attempts) != row["attempts"] or any(s.standing == "missing" for s in sections)
    return Evidence(
        id=row["id"],
        time=dt.datetime.fromtimestamp(row["time"], dt.UTC).isoformat(timespec="milliseconds"),
        completeness="partial" if lacking else "complete",
        sections=sections,
        attempts=attempts,
    )


def _section(name: str, fields: tuple[str, ...], row: Mapping[str, Any]) -> Section:
    facts = {field: _plain(field, row[field]) for field in fields}
    facts = {field: value for field, value in facts.items() if value is not None}
    if name in _EXPECTED and not _EXPECTED[name](row):
        return Section(name, "not_applicable", {})
    needed = _NEEDED.get(name)
    known = bool(facts) if needed is None else needed in facts
    return Section(name, "present" if known else "missing", facts)


def _plain(field: str, value: Any) -> Any:
    if field in _YES_OR_NO:
        return bool(value)
    return None if value == "" else value


def _known(attempt: dict[str, Any]) -> dict[str, Any]:
    return {name: v for name, v in attempt.items() if v is not None and name != "row_id"}


def _answered(row: Mapping[str, Any]) -> bool:
    return bool(row["outcome"] == "ok" and row["kind"] == "request")


# When a section has anything to say at all; others always do.
_EXPECTED: Final[dict[str, Callable[[Mapping[str, Any]], bool]]] = {
    "caller": lambda row: row["status"] != 401 or row["user"] is not None,
    "shape": lambda row: row["posted"] is not None,
    "routing": lambda row: row["group"] is not None,
    "answer": lambda row: row["target"] is not None,
    "tokens": lambda row: _answered(row) or row["input"] is not None,
    "cost": lambda row: _answered(row) or row["cost"] is not None,
}
# The field without which a section is missing.
_NEEDED: Final = {"caller": "user", "tokens": "input", "cost": "cost"}
