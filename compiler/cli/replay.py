"""`interlock replay`: yesterday's requests on tomorrow's deployment."""

from __future__ import annotations

from pathlib import Path

import click

from compiler.cli import uncollected
from compiler.cli.diff import read
from compiler.cli.usage import Moment, replayed
from compiler.usage.replayed import as_json, as_lines, as_markdown
from runtime.records.rows import Wanted


@click.command("replay", short_help="Run recorded requests through another deployment.")
@click.argument("usage", type=click.Path(path_type=Path))
@click.argument("deployment", metavar="ARTIFACT_OR_YAML")
@click.option("--since", type=Moment(), help="Requests from then on: 2026-11-01, or 7d.")
@click.option("--until", type=Moment(), help="Requests until before then.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.pass_context
@uncollected()
def replay_command(
    context: click.Context,
    usage: Path,
    deployment: str,
    since: float | None,
    until: float | None,
    form: str,
) -> None:
    """Show who would answer the recorded requests on another deployment, which would be lost, and
    what they would cost there.

    USAGE is the router's data directory or its usage.db; `-` stands for the database in
    INTERLOCK_DATABASE_URL. Exits 1 where requests would be lost.
    """
    made = replayed(usage, read(deployment).view, Wanted(since, until))
    if form == "text":
        for line in as_lines(made):
            click.echo(line)
    else:
        click.echo(as_json(made) if form == "json" else as_markdown(made).rstrip())
    context.exit(1 if made.total.lost else 0)
