"""Where usage rows end up, whichever database that is: SQLite by default, PostgreSQL by its URL.

It knows neither journals nor requests; what a row has in it says `runtime.records.schema`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

from runtime.records.record import Record
from runtime.records.schema import NEWEST, Keyed, Row, row_id

DATABASE_URL: Final = "INTERLOCK_DATABASE_URL"  # the variable; it may hold a password
FILE: Final = "usage.db"  # in the data directory
_POSTGRES: Final = ("postgresql://", "postgres://")


class StoreError(Exception):
    """A database did not do what it was asked to. The text is ours and holds no URL."""


class Unavailable(StoreError):
    """It cannot be reached, or has no room: the same may work later."""


class Rejected(StoreError):
    """It takes no row with such a value, neither now nor later."""


class UnknownSchema(StoreError):
    """Its tables are of another version than this program knows."""


class Unusable(StoreError):
    """What was configured can never work; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows that stand between two bytes of a segment, each with its first byte."""

    segment: str
    start: int
    end: int
    rows: Sequence[tuple[int, Record]]

    def keyed(self, segment_id: int, position: int) -> list[Keyed]:
        """The rows from a byte of the segment on, with the keys they have in the database."""
        first = row_id(segment_id, 0)
        return [(first + at, record) for at, record in self.rows if at >= position]


class Store(Protocol):
    """A database with the tables of usage rows. It may be used by one thread at a time."""

    def insert(self, batches: Sequence[Batch]) -> None:
        """Adds rows and notes how far each segment is in, all in one transaction.

        What is in already is left out, so a batch may come again. Raises StoreError.
        """

    def position(self, segment: str) -> int:
        """How many bytes of a segment are in. Raises StoreError."""

    def forget(self, segments: Sequence[str]) -> None:
        """Lets go of the positions of segments that are deleted. Raises StoreError."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows a statement finds, `?` standing for each parameter. Raises StoreError."""

    def prune(self, before: float) -> int:
        """Deletes the requests that came before a Unix time; how many. Raises StoreError."""

    def close(self) -> None:
        """Lets go of the database."""


def check_place(place: str) -> None:
    """Raises Unusable for a place `open_store` can never open."""
    if "://" not in place:
        return
    if not place.startswith(_POSTGRES):
        raise Unusable(f"{DATABASE_URL} must begin with postgresql://")
    if find_spec("asyncpg") is None:
        raise Unusable(f"{DATABASE_URL} needs asyncpg: pip install 'interlock-router[asyncpg]'")


def open_store(place: str, *, read_only: bool = False) -> Store:
    """The store at a `postgresql://` URL or in a file, its tables brought up to date.

    `read_only` changes and creates nothing, and wants tables of the newest version. Raises
    StoreError.
    """
    check_place(place)
    if "://" in place:
        from runtime.records.postgres import PostgresStore

        return PostgresStore(place, read_only=read_only)
    from runtime.records.sqlite import SqliteStore

    return SqliteStore(Path(place), read_only=read_only)


def missing(version: int, *, read_only: bool) -> range:
    """The versions a database at `version` still lacks (0: an empty one). Raises UnknownSchema."""
    if version > NEWEST:
        raise UnknownSchema(
            f"the tables of usage rows are of version {version}, this program knows {NEWEST}: "
            "use the newer program"
        )
    if read_only and not version:
        raise UnknownSchema("no usage rows were ever kept there: the router begins when it serves")
    if read_only and version < NEWEST:
        raise UnknownSchema(
            f"the tables of usage rows are of version {version}, {NEWEST} is needed: "
            "the router brings them up to date when it serves"
        )
    return range(version + 1, NEWEST + 1)
