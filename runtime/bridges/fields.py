"""The fate of every request field on a bridge, as data: eligibility, diagnostics, trace, docs and
tests read these tables. It knows no dialect and no body.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec


class Fate(StrEnum):
    """What becomes of a field."""

    CARRY = "carried"  # the same value under the same name
    MAP = "mapped"  # the same meaning in other words
    DROP = "dropped"  # left out and named in the trace; the request is still answered
    REFUSE = "refused"  # the target cannot answer a request that has it


CARRY: Final = Fate.CARRY
MAP: Final = Fate.MAP
DROP: Final = Fate.DROP
REFUSE: Final = Fate.REFUSE


class Field(msgspec.Struct, frozen=True):
    """One field of the caller's dialect, by its path.

    A path is a top-level name (`stop`), a member (`reasoning.summary`), an item or message part by
    its type (`input[type=compaction]`, `content[type=document]`), or a member of one
    (`tools[].strict`). `to` says where a MAP leads; DROP and REFUSE have a `why`. `feature` is the
    word by which readers tell a REFUSE: a feature that no bridge carries, or a word of
    `runtime.signs`.
    """

    name: str
    fate: Fate
    to: str = ""
    why: str = ""
    feature: str = ""


class Table(msgspec.Struct, frozen=True, cache_hash=True):
    """The fields of one bridge, `<caller>_to_<upstream>`."""

    bridge: str
    fields: tuple[Field, ...]

    def of(self, *fates: Fate) -> tuple[Field, ...]:
        """The fields that have one of these fates, in order."""
        return tuple(field for field in self.fields if field.fate in fates)

    @property
    def top(self) -> frozenset[str]:
        """Every top-level name the table knows."""
        return frozenset(_top(field.name) for field in self.fields)

    @property
    def carried(self) -> tuple[str, ...]:
        """Every top-level name that travels as it is."""
        return _carried(self)

    def lost(self, body: Collection[str]) -> list[str]:
        """Top-level names of a body that are dropped, in the order of the table, and behind them
        those that no row knows, in the order of the body.
        """
        kept = _kept(self)
        lost = [name for name in body if name not in kept]
        if len(lost) > 1:
            places = _places(self)
            lost.sort(key=lambda name: places.get(name, len(places)))
        return lost

    def refuses(self, signs: Collection[str]) -> list[str]:
        """Those of the signs a body has that keep it from crossing."""
        mine = {field.feature for field in self.of(REFUSE)}
        return [sign for sign in signs if sign in mine]


@lru_cache
def _kept(table: Table) -> frozenset[str]:
    """Top-level names that are known and not dropped as a whole."""
    dropped = {field.name for field in table.of(DROP)}
    return table.top - dropped


@lru_cache
def _places(table: Table) -> dict[str, int]:
    """Where each name that is dropped as a whole stands among them."""
    return {field.name: place for place, field in enumerate(table.of(DROP))}


@lru_cache
def _carried(table: Table) -> tuple[str, ...]:
    names = (field.name for field in table.of(CARRY))
    return tuple(name for name in names if name == _top(name))


def _top(name: str) -> str:
    return name.partition(".")[0].partition("[")[0]
