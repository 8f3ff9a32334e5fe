"""A small disk for one process alone: it can be filled, and nobody else runs out of room."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.router import Router


def on_a_small_disk(data: Path, size: str) -> list[str]:
    """What runs a command with a disk of its own at `data`, which nobody else sees."""
    data.mkdir()
    own = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk of his own")
    mount = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'
    return [*own, "sh", "-c", mount, size, str(data)]


def seen_by(router: Router, path: Path) -> Path:
    """A path as the router sees it."""
    return Path(f"/proc/{router.process.pid}/root{path}")


def fill(path: Path) -> None:
    """Writes until the disk is full."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            return
