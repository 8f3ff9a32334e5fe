"""`python -m tests.mutation`: how many of the small mistakes one could make do the tests notice?

Each mutant is compiled in a forked child that serves it to the import of its module and then runs
the tests in process; a test that fails, an error or more than 30 s of work kill it.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import math
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Final

from tests.mutation.mutants import Mutant, mutants, mutated

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("compiler/plan", "compiler/checks")
SECONDS: Final = 30  # of work, not of waiting: a busy machine kills no mutant
HANGS: Final = 20 * SECONDS
BYTES: Final = 4 << 30  # of one child: a mutant may loop
EXAMPLES: Final = 8  # of each random test; what a hundred find is usually found by a few
# The quickest to notice come first.
TESTS: Final = {
    "compiler/checks": (
        "compiler/test_diagnostics.py",
        "compiler/answers",
        "compiler/checks",
        "compiler/test_phases.py",
        "golden",
    ),
    "compiler/plan": (
        "compiler/plan/test_listings.py",
        "compiler/plan/test_offers.py",
        "compiler/plan/test_patterns.py",
        "golden",
        "compiler/answers",
        "runtime/phases/test_detector.py",
        "compiler/plan",
        "compiler/test_diagnostics.py",
        "compiler/explain",
        "compiler/test_phases.py",
    ),
}
# What no mutant changes is imported once, before the children part.
SHARED: Final = (
    "hypothesis",
    "hypothesis.strategies",
    "jinja2",
    "pytest",
    "rich.console",
    "compiler.clients",
    "compiler.model",
    "compiler.resolve",
    "compiler.schema",
    "compiler.source",
    "runtime.artifact",
    "runtime.selection",
    "runtime.vocabulary",
)


class Served(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers the import of one module with another tree."""

    def __init__(self, path: Path, number: int | None) -> None:
        self.path, self.number = path, number
        relative = path.relative_to(ROOT).with_suffix("")
        parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
        self.name = ".".join(parts)

    def find_spec(self, name, path, target=None):
        if name != self.name or self.number is None:
            return None
        return importlib.util.spec_from_file_location(
            name,
            self.path,
            loader=self,
            submodule_search_locations=(
                [str(self.path.parent)] if self.path.name == "__init__.py" else None
            ),
        )

    def exec_module(self, module: ModuleType) -> None:
        tree = mutated(self.path.read_text(encoding="utf-8"), self.number)
        exec(compile(tree, str(self.path), "exec"), module.__dict__)


def main() -> int:
    """Prints each survivor as it is found, then the scores; exits 1 below --at-least."""
    asked = _arguments()
    chosen, total = _sample(asked.module, asked.sample, asked.seed, asked.only)
    for name in SHARED:
        importlib.import_module(name)
    for room in dict.fromkeys(path.parent for path, _ in chosen):
        if not _survives(room / "__init__.py", None):
            _say(f"{room.name}: its tests are red without any mutant")
            return 2
    _say(f"{len(chosen)} of {total} mutants")
    made: Counter[tuple[str, bool]] = Counter()
    alive: Counter[tuple[str, bool]] = Counter()
    began = time.monotonic()
    for path, mutant in chosen:
        if asked.minutes and time.monotonic() - began > asked.minutes * 60:
            break
        place = path.relative_to(ROOT).as_posix()
        made[place, mutant.is_text] += 1
        if _survives(path, mutant.number):
            alive[place, mutant.is_text] += 1
            kind = "text" if mutant.is_text else "code"
            _say(f"[{kind}] {place}#{mutant.number} in line {mutant.line}: {mutant.change}")
    _tell(made, alive)
    return 0 if _score(made, alive, text=False) >= asked.at_least / 100 else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", help="such as compiler/checks/skins.py")
    parser.add_argument("--sample", type=int, help="that many mutants, drawn by the seed")
    parser.add_argument("--only", nargs="*", help="by name, as compiler/checks/skins.py#277")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="stop after that many")
    parser.add_argument("--at-least", type=float, default=85, help="per cent, of code mutants")
    return parser.parse_args()


def _sample(
    modules: list[str] | None, size: int | None, seed: int, only: list[str] | None
) -> tuple[list[tuple[Path, Mutant]], int]:
    """The mutants to try, in random order: who stops early has a fair sample all the same."""
    paths = (
        [ROOT / name for name in modules]
        if modules
        else [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py"))]
    )
    every = [(path, m) for path in paths for m in mutants(path.read_text(encoding="utf-8"))]
    random.Random(seed).shuffle(every)
    named = [
        (path, mutant)
        for path, mutant in every
        if only is None or f"{path.relative_to(ROOT).as_posix()}#{mutant.number}" in only
    ]
    return named[:size], len(every)


def _survives(path: Path, number: int | None) -> bool:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        _try(path, number)
    _, status = os.waitpid(child, 0)
    return status == 0


def _try(path: Path, number: int | None) -> None:
    """In the child: exits 0 when no test notices. Signals nobody handles end what loops."""
    import pytest
    from hypothesis import settings

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    signal.alarm(HANGS)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    settings.register_profile(
        "mutation", max_examples=EXAMPLES, derandomize=True, deadline=None, database=None
    )
    settings.load_profile("mutation")
    sys.meta_path.insert(0, Served(path, number))
    code = 1
    try:
        code = int(pytest.main(_options(path)))
    finally:
        os._exit(code)


def _options(path: Path) -> list[str]:
    tests = TESTS[path.parent.relative_to(ROOT).as_posix()]
    found = [str(ROOT / "tests" / name) for name in tests if (ROOT / "tests" / name).exists()]
    plain = ["-p", "no:cacheprovider", "--assert=plain"]
    return ["-x", "-q", "--no-header", "--tb=no", *plain, *found]


def _tell(made: Counter[tuple[str, bool]], alive: Counter[tuple[str, bool]]) -> None:
    _say(f"\n{'module':36} code  killed   text  killed")
    for place in sorted({place for place, _ in made}):
        row = [(made[place, text], made[place, text] - alive[place, text]) for text in (0, 1)]
        _say(f"{place:36} {row[0][0]:4} {row[0][1]:7} {row[1][0]:6} {row[1][1]:7}")
    for name, text in (("code", False), ("text", True)):
        tried = sum(n for (_, is_text), n in made.items() if is_text is text)
        score = _score(made, alive, text=text)
        error = 1.96 * math.sqrt(score * (1 - score) / tried) if tried else 0
        _say(f"{name}: {score:.1%} of {tried} killed, +- {error:.1%}")


def _score(
    made: Counter[tuple[str, bool]], alive: Counter[tuple[str, bool]], *, text: bool
) -> float:
    tried = sum(n for (_, is_text), n in made.items() if is_text is text)
    left = sum(n for (_, is_text), n in alive.items() if is_text is text)
    return 1 - left / tried if tried else 1.0


if __name__ == "__main__":
    sys.exit(main())
