"""The head of a request, read strictly. It knows no body and no connection.

llhttp (under httptools) does the grammar; what it leaves open and request smuggling lives on is
refused here. A head is read alone, so nothing behind it is ever taken for a part of it.
"""

from __future__ import annotations

import re
from typing import Any

import httptools

from runtime.edge.paths import normalise
from runtime.errors import CallerError, RouterError

MAX_HEAD = 16 * 1024
MAX_HEADERS = 100
MAX_URL = 8 * 1024
_MAX_DIGITS = 18

# What may stand once only: a second one is read differently by different servers.
_SINGLE = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-type",
        b"content-encoding",
        b"authorization",
        b"x-api-key",
        b"expect",
    }
)
# A line break that is not CRLF, or NUL: no later byte can make such a head right.
_HOPELESS = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\x00")
_REQUEST_LINE = re.compile(rb"[A-Z]+ [!-~]+ HTTP/1\.([01])\r\n")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# A length that is spelled so, as the last head was: which digits it has changes nothing else.
_LENGTH_LINE = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: ([0-9]{1,18})\r\n")
_HOST = re.compile(
    rb"[A-Za-z0-9._~%!$&'()*+,;=-]+(?::[0-9]{0,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)


class Head:
    """Method, target, headers and what they say of body and connection.

    `read` raises CallerError; the fields filled until then stand, so that the answer can be in the
    dialect of the path. `known` is for what handlers find out of calls with this very head.
    """

    __slots__ = (
        "chunked",
        "expects_continue",
        "headers",
        "keep_alive",
        "known",
        "length",
        "method",
        "path",
        "query",
        "request_id",
        "target",
        "twice",
        "version",
    )

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.path = b""
        self.query = b""
        self.version = "1.1"
        self.headers: dict[bytes, bytes] = {}
        self.twice = b""
        self.length: int | None = None
        self.chunked = False
        self.expects_continue = False
        self.keep_alive = True
        self.request_id: str | None = None  # the caller's own, where it gave one fit for a log
        self.known: dict[object, Any] = {}

    def read(self, data: bytes) -> None:
        """Fills the fields from a head, CRLF CRLF included."""
        parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # we offer no upgrade; the router decides what such a request gets
        except httptools.HttpParserError as exc:
            raise malformed("the request head is not valid HTTP/1.1") from exc
        self.method = parser.get_method()
        self._check(data)
        given = self.headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            self.request_id = given.decode()

    # --- callbacks of the parser ---------------------------------------------------------------

    def on_url(self, target: bytes) -> None:
        """The request target."""
        self.target = target
        path, _, self.query = target.partition(b"?")
        self.path = normalise(path)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header line."""
        name = name.lower()
        if name not in self.headers:
            self.headers[name] = value
        elif name in _SINGLE:
            self.twice = name
        else:  # several lines of one list: the same as one line with commas
            self.headers[name] += b", " + value

    # --- what the grammar leaves open ----------------------------------------------------------

    def _check(self, data: bytes) -> None:
        headers = self.headers
        if len(self.target) > MAX_URL:
            raise CallerError("uri-too-long", "Shorten the URL: at most 8 KiB are read.")
        if data.count(b"\n") > MAX_HEADERS + 2:
            raise CallerError("headers-too-large", "Send at most 100 request headers.")
        if (request_line := _REQUEST_LINE.match(data)) is None:
            raise malformed("the request line is not `METHOD target HTTP/1.1`")
        if request_line[1] == b"0":
            self.version = "1.0"
        if self.twice:
            raise malformed(f"the header `{self.twice.decode()}` stands twice")
        self._check_host()
        if not self.target.startswith(b"/") or b"#" in self.target:
            raise malformed("the request target is not a path")
        if b"transfer-encoding" in headers:
            self._check_transfer_encoding()
        elif (length := headers.get(b"content-length")) is not None:
            self.length = _length(length)
        self._read_options()

    def _check_host(self) -> None:
        host = self.headers.get(b"host")
        if host is None:
            if self.version == "1.1":
                raise malformed("the header `host` is missing")
        elif host and not _HOST.fullmatch(host.strip(b" \t")):
            raise malformed("the header `host` is not a host name")

    def _check_transfer_encoding(self) -> None:
        if b"content-length" in self.headers:
            raise malformed("`content-length` and `transfer-encoding` exclude each other")
        if self.version != "1.1":
            raise malformed("HTTP/1.0 knows no `transfer-encoding`")
        if self.headers[b"transfer-encoding"].strip(b" \t").lower() != b"chunked":
            raise malformed("`chunked` is the only `transfer-encoding` accepted")
        self.chunked = True

    def _read_options(self) -> None:
        headers = self.headers
        encoding = headers.get(b"content-encoding", b"identity")
        if encoding.strip(b" \t").lower() not in (b"identity", b""):
            raise CallerError(
                "unsupported-media-type", "Send the body uncompressed, without content-encoding."
            )
        if (expect := headers.get(b"expect")) is not None:
            if expect.strip(b" \t").lower() != b"100-continue":
                raise malformed("100-continue is the only expectation that can be met", status=417)
            self.expects_continue = self.version == "1.1"
        connection = headers.get(b"connection", b"").lower()
        self.keep_alive = self.version == "1.1" and b"close" not in connection


class LastHead:
    """The last good head of a connection: a client that keeps one sends the same head each time,
    but for the length of its body. To read that alone saves 5 us of a small request's 65.
    """

    __slots__ = ("_around", "_head")

    def __init__(self) -> None:
        self._head: Head | None = None
        self._around = (b"", b"")

    def keep(self, head: Head, data: bytes) -> None:
        """Remembers a head that was found good."""
        if (line := _LENGTH_LINE.search(data)) is not None:
            self._head, self._around = head, (data[: line.start(1)], data[line.end(1) :])

    def again(self, data: bytes) -> Head | None:
        """The same head with the length in `data`; None for any other, which is to be read.

        The call it was made for before has ended: a connection has one at a time.
        """
        head = self._head
        before, behind = self._around
        if head is None or not data.startswith(before) or not data.endswith(behind):
            return None
        digits = data[len(before) : len(data) - len(behind)]
        if not digits.isdigit() or len(digits) > _MAX_DIGITS:
            return None
        head.headers[b"content-length"] = digits
        head.length = int(digits)
        return head


def malformed(reason: str, status: int = 400) -> CallerError:
    """The refusal of a request that is not HTTP as we read it."""
    return CallerError(
        "invalid-request", f"Malformed HTTP request: {reason}. Fix the client.", status=status
    )


def hopeless(data: bytes) -> RouterError | None:
    """Why a head whose end has not come yet can be refused already; None while it may be good."""
    if len(data) > MAX_URL and b" HTTP/" not in data[: MAX_URL + 32]:
        return CallerError("uri-too-long", "Shorten the URL: at most 8 KiB are read.")
    if len(data) > MAX_HEAD:
        return CallerError("headers-too-large", "Send at most 16 KiB of request head.")
    if _HOPELESS.search(data):
        return malformed("a line does not end in CRLF, or holds NUL")
    return None


def _length(value: bytes) -> int:
    value = value.strip(b" \t")
    if not value.isdigit() or len(value) > _MAX_DIGITS:
        raise malformed("`content-length` is not a number")
    return int(value)
