"""The files a worker writes: whole rows, in segments, and what waits when a file takes none."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from runtime.records import journal as module
from runtime.records.journal import Journal
from runtime.records.record import Record
from tests.runtime.records.rows import full, record
from tests.support.router import ROOT


@pytest.fixture
def said():
    return []


@pytest.fixture
def journal(tmp_path, said) -> Iterator[Journal]:
    """One without a thread: its `tick` comes when a test calls it."""
    made = Journal(
        tmp_path / "journal",
        lambda level, event, **fields: said.append((level, event, fields)),
        segment_bytes=2_000,
        waiting_rows=4,
    )
    yield made
    made.close()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("journal/*.jsonl"))


def ids(folder: Path) -> list[str]:
    """The request ids of all whole lines, in the order written."""
    lines = b"".join(path.read_bytes() for path in segments(folder)).split(b"\n")
    return [json.loads(line)["id"] for line in lines if line]


@contextmanager
def no_file_longer_than(count: int) -> Iterator[None]:
    """As on a full disk: a write goes as far as there is room, the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_row_is_in_the_file_when_take_returns(journal, tmp_path):
    journal.take(record(1))
    journal.take(full(2))
    (segment,) = segments(tmp_path)
    assert segment.read_bytes().endswith(b"}\n")
    assert ids(tmp_path) == ["req_1", "req_2"]
    assert journal.written == 2


def test_rows_of_other_segments_are_for_their_owner_alone(journal, tmp_path):
    (segment,) = segments(tmp_path)
    assert segment.stat().st_mode & 0o077 == 0


def test_the_process_may_be_killed_right_after_take(tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from runtime.records.journal import Journal\n"
        "from tests.runtime.records.rows import record\n"
        "journal = Journal(Path(sys.argv[1]) / 'journal'); journal.start()\n"
        "for n in range(50): journal.take(record(n))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert ids(tmp_path) == [f"req_{n}" for n in range(50)]


def test_a_full_segment_is_followed_by_another(journal, tmp_path):
    for n in range(100):
        journal.take(record(n))
        journal.tick()
    assert len(segments(tmp_path)) > 2
    assert ids(tmp_path) == [f"req_{n}" for n in range(100)]


def test_only_the_segment_that_is_written_is_locked(journal, tmp_path):
    for n in range(40):
        journal.take(record(n))
    journal.tick()
    first, second = segments(tmp_path)
    with first.open() as old, second.open() as new:
        fcntl.flock(old, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(BlockingIOError):
            fcntl.flock(new, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_on_a_full_disk_rows_wait_and_come_later(journal, tmp_path, said):
    journal.take(record(1))
    (segment,) = segments(tmp_path)
    with no_file_longer_than(segment.stat().st_size + 20):
        journal.take(record(2))
        journal.take(record(3))
        assert ids(tmp_path) == ["req_1"], "no part of a row stays"
    with no_file_longer_than(20):
        journal.tick()
        assert ids(tmp_path) == ["req_1"]
    journal.take(record(4))
    journal.tick()
    journal.take(record(5))
    assert ids(tmp_path) == [f"req_{n}" for n in range(1, 6)]
    assert journal.dropped == 0
    assert said == [("error", "journal-failed", {"error": "ENOSPC", "count": 0})]


def test_a_segment_that_found_no_more_room_is_left_to_who_may_delete_it(journal, tmp_path):
    """Or a disk that is full of rows the database has would stay full."""
    journal.take(record(1))
    (segment,) = segments(tmp_path)
    with no_file_longer_than(segment.stat().st_size + 20):
        journal.take(record(2))
        journal.tick()
        journal.tick()
    first, second = segments(tmp_path)
    with first.open() as old:
        fcntl.flock(old, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert b"req_2" in second.read_bytes()
    assert ids(tmp_path) == ["req_1", "req_2"]


def test_when_too_many_wait_the_oldest_go_and_are_counted(journal, tmp_path, said):
    with no_file_longer_than(0):
        for n in range(10):
            journal.take(record(n))
    journal.tick()
    assert ids(tmp_path) == ["req_6", "req_7", "req_8", "req_9"]
    assert journal.dropped == 6


def test_a_folder_that_was_deleted_is_made_again(journal, tmp_path):
    journal.take(record(1))
    (segment,) = segments(tmp_path)
    segment.unlink()
    segment.parent.rmdir()
    journal.tick()
    journal.take(record(2))
    assert ids(tmp_path) == ["req_2"]


def test_a_file_that_fails_is_left_for_a_new_one(journal, tmp_path, said):
    journal.take(record(1))
    (segment,) = segments(tmp_path)
    reader = os.open(segment, os.O_RDONLY)
    os.dup2(reader, journal._fd)  # now every write fails, and not for want of room
    os.close(reader)
    journal.take(record(2))
    assert ids(tmp_path) == ["req_1"]
    journal.tick()
    journal.take(record(3))
    assert ids(tmp_path) == ["req_1", "req_2", "req_3"]
    assert [event for _, event, _ in said] == ["journal-failed"]


def test_after_writes_that_took_long_rows_wait_for_the_journals_own_thread(journal, tmp_path):
    with slow_writes(journal) as take:
        take(record(1))
        take(record(2))
    journal.take(record(3))
    assert ids(tmp_path) == []
    journal.tick()
    journal.take(record(4))
    assert ids(tmp_path) == ["req_3", "req_4"]


def test_one_write_that_took_long_changes_nothing(journal, tmp_path):
    with slow_writes(journal) as take:
        take(record(1))
    journal.take(record(2))
    assert ids(tmp_path) == ["req_2"]


def test_while_writes_take_long_the_thread_writes_at_once(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_TICK", 3_600.0)
    with slow_writes(journal) as take:
        take(record(1))
        take(record(2))
    journal.start()
    journal.take(record(3))
    by = time.monotonic() + 10
    while ids(tmp_path) != ["req_3"]:
        assert time.monotonic() < by
        time.sleep(0.005)
    assert not journal._waiting


@contextmanager
def slow_writes(journal):
    """Takes records whose write takes long: into a full pipe, which is emptied a moment later."""
    good, (end, full) = os.dup(journal._fd), os.pipe()

    def take(row):
        os.set_blocking(full, False)
        with suppress(BlockingIOError):
            while True:
                os.write(full, b"x" * 4096)
        os.set_blocking(full, True)
        emptied = threading.Timer(0.05, os.read, (end, 1 << 20))
        emptied.start()
        journal.take(row)
        emptied.join()

    os.dup2(full, journal._fd)
    try:
        yield take
    finally:
        os.dup2(good, journal._fd)
        for fd in (good, end, full):
            os.close(fd)


def test_while_the_disk_is_full_there_is_one_line_a_minute(journal, said, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    with no_file_longer_than(0):
        for n in range(150):
            clock.now = float(n)
            journal.take(record(n))
            journal.tick()
    assert [event for _, event, _ in said] == ["journal-failed", "journal-failed", "journal-failed"]


class Clock:
    """The clock of a machine that somebody sets: the wall's jumps, the other one goes on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.wall = 1.8e9

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return int(self.wall * 1e9)


def test_segments_begun_while_the_clock_jumps_are_all_there(tmp_path, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    for n, jump in enumerate((0, 10 * 86_400, -3_600, -3_600, 0)):
        clock.wall += jump
        made = Journal(tmp_path / "journal")
        made.take(record(n))
        made.close()
    assert sorted(ids(tmp_path)) == [f"req_{n}" for n in range(5)]


def test_what_was_written_is_synced_once(journal, monkeypatch):
    synced = []
    monkeypatch.setattr(module.os, "fdatasync", synced.append)
    journal.tick()
    journal.take(record(1))
    journal.take(record(2))
    assert synced == []
    journal.tick()
    journal.tick()
    assert synced == [journal._fd]


def test_what_waits_at_the_end_is_written(tmp_path):
    made = Journal(tmp_path / "journal")
    with no_file_longer_than(0):
        made.take(record(1))
        assert ids(tmp_path) == []
    made.close()
    assert ids(tmp_path) == ["req_1"]


def test_what_cannot_be_written_at_the_end_is_counted_and_told(tmp_path, said):
    made = Journal(
        tmp_path / "journal", lambda level, event, **fields: said.append((event, fields))
    )
    with no_file_longer_than(0):
        made.take(record(1))
        made.close()
    assert made.dropped == 1
    assert said[-1] == ("rows-dropped", {"count": 1})


def test_a_journal_that_is_closed_takes_what_comes_late_without_a_fault(tmp_path):
    made = Journal(tmp_path / "journal")
    made.close()
    made.take(record(1))
    assert ids(tmp_path) == []


def test_a_record_that_cannot_be_written_is_counted(journal, tmp_path):
    journal.take(Record(id=object(), time=0.0, artifact="a", surface="chat"))  # type: ignore[arg-type]  # the point
    journal.take(record(1))
    assert journal.dropped == 1
    assert ids(tmp_path) == ["req_1"]
