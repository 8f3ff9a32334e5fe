"""Usage rows read back, piece by piece, whichever database holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from runtime.records.schema import REQUEST_COLUMNS, Row, column
from runtime.records.store import Store

PIECE: Final = 20_000  # rows read at once


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests: of one kind, from `since` until before `until` (Unix seconds).

    `where` holds fields of a record with the value they must have; None stands for "nothing".
    """

    since: float | None = None
    until: float | None = None
    kind: str | None = "request"
    where: Mapping[str, str | int | None] = field(default_factory=dict)

    def condition(self) -> tuple[str, list[str | int | float]]:
        """The condition in SQL, and its parameters."""
        parts, values = ["1 = 1"], list[str | int | float]()
        bounds = (("time >= ?", self.since), ("time < ?", self.until), ("kind = ?", self.kind))
        for text, value in bounds:
            if value is not None:
                parts.append(text)
                values.append(value)
        for name, wanted in self.where.items():
            if (known := column(name)) not in REQUEST_COLUMNS:
                raise ValueError(f"`{name}` is no field of a usage row")
            if wanted is None:
                parts.append(f"{known} IS NULL")
            else:
                parts.append(f"{known} = ?")
                values.append(wanted)
        return " AND ".join(parts), values


def count(store: Store, wanted: Wanted) -> int:
    """How many rows there are. Raises StoreError."""
    condition, values = wanted.condition()
    return int(store.query(f"SELECT count(*) FROM requests WHERE {condition}", values)[0][0])  # noqa: S608 - names of ours


def read(store: Store, wanted: Wanted, fields: Sequence[str]) -> Iterator[list[Row]]:
    """The named fields of each row, in the order the rows were written, some at a time.

    Raises StoreError.
    """
    condition, values = wanted.condition()
    names = ", ".join(map(column, fields))
    text = (
        f"SELECT row_id, {names} FROM requests WHERE row_id > ? AND {condition} "  # noqa: S608 - names of ours
        f"ORDER BY row_id LIMIT {PIECE}"
    )
    last = -1
    while rows := store.query(text, (last, *values)):
        last = rows[-1][0]
        yield [row[1:] for row in rows]
