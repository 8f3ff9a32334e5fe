"""The tool calls of one Chat answer, put together from whatever their providers leave out.

Deltas of a call belong together by `index`, without one by `id`, without both by order. Names may
be repeated or cut, ids empty, null or new each time, arguments null or an object; some providers
give all calls the same index. It knows no chunk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from runtime.dialects.blocks import Blocks, arguments_text, is_document
from runtime.dialects.way import More
from runtime.events import ToolCall


class Function(msgspec.Struct, gc=False):
    """What is called, and with what."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Custom(msgspec.Struct, gc=False):
    """A custom tool and its free text."""

    name: str | None = None
    input: str | None = None


class Entry(msgspec.Struct, gc=False):
    """One member of `tool_calls`."""

    index: int | None = None
    id: str | int | None = None
    function: Function | None = None
    custom: Custom | None = None

    @property
    def is_custom(self) -> bool:
        """Snowflake sends both forms, one of them empty."""
        return self.custom is not None and bool(self.custom.name or self.custom.input)

    @property
    def name(self) -> str:
        what = self.custom if self.is_custom else self.function
        return (what.name if what else None) or ""

    @property
    def arguments(self) -> str:
        if self.is_custom and self.custom is not None:
            return self.custom.input or ""
        return arguments_text(self.function.arguments) if self.function else ""


class _Call(msgspec.Struct):
    """A call being made. `number`: of its block, which begins once the name is known for sure."""

    id: str
    name: str = ""
    custom: bool = False
    number: int | None = None
    ended: bool = False
    arguments: list[str] = []


class Calls:
    """Makes blocks of the calls of one answer. They stay open side by side until `end`."""

    __slots__ = ("_blocks", "_calls", "_last", "open")

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        # index or id -> the call that its deltas belong to
        self._calls: dict[int | str, _Call] = {}
        self._last: _Call | None = None
        self.open: list[_Call] = []

    def add(self, entry: Entry) -> None:
        """The next piece of a call, or a whole one. Raises ValueError for more of an ended one."""
        name, arguments = entry.name, entry.arguments
        call_id = "" if entry.id is None else str(entry.id)
        call = self._known(entry, call_id)
        if call is None or _is_another(call, call_id, name, arguments):
            if not (name or arguments or call_id):
                self._blocks.note("tool_calls")  # an entry that says nothing makes no call
                return
            call = self._new(entry, call_id)
        call.id = call.id or call_id
        call.custom = call.custom or entry.is_custom
        self._name(call, name)
        self._argue(call, arguments)

    def more(self, entries: Sequence[Entry]) -> More | None:
        """What the one entry of a delta adds to a call whose block is open, if that is all."""
        entry = entries[0]
        call_id = "" if entry.id is None else str(entry.id)
        call = self._known(entry, call_id)
        if len(entries) != 1 or call is None or call.number is None or call.ended:
            return None
        if entry.custom is not None or entry.name or not entry.arguments:
            return None
        if call_id and not call.id:
            return None
        return More(call.number, entry.arguments, call.arguments)

    def end(self) -> None:
        """All calls are complete. Raises ValueError for one that has no name."""
        for call in self.open:
            self._start(call)
            call.ended = True
            if call.number is not None:
                self._blocks.end(call.number)
        self.open.clear()

    def _known(self, entry: Entry, call_id: str) -> _Call | None:
        if entry.index is not None:
            return self._calls.get(entry.index)
        if call_id:
            return self._calls.get(call_id)
        return None if entry.name else self._last

    def _new(self, entry: Entry, call_id: str) -> _Call:
        for call in self.open:  # the earlier ones have their whole names by now
            if call.name:
                self._start(call)
        self._last = call = _Call(call_id, arguments=[])
        self._calls[call_id if entry.index is None else entry.index] = call
        self.open.append(call)
        return call

    def _name(self, call: _Call, name: str) -> None:
        if not name or name == call.name:
            return
        if call.number is not None:
            self._blocks.note("tool_calls.name")
        elif name.startswith(call.name):
            call.name = name
        else:
            call.name += name

    def _argue(self, call: _Call, arguments: str) -> None:
        if not arguments:
            return
        if call.ended:
            raise ValueError("more arguments for a tool call that was complete")
        call.arguments.append(arguments)
        if call.number is not None:
            self._blocks.say(call.number, arguments)
        elif call.name:
            self._start(call)

    def _start(self, call: _Call) -> None:
        if call.number is not None:
            return
        if not call.name:
            raise ValueError("a tool call has no name")
        call.number = self._blocks.start(ToolCall(call.id, call.name, call.custom))
        self._blocks.say(call.number, "".join(call.arguments))


def _is_another(call: _Call, call_id: str, name: str, arguments: str) -> bool:
    """Whether a piece with the index of a known call begins another one.

    Then it has a name, and an id of its own or a complete call before it.
    """
    if not name or (call_id and call_id == call.id):
        return False
    differs = bool(call_id and call.id)
    if call.ended:
        return bool(call_id or arguments or name != call.name)
    made = "".join(call.arguments)
    if not made:
        return differs and name != call.name
    return is_document(made) and bool(arguments or differs or name != call.name)
