"""A report for programs and spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from runtime.records.report import Line, Report

# How a spreadsheet knows a formula; a name that begins so is led by an apostrophe.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def told(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "by": report.by,
        "lines": [
            {**dict(zip(report.by, keys, strict=True)), **line.numbers()}
            for keys, line in report.lines
        ],
        "total": report.total.numbers(),
    }


def as_csv(report: Report) -> str:
    """One line per key, whole numbers and USD, no total."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*report.by, *Line().numbers()])
    for keys, line in report.lines:
        writer.writerow([*map(_harmless, keys), *line.numbers().values()])
    return out.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) and text != "-" else text
