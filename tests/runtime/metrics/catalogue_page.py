"""The table of metrics in the documentation, made of the catalogue: run to write it anew."""

from __future__ import annotations

import re

from runtime.metrics.families import FAMILIES
from tests.support.router import ROOT

PAGE = ROOT / "docs/operations/metrics.md"
_PLACE = re.compile(r"(<!-- written by [^\n]* -->\n).*?(\n<!-- end -->)", re.DOTALL)


def table() -> str:
    """One row per metric, in the catalogue's order."""
    rows = ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    for name, family in FAMILIES.items():
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(f"| `{name}` | {family.kind} | {labels} | {family.help} |")
    return "\n".join(rows)


def page() -> str:
    """The page with today's table."""
    text = PAGE.read_text(encoding="utf-8")
    return _PLACE.sub(lambda found: f"{found[1]}\n{table()}\n{found[2]}", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
