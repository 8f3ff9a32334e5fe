"""The evidence of one request for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from compiler.usage.tables import printable
from runtime.records.evidence import Evidence

_TIMES = frozenset({"first_byte", "ms", "at", "head"})


def as_page(evidence: Evidence) -> Iterator[RenderableType]:
    """One request, section by section; nothing is left out where the terminal is narrow."""
    title = f"{printable(evidence.id)}  {evidence.time}  {evidence.completeness}"
    yield Text(title, style="bold")
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(3):
        facts.add_column(overflow="fold")
    for section in evidence.sections:
        rows = [(_word(field), _value(field, value)) for field, value in section.facts.items()]
        rows = rows or [(section.standing.replace("_", " "), "")]
        for place, (field, value) in enumerate(rows):
            facts.add_row("" if place else section.name, Text(field, "dim"), Text(value))
    yield facts
    if not evidence.attempts:
        yield Text("no attempts", "dim")
        return
    columns = list(dict.fromkeys(name for attempt in evidence.attempts for name in attempt))
    tried = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left")
    for name in columns:
        tried.add_column("attempt" if name == "number" else name, overflow="fold")
    for attempt in evidence.attempts:
        tried.add_row(*(Text(_value(name, attempt.get(name, "-"))) for name in columns))
    yield tried


def _word(field: str) -> str:
    return field.replace("_", " ")


def _value(field: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field.startswith("cost") or field == "savings":
        return f"${value:.6f}" if isinstance(value, float) else str(value)
    if field in _TIMES and isinstance(value, float):
        return f"{value:,.1f} ms"
    return printable(str(value))
