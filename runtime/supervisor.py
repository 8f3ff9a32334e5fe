"""Several workers on one port: started, watched, replaced when they die, stopped together.

Each worker listens for itself (SO_REUSEPORT), so the supervisor never touches a request.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

from runtime import log
from runtime.link import VARIABLE
from runtime.main import CANNOT_RUN, Options

_TICK = 0.2  # seconds
_STARTING = 20.0  # seconds a worker may take to serve
_SILENT = 5.0  # seconds without a beat, then a worker counts as hung
_SHORT_LIFE = 10.0  # seconds; a worker that dies younger is restarted ever more slowly
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0
_GRACE = 10.0  # seconds beyond the drain, then workers are killed


def supervise(options: Options) -> int:
    """Runs the workers until asked to stop. Returns the exit code, or raises CannotRun."""
    log.configure(options.log)
    reserved = _reserve(options)
    options = replace(options, port=reserved.getsockname()[1])
    with reserved:
        return Supervisor(options).run()


class Slot:
    """The place of one worker, whoever fills it now."""

    def __init__(self, number: int, options: Options) -> None:
        self.number = number
        self.banner = ""
        self.served = False  # since it was last started
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._born = self._heard = 0.0
        self._short_lives = 0
        self._restart_at = 0.0

    def start(self) -> None:
        """Fills the place with a new process."""
        ours, theirs = socket.socketpair()
        arguments = replace(self._options, workers=1).arguments()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "runtime", *arguments],
                env={**os.environ, VARIABLE: str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                start_new_session=False,
            )
        ours.setblocking(False)
        self._link = ours
        self._born = self._heard = time.monotonic()
        self.served = False

    def tend(self, now: float) -> int | None:
        """Listens, replaces what died, kills what hangs. Returns the exit code of a death."""
        if self._process is None:
            if now >= self._restart_at:
                self.start()
            return None
        self._listen(now)
        if (code := self._process.poll()) is not None:
            self._died(code, now)
            return code
        if now - self._heard > (_SILENT if self.served else _STARTING):
            log.log("error", "worker-hung", worker=self.number, pid=self._process.pid)
            self._process.kill()
        return None

    def signal(self, number: int) -> None:
        """Passes a signal on."""
        if self._process is not None:
            self._process.send_signal(number)

    def gone(self) -> bool:
        """Whether no process is left here."""
        return self._process is None or self._process.poll() is not None

    def fileno(self) -> int:
        """What to wait on; -1 while there is no process."""
        return self._link.fileno() if self._link is not None else -1

    def _listen(self, now: float) -> None:
        if self._link is None:
            return
        try:
            data = self._link.recv(4096)
        except OSError:
            return
        if data:
            self._heard = now
            if not self.served:
                self.served, self.banner = True, data.decode().strip() + "\n"
        else:  # it is dying: the exit code comes in a moment
            self._link.close()
            self._link = None

    def _died(self, code: int, now: float) -> None:
        lived = now - self._born
        self._short_lives = self._short_lives + 1 if lived < _SHORT_LIFE else 0
        delay = min(_FIRST_DELAY * 2**self._short_lives, _LONGEST_DELAY)
        self._restart_at = now + delay
        self._process = None
        if self._link is not None:
            self._link.close()
            self._link = None
        log.log("error", "worker-died", worker=self.number, exit_code=code, seconds=delay)


class Supervisor:
    """All slots, and the signals that end them."""

    def __init__(self, options: Options) -> None:
        self._slots = [Slot(n, options) for n in range(1, options.workers + 1)]
        self._drain = options.drain
        self._stop_by: float | None = None
        self._announced = False

    def run(self) -> int:
        """Until all workers have ended. Returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while self._stop_by is None:
            if any(self._dead_on_arrival(slot) for slot in self._slots):
                self._stop(signal.SIGTERM, None)
                self._wait()
                return CANNOT_RUN
            self._announce()
            _wait_for_any(self._slots)
        self._wait()
        return 0

    def _dead_on_arrival(self, slot: Slot) -> bool:
        """A worker that cannot run will not run next time either."""
        return slot.tend(time.monotonic()) == CANNOT_RUN and not slot.served

    def _announce(self) -> None:
        if not self._announced and all(slot.served for slot in self._slots):
            self._announced = True
            sys.stdout.write(self._slots[0].banner)
            sys.stdout.flush()

    def _stop(self, number: int, _: object) -> None:
        self._stop_by = time.monotonic() + self._drain + _GRACE
        for slot in self._slots:
            slot.signal(signal.SIGTERM)

    def _wait(self) -> None:
        assert self._stop_by is not None  # noqa: S101 - we were asked to stop
        while not all(slot.gone() for slot in self._slots):
            if time.monotonic() > self._stop_by:
                for slot in self._slots:
                    slot.signal(signal.SIGKILL)
            time.sleep(_TICK / 4)
        log.flush()


def _wait_for_any(slots: list[Slot]) -> None:
    """Until a worker says something or dies, or a moment has passed."""
    links = [slot for slot in slots if slot.fileno() >= 0]
    select.select(links, [], [], _TICK)


def _reserve(options: Options) -> socket.socket:
    """Holds the port for the workers; it fails where another process has it. Never listens."""
    from runtime.worker import bind

    bind(options.host, options.port, shared=False).close()
    return bind(options.host, options.port, shared=True)
