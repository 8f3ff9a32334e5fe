"""Runs the benchmarks and writes their table into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import signal
import tempfile
from pathlib import Path

import tests.benchmarks
from tests.benchmarks import page
from tests.benchmarks.cells import ALL, cells
from tests.benchmarks.run import measure


def main() -> None:
    """Measures, shows the table, and writes it unless told not to."""
    options = _options()
    wanted = cells(options.cells)
    only = options.only.split(",") if options.only else []
    signal.signal(signal.SIGTERM, lambda *_: exit(1))  # so that a timeout still ends every child
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as name:
        work = Path(name)
        work.chmod(0o755)  # nginx's worker runs as another user
        live = measure(
            work,
            wanted,
            only=only,
            against=options.against,
            rounds=options.rounds,
            seconds=options.seconds,
        )
    report = page.table(live, wanted, rounds=options.rounds, seconds=options.seconds)
    print(report)
    if options.write:
        page.write(report)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=tests.benchmarks.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cells", default=ALL, help="what to send, by commas")
    parser.add_argument("--only", help="names of targets, by commas")
    parser.add_argument(
        "--against", type=Path, help="checkout of another version, measured as `another version`"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a cell runs")
    parser.add_argument("--write", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
