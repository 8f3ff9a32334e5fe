"""Answers as Messages callers read them: one block at a time, each started, filled and stopped.

Blocks that are open at once come out one after the other, in the order they began. A block starts
when it has something to say, for the API refuses empty text and thinking without proof in the next
request; a tool call starts at once. Tool input comes in deltas alone: Claude Code drops any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime import sse
from runtime.arguments import arguments_object, wrapped
from runtime.dialects.encode import BlockEvent, Turns, encode, head_of
from runtime.dialects.usual import shared
from runtime.dialects.way import Way, Wrapping
from runtime.events import (
    Answer,
    Block,
    BlockDelta,
    BlockEnded,
    BlockStarted,
    Event,
    Finished,
    Opaque,
    Part,
    Reason,
    Reasoning,
    Refusal,
    Started,
    Text,
    ToolCall,
)
from runtime.opaque import UNSEALED, wrap
from runtime.usage import Usage

_STOP_REASONS: Final[Mapping[Reason, str]] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "context": "model_context_window_exceeded",
}
# Kind of block -> type of its deltas, and the member that holds their text.
_DELTAS: Final[Mapping[type[Block], tuple[str, str]]] = {
    Text: ("text_delta", "text"),
    Refusal: ("text_delta", "text"),
    Reasoning: ("thinking_delta", "thinking"),
    ToolCall: ("input_json_delta", "partial_json"),
}
_REST: Final = b'""}}\n\n'
_TAIL: Final = b"}}\n\n"


class Encoder:
    """Makes Messages events of one answer's events."""

    def __init__(self, way: Way) -> None:
        self._way = way
        # the number the next block has on the wire
        self._number = 0
        self._turns = Turns()
        # the block whose turn it is
        self._block: Block = Text()
        # everything before the text of its deltas; empty until it has started on the wire
        self._head = b""
        # what a custom tool was told: text, that becomes an object when it is complete
        self._told: list[str] = []
        self._refused = False

    @property
    def next_number(self) -> int:
        """Messages events have no numbers."""
        return 0

    def adopt(self, answer_id: str, created: int, number: int) -> None:
        """Pings may stand before `message_start`: nothing is different after them."""

    def feed(self, event: Event) -> list[bytes]:
        """The frames of one event."""
        match event:
            case BlockDelta():
                if self._head and event.index == self._turns.speaking:
                    return [self._head + encode(event.text) + _TAIL]
                return self._block_event(event)
            case BlockStarted() | BlockEnded():
                return self._block_event(event)
            case Started():
                return [_message_start(self._way)]
            case Finished():
                return self._end(event)

    def wrapping(self, index: int) -> Wrapping | None:
        """How each further text of a block is framed."""
        head = self._head
        if not head or index != self._turns.speaking:
            return None
        return Wrapping(shared(head + b'"'), shared(b'"' + _TAIL))

    def note_told(self, index: int, text: str, frames: int) -> None:
        """Messages says nothing twice and numbers nothing."""

    def _block_event(self, event: BlockEvent) -> list[bytes]:
        return [frame for said in self._turns.take(event) for frame in self._tell(said)]

    def _tell(self, event: BlockEvent) -> list[bytes]:
        match event:
            case BlockStarted():
                return self._open(event)
            case BlockDelta():
                return self._say(event.text)
            case BlockEnded():
                return self._close(event.opaque)

    # --- one block -------------------------------------------------------------------------------

    def _open(self, event: BlockStarted) -> list[bytes]:
        self._block = event.block
        self._refused = self._refused or isinstance(event.block, Refusal)
        if isinstance(event.block, ToolCall) and not event.block.custom:
            return [self._start(_empty(event.block))]
        return []

    def _say(self, text: str) -> list[bytes]:
        if isinstance(self._block, ToolCall) and self._block.custom:
            self._told.append(text)
            return []
        frames = [] if self._head else [self._start(_empty(self._block))]
        return [*frames, self._head + encode(text) + _TAIL]

    def _start(self, content: Mapping[str, Any]) -> bytes:
        kind, member = _DELTAS[type(self._block)]
        delta = {"type": kind, member: ""}
        self._head = head_of(
            _event("content_block_delta", index=self._number, delta=delta),
            _REST,
        )
        return _event("content_block_start", index=self._number, content_block=content)

    def _stop(self) -> list[bytes]:
        if not self._head:
            return []
        number, self._number, self._head = self._number, self._number + 1, b""
        return [_event("content_block_stop", index=number)]

    def _close(self, opaque: Opaque | None) -> list[bytes]:
        frames: list[bytes] = []
        if isinstance(self._block, Reasoning) and (opaque is not None or self._head):
            frames = self._proof(opaque)
        elif isinstance(self._block, ToolCall) and self._block.custom:
            told, self._told = "".join(self._told), []
            frames = [
                self._start(_empty(self._block)),
                self._head + encode(wrapped(told)) + _TAIL,
            ]
        return [*frames, *self._stop()]

    def _proof(self, opaque: Opaque | None) -> list[bytes]:
        """The state of a thinking block: its last delta, or a block of its own."""
        frames: list[bytes] = []
        if signature := _signature(opaque, self._way):
            if not self._head:
                frames.append(self._start(_empty(self._block)))
            delta = {"type": "signature_delta", "signature": signature}
            frames.append(_event("content_block_delta", index=self._number, delta=delta))
        if redacted := _redacted(opaque):
            frames += [*self._stop(), self._start(redacted)]
        return frames

    # --- the end ---------------------------------------------------------------------------------

    def _end(self, event: Finished) -> list[bytes]:
        frames: list[bytes] = []
        if not self._number:  # without any block Claude Code would ask again
            frames = [self._start(_empty(Text())), *self._stop()]
        stopped = _stopped(event.reason, event.stop_sequence, refused=self._refused)
        usage = {"output_tokens": 0, **_usage(event.usage)}
        return [
            *frames,
            _event("message_delta", delta=stopped, usage=usage),
            _event("message_stop"),
        ]


def encode_whole(answer: Answer, way: Way) -> bytes:
    """The answer in one piece, with the content its stream has."""
    refused = Refusal in {type(part.block) for part in answer.parts}
    content = [block for part in answer.parts for block in _blocks(part, way)]
    message = _message(way)
    message["content"] = content or [_empty(Text())]
    message |= _stopped(answer.reason, answer.stop_sequence, refused=refused)
    message["usage"] = _estimate(way) | _usage(answer.usage)
    return encode(message)


# --- the pieces of a message ---------------------------------------------------------------------


def _event(kind: str, **members: Any) -> bytes:
    return sse.event(kind, encode({"type": kind, **members}))


def _message(way: Way) -> dict[str, Any]:
    # Claude Code drops thinking whose message names another model than it asked for.
    return {"id": way.answer_id, "type": "message", "role": "assistant", "model": way.asked}


def _message_start(way: Way) -> bytes:
    message = {
        **_message(way),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _estimate(way),
    }
    return _event("message_start", message=message)


def _empty(block: Block) -> dict[str, Any]:
    """A block as it starts."""
    match block:
        case Reasoning():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case ToolCall():
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": {}}
        case Text() | Refusal():
            return {"type": "text", "text": ""}


def _blocks(part: Part, way: Way) -> list[dict[str, Any]]:
    """The blocks that one part comes to: none for an empty one."""
    match part.block:
        case ToolCall(custom=custom):
            told = wrapped(part.text) if custom else part.text
            return [{**_empty(part.block), "input": arguments_object(told)}]
        case Reasoning():
            if part.opaque is None and not part.text:
                return []
            signature = _signature(part.opaque, way)
            thinking = {**_empty(part.block), "thinking": part.text, "signature": signature}
            redacted = _redacted(part.opaque)
            return [block for block in (thinking, redacted) if _says_something(block)]
        case Text() | Refusal():
            return [{**_empty(part.block), "text": part.text}] if part.text else []


def _says_something(block: Mapping[str, Any]) -> bool:
    return any(value for name, value in block.items() if name != "type")


def _signature(opaque: Opaque | None, way: Way) -> str:
    """The proof of a thinking block; of another dialect's state an envelope. Never made up."""
    if opaque is None:
        return UNSEALED
    if opaque.dialect != "messages":
        return wrap(opaque, way.domain)
    signature = opaque.data.get("signature")
    return signature if isinstance(signature, str) else ""


def _redacted(opaque: Opaque | None) -> dict[str, Any]:
    if opaque is None or opaque.dialect != "messages" or "redacted" not in opaque.data:
        return {}
    return {"type": "redacted_thinking", "data": opaque.data["redacted"]}


def _stopped(reason: Reason, sequence: str | None, *, refused: bool) -> dict[str, Any]:
    """Why the answer ended: words of refusal are no normal end here, as they are elsewhere."""
    if refused and reason == "stop":
        reason = "refusal"
    return {
        "stop_reason": _STOP_REASONS[reason],
        "stop_sequence": sequence if reason == "stop_sequence" else None,
    }


def _estimate(way: Way) -> dict[str, int]:
    """The counts of a message that begins."""
    return {
        "input_tokens": way.input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }


def _usage(usage: Usage | None) -> dict[str, Any]:
    """The counts that are known. Those of the input are disjoint here: each token is in one."""
    counts: dict[str, Any] = {}
    if usage is None:
        return counts
    if (fresh := usage.input) is not None:
        fresh -= (usage.cached or 0) + (usage.cache_write or 0)
        counts["input_tokens"] = max(0, fresh)
    if usage.cache_write is not None:
        counts["cache_creation_input_tokens"] = usage.cache_write
    if usage.cached is not None:
        counts["cache_read_input_tokens"] = usage.cached
    if usage.output is not None:
        counts["output_tokens"] = usage.output
    if usage.reasoning is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return counts
