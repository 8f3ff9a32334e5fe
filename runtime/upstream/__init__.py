"""The upstream leg: requests to providers, answers back, and nothing of dialects or routing.

    Upstreams ── a leg per provider: its credential, its request heads, its transport
      ├─ FastTransport   asyncio + httptools, keep-alive pool per origin (the default)
      └─ any httpx transport: AsyncHTTPTransport (`transport: httpx`), MockTransport in tests
    Answer ── status, headers, and the body as it arrives

The only package that imports httpx. Faults are httpx's own exceptions, all of them
`TransportError`s; a header that must not be sent is a `LocalProtocolError`:

    ConnectError, ConnectTimeout      no connection: refused, no such host, TLS
    ReadTimeout                       no head, no next byte, or no end in time
    ReadError, WriteError             the connection broke
    RemoteProtocolError               not HTTP as we accept it, or cut short
"""

from runtime.upstream.answer import Answer
from runtime.upstream.door import httpx
from runtime.upstream.keys import MissingKeys
from runtime.upstream.transport import FastTransport
from runtime.upstream.upstreams import Upstreams

TransportError = httpx.TransportError
TimeoutException = httpx.TimeoutException
ConnectError = httpx.ConnectError
ConnectTimeout = httpx.ConnectTimeout
ReadTimeout = httpx.ReadTimeout
ReadError = httpx.ReadError
WriteError = httpx.WriteError
RemoteProtocolError = httpx.RemoteProtocolError
LocalProtocolError = httpx.LocalProtocolError

__all__ = [
    "Answer",
    "ConnectError",
    "ConnectTimeout",
    "FastTransport",
    "LocalProtocolError",
    "MissingKeys",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "TimeoutException",
    "TransportError",
    "Upstreams",
    "WriteError",
]
