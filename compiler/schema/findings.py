"""2xx: what pydantic found, in the words of the YAML; knows the shape, not what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compiler.diagnostics import Finding, Path, did_you_mean, rule
from compiler.source import Document, kind_of

# Words of other tools, and slips, that likeness of letters does not lead to ours.
SYNONYMS: Final[dict[str, str]] = {
    "api_base": "base_url",
    "api_key": "key_env",
    "api_key_env": "key_env",
    "endpoint": "base_url",
    "fallbacks": "members",
    "host": "base_url",
    "key": "key_env",
    "max_output_tokens": "output_cap",
    "max_tokens": "output_cap",
    "modalities": "input",
    "model_groups": "groups",
    "profile": "use",
    "strategy": "policy",
    "token": "tokens",
    "upstreams": "providers",
    "url": "base_url",
    "users": "callers",
    "verified_at": "verified",
}


@rule("IL201")
def unknown_field(path: Path, known: list[str]) -> Finding:
    """A mapping has a field that its kind does not know.

    Nothing is silently ignored: a misspelt `weigth` would otherwise be a weight of 1.

    Bad:

        members:
          - {target: small, weigth: 3}

    Good:

        members:
          - {target: small, weight: 3}
    """
    name = str(path[-1])
    where = f"in `{_dotted(path[:-1])}`" if path[:-1] else "at the top of the file"
    if SYNONYMS.get(name) in known:
        hint = f"did you mean `{SYNONYMS[name]}`?"
    elif name == "<<":
        hint = "merge keys are not read: say it once in a profile and `use` it"
    else:
        hint = did_you_mean(name, known)
    return Finding(path, f"unknown field `{name}` {where}", hint=hint, on="key")


@rule("IL202")
def missing_field(path: Path) -> Finding:
    """A mapping lacks a field it cannot do without.

    It is shown at the mapping, since the field itself has no place.

    Bad:

        targets:
          small: {provider: own, skins: {chat: {}}}

    Good:

        targets:
          small: {provider: own, model: qwen3-coder, skins: {chat: {}}}
    """
    name = str(path[-1])
    where = f"`{_dotted(path[:-1])}`" if path[:-1] else "the deployment"
    return Finding(path[:-1], f"{where} has no `{name}`", hint=f"add `{name}:`", on="key")


@rule("IL203")
def wrong_kind(path: Path, wanted: str, value: object) -> Finding:
    """A value is of another kind than its field.

    Values are not converted: `"true"` is text, `64` is no size, and one word is not a list.

    Bad:

        surfaces: chat
        sticky: "yes"

    Good:

        surfaces: [chat]
        sticky: true
    """
    hint = f"write {wanted}"
    if wanted == "a list" and not isinstance(value, dict | list):
        hint = f"put it in brackets: `[{value}]`"
    elif wanted == "true or false" and isinstance(value, str):
        hint = "write `true` or `false` without quotes; `yes`, `no`, `on` and `off` are text"
    elif wanted in {"a number", "a whole number"} and isinstance(value, str):
        hint = "write plain digits, without quotes, underscores or leading zeros"
    return Finding(path, f"`{_last(path)}` must be {wanted}, not {kind_of(value)}", hint=hint)


@rule("IL204")
def needs_quotes(path: Path, raw: str, value: object) -> Finding:
    """A number or boolean stands where text stands.

    YAML reads `1.10` as the number 1.1, so a version or a model name would silently change.

    Bad:

        model: 5.10

    Good:

        model: "5.10"
    """
    written = raw or str(value)
    return Finding(
        path,
        f"`{_last(path)}` must be text; YAML reads `{written}` as {kind_of(value)}",
        hint=f'quote it: "{written}"',
    )


@rule("IL205")
def empty_value(path: Path) -> Finding:
    """A field is named and nothing stands after it.

    It could mean the default, nothing at all, or lines that were lost.

    Bad:

        phase_rules:
        surfaces: [chat]

    Good:

        phase_rules: default
        surfaces: [chat]
    """
    return Finding(
        path,
        f"`{_last(path)}` has no value",
        hint="give it one, or remove the line to keep the default",
        on="key",
    )


@rule("IL206")
def unknown_word(path: Path, value: object, known: list[str], kind: str) -> Finding:
    """A word is not one of those this field knows.

    The words of a field are a closed set, so that a slip cannot mean something else.

    Bad:

        surfaces: [chat, message]

    Good:

        surfaces: [chat, messages]
    """
    on_key = isinstance(path[-1], str) and path[-1] == value
    told = kind or (f"entry of `{_last(path[:-1])}`" if on_key else f"value for `{_last(path)}`")
    finer = [word for word in known if word.startswith(f"{value}.")]
    hint = did_you_mean(str(value), known)
    if finer or known[0].isdigit():
        hint = f"choose one of {', '.join(f'`{word}`' for word in finer or known)}"
    return Finding(path, f"`{value}` is no {told}", hint=hint, on="key" if on_key else "value")


@rule("IL207")
def bad_duration(path: Path, value: object) -> Finding:
    """A duration does not read as one.

    A number alone would leave the unit to memory.

    Bad:

        attempt_timeout: 90

    Good:

        attempt_timeout: 90s
    """
    return Finding(
        path,
        f"`{_last(path)}` must be a duration longer than nothing, not `{value}`",
        hint="write a number with ms, s, m or h, such as `250ms`, `90s`, `5m`, `1h`",
    )


@rule("IL208")
def bad_size(path: Path, value: object) -> Finding:
    """A size does not read as one.

    Sizes are powers of 1024 and say so; `MB` means two things, a bare number leaves it open.

    Bad:

        body_limit: 32MB

    Good:

        body_limit: 32MiB
    """
    return Finding(
        path,
        f"`{_last(path)}` must be a size, not `{value}`",
        hint="write a whole number with B, KiB, MiB or GiB, such as `64KiB`, `32MiB`",
    )


@rule("IL209")
def bad_date(path: Path, value: object) -> Finding:
    """A date does not read as one, or is not in the calendar.

    Other orders of day and month are read in two ways.

    Bad:

        as_of: 20.11.2026

    Good:

        as_of: 2026-11-20
    """
    return Finding(
        path,
        f"`{_last(path)}` must be a date, not `{value}`",
        hint="write year-month-day, such as `2026-11-20`",
    )


@rule("IL210")
def bad_form(path: Path, value: object, kind: str, example: str) -> Finding:
    """An id, name, digest, path or header does not have the form of its kind.

    Ids are lower-case letters, digits, `.`, `_` and `-`, begin with a letter or digit and have at
    most 64 characters, for they become file names, header values and model names.

    Bad:

        groups:
          Big Coder: {surfaces: [chat], members: [{target: small}]}

    Good:

        groups:
          big-coder: {surfaces: [chat], members: [{target: small}], title: Big Coder}
    """
    on_key = isinstance(path[-1], str) and path[-1] == value
    return Finding(
        path,
        f"`{value}` is not {kind}",
        hint=f"write it like `{example}`" if " " not in example else f"use {example}",
        on="key" if on_key else "value",
    )


@rule("IL211")
def out_of_range(path: Path, value: object, bound: str) -> Finding:
    """A number is too small or too large for its field.

    The bound is what the runtime can keep to, or what makes sense at all.

    Bad:

        policy: {kind: ordered, attempts: 0}

    Good:

        policy: {kind: ordered, attempts: 1}
    """
    return Finding(path, f"`{_last(path)}` must be {bound}, not {value}", hint=f"make it {bound}")


@rule("IL212")
def wrong_length(path: Path, bound: str) -> Finding:
    """A text, list or mapping is empty or too long.

    An empty list here would mean a group nobody can reach or a rule that never holds.

    Bad:

        surfaces: []

    Good:

        surfaces: [chat]
    """
    return Finding(path, f"`{_last(path)}` must have {bound}", hint=f"give it {bound}")


@rule("IL213")
def repeated(path: Path, value: str) -> Finding:
    """A list names the same thing twice.

    The second is either a slip for something else, or noise for the reviewer.

    Bad:

        tools: [function, parallel, function]

    Good:

        tools: [function, parallel]
    """
    return Finding(path, f"`{value}` stands twice in this list", hint="remove one of the two")


@rule("IL214")
def unknown_format(path: Path, value: object) -> Finding:
    """The file is written in a version of the format that this compiler does not read.

    An older compiler could only guess what a newer file means.

    Bad:

        interlock: 2

    Good:

        interlock: 1
    """
    return Finding(
        path,
        f"this compiler reads `interlock: 1`, not `{value}`",
        hint="write `interlock: 1`, or use the compiler this file was written for",
    )


@rule("IL215")
def misplaced(path: Path, section: str) -> Finding:
    """An entry stands in one section and reads like an entry of another.

    Usually a line above it was lost, or it is indented one level too little or too much.

    Bad:

        groups:
          default:
            rules: [{phase: plan, last_user: design}, {phase: implement}]

    Good:

        phase_rules:
          default:
            rules: [{phase: plan, last_user: design}, {phase: implement}]
    """
    name = str(path[-1])
    where = f"in `{_dotted(path[:-1])}`" if path[:-1] else "at the top of the file"
    return Finding(
        path,
        f"`{name}` stands {where} and reads like an entry of `{section}`",
        label=f"it has what `{section}` entries have",
        hint=f"put it under a line `{section}:`; lines above it may have been lost",
        on="key",
    )


_WANTED: Final[dict[str, str]] = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_BOUNDS: Final[dict[str, str]] = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "finite_number": "a finite number",
    "big_number": "at most 9007199254740992 (JSON readers differ beyond)",
}
_LENGTHS: Final[dict[str, str]] = {
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
}

Found = tuple[Callable[..., Finding], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Slip:
    """One error of pydantic's, with its path in the document."""

    kind: str
    path: Path
    value: Any
    context: Mapping[str, Any]
    document: Document
    schema: Mapping[str, Any]


def slip_of(error: Mapping[str, Any], document: Document, schema: Mapping[str, Any]) -> Slip:
    """The error with a path instead of pydantic's location; a missing field ends its path."""
    path = document_path(error["loc"], document.data)
    if error["type"] == "missing":
        path = (*path, error["loc"][-1])
    context = {key: _number(value) for key, value in (error.get("ctx") or {}).items()}
    return Slip(str(error["type"]), path, error["input"], context, document, schema)


def explain(slip: Slip) -> Found:
    """The rule that says what pydantic found, and its arguments."""
    told = _TOLD.get(slip.kind)
    if told is not None:
        return told(slip)
    return wrong_kind, (slip.path, _WANTED.get(slip.kind, "something else"), slip.value)


def _text(slip: Slip) -> Found:
    if isinstance(slip.value, bool | int | float):
        return needs_quotes, (slip.path, slip.document.raw(slip.path), slip.value)
    return wrong_kind, (slip.path, "text", slip.value)


def _literal(slip: Slip) -> Found:
    if slip.path == ("interlock",):
        return unknown_format, (slip.path, slip.value)
    expected = slip.context["expected"]
    words = re.findall(r"'([^']*)'", expected)
    known = words or re.findall(r"\d+", expected)
    if isinstance(slip.value, list | dict) or (not words and isinstance(slip.value, str)):
        return wrong_kind, (slip.path, f"one of {', '.join(known)}", slip.value)
    written = slip.value
    if not isinstance(written, str):
        written = slip.document.raw(slip.path) or written
    return unknown_word, (slip.path, written, known, "")


def _bound(slip: Slip) -> Found:
    return out_of_range, (slip.path, slip.value, _BOUNDS[slip.kind].format(**slip.context))


def _length(slip: Slip) -> Found:
    return wrong_length, (slip.path, _LENGTHS[slip.kind].format(**slip.context))


_TOLD: Final[dict[str, Callable[[Slip], Found]]] = {
    "missing": lambda s: (missing_field, (s.path,)),
    "extra_forbidden": lambda s: (unknown_field, (s.path, fields_at(s.schema, s.path[:-1]))),
    "duration": lambda s: (bad_duration, (s.path, s.value)),
    "size": lambda s: (bad_size, (s.path, s.value)),
    "day": lambda s: (bad_date, (s.path, s.value)),
    "form": lambda s: (bad_form, (s.path, s.value, s.context["kind"], s.context["example"])),
    "word": lambda s: (unknown_word, (s.path, s.value, s.context["known"], s.context["kind"])),
    "repeated": lambda s: (repeated, ((*s.path, s.context["index"]), s.context["value"])),
    "string_type": _text,
    "literal_error": _literal,
    **dict.fromkeys(_BOUNDS, _bound),
    **dict.fromkeys(_LENGTHS, _length),
}


def document_path(loc: tuple[str | int, ...], data: Any) -> Path:
    """The steps of a pydantic location that the document has: no union tags, no `[key]`."""
    path: list[str | int] = []
    for step in loc:
        if isinstance(data, dict) and step in data:
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        path.append(step)
    return tuple(path)


def fields_at(schema: Mapping[str, Any], path: Path) -> list[str]:
    """The fields that the mapping at `path` may have, by the JSON Schema."""
    nodes = [dict(schema)]
    for step in path:
        nodes = [inner for node in nodes for inner in _step(schema, node, step)]
    return [name for node in nodes for name in _flat(schema, node).get("properties", {})]


def _step(schema: Mapping[str, Any], node: Mapping[str, Any], step: str | int) -> Iterator[Any]:
    node = _flat(schema, node)
    if isinstance(step, int):
        inner = node.get("items")
    else:
        inner = node.get("properties", {}).get(step)
        entries = node.get("patternProperties", {}).values()
        inner = inner or next(iter(entries), None) or node.get("additionalProperties")
    if isinstance(inner, Mapping):
        yield inner


def _flat(schema: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """A schema node with its reference followed and its alternatives laid over one another."""
    flat: dict[str, Any] = {}
    parts = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
    if "$ref" in node:
        parts.append(schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    for part in parts:
        flat |= _flat(schema, part)
    return flat | {k: v for k, v in node.items() if k != "$ref"}


def misplaced_section(schema: Mapping[str, Any], path: Path, value: object) -> str | None:
    """The section whose entries have what the mapping at `path` has, where its own have not."""
    if not isinstance(value, dict) or not value or set(value) <= set(fields_at(schema, path)):
        return None
    for section in schema["properties"]:
        if section != path[0] and set(value) <= set(fields_at(schema, (section, "x"))):
            return str(section)
    return None


def _last(path: Path) -> str:
    """The nearest name in a path: of a list's item, the list's."""
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "the deployment")


def _dotted(path: Path) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
