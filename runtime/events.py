"""The vocabulary of answers: what a model says, in the words of no dialect, and in which order.

Decoders make these events of what an upstream sends, encoders make frames of them, and a whole
answer is their fold, so that streamed and unstreamed answers cannot differ. It knows no wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from runtime.usage import Usage

# Why an answer ended. `tool_calls`: the caller is to run them; `pause`: the caller sends the turn
# back for the model to go on; `context`: the window was full.
Reason = Literal[
    "stop", "stop_sequence", "length", "tool_calls", "content_filter", "refusal", "pause", "context"
]


class Opaque(msgspec.Struct, frozen=True):
    """State that only its maker can read, in the words of the dialect it came in.

    messages: `signature`, or `redacted` alone. responses: `id`, `encrypted_content`.
    chat: `details`, the parts of `reasoning_details` as they came.
    """

    dialect: str
    data: Mapping[str, Any]


class Text(msgspec.Struct, frozen=True, tag=True):
    """Words for the user."""


class Refusal(msgspec.Struct, frozen=True, tag=True):
    """Words that say why there are no others."""


class Reasoning(msgspec.Struct, frozen=True, tag=True):
    """Readable thinking. `summary`: the provider's digest of it, not the thinking itself."""

    summary: bool = False


class ToolCall(msgspec.Struct, frozen=True, tag=True):
    """A call for the caller to run. Deltas are the arguments: JSON of a function, text of a custom
    tool. `namespace` is that of a Responses tool that stood inside one.
    """

    id: str
    name: str
    custom: bool = False
    namespace: str | None = None


Block = Text | Refusal | Reasoning | ToolCall


class Started(msgspec.Struct, frozen=True, gc=False):
    """The upstream began to answer, by the id it gave."""

    id: str = ""


class BlockStarted(msgspec.Struct, frozen=True, gc=False):
    """A block begins; blocks are numbered from 0 in the order they begin, several may be open."""

    index: int
    block: Block


class BlockDelta(msgspec.Struct, frozen=True, gc=False):
    """More of an open block, never empty. `logprobs` are those of its tokens, in OpenAI's form."""

    index: int
    text: str
    logprobs: tuple[Any, ...] = ()


class BlockEnded(msgspec.Struct, frozen=True, gc=False):
    """A block is complete."""

    index: int
    opaque: Opaque | None = None


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The answer is complete; every block has ended."""

    reason: Reason
    usage: Usage | None = None
    stop_sequence: str | None = None


Event = Started | BlockStarted | BlockDelta | BlockEnded | Finished


# --- the order they come in --------------------------------------------------------------------

# The answer itself and each of its blocks are two machines. Event -> the state it may come in,
# and the state after it.
_ANSWER: Final[dict[type[Event], tuple[str, str]]] = {
    Started: ("new", "answering"),
    BlockStarted: ("answering", "answering"),
    BlockDelta: ("answering", "answering"),
    BlockEnded: ("answering", "answering"),
    Finished: ("answering", "finished"),
}
_BLOCK: Final[dict[type[Event], tuple[str, str]]] = {
    BlockStarted: ("next", "open"),
    BlockDelta: ("open", "open"),
    BlockEnded: ("open", "ended"),
}


class IllegalEvent(ValueError):
    """An event that cannot follow those before it; a decoder is at fault, or its upstream."""


class Order:
    """Follows the events of one answer. `state` is new, answering or finished."""

    __slots__ = ("_blocks", "state")

    def __init__(self) -> None:
        self.state = "new"
        self._blocks = {0: "next"}

    def follow(self, event: Event) -> None:
        """Takes the next event. Raises IllegalEvent."""
        kind, blocks = type(event), self._blocks
        due, then = _ANSWER[kind]
        if self.state != due:
            raise IllegalEvent(f"{kind.__name__} in an answer that is {self.state}")
        # no `isinstance`, here and below: where it says no of a struct it takes three times as long
        if type(event) is BlockDelta or type(event) is BlockStarted or type(event) is BlockEnded:
            index = event.index
            due, after = _BLOCK[kind]
            if (state := blocks.get(index, "unknown")) != due:
                raise IllegalEvent(f"{kind.__name__} of block {index}, which is {state}")
            blocks[index] = after
            if due == "next":
                blocks[index + 1] = "next"
        elif kind is Finished and "open" in blocks.values():
            raise IllegalEvent("Finished with an open block")
        self.state = then


# --- whole answers -----------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True):
    """A block with everything that was said in it."""

    block: Block
    text: str = ""
    opaque: Opaque | None = None
    logprobs: tuple[Any, ...] = ()


class Answer(msgspec.Struct, frozen=True):
    """A whole answer, its parts in the order they began."""

    id: str
    parts: tuple[Part, ...]
    reason: Reason
    usage: Usage | None = None
    stop_sequence: str | None = None


class _Growing(msgspec.Struct):
    """A part that is being said."""

    block: Block
    texts: list[str]
    opaque: Opaque | None = None
    logprobs: tuple[Any, ...] = ()


def fold(events: Iterable[Event]) -> Answer:
    """The answer that legal events make. Raises IllegalEvent for others, also for too few."""
    order, started, finished = Order(), Started(), None
    growing: list[_Growing] = []
    for event in events:
        order.follow(event)
        if type(event) is BlockDelta:
            part = growing[event.index]
            part.texts.append(event.text)
            part.logprobs += event.logprobs
        elif type(event) is BlockStarted:
            growing.append(_Growing(event.block, []))
        elif type(event) is BlockEnded:
            growing[event.index].opaque = event.opaque
        elif type(event) is Started:
            started = event
        elif type(event) is Finished:
            finished = event
    if finished is None:
        raise IllegalEvent("the answer did not finish")
    parts = [Part(part.block, "".join(part.texts), part.opaque, part.logprobs) for part in growing]
    return Answer(started.id, tuple(parts), finished.reason, finished.usage, finished.stop_sequence)


def unfold(answer: Answer) -> Iterator[Event]:
    """The events of a whole answer, one delta a part: how it is streamed to who asked for that."""
    yield Started(answer.id)
    for index, part in enumerate(answer.parts):
        yield BlockStarted(index, part.block)
        if part.text:
            yield BlockDelta(index, part.text, part.logprobs)
        yield BlockEnded(index, part.opaque)
    yield Finished(answer.reason, answer.usage, answer.stop_sequence)
