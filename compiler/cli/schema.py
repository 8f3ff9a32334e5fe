"""`interlock schema`: the JSON Schema of a deployment, for editors."""

from __future__ import annotations

import json

import click

from compiler.schema import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of a deployment.

    An editor with a YAML language server completes and explains fields by it: save it and begin
    the deployment with `# yaml-language-server: $schema=FILE`.
    """
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
