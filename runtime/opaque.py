"""Opaque state on its way through a caller of another dialect: wrapped, so that it can come back.

A signature or an encrypted reasoning item means something to its maker only. A caller of another
dialect has one field for such state; there it gets an envelope that says whose it is. On the way
back the envelope is opened for that continuity domain alone. Nothing is ever made up.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Any, Final

import msgspec

from runtime.events import Opaque

# Begins every envelope; no provider's own state does.
MARK: Final = "il1."
# Stands where thinking was made behind a bridge and came without state: its own dialect's targets
# would take it for theirs, and refuse it.
UNSEALED: Final = f"{MARK}-"
_QUOTED_MARK: Final = f'"{MARK}'.encode()


class _Envelope(msgspec.Struct, frozen=True, array_like=True):
    domain: str
    dialect: str
    data: dict[str, Any]


_DECODER: Final = msgspec.json.Decoder(_Envelope)


def wrap(opaque: Opaque, domain: str) -> str:
    """The envelope: text of letters that every dialect carries."""
    envelope = _Envelope(_tag(domain), opaque.dialect, dict(opaque.data))
    return MARK + base64.urlsafe_b64encode(msgspec.json.encode(envelope)).decode()


def unwrap(text: str, domain: str) -> Opaque | None:
    """What an envelope of this domain holds; None for one of another domain, or for no envelope."""
    if not text.startswith(MARK):
        return None
    try:
        envelope = _DECODER.decode(base64.urlsafe_b64decode(text[len(MARK) :]))
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError):
        return None
    if envelope.domain != _tag(domain):
        return None
    return Opaque(envelope.dialect, envelope.data)


def is_wrapped(text: str) -> bool:
    """Whether this is state of another dialect than its body's."""
    return text.startswith(MARK)


def holds_wrapped(raw: msgspec.Raw) -> bool:
    """Whether JSON is, or holds, such state."""
    return _QUOTED_MARK in bytes(raw)


def _tag(domain: str) -> str:
    """The domain without its name, which is private to the deployment."""
    return blake2b(domain.encode(), digest_size=6).hexdigest()
