"""Snapshots as text files that people read in a review: one per test, whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from compiler.testing.difference import difference


def failures(snapshot: SnapshotAssertion) -> Iterator[str]:
    """What was accepted once and is otherwise now, each with the name of its snapshot."""
    for result in snapshot.executions.values():
        old, new = result.recalled_data, result.asserted_data
        if not result.success and isinstance(old, str) and isinstance(new, str):
            yield f"{result.snapshot_name}\n{difference(old, new)}"


class EligibilitySnapshot(SingleFileSnapshotExtension):
    """Keeps the text of what is compared as it stands."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: Any, **_: Any) -> str:
        """Locks and lists are text already; a plan knows its own."""
        return str(data)
