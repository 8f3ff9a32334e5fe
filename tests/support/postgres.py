"""A real PostgreSQL of a test's own: started, paused, killed and started again."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg

from tests.support.needs import program
from tests.support.router import free_port

USER = "interlock"
PASSWORD = "NotASecretOnlyForTests"
_PACKAGE = "postgresql"
# A test's rows need not survive a power cut, and a small server starts sooner.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "8MB",
    "max_connections": "20",
    "dynamic_shared_memory_type": "mmap",
}


class Postgres:
    """A server in a folder. `url` leads to its only database."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._data = folder / "data"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped: list[int] = []
        secret = folder / "password"
        secret.write_text(PASSWORD)
        _give_away(folder, secret)
        initdb = [program("initdb", _PACKAGE), "--no-sync", "--no-instructions", "-E", "UTF8"]
        named = ["-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret)]
        _as_somebody([*initdb, *named, "--locale=C", "-D", str(self._data)], self._log).wait(60)

    @property
    def url(self) -> str:
        """What the router is given."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Serves, however it ended the last time."""
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        command = [program("postgres", _PACKAGE), "-D", str(self._data), "-p", str(self.port)]
        by = time.monotonic() + 20
        while True:
            if self._process is None or self._process.poll() is not None:
                # The children of a killed server take a moment to go, and hold its place.
                self._process = _as_somebody([*command, *settings], self._log)
            with suppress(OSError, asyncpg.PostgresError):
                self.run("SELECT 1")
                return
            assert time.monotonic() < by, self._log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """As a power cut does it, but for the disk."""
        processes = self._processes()
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(20)

    def pause(self) -> None:
        """It answers nothing any more, and closes nothing."""
        self._stopped = self._processes()
        for pid in self._stopped:
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Goes on after a pause."""
        for pid in self._stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self._stopped = []

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a statement, over a connection of its own."""

        async def fetch() -> list[tuple[object, ...]]:
            db = await asyncpg.connect(self.url, timeout=5)
            try:
                return [tuple(row) for row in await db.fetch(sql)]
            finally:
                await db.close()

        return asyncio.run(fetch())

    def empty(self) -> None:
        """As new."""
        self.run("DROP SCHEMA public CASCADE")
        self.run("CREATE SCHEMA public")

    def _processes(self) -> list[int]:
        if self._process is None or self._process.poll() is not None:
            return []
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A running server for the time of a `with` block."""
    program("initdb", _PACKAGE)
    # Not a folder of pytest's: only its owner may enter those, and the server is somebody else.
    folder = Path(tempfile.mkdtemp(prefix="interlock-postgres-"))
    try:
        server = Postgres(folder)
        try:
            server.start()
            yield server
        finally:
            server.resume()
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody() -> dict[str, object]:
    """Who runs the server; it refuses to be root."""
    if os.getuid():
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _as_somebody(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=log.parent,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **_somebody(),  # type: ignore[call-overload]  # who runs it is decided at run time
        )


def _give_away(*paths: Path) -> None:
    if who := _somebody():
        for path in paths:
            os.chown(path, who["user"], who["group"])  # type: ignore[arg-type]  # numbers
