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
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from runtime import log
from runtime.address import bind
from runtime.link import VARIABLE
from runtime.main import CANNOT_RUN, LOOPBACK, Options
from runtime.metrics import peers

_TICK = 0.2  # seconds
_STARTING = 20.0  # seconds a worker may take to serve
_SILENT = 5.0  # seconds without a beat, then a worker counts as hung
_SHORT_LIFE = 10.0  # seconds; a worker that dies younger is restarted ever more slowly
_FIRST_DELAY, _LONGEST_DELAY = 0.1, 10.0
_START_AGAIN = 1.0  # seconds after a start that failed for lack of something
_GRACE = 10.0  # seconds beyond the drain, then workers are killed


def supervise(options: Options) -> int:
    """Runs the workers until asked to stop. Returns the exit code, or raises CannotRun."""
    log.configure(options.log)
    with ExitStack() as held:
        reserved = held.enter_context(_reserve(options.host, options.port))
        options = replace(options, port=reserved.getsockname()[1])
        if options.admin_port is not None:
            admin = held.enter_context(_reserve(options.admin_host or LOOPBACK, options.admin_port))
            options = replace(options, admin_port=admin.getsockname()[1])
        numbers = held.enter_context(peers.meeting_place())
        return Supervisor(options, numbers).run()


class Slot:
    """The place of one worker, whoever fills it now."""

    def __init__(self, number: int, options: Options, numbers: Path) -> None:
        self.number = number
        self._numbers = peers.place(numbers, number)
        self.banner = ""
        self.served = False  # since it was last started
        self._reload_due = False
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._told: subprocess.Popen[bytes] | None = None  # to stop
        self._link: socket.socket | None = None
        self._born = self._heard = 0.0
        self._short_lives = 0
        self._restart_at = 0.0

    def start(self) -> None:
        """Fills the place with a new process."""
        # before there is one: a signal may come any moment, and what starts would die of it
        self.served = False
        ours, theirs = socket.socketpair()
        share = self._options.share * self._options.workers
        arguments = replace(self._options, workers=1, share=share).arguments()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [sys.executable, "-m", "runtime", *arguments],
                env={
                    **os.environ,
                    VARIABLE: str(theirs.fileno()),
                    peers.VARIABLE: str(self._numbers),
                },
                pass_fds=[theirs.fileno()],
                start_new_session=False,
            )
        ours.setblocking(False)
        self._link = ours
        self._born = self._heard = time.monotonic()

    def tend(self, now: float) -> int | None:
        """Listens, replaces what died, kills what hangs. Returns the exit code of a death."""
        if self._process is None:
            if now >= self._restart_at:
                self._start_again(now)
            return None
        self._listen(now)
        if (code := self._process.poll()) is not None:
            self._died(code, now)
            return code
        if now - self._heard > (_SILENT if self.served else _STARTING):
            log.log("error", "worker-hung", worker=self.number, pid=self._process.pid)
            self._process.kill()
            self._heard = now  # it takes a moment to go
        return None

    def _start_again(self, now: float) -> None:
        """As soon as the machine has a process, a file and memory for it: the others serve on."""
        try:
            self.start()
        except OSError as error:
            self._restart_at = now + _START_AGAIN
            log.log(
                "error",
                "worker-not-started",
                worker=self.number,
                error=type(error).__name__,
                reason=error.strerror,
            )

    def signal(self, number: int) -> None:
        """Passes a signal on."""
        if self._process is not None:
            self._process.send_signal(number)
            if number == signal.SIGTERM:
                self._told = self._process

    def stop_late(self) -> None:
        """Stops a process that was just being started when all were told to."""
        if self._process is not self._told:
            self.signal(signal.SIGTERM)

    def reload(self) -> None:
        """Passes the wish on, at once or when the worker serves: until then it listens to none."""
        if self.served:
            self.signal(signal.SIGHUP)
        else:
            self._reload_due = True

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
                if self._reload_due:
                    self._reload_due = False
                    self.signal(signal.SIGHUP)
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
    """All slots, and the signals that end them. `numbers` is where workers meet to be counted."""

    def __init__(self, options: Options, numbers: Path) -> None:
        self._slots = [Slot(n, options, numbers) for n in range(1, options.workers + 1)]
        self._drain = options.drain
        self._stop_by: float | None = None
        self._announced = False

    def run(self) -> int:
        """Until all workers have ended. Returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
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
        """Whether a worker cannot run, and none ever did: then it will not next time either.

        Later the artifact on disk may be a bad one that the others have refused: they serve on.
        """
        code = slot.tend(time.monotonic())
        return code == CANNOT_RUN and not slot.served and not self._announced

    def _announce(self) -> None:
        if not self._announced and all(slot.served for slot in self._slots):
            self._announced = True
            sys.stdout.write(self._slots[0].banner)
            sys.stdout.flush()

    def _reload(self, number: int, _: object) -> None:
        for slot in self._slots:
            slot.reload()

    def _stop(self, number: int, _: object) -> None:
        self._stop_by = time.monotonic() + self._drain + _GRACE
        for slot in self._slots:
            slot.signal(signal.SIGTERM)

    def _wait(self) -> None:
        assert self._stop_by is not None  # noqa: S101 - we were asked to stop
        for slot in self._slots:
            slot.stop_late()
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


def _reserve(host: str, port: int) -> socket.socket:
    """Holds the port for the workers; it fails where another process has it. Never listens."""
    bind(host, port, shared=False).close()
    return bind(host, port, shared=True)
