"""The commands: the only place that prints and sets exit codes; each does nothing but ask others.

Exit codes: 0 fine, 1 findings or a negative result, 2 cannot run.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from compiler import VERSION

# A command is imported only when it is called: `serve` needs no compiler, `check` no server.
COMMANDS: Final[dict[str, str]] = {
    "init": "compiler.cli.init:init",
    "check": "compiler.cli.check:check",
    "build": "compiler.cli.build:build",
    "diff": "compiler.cli.diff:diff",
    "whatif": "compiler.cli.whatif:whatif",
    "matrix": "compiler.cli.matrix:matrix",
    "explain": "compiler.cli.explain:explain",
    "schema": "compiler.cli.schema:schema",
    "token": "compiler.cli.token:token",
    "replay": "compiler.cli.replay:replay_command",
    "serve": "compiler.cli.serve:serve",
    "usage": "compiler.cli.usage:usage",
    "demo": "compiler.cli.demo:demo",
}


class CannotRun(click.ClickException):
    """Something outside the deployment is in the way; no finding."""

    exit_code = 2


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for garbage meanwhile: a compilation makes millions of things and keeps
    them, and looking through them again and again takes a third of the time.
    """
    looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looking:
            gc.enable()


class Commands(click.Group):
    """Finds its commands by name, in the order in which a person meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        found = getattr(importlib.import_module(module), name)
        if not isinstance(found, click.Command):
            raise TypeError(f"{place} is no command")
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """What goes wrong outside the deployment ends with one line and exit code 2."""
        try:
            return super().invoke(ctx)
        except (click.UsageError, CannotRun, BrokenPipeError):
            raise  # these end as they should
        except click.ClickException as error:
            raise CannotRun(error.format_message()) from error
        except OSError as error:
            told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise CannotRun(told) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name="interlock")
def main() -> None:
    """Interlock: a router for coding agents, compiled from one reviewed YAML file."""
