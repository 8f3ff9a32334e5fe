"""How people say which rows they want: keys, moments, conditions; the same in commands and URLs."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from runtime.records.report import FIELDS, KEYS

_AGO: Final = re.compile(r"(\d{1,5})([mhdw])")
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_NUMBERS: Final = frozenset({"status", "stream"})
_YEARS: Final = (0.0, dt.datetime(9999, 1, 1, tzinfo=dt.UTC).timestamp())


class Unclear(ValueError):
    """Nothing is meant by this. `name` is the word that is not among `known`, where one is."""

    def __init__(self, message: str, name: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.known = known


def keys(text: str) -> tuple[str, ...]:
    """Keys of a report, by commas. Raises Unclear."""
    found = tuple(dict.fromkeys(key.strip() for key in text.split(",")))
    for key in found:
        if key not in KEYS:
            raise Unclear(f"no key {key!r}", key, KEYS)
    return found


def moment(text: str) -> float:
    """Unix seconds of a date or time in ISO form, UTC unless it says otherwise, or of an age.

    What is earlier than 1970 is 1970. Raises Unclear.
    """
    first, last = _YEARS
    if ago := _AGO.fullmatch(text):
        return max(first, dt.datetime.now(dt.UTC).timestamp() - int(ago[1]) * _SECONDS[ago[2]])
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Unclear(f"{text!r} is neither a date (2026-11-20) nor an age (24h, 7d)") from None
    found = found if found.tzinfo else found.replace(tzinfo=dt.UTC)
    return min(max(first, found.timestamp()), last)


def condition(text: str) -> tuple[str, str | int | None]:
    """`field=value`; without a value the rows where there is none. Raises Unclear."""
    field, equals, value = text.partition("=")
    if field not in FIELDS or not equals:
        raise Unclear(f"{text!r} is no FIELD=VALUE", field, FIELDS)
    if field not in _NUMBERS:
        if not value.isprintable():
            raise Unclear(f"{value!r} is no value of {field!r}")
        return field, value or None
    number = {"true": "1", "false": "0"}.get(value, value)
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Unclear(f"{value!r} is no value of {field!r}")
    return field, int(number)


def together(
    conditions: Iterable[tuple[str, str | int | None]],
) -> dict[str, str | int | None]:
    """Conditions that hold all at once. Raises Unclear where two are about one field."""
    found: dict[str, str | int | None] = {}
    for field, value in conditions:
        if field in found:
            raise Unclear(f"{field!r} has two values; one row has one")
        found[field] = value
    return found
