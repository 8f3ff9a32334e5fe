"""What a decoder has understood so far: the blocks of an answer, numbered as they begin, and a
count of what no event stands for. It knows no dialect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runtime.events import (
    Block,
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Event,
    Finished,
    Opaque,
    Reason,
    Started,
    ToolCall,
)
from runtime.usage import Usage

# What may stand in a trace: the name of a type or member, never a sentence.
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,47}")
_OTHER: Final = "other"
_MAX_NAMES: Final = 32

# A reason that the answer itself contradicts, and whether it has calls -> the reason.
_SETTLED: Final[dict[tuple[Reason, bool], Reason]] = {
    ("stop", True): "tool_calls",
    ("tool_calls", False): "stop",
}


class Blocks:
    """Collects the events of one answer in their legal order; who calls it sees to the blocks.

    `unknown`: name -> how often something came that no event stands for.
    """

    __slots__ = ("_begun", "_called", "_count", "_events", "unknown")

    def __init__(self) -> None:
        self.unknown: dict[str, int] = {}
        self._events: list[Event] = []
        self._begun = False
        self._called = False
        self._count = 0

    @property
    def count(self) -> int:
        """How many blocks have begun."""
        return self._count

    def take(self) -> list[Event]:
        """The events since the last time."""
        events, self._events = self._events, []
        return events

    def begin(self, answer_id: str | None) -> None:
        """The answer begins, unless it has."""
        if not self._begun:
            self._begun = True
            self._events.append(Started(answer_id or ""))

    def start(self, block: Block) -> int:
        """The number of a new block."""
        if not self._begun:
            self.begin(None)
        if isinstance(block, ToolCall):
            self._called = True
        number = self._count
        self._count += 1
        self._events.append(BlockStarted(number, block))
        return number

    def say(self, number: int, text: str, logprobs: tuple[Any, ...] = ()) -> None:
        """More of an open block; nothing for no text."""
        if text:
            self._events.append(BlockDelta(number, text, logprobs))

    def end(self, number: int, opaque: Opaque | None = None) -> None:
        """An open block is complete."""
        self._events.append(BlockEnded(number, opaque))

    def finish(
        self, reason: Reason, usage: Usage | None, stop_sequence: str | None = None
    ) -> list[Event]:
        """The last events. `stop` and `tool_calls` are put right by whether there are calls."""
        if not self._begun:
            self.begin(None)
        reason = _SETTLED.get((reason, self._called), reason)
        self._events.append(Finished(reason, usage, stop_sequence))
        return self.take()

    def note(self, name: object) -> None:
        """Counts something that no event stands for, by what the upstream named it."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            name = _OTHER
        if name not in self.unknown and len(self.unknown) >= _MAX_NAMES:
            name = _OTHER
        self.unknown[name] = self.unknown.get(name, 0) + 1


def arguments_text(arguments: str | Mapping[str, Any] | None) -> str:
    """The arguments of a call as JSON text; nothing for none, which an empty object means too."""
    if isinstance(arguments, str):
        return arguments
    return msgspec.json.encode(arguments).decode() if arguments else ""


def is_document(text: str) -> bool:
    """Whether this is one whole JSON document."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
