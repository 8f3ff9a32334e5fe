"""The numbers of all workers of one server: a file each, in a folder that their supervisor made.

A worker's file outlives it: its counters count until the successor in its place goes on from them,
so no counter ever falls. Gauges of the dead say nothing and are left out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from runtime.metrics.samples import Labels, Samples, counters, merge

VARIABLE: Final = "INTERLOCK_NUMBERS"  # holds the path of a worker's own file
_PREFIX: Final = "interlock-numbers-"
# In memory where that can be had: a full disk stops no counting.
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder is made by mkdtemp
_SUFFIX: Final = ".numbers"


class _File(msgspec.Struct):
    """What a worker has written."""

    pid: int
    samples: dict[str, dict[Labels, float | list[float]]]


_decoder: Final = msgspec.msgpack.Decoder(_File)


class Peers:
    """The place of one worker among the others. `own` is its file."""

    def __init__(self, own: Path) -> None:
        self.own = own

    @classmethod
    def from_environment(cls) -> Peers | None:
        """The place the supervisor has given; None where this process serves alone."""
        place = os.environ.get(VARIABLE)
        return cls(Path(place)) if place else None

    @property
    def name(self) -> str:
        """The worker's number."""
        return self.own.stem

    def inherited(self) -> Samples:
        """The counters of whoever had this place before."""
        left = _read(self.own)
        return counters(left.samples) if left is not None else {}

    def write(self, samples: Samples) -> bool:
        """Shows this worker's numbers to the others; False where they cannot be written."""
        draft = self.own.with_suffix(".draft")
        try:
            draft.write_bytes(msgspec.msgpack.encode(_File(os.getpid(), samples)))
            draft.replace(self.own)
        except OSError:
            return False
        return True

    def others(self) -> Samples:
        """The numbers of all other workers, added up."""
        found: Samples = {}
        for path in sorted(self.own.parent.glob(f"*{_SUFFIX}")):
            if path != self.own and (file := _read(path)) is not None:
                merge(found, file.samples if _alive(file.pid) else counters(file.samples))
        return found


@contextmanager
def meeting_place() -> Iterator[Path]:
    """A folder for the files of workers, for as long as their supervisor lives."""
    base = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    _sweep(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def place(folder: Path, number: int) -> Path:
    """The file of the worker with this number."""
    return folder / f"{number}{_SUFFIX}"


def _sweep(ours: Path) -> None:
    """Removes what supervisors left that were killed, some with our own number: in a container
    each has the same.
    """
    for folder in ours.parent.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        left = pid.isdigit() and (int(pid) == os.getpid() or not _alive(int(pid)))
        if left and folder != ours:
            shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> _File | None:
    with suppress(OSError, msgspec.DecodeError):
        return _decoder.decode(path.read_bytes())
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it is, and somebody else's
    return True
