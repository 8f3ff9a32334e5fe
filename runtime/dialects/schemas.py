"""JSON Schemas of tools in the words that a skin takes: fewer than JSON Schema has.

Pure: a schema in, a new one out, and the keywords that were lost on the way. It knows no tool list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from runtime.dialects.decode import invalid, too_deep

Schema = dict[str, Any]


class Profile(NamedTuple):
    """What a skin takes beside types, properties, items, choices of strings and `anyOf`.

    `plain`: keywords that stay as they are. `nullable`: whether null is said by that word.
    """

    plain: frozenset[str]
    nullable: bool = False
    formats: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROFILES: Final[dict[str, Profile]] = {
    # The subset of OpenAPI 3.0 that Gemini has (https://ai.google.dev/api/caching#Schema); of
    # formats those that it does not refuse.
    "openapi": Profile(
        plain=_words(
            "title description default example pattern minimum maximum minLength maxLength minItems"
            " maxItems minProperties maxProperties propertyOrdering"
        ),
        nullable=True,
        formats=_words("date-time enum float double int32 int64"),
    ),
    # What every provider of tool calls was seen to take.
    "basic": Profile(plain=_words("description")),
}

TYPES: Final = ("string", "number", "integer", "boolean", "object", "array")
# The type a keyword says something about; the others are for all.
_BELONGS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("pattern", "minLength", "maxLength", "enum", "const"), ("string",)),
    **dict.fromkeys(("minimum", "maximum"), ("number", "integer")),
    "format": ("string", "number", "integer"),
    **dict.fromkeys(("items", "minItems", "maxItems"), ("array",)),
    **dict.fromkeys(("properties", "required", "propertyOrdering"), ("object",)),
    **dict.fromkeys(("minProperties", "maxProperties"), ("object",)),
}
_TYPE_OF: Final = {str: "string", bool: "boolean", int: "integer", float: "number", dict: "object"}
_BRANCHES: Final = ("anyOf", "oneOf")
_NOTES: Final = frozenset(("title", "description", "default", "example", "examples"))
_DEFINITIONS: Final = frozenset(("$defs", "definitions"))
# A trace names these alone: other words are the caller's own.
_KEYWORDS: Final = _words(
    "$schema $id $ref $anchor $comment $vocabulary $dynamicRef $dynamicAnchor $recursiveRef"
    " $recursiveAnchor id type enum const title description default example examples deprecated"
    " readOnly writeOnly nullable format pattern minLength maxLength minimum maximum"
    " exclusiveMinimum exclusiveMaximum multipleOf items additionalItems prefixItems contains"
    " minContains maxContains minItems maxItems uniqueItems unevaluatedItems properties required"
    " additionalProperties patternProperties propertyNames propertyOrdering minProperties"
    " maxProperties dependencies dependentRequired dependentSchemas unevaluatedProperties anyOf"
    " oneOf allOf not if then else contentEncoding contentMediaType contentSchema discriminator"
    " externalDocs xml"
)
_OTHER: Final = "other"
# References written out can grow without end.
_MOST: Final = 20_000


def rewritten(schema: Any, profile: str, tool: str, where: str) -> tuple[Schema, list[str]]:
    """The parameters of a tool in the words of a profile, and the keywords that were lost.

    References are written out; one that comes back to itself is cut there. `where` is the schema's
    JSON path. Raises CallerError that names the tool, for a schema that no words are found for.
    """
    writer = _Writer(schema, PROFILES[profile], tool)
    try:
        return writer.parameters(where), list(writer.lost)
    except RecursionError:
        raise too_deep() from None


def joined(schema: Schema, keyword: str) -> Schema:
    """A schema without its branches at `keyword`: their properties are its own.

    What all branches require is required; of `allOf`, what any of them does.
    """
    given = schema[keyword]
    branches = (
        [branch for branch in given if isinstance(branch, dict)] if isinstance(given, list) else []
    )
    properties: Schema = {}
    for branch in branches:
        properties |= _members(branch)
    lists = [set(_required(branch)) for branch in branches]
    of_all = set.union if keyword == "allOf" else set.intersection
    needed = of_all(*lists) if lists else set()
    required = _required(schema)
    result = {key: value for key, value in schema.items() if key != keyword}
    result["properties"] = {**properties, **_members(schema)}
    result["required"] = [*required, *sorted(needed.difference(required))]
    return result


def _members(schema: Schema) -> Schema:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _required(schema: Schema) -> list[str]:
    names = schema.get("required")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


class _Node(NamedTuple):
    """A schema with its references followed. `refs`: those on the way to what is in it."""

    schema: Schema
    refs: frozenset[str]
    where: str


class _Writer:
    """Writes one schema. `lost` keeps the order in which keywords were missed."""

    __slots__ = ("_left", "_profile", "_root", "_tool", "lost")

    def __init__(self, root: Any, profile: Profile, tool: str) -> None:
        self.lost: dict[str, None] = {}
        self._root = root
        self._profile = profile
        self._tool = tool
        self._left = _MOST

    def parameters(self, where: str) -> Schema:
        """The schema at the top, where all providers want an object."""
        node = self._flat(self._root, frozenset(), where)
        schema = node.schema
        for keyword in _BRANCHES:
            if keyword in schema:
                branches = _listed(schema[keyword])
                flat = [self._flat(branch, node.refs, where) for branch in branches]
                refs = node.refs.union(*(branch.refs for branch in flat))
                schema = joined({**schema, keyword: [b.schema for b in flat]}, keyword)
                node = _Node(schema, refs, where)
                self._lose(keyword)
        if any(kind != "object" for kind in _kinds(schema)):
            raise self._unsayable(where, "its top is no object")
        properties = schema.get("properties", {})
        top = {"type": "object", **schema, "properties": properties}
        return self._typed(node._replace(schema=top), "object")

    # --- references and `allOf` ----------------------------------------------------------------

    def _flat(self, given: Any, refs: frozenset[str], where: str) -> _Node:
        """The schema itself, with what it refers to and what must hold beside it."""
        self._left -= 1
        if self._left < 0:
            raise self._unsayable(where, "it is too large once its references are written out")
        if given is True:
            given = {}
        if not isinstance(given, dict):
            raise self._unsayable(where, "this is no schema of a value")
        if "$ref" not in given and "allOf" not in given:
            return _Node(given, refs, where)
        own = {key: value for key, value in given.items() if key not in ("$ref", "allOf")}
        parts = list(_listed(given.get("allOf")))
        if "$ref" in given:
            ref = given["$ref"]
            target = self._target(ref, where)
            parts.insert(0, self._cut(target) if ref in refs else target)
            refs |= {ref}
        every = refs
        for part in parts:
            flat = self._flat(part, refs, where)
            own = self._both(own, flat.schema)
            every |= flat.refs
        return _Node(own, every, where)

    def _cut(self, target: Any) -> Schema:
        """What can be said of a schema inside itself."""
        self._lose("$ref")
        kind = target.get("type") if isinstance(target, dict) else None
        return {"type": kind} if isinstance(kind, str) else {}

    def _target(self, ref: Any, where: str) -> Any:
        """What a reference leads to, which must be in the same schema (RFC 6901)."""
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise self._unsayable(f"{where}.$ref", "it refers to another document")
        value = self._root
        for step in unquote(ref[1:]).split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            elif isinstance(value, dict) and step in value:
                value = value[step]
            else:
                raise self._unsayable(f"{where}.$ref", "its reference leads nowhere")
        if ref[1:2] not in ("", "/"):
            raise self._unsayable(f"{where}.$ref", "its reference is not a JSON pointer")
        return value

    def _both(self, one: Schema, other: Schema) -> Schema:
        """A schema for what fits both; where they differ in a keyword, the first holds."""
        result = dict(one)
        for key, value in other.items():
            here = result.setdefault(key, value)
            if here is value or here == value:
                continue
            if key == "properties" and isinstance(here, dict) and isinstance(value, dict):
                result[key] = here | {
                    name: {"allOf": [here[name], inner]} if name in here else inner
                    for name, inner in value.items()
                }
            elif key == "required":
                result[key] = list(dict.fromkeys((*_required(one), *_required(other))))
            elif key not in _DEFINITIONS:
                self._lose(key if key in _NOTES else "allOf")
        return result

    # --- choices -------------------------------------------------------------------------------

    def _written(self, given: Any, refs: frozenset[str], where: str) -> Schema:
        node = self._flat(given, refs, where)
        schema = node.schema
        for keyword in _BRANCHES:
            if keyword in schema:
                return self._chosen(node, keyword)
        kinds = _kinds(schema)
        if any(kind not in (*TYPES, "null") for kind in kinds):
            raise self._unsayable(f"{where}.type", "it names a type that JSON has not")
        named = [kind for kind in dict.fromkeys(kinds) if kind != "null"]
        if len(named) > 1:
            return self._of_several_types(node, named, null="null" in kinds)
        null = "null" in kinds or schema.get("nullable") is True or None in _values(schema)
        written = self._typed(node, named[0] if named else _told_type(schema))
        if kinds and not named:
            self._lose("type")
        return self._or_null(written) if null else written

    def _chosen(self, node: _Node, keyword: str) -> Schema:
        """One of several schemas. Some providers want nothing beside `anyOf`."""
        schema = {key: value for key, value in node.schema.items() if key != keyword}
        if "properties" in schema or not _listed(node.schema[keyword]):
            # what the branches add to an object of its own is mostly which names go together
            self._lose(keyword)
            return self._written(schema, node.refs, node.where)
        notes = _notes(schema)
        schema = {key: value for key, value in schema.items() if key not in notes}
        null = schema.pop("nullable", False) is True
        branches: list[Schema] = []
        for place, branch in enumerate(_listed(node.schema[keyword])):
            where = f"{node.where}.{keyword}[{place}]"
            flat = self._flat({"allOf": [branch, schema]}, node.refs, where)
            if _is_null(flat.schema):
                null = True
            else:
                written = self._written(flat.schema, flat.refs, where)
                branches += written.get("anyOf", [written])
        return self._one_of(_distinct(branches), notes, null=null)

    def _of_several_types(self, node: _Node, kinds: list[str], *, null: bool) -> Schema:
        """A branch per type, each with the keywords that say something about it."""
        schema = node.schema
        notes = _notes(schema)
        branches = []
        for kind in kinds:
            fitting = {
                key: value
                for key, value in schema.items()
                if key not in notes and kind in _BELONGS.get(key, TYPES)
            }
            if "enum" in fitting:
                fitting["enum"] = [value for value in _values(schema) if isinstance(value, str)]
            branches.append(self._typed(node._replace(schema=fitting | {"type": kind}), kind))
        if any(not isinstance(value, str | None) for value in _values(schema)):
            self._lose("enum")
        return self._one_of(branches, notes, null=null or None in _values(schema))

    def _one_of(self, branches: list[Schema], notes: Schema, *, null: bool) -> Schema:
        if null:
            branches = [self._or_null(branch) for branch in branches]
        if len(branches) < 2:
            only = branches[0] if branches else self._or_null({})
            for key, value in notes.items():
                if key in self._profile.plain:
                    only = {**only, key: value}
                else:
                    self._lose(key)
            return only
        for key in notes:
            self._lose(key)
        return {"anyOf": branches}

    def _or_null(self, schema: Schema) -> Schema:
        if self._profile.nullable:
            return {**schema, "nullable": True}
        self._lose("type")
        return schema

    # --- one type ------------------------------------------------------------------------------

    def _typed(self, node: _Node, kind: str | None) -> Schema:
        """A schema of one type, or of any; what it says of null is not told here."""
        schema, made = node.schema, Schema()
        if kind is not None and "type" not in schema:
            made["type"] = kind
        for key, value in schema.items():
            if key == "type" and kind is not None:
                made["type"] = kind
            elif kind not in _BELONGS.get(key, (kind,)):
                self._lose(key)
            elif key in self._profile.plain:
                made[key] = value
            elif (write := _WRITERS.get(key)) is not None:
                write(self, made, node, value)
            elif key not in _SETTLED:
                self._lose(key)
        if kind == "array" and not made.get("items"):
            made["items"] = {"type": "string"}  # Gemini and OpenAI refuse arrays of anything
            self._lose("items")
        return made

    def _properties(self, made: Schema, node: _Node, value: Any) -> None:
        where = f"{node.where}.properties"
        if not isinstance(value, dict):
            raise self._unsayable(where, "these are no properties by name")
        made["properties"] = {
            name: self._written(inner, node.refs, f"{where}.{name}")
            for name, inner in value.items()
        }

    def _required_names(self, made: Schema, node: _Node, value: Any) -> None:
        """Gemini refuses a name that is no property."""
        names = [name for name in _required(node.schema) if name in _members(node.schema)]
        if names:
            made["required"] = names
        if names != value:
            self._lose("required")

    def _items(self, made: Schema, node: _Node, value: Any) -> None:
        if isinstance(value, list) or value is False:  # one schema per place, in two spellings
            self._lose("items")
        else:
            made["items"] = self._written(value, node.refs, f"{node.where}.items")

    def _enum(self, made: Schema, node: _Node, value: Any) -> None:
        values = [one for one in _listed(value) if one is not None]
        if values and all(isinstance(one, str) for one in values):
            made["enum"] = values
        elif values or not isinstance(value, list):
            self._lose("enum")

    def _const(self, made: Schema, node: _Node, value: Any) -> None:
        """A choice of one."""
        if isinstance(value, str):
            made["enum"] = [value]

    def _format(self, made: Schema, node: _Node, value: Any) -> None:
        if isinstance(value, str) and value in self._profile.formats:
            made["format"] = value
        else:
            self._lose("format")

    def _nullable(self, made: Schema, node: _Node, value: Any) -> None:
        """Written by `_or_null`."""

    # --- what is missed ------------------------------------------------------------------------

    def _lose(self, keyword: str) -> None:
        self.lost[keyword if keyword in _KEYWORDS else _OTHER] = None

    def _unsayable(self, where: str, reason: str) -> Exception:
        message = f"The schema of the tool `{self._tool}` cannot be written for its target"
        return invalid(f"{message}: {reason}.", where)


_WRITERS: Final[dict[str, Callable[[_Writer, Schema, _Node, Any], None]]] = {
    "properties": _Writer._properties,
    "required": _Writer._required_names,
    "items": _Writer._items,
    "enum": _Writer._enum,
    "const": _Writer._const,
    "format": _Writer._format,
    "nullable": _Writer._nullable,
}
# Nothing is missed of these: definitions stand where they were referred to.
_SETTLED: Final = _DEFINITIONS | {"type"}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _kinds(schema: Schema) -> list[Any]:
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [] if kind is None else [kind]


def _values(schema: Schema) -> list[Any]:
    """What may be chosen from; nothing where the choice is free."""
    return [schema["const"]] if "const" in schema else _listed(schema.get("enum"))


def _notes(schema: Schema) -> Schema:
    """What is said of a schema beside its description, and forbids nothing."""
    return {key: value for key, value in schema.items() if key in _NOTES and key != "description"}


def _is_null(schema: Schema) -> bool:
    return _kinds(schema) == ["null"] or _values(schema) == [None]


def _told_type(schema: Schema) -> str | None:
    """The type of a schema that does not name it, as its keywords tell."""
    values = [value for value in _values(schema) if value is not None]
    if values:
        kinds = {_TYPE_OF.get(type(value)) for value in values}
        return kinds.pop() if len(kinds) == 1 else None
    return next((_BELONGS[key][0] for key in schema if key in _BELONGS), None)


def _distinct(schemas: Iterable[Schema]) -> list[Schema]:
    kept: list[Schema] = []
    for schema in schemas:
        if schema not in kept:
            kept.append(schema)
    return kept
