"""`interlock serve`: starts the runtime on an artifact; it compiles nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

# Passed on only where given: what is absent, the runtime takes from INTERLOCK_* or its defaults.
_OPTIONS: Final[dict[str, tuple[type, str]]] = {
    "host": (str, "The address to listen on; else INTERLOCK_HOST, else 127.0.0.1."),
    "port": (int, "The port, 0 for a free one; else INTERLOCK_PORT, else 8080."),
    "workers": (int, "How many processes; else INTERLOCK_WORKERS, else 1."),
    "drain": (float, "Seconds running streams have after SIGTERM; else INTERLOCK_DRAIN, else 600."),
    "head-start": (
        float,
        "Seconds of silence before a stream begins; else INTERLOCK_HEAD_START, else 10.",
    ),
    "tls-cert": (str, "A certificate chain (PEM): serves HTTPS; else INTERLOCK_TLS_CERT."),
    "tls-key": (str, "The certificate's key (PEM); else INTERLOCK_TLS_KEY."),
    "admin-host": (
        str,
        "The address of the admin port; else INTERLOCK_ADMIN_HOST, else 127.0.0.1.",
    ),
    "admin-port": (
        int,
        "A port of its own for /metrics and /admin, which the other then does not serve; "
        "else INTERLOCK_ADMIN_PORT.",
    ),
    "data-dir": (
        str,
        "Where usage rows are kept; else INTERLOCK_DATA_DIR, else interlock-data where you are.",
    ),
    "keep-days": (
        int,
        "Days usage rows stay in the database; else INTERLOCK_KEEP_DAYS, else for ever.",
    ),
    "share": (
        int,
        "How many routers divide the limits where there is no shared store; "
        "else INTERLOCK_SHARE, else 1.",
    ),
    "log": (str, "debug, info, warning, error or off; else INTERLOCK_LOG, else info."),
}


@click.command(short_help="Serve a package until stopped.")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.pass_context
def serve(context: click.Context, /, artifact: Path, **given: object) -> None:
    """Serve ARTIFACT, the folder that `interlock build` wrote, until stopped."""
    from runtime.main import main

    arguments = [str(artifact)]
    for name, value in given.items():
        if value is not None:
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    context.exit(main(arguments))


for _name, (_kind, _help) in _OPTIONS.items():
    serve = click.option(f"--{_name}", type=_kind, help=_help)(serve)
