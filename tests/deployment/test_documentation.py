"""What docs/deployment.md and the files beside it say, held against the code and the tools."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from runtime import link
from runtime.main import Options
from runtime.metrics import peers
from runtime.records.keeper import DATA_DIR
from tests.support.router import ROOT

FOLDER = ROOT / "docs/deployment"
PAGE = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
CONTAINER = (FOLDER / "Containerfile").read_text(encoding="utf-8")

# What a supervisor tells its workers; nobody else sets them.
INTERNAL = {link.VARIABLE, peers.VARIABLE}
# The default of an option that its field leaves open.
OPEN = {"data_dir": DATA_DIR, "admin_host": "127.0.0.1"}


def table() -> dict[str, str]:
    """The variables of the page with their defaults."""
    return dict(re.findall(r"^\| `(INTERLOCK_\w+)` \| `?([^`|]+?)`? \|", PAGE, re.MULTILINE))


def test_every_variable_of_the_code_is_in_the_table_and_no_other():
    options = {f"INTERLOCK_{field.name.upper()}" for field in fields(Options)[1:]}
    sources = "".join(path.read_text() for path in (ROOT / "runtime").rglob("*.py"))
    named = set(re.findall(r"\bINTERLOCK_[A-Z_]*[A-Z]\b", sources))
    assert set(table()) == (options | named) - INTERNAL


def test_the_defaults_of_the_table_are_those_of_the_options():
    shown = table()
    for field in fields(Options)[1:]:
        assert field.default is not MISSING
        default = OPEN.get(field.name, "-" if field.default is None else str(field.default))
        assert shown[f"INTERLOCK_{field.name.upper()}"] == default, field.name


def test_every_file_beside_the_page_is_explained_on_it():
    for path in FOLDER.iterdir():
        assert path.name in PAGE, path.name


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    text = (FOLDER / "interlock.service").read_text()
    assert text.count("/opt/interlock/bin/interlock") == 1
    unit = tmp_path / "interlock.service"
    unit.write_text(text.replace("/opt/interlock/bin/interlock", sys.executable))
    done = subprocess.run(
        [tool, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- the container file ------------------------------------------------------------------------


def copied() -> list[str]:
    """What the build takes out of the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", CONTAINER, re.MULTILINE)
    return [name for line in lines for name in shlex.split(line)[:-1]]


def test_what_the_image_copies_is_enough_to_install_it(tmp_path):
    for name in copied():
        source, place = ROOT / name, tmp_path / Path(name).name
        if source.is_dir():
            shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", "out", "."]
    subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *wheel],
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    (built,) = (tmp_path / "out").iterdir()
    packed = set(zipfile.ZipFile(built).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in ("compiler", "runtime")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - packed == set()


def test_the_image_sets_variables_that_exist():
    set_here = re.findall(r"\b(INTERLOCK_\w+)=", CONTAINER)
    assert set_here
    assert set(set_here) <= set(table())


def test_everything_in_the_image_is_installed_by_hash_or_from_the_repository():
    installs = re.findall(r"pip install(.+)", CONTAINER)
    assert len(installs) == 2
    for line in installs:
        assert "--require-hashes" in line or (
            "--no-deps" in line and line.rstrip(" \\").endswith(".")
        )


def test_what_a_server_installs_is_pinned_as_tested():
    tested = pins("requirements-test.lock")
    stores, plain = pins("requirements-stores.lock"), pins("requirements.lock")
    assert stores.items() <= tested.items()
    assert plain.items() <= stores.items()
    assert stores.keys() - plain.keys() >= {"asyncpg", "redis", "opentelemetry-sdk"}


def pins(lock):
    """Name -> version with markers, of every package in a lock."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return dict(line.rstrip(" \\").split("==", 1) for line in lines if re.match(r"\w.*==", line))
