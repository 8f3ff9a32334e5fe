"""The shape of each noun in the YAML, and the only import of pydantic; knows no other noun."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from compiler.diagnostics import Path, Report
from compiler.schema.base import as_written
from compiler.schema.callers import BudgetShape, CallerShape, LimitShape, ProjectShape
from compiler.schema.deployment import ClientShapeOf, DeploymentShape, EvidenceShape
from compiler.schema.findings import (
    empty_value,
    explain,
    misplaced,
    misplaced_section,
    slip_of,
)
from compiler.schema.groups import GroupShape, PhaseRulesShape, PromiseShape
from compiler.schema.providers import PriceShape, ProviderShape
from compiler.schema.targets import BridgeShape, OutputCap, SkinReasoning, SkinShape, TargetShape
from compiler.source import Document

__all__ = [
    "BridgeShape",
    "BudgetShape",
    "CallerShape",
    "ClientShapeOf",
    "DeploymentShape",
    "EvidenceShape",
    "GroupShape",
    "LimitShape",
    "OutputCap",
    "PhaseRulesShape",
    "PriceShape",
    "ProjectShape",
    "PromiseShape",
    "ProviderShape",
    "SkinReasoning",
    "SkinShape",
    "TargetShape",
    "json_schema",
    "parse",
]


def parse(document: Document, report: Report) -> DeploymentShape | None:
    """The document as typed shapes, or None when the report holds what is wrong with it."""
    empty: list[Path] = []
    data = _without_empty(document.data, (), empty)
    for path in empty:
        report.run(empty_value, path)
    try:
        shape = DeploymentShape.model_validate(data)
    except ValidationError as error:
        _explain(error.errors(include_url=False), document, empty, report)
        return None
    return None if empty else shape


def _explain(
    errors: Sequence[Mapping[str, Any]], document: Document, empty: list[Path], report: Report
) -> None:
    """Reports what pydantic found, but not what another finding already explains."""
    schema = json_schema()
    explained = set(empty)  # a field without a value is no missing field
    for path, value in _entries(document.data):
        section = misplaced_section(schema, path, value)
        if section is not None:
            report.run(misplaced, path, section)
            explained.add(path)
    for error in errors:
        slip = slip_of(error, document, schema)
        if not any(slip.path[:length] in explained for length in range(1, len(slip.path) + 1)):
            check, arguments = explain(slip)
            report.run(check, *arguments)


def _entries(data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """What stands at the top that no section is called, and the entries of all sections."""
    for name, value in data.items():
        if name not in DeploymentShape.model_fields:
            yield (name,), value
        elif isinstance(value, dict) and name not in {"settings", "reasoning"}:
            for entry, inner in value.items():
                yield (name, entry), inner


@functools.cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema of a deployment, with every field described."""
    schema = copy.deepcopy(DeploymentShape.model_json_schema(by_alias=True))
    told = _described(_tidy(schema))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Interlock deployment",
        **{key: value for key, value in told.items() if key != "title"},
    }


def _without_empty(value: Any, path: Path, empty: list[Path]) -> Any:
    """The data without fields that have no value, except inside `patch`, where null is JSON."""
    if isinstance(value, dict):
        kept = {}
        for key, inner in value.items():
            if inner is None:
                empty.append((*path, key))
            else:
                inside = inner if key == "patch" else _without_empty(inner, (*path, key), empty)
                kept[key] = inside
        return kept
    if isinstance(value, list):
        empty += [(*path, index) for index, inner in enumerate(value) if inner is None]
        return [_without_empty(inner, (*path, i), empty) for i, inner in enumerate(value)]
    return value


def _tidy(node: Any) -> Any:
    """Leaves out what pydantic adds for Python's sake: titles of fields, `null` for "absent"."""
    if isinstance(node, list):
        return [_tidy(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(inner) for key, inner in node.items() if not _noise(key, inner)}
    options = [option for option in tidy.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del tidy["anyOf"]
        tidy = options[0] | tidy
    elif options:
        tidy["anyOf"] = options
    return tidy


def _noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """Every field with a sentence of its own and its default as the YAML writes it."""
    shapes = schema["$defs"]
    for node in (schema, *shapes.values()):
        for field in node.get("properties", {}).values():
            shape = shapes.get(field.get("$ref", "").removeprefix("#/$defs/"), {})
            told = field.get("description") or shape.get("description", "")
            field["description"] = " ".join(told.split())
            if isinstance(field.get("default"), dict):
                del field["default"]  # what the fields inside say themselves
            elif field.get("type") == "string" and "default" in field:
                field["default"] = as_written(field["default"], field.get("pattern", ""))
    return schema
