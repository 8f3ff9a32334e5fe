"""Which images and files a request may bring: the rule for URLs, and the head of inline data.

It fetches nothing and resolves nothing, so a name is judged by its spelling alone and an address
only where it stands in the URL itself. It knows no dialect.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

import msgspec

from runtime.errors import CallerError

MAX_URL_BYTES: Final = 8 * 1024
DOCUMENT_TYPES: Final = ("application/pdf", "text/plain")

# Strict on purpose: whoever fetches the URL may parse leniently, so nothing that two parsers
# read in two ways may pass (RFC 3986 without userinfo, fragment, or an empty authority or port).
_URL: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::([0-9]+))?"
    r"(?:[/?][!-~]*)?"
)
_FORBIDDEN: Final = re.compile(r"[^!-~]|[\\#]")
# RFC 1035 labels; the last one begins with a letter, so no spelling of an address is a name.
_NAME: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_MAX_NAME: Final = 253
_PORTS: Final = {"https": "443", "http": "80"}

_LOCAL_ZONES: Final = (
    ".localhost",
    ".local",
    ".internal",
    ".localdomain",
    ".home.arpa",
    ".lan",
    ".intranet",
    ".corp",
    ".svc",
)
_METADATA_NAMES: Final = frozenset(
    (
        "metadata.goog",
        "metadata.azure.com",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
        "kubernetes.default",
    )
)

# Not public although `is_global` says so in some Python versions, or a door to what is not.
_DENIED_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",
            "168.63.129.16/32",
            "192.0.0.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "240.0.0.0/4",
        ),
    )
)
_DENIED_V6: Final = tuple(
    map(
        IPv6Network,
        ("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10"),
    )
)


def url_allowed(url: str, schemes: tuple[str, ...]) -> bool:
    """Whether a caller may make somebody fetch this URL."""
    if len(url) > MAX_URL_BYTES or _FORBIDDEN.search(url):
        return False
    match = _URL.fullmatch(url)
    if match is None:
        return False
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    if scheme not in schemes or scheme not in _PORTS:
        return False
    return port in (None, _PORTS[scheme]) and _host_allowed(host)


def _host_allowed(host: str) -> bool:
    if host.startswith("["):
        return _v6_allowed(host[1:-1])
    if host.replace(".", "").isdigit():
        return _v4_allowed(host)
    name = host.removesuffix(".")
    if len(name) > _MAX_NAME or _NAME.fullmatch(name) is None:
        return False
    return not name.endswith(_LOCAL_ZONES) and name not in _METADATA_NAMES


def _v4_allowed(host: str) -> bool:
    try:
        address = IPv4Address(host)
    except ValueError:
        return False
    return _public_v4(address)


def _v6_allowed(host: str) -> bool:
    try:
        address = IPv6Address(host)
    except ValueError:
        return False
    if address.ipv4_mapped is not None:
        return _public_v4(address.ipv4_mapped)
    denied = any(address in network for network in _DENIED_V6)
    return address.is_global and not address.is_multicast and not denied


def _public_v4(address: IPv4Address) -> bool:
    denied = any(address in network for network in _DENIED_V4)
    return address.is_global and not address.is_multicast and not denied


class Inline(msgspec.Struct, frozen=True):
    """A `data:` URL without its payload: declared media type and decoded size in bytes."""

    media_type: str
    size: int


_HEAD_BYTES: Final = 256


def read_data_url(text: memoryview) -> Inline | None:
    """Head and size of a data URL, given as a JSON string with its quotes; None if it is none.

    The payload is not copied: it may be most of the request.
    """
    head = bytes(text[1:_HEAD_BYTES]).replace(b"\\/", b"/")
    if head[:5].lower() != b"data:":
        return None
    meta, comma, _ = head.partition(b",")
    words = meta[5:].decode("latin-1").lower().split(";")
    if not comma or words[-1].strip() != "base64":
        return Inline("", 0)
    return Inline(words[0].strip(), base64_size(text, len(meta) + 1))


def base64_size(text: memoryview, start: int = 0) -> int:
    """Decoded size of base64 that ends a JSON string, given with its quotes."""
    length = max(len(text) - 2 - start, 0)
    return length * 3 // 4 - bytes(text[-3:-1]).count(b"=")


def rejected(message: str, where: str) -> CallerError:
    """The error for an image or file that may not travel."""
    return CallerError("image-rejected", message, param=where)


def url_rejected(where: str) -> CallerError:
    """One text for every refused URL: a caller learns the rule, not what lies behind a name."""
    return rejected(
        "The URL of this image or file is not allowed. Use a public host name over https on the "
        "standard port, without credentials or fragment, or send the data inline.",
        where,
    )
