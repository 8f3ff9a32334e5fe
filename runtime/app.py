"""Wiring: which path has which handler. No decisions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Coroutine, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from sanic import Sanic
from sanic.config import Config
from sanic.response import HTTPResponse

from runtime.edge import Caps, Connections, Handler
from runtime.edge.router import Errors
from runtime.endpoints.health import Health
from runtime.endpoints.metrics import Metrics
from runtime.endpoints.models import Models
from runtime.endpoints.usage import UsagePages
from runtime.state import State

_names = (f"interlock-{n}" for n in itertools.count(1))


class AppContext(SimpleNamespace):
    """`hot` handlers are called by the edge itself, POST only; all else is routed by Sanic."""

    state: State
    hot: dict[bytes, Handler]
    connections: Connections


App = Sanic[Config, AppContext]
Route = tuple[str, Callable[..., Coroutine[Any, Any, HTTPResponse | None]]]


def create_app(
    state: State,
    *,
    hot: Mapping[bytes, Handler] | None = None,
    caps: Caps | None = None,
    admin_here: bool = True,
) -> App:
    """The application of one worker. It is to be served with `runtime.edge.EdgeProtocol`.

    Not `admin_here`: /metrics and /admin have a listener of their own, and are not found here.
    """
    routes = (*_routes(state), *(_admin_routes(state) if admin_here else ()))
    return _app(state, hot_handlers(state) if hot is None else hot, caps, routes)


def create_admin_app(state: State, *, caps: Caps | None = None) -> App:
    """The application of the separate listener for /metrics and /admin."""
    app = _app(state, {}, caps, (*_health_routes(state), *_admin_routes(state)))
    app.config.TOUCHUP = False  # the other application of the process has seen to that
    return app


def _app(
    state: State, hot: Mapping[bytes, Handler], caps: Caps | None, routes: Iterable[Route]
) -> App:
    app: App = Sanic(
        next(_names),
        config=_config(),
        ctx=AppContext(),
        error_handler=Errors(),
        configure_logging=False,
    )
    app.ctx.state = state
    app.ctx.hot = dict(hot)
    app.ctx.connections = Connections(caps)
    for path, handler in routes:
        app.add_route(handler, path, name=path.strip("/").replace("/", "-") or "root")
    return app


def hot_handlers(state: State) -> dict[bytes, Handler]:
    """The paths agents spend their time on."""
    from runtime.endpoints.count_tokens import CountTokens
    from runtime.endpoints.generate import Generate

    return {
        b"/v1/chat/completions": Generate(state, "chat"),
        b"/v1/responses": Generate(state, "responses"),
        b"/v1/messages": Generate(state, "messages"),
        b"/v1/messages/count_tokens": CountTokens(state),
    }


def _routes(state: State) -> tuple[Route, ...]:
    models = Models(state)
    return (
        *_health_routes(state),
        ("/v1/models", models.all),
        ("/v1/models/<model:path>", models.one),
        ("/v1/codex/models.json", models.codex),
        ("/v1/usage", UsagePages(state).own),
    )


def _health_routes(state: State) -> tuple[Route, ...]:
    health = Health(state)
    return (
        ("/", health.root),
        ("/healthz", health.alive),
        ("/readyz", health.ready),
        ("/version", health.version),
    )


def _admin_routes(state: State) -> tuple[Route, ...]:
    """What asks for a role instead of a group."""
    usage = UsagePages(state)
    return (
        ("/metrics", Metrics(state).page),
        ("/admin/usage", usage.report),
        ("/admin/requests/<request_id:path>", usage.request),
    )


def _config() -> Config:
    config = Config(env_prefix=None)
    config.update(
        {
            "ACCESS_LOG": False,
            "AUTO_EXTEND": False,
            "INSPECTOR": False,
            "MOTD": False,
            "NOISY_EXCEPTIONS": False,
            # Removes the dispatch of signals nobody listens to; without it a request costs twice.
            # It rewrites Sanic's own classes, so once per process is enough, and all that works.
            "TOUCHUP": not getattr(Sanic, "__touched__", False),
        }
    )
    return config
