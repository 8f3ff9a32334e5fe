"""Values as Python text: the one place where a value of the YAML becomes source code.

Every value goes through `repr`; only words of `runtime.vocabulary` stand bare, and a module
remembers which of them it used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import msgspec

from runtime.vocabulary import FLAG_NAMES, Route

_INDENT = "    "


class Literals:
    """Writes values for one module; `words` are what it must import."""

    def __init__(self) -> None:
        self.words: set[str] = set()

    def value(self, value: object) -> str:
        """Any value on one line."""
        if isinstance(value, Route):
            return self.route(value)
        if isinstance(value, msgspec.Struct):
            return self._call(value, self._arguments(value))
        if isinstance(value, Mapping):
            pairs = (f"{self.value(key)}: {self.value(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        if isinstance(value, tuple):
            items = [self.value(item) for item in value]
            return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
        if isinstance(value, list):
            return f"[{', '.join(self.value(item) for item in value)}]"
        return _scalar(value)

    def block(self, value: object, depth: int, unfold: frozenset[str] = frozenset()) -> str:
        """A record with one field per line, and one line per item of the fields in `unfold`."""
        if not isinstance(value, msgspec.Struct):
            return self.value(value)
        inner = _INDENT * (depth + 1)
        rows = []
        for name, text in self._arguments(value):
            item = getattr(value, name)
            if name in unfold and item:
                text = self.rows(item, depth + 1)
            rows.append(f"{inner}{name}={text},\n")
        self.words.add(type(value).__name__)
        return f"{type(value).__name__}(\n{''.join(rows)}{_INDENT * depth})"

    def rows(self, mapping: Mapping[str, object], depth: int) -> str:
        """A mapping with one item per line."""
        inner = _INDENT * (depth + 1)
        rows = (f"{inner}{self.value(k)}: {self.value(v)},\n" for k, v in mapping.items())
        return "{\n" + "".join(rows) + _INDENT * depth + "}"

    def route(self, route: Route) -> str:
        """A path: its flags by name, its conditions only where it has any."""
        arguments = [
            self.value(route.target),
            self.value(route.skin),
            self.value(route.bridge),
            self.flags(route.features),
            self.flags(route.levels),
            self.flags(route.mapped),
        ]
        if route.only_when:
            arguments.append(f"only_when={self.flags(route.only_when)}")
        if route.last_resort:
            arguments.append("last_resort=True")
        self.words.add("Route")
        return f"Route({', '.join(arguments)})"

    def flags(self, bits: int) -> str:
        """A set of bits as the vocabulary's names, in its order."""
        names = _flag_names(bits)
        self.words.update(names)
        return " | ".join(names) or "0"

    def _arguments(self, record: msgspec.Struct) -> list[tuple[str, str]]:
        """The fields that say something: those without a default, and those that left it."""
        arguments = []
        for field in _fields(type(record)):
            item = getattr(record, field.name)
            if field.required or item != _default(field):
                arguments.append((field.name, self.value(item)))
        return arguments

    def _call(self, record: msgspec.Struct, arguments: Iterable[tuple[str, str]]) -> str:
        name = type(record).__name__
        self.words.add(name)
        return f"{name}({', '.join(f'{key}={text}' for key, text in arguments)})"


@cache
def _fields(record: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(record)


@cache
def _flag_names(bits: int) -> tuple[str, ...]:
    return tuple(name for bit, name in FLAG_NAMES.items() if bits & bit)


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory()


def _scalar(value: object) -> str:
    """`repr`, with the quotes people expect where the text itself has none."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if not isinstance(value, str):
        raise TypeError(f"a {type(value).__name__} has no place in a generated module")
    text = repr(str(value))
    return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text
