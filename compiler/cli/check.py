"""`interlock check`: every diagnostic of a deployment, for a person or for a machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from compiler.cli import uncollected
from compiler.cli.formats import as_github, as_json, as_sarif
from compiler.diagnostics import Report, Severity
from compiler.pipeline import compile_deployment, read_file


def as_text(report: Report) -> str:
    """What a person reads: every diagnostic with its line, then the sum."""
    return "\n\n".join(part for part in (report.text(), report.summary()) if part)


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}


@click.command(short_help="Show all diagnostics of a deployment, sorted by place.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="github: annotations of a workflow run; sarif: for code scanning.",
)
@click.option("--strict", is_flag=True, help="Warnings count as findings, too.")
@click.pass_context
@uncollected()
def check(context: click.Context, file: Path, form: str, strict: bool) -> None:
    """Show all diagnostics of FILE, sorted by place.

    Exits 1 when the deployment would not build; with --strict also when there are warnings.
    """
    _, report = compile_deployment(read_file(file), str(file))
    shown = FORMATS[form](report)
    if shown:
        click.echo(shown)
    counted = [Severity.ERROR, Severity.WARNING] if strict else [Severity.ERROR]
    context.exit(1 if any(report.count(severity) for severity in counted) else 0)
