"""Start, refusal to start, orderly end, and workers that die: with real processes and signals."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from tests.support.edge import Client, until
from tests.support.package import write

ROOT = Path(__file__).resolve().parents[3]
SLOWLY = Path(__file__).with_name("serve_slowly.py")


class Process:
    """A running router; `line` is the one it greets with."""

    def __init__(self, *command: str, env: dict[str, str] | None = None) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        self.line = self.popen.stdout.readline()
        found = re.search(r":(\d+)$", self.line.strip())
        self.port = int(found[1]) if found else 0

    def ask(self, path: bytes) -> tuple[int, dict]:
        """Status and JSON of a GET over a connection of its own."""
        client = Client(self.port)
        try:
            answer = client.get(path, b"Connection: close\r\n").answer()
            return answer.status, json.loads(answer.body)
        finally:
            client.close()

    def workers(self) -> list[int]:
        """The process ids of the children."""
        children = Path(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def end(self) -> tuple[int, str]:
        """Exit code and stderr, once it has ended by itself."""
        _, errors = self.popen.communicate(timeout=20)
        return self.popen.returncode, errors

    def kill(self) -> None:
        """Whatever is left of it, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.communicate(timeout=20)


@contextmanager
def process(*command: str, env: dict[str, str] | None = None) -> Iterator[Process]:
    """A router for the time of a `with` block."""
    started = Process(*command, env=env)
    try:
        yield started
    finally:
        started.kill()


def router(folder: Path, *arguments: str) -> tuple[str, ...]:
    """The command that serves the smallest artifact on a free port."""
    return ("-m", "runtime", str(write(folder / "tiny")), "--port", "0", *arguments)


def soon(condition: Callable[[], bool]) -> None:
    """Like `until`, for things that take a process start."""
    for _ in range(10):
        try:
            return until(condition)
        except AssertionError:
            continue
    raise AssertionError("it did not happen")


def test_it_greets_serves_and_ends_with_0(tmp_path):
    with process(*router(tmp_path)) as served:
        assert re.fullmatch(
            r"interlock: serving tiny \([0-9a-f]{12}\) on http://127\.0\.0\.1:\d+\n", served.line
        )
        assert served.ask(b"/readyz")[0] == 200
        served.popen.terminate()
        code, errors = served.end()
        assert code == 0
        assert [json.loads(line)["event"] for line in errors.splitlines()][-1] == "stopped"


def test_it_takes_its_options_from_the_environment(tmp_path):
    folder = write(tmp_path / "tiny")
    env = {"INTERLOCK_PORT": "0", "INTERLOCK_HOST": "127.0.0.1", "INTERLOCK_LOG": "off"}
    with process("-m", "runtime", str(folder), env=env) as served:
        assert served.ask(b"/healthz")[0] == 200
        served.popen.send_signal(signal.SIGINT)
        assert served.end() == (0, "")


@pytest.mark.parametrize(
    ("spoil", "arguments", "env", "named"),
    [
        ("", ("--port", "70000"), {}, "--port"),
        ("", ("--workers", "0"), {}, "--workers"),
        ("", ("--tls-cert", "x.pem"), {}, "--tls-key"),
        ("", ("--tls-cert", "x.pem", "--tls-key", "x.pem"), {}, "x.pem"),
        ("", ("--log", "loud"), {}, "--log"),
        ("", (), {"INTERLOCK_WORKERS": "many"}, "INTERLOCK_WORKERS"),
        ("", ("--host", "no.such.host.invalid"), {}, "no.such.host.invalid"),
        ("manifest.json", (), {}, "manifest.json"),
        ("callers.py", (), {}, "callers.py"),
    ],
)
def test_it_says_in_one_line_why_it_does_not_start(tmp_path, spoil, arguments, env, named):
    command = router(tmp_path, *arguments)
    if spoil:
        with (tmp_path / "tiny" / spoil).open("a") as file:
            file.write("changed\n")
    with process(*command, env=env) as served:
        code, errors = served.end()
    assert code == 2
    assert errors.count("\n") == 1
    assert named in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("workers", ["1", "2"])
def test_missing_provider_keys_are_named_and_it_ends_with_2(tmp_path, workers):
    providers = "'p': Provider('https://p.test/v1', key_env='MISSING_KEY_OF_P')"
    folder = write(tmp_path / "tiny", providers)
    command = ("-m", "runtime", str(folder), "--port", "0", "--workers", workers)
    with process(*command, env={"INTERLOCK_LOG": "off"}) as served:
        code, errors = served.end()
    assert code == 2
    assert "MISSING_KEY_OF_P" in errors


def test_a_taken_port_is_no_reason_for_a_traceback(tmp_path):
    with process(*router(tmp_path)) as first:
        for workers in ("1", "2"):
            command = router(tmp_path, "--workers", workers)
            taken = [str(first.port) if part == "0" else part for part in command]
            with process(*taken) as second:
                code, errors = second.end()
            assert (code, errors.count("\n")) == (2, 1)
            assert str(first.port) in errors


def test_https_is_served_with_a_certificate(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    tls = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with process(*router(tmp_path, *tls)) as served:
        assert "https://" in served.line
        client = Client(served.port)
        client.sock = context.wrap_socket(client.sock, server_hostname="localhost")
        assert client.get(b"/healthz").answer().status == 200
        assert client.send(b"GET / HTTP/1.1\r\nHost : t\r\n\r\n").answer().status == 400
        assert client.ended()
        client.close()


# --- the end -----------------------------------------------------------------------------------


def refuses(port: int) -> bool:
    """Nobody listens; a listener that is just being closed resets what stands in its queue."""
    try:
        Client(port).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


def test_running_streams_end_and_nothing_new_begins():
    with process(str(SLOWLY), "20") as served:
        idle, busy = Client(served.port), Client(served.port)
        idle.get(b"/healthz").answer()
        busy.post(b"0.5")
        until(lambda: b"begun" in _peek(busy))
        served.popen.terminate()
        soon(lambda: refuses(served.port))
        assert idle.ended()
        assert busy.answer().body.endswith(b"data: ended\n\n")
        assert busy.ended()
        assert served.end()[0] == 0
        idle.close(), busy.close()


@pytest.mark.parametrize("how", ["deadline", "asked twice"])
def test_streams_that_do_not_end_are_cut_with_an_error(how):
    with process(str(SLOWLY), "0.3" if how == "deadline" else "600") as served:
        client = Client(served.port)
        client.post(b"600")
        until(lambda: b"begun" in _peek(client))
        served.popen.terminate()
        if how == "asked twice":
            soon(lambda: refuses(served.port))
            served.popen.terminate()
        sent = client.rest()
        assert b"event: error" in sent
        assert not sent.endswith(b"0\r\n\r\n")
        assert served.end()[0] == 0
        client.close()


def _peek(client: Client) -> bytes:
    client.sock.settimeout(0.01)
    with suppress(TimeoutError):
        client.buffer += client.sock.recv(65536)
    client.sock.settimeout(10)
    return client.buffer


# --- several workers -----------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path) -> Iterator[Process]:
    """A supervisor with two workers."""
    with process(*router(tmp_path, "--workers", "2", "--drain", "5")) as served:
        assert len(served.workers()) == 2
        yield served


def test_workers_share_a_port_and_stop_together(two):
    assert two.line.startswith("interlock: serving tiny")
    assert {two.ask(b"/healthz")[0] for _ in range(10)} == {200}
    two.popen.terminate()
    assert two.end()[0] == 0
    assert refuses(two.port)


def test_a_killed_worker_is_replaced(two):
    before = two.workers()
    began = time.monotonic()
    os.kill(before[0], signal.SIGKILL)
    soon(lambda: len(set(two.workers()) - set(before)) == 1)
    soon(lambda: _listening(two.port) == 2)
    assert before[1] in two.workers()
    assert time.monotonic() > began
    assert two.ask(b"/healthz")[0] == 200


def test_a_worker_that_keeps_dying_is_restarted_ever_more_slowly(two):
    seen = set(two.workers())
    deaths = 0
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for pid in two.workers():
            seen.add(pid)
            os.kill(pid, signal.SIGKILL)
            deaths += 1
        time.sleep(0.02)
    # without a growing delay there would be dozens
    assert len(seen) <= 2 + 2 * 5
    soon(lambda: len(two.workers()) == 2)


def test_workers_do_not_outlive_their_supervisor(two):
    two.popen.kill()
    soon(lambda: refuses(two.port))


def _listening(port: int) -> int:
    """How many sockets listen on a port."""
    wanted = f":{port:04X} 00000000:0000 0A"
    return Path("/proc/net/tcp").read_text().count(wanted)
