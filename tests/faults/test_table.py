"""Every cell of the fault table, and that no broken stream ever looks finished."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.answers import TEXT
from tests.faults.calls import Seen
from tests.faults.checks import check_cell, verdicts
from tests.faults.drivers import Verdict, read_whole
from tests.faults.table import Cell, cells
from tests.faults.upstream import Upstream
from tests.support.wire import Answer

CELLS = tuple(cells())


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_caller_gets_what_the_table_says(
    cell: Cell, outcomes: dict[str, Seen], upstream: Upstream
):
    check_cell(cell, outcomes[cell.name], upstream)


def test_no_broken_stream_looks_finished(outcomes: dict[str, Seen]):
    seen = verdicts(CELLS, outcomes)
    assert Counter(seen.values())[Verdict.COMPLETE] > 0
    assert [name for name, verdict in seen.items() if verdict is Verdict.FALSE_COMPLETE] == []


def test_no_broken_body_looks_whole(outcomes: dict[str, Seen]):
    for cell in CELLS:
        seen = outcomes[cell.name]
        if not cell.streamed and isinstance(seen, Answer) and seen.status == 200:
            assert read_whole(cell.dialect, seen)[0] == TEXT, cell.name
