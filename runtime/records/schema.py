"""The tables of usage rows, the same in SQLite and in PostgreSQL, and how they came to be so.

A migration is plain SQL that both read; what a type is called in SQLite says `TYPES_IN_SQLITE`.
Times are Unix seconds in UTC, durations milliseconds, money USD, yes and no are 1 and 0, lists are
words with a space between. `user` and `group` mean something else in SQL: `COLUMN_NAMES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import astuple

from runtime.records.record import Attempt, Record

Row = tuple[Any, ...]
Columns = Sequence[Sequence[Any]]  # of some rows: the values of each column
Keyed = tuple[int, Record]  # a record and the key of its row

# A number per version, in order. One that was released is never edited: add the next. An index
# costs every row 1 to 2 us, so there are only those that the router's own pages and pruning need.
MIGRATIONS: Final[dict[int, str]] = {
    1: """
CREATE TABLE requests (
    row_id BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    time DOUBLE PRECISION NOT NULL,
    artifact TEXT NOT NULL,
    kind TEXT NOT NULL,
    token TEXT,
    caller TEXT,
    user_name TEXT,
    project TEXT,
    env TEXT,
    client TEXT,
    surface TEXT NOT NULL,
    posted TEXT,
    group_name TEXT,
    policy TEXT,
    phase TEXT,
    stream BIGINT NOT NULL,
    features TEXT NOT NULL,
    cap BIGINT,
    input_estimate BIGINT NOT NULL,
    body_bytes BIGINT NOT NULL,
    tool_schema_bytes BIGINT NOT NULL,
    tools BIGINT NOT NULL,
    image_count BIGINT NOT NULL,
    input_has_image BIGINT NOT NULL,
    plan TEXT NOT NULL,
    skipped TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    target TEXT,
    provider TEXT,
    key_id TEXT,
    model TEXT,
    skin TEXT,
    bridge TEXT,
    dropped TEXT NOT NULL,
    cache TEXT,
    status BIGINT NOT NULL,
    code TEXT,
    outcome TEXT NOT NULL,
    first_byte DOUBLE PRECISION,
    ms DOUBLE PRECISION NOT NULL,
    input BIGINT,
    output BIGINT,
    cached BIGINT,
    cache_write BIGINT,
    reasoning BIGINT,
    image_tokens BIGINT,
    cost_input DOUBLE PRECISION,
    cost_output DOUBLE PRECISION,
    cost_image DOUBLE PRECISION,
    cost DOUBLE PRECISION,
    cost_baseline DOUBLE PRECISION,
    savings DOUBLE PRECISION,
    cost_reported DOUBLE PRECISION
);
CREATE INDEX requests_time ON requests (time);
CREATE INDEX requests_id ON requests (id);
CREATE INDEX requests_user ON requests (user_name, time);

CREATE TABLE attempts (
    row_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    target TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    skin TEXT NOT NULL,
    bridge TEXT,
    at DOUBLE PRECISION NOT NULL,
    ms DOUBLE PRECISION NOT NULL,
    head DOUBLE PRECISION,
    status BIGINT,
    kind TEXT,
    code TEXT,
    PRIMARY KEY (row_id, number)
);

CREATE TABLE segments (
    segment_id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position BIGINT NOT NULL
);
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('segment', 0);
""",
}
NEWEST: Final = max(MIGRATIONS)
CREATE_MIGRATIONS: Final = """
CREATE TABLE IF NOT EXISTS migrations (
    version BIGINT PRIMARY KEY,
    applied DOUBLE PRECISION NOT NULL
)"""
# An `INTEGER PRIMARY KEY` is the row's own number there, and costs no index.
TYPES_IN_SQLITE: Final = {"BIGINT": "INTEGER", "DOUBLE PRECISION": "REAL"}

# fields of a record whose column is called otherwise
COLUMN_NAMES: Final = {"user": "user_name", "group": "group_name"}


def column(field: str) -> str:
    """The column of a record's field."""
    return COLUMN_NAMES.get(field, field)


REQUEST_COLUMNS: Final = ("row_id", *map(column, Record.__struct_fields__))
ATTEMPT_COLUMNS: Final = ("row_id", "number", *Attempt.__struct_fields__)

# Fields that are no plain value: what stands in the column.
_STORED: Final[dict[str, Callable[[Any], Any]]] = {
    "features": " ".join,
    "plan": " ".join,
    "skipped": " ".join,
    "dropped": " ".join,
    "attempts": len,
    "stream": int,
    "input_has_image": int,
}
_CONVERTED: Final = tuple(
    (n, _STORED[field]) for n, field in enumerate(Record.__struct_fields__, 1) if field in _STORED
)

# A row is named by where it stands: the number of its segment and its first byte there.
POSITIONS: Final = 1 << 26  # more than a segment has bytes

# Deletes requests before `?`, at most so many; in this order, so that both mean the same ones.
PRUNED_AT_ONCE: Final = 5_000
PRUNE: Final = tuple(
    f"DELETE FROM {table} WHERE row_id IN (SELECT row_id FROM requests WHERE time < ? "  # noqa: S608 - names of ours
    f"ORDER BY row_id LIMIT {PRUNED_AT_ONCE})"
    for table in ("attempts", "requests")
)


def row_id(segment_id: int, position: int) -> int:
    """The key of the row that begins at `position` of a segment; the same however often read."""
    return segment_id * POSITIONS + position


def request_columns(rows: Sequence[Keyed]) -> Columns:
    """Records, of which there is at least one, as the columns of `requests`."""
    keys, records = zip(*rows, strict=True)
    columns = [keys, *zip(*map(astuple, records), strict=True)]
    for n, stored in _CONVERTED:
        columns[n] = tuple(map(stored, columns[n]))
    return columns


def attempt_columns(rows: Sequence[Keyed]) -> Columns:
    """The attempts of records as the columns of `attempts`, numbered from 1; none without any."""
    attempts = [
        (key, number, *astuple(tried))
        for key, record in rows
        for number, tried in enumerate(record.attempts, 1)
    ]
    return [*zip(*attempts, strict=True)]


def statements(sql: str) -> list[str]:
    """The statements of a migration, one by one."""
    return [text.strip() for text in sql.split(";") if text.strip()]
