"""`interlock diff`: what a change does to every client, caller and price, before it is merged."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from compiler.cli import CannotRun, uncollected
from compiler.cli.progress import waiting
from compiler.cli.usage import replayed
from compiler.diagnostics import did_you_mean
from compiler.review.changes import FINDINGS
from compiler.review.compare import compare
from compiler.review.data import diff_json
from compiler.review.layout import Diff, found
from compiler.review.markdown import diff_markdown
from compiler.review.sources import Absent, Source, Unreadable, new_deployment, open_source
from compiler.review.text import diff_text
from compiler.usage.replay import Replay
from compiler.usage.replayed import as_lines, as_markdown, told
from runtime.records.rows import Wanted


@click.command(short_help="Show what a change does to every client, caller and price.")
@click.argument("old")
@click.argument("new")
@click.option(
    "--fail-on",
    default="",
    metavar="FINDINGS",
    help=f"Exit 1 where one of these is found, separated by commas: {', '.join(FINDINGS)}.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="markdown: a comment on a pull request.",
)
@click.option(
    "--usage",
    type=click.Path(path_type=Path),
    help="Also replay the rows in this data directory (`-`: the database) on NEW.",
)
@click.pass_context
@uncollected()
def diff(
    context: click.Context, old: str, new: str, fail_on: str, form: str, usage: Path | None
) -> None:
    """Show what NEW does otherwise than OLD: who answers, who may call, where prompts may travel,
    what the model lists say, what a request may cost.

    Each is a YAML file, the folder of an artifact, or REV:path of git, such as
    HEAD~1:deployments/acme.yaml. Where REV has no such file as OLD, NEW is a new deployment:
    everything in it is gained.
    """
    refused = _findings(fail_on)
    with waiting("comparing", steps=3) as step:
        after = read(new)
        step()
        before = _before(old, after)
        step()
        changes = compare(before.view, after.view)
    made = Diff(
        old=before.name,
        new=after.name,
        old_errors=before.errors,
        new_errors=after.errors,
        changes=changes,
    )
    again = replayed(usage, after.view, Wanted(), before.view) if usage is not None else None
    _show(made, form, again)
    named = [name for name in found(made.changes) if name in refused]
    if named:
        click.echo(f"refused by --fail-on: {', '.join(named)}", err=True)
    context.exit(1 if named else 0)


def _show(made: Diff, form: str, again: Replay | None) -> None:
    """The comparison, and what it does to recorded requests."""
    if form == "text":
        console = Console(soft_wrap=True, highlight=False)
        for line in diff_text(made):
            console.print(line)
        for text in ("", *as_lines(again)) if again else ():
            click.echo(text)
    elif form == "markdown":
        click.echo(diff_markdown(made).rstrip() + (f"\n\n{as_markdown(again)}" if again else ""))
    elif again is None:
        click.echo(diff_json(made))
    else:
        click.echo(json.dumps({**json.loads(diff_json(made)), "replay": told(again)}, indent=2))


def read(name: str) -> Source:
    """A deployment by name, for every command that reviews one."""
    try:
        return open_source(name)
    except Unreadable as error:
        raise CannotRun(str(error)) from error


def _before(old: str, after: Source) -> Source:
    """What was; a revision that is there and lacks the file had no such deployment."""
    try:
        return open_source(old)
    except Absent as absent:
        click.echo(f"{absent}: {after.name} is compared as a new deployment", err=True)
        return new_deployment(old, after)
    except Unreadable as error:
        raise CannotRun(str(error)) from error


def _findings(text: str) -> set[str]:
    words = {word for word in (part.strip() for part in text.split(",")) if word}
    for word in words:
        if word not in FINDINGS:
            known = did_you_mean(word, FINDINGS) or f"known are {', '.join(FINDINGS)}"
            raise click.UsageError(f"no finding is called {word!r}; {known}")
    return words
