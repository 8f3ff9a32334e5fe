"""Bodies that come compressed although they were asked for plain: gzip and deflate, bounded."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

# Text compresses by 3 to 20; beyond 100, or behind another layer, it is a bomb or no answer.
_MAX_RATIO = 100
_FREE_BYTES = 64 * 1024

_GZIP, _ZLIB, _RAW = 31, 15, -15
_CODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}
_OF_THE_CODED = frozenset({"content-encoding", "content-length"})


class BadEncoding(Exception):
    """The message says what is wrong."""


class Inflate:
    """One compressed body. `coding` is the value of Content-Encoding."""

    __slots__ = ("_bits", "_in", "_out", "_stream")

    def __init__(self, coding: str) -> None:
        try:
            self._bits = _CODINGS[coding.strip().lower()]
        except KeyError:
            raise BadEncoding("the body comes in an encoding that was not asked for") from None
        self._stream = zlib.decompressobj(self._bits)
        self._in = self._out = 0

    def feed(self, data: bytes) -> bytes:
        """What the data unpacks to, possibly nothing yet."""
        if self._in == 0 and self._bits == _ZLIB and data[0] & 0x0F != zlib.DEFLATED:
            self._stream = zlib.decompressobj(_RAW)  # many servers send deflate without its wrapper
        self._in += len(data)
        allowed = _FREE_BYTES + _MAX_RATIO * self._in - self._out
        try:
            plain = self._stream.decompress(data, allowed)
        except zlib.error as exc:
            raise BadEncoding("the compressed body is damaged") from exc
        if self._stream.unconsumed_tail:
            raise BadEncoding(f"the body unpacks to over {_MAX_RATIO} times its size")
        if self._stream.unused_data:
            raise BadEncoding("bytes stand behind the compressed body")
        self._out += len(plain)
        return plain

    def end(self) -> None:
        """The body is over: it must have been whole."""
        if not self._stream.eof:
            raise BadEncoding("the compressed body is cut short")


def decoded(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers without those that tell of the compressed body."""
    return {name: headers[name] for name in headers if name not in _OF_THE_CODED}
