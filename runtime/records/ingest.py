"""From journals into the database: one process per data directory does it, off the request's way.

What was read and how far is one transaction, so a row that is in stays in once, whoever dies when.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime import log
from runtime.records.journal import FOLDER, LOG_EVERY, Say
from runtime.records.spool import Segment, Spool, Turn, count_rows, read, written_no_more
from runtime.records.store import Batch, Rejected, Store, StoreError

LOCK: Final = "ingest.lock"  # in the data directory
SPOOL_BYTES: Final = 256 * 1024 * 1024
ROWS_PER_SECOND: Final = 500
_LEAST_SHARE: Final = 0.1  # of the time is for rows, however busy the requests keep us
_EVERY = 1.0  # seconds between two looks at the journals
_ROWS = 1_000  # per transaction, about
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds until a database is tried again
_STOPPING = 3.0  # seconds for what is left at the end
_PRUNE_EVERY = 3600.0  # seconds
_DAY: Final = 86_400.0


@dataclass(slots=True)
class Counts:
    """What was done since the process began; `behind` is in bytes, all else in rows."""

    ingested: int = 0
    torn: int = 0  # lines that no row can be read from
    rejected: int = 0  # by the database
    dropped: int = 0  # with the oldest segments, beyond the spool's limit
    behind: int = 0


class Ingester:
    """Waits for its turn in a thread of its own, then ingests until asked to stop."""

    def __init__(
        self,
        data: Path,
        connect: Callable[[], Store],
        say: Say = log.log,
        *,
        spool_bytes: int = SPOOL_BYTES,
        rows_per_second: int = ROWS_PER_SECOND,
        keep_days: int | None = None,
    ) -> None:
        """Rows are kept in the database for `keep_days`, for ever where that is None."""
        self.counts = Counts()
        self._data = data
        self._connect = connect
        self._say = say
        self._spool_bytes = spool_bytes
        self._rows_per_second = rows_per_second
        self._keep_days = keep_days
        self._prune_at = 0.0
        self._spool = Spool(data / FOLDER)
        self._store: Store | None = None
        self._wait = _FIRST_WAIT
        self._again_at = 0.0
        self._torn = 0  # of what is not in yet
        self._told: dict[str, float] = {}
        self._told_failed = False  # and not yet that it is over
        self._stopping = threading.Event()
        self._stop_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        """Begins to wait for its turn."""
        self._thread.start()

    def stop(self, seconds: float = _STOPPING) -> None:
        """Ingests what finished journals hold, for so many seconds at most, and ends.

        Where another process has the turn, it waits for that one to do it.
        """
        self._stop_by = time.monotonic() + seconds
        self._stopping.set()
        self._thread.join(seconds)

    def close(self) -> None:
        """Lets go of the database; it is opened again when it is needed. For the thread alone."""
        if self._store is not None:
            self._store.close()
            self._store = None

    # --- turns ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            try:
                if not self._more():
                    return
                with Turn(self._data / LOCK) as turn:
                    while turn.ours() and self._more():
                        self.step()
                        self._pause(_EVERY)
            except Exception as error:  # noqa: BLE001 - rows must go on after whatever fault
                self._tell("error", "ingest-failed", error=type(error).__name__)
            finally:
                self.close()
            self._pause(_EVERY)

    def _more(self) -> bool:
        """Whether to go on: at the end only while finished journals are left."""
        if not self._stopping.is_set():
            return True
        if time.monotonic() > self._stop_by or self._again_at:
            return False
        self._spool.look()
        return any(written_no_more(each.path) for each in self._spool.segments.values())

    def _pause(self, seconds: float) -> None:
        if self._stopping.is_set():
            time.sleep(min(seconds, _EVERY / 10))
        else:
            self._stopping.wait(seconds)

    # --- one look ------------------------------------------------------------------------------

    def step(self) -> None:
        """Ingests what there is, as far as the database takes it, and keeps the spool small.

        Raises OSError.
        """
        self._spool.look()
        if time.monotonic() >= self._again_at:
            try:
                store = self._store or self._reconnect()
                self._ingest(store)
                self._prune(store)
            except StoreError as error:
                self._failed(error)
            else:
                self._succeeded()
        self._keep_small()
        self.counts.behind = self._spool.behind

    def _ingest(self, store: Store) -> None:
        for batches in self._batches(store):
            self._insert(store, batches)
            for batch in batches:
                self._spool.segments[batch.segment].position = batch.end
            self._rest(sum(len(batch.rows) for batch in batches))
        self._delete_finished(store)
        if self._torn:
            self.counts.torn += self._torn
            self._torn = 0
            self._tell("warning", "rows-torn", count=self.counts.torn)

    def _prune(self, store: Store) -> None:
        """Deletes the rows that are too old, once an hour."""
        now = time.monotonic()
        if self._keep_days is None or now < self._prune_at:
            return
        self._prune_at = now + _PRUNE_EVERY
        if pruned := store.prune(time.time() - self._keep_days * _DAY):
            self._say("info", "rows-pruned", count=pruned)

    def _batches(self, store: Store) -> Iterator[list[Batch]]:
        """All rows that are not in the database, so many at a time."""
        batches: list[Batch] = []
        rows = 0
        for name, segment in self._spool.segments.items():
            if segment.position is None:
                segment.position = store.position(name) if segment.size else 0
            for batch in self._rows_of(name, segment):
                batches.append(batch)
                rows += len(batch.rows)
                if rows >= _ROWS:
                    yield batches
                    batches, rows = [], 0
        if batches:
            yield batches

    def _rows_of(self, name: str, segment: Segment) -> Iterator[Batch]:
        position = segment.position or 0
        while position < segment.size:
            piece = read(segment.path, position)
            if piece.end == position:
                return
            self._torn += piece.torn
            yield Batch(name, position, piece.end, piece.rows)
            position = piece.end

    def _insert(self, store: Store, batches: Sequence[Batch]) -> None:
        """Inserts all but the rows no database would take."""
        try:
            store.insert(batches)
        except Rejected as error:
            halves = _halves(batches)
            if halves is None:
                self.counts.rejected += 1
                self._tell("error", "row-rejected", error=str(error))
                store.insert([Batch(each.segment, each.start, each.end, ()) for each in batches])
                return
            for half in halves:
                self._insert(store, half)
        else:
            self.counts.ingested += sum(len(batch.rows) for batch in batches)

    def _delete_finished(self, store: Store) -> None:
        """Segments that are in as a whole, and that nobody writes any more."""
        finished = []
        for name, segment in list(self._spool.segments.items()):
            # In this order: what is read after its writer let go is all there will be.
            if written_no_more(segment.path):
                position = segment.position or 0
                if read(segment.path, position).end == position:
                    self._torn += segment.path.stat().st_size > position
                    self._spool.delete(name)
                    finished.append(name)
        if finished:
            store.forget(finished)

    def _keep_small(self) -> None:
        """Drops the oldest segments while there is more than may be."""
        for name, segment in list(self._spool.segments.items()):
            if self._spool.behind <= self._spool_bytes:
                return
            if written_no_more(segment.path):
                self.counts.dropped += count_rows(segment.path, segment.position or 0)
                self._spool.delete(name)
                self._tell("error", "rows-dropped", count=self.counts.dropped)

    # --- the database --------------------------------------------------------------------------

    def _reconnect(self) -> Store:
        self._spool.forget_positions()
        self._torn = 0
        self._store = self._connect()
        return self._store

    def _failed(self, error: StoreError) -> None:
        self.close()
        told = self._tell("error", "database-failed", error=str(error))
        self._told_failed = self._told_failed or told
        self._again_at = time.monotonic() + self._wait * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self._wait = min(self._wait * 2, _LONGEST_WAIT)

    def _succeeded(self) -> None:
        if self._told_failed:
            self._told_failed = False
            self._say("info", "database-back")
        self._again_at, self._wait = 0.0, _FIRST_WAIT

    # --- manners -------------------------------------------------------------------------------

    def _rest(self, rows: int) -> None:
        """Leaves the machine to the requests, unless much waits or we are asked to stop.

        Rows go in at their rate in the time that requests leave over.
        """
        seconds, before = rows / self._rows_per_second, _clocks()
        while seconds > 0 and not self._stopping.is_set():
            if self._spool.behind > self._spool_bytes / 2:
                return
            self._stopping.wait(min(seconds, _EVERY))
            after = _clocks()
            seconds -= left_over(before, after)
            before = after

    def _tell(self, level: str, event: str, **fields: object) -> bool:
        """One line a minute of each kind; whether this one is."""
        now = time.monotonic()
        due = now - self._told.get(event, -LOG_EVERY) >= LOG_EVERY
        if due:
            self._told[event] = now
            self._say(level, event, **fields)
        return due


def left_over(before: tuple[float, float], after: tuple[float, float]) -> float:
    """Seconds between two looks at the clocks that requests left over, of one core."""
    passed, worked = after[0] - before[0], after[1] - before[1]
    return max(passed - worked, passed * _LEAST_SHARE)


def _clocks() -> tuple[float, float]:
    """The time, and the CPU time of all threads but this one, in seconds."""
    return time.monotonic(), time.process_time() - time.thread_time()


def _halves(batches: Sequence[Batch]) -> tuple[Sequence[Batch], Sequence[Batch]] | None:
    """The same rows in two parts; None for a single row, or none."""
    if len(batches) > 1:
        middle = len(batches) // 2
        return batches[:middle], batches[middle:]
    batch = batches[0]
    middle = len(batch.rows) // 2
    if not middle:
        return None
    at = batch.rows[middle][0]
    return (
        [Batch(batch.segment, batch.start, at, batch.rows[:middle])],
        [Batch(batch.segment, at, batch.end, batch.rows[middle:])],
    )
