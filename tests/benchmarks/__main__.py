"""Runs the benchmark and writes its table into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import bodies, targets
from tests.benchmarks.processes import cpu_seconds, memory_mb, tree
from tests.benchmarks.targets import PATHS, ROOT, Target
from tests.support.router import free_port

HERE = Path(__file__).parent
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
DIALECT = {"W": "chat", "M": "messages", "R": "responses"}
BODY = {"1": "small", "2": "large", "3": "small-stream", "3p": "small-paced", "4p": "large-paced"}
CELLS = "W1@1,W1@64,W2@64,W3@64,W3p@64,W4p@64,M1@64,M2@64,M3p@64,R1@64,R2@64,R3p@64"
_PATIENCE = 60.0


@dataclass
class Live:
    """A started target and what was measured of it. Memory in MB, times in seconds."""

    target: Target
    process: subprocess.Popen[bytes] | None
    cold: float | None = None
    idle: float | None = None
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def main() -> None:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: exit(1))  # so that a timeout still ends every child
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        work = Path(name)
        work.chmod(0o755)  # nginx's worker runs as another user
        live = _measure(work, options)
    report = table(live, options)
    print(report)
    if options.write:
        _write(report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", default=CELLS)
    parser.add_argument("--only", help="names of targets, by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--write", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def _measure(work: Path, options: argparse.Namespace) -> list[Live]:
    bodies.write(work / "bodies")
    for tool in ("mock", "load"):
        subprocess.run(["gcc", "-O2", "-w", "-o", work / tool, HERE / f"{tool}.c"], check=True)
    upstream = free_port()
    wanted = [
        targets.nginx(work, free_port(), upstream),
        targets.interlock(work, free_port(), upstream, "warning", "interlock"),
        targets.interlock(work, free_port(), upstream, "info", "interlock, request log on"),
        *targets.peers(29400, upstream),
    ]
    if options.only:
        names = options.only.split(",")
        wanted = [t for t in wanted if t.name in names]
    mock = subprocess.Popen(["taskset", "-c", "1", work / "mock", str(upstream), "5"])
    time.sleep(0.3)
    live = [Live(targets.direct(upstream), None)]
    try:
        live += [_start(target, work) for target in wanted]
        for one in live:
            for dialect in one.target.dialects:
                cell = {v: k for k, v in DIALECT.items()}[dialect]
                for warm_up in (f"{cell}1@8", f"{cell}3@8"):
                    _run(one, work, warm_up, 0.5)
        for _ in range(options.rounds):
            _round(live, work, options)
    finally:
        for one in live:
            _stop(one)
        mock.terminate()
        mock.wait()
    return live


def _round(live: list[Live], work: Path, options: argparse.Namespace) -> None:
    """Every cell of every target once: all ratios come from one interleaved run."""
    for cell in options.cells.split(","):
        for one in live:
            if DIALECT[cell[0]] in one.target.dialects:
                result = _run(one, work, cell, options.seconds)
                one.runs.setdefault(cell, []).append(result)
                print(
                    f"{cell:7} {one.target.name:26} {result['cpu_us']:9.1f} us/request "
                    f"{result['event_us'] or 0:7.2f} us/event {result['rps']:9.0f} rps "
                    f"p50 {result['total_p50']:8.0f} us first byte {result['ttfb_p50']:8.0f} us "
                    f"errors {result['errors']}",
                    flush=True,
                )


def _start(target: Target, work: Path) -> Live:
    began = time.monotonic()
    log = (work / "target.log").open("ab")
    process = subprocess.Popen(
        ["taskset", "-c", "0", *target.command],
        stdout=log,
        stderr=log,
        env={**os.environ, **target.env},
        start_new_session=True,
    )
    dialect = target.dialects[0]
    body = (work / "bodies" / f"{dialect}-small.json").read_bytes()
    while time.monotonic() - began < _PATIENCE:
        if _answers(target, PATHS[dialect], body):
            live = Live(target, process, time.monotonic() - began)
            live.idle = memory_mb(process.pid)
            return live
        if process.poll() is not None:
            break
        time.sleep(0.01)
    _stop(Live(target, process))
    raise SystemExit(f"{target.name} did not start:\n{(work / 'target.log').read_text()[-2000:]}")


def _answers(target: Target, path: str, body: bytes) -> bool:
    headers = {"content-type": "application/json"}
    headers |= dict(h.split(": ", 1) for h in target.headers)
    request = urllib.request.Request(f"http://127.0.0.1:{target.port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.HTTPError):
        return False


def _stop(live: Live) -> None:
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


def _run(one: Live, work: Path, cell: str, seconds: float) -> dict[str, Any]:
    kind, concurrency = cell.split("@")
    dialect = DIALECT[kind[0]]
    body = work / "bodies" / f"{dialect}-{BODY[kind[1:]]}.json"
    command = [
        "taskset",
        "-c",
        "1",
        work / "load",
        one.target.port,
        PATHS[dialect],
        body,
        concurrency,
        seconds,
        0,
        *one.target.headers,
    ]
    before = cpu_seconds(one.process.pid) if one.process else 0.0
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    used = (cpu_seconds(one.process.pid) - before) * 1e6 if one.process else 0.0
    result: dict[str, Any] = json.loads(done.stdout)
    result["cpu_us"] = used / max(1, result["requests"])
    result["event_us"] = used / result["events"] if result["events"] else None
    result["rps"] = result["requests"] / result["seconds"]
    return result


# --- the page ------------------------------------------------------------------------------------


def table(live: list[Live], options: argparse.Namespace) -> str:
    """The medians as a Markdown table; each figure with its ratio to nginx."""
    lines = [
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"{options.rounds} interleaved rounds of {options.seconds:g} s a cell, medians.",
        "",
        "| cell | unit | " + " | ".join(one.target.name for one in live if one.process) + " |",
        "| --- | --- |" + " --- |" * sum(1 for one in live if one.process),
    ]
    anchor = next((one for one in live if one.target.name == "nginx"), None)
    for cell in options.cells.split(","):
        streamed = cell.partition("@")[0][1] in "34"
        key, unit = ("event_us", "us/event") if streamed else ("cpu_us", "us/request")
        row = [_figure(one, anchor, cell, key) for one in live if one.process]
        lines.append(f"| {cell} | CPU {unit} | " + " | ".join(row) + " |")
    for cell, key, label in (
        ("W1@1", "total_p50", "p50 us"),
        ("W3p@64", "ttfb_p50", "first byte p50 us"),
    ):
        if cell in options.cells.split(","):
            row = [_figure(one, anchor, cell, key) for one in live if one.process]
            lines.append(f"| {cell} | {label} | " + " | ".join(row) + " |")
    for label, attribute in (("cold start, s", "cold"), ("idle, MB", "idle")):
        row = [f"{getattr(one, attribute):.2f}" for one in live if one.process]
        lines.append(f"| - | {label} | " + " | ".join(row) + " |")
    errors = sum(r["errors"] for one in live for runs in one.runs.values() for r in runs)
    return "\n".join([*lines, "", f"Failed requests in all cells: {errors}."])


def _figure(one: Live, anchor: Live | None, cell: str, key: str) -> str:
    if cell not in one.runs:
        return "-"
    value = _median(one, cell, key)
    if anchor is None or one is anchor:
        return f"{value:.1f}"
    return f"{value:.1f} ({value / _median(anchor, cell, key):.2f}x)"


def _median(one: Live, cell: str, key: str) -> float:
    return float(statistics.median(run[key] for run in one.runs[cell]))


def _write(report: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{report}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
