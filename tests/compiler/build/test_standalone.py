"""A generated package needs the vocabulary and nothing of the compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.cases import CASES

ROOT = Path(__file__).parents[3]
_IMPORT = """
import importlib.abc, importlib.util, sys
from pathlib import Path

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"compiler", "pydantic", "yaml", "jinja2", "click"}:
            raise ModuleNotFoundError(f"{name} is absent here")

sys.meta_path.insert(0, Absent())
folder = Path(sys.argv[1])
for path in sorted(folder.rglob("*.py")):
    spec = importlib.util.spec_from_file_location("generated_module", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
from runtime.artifact import load
artifact = load(folder)
print(len(artifact.cells), len(artifact.listings))
try:
    import compiler
except ModuleNotFoundError:
    print("alone")
"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_imported_and_loaded_with_the_compiler_absent(case):
    told = subprocess.run(
        [sys.executable, "-c", _IMPORT, str(case / "expected")],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout.split()
    cells, listings, alone = told
    assert int(cells) > 0
    assert int(listings) > 0
    assert alone == "alone"
