"""What is measured: nginx as the anchor, the router as it ships, and peers where installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.benchmarks.cells import PATHS
from tests.support.router import ROOT, build, free_port

TOKEN = "rtr_bench_load_bench_ci_k1_0000000000000000000000000000000"  # digest in deployment.yaml
_DEPLOYMENT = Path(__file__).with_name("deployment.yaml")
_BRIDGED = Path(__file__).with_name("bridged.yaml")
# The dialect a model is behind -> the callers that reach it over a bridge.
_OVER_BRIDGES = {"chat": ("messages", "responses"), "messages": ("chat", "responses")}
_UPSTREAM = "127.0.0.1:8000"  # as written there
_COMPILER = "from compiler.cli import main; main()"


@dataclass
class Target:
    """A server to start: its command, port and the dialects it serves."""

    name: str
    port: int
    command: list[str] = field(default_factory=list)
    dialects: tuple[str, ...] = tuple(PATHS)
    headers: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


def all_targets(work: Path, upstream: int, against: Path | None) -> list[Target]:
    """Everything that can be measured on this machine, nginx first.

    `against` is a checkout of another version.
    """
    artifact = _artifact(_DEPLOYMENT.read_text(encoding="utf-8"), work, upstream)
    return [
        nginx(work, upstream),
        interlock("interlock", artifact, log="warning"),
        *([another_version(against, work, upstream)] if against else []),
        interlock("interlock, request log on", artifact, log="info"),
        *_bridged(work, upstream),
        *peers(upstream),
    ]


def _bridged(work: Path, upstream: int) -> Iterator[Target]:
    text = _BRIDGED.read_text(encoding="utf-8")
    for behind, callers in _OVER_BRIDGES.items():
        folder = work / f"behind-{behind}"
        folder.mkdir(exist_ok=True)
        artifact = _artifact(text.replace("MEMBER", behind), folder, upstream)
        target = interlock(f"interlock bridged to {behind}", artifact, log="warning")
        yield replace(target, dialects=callers)


def direct(upstream: int) -> Target:
    """The upstream itself: what the load generator sees with nothing in between."""
    return Target("direct", upstream)


def nginx(work: Path, upstream: int) -> Target:
    """The anchor: a plain reverse proxy with keep-alive to the upstream."""
    port, config = free_port(), work / "nginx.conf"
    config.write_text(_NGINX.format(work=work, port=port, upstream=upstream))
    command = [program("nginx"), "-c", str(config), "-e", f"{work}/nginx.err"]
    return Target("nginx", port, command)


def another_version(checkout: Path, work: Path, upstream: int) -> Target:
    """The router of another checkout, on what its own compiler makes of its own deployment."""
    checkout, folder = checkout.resolve(), work / "another-version"
    folder.mkdir()
    text = (checkout / "tests/benchmarks/deployment.yaml").read_text(encoding="utf-8")
    source, out = folder / "deployment.yaml", folder / "generated"
    source.write_text(text.replace(_UPSTREAM, f"127.0.0.1:{upstream}"), encoding="utf-8")
    build = (sys.executable, "-P", "-c", _COMPILER, "build", str(source), "--out", str(out))
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    subprocess.run(build, env=environment, stdout=subprocess.DEVNULL, check=True)
    (manifest,) = out.rglob("manifest.json")
    return interlock("another version", manifest.parent, log="warning", tree=checkout)


def interlock(name: str, artifact: Path, *, log: str, tree: Path = ROOT) -> Target:
    """The router on a compiled deployment, everything on its way switched on.

    BENCH_PYTHON names the interpreter of an environment as servers have it: Sanic imports packages
    for tests where it finds them, which shows in the cold start.
    """
    port = free_port()
    python = interpreter()
    # `-P`: of the tree that is named, not of the folder we are in
    command = [python, "-P", "-m", "runtime", str(artifact), "--port", str(port)]
    return Target(
        name,
        port,
        [*command, "--host", "127.0.0.1"],
        headers=(f"authorization: Bearer {TOKEN}",),
        env={
            "BENCH_KEY": "up-key",
            "INTERLOCK_DATA_DIR": str(artifact.parent / "data"),
            "INTERLOCK_LOG": log,
            "PYTHONPATH": str(tree),
        },
    )


def interpreter() -> str:
    """The Python that routers are measured with."""
    return os.environ.get("BENCH_PYTHON", sys.executable)


def peers(upstream: int) -> list[Target]:
    """Two routers written in Rust, where BENCH_PEERS names an environment that has them."""
    folder = os.environ.get("BENCH_PEERS")
    if not folder:
        return []
    found = []
    for name, start, dialects in _PEERS:
        binary = Path(folder, "bin", start[0])
        if binary.exists():
            port = free_port()
            command = [str(binary), *start[1:], *_PEER_OPTIONS.format(upstream=upstream).split()]
            command += ["--port", str(port), "--prometheus-port", str(free_port())]
            found.append(Target(name, port, command, dialects))
    return found


def program(name: str) -> str:
    """The path of a program that the benchmarks cannot do without."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise SystemExit(f"`{name}` is needed for the benchmarks and was not found: install it")
    return path


def _artifact(text: str, work: Path, upstream: int) -> Path:
    return build(text.replace(_UPSTREAM, f"127.0.0.1:{upstream}"), work)


# Name in the table, command, dialects.
_PEERS = (
    ("vllm-router", ("vllm-router",), tuple(PATHS)),
    ("sglang-router", ("smg", "launch"), ("chat",)),
)
_PEER_OPTIONS = (
    "--worker-urls http://127.0.0.1:{upstream} --policy round_robin --host 127.0.0.1 "
    "--log-level error"
)
_NGINX = """
worker_processes 1; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.err;
events {{ worker_connections 8192; }}
http {{
  access_log off; client_max_body_size 64m; client_body_buffer_size 1m; keepalive_requests 1000000;
  client_body_temp_path {work}/nginx-body; proxy_temp_path {work}/nginx-proxy;
  fastcgi_temp_path {work}/nginx-f; uwsgi_temp_path {work}/nginx-u; scgi_temp_path {work}/nginx-s;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer up-key"; proxy_buffering off;
    }}
  }}
}}
"""
