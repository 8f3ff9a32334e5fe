"""Builds an artifact from a YAML text and runs the router on it as a real process.

It uses the commands that users have, and knows nothing of the inside of compiler or runtime.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from compiler.cli import main

ROOT = Path(__file__).resolve().parents[2]
_INTERLOCK = "from compiler.cli import main; main()"


@dataclass(frozen=True)
class Token:
    """A router token and what the YAML says of it."""

    user: str
    project: str
    env: str
    secret: str
    org: str = "test"

    @property
    def id(self) -> str:
        """The public part."""
        return f"rtr_{self.org}_{self.user}_{self.project}_{self.env}_k1"

    @property
    def whole(self) -> str:
        """What the caller sends."""
        return f"{self.id}_{self.secret}"

    @property
    def sha256(self) -> str:
        """What stands in the YAML."""
        return hashlib.sha256(self.whole.encode()).hexdigest()


class CommandFailed(Exception):
    """A command ended with an error; the message is all it printed."""


def interlock(*arguments: str) -> str:
    """Runs an `interlock` command and returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERLOCK, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(yaml: str, folder: Path) -> Path:
    """Compiles a deployment text, in this process; returns the folder of its artifact."""
    source = folder / "deployment.yaml"
    source.write_text(yaml, encoding="utf-8")
    out = folder / "generated"
    done = CliRunner().invoke(main, ["build", str(source), "--out", str(out)])
    if done.exit_code:
        raise CommandFailed(f"exit {done.exit_code}\n{done.output}") from done.exception
    manifests = list(out.rglob("manifest.json"))
    assert len(manifests) == 1, f"one artifact expected under {out}, found {manifests}"
    return manifests[0].parent


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Router:
    """A running router process. `output` holds its stdout and stderr, `leash` ends it."""

    process: subprocess.Popen[bytes]
    leash: subprocess.Popen[bytes]
    port: int
    output: Path

    def logs(self) -> str:
        """All the process wrote so far."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def terminate(self) -> None:
        """Asks it to stop, as a supervisor does."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = 20.0) -> int:
        """Its exit code."""
        return self.process.wait(timeout)

    def ready(self) -> bool:
        """Whether it says that it takes requests."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def start(
    artifact: Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    *,
    port: int = 0,
    prefix: Sequence[str] = (),
) -> Router:
    """Starts the router and waits until it is ready. `prefix`: a command that runs the router."""
    port = port or free_port()
    output = folder / f"router-{port}.log"
    command = [*prefix, sys.executable, "-m", "runtime", str(artifact), "--host", "127.0.0.1"]
    with output.open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), *arguments],
            cwd=ROOT,
            env={**os.environ, "INTERLOCK_DATA_DIR": str(folder / "data"), **(env or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    router = Router(process, leash(process.pid), port, output)
    deadline = time.monotonic() + 20
    while not router.ready():
        if process.poll() is not None or time.monotonic() > deadline:
            stop(router)
            raise CommandFailed(f"the router did not start\n{router.logs()}")
        time.sleep(0.05)
    return router


def stop(router: Router) -> None:
    """Ends the process and all it started, at once."""
    router.leash.communicate(timeout=10)
    router.process.wait(10)


def leash(group: int) -> subprocess.Popen[bytes]:
    """Kills a process group as soon as its own stdin is closed, by us or by our end.

    A test run that is killed runs no finalizer, and a router of it would serve for ever.
    """
    return subprocess.Popen(
        ["sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def running(
    artifact: Path,
    folder: Path,
    env: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    *,
    prefix: Sequence[str] = (),
) -> Iterator[Router]:
    """A router for the time of a `with` block."""
    router = start(artifact, folder, env, arguments, prefix=prefix)
    try:
        yield router
    finally:
        stop(router)
