"""The deployments whose whole artifact is held against a reviewed copy.

A case is a folder with `deployment.yaml` and `expected/`. After a change that is meant,
`python -m tests.golden.cases` writes all of `expected/` anew; review the difference.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from compiler.artifact import artifact_files
from compiler.pipeline import read_deployment
from compiler.plan import make_plan

ROOT = Path(__file__).parents[1] / "deployments"
CASES = sorted(path.parent for path in ROOT.glob("*/expected") if path.is_dir())


def compiled(case: Path) -> dict[str, bytes]:
    """The artifact of a case, its YAML named alike wherever the tests stand."""
    file = case / "deployment.yaml"
    deployment, report = read_deployment(file.read_bytes(), "deployment.yaml")
    if deployment is None:
        raise AssertionError(report.text())
    return artifact_files(make_plan(deployment), "deployment.yaml")


def expected(case: Path) -> dict[str, bytes]:
    """The reviewed copy."""
    folder = case / "expected"
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def refresh() -> None:
    """Writes every reviewed copy anew."""
    for case in sorted(ROOT.iterdir()):
        folder = case / "expected"
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in compiled(case).items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


if __name__ == "__main__":
    refresh()
