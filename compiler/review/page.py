"""A matrix as one page that stands alone: no script, nothing loaded, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from compiler.plan.paths import TITLES
from compiler.review.coverage import Sheet, Way
from compiler.review.matrix import ROW_TITLES, WAY_TITLES, out_rows, row_cells, way_cells

_STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --bad: #c62828; --ink: #1b1f24 }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --ink: #e6e6e6 } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 76rem;
       margin: 0 auto; padding: 1rem }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem }
nav a { display: inline-block; margin: .25rem .75rem .25rem 0 }
summary { font-weight: 600; padding: .5rem 0; cursor: pointer }
details { border-top: 1px solid var(--line) }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.25rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0;
         border-top: 1px solid var(--line); overflow-wrap: break-word }
th { font-weight: 500; opacity: .65; border-top: 0; overflow-wrap: normal }
.bad td { color: var(--bad) } .soft { opacity: .75; margin: 0 }
i { font-style: normal; display: inline-block; background: var(--soft); border-radius: .3rem;
    padding: 0 .35rem; margin: 0 .25rem .2rem 0; white-space: nowrap }
@media (max-width: 48rem) {
  thead { display: none } tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line) }
  td { display: block; border: 0; padding: .1rem 0 }
  td::before { content: attr(data-title) " "; opacity: .6; font-size: .85em }
  td:first-child { font-weight: 600 } td:first-child::before { content: "" }
  td:empty { display: none }
}
"""
_CHIPS: Final = frozenset({"Can", "Levels"})


def matrix_page(source: str, as_of: str, sheets: Sequence[Sheet]) -> str:
    """The whole page; every name goes through `escape`."""
    return "\n".join(_page(source, as_of, sheets)) + "\n"


def _page(source: str, as_of: str, sheets: Sequence[Sheet]) -> Iterator[str]:
    title = f"What {escape(source)} can do"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title><style>{_STYLE}</style></head><body>"
    yield f'<h1>{title}</h1><p class="soft">Ages as of {escape(as_of)}. Levels in brackets are'
    yield "sent as another level. Red: nobody answers, or fewer than promised.</p>"
    groups = list(dict.fromkeys(sheet.group for sheet in sheets))
    links = [f'<a href="#{escape(group)}">{escape(group)}</a>' for group in groups]
    yield f"<nav>{''.join(links)}</nav>"
    for group in groups:
        yield f'<h2 id="{escape(group)}">{escape(group)}</h2>'
        for sheet in sheets:
            if sheet.group == group:
                yield from _sheet(sheet)
    yield "</body></html>"


def _sheet(sheet: Sheet) -> Iterator[str]:
    targets = len({way.target for way in sheet.ways})
    short = sum(row.short for row in sheet.rows)
    told = f"{targets} target{'s' * (targets != 1)}" + (f", {short} short" if short else "")
    yield f"<details open><summary>{TITLES[sheet.surface]} ({told})</summary>"
    yield from _table(WAY_TITLES, ((way_cells(way), _stale(way)) for way in sheet.ways))
    yield from (f'<p class="soft">{escape(text)}</p>' for text in out_rows(sheet))
    yield from _table(ROW_TITLES, ((row_cells(row), row.short) for row in sheet.rows))
    yield "</details>"


def _stale(way: Way) -> bool:
    return way.state == "old"


def _table(titles: Sequence[str], rows: Iterable[tuple[Sequence[str], bool]]) -> Iterator[str]:
    body = [_row(titles, cells, bad=bad) for cells, bad in rows]
    if body:
        head = "".join(f"<th>{title}</th>" for title in titles)
        yield f"<table><thead><tr>{head}</tr></thead><tbody>"
        yield from body
        yield "</tbody></table>"


def _row(titles: Sequence[str], cells: Sequence[str], *, bad: bool) -> str:
    told = "".join(
        f'<td data-title="{title}">{_cell(title, cell)}</td>'
        for title, cell in zip(titles, cells, strict=True)
    )
    return f'<tr class="bad">{told}</tr>' if bad else f"<tr>{told}</tr>"


def _cell(title: str, cell: str) -> str:
    if title in _CHIPS:
        return "".join(f"<i>{escape(word)}</i> " for word in cell.split())
    return escape(cell)
