"""Finds one member of a JSON object in its bytes, so that it alone can be replaced or taken out.

Everything else keeps the spelling it came in. It expects text that has been decoded before and so
is known to be JSON.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]', re.DOTALL)
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_PLAIN_STRING: Final = re.compile(rb'\s*:\s*"([^"\\]*)"')
_SCALAR: Final = re.compile(rb"[^\s,\]}]+")
_SPACE: Final = re.compile(rb"\s*")
_COLON: Final = re.compile(rb"\s*:\s*")
_OPENING: Final = b"{["
_MODEL: Final = b'"model"'


class Member(NamedTuple):
    """Offsets: `key` is the quote its name begins with, `start` and `end` hold its value."""

    key: int
    start: int
    end: int


def find(text: bytes, *path: str, start: int = 0) -> Member | None:
    """The member at `path`, each step of which leads into an object; None where there is none."""
    if b'"%b"' % path[-1].encode() not in text:
        return None
    member = None
    for name in path:
        member = _member(text, name.encode(), start)
        if member is None:
            return None
        start = member.start
    return member


def replace(text: bytes, member: Member, value: bytes) -> bytes:
    """The text with another value for one member."""
    return text[: member.start] + value + text[member.end :]


def rename(text: bytes, name: bytes, *path: str) -> bytes:
    """The text with `name`, a JSON string, for the string at `path`; as it is where none stands."""
    member = find(text, *path)
    if member is None or text[member.start : member.start + 1] != b'"':
        return text
    return replace(text, member, name)


def model_in(text: bytes, old: Any, *path: str) -> Member | None:
    """The `model`, decoded to `old`, of the object at `path`."""
    known = _only_model(text, old)
    if known is None:
        return find(text, *path, "model")
    return Member(known.start() - len(_MODEL), known.start(1) - 1, known.end())


def rename_model(text: bytes, name: bytes, old: Any, *path: str) -> bytes:
    """The text with `name`, a JSON string, for the `model` that was decoded to `old`."""
    known = _only_model(text, old)
    if known is None:
        return rename(text, name, *path, "model")
    return text[: known.start(1) - 1] + name + text[known.end() :]


def name_answer(text: bytes, name: bytes, old: Any) -> bytes:
    """An answer in one piece whose `model`, decoded to `old`, is `name` from now on.

    Put in where an upstream left it out.
    """
    if (known := _only_model(text, old)) is not None:
        return text[: known.start(1) - 1] + name + text[known.end() :]
    if (member := find(text, "model")) is not None:
        return replace(text, member, name)
    inside = text.index(b"{") + 1
    return b'%b"model":%b,%b' % (text[:inside], name, text[inside:])


def remove(text: bytes, member: Member) -> bytes:
    """The text without the member and without the one comma that went with it."""
    before = text[: member.key].rstrip()
    if before.endswith(b","):
        return before[:-1] + text[member.end :]
    after = text[member.end :].lstrip()
    return text[: member.key] + after.removeprefix(b",").lstrip()


def _only_model(text: bytes, old: Any) -> re.Match[bytes] | None:
    """What stands behind the key `model`, where it is `old` and no other member has that key."""
    at = text.find(_MODEL)
    if not isinstance(old, str) or at < 0 or text.rfind(_MODEL) != at:
        return None
    known = _PLAIN_STRING.match(text, at + len(_MODEL))
    return known if known is not None and known[1] == old.encode() else None


def _member(text: bytes, name: bytes, start: int) -> Member | None:
    at = text.find(b"{", start)
    if at != _past_space(text, start):
        return None
    at = _past_space(text, at + 1)
    while key := _STRING.match(text, at):
        colon = _COLON.match(text, key.end())
        if colon is None:
            return None
        end = _value_end(text, colon.end())
        if text[key.start() + 1 : key.end() - 1] == name:
            return Member(key.start(), colon.end(), end)
        at = _past_space(text, end)
        if text[at : at + 1] != b",":
            return None
        at = _past_space(text, at + 1)
    return None


def _value_end(text: bytes, start: int) -> int:
    if text[start] not in _OPENING:
        match = _STRING.match(text, start) or _SCALAR.match(text, start)
        return match.end() if match else len(text)
    depth = 0
    for token in _TOKEN.finditer(text, start):
        first = text[token.start()]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


def _past_space(text: bytes, start: int) -> int:
    match = _SPACE.match(text, start)
    return match.end() if match else start
