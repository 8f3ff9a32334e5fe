"""One serving process: artifact and keys read, socket bound, loop run, streams drained."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import ssl
import sys

import uvloop

from runtime import log
from runtime.app import App, create_app
from runtime.artifact import Artifact, ArtifactError, load
from runtime.edge import Caps, EdgeProtocol
from runtime.link import Link
from runtime.main import CannotRun, Options
from runtime.memory import collect_seldom, keep_freed_blocks
from runtime.serving import Serving
from runtime.state import State
from runtime.upstream import MissingKeys, Upstreams

_BACKLOG = 1024
# Before the handshake is done no connection counts towards the edge's caps and deadlines.
_TLS_TIMEOUTS = {"ssl_handshake_timeout": 10.0, "ssl_shutdown_timeout": 5.0}
_ORPHANED = 2.0  # seconds a worker goes on after its supervisor died


def work(options: Options) -> int:
    """Serves until asked to stop. Returns the exit code, or raises CannotRun."""
    log.configure(options.log)
    keep_freed_blocks()
    state = load_state(options)
    sock = bind(options.host, options.port, shared=Link.inherited())
    tls = tls_context(options)
    _raise_file_limit()
    caps = Caps(per_address=options.connections_per_address, total=options.connections)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Worker(create_app(state, caps=caps), sock, tls, options.drain).serve())
    log.flush()
    return 0


def load_state(options: Options) -> State:
    """What the worker serves from. Raises CannotRun."""
    try:
        artifact = load(options.artifact)
        upstreams = Upstreams(artifact.providers, os.environ)
    except (ArtifactError, MissingKeys) as error:
        raise CannotRun(str(error)) from error
    serving = Serving(artifact, upstreams)
    return State(serving, state_key=_state_key(artifact), head_start=options.head_start)


def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """The listening address; `shared` with other workers. Raises CannotRun."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
    except OSError as error:
        raise CannotRun(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return sock


def tls_context(options: Options) -> ssl.SSLContext | None:
    """The certificate to serve HTTPS with, if any. Raises CannotRun."""
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key)
    except OSError as error:  # ssl.SSLError is one
        raise CannotRun(f"{options.tls_cert}: no usable certificate and key: {error}") from error
    return context


class Worker:
    """The life of one serving process."""

    def __init__(
        self, app: App, sock: socket.socket, tls: ssl.SSLContext | None, drain: float
    ) -> None:
        self._app = app
        self._sock = sock
        self._tls = tls
        self._drain = drain
        self._asked = asyncio.Event()

    async def serve(self) -> None:
        """From the first connection to the last."""
        app = self._app
        loop = asyncio.get_running_loop()
        server = await app.create_server(
            sock=self._sock,
            ssl=self._tls,
            protocol=EdgeProtocol,
            backlog=_BACKLOG,
            asyncio_server_kwargs=_TLS_TIMEOUTS if self._tls else None,
            return_asyncio_server=True,
        )
        assert server is not None  # noqa: S101 - what was asked for
        await server.startup()  # type: ignore[no-untyped-call]  # Sanic leaves it untyped
        app.ctx.connections.start(loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        link = Link.connect(loop, self._orphaned)
        collect_seldom()
        announce(app, self._sock, self._tls is not None, link)
        await self._asked.wait()

        app.ctx.state.stopping = True
        server.close()  # type: ignore[no-untyped-call]  # Sanic leaves it untyped
        log.log("info", "stopping", seconds=self._drain)
        await app.ctx.connections.drain(self._drain)
        app.ctx.connections.stop()
        await app.ctx.state.serving.upstreams.aclose()
        log.log("info", "stopped")

    def stop(self) -> None:
        """Asks for an orderly end; asked again, for a quick one."""
        if self._asked.is_set():
            self._app.ctx.connections.hurry()
        self._asked.set()

    def _orphaned(self) -> None:
        self._drain = min(self._drain, _ORPHANED)
        self.stop()


def announce(app: App, sock: socket.socket, tls: bool, link: Link | None) -> None:
    """One line for people: where, and what is served."""
    host, port = sock.getsockname()[:2]
    where = f"[{host}]" if ":" in host else host
    artifact = app.ctx.state.artifact
    line = (
        f"interlock: serving {artifact.name} ({artifact.digest[:12]}) "
        f"on {'https' if tls else 'http'}://{where}:{port}\n"
    )
    if link is not None:
        link.ready(line)
    else:
        sys.stdout.write(line)
        sys.stdout.flush()
    log.log("info", "serving", name=artifact.name, artifact=artifact.digest, pid=os.getpid())


def _state_key(artifact: Artifact) -> bytes | None:
    key = os.environ.get("INTERLOCK_STATE_KEY", "").encode()
    stateful = any(s.stateful for t in artifact.targets.values() for s in t.skins.values())
    if stateful and len(key) < 16:
        raise CannotRun(
            "INTERLOCK_STATE_KEY is missing or shorter than 16 characters; "
            "this deployment has stateful skins, whose ids are signed with it"
        )
    return key or None


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
