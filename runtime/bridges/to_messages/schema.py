"""JSON Schemas in the form Messages takes: objects for tools, a closed subset for strict output.

Schemas are shared with the caller's body wherever nothing changes; they are never changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from runtime.bridges.body import plain
from runtime.dialects.decode import ABSENT, decode, too_deep
from runtime.dialects.schemas import Schema, joined

# What strict schemas may hold, and what Anthropic's own SDKs turn the rest into: words of the
# description, which the model may follow (anthropic-sdk-python, `transform_schema`).
_KEPT: Final = frozenset(
    ("$ref", "type", "enum", "const", "description", "title", "required", "default")
)
_FORMATS: Final = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
)
_BRANCHES: Final = ("anyOf", "oneOf", "allOf")


class _Top(msgspec.Struct):
    """What there is to know of a schema that may stay as it is."""

    type: msgspec.Raw = ABSENT
    anyOf: msgspec.Raw = ABSENT
    oneOf: msgspec.Raw = ABSENT
    allOf: msgspec.Raw = ABSENT


_TOP: Final = msgspec.json.Decoder(_Top)
_OBJECT: Final = msgspec.Raw(b'"object"')


def parameters_of(schema: Any) -> tuple[Schema | msgspec.Raw, list[str]]:
    """The `input_schema` of a tool, and the keywords that were lost from it.

    Messages wants an object at the top, and takes no choice of schemas there: of one that has
    branches, the properties of all branches are offered, and only what all require is required.
    Most are such objects, and stay as they are spelt.
    """
    if isinstance(schema, msgspec.Raw):
        top = decode(_TOP, schema, "")
        if top.type == _OBJECT and top.anyOf is top.oneOf is top.allOf is ABSENT:
            return schema, []
        schema = plain(schema)
    if not isinstance(schema, dict) or not schema:
        return {"type": "object", "properties": {}}, []
    lost = [keyword for keyword in _BRANCHES if keyword in schema]
    for keyword in lost:
        schema = joined(schema, keyword)
    return (schema if schema.get("type") == "object" else {**schema, "type": "object"}), lost


def strict(schema: Schema | msgspec.Raw) -> Schema:
    """A schema that strict output takes: closed objects, and limits told in the description.

    Raises CallerError for one that is nested too deeply.
    """
    try:
        closed: Schema = _strict(plain(schema) if isinstance(schema, msgspec.Raw) else schema)
    except RecursionError:
        raise too_deep() from None
    return closed


def _strict(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    told: list[str] = []
    for key, value in schema.items():
        writer = _WRITERS.get(key)
        if writer is not None:
            name, written = writer(key, value)
            made[name] = written
        elif key in _KEPT or _fits(key, value):
            made[key] = value
        elif key != "additionalProperties" and not key.startswith("$"):
            told.append(f"{key}: {value}")
    if schema.get("type") == "object" or "properties" in schema:
        made["additionalProperties"] = False
    if told:
        texts = (made.get("description"), "{" + ", ".join(told) + "}")
        made["description"] = "\n\n".join(text for text in texts if text)
    return made


def _fits(key: str, value: Any) -> bool:
    return (key == "format" and value in _FORMATS) or (key == "minItems" and value in (0, 1))


def _named(key: str, value: Any) -> tuple[str, Any]:
    """Schemas by name: properties, definitions."""
    members = value.items() if isinstance(value, dict) else ()
    return key, {name: _strict(inner) for name, inner in members}


def _listed(key: str, value: Any) -> tuple[str, Any]:
    """Branches; one of them is any of them here."""
    inner = [_strict(branch) for branch in value] if isinstance(value, list) else value
    return ("anyOf" if key == "oneOf" else key), inner


def _single(key: str, value: Any) -> tuple[str, Any]:
    return key, _strict(value)


_WRITERS: Final[dict[str, Callable[[str, Any], tuple[str, Any]]]] = {
    "properties": _named,
    "$defs": _named,
    "definitions": _named,
    "anyOf": _listed,
    "oneOf": _listed,
    "allOf": _listed,
    "items": _single,
}
