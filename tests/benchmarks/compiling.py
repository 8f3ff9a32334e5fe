"""What compiling, loading and comparing a large deployment costs, and that the cost is linear.

    python -m tests.benchmarks.compiling            # writes the figures into docs/benchmarks.md

Every group has all 50 targets as members and is open on three surfaces; ten callers per group.
"""

from __future__ import annotations

import copy
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.benchmarks import page
from tests.support.router import ROOT

GROUPS = (50, 100, 150, 200)
TARGETS = 50
SEED = ROOT / "tests/compiler/review/base.yaml"
_COMMAND = "from compiler.cli import main; main()"
_LOAD = (
    "import sys, time; from pathlib import Path; from runtime.artifact import load; "
    "began = time.process_time(); load(Path(sys.argv[1])); print(time.process_time() - began)"
)


class Cost(NamedTuple):
    """CPU seconds of the process and the most memory it had, in MB."""

    seconds: float
    megabytes: float


class Row(NamedTuple):
    """One size of deployment. `lock` in MB, `load` in CPU seconds."""

    groups: int
    build: Cost
    load: float
    diff: Cost
    lock: float


def deployment(groups: int) -> dict[str, Any]:
    """A deployment of so many groups, each of all the targets."""
    made: dict[str, Any] = yaml.safe_load(SEED.read_text())
    kinds = list(made["targets"].values())
    made["targets"] = {}
    for number in range(TARGETS):
        target = copy.deepcopy(kinds[number % len(kinds)])
        target["model"] += f"-{number}"
        made["targets"][f"t{number:02d}"] = target
    coder = made["groups"]["coder"]
    members = [{"target": name, "weight": 1 + n} for n, name in enumerate(made["targets"])]
    promise = {"claude-code": 1, "aider": 2}
    group = {**coder, "aliases": [], "members": members, "baseline": "t00", "promise": promise}
    names = [f"g{number:03d}" for number in range(groups)]
    made["groups"] = dict.fromkeys(names, group)
    made["default_group"] = names[0]
    made["callers"] = {f"c{n:04d}": _caller(n, names) for n in range(10 * groups)}
    return made


def _caller(number: int, names: list[str]) -> dict[str, Any]:
    project = ("web", "web", "vault")[number // len(names) % 3]
    id_ = f"rtr_base_u{number}_{project}_dev_k1"
    return {
        "user": f"u{number}",
        "project": project,
        "env": "dev",
        "groups": [names[number % len(names)], names[(number + 1) % len(names)]],
        "limits": "developer",
        "tokens": [{"id": id_, "sha256": hashlib.sha256(id_.encode()).hexdigest()}],
    }


def measure(groups: int, work: Path) -> Row:
    """Builds, loads what was built, and compares it with one in which two skins can do less."""
    made = deployment(groups)
    old, new = work / f"old-{groups}.yaml", work / f"new-{groups}.yaml"
    old.write_text(_text(made))
    del made["targets"]["t00"]["skins"]["messages"]["structured"]
    made["targets"]["t01"]["skins"]["responses"]["tools"].remove("custom")
    new.write_text(_text(made))
    out = work / str(groups)
    build = _run("-c", _COMMAND, "build", str(old), "--out", str(out))
    diff = _run("-c", _COMMAND, "diff", str(old), str(new))
    loaded = subprocess.run(
        [sys.executable, "-c", _LOAD, out / "base"], cwd=ROOT, capture_output=True, check=True
    )
    size = (out / "base/eligibility.lock").stat().st_size / 1e6
    return Row(groups, build, float(loaded.stdout), diff, size)


class _WrittenOut(yaml.CSafeDumper):
    """Writes what is shared out every time, as a person would."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(made: dict[str, Any]) -> str:
    return yaml.dump(made, Dumper=_WrittenOut, sort_keys=False)


def _run(*arguments: str) -> Cost:
    quiet = subprocess.DEVNULL
    child = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{arguments[2]} ended with {child.returncode}")
    return Cost(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def report(rows: list[Row]) -> str:
    """A table, and the same as a plot that GitHub draws."""
    told = [
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()};"
        f" CPU seconds of the whole command, {TARGETS} targets in every group.",
        "",
        "| groups | callers | `build` | memory | load | `diff` | memory | lock |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    told += [
        f"| {row.groups} | {10 * row.groups:,} | {row.build.seconds:.2f} s"
        f" | {row.build.megabytes:.0f} MB | {row.load:.2f} s | {row.diff.seconds:.2f} s"
        f" | {row.diff.megabytes:.0f} MB | {row.lock:.2f} MB |"
        for row in rows
    ]
    build = ", ".join(f"{row.build.seconds:.2f}" for row in rows)
    diff = ", ".join(f"{row.diff.seconds:.2f}" for row in rows)
    return "\n".join([
        *told,
        "",
        "```mermaid",
        "xychart-beta",
        '  title "CPU seconds by groups: diff above, build below"',
        f"  x-axis [{', '.join(str(row.groups) for row in rows)}]",
        f"  line [{build}]",
        f"  line [{diff}]",
        "```",
    ])  # fmt: skip


def main() -> None:
    """Measures every size and writes the page."""
    with tempfile.TemporaryDirectory(prefix="interlock-compiling-") as name:
        text = report([measure(groups, Path(name)) for groups in GROUPS])
    print(text)
    page.write(text, "compiled")


if __name__ == "__main__":
    main()
