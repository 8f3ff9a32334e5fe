"""Request heads as bytes: prepared once per provider, path and headers, finished per request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from runtime.upstream.door import httpx

Header = tuple[bytes, bytes]

_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"/[!-~]*")
# A line break would begin a header or a request of its own; NUL ends a string in many servers.
_FORBIDDEN = re.compile(rb"[\r\n\0]")

# What frames a request and decides how its answer comes back is written here and nowhere else.
_FRAMING = frozenset({
    b"host", b"content-length", b"content-type", b"transfer-encoding", b"connection", b"te",
    b"keep-alive", b"upgrade", b"expect", b"trailer", b"accept-encoding",
})  # fmt: skip
# What names or proves who calls never travels but as the provider's own credential.
_PRIVATE = frozenset({
    b"authorization", b"x-api-key", b"api-key", b"proxy-authorization", b"proxy-connection",
    b"cookie", b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto",
})  # fmt: skip

# Bodies are asked for plain: inflating costs CPU on both sides and holds events back.
_ALWAYS: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"accept-encoding", b"identity"),
)
_USER_AGENT: Header = (b"user-agent", b"interlock")

# Few paths and few sets of headers come again and again; the bound is for what callers vary.
_MAX_PREPARED = 256


def blank(url: httpx.URL) -> httpx.Request:
    """The request that exceptions carry: it says where to, and holds no key."""
    return httpx.Request("POST", url.copy_with(raw_path=b"/"))


def render(headers: Iterable[Header]) -> bytes:
    """Header lines; refuses what would break out of its line."""
    lines = []
    for name, value in headers:
        if not _NAME.fullmatch(name) or _FORBIDDEN.search(value):
            raise httpx.LocalProtocolError("a request header holds a line break, NUL or bad name")
        lines.append(b"%b: %b\r\n" % (name, value))
    return b"".join(lines)


def request_line(method: bytes, target: bytes) -> bytes:
    """The first line of a request; refuses what would break out of it."""
    if not _NAME.fullmatch(method) or not _TARGET.fullmatch(target):
        raise httpx.LocalProtocolError("the method or path cannot stand in a request line")
    return b"%b %b HTTP/1.1\r\n" % (method, target)


class Heads:
    """The request heads of one provider. Holds its key, so it shows nothing of itself."""

    __slots__ = ("_base", "_declared", "_fixed", "_prepared", "_reserved")

    def __init__(
        self, base: httpx.URL, credential: Header | None, declared: Iterable[tuple[str, str]]
    ) -> None:
        credentials = () if credential is None else (credential,)
        self._base = base.raw_path.rstrip(b"/")
        self._reserved = _FRAMING | _PRIVATE | {name for name, _ in credentials}
        self._declared = dict([_USER_AGENT])
        for name, value in declared:
            self._declared[name.lower().encode()] = value.encode()
        render(self._declared.items())
        self._refuse_reserved(self._declared)
        if any(name in _FRAMING for name, _ in credentials):
            raise httpx.LocalProtocolError("a credential cannot travel in a header that frames")
        self._fixed: tuple[Header, ...] = ((b"host", base.netloc), *credentials, *_ALWAYS)
        self._prepared: dict[tuple[str, tuple[Header, ...]], bytes] = {}

    def head(self, path: str, headers: Sequence[Header], size: int) -> bytes:
        """The whole head of a POST whose body has `size` bytes."""
        key = (path, tuple(headers))
        prepared = self._prepared.get(key)
        if prepared is None:
            if len(self._prepared) >= _MAX_PREPARED:
                self._prepared.clear()
            line = request_line(b"POST", self.target(path))
            prepared = self._prepared[key] = line + render(self.fields(headers))
        return b"%bcontent-length: %d\r\n\r\n" % (prepared, size)

    def fields(self, headers: Sequence[Header]) -> list[Header]:
        """All headers but the length; one sent by the request wins over a declared one."""
        own = {name.lower() for name, _ in headers}
        self._refuse_reserved(own)
        declared = [(name, value) for name, value in self._declared.items() if name not in own]
        return [*self._fixed, *declared, *headers]

    def target(self, path: str) -> bytes:
        """The request target of a path below the provider's base URL."""
        return b"%b/%b" % (self._base, path.lstrip("/").encode())

    def _refuse_reserved(self, names: Iterable[bytes]) -> None:
        if taken := self._reserved.intersection(names):
            name = min(taken).decode()
            raise httpx.LocalProtocolError(f"the header `{name}` is set by the upstream leg alone")
