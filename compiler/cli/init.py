"""`interlock init`: a commented deployment that compiles as it stands, and tests of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

STARTER: Final = Path(__file__).with_name("starter.yaml")
STARTER_TEST: Final = Path(__file__).with_name("starter_test.py.txt")
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER: Final = "deployments"  # where the tests look by themselves


@click.command(short_help="Write a commented deployment and its tests to start from.")
@click.argument("path", type=_NEW_FILE, default=Path(_FOLDER) / "router.yaml")
def init(path: Path) -> None:
    """Write a commented starter deployment to PATH (deployments/router.yaml), and tests of it.

    The tests go to tests/test_deployment.py beside that folder, if there are none yet.
    """
    if path.exists():
        raise click.ClickException(f"{path} is there already, and nothing was written")
    _write(path, STARTER)
    click.echo(f"{path} is written. Next:")
    click.echo(f"  interlock token new {path} --caller me     # and put what it says into the file")
    click.echo(f"  interlock check {path}")
    click.echo(f"  interlock build {path}")
    inside = path.parent.name == _FOLDER
    test = (path.parent.parent if inside else path.parent) / "tests/test_deployment.py"
    if not test.exists():
        _write(test, STARTER_TEST)
        setting = "" if inside else f" -o interlock_deployments={path.name}"
        click.echo(f"{test} keeps who answers what:")
        click.echo(f"  pytest{setting} --snapshot-update     # needs `interlock-router[test]`")


def _write(path: Path, source: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.read_bytes())
