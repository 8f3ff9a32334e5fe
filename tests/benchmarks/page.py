"""The table of docs/benchmarks.md; it knows how figures are shown, not how they are measured."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess

from tests.benchmarks.cells import Cell
from tests.benchmarks.run import Live
from tests.benchmarks.targets import interpreter
from tests.support.router import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
# Cells of which also a time is shown: what, and its label.
_TIMES = {
    "W1@1": ("total_p50", "whole answer p50, us"),
    "W3p@64": ("ttfb_p50", "first byte p50, us"),
}


def table(live: list[Live], cells: list[Cell], *, rounds: int, seconds: float) -> str:
    """The medians as a Markdown table; each figure with its ratio to nginx."""
    shown = [one for one in live if one.process]
    anchor = next((one for one in shown if one.target.name == "nginx"), None)
    rows = [
        ["cell", "unit", *(one.target.name for one in shown)],
        ["---"] * (2 + len(shown)),
        *(_cpu(cell, shown, anchor) for cell in cells),
        *(_time(cell, shown, anchor) for cell in cells if cell.word in _TIMES),
        ["-", "cold start, s", *(f"{one.cold:.2f}" for one in shown)],
        ["-", "idle, MB", *(f"{one.idle:.2f}" for one in shown)],
    ]
    errors = sum(run["errors"] for one in live for runs in one.runs.values() for run in runs)
    return "\n".join(
        [
            f"{os.cpu_count()} cores, {platform.machine()}, {_python()}; "
            f"{rounds} interleaved rounds of {seconds:g} s a cell, medians.",
            "",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            f"Failed requests in all cells: {errors}.",
        ]
    )


def write(report: str, name: str = "measured") -> None:
    """Puts a report between the two marks of its name on the page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    PAGE.write_text(f"{head}{begin}\n\n{report}\n\n{end}{tail}", encoding="utf-8")


def _python() -> str:
    """The version of the Python that was measured."""
    command = [interpreter(), "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _cpu(cell: Cell, shown: list[Live], anchor: Live | None) -> list[str]:
    key, unit = ("event_us", "us/event") if cell.streamed else ("cpu_us", "us/request")
    return [cell.word, f"CPU {unit}", *(_figure(one, anchor, cell, key) for one in shown)]


def _time(cell: Cell, shown: list[Live], anchor: Live | None) -> list[str]:
    key, label = _TIMES[cell.word]
    return [cell.word, label, *(_figure(one, anchor, cell, key) for one in shown)]


def _figure(one: Live, anchor: Live | None, cell: Cell, key: str) -> str:
    if cell.word not in one.runs:
        return "-"
    value = _median(one, cell, key)
    if anchor is None or one is anchor:
        return f"{value:.1f}"
    return f"{value:.1f} ({value / _median(anchor, cell, key):.2f}x)"


def _median(one: Live, cell: Cell, key: str) -> float:
    return float(statistics.median(run[key] for run in one.runs[cell.word]))
