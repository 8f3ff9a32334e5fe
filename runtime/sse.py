"""Server-sent events as bytes: where each ends, and what it carries. It knows no dialect.

Lines end at LF, CRLF or CR and nowhere else: U+2028 and U+0085 are legal inside a JSON string,
and a splitter that works on text breaks such payloads.
"""

from __future__ import annotations

import re
from typing import Final

MAX_EVENT: Final = 1 << 20
KEEP_ALIVE: Final = b": keep-alive\n\n"

_BOM: Final = b"\xef\xbb\xbf"
# A blank line: a line end that follows a line end. CR followed by LF is one line end.
_BLANK: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_PLAIN: Final = b"data: {"


class Splitter:
    """Cuts a byte stream into whole events, each with the blank line that ends it.

    `fault` is set once the stream can no longer be trusted (an event over `MAX_EVENT`, bytes that
    are no UTF-8); the events before the fault are still given out, nothing after it.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        # the next byte begins an event, and lines have ended with LF alone
        self.plain = True
        self._rest = b""
        self._carriage_returns = False

    def feed(self, data: bytes) -> list[bytes]:
        """The events that `data` completes. They and the rest still held make up all bytes fed."""
        if self.fault is not None:
            return []
        if b"\r" in data:
            self._carriage_returns = True
        elif not self._rest and len(data) - 2 == data.find(b"\n\n") >= 0 and _passes(data):
            return [data]  # one event, whole: how a paced stream comes
        if self._rest:
            data = self._rest + data
        if self._carriage_returns:
            events = self._split_at_any_line_end(data)
        else:
            events = data.split(b"\n\n")
            self._rest = events.pop()
            events = [event + b"\n\n" for event in events]
        self.plain = not self._rest and not self._carriage_returns
        return events if _passes(data) else self._checked(events)

    def put_back(self, event: bytes) -> None:
        """An event that was given out, to come again with the one behind it."""
        self._rest = event + self._rest
        self.plain = False

    def close(self) -> bytes:
        """What is left when the stream has ended: an event without its blank line, or nothing."""
        rest, self._rest = self._rest, b""
        return b"".join(self._checked([rest])) if rest.strip() else b""

    def _split_at_any_line_end(self, data: bytes) -> list[bytes]:
        events = []
        start = 0
        for blank in _BLANK.finditer(data):
            end = blank.end()
            # A CR that is the last byte so far may be the first half of CRLF; after a lone CR the
            # stream ends its lines with CR and nothing more is coming.
            if end == len(data) and data.endswith(b"\r") and blank.group() != b"\r\r":
                break
            events.append(data[start:end])
            start = end
        self._rest = data[start:]
        return events

    def _checked(self, events: list[bytes]) -> list[bytes]:
        for at, event in enumerate(events):
            if len(event) > MAX_EVENT:
                self.fault = "an event is larger than 1 MiB"
            elif not _is_utf8(event):
                self.fault = "an event is not UTF-8"
            if self.fault is not None:
                self._rest = b""
                return events[:at]
        if len(self._rest) > MAX_EVENT:
            self.fault = "an event is larger than 1 MiB"
        return events


def parse(event: bytes) -> tuple[bytes, bytes]:
    """Name and data of one event; data is empty for a comment, a blank line or a bare `retry:`."""
    if event.startswith(_PLAIN) and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return b"", event[6:-2]
    name = b""
    data: list[bytes] = []
    for line in _LINE_END.split(event.removeprefix(_BOM)):
        field, _, value = line.partition(b":")
        if field == b"data":
            data.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return name, b"\n".join(data)


def event(name: str, data: bytes) -> bytes:
    """One event of our own; `data` is a single line."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def data_event(data: bytes) -> bytes:
    """One event without a name, as Chat Completions has them."""
    return b"data: %b\n\n" % data


def ended(event: bytes) -> bytes:
    """The event with the blank line that a stream may leave out at its end."""
    return event.rstrip(b"\r\n") + b"\n\n"


def _passes(data: bytes) -> bool:
    """Whether nothing in `data` has to be checked event by event."""
    return len(data) <= MAX_EVENT and data.isascii()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
