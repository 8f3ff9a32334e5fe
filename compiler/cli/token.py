"""`interlock token`: mints router tokens; keeps nothing but what it prints once."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from pathlib import Path
from typing import Final

import click

from compiler.cli.check import as_text
from compiler.model import CallerDef, Deployment
from compiler.pipeline import read_deployment, read_file

ALPHABET: Final = string.ascii_letters + string.digits
SECRET_LENGTH: Final = 32  # 190 random bits; 160 are the least
_PART: Final = re.compile(r"[a-z0-9-]{1,64}")


@click.group()
def token() -> None:
    """Mint router tokens."""


@token.command(short_help="Mint a router token for a caller and print it, once.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--caller", required=True, help="The caller, as the deployment calls it.")
@click.option(
    "--key", help="The key's name inside the token id; the next free k1, k2, … if absent."
)
@click.pass_context
def new(context: click.Context, file: Path, caller: str, key: str | None) -> None:
    """Mint a router token for a caller of FILE and print it, once, with the YAML for it.

    FILE is read, not changed. Only the digest belongs into it; the token itself is stored nowhere.
    """
    deployment, report = read_deployment(read_file(file), str(file))
    if deployment is None:
        click.echo(as_text([report]), err=True)
        context.exit(1)
    holder = deployment.callers.get(caller)
    if holder is None:
        known = ", ".join(deployment.callers) or "none"
        raise click.UsageError(f"there is no caller {caller!r}; callers are: {known}", context)
    token_id = _token_id(deployment, holder, key or _next_key(holder))
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    minted = f"{token_id}_{secret}"
    digest = hashlib.sha256(minted.encode()).hexdigest()
    click.echo(f'"{minted}"')
    where = "under" if holder.tokens else "in place of"
    click.echo(
        f"\nThis is the only time it is shown. In the caller `{holder.id}` of {file} put this, "
        f"{where} its `tokens`:\n",
        err=True,
    )
    click.echo("" if holder.tokens else "    tokens:\n", nl=False)
    click.echo(f'      - {{id: {token_id}, sha256: "{digest}"}}')


def _token_id(deployment: Deployment, holder: CallerDef, key: str) -> str:
    parts = (deployment.name, holder.user, holder.project, holder.env, key)
    for part in parts:
        if not _PART.fullmatch(part):
            raise click.UsageError(
                f"{part!r} cannot stand in a token: only 1 to 64 of a-z, 0-9 and `-` can. Rename it"
            )
    token_id = "_".join(("rtr", *parts))
    taken = [t.id for c in deployment.callers.values() for t in c.tokens]
    if token_id in taken:
        raise click.UsageError(f"{token_id} is there already; choose another --key")
    return token_id


def _next_key(holder: CallerDef) -> str:
    """k1 for the first token; one more than the highest number while rotating."""
    keys = [token.id.rsplit("_", 1)[-1] for token in holder.tokens]
    numbers = [int(key[1:]) for key in keys if key[:1] == "k" and key[1:].isdecimal()]
    return f"k{max(numbers, default=0) + 1}"
