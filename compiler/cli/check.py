"""`interlock check`: every diagnostic of deployments, for a person or for a machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import click

from compiler.cli import uncollected
from compiler.cli.formats import as_github, as_json, as_sarif
from compiler.cli.progress import waiting
from compiler.diagnostics import Report, Severity
from compiler.pipeline import compile_deployment, read_file


def as_text(reports: Sequence[Report]) -> str:
    """What a person reads: every diagnostic with its line, then the sum of its file."""
    told = (part for report in reports for part in (report.text(), _summary(report, reports)))
    return "\n\n".join(part for part in told if part)


def _summary(report: Report, reports: Sequence[Report]) -> str:
    """Named after its file only where there are several."""
    return report.summary() if len(reports) == 1 else f"{report.file}: {report.summary()}"


FORMATS: Final[dict[str, Callable[[Sequence[Report]], str]]] = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "sarif": as_sarif,
}


@click.command(short_help="Show all diagnostics of a deployment, sorted by place.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
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
def check(context: click.Context, files: tuple[Path, ...], form: str, strict: bool) -> None:
    """Show all diagnostics of each FILE, sorted by place.

    Exits 1 when one of them would not build; with --strict also when there are warnings.
    """
    with waiting("checking", steps=len(files)) as step:
        reports = []
        for file in files:
            reports.append(compile_deployment(read_file(file), str(file))[1])
            step()
        shown = FORMATS[form](reports)
    if shown:
        click.echo(shown)
    counted = [Severity.ERROR, Severity.WARNING] if strict else [Severity.ERROR]
    found = any(report.count(severity) for report in reports for severity in counted)
    context.exit(1 if found else 0)
