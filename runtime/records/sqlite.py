"""Usage rows in a file. The only import of sqlite3."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from runtime.records.schema import (
    ATTEMPT_COLUMNS,
    CREATE_MIGRATIONS,
    MIGRATIONS,
    PRUNE,
    PRUNED_AT_ONCE,
    REQUEST_COLUMNS,
    TYPES_IN_SQLITE,
    Columns,
    Keyed,
    Row,
    attempt_columns,
    request_columns,
    statements,
)
from runtime.records.store import Batch, Rejected, Unavailable, missing

_WAIT = 5.0  # seconds for another writer
# Rows per statement: other threads run while one runs, and wait for their turn between two.
_SIZES = (100, 10, 1)
# What is kept prepared: the statements of a transaction. Some take half a megabyte.
_STATEMENTS = 16


class SqliteStore:
    """A database file, made when it is missing."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        uri = f"{path.absolute().as_uri()}?mode={_mode(path) if read_only else 'rwc'}"
        with _translated():
            if not read_only:
                path.touch(mode=0o600)  # SQLite itself would let everybody read
            self._db = sqlite3.connect(
                uri,
                uri=True,
                timeout=_WAIT,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS,
            )
        try:
            with _translated():
                if not read_only:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    # A segment is deleted after the commit, so the commit must be on the disk.
                    self._db.execute("PRAGMA synchronous = FULL")
                self._migrate(read_only=read_only)
                self._file = _file(path)
        except BaseException:
            self._db.close()
            raise

    def insert(self, batches: Sequence[Batch]) -> None:
        """See Store."""
        rows: list[Keyed] = []
        if _file(self._path) != self._file:
            raise Unavailable("SQLite: the file was deleted or replaced")
        with self._transaction():
            for batch in batches:
                segment, position = self._segment(batch.segment)
                rows += batch.keyed(segment, position)
                if batch.end > position:
                    self._db.execute(
                        "UPDATE segments SET position = ? WHERE segment_id = ?",
                        (batch.end, segment),
                    )
            if rows:
                self._add("requests", REQUEST_COLUMNS, request_columns(rows))
                self._add("attempts", ATTEMPT_COLUMNS, attempt_columns(rows))

    def position(self, segment: str) -> int:
        """See Store."""
        found = self.query("SELECT position FROM segments WHERE name = ?", (segment,))
        return int(found[0][0]) if found else 0

    def forget(self, segments: Sequence[str]) -> None:
        """See Store."""
        with self._transaction():
            self._db.executemany(
                "DELETE FROM segments WHERE name = ?", [(name,) for name in segments]
            )

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See Store."""
        with _translated():
            return self._db.execute(sql, tuple(parameters)).fetchall()

    def prune(self, before: float) -> int:
        """See Store."""
        pruned = 0
        while True:
            with self._transaction():
                deleted = [self._db.execute(sql, (before,)).rowcount for sql in PRUNE][-1]
            pruned += deleted
            if deleted < PRUNED_AT_ONCE:
                return pruned

    def close(self) -> None:
        """See Store."""
        self._db.close()

    def _segment(self, name: str) -> tuple[int, int]:
        """Number and position of a segment; a new one is given the next number."""
        db = self._db
        found = db.execute(
            "SELECT segment_id, position FROM segments WHERE name = ?", (name,)
        ).fetchone()
        if found is not None:
            return found[0], found[1]
        db.execute("UPDATE counters SET value = value + 1 WHERE name = 'segment'")
        (number,) = db.execute("SELECT value FROM counters WHERE name = 'segment'").fetchone()
        db.execute("INSERT INTO segments VALUES (?, ?, 0)", (number, name))
        return number, 0

    def _add(self, table: str, names: Sequence[str], columns: Columns) -> None:
        if not columns:
            return
        own, common = _divided(columns)
        shared = [columns[n][0] for n in common]
        values = [*chain.from_iterable(zip(*[columns[n] for n in own], strict=True))]
        ordered = tuple([names[n] for n in (*common, *own)])
        first = 0
        for size in _SIZES:
            width = size * len(own)
            while first + width <= len(values):
                text = _insertion(table, ordered, len(common), size)
                self._db.execute(text, shared + values[first : first + width])
                first += width

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _version(self) -> int:
        tables = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'")
        if tables.fetchone() is None:
            return 0
        (version,) = self._db.execute("SELECT max(version) FROM migrations").fetchone()
        return version or 0

    def _migrate(self, *, read_only: bool) -> None:
        if not missing(self._version(), read_only=read_only):
            return
        with self._transaction():
            self._db.execute(CREATE_MIGRATIONS)
            for version in missing(self._version(), read_only=read_only):
                for statement in statements(MIGRATIONS[version]):
                    self._db.execute(_in_sqlite(statement))
                self._db.execute("INSERT INTO migrations VALUES (?, ?)", (version, time.time()))


def _file(path: Path) -> tuple[int, int] | None:
    """Which file stands there."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _mode(path: Path) -> str:
    """How to open a file for reading alone.

    SQLite reads a file in WAL mode by means of files beside it. Where it may not make them, and
    they are not there, nobody writes the file: a copy on a medium that takes no writing.
    """
    wal = path.with_name(f"{path.name}-wal")
    still = not wal.exists() and not os.access(path.parent, os.W_OK, effective_ids=True)
    return "ro&immutable=1" if still else "ro"


def _in_sqlite(statement: str) -> str:
    for kind, ours in TYPES_IN_SQLITE.items():
        statement = statement.replace(kind, ours)
    return statement


def _divided(columns: Columns) -> tuple[list[int], list[int]]:
    """The columns in which rows differ, with the key, and those in which all have one value.

    Half of what a row costs is to hand over its values one by one; these are handed over once.
    """
    own, common = [0], list[int]()
    for n, column in enumerate(columns[1:], 1):
        value = column[0]
        # The last one tells most of those that differ, without a look at the others.
        alike = value == column[-1] and column.count(value) == len(column)
        (common if alike else own).append(n)
    return own, common


@lru_cache(maxsize=_STATEMENTS)
def _insertion(table: str, names: tuple[str, ...], common: int, rows: int) -> str:
    """Adds so many rows: first the values of the common columns, then those of each row."""
    own = len(names) - common
    chosen = ["?"] * common + [f"column{n}" for n in range(1, own + 1)]
    values = ", ".join([f"({', '.join('?' * own)})"] * rows)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608 - names of ours
        f"SELECT {', '.join(chosen)} FROM (VALUES {values})"
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OverflowError, sqlite3.DataError, sqlite3.IntegrityError) as error:
        raise Rejected(f"SQLite: {type(error).__name__}") from error
    except OSError as error:
        raise Unavailable(f"SQLite: {error.strerror}") from error
    except sqlite3.Error as error:
        raise Unavailable(f"SQLite: {error}") from error
