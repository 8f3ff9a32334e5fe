"""A review as a comment on a pull request: what may break stands open, the rest is folded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from compiler.review.affected import affected
from compiler.review.changes import Change
from compiler.review.layout import (
    Diff,
    Section,
    found,
    headline,
    sections,
    single_points,
    unbuilt,
    verdict,
)
from compiler.review.outage import Outage
from compiler.review.words import down, of_caller, sentence, where

_OPEN: Final = 6  # lines of a section that are not folded
_OURS: Final = ("<details>", "</details>", "<sub>")
_MOST: Final = 60_000  # characters; GitHub refuses comments above 65,536


def diff_markdown(diff: Diff) -> str:
    """The whole comment; `--format json` has what is cut for its length."""
    return cut("\n".join(map(_inert, _rows(diff))) + "\n")


def outage_markdown(source: str, outages: Sequence[Outage], *, each: bool) -> str:
    """A table of what was tried where it is several, each with its details folded."""
    return cut("\n".join(map(_inert, _outages(source, outages, each))) + "\n")


def cut(text: str) -> str:
    """Text that a comment can hold, cut at a line, no fold left open."""
    if len(text) <= _MOST:
        return text
    kept = text[: text.rindex("\n", 0, _MOST)]
    closing = "\n</details>" * (kept.count("<details>") - kept.count("</details>"))
    return f"{kept}{closing}\n\nThe rest is cut for its length; `--format json` has all of it.\n"


def folded(title: str, rows: list[str]) -> Iterator[str]:
    """A section a reader opens when needed."""
    yield from ("", f"<details><summary>{title}</summary>", "", *rows, "", "</details>")


def _inert(row: str) -> str:
    """A line whose names neither mention anybody nor become markup; ours alone stays markup."""
    if row.startswith(_OURS):
        return row
    parts = row.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace("@", "&#64;") for part in parts[::2]]
    return "`".join(parts)


def _rows(diff: Diff) -> Iterator[str]:
    mark = "⚠️ " if found(diff.changes) else ""
    yield f"### {mark}Interlock: what `{diff.new}` changes"
    yield from ("", f"**{headline(diff)}**")
    if errors := list(unbuilt(diff)):
        yield from ("", *(f"- ❌ {error}" for error in errors))
    for section in sections(diff.changes):
        yield from _section(section)
    if rows := [f"- {of_caller(row)}" for row in affected(diff.changes)]:
        yield from folded(f"Callers affected ({len(rows)})", rows)
    yield from ("", f"<sub>compared with `{diff.old}`</sub>")


def _outages(source: str, outages: Sequence[Outage], each: bool) -> Iterator[str]:
    mark = "⚠️ " if any(outage.falls for outage in outages) else ""
    yield f"### {mark}Interlock: what `{source}` can do without"
    if each:
        yield from ("", f"**{single_points(outages)}**", "", "| down | left |", "| --- | --- |")
        yield from (f"| {down(outage)} | {verdict(outage)} |" for outage in outages)
    for outage in outages:
        title = f"Without {down(outage)}: {verdict(outage)}"
        if not each:
            yield from ("", f"**{title}**")
            for section in sections(outage.changes):
                yield from _section(section)
        elif outage.changes:
            rows = [row for change in outage.changes for row in _change(change)]
            yield from folded(f"Without {', '.join(outage.down)} ({len(outage.changes)})", rows)


def _section(section: Section) -> Iterator[str]:
    """Open where something may break and little has to be read."""
    rows = [row for change in section.changes for row in _change(change)]
    if any(change.finding for change in section.changes) and len(rows) <= _OPEN:
        yield from ("", f"**{section.title}**", "", *rows)
    else:
        yield from folded(f"{section.title} ({len(section.changes)})", rows)


def _change(change: Change) -> Iterator[str]:
    if len(change.scopes) == 1:
        yield f"- {where(change.scopes[0])}: {sentence(change)}"
        return
    yield f"- {sentence(change)}"
    for scope in change.scopes:
        yield f"  - {where(scope)}"
