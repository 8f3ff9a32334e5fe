"""Starts every target, sends every cell to each in turn, and reads what that cost.

The target runs on the first core, upstream and load generator on the second. It knows no table.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import answers, bodies
from tests.benchmarks.cells import Cell, warm_up
from tests.benchmarks.processes import cpu_seconds, memory_mb, tree
from tests.benchmarks.targets import Target, all_targets, direct, program
from tests.support.router import free_port

HERE = Path(__file__).parent
PACE_MS = 5
_TARGET_CORE, _LOAD_CORE = "0", "1"
_WARM_UP_SECONDS = 0.5
_PATIENCE = 60.0
_STEP = 0.01


@dataclass
class Live:
    """A started target and what was measured of it. Memory in MB, times in seconds.

    `runs` holds the figures of every run, by cell.
    """

    target: Target
    process: subprocess.Popen[bytes] | None
    cold: float = 0.0
    idle: float = 0.0
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def measure(
    work: Path,
    cells: list[Cell],
    *,
    only: list[str],
    against: Path | None,
    rounds: int,
    seconds: float,
) -> list[Live]:
    """All cells of all targets, or of those named in `only`, round after round.

    `against` is a checkout of another version to measure as well.
    """
    prepare(work)
    port = free_port()
    live: list[Live] = []
    with _upstream(work, port):
        try:
            live.append(Live(direct(port), None))
            for target in all_targets(work, port, against):
                if not only or target.name in only:
                    live.append(_start(target, work))
                    _warm_up(live[-1], work)
            for _ in range(rounds):
                _round(live, work, cells, seconds)
        finally:
            for one in live:
                _stop(one)
    return live


def prepare(work: Path) -> None:
    """Bodies, answers and the two C programs."""
    bodies.write(work / "bodies")
    answers.write(work / "answers")
    for name in ("upstream", "load"):
        source = str(HERE / f"{name}.c")
        subprocess.run([program("gcc"), "-O2", "-o", str(work / name), source], check=True)


@contextmanager
def _upstream(work: Path, port: int) -> Iterator[None]:
    command = _pinned(_LOAD_CORE, work / "upstream", port, PACE_MS, work / "answers")
    process = subprocess.Popen(command)
    try:
        _wait_until(lambda: _status(f"http://127.0.0.1:{port}/v1/models") == 200, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _warm_up(one: Live, work: Path) -> None:
    for dialect in one.target.dialects:
        for cell in warm_up(dialect):
            _run(one, work, cell, _WARM_UP_SECONDS)


def _round(live: list[Live], work: Path, cells: list[Cell], seconds: float) -> None:
    """Every cell of every target once: all ratios come from one interleaved run."""
    for cell in cells:
        for one in live:
            if cell.dialect in one.target.dialects:
                figures = _run(one, work, cell, seconds)
                one.runs.setdefault(cell.word, []).append(figures)
                print(_line(cell, one, figures), flush=True)


def _line(cell: Cell, one: Live, figures: dict[str, Any]) -> str:
    return (
        f"{cell.word:7} {one.target.name:26} {figures['cpu_us']:9.1f} us/request "
        f"{figures['event_us'] or 0:7.2f} us/event {figures['rps']:9.0f} rps "
        f"p50 {figures['total_p50']:8.0f} us first byte {figures['ttfb_p50']:8.0f} us "
        f"errors {figures['errors']}"
    )


def _run(one: Live, work: Path, cell: Cell, seconds: float) -> dict[str, Any]:
    """The figures of one run: what the load generator saw, and the CPU time of the target."""
    where = (one.target.port, cell.path, work / "bodies" / cell.file)
    sent = (*where, cell.at_once, seconds, *one.target.headers)
    before = cpu_seconds(one.process.pid) if one.process else 0.0
    command = _pinned(_LOAD_CORE, work / "load", *sent)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    used = (cpu_seconds(one.process.pid) - before) * 1e6 if one.process else 0.0
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen | {
        "cpu_us": used / max(1, seen["requests"]),
        "event_us": used / seen["events"] if seen["events"] else None,
        "rps": seen["requests"] / seen["seconds"],
    }


# --- processes -----------------------------------------------------------------------------------


def _start(target: Target, work: Path) -> Live:
    """Starts a target; it is up when it has answered a request."""
    began = time.monotonic()
    log = work / "target.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _pinned(_TARGET_CORE, *target.command),
            stdout=output,
            stderr=output,
            env={**os.environ, **target.env},
            start_new_session=True,
        )
    live = Live(target, process)
    cell = warm_up(target.dialects[0])[0]
    body = (work / "bodies" / cell.file).read_bytes()
    url = f"http://127.0.0.1:{target.port}{cell.path}"
    if not _wait_until(lambda: _status(url, body, target.headers) == 200, process):
        _stop(live)
        raise SystemExit(f"{target.name} did not start:\n{log.read_text()[-2000:]}")
    live.cold = time.monotonic() - began
    live.idle = memory_mb(process.pid)
    return live


def _stop(live: Live) -> None:
    """Ends a target and its children; first politely."""
    if live.process is None or live.process.poll() is not None:
        return
    members = tree(live.process.pid)  # only what was started here
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in reversed(members):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        try:
            live.process.wait(3)
        except subprocess.TimeoutExpired:
            continue
        time.sleep(0.1)


def _wait_until(up: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        if up():
            return True
        time.sleep(_STEP)
    return False


def _status(url: str, body: bytes | None = None, headers: tuple[str, ...] = ()) -> int:
    """The status of an answer; 0 for none."""
    sent = {"content-type": "application/json", **dict(h.split(": ", 1) for h in headers)}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, sent), timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _pinned(core: str, *command: object) -> list[str]:
    return [program("taskset"), "-c", core, *map(str, command)]
