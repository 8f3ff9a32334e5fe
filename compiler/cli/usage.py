"""`interlock usage`: what was asked for, by whom, and what it cost."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console

from compiler.cli import CannotRun
from compiler.cli.progress import waiting
from compiler.diagnostics import did_you_mean
from compiler.review.view import View
from compiler.usage.page import as_page
from compiler.usage.replay import Replay, replay
from compiler.usage.tables import as_json, as_markdown, as_tables
from runtime.records import asking
from runtime.records.evidence import evidence
from runtime.records.forms import as_csv
from runtime.records.keeper import DATA_DIR
from runtime.records.report import KEYS, report
from runtime.records.rows import PIECE, Wanted, count
from runtime.records.store import DATABASE_URL, FILE, Store, StoreError, open_store

_WIDTH = 1000  # of a table that goes to a file: whatever it takes


class Moment(click.ParamType[float]):
    """See `runtime.records.asking.moment`."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _asked(asking.moment, value, self, param, ctx)


class Keys(click.ParamType[tuple[str, ...]]):
    """Some of the keys of a report, by commas."""

    name = "KEY,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _asked(asking.keys, value, self, param, ctx)


class Condition(click.ParamType[tuple[str, str | int | None]]):
    """`field=value`; without a value: where there is none."""

    name = "FIELD=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return _asked(asking.condition, value, self, param, ctx)


def _asked(
    read: Callable[[str], Any],
    value: Any,
    kind: click.ParamType[Any],
    param: click.Parameter | None,
    ctx: click.Context | None,
) -> Any:
    if not isinstance(value, str):  # read already
        return value
    try:
        return read(value)
    except asking.Unclear as error:
        hint = f"; {did_you_mean(error.name, error.known)}" if error.known else ""
        kind.fail(f"{error}{hint}", param, ctx)


def from_rows(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which database."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        help=f"The router's data directory, or its {FILE}. When not said: the database of "
        f"{DATABASE_URL}, the directory of INTERLOCK_DATA_DIR, or {DATA_DIR}/.",
    )(command)


@contextmanager
def opened(data: Path | None, *, read_only: bool = True) -> Iterator[Store]:
    """The store the options name. Raises CannotRun for whatever is wrong with it."""
    place = "" if data is not None else os.environ.get(DATABASE_URL, "")
    if not place:
        path = data or Path(os.environ.get("INTERLOCK_DATA_DIR") or DATA_DIR)
        file = path / FILE if path.is_dir() or path.suffix != ".db" else path
        if not file.is_file():
            raise CannotRun(
                f"{file}: no usage rows are here; name the router's data directory with --data, "
                f"or the database with {DATABASE_URL}"
            )
        place = str(file)
    try:
        store = open_store(place, read_only=read_only)
        try:
            yield store
        finally:
            store.close()
    except StoreError as error:
        where = f"the database of {DATABASE_URL}" if "://" in place else place
        raise CannotRun(f"{where}: {error}") from error


@click.group(short_help="Report what was used, by whom, and what it cost.")
def usage() -> None:
    """Read the rows that the router keeps of every request."""


@usage.command("report", short_help="Add up requests, tokens, money and time.")
@from_rows
@click.option("--by", type=Keys(), default="user", show_default=True, help=", ".join(KEYS))
@click.option("--since", type=Moment(), help="From then on: 2026-11-01, or 7d for a week.")
@click.option("--until", type=Moment(), help="Until before then.")
@click.option("--where", type=Condition(), multiple=True, help="Only these rows; may be repeated.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "markdown", "json"]),
    default="table",
    show_default=True,
)
def report_command(
    data: Path | None,
    by: tuple[str, ...],
    since: float | None,
    until: float | None,
    where: Sequence[tuple[str, str | int | None]],
    form: str,
) -> None:
    """Add up what was used. Times are UTC; dry runs and token counts are left out.

    \b
    interlock usage report --by project,model --since 2026-11-01
    interlock usage report --by day --where user=alice --since 30d --format csv
    """
    try:
        wanted = Wanted(since, until, where=asking.together(where))
    except asking.Unclear as error:
        raise click.BadParameter(str(error), param_hint="'--where'") from error
    with opened(data) as store:
        pieces = -(-count(store, wanted) // PIECE)
        with waiting("reading rows", steps=pieces) as step:
            made = report(store, by, wanted, lambda _: step())
    if not made.lines and form in ("table", "markdown"):
        click.echo("no such requests", err=True)
    elif form == "table":
        console = _console()
        for place, table in enumerate(as_tables(made, console.width)):
            if place:
                console.print()
            console.print(table)
    else:
        click.echo(_FORMS[form](made), nl=form == "json")


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


_FORMS: Final = {"csv": as_csv, "markdown": as_markdown, "json": as_json}


@usage.command("show", short_help="Show everything known of one request.")
@from_rows
@click.argument("request_id")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def show_command(data: Path | None, request_id: str, form: str) -> None:
    """Show everything the router knows of a request, by the X-Request-Id of its answer.

    Exits with 1 where it knows nothing.
    """
    with opened(data) as store:
        found = evidence(store, request_id)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        console = _console()
        for one in found:
            for part in as_page(one):
                console.print(part)
        if not found:
            click.echo(
                f"no row for {request_id!r}; the row of a request arrives a second or two after it",
                err=True,
            )
    if not found:
        raise click.exceptions.Exit(1)


@usage.command("prune", short_help="Delete old rows.")
@from_rows
@click.option(
    "--before", type=Moment(), required=True, help="Rows of earlier requests: 2026-08-01, or 90d."
)
@click.option("--yes", is_flag=True, help="Delete them; else they are only counted.")
def prune_command(data: Path | None, before: float, yes: bool) -> None:
    """Delete the rows of requests that came before a moment; without --yes say how many."""
    day = dt.datetime.fromtimestamp(before, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    with opened(data, read_only=not yes) as store:
        if yes:
            with waiting("deleting rows"):
                deleted = store.prune(before)
            click.echo(f"{deleted:,} rows from before {day} are deleted")
        else:
            old = count(store, Wanted(until=before, kind=None))
            click.echo(f"{old:,} rows are from before {day}; --yes deletes them")


def replayed(usage: Path, view: View, wanted: Wanted, before: View | None = None) -> Replay:
    """The replay of the rows there; see `replay`. Raises CannotRun."""
    with opened(None if str(usage) == "-" else usage) as store:
        pieces = -(-count(store, wanted) // PIECE)
        with waiting("replaying", steps=pieces) as step:
            return replay(store, view, wanted, before=before, step=step)
