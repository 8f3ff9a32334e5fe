"""Request bodies of known length and chunked ones, read strictly and bounded. No connection."""

from __future__ import annotations

import re

from runtime.edge.head import malformed
from runtime.errors import CallerError

# Extensions are legal but unused, and servers disagree on where they end: refused.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_SIZE_LINE_BEGUN = re.compile(rb"[0-9A-Fa-f]{0,8}\r?")


class Sized:
    """A body of `length` bytes. `rest` is what came behind it."""

    def __init__(self, length: int) -> None:
        self.received = 0
        self.rest = b""
        self._length = length
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> bool:
        """Takes what arrived; True when the body is complete."""
        missing = self._length - self.received
        if len(data) > missing:
            data, self.rest = data[:missing], data[missing:]
        self._parts.append(data)
        self.received += len(data)
        return self.received == self._length

    def whole(self) -> bytes:
        """The body."""
        return b"".join(self._parts)


class Chunked:
    """A chunked body of at most `limit` bytes. `rest` is what came behind it."""

    def __init__(self, limit: int) -> None:
        self.received = 0
        self.rest = b""
        self._limit = limit
        self._buffer = bytearray()
        self._body = bytearray()

    def feed(self, data: bytes) -> bool:
        """Takes what arrived; True when the body is complete. Raises CallerError."""
        self.received += len(data)
        buffer = self._buffer
        buffer += data
        at = 0
        while size_line := _SIZE_LINE.match(buffer, at):
            size = int(size_line[1], 16)
            if size == 0:
                return self._ended(size_line.end())
            if len(self._body) + size > self._limit:
                raise too_large(self._limit)
            start, end = size_line.end(), size_line.end() + size
            if len(buffer) < end + 2:
                break
            if buffer[end : end + 2] != b"\r\n":
                raise malformed("a chunk is longer than its size")
            self._body += buffer[start:end]
            at = end + 2
        else:
            if not _SIZE_LINE_BEGUN.fullmatch(buffer, at):
                raise malformed("a chunk size is not a hexadecimal number and CRLF")
        del buffer[:at]
        return False

    def whole(self) -> bytes:
        """The body."""
        return bytes(self._body)

    def _ended(self, at: int) -> bool:
        tail = bytes(self._buffer[at : at + 2])
        if tail == b"\r\n":
            self.rest = bytes(self._buffer[at + 2 :])
            return True
        if not b"\r\n".startswith(tail):
            raise malformed("trailers behind the last chunk are not accepted")
        del self._buffer[:]
        self._buffer += b"0\r\n" + tail
        return False


def too_large(limit: int) -> CallerError:
    """The refusal of a body over the deployment's limit."""
    return CallerError(
        "request-too-large",
        f"The request body is too large: at most {limit} bytes are accepted. "
        "Compact the conversation or send smaller images.",
    )
