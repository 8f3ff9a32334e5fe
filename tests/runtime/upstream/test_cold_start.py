"""Importing the upstream leg brings no command line library with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_httpx_alone_would_bring_them():
    assert {"click", "rich"} <= modules_after("import httpx")


def test_the_upstream_leg_does_not():
    modules = modules_after("import runtime.upstream")
    assert "httpx" in modules
    assert not modules & {"click", "rich", "pygments", "httpx._main"}


def test_the_command_line_of_httpx_can_still_be_imported_later():
    assert "httpx._main" in modules_after("import runtime.upstream, httpx._main")
