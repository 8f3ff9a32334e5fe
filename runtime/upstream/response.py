"""Response heads and bodies: bytes in, meaning out, no I/O. Stricter than HTTP has to be.

The head is read here alone and must be exactly well formed; a body is framed by what this reading
says. No second parser looks at the head, so two of them can never disagree about where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Final

import httptools
import msgspec

MAX_HEAD_BYTES: Final = 64 * 1024
_MAX_HEADERS = 100

# Each line ends with CRLF, names touch their colon, nothing is folded, no control characters.
# Possessive repeats: a head that does not match is refused in linear time.
_HEAD = re.compile(
    rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\x00-\x08\x0a-\x1f\x7f]*+)?\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+\r\n"
)
_BARE_LF = re.compile(rb"(?<!\r)\n")
_MAX_DIGITS = 15
_KEEP_ALIVE_TIMEOUT = re.compile(r"\btimeout=([0-9]{1,6})")

_UNLIMITED = float("inf")


class BadHead(Exception):
    """The message says what is wrong."""


class Framing(Enum):
    """How the end of a body is known."""

    NONE = "no body"
    LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "the connection closes"


class Head(msgspec.Struct, frozen=True, gc=False):
    """`keep` is how many seconds the connection may wait for another request (0: not at all)."""

    status: int
    headers: Mapping[str, str]
    framing: Framing
    length: int
    keep: float


def find_head_end(buffer: bytes, start: int) -> int:
    """The offset behind the head, or 0 if it is not all there; bytes before `start` were seen."""
    end = buffer.find(b"\r\n\r\n", max(0, start - 3)) + 4
    if end == 3:  # not found
        if _BARE_LF.search(buffer, max(0, start - 1)):
            raise BadHead("a bare line feed stands in the head")
        end = 0
    if end > MAX_HEAD_BYTES or (end == 0 and len(buffer) > MAX_HEAD_BYTES):
        raise BadHead(f"the head is over {MAX_HEAD_BYTES} bytes")
    return end


def read_head(raw: bytes, *, bodiless: bool = False) -> Head:
    """A whole head, up to and with its empty line. `bodiless`: it answers a HEAD request."""
    match = _HEAD.fullmatch(raw)
    if match is None:
        raise BadHead("the head is not well formed")
    status = int(match[2])
    headers = _fields(raw)
    framing, length = _framing(headers, status, http_1_0=match[1] == b"0", bodiless=bodiless)
    keep = 0.0 if match[1] == b"0" or framing is Framing.CLOSE else _keep(headers)
    if framing is Framing.NONE and not bodiless and _declares_body(headers):
        keep = 0.0  # 204 or 304 with a body announced: whatever follows cannot be trusted
    return Head(status, headers, framing, length, keep)


def _fields(raw: bytes) -> dict[str, str]:
    lines = raw.decode("latin-1").split("\r\n")
    if len(lines) - 3 > _MAX_HEADERS:
        raise BadHead(f"the head has over {_MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        name = name.lower()
        value = value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _framing(
    headers: dict[str, str], status: int, *, http_1_0: bool, bodiless: bool
) -> tuple[Framing, int]:
    encoding, lengths = headers.get("transfer-encoding"), headers.get("content-length")
    if encoding is not None and lengths is not None:
        raise BadHead("Content-Length stands beside Transfer-Encoding")
    length = 0 if lengths is None else _length(lengths)
    if encoding is not None and (encoding.lower() != "chunked" or http_1_0):
        raise BadHead("Transfer-Encoding is not plain chunked")
    if bodiless or status < 200 or status in (204, 304):
        return Framing.NONE, 0
    if encoding is not None:
        return Framing.CHUNKED, 0
    if lengths is None:
        return Framing.CLOSE, 0
    return (Framing.LENGTH, length) if length else (Framing.NONE, 0)


def _length(value: str) -> int:
    if "," in value:  # several headers, joined: allowed only if they all say the same
        first, *others = (each.strip() for each in value.split(","))
        value = "" if any(each != first for each in others) else first
    if not value.isdecimal() or len(value) > _MAX_DIGITS:  # of Latin-1, only 0 to 9 are decimal
        raise BadHead("Content-Length is no number, or several")
    return int(value)


def _declares_body(headers: dict[str, str]) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0").strip("0") != ""


def _keep(headers: dict[str, str]) -> float:
    options = headers.get("connection")
    if options is not None and "close" in options.lower():
        return 0.0
    hint = headers.get("keep-alive")
    if hint is None or (match := _KEEP_ALIVE_TIMEOUT.search(hint)) is None:
        return _UNLIMITED
    # Leave before the server does: a request must not cross its close on the wire.
    return int(match[1]) * 0.8


# --- bodies ------------------------------------------------------------------------------------


class Progress(Enum):
    """Where a body stands. SURPLUS: it ended well, but bytes nobody asked for came behind it."""

    OPEN = "open"
    COMPLETE = "complete"
    SURPLUS = "surplus"
    BROKEN = "broken"


# By these names they are found at once; members of an enum take 70 ns each in Python 3.11, which
# shows where it is done for every event.
OPEN: Final = Progress.OPEN
COMPLETE: Final = Progress.COMPLETE
BROKEN: Final = Progress.BROKEN
LENGTH: Final = Framing.LENGTH

# Of a chunk with something in it; one that says more, an extension, is for httptools.
_SIZE_LINE: Final = re.compile(rb"([1-9A-Fa-f][0-9A-Fa-f]{0,5})\r\n")
# Bytes; with many chunks at once httptools is faster.
_MOST_BY_HAND: Final = 4096


class LengthBody:
    """A body of known length."""

    __slots__ = ("_left", "progress")

    def __init__(self, length: int) -> None:
        self._left = length
        self.progress = OPEN

    def feed(self, data: bytes) -> bytes:
        """The part of the data that belongs to the body."""
        self._left -= len(data)
        if self._left > 0:
            return data
        if self._left == 0:
            self.progress = COMPLETE
            return data
        self.progress = Progress.SURPLUS
        return data[: self._left]


class CloseBody:
    """A body that lasts until the connection closes: where it was cut cannot be seen here."""

    __slots__ = ("progress",)

    def __init__(self) -> None:
        self.progress = OPEN

    def feed(self, data: bytes) -> bytes:
        """All of it."""
        return data


class ChunkedBody:
    """A chunked body. One decoder serves all answers of a connection.

    Chunks that come whole are taken apart here, which touches less memory than httptools does;
    from the first that does not, httptools reads this body to its end.
    """

    __slots__ = ("_parser", "_pieces", "_whole", "on_body", "progress")

    # The decoder only ever sees this head, so that the one above stays the only reading of it.
    _HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    def __init__(self) -> None:
        self.progress = COMPLETE
        # so far every piece of data ended with a chunk
        self._whole = False
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append  # called from C, without a frame of ours between
        self._parser = httptools.HttpResponseParser(self)

    def start(self) -> ChunkedBody:
        """Ready for the next body."""
        self.progress = OPEN
        self._whole = True
        self._parser.feed_data(self._HEAD)
        return self

    def feed(self, data: bytes) -> bytes:
        """The bytes of the chunks, joined; what stands before a fault is still handed out."""
        if self._whole:
            # One chunk: how an event of a paced stream comes. A size of two digits stands for six
            # bytes less than there are, one of three for seven; no such chunk has 262 bytes.
            length = len(data)
            size = length - 7 if length > 262 else length - 6
            if 15 < size < 4096 and length != 262 and data.endswith(b"\r\n"):
                line = b"%x\r\n" % size
                if data.startswith(line):
                    return data[len(line) : -2]
            if len(data) <= _MOST_BY_HAND and (joined := _whole_chunks(data)) is not None:
                return joined
            self._whole = False
        return self._parse(data)

    def _parse(self, data: bytes) -> bytes:
        pieces = self._pieces
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self.progress is OPEN:
                self.progress = Progress.BROKEN
            else:
                self.progress = Progress.SURPLUS
        if len(pieces) == 1:
            return pieces.pop()
        joined = b"".join(pieces)
        pieces.clear()
        return joined

    def on_message_begin(self) -> None:
        """Called by httptools for each message it sees: behind the body there must be none."""
        if self.progress is COMPLETE:
            self.progress = Progress.SURPLUS
            raise httptools.HttpParserError  # stops it before that message's body comes here too

    def on_message_complete(self) -> None:
        """Called by httptools behind the last chunk."""
        self.progress = COMPLETE


def _whole_chunks(data: bytes) -> bytes | None:
    """What chunks hold, none of them the last one; None where that is not all of `data`."""
    pieces = []
    at = 0
    while at < len(data):
        line = _SIZE_LINE.match(data, at)
        if line is None:
            return None
        begin = line.end()
        end = begin + int(line[1], 16)
        if not data.startswith(b"\r\n", end):
            return None
        pieces.append(data[begin:end])
        at = end + 2
    return b"".join(pieces)


Body = LengthBody | CloseBody | ChunkedBody
