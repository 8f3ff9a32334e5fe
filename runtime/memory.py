"""How the process keeps memory: what the C library gives back, and how often garbage is looked for.

It knows nothing of what the memory holds.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_LARGEST_KEPT = 4 * 1024 * 1024  # bytes; larger blocks go back to the kernel when freed
_MOST_KEPT = 32 * 1024 * 1024

# With 64 requests under way Python's 700 means a collection every few requests, which finds
# nothing and costs 3 % of a small request. Nothing on the way of a request is a cycle, and what
# others leave (an exception that holds its frame) is still found within some hundred of them.
_YOUNG_OBJECTS = 10_000
_TURN = 0.001  # seconds a thread computes while another waits; Python's own is five times that


def keep_freed_blocks() -> None:
    """Tunes the C library's allocator, where it is one that can be told (glibc).

    By default glibc gives each freed block of 128 KiB and more back to the kernel, and every body
    of an agent is one: mapping it anew costs more CPU than reading it from the socket does.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, _MOST_KEPT)


def collect_seldom() -> None:
    """Sets everything that lives as long as the process aside, and looks for garbage seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
    gc.enable()


@contextmanager
def undisturbed() -> Iterator[None]:
    """For a thread that makes much that will stay, while others answer requests.

    They get their turn sooner, and no search for garbage walks through it, now or later.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
        sys.setswitchinterval(interval)
