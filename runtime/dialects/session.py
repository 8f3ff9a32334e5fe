"""Which conversation a request belongs to, so that its turns stay with one target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final, Protocol

import msgspec

from runtime.dialects.parts import Carried, texts

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
) -> str | None:
    """The first key a client gives; None where it gives none."""
    for name in _HEADERS:
        value = headers.get(name)
        if value:
            return value.decode("latin-1").strip()[:_MAX_KEY]
    if prompt_cache_key:
        return prompt_cache_key[:_MAX_KEY]
    if user_id and (session := _session_in(user_id)):
        return session[:_MAX_KEY]
    return None


class Turn(Protocol):
    """A message of any dialect."""

    @property
    def role(self) -> str | None: ...
    @property
    def content(self) -> Carried: ...


def opening(turns: Iterable[Turn], before: Carried = None) -> tuple[Carried, ...]:
    """`before`, the leading system texts and the first user message: what no later turn changes."""
    found = [before]
    leading = True
    for turn in turns:
        if turn.role == "user":
            found.append(turn.content)
            break
        if turn.role in _SYSTEM_ROLES and leading:
            found.append(turn.content)
        else:
            leading = False
    return tuple(found)


def digest(opening: Iterable[Carried]) -> str | None:
    """A session key made of how the conversation opens; None where it opens with nothing."""
    digest, empty = blake2b(digest_size=16), True
    for content in opening:
        for text in texts(content):
            empty = empty and not text
            digest.update(f"{len(text)}:{text[:_TELLING]}".encode(errors="replace"))
    return None if empty else digest.hexdigest()


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
