"""A review for a terminal; words and order are those of every format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.text import Text

from compiler.review.affected import affected
from compiler.review.changes import Change
from compiler.review.layout import Diff, headline, sections, single_points, unbuilt, verdict
from compiler.review.outage import Outage
from compiler.review.words import down, of_caller, sentence, where

_STYLES: Final = {
    "Nobody answers any more": "bold red",
    "Lost": "bold red",
    "Callers cut off": "bold red",
    "Promises that fall": "bold red",
    "Where prompts may travel": "bold yellow",
    "Newly answered": "bold green",
    "Gained": "bold green",
}
_NAMES = r"`[^`]*`"


def diff_text(diff: Diff) -> Iterator[Text]:
    """Lines, styled; without a terminal they are read as they stand."""
    yield Text(f"{diff.old} -> {diff.new}", style="dim")
    yield Text(headline(diff), style="bold")
    for told in unbuilt(diff):
        yield Text(told, style="red")
    yield from changes_text(diff.changes)
    rows = affected(diff.changes)
    if rows:
        yield Text()
        yield Text("Callers affected", style="bold")
        yield from (_line(f"  {of_caller(row)}") for row in rows)


def outage_text(source: str, outages: Sequence[Outage], *, each: bool) -> Iterator[Text]:
    """What is left of each; of those tried one by one in full only where a promise falls."""
    yield Text(source, style="dim")
    if each:
        yield _line(single_points(outages), "bold")
        for outage in outages:
            yield _line(f"  {down(outage)}: {verdict(outage)}")
    for outage in outages:
        if outage.falls or not each:
            if each:
                yield Text()
            yield _line(f"Without {down(outage)}: {verdict(outage)}", "bold")
            yield from changes_text(outage.changes)


def changes_text(changes: Iterable[Change]) -> Iterator[Text]:
    """Changes under their headings, an empty line before each."""
    for section in sections(changes):
        yield Text()
        yield Text(section.title, style=_STYLES.get(section.title, "bold"))
        for change in section.changes:
            yield from map(_line, _change(change))


def _change(change: Change) -> Iterator[str]:
    if len(change.scopes) == 1:
        yield f"  {where(change.scopes[0])}: {sentence(change)}"
        return
    yield f"  {sentence(change)}{':' * bool(change.scopes)}"
    for scope in change.scopes:
        yield f"    {where(scope)}"


def _line(text: str, style: str = "") -> Text:
    line = Text(text, style=style)
    line.highlight_regex(_NAMES, "cyan")
    return line
