"""`interlock matrix`: what a deployment can do, and whom each client's requests find."""

from __future__ import annotations

import click
from rich.console import Console

from compiler.cli import uncollected
from compiler.cli.diff import read
from compiler.cli.progress import waiting
from compiler.diagnostics import did_you_mean
from compiler.review.coverage import Sheet, sheets
from compiler.review.matrix import matrix_json, matrix_markdown, matrix_text
from compiler.review.page import matrix_page

_WIDTH = 140  # of a table that goes to a file


@click.command(short_help="Show what every target can do, and who answers each client.")
@click.argument("deployment", metavar="ARTIFACT_OR_YAML")
@click.option("--group", "groups", multiple=True, help="This group alone; may be repeated.")
@click.option("--client", "clients", multiple=True, help="This client alone; may be repeated.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "html"]),
    default="text",
    show_default=True,
    help="html: one page that stands alone.",
)
@uncollected()
def matrix(deployment: str, groups: tuple[str, ...], clients: tuple[str, ...], form: str) -> None:
    """Show, by group and surface, what each target can do on the way it is reached, how old the
    evidence for that is, and who answers every request of every client.
    """
    source = read(deployment)
    view = source.view
    for kind, named, known in (("group", groups, view.groups), ("client", clients, view.clients)):
        for name in named:
            if name not in known:
                raise click.UsageError(f"no {kind} {name!r}; {did_you_mean(name, known)}")
    shown = [name for name in view.groups if not groups or name in groups]
    made: list[Sheet] = []
    with waiting("asking who answers", steps=len(shown)) as step:
        for group in shown:
            made += sheets(view, (group,), clients or None)
            step()
    as_of = view.as_of.isoformat()
    if form == "text":
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = _WIDTH
        for table in matrix_text(made):
            console.print(table)
    elif form == "json":
        click.echo(matrix_json(source.name, as_of, made))
    elif form == "html":
        click.echo(matrix_page(source.name, as_of, made), nl=False)
    else:
        click.echo(matrix_markdown(source.name, made), nl=False)
