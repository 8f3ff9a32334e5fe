"""How far a long command is, for a person at a terminal; nothing in a pipe, nothing when short."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress

SECONDS: Final = 2.0  # until a person wonders


@contextmanager
def waiting(
    what: str, steps: int | None = None, *, after: float = SECONDS
) -> Iterator[Callable[[], None]]:
    """Shows on stderr that something moves, once it took `after` seconds, and takes it away.

    Yields what to call after each of the `steps`; without their number the bar only moves.
    """
    if not sys.stderr.isatty():
        yield _nobody_looks
        return
    bar = _Bar(what, steps)
    timer = Timer(after, bar.show)
    timer.daemon = True
    timer.start()
    try:
        yield bar.step
    finally:
        timer.cancel()
        bar.close()


def _nobody_looks() -> None:
    """The step of a command in a pipe."""


class _Bar:
    """Shown by a timer, moved and closed by the command: the lock keeps a closed one closed."""

    def __init__(self, what: str, steps: int | None) -> None:
        self._what, self._steps, self._done = what, steps, 0
        self._progress: Progress | None = None
        self._closed = False
        self._lock = Lock()

    def show(self) -> None:
        # Loading rich takes a tenth of the time of a small build, which never comes here.
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        text = TextColumn("{task.description}")
        counted = () if self._steps is None else (MofNCompleteColumn(),)
        console = Console(stderr=True)
        with self._lock:
            if self._closed:
                return
            progress = Progress(text, BarColumn(), *counted, console=console, transient=True)
            progress.add_task(escape(self._what), total=self._steps, completed=self._done)
            progress.start()
            self._progress = progress

    def step(self) -> None:
        with self._lock:
            self._done += 1
            if self._progress is not None:
                self._progress.advance(self._progress.task_ids[0])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._progress is not None:
                self._progress.stop()
