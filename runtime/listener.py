"""One address and the application behind it, from the first connection to the last."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Final

from runtime.app import App
from runtime.edge import EdgeProtocol

_BACKLOG: Final = 1024
# Before the handshake is done no connection counts towards the edge's caps and deadlines.
_TLS_TIMEOUTS: Final = {"ssl_handshake_timeout": 10.0, "ssl_shutdown_timeout": 5.0}


class Listener:
    """Serves `app` at a bound socket, with TLS where there is a certificate."""

    def __init__(self, app: App, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        self.app = app
        self._sock = sock
        self._tls = tls

    @property
    def url(self) -> str:
        """Where it is reached."""
        host, port = self._sock.getsockname()[:2]
        where = f"[{host}]" if ":" in host else host
        return f"{'https' if self._tls is not None else 'http'}://{where}:{port}"

    async def open(self) -> None:
        """From here on connections are taken."""
        server = await self.app.create_server(
            sock=self._sock,
            ssl=self._tls,
            protocol=EdgeProtocol,
            backlog=_BACKLOG,
            asyncio_server_kwargs=_TLS_TIMEOUTS if self._tls else None,
            return_asyncio_server=True,
        )
        assert server is not None  # noqa: S101 - what was asked for
        await server.startup()  # type: ignore[no-untyped-call]  # Sanic leaves it untyped
        self.app.ctx.connections.start(asyncio.get_running_loop())
        self._server = server

    async def close(self, drain: float) -> None:
        """Takes no more connections, and lets answers end for so many seconds."""
        self._server.close()  # type: ignore[no-untyped-call]  # Sanic leaves it untyped
        await self.app.ctx.connections.drain(drain)
