"""Numbers with a name and labels, and how those of several workers become one. No I/O."""

from __future__ import annotations

from typing import NamedTuple

from runtime.metrics.families import FAMILIES, OTHER, WORDS

Labels = tuple[str, ...]
# A histogram is its sum, then how many fell into each bucket, the last one without an end.
Value = float | list[float]
Samples = dict[str, dict[Labels, Value]]


class Sample(NamedTuple):
    """What another room tells: a metric of the catalogue, its labels in order, the value now."""

    name: str
    labels: Labels
    value: Value


def add(samples: Samples, name: str, labels: Labels, value: Value) -> None:
    """Adds a value to those there are. A label outside its list of words becomes `other`."""
    labels = closed(name, labels)
    cells = samples.setdefault(name, {})
    before = cells.get(labels)
    if before is None:
        cells[labels] = value[:] if isinstance(value, list) else value
    elif isinstance(before, list) and isinstance(value, list):
        cells[labels] = [a + b for a, b in zip(before, value, strict=True)]
    elif not isinstance(before, list) and not isinstance(value, list):
        cells[labels] = before + value


def merge(into: Samples, more: Samples) -> None:
    """Adds all of `more`; what is not in the catalogue (another version's) stays out."""
    for name, cells in more.items():
        if (family := FAMILIES.get(name)) is None:
            continue
        size = 2 + len(family.buckets) if family.kind == "histogram" else 0
        for labels, value in cells.items():
            fits = len(value) == size if isinstance(value, list) else not size
            if fits and len(labels) == len(family.labels):
                add(into, name, labels, value)


def counters(samples: Samples) -> Samples:
    """Those that only grow: a worker's successor goes on from them."""
    return {
        name: cells
        for name, cells in samples.items()
        if (family := FAMILIES.get(name)) is not None and family.kind != "gauge"
    }


def closed(name: str, labels: Labels) -> Labels:
    """The labels with `other` in place of every word that is not in its list."""
    return tuple(
        [
            value if not value or label not in WORDS or value in WORDS[label] else OTHER
            for label, value in zip(FAMILIES[name].labels, labels, strict=True)
        ]
    )
