"""`interlock init`: a commented deployment to start from, which compiles as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

STARTER: Final = Path(__file__).with_name("starter.yaml")
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Write a commented deployment to start from.")
@click.argument("path", type=_NEW_FILE, default=Path("deployments/router.yaml"))
def init(path: Path) -> None:
    """Write a commented starter deployment to PATH (deployments/router.yaml)."""
    if path.exists():
        raise click.ClickException(f"{path} is there already, and nothing was written")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(STARTER.read_bytes())
    click.echo(f"{path} is written. Next:")
    click.echo(f"  interlock token new {path} --caller me     # and put what it says into the file")
    click.echo(f"  interlock check {path}")
    click.echo(f"  interlock build {path}")
