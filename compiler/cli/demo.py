"""`interlock demo`: scripted provider, router, one request per surface. No key, no network."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from compiler.demo import ScriptedUpstream, help_out

DEPLOYMENT = Path(__file__).resolve().parents[2] / "deployments/demo.yaml"
HOST = "127.0.0.1"
PROVIDER_PORT = 8101  # as written in the deployment
START_SECONDS = 20.0
# No secret: it opens a scripted model on loopback, and only while the demo runs.
TOKEN = "rtr_demo_you_web_dev_k1_" + "NotASecretOnlyTheDemoOnLoopback"


@dataclass(frozen=True)
class Example:
    """One request of the show, and why its route is worth looking at."""

    surface: str
    path: str
    why: str
    body: Mapping[str, Any]


PATCH_TOOL = {
    "type": "custom",
    "name": "apply_patch",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
}
EXAMPLES = (
    Example(
        "Chat Completions",
        "/v1/chat/completions",
        "plain text: the cheapest model takes it",
        {"model": "coder", "messages": [{"role": "user", "content": "Say hello"}]},
    ),
    Example(
        "Messages",
        "/v1/messages",
        "high effort, asked under another name: only the large model keeps it",
        {
            "model": "claude-coder",
            "max_tokens": 1000,
            "thinking": {"type": "adaptive"},
            "output_config": {"effort": "high"},
            "messages": [{"role": "user", "content": "Say hello"}],
        },
    ),
    Example(
        "Responses",
        "/v1/responses",
        "a grammar tool: only the large model has it",
        {"model": "coder", "input": "Say hello", "tools": [PATCH_TOOL]},
    ),
)


@click.command(short_help="Show the router in front of a scripted provider, then serve.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False), default=str(DEPLOYMENT))
@click.option("--port", default=8100, show_default=True, help="Where the router listens; 0: any.")
@click.option("--once", is_flag=True, help="Stop after the three requests.")
def demo(file: str, port: int, once: bool) -> None:
    """Show the router in front of a scripted provider, then serve until stopped."""
    console = Console(highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):  # asked to end, or the terminal is gone
        signal.signal(number, _stopped)
    provider_port, router_port = _free(PROVIDER_PORT), _free(port)
    with (
        tempfile.TemporaryDirectory(prefix="interlock-demo-") as folder,
        ScriptedUpstream(help_out, port=provider_port) as upstream,
    ):
        source = _source(Path(file), provider_port, Path(folder))
        artifact = _build(source, Path(folder))
        with _router(artifact, router_port, Path(folder) / "router.log") as router:
            _show_examples(console, router_port)
            _show_clients(console, router_port, upstream.base_url)
            with contextlib.suppress(KeyboardInterrupt):
                if not once:
                    console.print("Serving until you press Ctrl-C.")
                    router.wait()


def _stopped(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _free(port: int) -> int:
    """The port itself when nobody listens there, else any other."""
    for wanted in (port, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, wanted))
            return int(probe.getsockname()[1])
    raise click.ClickException(f"no port is free on {HOST}")


def _source(file: Path, provider_port: int, folder: Path) -> Path:
    """The deployment as it stands, or a copy that names another port of the provider."""
    if provider_port == PROVIDER_PORT:
        return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    text = file.read_text(encoding="utf-8")
    copy = folder / file.name
    copy.write_text(text.replace(f"{HOST}:{PROVIDER_PORT}", f"{HOST}:{provider_port}"), "utf-8")
    return copy


def _build(source: Path, folder: Path) -> Path:
    """Compiles the deployment as `interlock build` does; returns the artifact's folder."""
    interlock = click.get_current_context().find_root().command
    code = interlock.main(
        ["build", str(source), "--out", str(folder / "generated")],
        prog_name="interlock",
        standalone_mode=False,
    )
    manifests = list(folder.glob("generated/**/manifest.json"))
    if code or not manifests:
        raise click.ClickException("the deployment does not compile: see the findings above")
    return manifests[0].parent


@contextlib.contextmanager
def _router(artifact: Path, port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The runtime as a process of its own, ready to serve."""
    command = [sys.executable, "-m", "runtime", str(artifact), "--host", HOST, "--port", str(port)]
    command += ["--data-dir", str(log.parent / "data")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 our own runtime
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace")
                raise click.ClickException(f"the router did not start:\n{said}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(port: int) -> bool:
    try:
        status, _, _ = _ask(port, "GET", "/readyz")
    except (OSError, http.client.HTTPException):
        return False
    return status == 200


def _ask(
    port: int, method: str, path: str, body: Mapping[str, Any] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _show_examples(console: Console, port: int) -> None:
    for example in EXAMPLES:
        status, headers, body = _ask(port, "POST", example.path, example.body)
        if status != 200:
            raise click.ClickException(f"{example.path} answered {status}: {body.decode()}")
        console.rule(f"[bold]{example.surface}[/bold]  POST {example.path}", align="left")
        console.print(f"[dim]{example.why}[/dim]")
        console.print(f"[green]{escape(_spoken(json.loads(body)))}[/green]")
        trace = Table.grid(padding=(0, 2))
        for name, value in headers.items():
            if name.lower().startswith("x-router-"):
                trace.add_row(f"[cyan]{name}[/cyan]", escape(value))
        console.print(trace)


def _spoken(answer: Mapping[str, Any]) -> str:
    """The text of an answer in any of the three dialects."""
    if "choices" in answer:
        return str(answer["choices"][0]["message"]["content"])
    blocks = answer["output"][-1]["content"] if "output" in answer else answer["content"]
    return "".join(str(block.get("text", "")) for block in blocks)


def _show_clients(console: Console, port: int, provider: str) -> None:
    url = f"http://{HOST}:{port}"
    console.rule("[bold]Point an agent at it[/bold]", align="left")
    rows = Table.grid(padding=(0, 2))
    rows.add_row("base URL", f"{url}/v1  (Anthropic clients: {url})")
    rows.add_row("token", TOKEN)
    rows.add_row("model", "coder")
    rows.add_row("provider", f"{provider}, scripted: tell an agent to create hello.txt")
    rows.add_row("Codex", f'model_catalog_url = "{url}/v1/models"')
    console.print(rows, soft_wrap=True)
