"""`interlock serve`: starts the runtime on an artifact; it compiles nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

# Passed on only where given: what is absent, the runtime takes from INTERLOCK_* or its defaults.
_OPTIONS: Final[dict[str, str]] = {
    "host": "The address to listen on; INTERLOCK_HOST, else 127.0.0.1.",
    "port": "The port, 0 for a free one; INTERLOCK_PORT, else 8080.",
    "workers": "How many processes; INTERLOCK_WORKERS, else 1.",
    "drain": "Seconds running streams have after SIGTERM; INTERLOCK_DRAIN, else 600.",
    "tls-cert": "A certificate chain (PEM): serves HTTPS; INTERLOCK_TLS_CERT.",
    "tls-key": "The certificate's key (PEM); INTERLOCK_TLS_KEY.",
    "log": "debug, info, warning, error or off; INTERLOCK_LOG, else info.",
}


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path))
@click.pass_context
def serve(context: click.Context, /, artifact: Path, **given: str | None) -> None:
    """Serve ARTIFACT, the folder that `interlock build` wrote, until stopped."""
    from runtime.main import main

    arguments = [str(artifact)]
    for name, value in given.items():
        if value is not None:
            arguments += [f"--{name.replace('_', '-')}", value]
    context.exit(main(arguments))


for _name, _help in _OPTIONS.items():
    serve = click.option(f"--{_name}", help=_help)(serve)
