"""`interlock whatif`: what is left of a deployment when something is down."""

from __future__ import annotations

import click
from rich.console import Console

from compiler.cli import uncollected
from compiler.cli.diff import read
from compiler.cli.progress import waiting
from compiler.diagnostics import did_you_mean
from compiler.review.data import outage_json
from compiler.review.markdown import outage_markdown
from compiler.review.outage import Outage, outage
from compiler.review.text import outage_text
from compiler.review.view import View


@click.command(short_help="Show which promises fall when a provider or target is down.")
@click.argument("deployment", metavar="ARTIFACT_OR_YAML")
@click.option("--down", multiple=True, metavar="provider:X|target:Y", help="Down at once.")
@click.option("--each", is_flag=True, help="Every provider in turn: single points of failure.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
)
@click.pass_context
@uncollected()
def whatif(
    context: click.Context, deployment: str, down: tuple[str, ...], each: bool, form: str
) -> None:
    """Show what is left of a deployment when providers or targets are down: promises that fall
    below their depth, requests nobody answers, callers who are cut off.

    Exits 1 when a promise falls.
    """
    if each == bool(down):
        raise click.UsageError("name what is down with --down, or try every provider with --each")
    source = read(deployment)
    view = source.view
    tried = [(f"provider:{name}",) for name in view.providers] if each else [down]
    with waiting("trying what is left", steps=len(tried)) as step:
        outages = []
        for names in tried:
            outages.append(_outage(view, names))
            step()
    if form == "text":
        console = Console(soft_wrap=True, highlight=False)
        for line in outage_text(source.name, outages, each=each):
            console.print(line)
    elif form == "json":
        click.echo(outage_json(source.name, outages))
    else:
        click.echo(outage_markdown(source.name, outages, each=each).rstrip())
    context.exit(1 if any(tried.falls for tried in outages) else 0)


def _outage(view: View, names: tuple[str, ...]) -> Outage:
    try:
        return outage(view, names)
    except KeyError as error:
        asked = str(error.args[0])
        known = [f"provider:{name}" for name in view.providers]
        known += [f"target:{name}" for name in view.targets]
        hint = did_you_mean(asked, known) or "name `provider:X` or `target:Y` of the deployment"
        raise click.UsageError(f"there is no {asked!r}; {hint}") from error
