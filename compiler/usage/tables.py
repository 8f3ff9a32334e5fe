"""A report of usage as people read it; it adds up nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.table import Table

from runtime.cost import money
from runtime.records.forms import told
from runtime.records.report import Line, Report

_GAP: Final = 2  # between two columns


def printable(text: str) -> str:
    """The same where nothing acts on a terminal: what is no visible character is written out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _plain(count: float) -> str:
    return f"{count:,.0f}"


def short(count: float) -> str:
    """An amount in three digits: 950, 12.3k, 4.56M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            digits = f"{count / size:.3g}" if count < 999.5 * size else f"{count / size:.0f}"
            return f"{digits}{unit}"
    return f"{count:.0f}"


def dollars(usd: float) -> str:
    """An amount in cents, or in smaller parts where it is small."""
    return money(usd) if -1 < usd < 1 else f"{'-' * (usd < 0)}${abs(usd):,.2f}"


def _usd(line: Line) -> str:
    # what has no price is not free
    return dollars(line.cost) + ("+?" if line.unpriced else "")


def _saved(line: Line) -> str:
    return dollars(line.savings) if line.cost_baseline else "-"


def _time(ms: float | None) -> str:
    if ms is None:
        return "-"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _speed(line: Line) -> str:
    speed = line.tokens_per_second
    return "-" if speed is None else f"{speed:.0f}"


_SHOWN: Final[dict[str, Callable[[Line], str]]] = {
    "requests": lambda line: _plain(line.requests),
    "failed": lambda line: _plain(line.failed),
    "refused": lambda line: _plain(line.refused),
    "fallbacks": lambda line: _plain(line.fallbacks),
    "cache hits": lambda line: _plain(line.cache_hits),
    "input": lambda line: short(line.input),
    "cached": lambda line: short(line.cached),
    "output": lambda line: short(line.output),
    "reasoning": lambda line: short(line.reasoning),
    "cost": _usd,
    "saved": _saved,
    "p50": lambda line: _time(line.percentile(0.5)),
    "p95": lambda line: _time(line.percentile(0.95)),
    "tokens/s": _speed,
}


def _rows(report: Report) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    for keys, line in report.lines:
        yield keys, [show(line) for show in _SHOWN.values()]


def _total(report: Report) -> tuple[tuple[str, ...], list[str]]:
    keys = ("all", *[""] * (len(report.by) - 1))
    return keys, [show(report.total) for show in _SHOWN.values()]


def as_tables(report: Report, width: int) -> Iterator[Table]:
    """For a terminal so wide: as many tables below each other as the figures need."""
    rows = [(tuple(map(printable, keys)), shown) for keys, shown in _rows(report)]
    taken = _widths(report.by, *(keys for keys, _ in rows))
    longest = width // (len(taken) + 1)  # of a key in one line: figures need room too
    room = width - sum(min(each, longest) + _GAP for each in taken)
    widths = _widths([*_SHOWN], _total(report)[1], *(shown for _, shown in rows))
    for part in _parts(widths, room):
        yield _table(report, rows, part)


def _widths(*rows: Sequence[str]) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _parts(widths: Sequence[int], room: int) -> Iterator[list[int]]:
    """The places of the figures that stand in one table."""
    part: list[int] = []
    for place, width in enumerate(widths):
        if part and sum(widths[other] + _GAP for other in part) + width > room:
            yield part
            part = []
        part.append(place)
    yield part


def _table(
    report: Report,
    rows: Sequence[tuple[tuple[str, ...], list[str]]],
    part: Sequence[int],
) -> Table:
    from rich.text import Text

    several = len(report.lines) > 1
    table = Table(show_footer=several, box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    titles, (names, figures) = [*_SHOWN], _total(report)
    for key, name in zip(report.by, names, strict=True):
        table.add_column(key, Text(name), overflow="fold")
    for place in part:
        table.add_column(titles[place], figures[place], justify="right", no_wrap=True)
    for keys, shown in rows:
        table.add_row(*map(Text, keys), *(shown[place] for place in part))
    return table


def as_markdown(report: Report) -> str:
    """For a page or a comment."""
    titles = (*report.by, *_SHOWN)
    lines = [titles, ["---"] * len(report.by) + ["---:"] * len(_SHOWN)]
    lines += [[*map(_cell, keys), *shown] for keys, shown in _rows(report)]
    if len(report.lines) > 1:
        keys, shown = _total(report)
        lines.append([*keys, *shown])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def as_json(report: Report) -> str:
    """For a program."""
    return json.dumps(told(report), indent=2, ensure_ascii=False)


def _cell(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
