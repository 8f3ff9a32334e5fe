"""Which cells of the matrix exist: bridge by kind of recording, so that gaps show."""

import re
from collections import Counter

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from runtime.vocabulary import BRIDGES
from tests.bridges.crossings import PAIRS, cases, crossed
from tests.bridges.replies import cells
from tests.runtime.answers.recordings import BROKEN

# What every bridge must be tried with, in a stream as well as in one piece.
ANSWERS = ("text", "tool-call", "parallel-tools", "reasoning", "truncated", "structured", "refusal")


class _Text(SingleFileSnapshotExtension):
    file_extension = "txt"
    _write_mode = WriteMode.TEXT


def test_every_pair_of_dialects_has_a_bridge():
    assert sorted(f"{caller}_to_{up}" for caller, up in PAIRS) == sorted(BRIDGES)


def test_the_cells_of_answers(snapshot):
    counts = Counter()
    for streaming in (True, False):
        for recording, surface in cells(streaming=streaming):
            form = "stream" if streaming else "whole"
            counts[f"{recording.dialect} -> {surface}", f"{_kind(recording.file)} {form}"] += 1
    assert _table(counts) == snapshot(extension_class=_Text)


def test_the_cells_of_requests(snapshot):
    counts = Counter()
    for case in cases():
        for path, upstream in PAIRS:
            if path == case.path:
                goes = "refused" if isinstance(crossed(case, upstream), list) else "crosses"
                counts[f"{path} -> {upstream}", f"{case.family} {goes}"] += 1
    assert _table(counts) == snapshot(extension_class=_Text)


@pytest.mark.parametrize("form", ["stream", "whole"])
@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
def test_answers_of_every_kind_are_recorded(dialect, kind, form):
    found = [
        recording.file
        for recording, _ in cells(streaming=form == "stream")
        if recording.dialect == dialect and kind in _kind(recording.file)
    ]
    assert found


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_streams_that_broke_are_recorded(dialect):
    assert any(file.startswith(f"{dialect}/") for file in BROKEN)


def _kind(file):
    return re.split("__", file)[1]


def _table(counts):
    """A line for each kind, a column for each bridge."""
    bridges = sorted({bridge for bridge, _ in counts})
    rows = [["", *bridges]]
    rows += [
        [kind, *(str(counts[bridge, kind] or "-") for bridge in bridges)]
        for kind in sorted({kind for _, kind in counts})
    ]
    return "".join(" | ".join(row) + "\n" for row in rows)
