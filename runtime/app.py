"""Wiring: which path has which handler. No decisions."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import SimpleNamespace

from sanic import Sanic
from sanic.config import Config

from runtime.edge import Caps, Connections, Handler
from runtime.edge.router import Errors
from runtime.endpoints.health import Health
from runtime.endpoints.models import Models
from runtime.state import State

_names = (f"interlock-{n}" for n in itertools.count(1))


class AppContext(SimpleNamespace):
    """`hot` handlers are called by the edge itself, POST only; all else is routed by Sanic."""

    state: State
    hot: dict[bytes, Handler]
    connections: Connections


App = Sanic[Config, AppContext]


def create_app(
    state: State, *, hot: Mapping[bytes, Handler] | None = None, caps: Caps | None = None
) -> App:
    """The application of one worker. It is to be served with `runtime.edge.EdgeProtocol`."""
    app: App = Sanic(
        next(_names),
        config=_config(),
        ctx=AppContext(),
        error_handler=Errors(),
        configure_logging=False,
    )
    app.ctx.state = state
    app.ctx.hot = dict(hot if hot is not None else hot_handlers(state))
    app.ctx.connections = Connections(caps)
    _add_routes(app, state)
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


def _add_routes(app: App, state: State) -> None:
    health, models = Health(state), Models(state)
    for path, handler in (
        ("/", health.root),
        ("/healthz", health.alive),
        ("/readyz", health.ready),
        ("/version", health.version),
        ("/v1/models", models.all),
        ("/v1/models/<model:path>", models.one),
        ("/v1/codex/models.json", models.codex),
    ):
        app.add_route(handler, path, name=path.strip("/").replace("/", "-") or "root")


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
