"""Servers of others that some tests run: found, or the test says what is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REQUIRED = "INTERLOCK_TEST_SERVERS"  # set to `required`, a missing program is a failure
# where Debian keeps what it does not put on the path
_FOLDERS = ("/usr/sbin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"))))


def program(name: str, package: str) -> str:
    """The path of a program; without it the test is skipped, or fails where all must run."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_FOLDERS))
    found = shutil.which(name, path=path)
    if found is None:
        reason = f"{name} is not installed (Debian package {package})"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
