"""Usage rows in PostgreSQL. The only import of asyncpg, and only where a URL is set.

Each call runs on a loop of the store's own, in the thread that calls.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Any, TypeVar

import asyncpg  # type: ignore[import-untyped]  # it ships no types

from runtime.records.schema import (
    ATTEMPT_COLUMNS,
    CREATE_MIGRATIONS,
    MIGRATIONS,
    PRUNE,
    PRUNED_AT_ONCE,
    REQUEST_COLUMNS,
    Columns,
    Keyed,
    Row,
    attempt_columns,
    request_columns,
)
from runtime.records.store import Batch, Rejected, Unavailable, Unusable, missing

_CONNECT = 5.0  # seconds
_COMMAND = 20.0
_PARTING = 1.0
_MIGRATING = 0x1E7104  # what routers that start at once queue for
_T = TypeVar("_T")


class PostgresStore:
    """One connection to a database."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._runner = asyncio.Runner()
        self._lock = threading.Lock()
        self._db: asyncpg.Connection | None = None
        try:
            self._db = self._run(lambda: _connect(url, read_only=read_only))
            self._run(lambda: self._migrate(read_only=read_only))
        except BaseException:
            self.close()
            raise

    def insert(self, batches: Sequence[Batch]) -> None:
        """See Store."""
        self._run(lambda: self._insert(batches))

    def position(self, segment: str) -> int:
        """See Store."""
        found = self.query("SELECT position FROM segments WHERE name = ?", (segment,))
        return int(found[0][0]) if found else 0

    def forget(self, segments: Sequence[str]) -> None:
        """See Store."""
        self.query("DELETE FROM segments WHERE name = ANY(?)", (list(segments),))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """See Store."""
        sql = _numbered(sql)
        return [tuple(row) for row in self._run(lambda: self._open.fetch(sql, *parameters))]

    def prune(self, before: float) -> int:
        """See Store."""
        pruned = 0
        while True:
            deleted = self._run(lambda: self._prune(before))
            pruned += deleted
            if deleted < PRUNED_AT_ONCE:
                return pruned

    def close(self) -> None:
        """See Store."""
        with self._lock:
            if self._db is not None:
                self._runner.run(_part(self._db))
                self._db = None
            self._runner.close()

    @property
    def _open(self) -> asyncpg.Connection:
        if self._db is None:
            raise Unavailable("PostgreSQL: closed")
        return self._db

    def _run(self, call: Callable[[], Awaitable[_T]]) -> _T:
        async def bounded() -> _T:
            async with asyncio.timeout(_COMMAND):
                return await call()

        try:
            with self._lock:
                return self._runner.run(bounded())
        except _REFUSALS as error:
            raise Rejected(f"PostgreSQL: {type(error).__name__}") from error
        except _FAULTS as error:
            # Only the class: a text may quote what was configured.
            raise Unavailable(f"PostgreSQL: {type(error).__name__}") from error

    async def _insert(self, batches: Sequence[Batch]) -> None:
        rows: list[Keyed] = []
        async with self._open.transaction():
            for batch in batches:
                segment, position = await self._segment(batch.segment)
                rows += batch.keyed(segment, position)
                if batch.end > position:
                    await self._open.execute(
                        "UPDATE segments SET position = $1 WHERE segment_id = $2",
                        batch.end,
                        segment,
                    )
            if rows:
                await self._add("requests", REQUEST_COLUMNS, request_columns(rows))
                await self._add("attempts", ATTEMPT_COLUMNS, attempt_columns(rows))

    async def _segment(self, name: str) -> tuple[int, int]:
        """Number and position of a segment, held for us alone; a new one is given a number."""
        db = self._open
        found = await db.fetchrow(
            "SELECT segment_id, position FROM segments WHERE name = $1 FOR UPDATE", name
        )
        if found is not None:
            return found[0], found[1]
        number = await db.fetchval(
            "UPDATE counters SET value = value + 1 WHERE name = 'segment' RETURNING value"
        )
        await db.execute("INSERT INTO segments VALUES ($1, $2, 0)", number, name)
        return number, 0

    async def _add(self, table: str, names: Sequence[str], columns: Columns) -> None:
        # No row is in yet: the positions, held until the commit, say so.
        if columns:
            rows = zip(*columns, strict=True)
            await self._open.copy_records_to_table(table, columns=names, records=rows)

    async def _prune(self, before: float) -> int:
        async with self._open.transaction():
            done = [await self._open.execute(_numbered(sql), before) for sql in PRUNE]
        return int(done[-1].split()[-1])  # "DELETE 12"

    async def _migrate(self, *, read_only: bool) -> None:
        db = self._open
        async with db.transaction(readonly=read_only):
            if not read_only:
                await db.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATING)
            versions = missing(await _version(db), read_only=read_only)
            if versions:
                await db.execute(CREATE_MIGRATIONS)
            for version in versions:
                await db.execute(MIGRATIONS[version])
                await db.execute("INSERT INTO migrations VALUES ($1, $2)", version, time.time())


# of a value: by the database, or by the client on its way there
_REFUSALS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    OverflowError,
    TypeError,
    ValueError,
)
_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)


async def _connect(url: str, *, read_only: bool) -> asyncpg.Connection:
    settings = {
        "application_name": "interlock",
        "default_transaction_read_only": "on" if read_only else "off",
    }
    try:
        db = await asyncpg.connect(url, timeout=_CONNECT, server_settings=settings)
    except (ValueError, asyncpg.InterfaceError) as error:
        raise Unusable("INTERLOCK_DATABASE_URL is no URL asyncpg understands") from error
    # Sums and means are exact decimals there; what is counted here fits the numbers of JSON.
    await db.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=_number)
    return db


async def _part(db: asyncpg.Connection) -> None:
    try:
        await db.close(timeout=_PARTING)
    except _FAULTS:
        db.terminate()
        await asyncio.sleep(0)  # for the loop to do so


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _numbered(sql: str) -> str:
    """`?` as the $1, $2 ... of PostgreSQL; no statement of ours has one in a text."""
    numbers = count(1)
    first, *others = sql.split("?")
    return first + "".join(f"${next(numbers)}{part}" for part in others)


async def _version(db: asyncpg.Connection) -> int:
    if await db.fetchval("SELECT to_regclass('migrations')") is None:
        return 0
    return await db.fetchval("SELECT max(version) FROM migrations") or 0
