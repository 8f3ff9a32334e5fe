"""The numbers of the upstream leg that no YAML sets."""

from __future__ import annotations

from typing import Final

MAX_IDLE: Final = 256  # connections an origin keeps for later; in use there is no bound
IDLE_EXPIRY: Final = 60.0  # seconds a connection may wait for its next request
MAX_QUEUED: Final = 256 * 1024  # unread bytes after which the upstream has to wait

# What a released answer may still bring before its connection is given up instead of kept.
MAX_DISCARDED: Final = 64 * 1024
DISCARD_SECONDS: Final = 1.0
