"""Where the router listens: a bound socket. Small, for the supervisor holds one and no more."""

from __future__ import annotations

import socket

from runtime.main import CannotRun


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
