"""Single request fields that both bridges to Chat write alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# Chat wants a name for every schema.
_SCHEMA_NAME: Final = "output"
_SCHEMA: Final = ("description", "schema", "strict")


def write_format(top: dict[str, Any], wanted: Mapping[str, Any] | None) -> None:
    """The form of the answer: JSON, JSON of a schema, or text, which needs no word."""
    kind = wanted.get("type") if wanted else None
    if kind == "json_object":
        top["response_format"] = {"type": "json_object"}
    elif wanted and kind == "json_schema":
        schema = {"name": wanted.get("name") or _SCHEMA_NAME}
        schema |= {key: wanted[key] for key in _SCHEMA if wanted.get(key) is not None}
        top["response_format"] = {"type": "json_schema", "json_schema": schema}
