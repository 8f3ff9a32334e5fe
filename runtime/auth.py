"""Who is asking: a router token, looked up by its id and proven by its digest."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Protocol

from runtime.errors import CallerError
from runtime.vocabulary import Caller, Token

_LONGEST = 512
# rtr_<org>_<user>_<project>_<env>_<key>_<secret>
_TOKEN = re.compile(rb"rtr(?:_[a-z0-9-]+){5}_[A-Za-z0-9]{27,}")
_NO_DIGEST = "0" * 64
_HOW = "Send a router token (rtr_...) as `Authorization: Bearer` or `x-api-key`."
_ASK = "Ask the router's admin for a new token."
_FOREIGN = ((b"sk-ant-", "an Anthropic API key"), (b"sk-", "an OpenAI API key"))


class Holders(Protocol):
    """The part of an artifact that says who may ask."""

    @property
    def callers(self) -> Mapping[str, Caller]:
        """By caller id."""

    @property
    def tokens(self) -> Mapping[str, Token]:
        """By token id."""


def authenticate(
    artifact: Holders, headers: Mapping[bytes, bytes], today: dt.date
) -> tuple[str, Caller]:
    """The token's id and its caller. Raises CallerError with 401 or 403."""
    secret = _credential(headers)
    token_id, token = _proven(artifact.tokens, secret)
    caller = artifact.callers[token.caller]
    for holder, what in ((token, "token"), (caller, "caller")):
        if holder.status != "active":
            raise CallerError("key-disabled", f"This {what} is disabled. {_ASK}")
        if holder.expires is not None and today.isoformat() > holder.expires:
            raise CallerError("key-expired", f"This {what} expired after {holder.expires}. {_ASK}")
    return token_id, caller


def _credential(headers: Mapping[bytes, bytes]) -> bytes:
    """What was sent as key, in either header; a router token wins over anything else."""
    found = []
    words = headers.get(b"authorization", b"").split(maxsplit=1)
    if len(words) == 2 and words[0].lower() == b"bearer":
        found.append(words[1].strip())
    found.append(headers.get(b"x-api-key", b"").strip())
    for credential in found:
        if credential.startswith(b"rtr_"):
            return credential
    credential = next(filter(None, found), b"")
    raise CallerError("invalid-api-key", _why_not(credential))


def _why_not(credential: bytes) -> str:
    for prefix, what in _FOREIGN:
        if credential.startswith(prefix):
            return f"This is {what}; the router does not take it. {_HOW}"
    return f"{'This is no router token' if credential else 'No token was sent'}. {_HOW}"


def _proven(tokens: Mapping[str, Token], secret: bytes) -> tuple[str, Token]:
    if len(secret) > _LONGEST or _TOKEN.fullmatch(secret) is None:
        raise _unknown()
    token_id = secret.rpartition(b"_")[0].decode()
    token = tokens.get(token_id)
    # The same work is done for an unknown id as for a wrong secret.
    digest = hashlib.sha256(secret).hexdigest()
    expected = token.sha256 if token is not None else _NO_DIGEST
    if not hmac.compare_digest(digest, expected) or token is None:
        raise _unknown()
    return token_id, token


def _unknown() -> CallerError:
    return CallerError(
        "invalid-api-key", f"This router token is not known here. Check that it is whole. {_HOW}"
    )
