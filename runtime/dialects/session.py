"""Which conversation a request belongs to, so that its turns stay with one target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec

from runtime.dialects.parts import Content, texts

# First come, first served: what a client says of the session outweighs what it says of a cache.
_HEADERS: Final = (
    b"x-claude-code-session-id",
    b"thread-id",
    b"x-session-id",
    b"x-session-affinity",
)
_MAX_KEY: Final = 256
# Characters of each opening text that tell conversations apart, together with its length.
_TELLING: Final = 2048
_SYSTEM_ROLES: Final = ("system", "developer")
# Claude Code before JSON user ids: user_<hash>_account_<uuid>_session_<uuid>
_SESSION_MARK: Final = "_session_"


def session_key(
    headers: Mapping[bytes, bytes],
    prompt_cache_key: str | None,
    user_id: str | None,
    opening: Iterable[str],
) -> str | None:
    """The first key there is, else a digest of how the conversation opens, else None."""
    for name in _HEADERS:
        value = headers.get(name)
        if value:
            return value.decode("latin-1").strip()[:_MAX_KEY]
    if prompt_cache_key:
        return prompt_cache_key[:_MAX_KEY]
    if user_id and (session := _session_in(user_id)):
        return session[:_MAX_KEY]
    return _digest(opening)


class Turn(Protocol):
    """A message of any dialect."""

    @property
    def role(self) -> str | None: ...
    @property
    def content(self) -> Content: ...


def opening(turns: Iterable[Turn]) -> list[str]:
    """Leading system texts and the first user message: what no later turn changes."""
    found: list[str] = []
    leading = True
    for turn in turns:
        if turn.role == "user":
            return found + texts(turn.content)
        if turn.role in _SYSTEM_ROLES and leading:
            found += texts(turn.content)
        else:
            leading = False
    return found


def _session_in(user_id: str) -> str | None:
    """The session inside a `metadata.user_id`: a JSON object, or a name with a mark in it."""
    if user_id.startswith("{"):
        try:
            known: Any = msgspec.json.decode(user_id)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        session = known.get("session_id")
        return session if isinstance(session, str) else None
    return user_id.partition(_SESSION_MARK)[2] or None


def _digest(opening: Iterable[str]) -> str | None:
    digest, empty = blake2b(digest_size=16), True
    for text in opening:
        empty = empty and not text
        digest.update(f"{len(text)}:{text[:_TELLING]}".encode(errors="replace"))
    return None if empty else digest.hexdigest()
