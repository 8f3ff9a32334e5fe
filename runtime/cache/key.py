"""What makes two requests the same to the response cache. It judges none of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

# Of a caller's headers the ones that change an answer.
_HEADERS: Final = (b"anthropic-version", b"anthropic-beta")


def _as_spelt(number: str) -> Any:
    """Two numbers that a float cannot tell apart are still two requests."""
    return msgspec.Raw(number.encode())


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of a repeated member an upstream may take another one than we would."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


# Not msgspec's: it keeps the last of equal members in silence.
_BODY: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_float=_as_spelt, parse_constant=_no_number
)
_SORTED: Final = msgspec.json.Encoder(order="sorted")


def key_of(
    digest: str,
    project: str,
    group: str,
    surface: str,
    headers: Mapping[bytes, bytes],
    body: bytes,
) -> bytes | None:
    """The key of a request to this artifact, of 32 bytes; None for a body that has none."""
    if (canonical := _canonical(body)) is None:
        return None
    names = [part.encode() for part in (digest, project, group, surface)]
    return _digest([*names, *(headers.get(name, b"") for name in _HEADERS), canonical])


def _canonical(body: bytes) -> bytes | None:
    """The same bytes for all spellings of one JSON value: order of keys, spaces, escapes.

    None for what has no one meaning: a member that stands twice, half a surrogate pair.
    """
    try:
        return _SORTED.encode(_BODY.decode(body.decode()))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _digest(parts: Iterable[bytes]) -> bytes:
    """Each part behind its length, so that no two lists of parts are the same bytes."""
    found = sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()
