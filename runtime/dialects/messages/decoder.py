"""Messages answers as events: typed blocks, each with a start, deltas and a stop.

What a provider's own tools did (their calls, results, citations) has no event and is counted. A
block that says nothing has none either. Citations cut one text into blocks: text that stands right
behind text goes on with it. It knows no other dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

import msgspec

from runtime.dialects.blocks import Blocks, arguments_text
from runtime.dialects.way import More
from runtime.events import Event, Opaque, Reason, Reasoning, Refusal, Text, ToolCall
from runtime.usage import Meter

B = TypeVar("B")

_TEXT: Final = Text()
_REFUSAL: Final = Refusal()
_REASONING: Final = Reasoning()

# https://docs.claude.com/en/api/handling-stop-reasons; `compaction` is the beta's, it goes on too
_REASONS: Final[dict[str, Reason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    "model_context_window_exceeded": "context",
}


class _Delta(msgspec.Struct, gc=False):
    """What a `content_block_delta` or a `message_delta` brings."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    signature: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None


class _Kind(msgspec.Struct):
    """A content block before anything is known of it."""

    type: str | None = None


class _Block(msgspec.Struct):
    """A content block of a type that has events."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None
    citations: list[msgspec.Raw] | None = None


class _Message(msgspec.Struct, Generic[B]):
    """A whole answer, or the beginning of one, with its blocks read or as they came."""

    id: str | None = None
    content: list[B] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: Any = None
    usage: Any = None


class _Event(msgspec.Struct):
    type: str | None = None
    index: int | None = None
    delta: _Delta | None = None
    content_block: msgspec.Raw = msgspec.Raw()
    message: _Message[msgspec.Raw] | None = None
    usage: Any = None


class _Open(msgspec.Struct):
    """A block between start and stop. `number`: of its events, once it has said something."""

    type: str
    number: int | None = None
    said: bool = False
    signature: str = ""
    input: str = ""


_EVENT: Final = msgspec.json.Decoder(_Event)
_KIND: Final = msgspec.json.Decoder(_Kind)
_BLOCK: Final = msgspec.json.Decoder(_Block)
_ODD: Final = msgspec.json.Decoder(_Message[msgspec.Raw])
_WHOLE: Final = msgspec.json.Decoder(_Message[_Block])


class Decoder:
    """Makes events of one streamed Messages answer."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self.unknown = self._blocks.unknown
        self._meter = Meter()
        self._open: dict[int, _Open] = {}
        # a text block that is complete, unless more text is next
        self._text: int | None = None
        self._reason: Reason = "stop"
        self._stop_sequence: str | None = None
        self._explanation = ""

    def feed(self, name: bytes, data: bytes) -> list[Event]:
        """The events of one server-sent event. Raises ValueError for one that makes no sense."""
        try:
            event = _EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError("an event is not a Messages event") from error
        kind = event.type or name.decode(errors="replace")
        if kind == "content_block_delta":
            self._on_delta(event)
        elif (handler := _HANDLERS.get(kind)) is not None:
            handler(self, event)
        else:
            self._blocks.note(kind)
        return self._blocks.take()

    def more(self, data: bytes) -> More | None:
        """What the data of an event would add to an open block, if it would do nothing else."""
        try:
            event = _EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return None
        opened, delta = self._open.get(event.index or 0), event.delta
        if event.type != "content_block_delta" or opened is None or delta is None:
            return None
        member = _MORE.get((opened.type, delta.type))
        text = getattr(delta, member) if member else None
        if not text or opened.number is None or not opened.said:
            return None
        return More(opened.number, text)

    def flush(self) -> list[Event]:
        """The rest: blocks whose stop never came end, and the answer with them."""
        for index in list(self._open):
            self._stop(index)
        self._end_text()
        if self._explanation:
            self._whole(_REFUSAL, self._explanation)
        return self._blocks.finish(self._reason, self._meter.usage(), self._stop_sequence)

    def whole(self, body: bytes) -> list[Event]:
        """The events of an answer in one piece. Raises ValueError."""
        try:
            message = _WHOLE.decode(body)
        except (msgspec.DecodeError, RecursionError):
            message = _odd(body)
        self._start_message(message)
        for index, block in enumerate(message.content or ()):
            self._start(index, block)
            self._stop(index)
        self._end_message(message)
        return self.flush()

    # --- the message ---------------------------------------------------------------------------

    def _on_message_start(self, event: _Event) -> None:
        message = event.message or _Message[msgspec.Raw]()
        self._start_message(message)
        if message.content:  # its blocks come as events of their own
            self._blocks.note("message_start.content")

    def _start_message(self, message: _Message[B]) -> None:
        # Proxies that retry send a second one; the message the caller knows goes on.
        self._blocks.begin(message.id)
        self._meter.read_messages(message.usage)

    def _on_message_delta(self, event: _Event) -> None:
        self._meter.read_messages(event.usage)
        if event.delta is not None:
            self._end_message(event.delta)

    def _end_message(self, end: _Delta | _Message[_Block]) -> None:
        if not end.stop_reason:
            return
        reason = _REASONS.get(end.stop_reason)
        if reason is None:
            self._blocks.note("stop_reason")
        self._reason = reason or "stop"
        self._stop_sequence = end.stop_sequence
        details = end.stop_details
        explanation = details.get("explanation") if isinstance(details, dict) else None
        if reason == "refusal" and isinstance(explanation, str):
            self._explanation = explanation

    def _whole(self, block: Refusal | Reasoning, text: str, opaque: Opaque | None = None) -> None:
        number = self._blocks.start(block)
        self._blocks.say(number, text)
        self._blocks.end(number, opaque)

    # --- blocks --------------------------------------------------------------------------------

    def _on_start(self, event: _Event) -> None:
        self._start(event.index or 0, _block(event.content_block))

    def _start(self, index: int, block: _Block) -> None:
        before = self._open.get(index)
        if before is not None and before.number is not None:
            raise ValueError("a content block starts in another")
        opened = self._open[index] = _Open(block.type)
        if block.type == "text":
            opened.number, self._text = self._text, None
            opened.said = opened.number is not None
        else:
            self._end_text()
        match block.type:
            case "text":
                self._say(opened, _TEXT, block.text)
                for _ in block.citations or ():
                    self._blocks.note("citation")
            case "thinking":
                self._say(opened, _REASONING, block.thinking)
                opened.signature = block.signature or ""
            case "redacted_thinking":
                self._whole(_REASONING, "", Opaque("messages", {"redacted": block.data or ""}))
            case "tool_use":
                opened.number = self._blocks.start(_call(block))
                opened.input = arguments_text(block.input)
            case _:
                self._blocks.note(block.type)

    def _on_delta(self, event: _Event) -> None:
        opened, delta = self._open.get(event.index or 0), event.delta
        if opened is None or delta is None:
            raise ValueError("a delta of no content block")
        kind = delta.type
        if kind == "text_delta" and opened.type == "text":
            self._say(opened, _TEXT, delta.text)
        elif kind == "input_json_delta" and opened.type == "tool_use":
            self._say(opened, _TEXT, delta.partial_json)
        elif kind == "thinking_delta" and opened.type == "thinking":
            self._say(opened, _REASONING, delta.thinking)
        elif kind == "signature_delta" and opened.type == "thinking":
            opened.signature += delta.signature or ""
        elif opened.type in _OURS:
            self._on_other_delta(kind)

    def _on_other_delta(self, kind: str | None) -> None:
        """A delta that the block cannot have is wrong; one that nobody knows is passed over."""
        if kind in _DELTAS:
            raise ValueError("a delta of a content block of another type")
        self._blocks.note(_NAMES.get(kind or "", kind))

    def _say(self, opened: _Open, block: Text | Reasoning, text: str | None) -> None:
        if not text:
            return
        if opened.number is None:
            opened.number = self._blocks.start(block)
        opened.said = True
        self._blocks.say(opened.number, text)

    def _on_stop(self, event: _Event) -> None:
        if (event.index or 0) not in self._open:
            raise ValueError("a content block stops that never started")
        self._stop(event.index or 0)

    def _stop(self, index: int) -> None:
        opened = self._open.pop(index)
        signature = opened.signature
        opaque = Opaque("messages", {"signature": signature}) if signature else None
        if opened.number is None:
            if opaque is not None:  # thinking that the provider does not show
                self._whole(_REASONING, "", opaque)
            return
        if not opened.said:  # a call that came whole with its start
            self._blocks.say(opened.number, opened.input)
        if opened.type == "text":
            self._end_text()
            self._text = opened.number
        else:
            self._blocks.end(opened.number, opaque)

    def _end_text(self) -> None:
        number, self._text = self._text, None
        if number is not None:
            self._blocks.end(number)


def _ignore(decoder: Decoder, event: _Event) -> None:
    """`ping` and `message_stop` say nothing of their own."""


_HANDLERS: Final[dict[str, Callable[[Decoder, _Event], None]]] = {
    "message_start": Decoder._on_message_start,
    "content_block_start": Decoder._on_start,
    "content_block_stop": Decoder._on_stop,
    "message_delta": Decoder._on_message_delta,
    "message_stop": _ignore,
    "ping": _ignore,
}
# The types that have events, and those of them whose deltas do.
_KNOWN: Final = frozenset(("text", "thinking", "redacted_thinking", "tool_use"))
_OURS: Final = _KNOWN - {"redacted_thinking"}
_NAMES: Final = {"citations_delta": "citation"}
# Type of a block and of its delta -> the member with more of it.
_MORE: Final[dict[tuple[str, str | None], str]] = {
    ("text", "text_delta"): "text",
    ("thinking", "thinking_delta"): "thinking",
    ("tool_use", "input_json_delta"): "partial_json",
}
_DELTAS: Final = frozenset(("text_delta", "input_json_delta", "thinking_delta", "signature_delta"))


def _odd(body: bytes) -> _Message[_Block]:
    """An answer with blocks that have no events, whose members may be of any form."""
    try:
        message = _ODD.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("the answer is not a Messages answer") from error
    return _Message(
        message.id,
        [_block(raw) for raw in message.content or ()],
        message.stop_reason,
        message.stop_sequence,
        message.stop_details,
        message.usage,
    )


def _block(raw: msgspec.Raw) -> _Block:
    """A content block; of one without events only its type, for the rest may be of any form."""
    try:
        kind = _KIND.decode(raw).type or ""
        return _BLOCK.decode(raw) if kind in _KNOWN else _Block(kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("a content block is none of Messages") from error


def _call(block: _Block) -> ToolCall:
    if not block.name:
        raise ValueError("a tool call has no name")
    return ToolCall(block.id or "", block.name)
