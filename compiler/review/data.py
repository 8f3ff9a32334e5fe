"""A review as data: one object with a stable schema, every name in it, nothing cut."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from compiler.review.affected import affected
from compiler.review.changes import Change
from compiler.review.layout import Diff, cut_off, fallen, found
from compiler.review.outage import Outage
from compiler.review.words import sentence

SCHEMA: Final = 1


def diff_json(diff: Diff) -> str:
    """`changes` in the order of a review; `text` is the sentence the other formats show."""
    return as_json(
        {
            "schema": SCHEMA,
            "old": {"source": diff.old, "errors": list(diff.old_errors)},
            "new": {"source": diff.new, "errors": list(diff.new_errors)},
            "findings": found(diff.changes),
            "changes": [_change(change) for change in diff.changes],
            "callers": [_plain(row) for row in affected(diff.changes)],
        }
    )


def outage_json(source: str, outages: Sequence[Outage]) -> str:
    """One entry per outage; `fallen` are promises as `group: client`."""
    return as_json(
        {
            "schema": SCHEMA,
            "source": source,
            "single_points": [name for o in outages if o.falls for name in o.down],
            "outages": [
                {
                    "down": list(outage.down),
                    "falls": outage.falls,
                    "fallen": list(fallen(outage)),
                    "cut_off": list(cut_off(outage)),
                    "changes": [_change(change) for change in outage.changes],
                }
                for outage in outages
            ],
        }
    )


def as_json(told: Mapping[str, Any]) -> str:
    """Indented, keys in the order they are given."""
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _change(change: Change) -> dict[str, Any]:
    return {"text": sentence(change), **_plain(change)}


def _plain(record: Any) -> dict[str, Any]:
    return dataclasses.asdict(record)
