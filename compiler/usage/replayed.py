"""What a replay found, as people read it and as machines do."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from compiler.usage.replay import Replay, Tally
from compiler.usage.tables import dollars, printable

_WAYS: Final = 12  # the most frequent ones; all stand in JSON
_FIGURES: Final = frozenset({"requests", "lost", "moved"})
CAVEAT: Final = (
    "Rows hold size classes, not sizes, and no bodies: a request close to a limit may fit where "
    "this says it does not, and what a bridge refuses in a body is not seen. Spread groups: shares "
    "are expected from weights."
)


def summary(made: Replay) -> str:
    """One sentence: what a reviewer wants to know first."""
    total = made.total
    if not total.requests:
        return "No recorded request to replay."
    share = total.moved / total.requests
    told = [
        f"{total.requests:,} recorded request{'s' * (total.requests != 1)} ({_span(made)})",
        f"{total.lost:,} would be lost" if total.lost else "none would be lost",
        f"{share:.1%} would change their first target",
        _money(total),
    ]
    if total.found:
        told.append(f"{total.found:,} that nobody could answer would be answered")
    return "; ".join(told) + "."


def as_lines(made: Replay) -> Iterator[str]:
    """For a terminal."""
    yield summary(made)
    for title, rows in _tables(made):
        yield ""
        yield title
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        places = [str.rjust if name in _FIGURES else str.ljust for name in rows[0]]
        for row in rows:
            cells = [put(cell, width) for put, cell, width in zip(places, row, widths, strict=True)]
            yield "  " + "  ".join(cells).rstrip()
    for note in _notes(made):
        yield ""
        yield note


def as_markdown(made: Replay) -> str:
    """For a comment on a pull request."""
    out = [f"**Replay:** {summary(made)}", ""]
    for title, (head, *rows) in _tables(made):
        out += [f"<details><summary>{title}</summary>", ""]
        out += [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
        out += ["", "</details>", ""]
    out += [f"_{note}_\n" for note in _notes(made)]
    return "\n".join(out) + "\n"


def as_json(made: Replay) -> str:
    """For a program."""
    return json.dumps(told(made), indent=2, ensure_ascii=False)


def told(made: Replay) -> dict[str, Any]:
    """The replay as plain values; `moved` counts expected requests, money is USD."""
    who = ("client", "group", "surface")
    return {
        "since": made.since,
        "until": made.until,
        "total": _rounded(made.total),
        "lines": [
            {**dict(zip(who, names, strict=True)), **_rounded(line)}
            for names, line in sorted(made.lines.items())
        ],
        "ways": [
            {**dict(zip((*who, "then", "now"), way, strict=True)), "requests": round(count, 3)}
            for way, count in _most(made.ways)
        ],
        "unknown_features": dict(sorted(made.unknown.items())),
        "lost": [
            {**dict(zip((*who, "reason"), key, strict=True)), "requests": count}
            for key, count in _most(made.reasons)
        ],
    }


def _tables(made: Replay) -> Iterator[tuple[str, list[list[str]]]]:
    if made.reasons:
        head = ["client", "group", "surface", "requests", "why"]
        rows = [[*key[:3], f"{count:,}", key[3]] for key, count in _most(made.reasons)]
        yield "Lost", [head, *rows]
    if made.ways:
        head = ["client", "group", "surface", "requests", "then", "now"]
        ways = _most(made.ways)
        rows = [[*way[:3], f"{count:,.0f}", *way[3:]] for way, count in ways[:_WAYS]]
        more = len(ways) - len(rows)
        title = "Other first target" + (f" ({more} rarer ways not shown)" if more else "")
        yield title, [head, *rows]
    if made.lines:
        head = ["client", "group", "surface", "requests", "lost", "moved", "cost"]
        rows = [
            [*who, f"{t.requests:,}", f"{t.lost:,}", f"{t.moved / t.requests:.1%}", _money(t)]
            for who, t in sorted(made.lines.items(), key=lambda entry: -entry[1].requests)
        ]
        yield "By client", [head, *rows]


def _notes(made: Replay) -> Iterator[str]:
    for word, count in sorted(made.unknown.items()):
        yield (
            f"The feature `{printable(word)}`, needed by {count:,} of them, is unknown to this "
            "program: they are replayed as if they did without it."
        )
    if made.lines:
        yield CAVEAT


def _most(counts: Any) -> list[tuple[Any, Any]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _money(tally: Tally) -> str:
    if not tally.before and not tally.after:
        return "cost unknown"
    delta = tally.after - tally.before
    text = f"{dollars(tally.before)} -> {dollars(tally.after)}"
    if tally.before:
        text += f" ({delta / tally.before:+.1%})"
    return text + (f", {tally.unpriced:,} without a price" if tally.unpriced else "")


def _span(made: Replay) -> str:
    days = [
        dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%d")
        for moment in (made.since or 0, made.until or 0)
    ]
    return " to ".join(dict.fromkeys(days))


def _rounded(tally: Tally) -> dict[str, Any]:
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in asdict(tally).items()
    }
