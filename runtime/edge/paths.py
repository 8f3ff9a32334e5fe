"""The paths callers may write, brought into one form. It knows no handler."""

from __future__ import annotations

from functools import lru_cache

# Client configurations end their base URL in different places, so all of these mean the same.
_PREFIXES = (b"/api", b"/anthropic", b"/openai")
_VERSION = b"/v1"
# The first segment of every path that has its place under /v1.
_VERSIONED = frozenset(
    {b"chat", b"responses", b"messages", b"models", b"codex", b"usage", b"completions"}
)
_DIALECTS = {b"chat": "chat", b"responses": "responses", b"messages": "messages"}


@lru_cache(maxsize=512)
def normalise(path: bytes) -> bytes:
    """One form for a prefix (/api, /anthropic, /openai), none to two /v1 and a trailing slash."""
    for prefix in _PREFIXES:
        if path != (rest := _without(path, prefix)):
            path = rest
            break
    bare = _without(_without(path, _VERSION), _VERSION)
    if bare.endswith(b"/") and len(bare) > 1:
        bare = bare[:-1]
    if bare.startswith(b"/v1/"):
        return path  # one too many: nothing is there
    return _VERSION + bare if _first_segment(bare) in _VERSIONED else bare or b"/"


def dialect_of(path: bytes) -> str | None:
    """The dialect spoken at a normalised path; None where no dialect is."""
    if not path.startswith(b"/v1/"):
        return None
    return _DIALECTS.get(_first_segment(path[3:]))


def _without(path: bytes, prefix: bytes) -> bytes:
    if path == prefix:
        return b"/"
    return path[len(prefix) :] if path.startswith(prefix + b"/") else path


def _first_segment(path: bytes) -> bytes:
    return path[1:].partition(b"/")[0]
