"""The sheets of a matrix as text, Markdown and data; a page of its own stands in `page`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from compiler.plan.paths import TITLES
from compiler.review.coverage import Row, Sheet, Way
from compiler.review.data import SCHEMA, as_json
from compiler.review.words import reason

WAY_TITLES = ("Target", "Reached by", "Can", "Levels", "Output cap", "Context", "Evidence")
ROW_TITLES = ("Client", "Requests", "Projects", "Answered by")


def matrix_text(sheets: Iterable[Sheet]) -> Iterator[RenderableType]:
    """Tables for a terminal."""
    for sheet in sheets:
        ways, rows = _table(WAY_TITLES), _table(ROW_TITLES)
        for way in sheet.ways:
            ways.add_row(*way_cells(way))
        for row in sheet.rows:
            rows.add_row(*row_cells(row), style="red" if row.short else "")
        head = Text(f"\n{sheet.group} on {TITLES[sheet.surface]}", style="bold")
        out = [Text(f"  {told}", style="dim") for told in out_rows(sheet)]
        yield Group(head, *([ways] if sheet.ways else []), *out, *([rows] if sheet.rows else []))


def matrix_markdown(source: str, sheets: Iterable[Sheet]) -> str:
    """A section per group and surface."""
    return "\n".join(_markdown(source, sheets)) + "\n"


def matrix_json(source: str, as_of: str, sheets: Iterable[Sheet]) -> str:
    """All of it, nothing cut."""
    return as_json(
        {
            "schema": SCHEMA,
            "source": source,
            "as_of": as_of,
            "sheets": [asdict(sheet) for sheet in sheets],
        }
    )


def way_cells(way: Way) -> tuple[str, ...]:
    """One row of abilities, in the order of WAY_TITLES."""
    notes = [*(f"only when {word}" for word in way.only_when)]
    notes += ["last resort"] if way.last_resort else []
    levels = [*way.levels, *(f"({level})" for level in way.mapped)]
    return (
        way.target + (f" ({', '.join(notes)})" if notes else ""),
        f"{way.skin} by {way.bridge}" if way.bridge else way.skin,
        " ".join(way.features),
        " ".join(levels),
        way.cap,
        f"{way.context}" if way.context else "",
        evidence(way),
    )


def row_cells(row: Row) -> tuple[str, ...]:
    """One row of coverage, in the order of ROW_TITLES."""
    promised = f" (promised {row.depth})" if row.depth else ""
    extra = "" if row.core else " (extra)"
    phases = f" in phase {', '.join(row.phases)}" if row.phases else ""
    return (
        f"{row.client}{promised}",
        f"{', '.join(row.shapes)}{extra}{phases}",
        ", ".join(row.projects),
        answered(row),
    )


def answered(row: Row) -> str:
    """How many, in which order, and what the nearest lacks where they are too few."""
    told = f"{len(row.order)}: {', '.join(row.order)}" if row.order else "nobody"
    if not row.reasons:
        return told
    why = " and ".join(reason(word).replace("`", "") for word in row.reasons)
    return f"{told}; nearest {row.nearest} {why}" if row.nearest else f"{told}: {why}"


def out_rows(sheet: Sheet) -> Iterator[str]:
    """Targets without a way, each with its reason."""
    for target, why in sheet.out:
        yield f"not {target}: it {reason(why).replace('`', '')}"


def evidence(way: Way) -> str:
    """How old the proof is."""
    if way.evidence is None:
        return "none"
    return f"{way.evidence} days" + (", too old" if way.state == "old" else "")


def _table(titles: Sequence[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def _markdown(source: str, sheets: Iterable[Sheet]) -> Iterator[str]:
    yield f"# What `{source}` can do"
    for sheet in sheets:
        yield from ("", f"## `{sheet.group}` on {TITLES[sheet.surface]}")
        if sheet.ways:
            yield from _cells(WAY_TITLES, map(way_cells, sheet.ways))
        if sheet.out:
            yield from ("", *(f"- {told}" for told in out_rows(sheet)))
        if sheet.rows:
            yield from _cells(ROW_TITLES, map(row_cells, sheet.rows))


def _cells(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield from ("", f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}")
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
