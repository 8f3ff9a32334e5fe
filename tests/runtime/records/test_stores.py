"""What both databases keep of a record, and how often, whatever comes twice or in between."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import asdict, astuple, fields

from runtime.records import schema
from runtime.records.record import Record
from runtime.records.store import (
    FILE,
    Rejected,
    StoreError,
    Unavailable,
    UnknownSchema,
    Unusable,
    open_store,
)
from tests.runtime.records.rows import ANSWERED, TRIED, batch, full, ids, record
from tests.support.postgres import PASSWORD


def columns_of(store, place, table):
    if "://" in place:
        sql = (
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_name = ? ORDER BY ordinal_position"
        )
    else:
        sql = "SELECT name FROM pragma_table_info(?)"
    return [name for (name,) in store.query(sql, (table,))]


# --- what a row holds -----------------------------------------------------------------------------


def test_every_field_has_a_column(store, place):
    assert sorted(columns_of(store, place, "requests")) == sorted(schema.REQUEST_COLUMNS)
    assert sorted(columns_of(store, place, "attempts")) == sorted(schema.ATTEMPT_COLUMNS)


def test_a_record_with_everything_comes_back_as_it_was(store):
    given = full()
    assert not [f.name for f in fields(Record) if getattr(given, f.name) == f.default]
    store.insert([batch([given])])
    (row,) = store.query(f"SELECT {', '.join(schema.REQUEST_COLUMNS)} FROM requests")
    kept = dict(zip(schema.REQUEST_COLUMNS, row, strict=True))
    expected = {schema.column(field): value for field, value in asdict(given).items()}
    expected["attempts"] = 2
    lists = {name: " ".join(v) for name, v in expected.items() if isinstance(v, tuple)}
    assert kept == {**expected, **lists, "row_id": schema.row_id(1, 0)}
    tried = store.query(f"SELECT {', '.join(schema.ATTEMPT_COLUMNS)} FROM attempts ORDER BY number")
    assert tried == [
        (kept["row_id"], n, *astuple(attempt)) for n, attempt in enumerate((TRIED, ANSWERED), 1)
    ]


def test_a_record_with_little_to_tell_comes_back_as_it_was(store):
    store.insert([batch([record()])])
    nothing = store.query("SELECT target, input, cost, first_byte, group_name, plan FROM requests")
    assert nothing == [(None, None, None, None, None, "")]
    assert store.query("SELECT count(*) FROM attempts") == [(0,)]


@pytest.mark.parametrize(
    "seconds",
    [
        1_793_491_199.5,  # before Europe's clocks go back, and an hour of that name comes twice
        1_793_494_799.5,
        1_483_228_799.999,  # the second of a leap second, and the next
        1_483_228_800.0,
        2**31 - 0.25,  # 2038
        2**31 + 0.25,
        4_102_444_800.123456,  # 2100
    ],
)
def test_times_are_seconds_in_utc_to_the_microsecond(store, seconds):
    store.insert([batch([record(0)])])
    store.insert([batch([Record(id="x", time=seconds, artifact="a", surface="chat")], 100)])
    assert store.query("SELECT time FROM requests WHERE id = ?", ("x",)) == [(seconds,)]
    assert store.query("SELECT id FROM requests WHERE time >= ? AND time <= ?", (seconds,) * 2) == [
        ("x",)
    ]


def test_sums_and_means_are_plain_numbers(store):
    store.insert([batch([record(1, input=2, cost=0.5), record(2, input=3, cost=0.25)])])
    ((total, mean, cost),) = store.query("SELECT sum(input), avg(input), sum(cost) FROM requests")
    assert (total, mean, cost) == (5, 2.5, 0.75)
    assert [type(total), type(mean), type(cost)] == [int, float, float]


def test_rows_that_differ_in_some_columns_are_kept_as_each_would_be_alone(store):
    """The first and the last are alike in columns in which those between them differ."""
    mixed = [record(n) if n % 3 == 0 else full(n) for n in range(124)]
    store.insert([batch(mixed)])
    for n, each in enumerate(mixed):
        store.insert([batch([each], start=100 * n, segment="alone")])
    for table, columns in (
        ("requests", schema.REQUEST_COLUMNS),
        ("attempts", schema.ATTEMPT_COLUMNS),
    ):
        kept = store.query(f"SELECT {', '.join(columns[1:])} FROM {table} ORDER BY row_id, 1, 2")
        assert kept[: len(kept) // 2] == kept[len(kept) // 2 :]
    assert ids(store) == [f"req_{n}" for n in range(124) for _ in range(2)]


# --- once, and only once --------------------------------------------------------------------------


def test_a_batch_that_comes_again_changes_nothing(store):
    given = batch([full(1), full(2)])
    store.insert([given])
    store.insert([given])
    assert ids(store) == ["req_1", "req_2"]
    assert store.query("SELECT count(*) FROM attempts") == [(4,)]


def test_of_a_batch_that_overlaps_only_the_rest_is_added(store):
    store.insert([batch([record(1), record(2)])])
    store.insert([batch([record(1), record(2), record(3)])])
    store.insert([batch([record(2)], start=100)])
    assert ids(store) == ["req_1", "req_2", "req_3"]
    assert store.position("one") == 300


def test_requests_with_one_id_are_two_rows(store):
    store.insert([batch([record(1), record(1)]), batch([record(1)], segment="two")])
    assert ids(store) == ["req_1"] * 3


def test_what_fails_leaves_neither_rows_nor_a_position(store):
    with pytest.raises(Rejected):
        store.insert([batch([record(1)]), batch([record(2, cap=2**64)], segment="two")])
    assert ids(store) == []
    assert (store.position("one"), store.position("two")) == (0, 0)
    store.insert([batch([record(1)])])
    assert ids(store) == ["req_1"]


def test_numbers_of_segments_are_never_used_again(store):
    store.insert([batch([record(1)], segment="one")])
    store.forget(["one"])
    store.insert([batch([record(2)], segment="two")])
    assert ids(store) == ["req_1", "req_2"]
    assert store.position("one") == 0


def test_pruning_takes_requests_with_their_attempts_and_no_other(store):
    store.insert([batch([full(n) for n in range(1, 6)])])
    assert store.prune(1.8e9 + 3) == 2
    assert ids(store) == ["req_3", "req_4", "req_5"]
    assert store.query("SELECT count(*) FROM attempts") == [(6,)]
    assert store.prune(1.8e9 + 3) == 0


def test_more_is_pruned_than_goes_in_one_transaction(store):
    many = schema.PRUNED_AT_ONCE + 10
    store.insert([batch([record(n) for n in range(many)])])
    assert store.prune(1.8e9 + many - 1) == many - 1
    assert ids(store) == [f"req_{many - 1}"]


# --- versions -------------------------------------------------------------------------------------


def test_the_versions_have_no_gap():
    assert list(schema.MIGRATIONS) == list(range(1, schema.NEWEST + 1))


def test_an_opened_store_is_of_the_newest_version_and_stays_so(store, place):
    again = open_store(place)
    assert again.query("SELECT version FROM migrations ORDER BY version") == [
        (n,) for n in schema.MIGRATIONS
    ]
    again.close()


def test_a_newer_schema_is_refused(store, place):
    store.query("INSERT INTO migrations VALUES (?, 0)", (schema.NEWEST + 1,))
    with pytest.raises(UnknownSchema, match="use the newer program"):
        open_store(place)


def test_who_only_reads_makes_no_tables(place):
    with pytest.raises(StoreError):
        open_store(place, read_only=True)
    if "://" not in place:
        assert not Path(place).exists()


def test_who_only_reads_reads(store, place):
    store.insert([batch([record(1)])])
    reader = open_store(place, read_only=True)
    assert ids(reader) == ["req_1"]
    with pytest.raises(StoreError):
        reader.insert([batch([record(2)], start=100)])
    reader.close()


def test_an_older_schema_is_brought_up_to_date_and_its_rows_stay(place, monkeypatch):
    old = open_store(place)
    old.insert([batch([record(1)])])
    old.close()
    newer = {**schema.MIGRATIONS, 2: "CREATE TABLE more (a BIGINT);\nINSERT INTO more VALUES (7)"}
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    for module in ("sqlite", "postgres"):
        monkeypatch.setattr(f"runtime.records.{module}.MIGRATIONS", newer)
    monkeypatch.setattr("runtime.records.store.NEWEST", 2)
    with pytest.raises(UnknownSchema, match="version 1, 2 is needed"):
        open_store(place, read_only=True)
    new = open_store(place)
    assert new.query("SELECT a FROM more") == [(7,)]
    assert ids(new) == ["req_1"]
    new.close()


def test_a_migration_that_fails_leaves_the_version_before(place, monkeypatch):
    broken = {**schema.MIGRATIONS, 2: "CREATE TABLE more (a BIGINT);\nINSERT INTO none VALUES (7)"}
    open_store(place).close()
    with monkeypatch.context() as changed:
        for module in ("sqlite", "postgres"):
            changed.setattr(f"runtime.records.{module}.MIGRATIONS", broken)
        changed.setattr("runtime.records.store.NEWEST", 2)
        with pytest.raises(Unavailable):
            open_store(place)
    store = open_store(place)
    assert store.query("SELECT max(version) FROM migrations") == [(1,)]
    with pytest.raises(StoreError):
        store.query("SELECT a FROM more")
    store.close()


# --- what is configured ---------------------------------------------------------------------------


def test_a_url_of_something_else_is_refused_without_showing_it():
    with pytest.raises(Unusable, match="must begin with postgresql://") as refused:
        open_store(f"mysql://me:{PASSWORD}@db/rows")
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("url", ["postgresql://me:{}@127.0.0.1:1/rows", "postgresql://u:{}@[/rows"])
def test_no_error_of_a_database_shows_its_url(url):
    with pytest.raises(StoreError) as refused:
        open_store(url.format(PASSWORD))
    assert PASSWORD not in str(refused.value)


def test_a_file_that_was_deleted_takes_no_rows(tmp_path):
    store = open_store(str(tmp_path / "usage.db"))
    (tmp_path / "usage.db").unlink()
    with pytest.raises(Unavailable, match="deleted"):
        store.insert([batch([record(1)])])
    store.close()


def test_a_file_is_for_its_owner_alone(tmp_path):
    store = open_store(str(tmp_path / "usage.db"))
    store.insert([batch([record(1)])])
    files = list(tmp_path.iterdir())
    assert [path.stat().st_mode & 0o077 for path in files] == [0] * len(files)
    store.close()


def test_a_file_that_cannot_be_is_told_as_such(tmp_path):
    with pytest.raises(Unavailable, match="No such file or directory"):
        open_store(str(tmp_path / "none" / "usage.db"))


def test_a_file_that_is_no_database_is_told_as_such(tmp_path):
    (tmp_path / "usage.db").write_text("rows, but of another kind\n" * 100)
    with pytest.raises(Unavailable, match="not a database"):
        open_store(str(tmp_path / "usage.db"))


def test_somebody_who_reads_holds_no_row_up(tmp_path):
    path = tmp_path / "usage.db"
    store = open_store(str(path))
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM requests").fetchall()
    store.insert([batch([record(1)])])
    reader.close()
    assert ids(store) == ["req_1"]
    store.close()


def test_the_keys_of_a_segment_never_reach_those_of_the_next():
    for number, at in itertools.product((1, 2, 1 << 26), (0, schema.POSITIONS - 1)):
        assert schema.row_id(number, at) < schema.row_id(number + 1, 0) < 2**63


def test_a_copy_where_nothing_may_be_written_can_be_read():
    """As somebody without rights there: a folder that cannot be written, no router running."""
    folder = Path(tempfile.mkdtemp())  # tmp_path is closed to others
    try:
        store = open_store(str(folder / FILE))
        store.insert([batch([record(1)])])
        store.close()
        (folder / FILE).chmod(0o444)
        folder.chmod(0o555)
        with _somebody():
            copy = open_store(str(folder / FILE), read_only=True)
            assert ids(copy) == ["req_1"]
            copy.close()
        assert [file.name for file in folder.iterdir()] == [FILE]
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def _somebody():
    """Root may write everywhere, so it becomes somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
