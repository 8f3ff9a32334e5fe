"""A target that failed is passed over by the next request, whatever the failure was.

The cells run twice against a deployment whose targets rest after one failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.calls import Seen, run_cells
from tests.faults.checks import check_cell
from tests.faults.deployment import ENV, deployment
from tests.faults.table import Broken, Cell, Fault, cells
from tests.faults.upstream import Upstream
from tests.support.router import build, free_port, running
from tests.support.wire import Answer

# One row for each kind of failure.
FAILURES = (
    "refused",
    "connecting-hangs",
    "hangs-before-head",
    "hangs-before-content",
    "reset-before-content",
    "status-401",
    "status-429",
    "status-500",
    "status-529",
    "junk-json",
    "ends-before-content",
    "overloaded-event-before-content",
)
# ... and for each after which a target is asked as before.
OTHERS = ("good", "status-400", "status-413", "overflow-event-before-content")
CUT = "cut-between-events"

AGAIN = "again-"


def own_cells(*rows: str) -> list[Cell]:
    """The native pairs of these rows, whose first target no two of them share."""
    found: dict[tuple[str, ...], Cell] = {}
    for cell in cells():
        native = cell.upstream == cell.second == cell.dialect
        if cell.row.behaviour in rows and native and cell.targets[0] not in found:
            found[cell.targets[0]] = replace(cell, run="cooling-")
    return list(found.values())


FAILING, GOING_ON, CUTTING = own_cells(*FAILURES), own_cells(*OTHERS), own_cells(CUT)
ALL = [*FAILING, *GOING_ON, *CUTTING]


def again(cell: Cell) -> Cell:
    return replace(cell, run=AGAIN)


@pytest.fixture(scope="module")
def twice(
    upstream: Upstream, hole: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Seen]]:
    """What the callers of all cells got, the second time too."""
    folder: Path = tmp_path_factory.mktemp("cooling")
    yaml = deployment(upstream.port, free_port(), hole, ALL, failures=1)
    with running(build(yaml, folder), folder, ENV) as router:
        seen = asyncio.run(run_cells(router.port, ALL))
        seen |= asyncio.run(run_cells(router.port, map(again, ALL)))
        yield seen


@pytest.mark.parametrize("cell", FAILING, ids=lambda cell: cell.name)
def test_after_a_failure_the_next_request_goes_to_the_second_target_at_once(
    cell: Cell, twice: dict[str, Seen], upstream: Upstream
):
    assert isinstance(cell.outcome, Fault)
    check_cell(cell, twice[cell.name], upstream)
    answer = twice[again(cell).name]
    assert isinstance(answer, Answer)
    assert answer.status == 200
    assert answer.header("x-router-target") == cell.targets[1]
    assert answer.header("x-router-attempts") == "1"
    asked = [one.behaviour for one in upstream.of_cell(again(cell).name)]
    assert asked == ["good"]


@pytest.mark.parametrize("cell", GOING_ON, ids=lambda cell: cell.name)
def test_what_is_no_fault_of_a_target_changes_nothing(
    cell: Cell, twice: dict[str, Seen], upstream: Upstream
):
    for one in (cell, again(cell)):
        check_cell(one, twice[one.name], upstream)


@pytest.mark.parametrize("cell", CUTTING, ids=lambda cell: cell.name)
def test_a_target_that_cuts_its_streams_rests_as_well(
    cell: Cell, twice: dict[str, Seen], upstream: Upstream
):
    assert isinstance(cell.outcome, Broken)
    check_cell(cell, twice[cell.name], upstream)
    answer = twice[again(cell).name]
    assert isinstance(answer, Answer)
    assert answer.header("x-router-target") == cell.targets[1]


def test_there_is_a_cell_of_every_kind():
    assert {cell.row.behaviour for cell in ALL} == {*FAILURES, *OTHERS, CUT}
