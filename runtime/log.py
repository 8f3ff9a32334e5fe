"""Log lines: one JSON object per line, named fields only, never content, tokens or keys.

Lines are collected and written a moment later, and never wait for a slow reader: what does not fit
is dropped and counted.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import stat
import time
import traceback
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from runtime.edge.call import Call
    from runtime.errors import RouterError
    from runtime.records.account import Account

LEVELS: Final[dict[str, int]] = {"debug": 10, "info": 20, "warning": 30, "error": 40, "off": 90}
DEFAULT_LEVEL: Final = "info"

# The only fields a line may have. None of them ever holds what a caller or an upstream wrote.
FIELDS: Final = frozenset(
    {
        "address",
        "artifact",
        "at",
        "attempts",
        "bytes_in",
        "bytes_out",
        "cached_tokens",
        "caller",
        "code",
        "count",
        "error",
        "exit_code",
        "group",
        "id",
        "input_tokens",
        "kind",
        "logger",
        "method",
        "ms",
        "name",
        "outcome",
        "output_tokens",
        "path",
        "peer",
        "phase",
        "pid",
        "provider",
        "reason",
        "reasoning_tokens",
        "seconds",
        "signal",
        "skin",
        "status",
        "stream",
        "surface",
        "target",
        "token",
        "unknown_events",
        "worker",
    }
)
_ENCODER = msgspec.json.Encoder(enc_hook=str)
_LONGEST_VALUE = 256
_FLUSH_AFTER = 0.1  # seconds
_MAX_PENDING = 1024 * 1024  # bytes


class Sink:
    """Where lines go: a file descriptor that may be slow."""

    def __init__(self, fd: int = 2, level: str = DEFAULT_LEVEL) -> None:
        self.threshold = LEVELS[level]
        self._fd = fd
        self._at_once = _at_once(fd)
        self.pending: list[bytes] = []
        self._size = 0
        self.dropped = 0
        self._flushing: asyncio.TimerHandle | None = None

    def put(self, line: bytes) -> None:
        """Takes one line."""
        if self._size + len(line) > _MAX_PENDING:
            self.dropped += 1
            return
        self.pending.append(line)
        self._size += len(line)
        if self._flushing is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:
                self.flush()
            else:
                self._flushing = loop.call_later(_FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Writes what the reader takes without waiting."""
        self._flushing = None
        data = memoryview(b"".join(self.pending))
        try:
            while data and self._writable():
                data = data[os.write(self._fd, data[: self._at_once]) :]
        except OSError:
            data = data[len(data) :]  # nobody can read it any more
        self.pending = [bytes(data)] if data else []
        self._size = len(data)
        if self.dropped and not data:
            count, self.dropped = self.dropped, 0
            self.put(line("warning", "lines-dropped", {"count": count}))

    def _writable(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(0))


def _at_once(fd: int) -> int:
    """How much can be written without waiting, once `fd` is writable."""
    try:
        is_file = stat.S_ISREG(os.fstat(fd).st_mode)
    except OSError:
        is_file = False
    return _MAX_PENDING if is_file else select.PIPE_BUF


_sink = Sink()


def configure(level: str = DEFAULT_LEVEL, fd: int = 2) -> None:
    """Sets where lines go and which; log records of libraries go the same way, without text."""
    global _sink
    _sink = Sink(fd, level)
    logging.root.handlers[:] = [_Foreign()]
    logging.root.setLevel(logging.WARNING)
    for name in ("sanic.root", "sanic.error", "sanic.server", "sanic.websockets"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.setLevel(logging.WARNING)
        library.propagate = True


def flush() -> None:
    """Writes what is pending, before the process ends."""
    _sink.flush()


def log(level: str, event: str, **fields: object) -> None:
    """One line. Fields that are not in the list are left out."""
    if LEVELS[level] >= _sink.threshold:
        _sink.put(line(level, event, fields))


def line(level: str, event: str, fields: Mapping[str, Any]) -> bytes:
    """The bytes of one line."""
    record: dict[str, Any] = {"time": _utc(time.time()), "level": level, "event": event}
    for name, value in fields.items():
        if name in FIELDS and value is not None:
            record[name] = value[:_LONGEST_VALUE] if isinstance(value, str) else value
    text = _ENCODER.encode(record)
    if not text.isascii() or b"\x7f" in text:
        # As escapes, so that no control character and no U+2028 can start a line of its own.
        text = json.dumps(record, default=str).replace("\x7f", "\\u007f").encode()
    return text + b"\n"


def _utc(now: float) -> str:
    return f"{_second(int(now))}.{int(now % 1 * 1000):03}Z"


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def log_call(call: Call, outcome: str, seconds: float) -> None:
    """The line of one answered request."""
    if LEVELS["info"] < _sink.threshold:
        return
    log(
        "info",
        "request",
        id=call.request_id,
        peer=call.peer,
        method=call.method.decode(),
        path=call.label or None,
        status=call.status,
        outcome=outcome,
        ms=round(seconds * 1000, 1),
        bytes_in=len(call.body),
        bytes_out=call.sent,
        **call.notes,
    )


def log_refusal(call: Call, error: RouterError) -> None:
    """The line of what was no request."""
    log("info", "refused", id=call.request_id, peer=call.peer, status=error.status, code=error.code)


def log_account(call: Call, account: Account) -> None:
    """Adds to the request's line who asked, how it was routed, and what it used."""
    if LEVELS["info"] < _sink.threshold:
        return
    notes = call.notes
    notes["token"] = account.token
    if (decision := account.decision) is not None:
        notes.update(group=decision.group_id, surface=account.surface)
    if decision is not None and account.served is not None and account.reading is not None:
        notes.update(
            phase=decision.phase,
            stream=account.reading.stream,
            attempts=len(account.attempts),
        )
    if (served := account.served) is not None:
        notes.update(
            target=served.target_id, provider=served.target.provider, skin=served.route.skin
        )
    if (usage := account.usage) is not None:
        notes.update(
            input_tokens=usage.input,
            output_tokens=usage.output,
            cached_tokens=usage.cached,
            reasoning_tokens=usage.reasoning,
        )
    if account.unknown:
        notes["unknown_events"] = account.unknown


def log_internal(exc: BaseException, call: Call | None = None) -> None:
    """A fault of ours: where and of what class, without its text, which may hold content."""
    frames = traceback.extract_tb(exc.__traceback__)[-8:]
    log(
        "error",
        "internal-error",
        id=call.request_id if call is not None else None,
        error=type(exc).__name__,
        at=" < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames)),
    )


class _Foreign(logging.Handler):
    """Records of libraries: their logger, level and exception class, never their text."""

    def emit(self, record: logging.LogRecord) -> None:
        exc = record.exc_info[1] if record.exc_info else None
        level = "error" if record.levelno >= logging.ERROR else "warning"
        at = f"{record.module}:{record.lineno}"
        if exc is not None:
            log_internal(exc)
        log(level, "library", logger=record.name, at=at, error=exc and type(exc).__name__)
