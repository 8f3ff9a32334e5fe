"""Which numbers of other rooms are told in metrics, and how a worker begins to count."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter, time
from typing import Final

from runtime import __version__
from runtime.cache.answers import LocalAnswers
from runtime.edge.connections import Connections
from runtime.metrics.board import Board
from runtime.metrics.peers import Peers
from runtime.metrics.samples import Sample
from runtime.records.keeper import Keeper
from runtime.state import State

_EVERY: Final = 1.0  # seconds between two looks that the other workers get
_SHARE: Final = 0.02  # of the time at most, where there is much to show
_SELF: Final = Path("/proc/self")


def count(state: State) -> None:
    """Begins to count what this worker does, as one of the supervisor's where it has one."""
    state.metrics = board = Board(Peers.from_environment())
    state.recorders = (*state.recorders, board.counts)
    started = time()
    board.register(lambda: served(state))
    board.register(lambda: availability(state))
    board.register(lambda: shared(state))
    board.register(lambda: process(board.worker, started))


def count_connections(board: Board, connections: Connections) -> None:
    """Tells how many clients are connected."""
    board.register(lambda: [Sample("interlock_connections", (), len(connections))])


def count_rows(board: Board, keeper: Keeper) -> None:
    """Tells how usage rows fare on their way into the database."""
    board.register(lambda: rows(keeper))


async def keep_showing(board: Board) -> None:
    """Lets the other workers see this one's numbers, until cancelled."""
    if board.peers is None:
        return
    while True:
        began = perf_counter()
        await asyncio.to_thread(board.show, board.ask())
        await asyncio.sleep(max(_EVERY, (perf_counter() - began) / _SHARE))


def served(state: State) -> Iterator[Sample]:
    """What is served, and how that changed."""
    artifact = state.artifact
    yield Sample("interlock_artifact_info", (artifact.name, artifact.digest[:12]), 1)
    yield Sample("interlock_build_info", (__version__,), 1)
    yield Sample("interlock_reloads_total", ("ok",), state.reloads.ok)
    yield Sample("interlock_reloads_total", ("failed",), state.reloads.failed)
    yield Sample("interlock_stopping", (), int(state.stopping))


def availability(state: State) -> Iterator[Sample]:
    """How things stand with targets and providers."""
    now = state.availability.snapshot()
    for target in state.artifact.targets:
        yield Sample("interlock_target_resting", (target,), int(target in now.cooling))
    for provider, requests in now.in_flight.items():
        yield Sample("interlock_provider_in_flight", (provider,), requests)
    yield Sample("interlock_requests_in_flight", (), now.requests)
    yield Sample("interlock_retries_in_flight", (), now.retrying)
    yield Sample("interlock_retries_denied_total", (), now.denied)


def shared(state: State) -> Iterator[Sample]:
    """What is kept for later requests, here or in a store of all workers."""
    if isinstance(state.answers, LocalAnswers):
        yield Sample("interlock_cache_entries", (), len(state.answers))
        yield Sample("interlock_cache_bytes", (), state.answers.size)
    if state.store is not None:
        yield Sample("interlock_store_resting", (), int(state.store.open))
        yield Sample("interlock_store_failures_total", (), state.store.failures)


def rows(keeper: Keeper) -> Iterator[Sample]:
    """Usage rows in the journal, and what became of them; one worker at a time ingests for all."""
    journal, done = keeper.journal, keeper.ingester.counts
    yield Sample("interlock_journal_rows_total", (), journal.written)
    yield Sample("interlock_journal_lost_rows_total", (), journal.dropped)
    yield Sample("interlock_journal_failures_total", (), journal.failures)
    yield Sample("interlock_journal_waiting_bytes", (), done.behind)
    yield Sample("interlock_ingested_rows_total", (), done.ingested)
    for reason in ("torn", "rejected", "dropped"):
        yield Sample("interlock_uningested_rows_total", (reason,), getattr(done, reason))


def process(worker: str, started: float) -> Iterator[Sample]:
    """What the worker takes of its machine, as far as the system tells."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime
    yield Sample("interlock_worker_cpu_seconds_total", (worker,), seconds)
    yield Sample("interlock_worker_start_time_seconds", (worker,), started)
    with suppress(OSError):
        pages = int((_SELF / "statm").read_text().split()[1])
        size = pages * resource.getpagesize()
        yield Sample("interlock_worker_resident_bytes", (worker,), size)
        files = len(os.listdir(_SELF / "fd"))  # noqa: PTH208 - no paths are wanted
        yield Sample("interlock_worker_open_files", (worker,), files)
