"""The journals of a data directory as somebody sees them who reads: segments, rows, what is torn.

It writes nothing and knows no database; what may be deleted its caller says.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

import msgspec

from runtime.records.journal import SUFFIX, UNNAMED
from runtime.records.record import Record

_AT_ONCE: Final = 256 * 1024  # bytes; a few hundred rows
_ABANDONED: Final = 60.0  # seconds after which nobody will name a segment any more
_BETWEEN: Final = b"}\n{"  # two rows
_decoder = msgspec.json.Decoder(Record)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)


@dataclass(slots=True)
class Segment:
    """A file of rows. `position`: how much of it is in the database, as far as we know."""

    path: Path
    size: int = 0
    position: int | None = None

    @property
    def behind(self) -> int:
        """Bytes that are not in the database."""
        return max(self.size - (self.position or 0), 0)  # it may have grown since we looked


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a segment: the rows in them, each with its first byte, and where they end."""

    rows: list[tuple[int, Record]]
    end: int
    torn: int  # lines that are no row


class Spool:
    """All segments of a folder, the oldest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.segments: dict[str, Segment] = {}

    @property
    def behind(self) -> int:
        """Bytes of rows that are not in the database."""
        return sum(segment.behind for segment in self.segments.values())

    def look(self) -> None:
        """Finds new segments, what grew, and what is gone. Raises OSError."""
        found: dict[str, Segment] = {}
        try:
            entries = sorted(os.scandir(self._folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            entries = []
        for entry in entries:
            if entry.name.endswith(SUFFIX):
                segment = self.segments.get(entry.name) or Segment(Path(entry.path))
                with suppress(FileNotFoundError):  # whoever has the turn deleted it
                    segment.size = segment.path.stat().st_size
                    found[entry.name] = segment
            elif entry.name.endswith(UNNAMED) and _age(entry) > _ABANDONED:
                Path(entry.path).unlink(missing_ok=True)
        self.segments = found

    def forget_positions(self) -> None:
        """The database says anew how much it has."""
        for segment in self.segments.values():
            segment.position = None

    def delete(self, name: str) -> None:
        """A segment goes. Raises OSError."""
        self.segments.pop(name).path.unlink(missing_ok=True)


def read(path: Path, start: int) -> Piece:
    """The whole lines from `start` on, not all at once. Raises OSError."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(_AT_ONCE)
    whole = data.rfind(b"\n") + 1
    if not whole and len(data) == _AT_ONCE:  # longer than any row
        return Piece([], start + len(data), 0)
    data = data[:whole]
    lines = data.splitlines(keepends=True)
    positions = [*accumulate(map(len, lines), initial=start)]
    records = _records(data, lines)
    read = zip(positions, records, strict=False)  # the last position is where the piece ends
    rows = [(at, record) for at, record in read if record is not None]
    return Piece(rows, start + whole, len(lines) - len(rows))


def _records(data: bytes, lines: list[bytes]) -> Sequence[Record | None]:
    """What stands in each line, None where that is no row."""
    # Read at once, an empty line is none and a line may hold two rows. Where each line ends an
    # object and the next one begins another, as many rows as lines are a row in each.
    if data.count(_BETWEEN) + 1 == len(lines):
        with suppress(*_UNREADABLE):
            records = _decoder.decode_lines(data)
            if len(records) == len(lines):
                return records
    return [*map(_record, lines)]


def _record(line: bytes) -> Record | None:
    try:
        return _decoder.decode(line)
    except _UNREADABLE:
        return None


def count_rows(path: Path, start: int) -> int:
    """How many lines end after `start`. Raises OSError."""
    with path.open("rb") as file:
        file.seek(start)
        return sum(block.count(b"\n") for block in iter(lambda: file.read(_AT_ONCE), b""))


def written_no_more(path: Path) -> bool:
    """Whether a segment stands there whose writer let go of it, or is dead. Raises OSError."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, FileNotFoundError):
        return False
    return True


class Turn:
    """The one reader of a data directory. Nobody else is it until the block ends."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def __enter__(self) -> Turn:
        """Raises OSError."""
        self._file = self._lock.open("ab")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def ours(self) -> bool:
        """Whether it is our turn, in the directory that stands there now. Raises OSError."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return self._lock.stat().st_ino == os.fstat(self._file.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            return False


def _age(entry: os.DirEntry[str]) -> float:
    try:
        return time.time() - entry.stat().st_mtime
    except FileNotFoundError:
        return 0.0
