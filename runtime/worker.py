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

from runtime import log, tracing
from runtime.address import bind
from runtime.app import App, create_admin_app, create_app
from runtime.availability import Availability
from runtime.edge import Caps
from runtime.limits import InProcess
from runtime.link import Link
from runtime.listener import Listener
from runtime.main import LOOPBACK, CannotRun, Options
from runtime.memory import collect_seldom, keep_freed_blocks
from runtime.metrics import sources
from runtime.records.keeper import Keeper, keep
from runtime.records.store import Unusable
from runtime.reload import Reloader, prepare, stamp_of
from runtime.state import State
from runtime.upstream import Upstreams

_ORPHANED = 2.0  # seconds a worker goes on after its supervisor died
_OWN_FILES = 40  # open in an idle worker, with some room
_FILES_PER_CONNECTION = 2  # the caller's and one to an upstream
_LAST_LOOK = 1.0  # seconds a scrape has to end when all else has


def work(options: Options) -> int:
    """Serves until asked to stop. Returns the exit code, or raises CannotRun."""
    log.configure(options.log)
    keep_freed_blocks()
    stamp = stamp_of(options.artifact)
    state = load_state(options)
    share_with_others(options, state)
    sources.count(state)
    state.tracing = tracing.start(state, os.environ)
    reloader = Reloader(state, options.artifact, stamp)
    sock = bind(options.host, options.port, shared=Link.inherited())
    tls = tls_context(options)
    keeper = keep_rows(options, state)
    caps = connection_caps(options)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        app = create_app(state, caps=caps, admin_here=options.admin_port is None)
        admin = admin_listener(options, state, tls)
        runner.run(Worker(app, sock, tls, options.drain, reloader, admin, keeper).serve())
    log.flush()
    return 0


def load_state(options: Options) -> State:
    """What the worker serves from. Raises CannotRun."""
    key = os.environ.get("INTERLOCK_STATE_KEY", "").encode() or None
    serving = prepare(options.artifact, key, lambda providers: Upstreams(providers, os.environ))
    availability = Availability(workers=options.share)
    return State(serving, state_key=key, head_start=options.head_start, availability=availability)


def share_with_others(options: Options, state: State) -> None:
    """Lets limits and answers be those of all workers where there is a store, else each worker has
    its share of the limits. Raises CannotRun."""
    if not (url := os.environ.get("INTERLOCK_REDIS_URL", "")):
        state.limits = InProcess(options.share)
        return
    from runtime.cache import SharedAnswers
    from runtime.shared.store import StoreError, connect

    try:
        state.store = connect(url)
    except StoreError as error:
        raise CannotRun(str(error)) from error
    from runtime.limits.shared import Shared

    state.limits = Shared(state.store, state.artifact.name, options.share)
    state.answers = SharedAnswers(state.store)


def keep_rows(options: Options, state: State) -> Keeper | None:
    """Lets every request leave a row, where there is a place for them. Raises CannotRun."""
    try:
        keeper = keep(options.data_dir, os.environ, options.spool_bytes, options.keep_days)
    except Unusable as error:
        raise CannotRun(str(error)) from error
    if keeper is not None:
        state.recorders = (*state.recorders, keeper.journal)
        state.rows = keeper.read
    return keeper


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


def admin_listener(options: Options, state: State, tls: ssl.SSLContext | None) -> Listener | None:
    """The separate address for /metrics and /admin, if one is wanted. Raises CannotRun."""
    if options.admin_port is None:
        return None
    host = options.admin_host or LOOPBACK
    sock = bind(host, options.admin_port, shared=Link.inherited())
    return Listener(create_admin_app(state), sock, tls)


def connection_caps(options: Options) -> Caps:
    """What clients may take of this worker: never more connections than it can have files for.

    Beyond its caps it refuses with an answer; without files it could only hang up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    total = options.connections
    room = max(1, (hard - _OWN_FILES) // _FILES_PER_CONNECTION)
    if hard != resource.RLIM_INFINITY and room < total:
        log.log("warning", "few-files", count=room, reason=f"the limit of open files is {hard}")
        total = room
    return Caps(per_address=options.connections_per_address, total=total)


class Worker:
    """The life of one serving process. `admin` listens until the last stream has ended."""

    def __init__(
        self,
        app: App,
        sock: socket.socket,
        tls: ssl.SSLContext | None,
        drain: float,
        reloader: Reloader,
        admin: Listener | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        self._app = app
        self._listener = Listener(app, sock, tls)
        self._admin = admin
        self._drain = drain
        self._reloader = reloader
        self._keeper = keeper
        self._asked = asyncio.Event()

    async def serve(self) -> None:
        """From the first connection to the last."""
        app = self._app
        loop = asyncio.get_running_loop()
        state = app.ctx.state
        await self._listener.open()
        if self._admin is not None:
            await self._admin.open()
        sources.count_connections(state.metrics, app.ctx.connections)
        showing = loop.create_task(sources.keep_showing(state.metrics))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reloader.ask)
        self._reloader.start()
        if self._keeper is not None:
            self._keeper.start(loop)
            sources.count_rows(state.metrics, self._keeper)
        state.limits.start()
        link = Link.connect(loop, self._orphaned)
        collect_seldom()
        announce(self._listener, self._admin, link)
        await self._asked.wait()

        app.ctx.state.stopping = True
        log.log("info", "stopping", seconds=self._drain)
        await self._listener.close(self._drain)
        await self._reloader.stop()
        app.ctx.connections.stop()
        await app.ctx.state.serving.upstreams.aclose()
        await state.limits.aclose()
        if state.store is not None:
            await state.store.aclose()
        await self._end_telling(showing)
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.stop)
        log.log("info", "stopped")

    def stop(self) -> None:
        """Asks for an orderly end; asked again, for a quick one."""
        if self._asked.is_set():
            self._app.ctx.connections.hurry()
        self._asked.set()

    async def _end_telling(self, showing: asyncio.Task[None]) -> None:
        """The other workers, which may serve on, keep the last numbers; collectors get the rest."""
        showing.cancel()
        state = self._app.ctx.state
        if self._admin is not None:
            await self._admin.close(_LAST_LOOK)
            self._admin.app.ctx.connections.stop()
        state.metrics.leave(state.metrics.ask())
        if state.tracing is not None:
            await asyncio.to_thread(state.tracing.close)

    def _orphaned(self) -> None:
        self._drain = min(self._drain, _ORPHANED)
        self.stop()


def announce(listener: Listener, admin: Listener | None, link: Link | None) -> None:
    """One line for people: where, and what is served."""
    artifact = listener.app.ctx.state.artifact
    beside = f", admin on {admin.url}" if admin is not None else ""
    line = (
        f"interlock: serving {artifact.name} ({artifact.digest[:12]}) on {listener.url}{beside}\n"
    )
    if link is not None:
        link.ready(line)
    else:
        sys.stdout.write(line)
        sys.stdout.flush()
    log.log("info", "serving", name=artifact.name, artifact=artifact.digest, pid=os.getpid())
