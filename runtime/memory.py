"""How the process keeps memory: freed request bodies stay with it for the next ones.

By default glibc gives each freed block of 128 KiB and more back to the kernel, and every body of an
agent is one: mapping it anew costs more CPU than reading it from the socket does.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_KEPT = 4 * 1024 * 1024  # bytes; larger blocks go back to the kernel when freed
_MOST_KEPT = 32 * 1024 * 1024


def keep_freed_blocks() -> None:
    """Tunes the C library's allocator, where it is one that can be told (glibc)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)
