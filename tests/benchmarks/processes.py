"""What a process tree costs: CPU seconds and memory, read from /proc."""

from __future__ import annotations

import time
from pathlib import Path

# Which clock of a process: the one its scheduler keeps, see clock_getcpuclockid(3). The times in
# `stat` are whole hundredths of a second, 3 % of a paced cell.
_SCHEDULED = 2
_KB_PER_MB = 1024


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += map(int, children.read_text().split())
            except OSError:  # the thread has ended since
                continue
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree, to the nanosecond; ended children are not in it."""
    used = 0.0
    for member in tree(pid):
        try:
            used += time.clock_gettime(~member << 3 | _SCHEDULED)
        except OSError:  # it has ended since
            continue
    return used


def memory_mb(pid: int) -> float:
    """Resident memory of the tree; pages that processes share count once for each."""
    kilobytes = 0
    for member in tree(pid):
        for line in Path(f"/proc/{member}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                kilobytes += int(line.split()[1])
    return kilobytes / _KB_PER_MB
