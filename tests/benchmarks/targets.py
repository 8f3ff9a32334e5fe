"""What is measured: nginx as the anchor, the router as it ships, and peers where installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "rtr_bench_load_bench_ci_k1_0000000000000000000000000000000"
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


@dataclass
class Target:
    """A server to start: its command, port and the dialects it serves."""

    name: str
    port: int
    command: list[str] = field(default_factory=list)
    dialects: tuple[str, ...] = tuple(PATHS)
    headers: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)


def direct(upstream: int) -> Target:
    """The upstream itself: what the load generator sees with nothing in between."""
    return Target("direct", upstream)


def nginx(work: Path, port: int, upstream: int) -> Target:
    """The anchor: a plain reverse proxy with keep-alive to the upstream."""
    config = work / "nginx.conf"
    config.write_text(f"""
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
""")
    return Target("nginx", port, [_found("nginx"), "-c", str(config), "-e", f"{work}/nginx.err"])


def interlock(work: Path, port: int, upstream: int, log: str, name: str) -> Target:
    """The router on a compiled deployment, every feature of the path on."""
    source = work / "bench.yaml"
    source.write_text(
        _DEPLOYMENT.format(upstream=upstream, digest=hashlib.sha256(TOKEN.encode()).hexdigest())
    )
    interpreter = [sys.executable, "-m"]
    subprocess.run(
        [
            sys.executable,
            "-c",
            "from compiler.cli import main; main()",
            "build",
            str(source),
            "--out",
            str(work / "generated"),
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    artifact = next((work / "generated").rglob("manifest.json")).parent
    return Target(
        name,
        port,
        [*interpreter, "runtime", str(artifact), "--host", "127.0.0.1", "--port", str(port)],
        headers=(f"authorization: Bearer {TOKEN}",),
        env={"BENCH_KEY": "up-key", "INTERLOCK_LOG": log, "PYTHONPATH": str(ROOT)},
    )


def peers(first_port: int, upstream: int) -> list[Target]:
    """Two routers written in Rust, where BENCH_PEERS names an environment that has them."""
    folder = os.environ.get("BENCH_PEERS")
    if not folder:
        return []
    common = [
        "--worker-urls",
        f"http://127.0.0.1:{upstream}",
        "--policy",
        "round_robin",
        "--host",
        "127.0.0.1",
        "--log-level",
        "error",
    ]
    found = []
    rows = (("vllm-router", [], tuple(PATHS)), ("smg", ["launch"], ("chat",)))
    for name, command, dialects in rows:
        binary = Path(folder) / "bin" / name
        if binary.exists():
            ports = ["--port", str(first_port), "--prometheus-port", str(first_port + 1)]
            found.append(
                Target(name, first_port, [str(binary), *command, *common, *ports], dialects)
            )
            first_port += 2
    return found


def _found(program: str) -> str:
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise SystemExit(f"{program} is needed for the benchmarks and was not found")
    return path


_DEPLOYMENT = """\
interlock: 1
name: bench
as_of: 2026-11-21
reasoning:
  levels: {{low: Low, medium: Medium, high: High}}
prices:
  plain: {{input: 1.0, output: 4.0, source: made up, as_of: 2026-11-21}}
providers:
  mock:
    base_url: http://127.0.0.1:{upstream}/v1
    auth: bearer
    key_env: BENCH_KEY
    allow_http: true
targets:
  mock:
    provider: mock
    model: mock-1
    context: 400000
    price: plain
    skins:
      chat:
        stream: native
        input: [text, image]
        tools: [function, parallel, forced]
        output_cap: {{field: max_tokens, max: 64000, over: clamp}}
      messages:
        stream: native
        input: [text, image]
        tools: [function, parallel, forced]
        output_cap: {{field: max_tokens, max: 64000, over: clamp}}
      responses:
        stream: native
        input: [text, image]
        tools: [function, parallel, forced]
        output_cap: {{field: max_output_tokens, max: 64000, over: clamp}}
  spare:
    provider: mock
    model: mock-2
    context: 400000
    price: plain
    skins:
      chat: {{stream: native, input: [text], tools: [function]}}
      messages:
        stream: native
        tools: [function]
        output_cap: {{max: 64000, over: clamp}}
      responses: {{stream: native, input: [text], tools: [function]}}
groups:
  bench-model:
    title: Bench
    surfaces: [chat, messages, responses]
    policy: {{kind: ordered}}
    members:
      - target: mock
      - target: spare
    reasoning: {{unsupported: drop}}
limits:
  wide: {{concurrent: 100000}}
projects:
  bench: {{providers: [mock]}}
callers:
  load:
    user: load
    project: bench
    env: ci
    groups: [bench-model]
    limits: wide
    tokens:
      - {{id: rtr_bench_load_bench_ci_k1, sha256: {digest}}}
"""
