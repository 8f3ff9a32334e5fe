"""Single request fields that both bridges to Chat write alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from runtime.bridges.fields import CARRY, Table

# Chat wants a name for every schema.
_SCHEMA_NAME: Final = "output"
_SCHEMA: Final = ("description", "schema", "strict")


def carried(table: Table, but: Collection[str] = ()) -> tuple[str, ...]:
    """The top-level names that travel as they are."""
    names = (field.name for field in table.of(CARRY))
    return tuple(n for n in names if "[" not in n and "." not in n and n not in but)


def write_format(top: dict[str, Any], wanted: Mapping[str, Any] | None) -> None:
    """The form of the answer: JSON, JSON of a schema, or text, which needs no word."""
    kind = wanted.get("type") if wanted else None
    if kind == "json_object":
        top["response_format"] = {"type": "json_object"}
    elif wanted and kind == "json_schema":
        schema = {"name": wanted.get("name") or _SCHEMA_NAME}
        schema |= {key: wanted[key] for key in _SCHEMA if wanted.get(key) is not None}
        top["response_format"] = {"type": "json_schema", "json_schema": schema}
