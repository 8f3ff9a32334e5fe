"""`interlock build`: compiles a deployment and writes its package, or says how it is stale."""

from __future__ import annotations

from pathlib import Path

import click

from compiler.artifact import artifact_files, compare, source_name, write
from compiler.cli import uncollected
from compiler.cli.progress import waiting
from compiler.diagnostics import Report
from compiler.pipeline import compile_deployment, read_file
from runtime.artifact import read_manifest

_READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(short_help="Compile a deployment into its package, or --check that it is fresh.")
@click.argument("file", type=_READABLE)
@click.option(
    "--out",
    type=_FOLDER,
    default=Path("generated"),
    show_default=True,
    help="Folder of all packages; this one stands below it, under the deployment's name.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 with a diff when stale.")
@click.pass_context
@uncollected()
def build(context: click.Context, file: Path, out: Path, check: bool) -> None:
    """Compile FILE into a package of dispatch tables.

    Exits 1 when the deployment has errors, or when --check finds the package stale.
    """
    with waiting(f"compiling {file}", steps=2) as step:
        plan, report = compile_deployment(read_file(file), str(file))
        step()
        files = {} if plan is None else artifact_files(plan, source_name(file, out))
    _tell(report, briefly=check and plan is not None)
    if plan is None:
        context.exit(1)
    folder = out / plan.deployment.name
    if check:
        context.exit(_check(files, folder, file))
    write(files, folder)
    click.echo(f"{folder.as_posix()}: {len(files)} files, {read_manifest(folder).digest[:12]}")


def _check(files: dict[str, bytes], folder: Path, file: Path) -> int:
    diff = compare(files, folder)
    if not diff:
        click.echo(f"{folder.as_posix()} is what {file} compiles to")
        return 0
    click.echo(diff, nl=False)
    click.echo(f"{folder.as_posix()} is stale: run `interlock build {file}`", err=True)
    return 1


def _tell(report: Report, *, briefly: bool) -> None:
    """All findings; a comparison is not the place to read the warnings again."""
    if not report.diagnostics:
        return
    if briefly:
        click.echo(f"{report.summary()}: run `interlock check` to read them", err=True)
    else:
        click.echo(f"{report.text()}\n\n{report.summary()}", err=True)
