"""The nginx of the documentation as a running process: its very file, with a test's addresses."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.support.needs import program
from tests.support.router import ROOT, free_port, leash

CONFIGURATION = ROOT / "docs/deployment/nginx.conf"
NAME = "router.example.com"  # as the file has it
_MAIN = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/interlock.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """Where it listens, and how a caller trusts it."""

    port: int
    trust: ssl.SSLContext


def rendered(replicas: Sequence[int], port: int, folder: Path) -> str:
    """The file of the documentation for replicas on these ports of this machine."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    addresses = re.findall(r"server (10\.0\.0\.\d+:\d+)", text)
    assert len(addresses) == len(replicas)
    changes = {
        **{there: f"127.0.0.1:{here}" for there, here in zip(addresses, replicas, strict=True)},
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/router.example.com.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/router.example.com.key": f"{folder}/key.pem",
    }
    for there, here in changes.items():
        assert text.count(there) == 1, there
        text = text.replace(there, here)
    return text


@contextmanager
def nginx(replicas: Sequence[int], folder: Path) -> Iterator[Nginx]:
    """nginx in front of these ports for the time of a block."""
    command = program("nginx", "nginx-light")
    authority = trustme.CA()
    certificate = authority.issue_cert(NAME)
    certificate.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    port = free_port()
    (folder / "interlock.conf").write_text(rendered(replicas, port, folder))
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    process = subprocess.Popen(
        [command, "-p", str(folder), "-e", str(folder / "error.log"), "-c", "nginx.conf"],
        cwd=folder,
        start_new_session=True,
    )
    bound = leash(process.pid)
    try:
        _wait_for(port, process, folder / "error.log")
        yield Nginx(port, trust)
    finally:
        bound.communicate(timeout=10)
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    by = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < by, log.read_text()
            time.sleep(0.05)
        else:
            return
