"""Streams over targets that answer in one piece: the table's rows for whole answers hold for them.

The upstream is never asked for a stream, and the caller always gets one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.answers import DIALECTS
from tests.faults.calls import Seen
from tests.faults.checks import check_cell, verdicts
from tests.faults.drivers import Verdict
from tests.faults.table import MIXED, Cell, Row, cells, way_between
from tests.faults.upstream import Upstream

# A bridge for each dialect of the caller and of the upstream; all six would only take time.
CROSSED = ("chat_to_messages", "responses_to_chat", "messages_to_responses")
# Where the caller of a whole answer would learn of a timeout, no second target is paid either.
PAIRED = MIXED | {"hangs-after-head", "hangs-mid-body", "slow-in-one-piece"}


def synthesized() -> Iterator[Cell]:
    for cell in cells():
        if not cell.streamed and stands(cell):
            yield replace(cell, row=as_streamed(cell.row), streamed=True, run="synthesized.")


def stands(cell: Cell) -> bool:
    if cell.second is None:
        return way_between(cell.dialect, cell.upstream) in (*DIALECTS, *CROSSED)
    return cell.dialect == cell.upstream == cell.second and cell.row.behaviour in PAIRED


def as_streamed(row: Row) -> Row:
    """The row of a whole answer; but where all is silent, the head of a stream goes out."""
    late = row.streamed if row.behaviour.startswith("silent-") else None
    return replace(row, streamed=late or row.whole, whole=None)


CELLS = tuple(synthesized())


@pytest.fixture(scope="module")
def outcomes(outcomes_of) -> dict[str, Seen]:
    """The answers of a deployment whose targets all answer in one piece, by the cell's name."""
    return outcomes_of(CELLS, stream="synthesized")


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_caller_gets_a_stream_of_what_the_table_says(cell: Cell, outcomes, upstream: Upstream):
    check_cell(cell, outcomes[cell.name], upstream)
    assert not any(asked.streamed for asked in upstream.of_cell(cell.name))


def test_no_broken_answer_looks_like_a_finished_stream(outcomes):
    seen = verdicts(CELLS, outcomes)
    assert Counter(seen.values())[Verdict.COMPLETE] > 0
    assert [name for name, verdict in seen.items() if verdict is Verdict.FALSE_COMPLETE] == []
