"""From the command line and the environment to a serving process. It parses no deployment.

One worker is this very process (`runtime.worker`); several are children of a small supervisor
(`runtime.supervisor`).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

CANNOT_RUN = 2  # exit code
LOOPBACK = "127.0.0.1"
_LOG_LEVELS = ("debug", "info", "warning", "error", "off")


class CannotRun(Exception):
    """Why the router does not start, in one line."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve one artifact. `connections` cap those of one worker.

    In seconds: `drain` for running streams at the end, `head_start` of silence before a stream's
    head goes out without content. With an `admin_port` /metrics and /admin are served there alone.
    Usage rows go to `data_dir`; of those no database has taken, `spool_bytes` are kept. The others
    are kept for `keep_days`, for ever where that is None.
    Without a shared store one of `share` workers holds that part of every limit.
    """

    artifact: Path
    host: str = LOOPBACK
    port: int = 8080
    workers: int = 1
    drain: float = 600.0
    head_start: float = 10.0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    log: str = "info"
    connections: int = 4096
    connections_per_address: int = 256
    admin_host: str | None = None
    admin_port: int | None = None
    data_dir: Path | None = None
    spool_bytes: int = 256 * 1024 * 1024
    keep_days: int | None = None
    share: int = 1

    def arguments(self) -> list[str]:
        """The command line that reads as these options."""
        found = [str(self.artifact)]
        for field in fields(self)[1:]:
            if (value := getattr(self, field.name)) is not None:
                found += [_flag(field.name), str(value)]
        return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until stopped. Returns the exit code."""
    try:
        return serve(read_options(sys.argv[1:] if arguments is None else arguments, os.environ))
    except CannotRun as error:
        sys.stderr.write(f"interlock: {error}\n")
        return CANNOT_RUN


def serve(options: Options) -> int:
    """Serves until stopped, here or in workers. Raises CannotRun."""
    # a wish to reload what is not loaded yet is no reason to end
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if options.workers > 1:
        from runtime.supervisor import supervise

        return supervise(options)
    from runtime.worker import work

    return work(options)


def read_options(arguments: Sequence[str], env: Mapping[str, str]) -> Options:
    """Arguments win over INTERLOCK_* variables. Raises CannotRun."""
    parser = argparse.ArgumentParser(prog="python -m runtime", allow_abbrev=False)
    parser.add_argument("artifact", type=Path, help="the folder that `interlock build` wrote")
    for field, kind in _OPTIONS.items():
        variable = f"INTERLOCK_{field.upper()}"
        parser.add_argument(
            _flag(field),
            type=kind,
            default=_from_env(env, variable, kind),
            help=f"also {variable}",
        )
    given = {k: v for k, v in vars(parser.parse_args(arguments)).items() if v is not None}
    options = Options(**given)
    for fault, found in _faults(options).items():
        if found:
            raise CannotRun(fault)
    return options


_OPTIONS = {
    "host": str,
    "port": int,
    "workers": int,
    "drain": float,
    "head_start": float,
    "tls_cert": Path,
    "tls_key": Path,
    "log": str,
    "connections": int,
    "connections_per_address": int,
    "admin_host": str,
    "admin_port": int,
    "data_dir": Path,
    "spool_bytes": int,
    "keep_days": int,
    "share": int,
}


def _flag(field: str) -> str:
    return "--" + field.replace("_", "-")


def _from_env(env: Mapping[str, str], variable: str, kind: type) -> object:
    if not (text := env.get(variable, "")):
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise CannotRun(f"{variable} is `{text}`; a number is expected") from error


def _faults(options: Options) -> dict[str, bool]:
    return {
        "--port must be 0 to 65535": not 0 <= options.port <= 65535,
        "--admin-port must be 0 to 65535": not 0 <= (options.admin_port or 0) <= 65535,
        "--admin-host needs --admin-port": options.admin_host is not None
        and options.admin_port is None,
        "--workers must be 1 to 256": not 1 <= options.workers <= 256,
        "--drain must not be negative": not options.drain >= 0,
        "--head-start must be above 0": not options.head_start > 0,
        "--connections must be at least 1": options.connections < 1,
        "--connections-per-address must not be negative": options.connections_per_address < 0,
        "--spool-bytes must be at least 67108864": options.spool_bytes < 64 * 1024 * 1024,
        "--keep-days must be 1 to 36500": options.keep_days is not None
        and not 1 <= options.keep_days <= 36_500,
        "--share must be at least 1": options.share < 1,
        f"--log must be one of {', '.join(_LOG_LEVELS)}": options.log not in _LOG_LEVELS,
        "--tls-cert and --tls-key go together": (options.tls_cert is None)
        != (options.tls_key is None),
    }
