"""From journals into databases: every whole row, once, whoever was killed and whatever was down."""

from __future__ import annotations

import os
import time
from itertools import cycle, pairwise
from types import SimpleNamespace

import pytest

from runtime.records import ingest
from runtime.records.ingest import LOCK, Ingester
from runtime.records.journal import FOLDER, Journal
from runtime.records.spool import Turn
from runtime.records.sqlite import SqliteStore
from runtime.records.store import FILE, open_store
from tests.runtime.records.rows import full, ids, record, written

THREE = ["req_1", "req_2", "req_3"]


def segments(data):
    return sorted((data / FOLDER).glob("*.jsonl"))


def wait_for(look, seconds=10.0):
    """Until something is true. The bound is so generous that only a fault meets it."""
    by = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < by
        time.sleep(0.01)


def test_finished_journals_are_in_once_and_gone(store, place, ingester, tmp_path):
    written(tmp_path, record(1), full(2))
    written(tmp_path, record(3))
    one = ingester(tmp_path, place)
    one.step()
    one.step()
    assert ids(store) == THREE
    assert segments(tmp_path) == []
    assert store.query("SELECT count(*) FROM segments") == [(0,)]
    assert (one.counts.ingested, one.counts.torn, one.counts.behind) == (3, 0, 0)


def test_a_journal_that_is_written_is_followed(store, place, ingester, tmp_path):
    journal = Journal(tmp_path / FOLDER)
    one = ingester(tmp_path, place)
    for n in (1, 2, 3):
        journal.take(record(n))
        one.step()
        assert ids(store) == THREE[:n]
    assert len(segments(tmp_path)) == 1
    journal.close()
    one.step()
    assert segments(tmp_path) == []


def test_rows_that_are_in_are_not_added_when_a_kill_left_their_file(
    ingester, store, place, tmp_path
):
    journal = Journal(tmp_path / FOLDER)
    journal.take(record(1))
    journal.take(record(2))
    ingester(tmp_path, place).step()
    journal.close()
    ingester(tmp_path, place).step()
    assert ids(store) == ["req_1", "req_2"]
    assert segments(tmp_path) == []


def test_rows_that_came_while_others_went_in_are_not_deleted_with_their_file(tmp_path):
    journal = Journal(tmp_path / FOLDER)
    journal.take(record(1))

    class Slow(SqliteStore):
        """While it takes the first row, the worker writes another one and is gone."""

        def insert(self, batches):
            super().insert(batches)
            if journal.written == 1:
                journal.take(record(2))
                journal.close()

    store = Slow(tmp_path / FILE)
    one = ingest.Ingester(tmp_path, lambda: store)
    one.step()
    one.step()
    assert ids(store) == ["req_1", "req_2"]
    assert segments(tmp_path) == []
    store.close()


def test_another_process_goes_on_where_one_died(store, place, ingester, tmp_path):
    journal = Journal(tmp_path / FOLDER)
    journal.take(record(1))
    ingester(tmp_path, place).step()
    journal.take(record(2))
    ingester(tmp_path, place).step()
    journal.take(record(3))
    ingester(tmp_path, place).step()
    assert ids(store) == THREE
    journal.close()


@pytest.mark.parametrize(
    "tail", [b'{"id":"req_9","time":1.0,"arti', b"{", b"\xff\x00", b"no row\n", b'{"id":1}\n']
)
def test_what_is_torn_is_counted_and_costs_no_other_row(store, place, ingester, tmp_path, tail):
    written(tmp_path, record(1), record(2))
    (segment,) = segments(tmp_path)
    with segment.open("ab") as file:
        file.write(tail)
    written(tmp_path, record(3))
    one = ingester(tmp_path, place)
    one.step()
    assert ids(store) == THREE
    assert one.counts.torn == 1
    assert segments(tmp_path) == []


def test_half_a_row_of_a_living_writer_is_waited_for(store, place, ingester, tmp_path):
    journal = Journal(tmp_path / FOLDER)
    journal.take(record(1))
    (segment,) = segments(tmp_path)
    whole = segment.read_bytes()
    one = ingester(tmp_path, place)
    os.write(journal._fd, whole[:40])
    one.step()
    os.write(journal._fd, whole[40:])
    one.step()
    assert ids(store) == ["req_1", "req_1"]
    assert one.counts.torn == 0
    journal.close()


def test_a_line_longer_than_any_row_is_passed_over(ingester, tmp_path):
    written(tmp_path, record(1))
    (segment,) = segments(tmp_path)
    with segment.open("ab") as file:
        file.write(b"x" * 3_000_000 + b"\n" + segment.read_bytes().replace(b"req_1", b"req_2"))
    one = ingester(tmp_path)
    one.step()
    store = open_store(str(tmp_path / FILE))
    assert sorted(row[0] for row in store.query("SELECT id FROM requests")) == ["req_1", "req_2"]
    store.close()


def test_a_row_no_database_takes_is_left_out_alone(store, place, ingester, tmp_path):
    written(tmp_path, record(1), record(2), record(9, cap=2**64 - 1), record(3))
    one = ingester(tmp_path, place)
    one.step()
    assert ids(store) == THREE
    assert (one.counts.rejected, one.counts.ingested) == (1, 3)
    assert segments(tmp_path) == []


def test_many_rows_are_all_in_once(store, place, ingester, tmp_path):
    for first in (0, 1_000, 2_000):
        written(tmp_path, *[full(n) for n in range(first, first + 1_000)])
    ingester(tmp_path, place, rows_per_second=10**9).step()
    assert store.query("SELECT count(*), count(DISTINCT id) FROM requests") == [(3_000, 3_000)]
    assert store.query("SELECT count(*) FROM attempts") == [(6_000,)]


@pytest.mark.parametrize(
    ("worked", "left"), [(0.0, 2.0), (0.5, 1.5), (2.0, 0.2), (7.5, 0.2)], ids=str
)
def test_rows_have_the_time_that_requests_leave_over_and_a_tenth_at_least(worked, left):
    assert ingest.left_over((10.0, 3.0), (12.0, 3.0 + worked)) == pytest.approx(left)


def test_what_nobody_named_is_swept_away_when_it_is_old(ingester, tmp_path):
    written(tmp_path, record(1))
    left, fresh = tmp_path / FOLDER / "1.new", tmp_path / FOLDER / "2.new"
    left.touch()
    os.utime(left, (0, 0))
    fresh.touch()
    ingester(tmp_path).step()
    assert (left.exists(), fresh.exists()) == (False, True)


# --- a database that is down ----------------------------------------------------------------------


def test_rows_wait_for_a_database_that_is_down(database, ingester, tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "_FIRST_WAIT", 0.01)
    one = ingester(tmp_path, database.url)
    written(tmp_path, record(1))
    one.step()
    database.kill()
    written(tmp_path, record(2))
    one.step()
    assert len(segments(tmp_path)) == 1
    database.start()
    written(tmp_path, record(3))

    def all_in():
        one.step()
        return not segments(tmp_path)

    wait_for(all_in)
    store = open_store(database.url)
    assert ids(store) == THREE
    store.close()


def test_a_database_that_is_down_is_tried_ever_more_seldom(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(ingest, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    tries = []

    def connect():
        tries.append(clock[0])
        return open_store("postgresql://nobody@127.0.0.1:1/none")

    said = []
    one = ingest.Ingester(tmp_path, connect, lambda *words, **_: said.append(words))
    written(tmp_path, record(1))
    while clock[0] < 300:
        one.step()
        clock[0] += 0.25
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits[0] < 1 < waits[2] < waits[4]
    assert all(20 < wait < 40 for wait in waits[7:])
    assert set(said) == {("error", "database-failed")}
    assert len(said) <= 5, "one line a minute"


def test_a_database_that_comes_and_goes_is_told_of_once_a_minute(tmp_path, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(ingest, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    places = cycle(["postgresql://nobody@127.0.0.1:1/none", str(tmp_path / FILE)])
    said = []
    one = ingest.Ingester(
        tmp_path, lambda: open_store(next(places)), lambda *words, **_: said.append(words)
    )
    while clock[0] < 130:
        one.step()
        one.close()  # so the next step connects anew: every second one in vain
        clock[0] += 1.0
    assert said == [("error", "database-failed"), ("info", "database-back")] * 3


def test_beyond_the_limit_the_oldest_rows_are_dropped_and_counted(ingester, tmp_path):
    limit = 200_000
    one = ingester(tmp_path, "postgresql://nobody@127.0.0.1:1/none", spool_bytes=limit)
    for first in range(0, 1_000, 100):
        written(tmp_path, *[full(n) for n in range(first, first + 100)])
    one.step()
    kept = b"".join(segment.read_bytes() for segment in segments(tmp_path))
    assert 0.5 * limit < len(kept) <= limit
    assert b'"req_999"' in kept
    assert b'"req_0"' not in kept
    assert one.counts.dropped == 1_000 - kept.count(b"\n")


def test_a_new_database_gets_what_the_journal_still_has(ingester, tmp_path):
    journal = Journal(tmp_path / FOLDER)
    one = ingester(tmp_path)
    journal.take(record(1))
    one.step()
    for path in tmp_path.glob(f"{FILE}*"):
        path.unlink()
    journal.take(record(2))
    one.step()  # finds that the file is gone
    one._again_at = 0.0
    one.step()
    store = open_store(str(tmp_path / FILE))
    assert ids(store) == ["req_1", "req_2"]
    store.close()
    journal.close()


# --- whose turn it is -----------------------------------------------------------------------------


def test_one_at_a_time_has_the_turn(tmp_path):
    with Turn(tmp_path / LOCK) as first, Turn(tmp_path / LOCK) as second:
        assert first.ours()
        assert not second.ours()
    with Turn(tmp_path / LOCK) as third:
        assert third.ours()


def test_the_turn_ends_with_the_directory_it_was_for(tmp_path):
    with Turn(tmp_path / LOCK) as first:
        assert first.ours()
        (tmp_path / LOCK).unlink()
        assert not first.ours()
        with Turn(tmp_path / LOCK) as second:
            assert second.ours()
            assert not first.ours()


def test_who_waits_takes_over(ingester, tmp_path):
    written(tmp_path, record(1))
    one, other = ingester(tmp_path), ingester(tmp_path)
    with Turn(tmp_path / LOCK) as held:
        assert held.ours()
        one.start()
        other.start()
        time.sleep(0.1)
        assert len(segments(tmp_path)) == 1
    wait_for(lambda: not segments(tmp_path))
    one.stop()
    written(tmp_path, record(2))
    wait_for(lambda: not segments(tmp_path))
    other.stop()


def test_the_end_leaves_nothing_that_is_finished(ingester, tmp_path):
    one = ingester(tmp_path)
    journal = Journal(tmp_path / FOLDER)
    one.start()
    for n in range(500):
        journal.take(record(n))
    journal.close()
    one.stop()
    assert segments(tmp_path) == []
    store = open_store(str(tmp_path / FILE))
    assert store.query("SELECT count(*) FROM requests") == [(500,)]
    store.close()


def test_the_end_does_not_wait_for_a_database_that_is_down(ingester, tmp_path):
    written(tmp_path, record(1))
    one = ingester(tmp_path, "postgresql://nobody@127.0.0.1:1/none")
    one.start()
    one.stop(seconds=600)
    assert len(segments(tmp_path)) == 1


def test_a_data_directory_that_is_deleted_and_made_again_is_served(ingester, tmp_path):
    one = ingester(tmp_path)
    one.start()
    wait_for(lambda: (tmp_path / FILE).exists())
    for path in tmp_path.iterdir():
        path.unlink()
    written(tmp_path, record(1))
    wait_for(lambda: not segments(tmp_path))
    one.stop()
    store = open_store(str(tmp_path / FILE))
    assert ids(store) == ["req_1"]
    store.close()


def aged(number, days):
    old = record(number)
    old.time = time.time() - days * 86_400
    return old


def test_rows_that_are_too_old_go_and_the_others_stay(store, place, ingester, tmp_path):
    written(tmp_path, aged(1, 31), aged(2, 29), full(3))
    one = ingester(tmp_path, place, keep_days=30)
    one.step()
    assert ids(store) == ["req_2", "req_3"]
    assert store.query("SELECT count(*) FROM attempts") == [(2,)]


def test_without_a_word_about_it_rows_stay_for_ever(store, place, ingester, tmp_path):
    written(tmp_path, aged(1, 9000))
    ingester(tmp_path, place).step()
    assert ids(store) == ["req_1"]


def test_old_rows_are_looked_for_now_and_then_and_not_with_every_look(
    store, place, ingester, tmp_path, monkeypatch
):
    one = ingester(tmp_path, place, keep_days=30)
    one.step()
    written(tmp_path, aged(1, 40))
    one.step()
    assert ids(store) == ["req_1"]
    monkeypatch.setattr(ingest, "_PRUNE_EVERY", 0.0)
    again = ingester(tmp_path, place, keep_days=30)
    again.step()
    written(tmp_path, aged(2, 40))
    again.step()
    assert ids(store) == []


def test_what_was_too_old_is_told(tmp_path):
    said = []
    written(tmp_path, aged(1, 40), aged(2, 1))
    place = str(tmp_path / FILE)
    one = Ingester(
        tmp_path,
        lambda: open_store(place),
        lambda level, event, **more: said.append((level, event, more)),
        keep_days=30,
    )
    one.step()
    one.close()
    assert said == [("info", "rows-pruned", {"count": 1})]
