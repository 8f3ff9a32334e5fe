"""Usage rows on disk before the caller has the last byte: files that only grow, one set per worker.

A row is one line of JSON, written with one write(2), so it outlives the process. What cannot be
written waits in memory, so many rows and no more. It knows no database.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec

from runtime import log
from runtime.records.record import Record

FOLDER: Final = "journal"  # in the data directory
SUFFIX: Final = ".jsonl"
UNNAMED: Final = ".new"  # a segment that is not locked yet

SEGMENT_BYTES: Final = 4 * 1024 * 1024  # then the next one is begun
_LARGEST: Final = 8 * SEGMENT_BYTES  # beyond it rows wait for the next one
WAITING_ROWS: Final = 10_000
_TICK = 1.0  # seconds between two fsyncs, and two tries after a failure
_SLOW = 0.005  # seconds a write may take; after so many longer ones
_SLOW_WRITES = 2  # within a second the journal's thread writes instead
LOG_EVERY: Final = 60.0  # seconds between two lines of a kind
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Say = Callable[..., None]  # as `log.log`


class Journal:
    """A worker's rows. `take` is for the one thread that serves, all else for the journal's own.

    `written`, `dropped` (there was no room left in memory) and `failures` (of writes) are counts.
    """

    def __init__(
        self,
        folder: Path,
        say: Say = log.log,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        waiting_rows: int = WAITING_ROWS,
    ) -> None:
        """Begins the first segment. Raises OSError where that cannot be."""
        self._folder = folder
        self._say = say
        self._segment_bytes = segment_bytes
        self._encode = msgspec.json.Encoder().encode_into
        self._line = bytearray(1024)
        self._lock = threading.Lock()  # the segment, and whoever writes to it
        self._direct = True
        self._dirty = False
        self._full = False  # the disk had no room for a row of this segment
        self._waiting: deque[bytes] = deque(maxlen=waiting_rows)
        self._queueing = threading.Lock()  # the rows that wait; held for a moment only
        self._slow = 0  # writes on the request's way, lately
        self._closing = False
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._told = -LOG_EVERY
        self._told_dropped = 0
        self.written = self.dropped = self.failures = 0
        self._fd = _begin(folder)
        self._size = 0

    # --- the request's way ---------------------------------------------------------------------

    def take(self, record: Record) -> None:
        """Writes the row, or lets it wait. Never waits, never raises."""
        line = self._line
        try:
            self._encode(record, line)
        except (TypeError, ValueError, OverflowError, msgspec.MsgspecError):
            self.dropped += 1
            return
        line += b"\n"
        # Not free for so long: the journal's thread is writing, and held up.
        if not self._direct or not self._lock.acquire(timeout=_SLOW):
            self._wait(bytes(line))
            return
        began = perf_counter()
        try:
            if not self._write(line):
                self._direct = False
                self._wait(bytes(line))
        finally:
            self._lock.release()
        if perf_counter() - began > _SLOW:
            # Once may be chance: the machine had something else to do.
            self._slow += 1
            self._direct = self._slow < _SLOW_WRITES

    def _wait(self, line: bytes) -> None:
        with self._queueing:
            if len(self._waiting) == self._waiting.maxlen:
                self.dropped += 1  # the oldest
            self._waiting.append(line)
        if self._slow >= _SLOW_WRITES:
            self._wake.set()

    def _write(self, line: bytes | bytearray) -> bool:
        """Whether the whole line stands in the segment; the lock is held."""
        if self._size > _LARGEST:
            return False
        try:
            count = os.write(self._fd, line)
            if count < len(line):  # no room for the rest
                os.ftruncate(self._fd, self._size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._full = True
            else:
                self._size = _LARGEST + 1  # nothing more into this one
            self._failed(error)
            return False
        self._size += count
        self.written += 1
        self._dirty = True
        return True

    # --- beside it -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to sync, to rotate and to write what waits."""
        self._thread = threading.Thread(target=self._tend, name="journal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes what waits, if it can be written, and lets go of the last segment."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.tick()
        if self._waiting:
            self.dropped += len(self._waiting)
            self._say("error", "rows-dropped", count=len(self._waiting))
        with self._lock:
            self._direct = False
            os.close(self._fd)
            self._fd = -1

    def _tend(self) -> None:
        while not self._closing:
            self._wake.wait(_TICK)
            self._wake.clear()
            self.tick()

    def tick(self) -> None:
        """What is due once a second."""
        try:
            if self._due():
                self._rotate()
            self._slow = 0
            self._direct = self._write_waiting()
            self._sync()
        except OSError as error:
            self._failed(error)
        self._tell_dropped()

    def _due(self) -> bool:
        """Whether a new segment is: the present one is full, or somebody deleted it.

        Also where the disk is full: it may be full of rows that are in the database, and a
        segment is deleted only when nobody writes it.
        """
        if self._size >= self._segment_bytes or (self._full and self._size):
            return True
        return os.fstat(self._fd).st_nlink == 0

    def _rotate(self) -> None:
        fd = _begin(self._folder)
        with self._lock:
            old, self._fd, self._size, self._full = self._fd, fd, 0, False
        try:
            os.fdatasync(old)
        finally:
            os.close(old)

    def _sync(self) -> None:
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._fd)

    def _write_waiting(self) -> bool:
        """Whether nothing waits any more, and writing was quick."""
        slowest = 0.0
        while self._waiting:
            with self._queueing:
                line = self._waiting.popleft()
            began = perf_counter()
            with self._lock:  # for one row at a time; meanwhile those of requests wait as well
                written = self._write(line)
            if not written:
                self._put_back(line)
                return False
            slowest = max(slowest, perf_counter() - began)
        return slowest <= _SLOW

    def _put_back(self, line: bytes) -> None:
        with self._queueing:
            if len(self._waiting) == self._waiting.maxlen:
                self.dropped += 1  # this one: it is the oldest
            else:
                self._waiting.appendleft(line)

    # --- words ---------------------------------------------------------------------------------

    def _failed(self, error: OSError) -> None:
        self.failures += 1
        now = time.monotonic()
        if now - self._told >= LOG_EVERY:
            self._told = now
            self._say("error", "journal-failed", error=_name(error), count=len(self._waiting))

    def _tell_dropped(self) -> None:
        now = time.monotonic()
        if self.dropped > self._told_dropped and now - self._told >= LOG_EVERY:
            self._told = now
            count, self._told_dropped = self.dropped - self._told_dropped, self.dropped
            self._say("error", "rows-dropped", count=count)


def _begin(folder: Path) -> int:
    """A new, empty segment, locked for as long as its writer lives.

    It gets its name when it is locked: a named one without a lock has no writer any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    unnamed = folder / (name + UNNAMED)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    fd = os.open(unnamed, flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(folder / (name + SUFFIX))
        _sync_folder(folder)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
