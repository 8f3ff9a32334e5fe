"""What holds for every test: routers leave no rows in this folder, nor in somebody's database."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _rows_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    changed = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("data")
    changed.setitem(os.environ, "INTERLOCK_DATA_DIR", str(folder))
    changed.delitem(os.environ, "INTERLOCK_DATABASE_URL", raising=False)
    yield
    changed.undo()
