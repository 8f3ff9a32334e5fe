"""Two things fail at once, then two others: no request fails, and every row is there once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.chaos import FAULTS, Crowd, Place, place

# What fails at once. Targets fail and callers leave all the while.
PAIRS = (
    ("the database is killed", "the store hangs"),
    ("the database hangs", "the store is killed"),
    ("the disk is full", "the store hangs"),
    ("the disk is full", "the database is killed"),
)
SECONDS = 1.0  # for each of them
PER_SECOND = 60
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("chaos")) as standing:
        yield standing


def test_whatever_fails_no_request_does_and_every_row_is_there_once(around: Place):
    crowd = Crowd(around.router.port)
    asyncio.run(crowd.come(SECONDS, PER_SECOND))
    calm = _log_bytes(around) / len(crowd.answered)
    held = around.memory()
    asyncio.run(_fail_in_pairs(around, crowd))
    _arrived(around, crowd)
    assert crowd.failed == []
    assert crowd.left
    assert _log_bytes(around) / len(crowd.answered) <= 2 * calm + 1
    assert around.memory() <= held * 1.2 + 16 * MEBIBYTE


async def _fail_in_pairs(around: Place, crowd: Crowd) -> None:
    """Each pair for some seconds of load, and as long again for what comes back."""
    for pair in PAIRS:
        load = asyncio.create_task(crowd.come(2 * SECONDS, PER_SECOND))
        for name in pair:
            await asyncio.to_thread(FAULTS[name][0], around)
        await asyncio.sleep(SECONDS)
        for name in pair:
            await asyncio.to_thread(FAULTS[name][1], around)
        await load


def _arrived(around: Place, crowd: Crowd, seconds: float = 60.0) -> None:
    """Waits for the rows of all whole answers. The bound is one that only a fault meets."""
    by = time.monotonic() + seconds
    while True:
        rows = Counter(str(id_) for (id_,) in around.database.run("SELECT id FROM requests"))
        assert {id_: many for id_, many in rows.items() if many > 1} == {}
        missing = set(crowd.answered) - set(rows)
        if not missing:
            return
        assert time.monotonic() < by, f"{len(missing)} rows of {len(crowd.answered)} are missing"
        time.sleep(0.1)


def _log_bytes(around: Place) -> int:
    return around.router.output.stat().st_size
