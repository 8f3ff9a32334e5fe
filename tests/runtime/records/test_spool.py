"""What stands in a piece of a journal, and where, for whoever reads it."""

from __future__ import annotations

import msgspec
import pytest

from runtime.records.spool import read
from tests.runtime.records.rows import full, record

ROWS = [record(1), full(2), record(3), full(4)]
LINES = [msgspec.json.encode(row) + b"\n" for row in ROWS]
TORN = [
    b'{"id":"req_9","time":1.0,"arti\n',
    b"\n",
    b"\xff\x00\n",
    b"[1]\n",
    LINES[0][:-1] * 2 + b"\n",
]


def places(lines):
    """The first byte of each line, and the end of the last one."""
    return [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]


def test_a_row_is_named_by_its_first_byte(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_bytes(b"".join(LINES) + LINES[0][:50])
    at = places(LINES)
    for first in range(len(LINES)):
        piece = read(path, at[first])
        assert piece.rows == [*zip(at, ROWS, strict=False)][first:]
        assert (piece.end, piece.torn) == (at[-1], 0)


@pytest.mark.parametrize("torn", TORN)
def test_no_row_is_lost_or_named_otherwise_for_a_line_that_is_none(tmp_path, torn):
    path = tmp_path / "one.jsonl"
    for n in range(len(LINES) + 1):
        lines = [*LINES[:n], torn, *LINES[n:]]
        path.write_bytes(b"".join(lines))
        at = places(lines)
        piece = read(path, 0)
        assert piece.rows == [*zip(at[:n] + at[n + 1 : -1], ROWS, strict=True)]
        assert (piece.end, piece.torn) == (at[-1], 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_rows_in_a_line_do_not_stand_in_for_an_empty_one(tmp_path, order):
    path = tmp_path / "one.jsonl"
    torn = [LINES[0][:-1] + LINES[1], b"\n"]
    lines = [LINES[2], *[torn[n] for n in order], LINES[3]]
    path.write_bytes(b"".join(lines))
    at = places(lines)
    piece = read(path, 0)
    assert piece.rows == [(at[0], ROWS[2]), (at[3], ROWS[3])]
    assert (piece.end, piece.torn) == (at[-1], 2)
