"""Answers as Responses callers read them: every block an item, opened, filled and done.

Items may be open at once: each has the output index of its block. The last one is `incomplete`
where the answer is, as OpenAI's is: a call that was cut off is not to be run. All reasoning goes
out as a summary, the form every client reads and the one our request bridges take back. Codex makes
its history of `response.output_item.done` alone, so that event has the whole item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runtime import sse
from runtime.dialects.encode import encode, head_of, openai_reason, openai_usage
from runtime.dialects.responses.response import response
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

# Why a response is incomplete; with any other reason it is complete. OpenAI calls a full window
# a used-up cap. A turn that pauses is complete as it stands: nothing here could take it up again.
_INCOMPLETE: Final[Mapping[Reason, str]] = {
    "length": "max_output_tokens",
    "context": "max_output_tokens",
    "content_filter": "content_filter",
}


class _Form(msgspec.Struct, frozen=True):
    """How one kind of block is told."""

    # begins the ids of such items
    prefix: str
    # events that add text, and the one that says all of it, in a member of this name
    delta: str
    done: str
    whole: str
    # events around the part of the item that holds the text; "" where there is none
    part: str = ""
    # where in the item the text stands
    place: Mapping[str, int] = {}


_TEXT: Final = _Form(
    prefix="msg",
    delta="response.output_text.delta",
    done="response.output_text.done",
    whole="text",
    part="response.content_part",
    place={"content_index": 0},
)
_REFUSAL: Final = _Form(
    prefix="msg",
    delta="response.refusal.delta",
    done="response.refusal.done",
    whole="refusal",
    part="response.content_part",
    place={"content_index": 0},
)
_REASONING: Final = _Form(
    prefix="rs",
    delta="response.reasoning_summary_text.delta",
    done="response.reasoning_summary_text.done",
    whole="text",
    part="response.reasoning_summary_part",
    place={"summary_index": 0},
)
_FUNCTION: Final = _Form(
    prefix="fc",
    delta="response.function_call_arguments.delta",
    done="response.function_call_arguments.done",
    whole="arguments",
)
_CUSTOM: Final = _Form(
    prefix="ctc",
    delta="response.custom_tool_call_input.delta",
    done="response.custom_tool_call_input.done",
    whole="input",
)
_REST: Final = b'0,"delta":""}\n\n'
_COMPLETED: Final = "completed"


class _Open:
    """A block on its way."""

    __slots__ = ("block", "form", "head", "item_id", "logprobs", "texts")

    def __init__(self, block: Block, item_id: str) -> None:
        self.block = block
        self.form = _form(block)
        self.item_id = item_id
        # everything of a delta before its number; empty until the item was announced
        self.head = b""
        self.texts: list[str] = []
        self.logprobs: tuple[Any, ...] = ()


class Encoder:
    """Makes Responses events of one answer's events."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self._id = way.answer_id
        self._created = way.created
        self._number = 0
        self._adopted = False
        self._open: dict[int, _Open] = {}
        self._begun = 0
        # the items that are done, by their output index
        self._items: dict[int, dict[str, Any]] = {}
        # the last item's end: whether the answer was cut off in it, only the next event tells
        self._last: BlockEnded | None = None
        self._refused = False

    @property
    def next_number(self) -> int:
        """The sequence number of the next event."""
        return self._number

    def adopt(self, answer_id: str, created: int, number: int) -> None:
        """The caller has had `response.created` with this id: no other follows, numbers go on."""
        self._adopted = True
        self._id, self._created, self._number = answer_id, created, number

    def feed(self, event: Event) -> list[bytes]:
        """The frames of one event."""
        match event:
            case BlockDelta():
                block = self._open[event.index]
                block.texts.append(event.text)
                if not block.head or event.logprobs:
                    return self._delta(block, event)
                number = self._number
                self._number = number + 1
                return [b'%b%d,"delta":%b}\n\n' % (block.head, number, encode(event.text))]
            case BlockStarted() | BlockEnded():
                return self._edge(event)
            case Started():
                return self._created_and_in_progress()
            case Finished():
                return self._finish(event)

    def wrapping(self, index: int) -> Wrapping | None:
        """How each further text of a block is framed."""
        head = self._open[index].head
        return Wrapping(head, b'"}\n\n', b',"delta":"') if head else None

    def note_told(self, index: int, text: str, frames: int) -> None:
        """Takes note of `text`, which went out in so many frames: it is said again at the end."""
        self._open[index].texts.append(text)
        self._number += frames

    # --- blocks ----------------------------------------------------------------------------------

    def _edge(self, event: BlockStarted | BlockEnded) -> list[bytes]:
        """An item begins, or ends. The end of the last one waits for what is behind it."""
        if isinstance(event, BlockStarted):
            return [*self._end_last(), *self._begin(event)]
        if event.index < self._begun - 1:
            return self._end(event)
        self._last = event
        return []

    def _begin(self, event: BlockStarted) -> list[bytes]:
        block = event.block
        self._refused = self._refused or isinstance(block, Refusal)
        opened = _Open(block, _item_id(self._id, block, event.index))
        self._open[event.index] = opened
        self._begun += 1
        # Reasoning without words gets its own id back, which is known when it ends.
        return [] if isinstance(block, Reasoning) else self._announce(opened, event.index)

    def _announce(self, opened: _Open, index: int) -> list[bytes]:
        item = _item(Part(opened.block), opened.item_id, "in_progress")
        if isinstance(opened.block, Text | Refusal):
            item["content"] = []  # its one part is added next
        opened.head = self._head(opened, index)
        frames = [self._event("response.output_item.added", output_index=index, item=item)]
        if opened.form.part:
            part = _part(Part(opened.block))
            frames.append(self._event(f"{opened.form.part}.added", opened, index, part=part))
        return frames

    def _head(self, opened: _Open, index: int) -> bytes:
        form = opened.form
        fields = {"type": form.delta, "item_id": opened.item_id, "output_index": index}
        fields |= form.place
        told = {"logprobs": ()} if form is _TEXT else {}
        data = encode({**fields, **told, "sequence_number": 0, "delta": ""})
        return head_of(sse.event(form.delta, data), _REST)

    def _delta(self, opened: _Open, event: BlockDelta) -> list[bytes]:
        frames = [] if opened.head else self._announce(opened, event.index)
        told: dict[str, Any] = {"delta": event.text}
        if opened.form is _TEXT:
            opened.logprobs += event.logprobs
            told["logprobs"] = event.logprobs
        return [*frames, self._event(opened.form.delta, opened, event.index, **told)]

    def _end_last(self, status: str = _COMPLETED) -> list[bytes]:
        """The end that was held back."""
        last, self._last = self._last, None
        return [] if last is None else self._end(last, status)

    def _end(self, event: BlockEnded, status: str = _COMPLETED) -> list[bytes]:
        index, opened = event.index, self._open.pop(event.index)
        part = Part(opened.block, "".join(opened.texts), event.opaque, opened.logprobs)
        item = _whole_item(part, self._way.domain, opened.item_id, status)
        self._items[index] = item
        frames = self._said(opened, index, part) if opened.head else [self._added(index, item)]
        frames.append(self._event("response.output_item.done", output_index=index, item=item))
        return frames

    def _added(self, index: int, item: Mapping[str, Any]) -> bytes:
        """The beginning of an item that had nothing to say before its end."""
        beginning = {**item, "encrypted_content": None}
        return self._event("response.output_item.added", output_index=index, item=beginning)

    def _said(self, opened: _Open, index: int, part: Part) -> list[bytes]:
        form = opened.form
        told: dict[str, Any] = {form.whole: part.text}
        if form is _TEXT:
            told["logprobs"] = part.logprobs
        frames = [self._event(form.done, opened, index, **told)]
        if form.part:
            frames.append(self._event(f"{form.part}.done", opened, index, part=_part(part)))
        return frames

    # --- the response ----------------------------------------------------------------------------

    def _created_and_in_progress(self) -> list[bytes]:
        if self._adopted:
            return []
        beginning = self._response("in_progress")
        return [
            self._event(kind, response=beginning)
            for kind in ("response.created", "response.in_progress")
        ]

    def _finish(self, event: Finished) -> list[bytes]:
        frames = []
        ended = _ended(event.reason, refused=self._refused)
        if not self._begun:  # Codex reads items alone: an empty answer is an empty message
            frames = self._begin(BlockStarted(0, Text()))
            self._last = BlockEnded(0)
        frames += self._end_last(ended["status"])
        whole = {
            **self._response(ended["status"]),
            **ended,
            "output": [item for _, item in sorted(self._items.items())],
            "usage": openai_usage(event.usage, "input", "output"),
        }
        return [*frames, self._event(f"response.{ended['status']}", response=whole)]

    def _response(self, status: str) -> dict[str, Any]:
        return response(self._id, self._created, self._way.asked, status) | dict(self._way.echo)

    def _event(
        self, kind: str, opened: _Open | None = None, index: int = 0, /, **members: Any
    ) -> bytes:
        number, self._number = self._number, self._number + 1
        place: dict[str, Any] = {}
        if opened is not None:
            place = {"item_id": opened.item_id, "output_index": index, **opened.form.place}
        data = {"type": kind, "sequence_number": number, **place, **members}
        return sse.event(kind, encode(data))


def encode_whole(answer: Answer, way: Way) -> bytes:
    """The answer in one piece, with the items its stream has."""
    parts = answer.parts or (Part(Text()),)
    refused = Refusal in {type(part.block) for part in parts}
    ended = _ended(answer.reason, refused=refused)
    output = []
    for index, part in enumerate(parts):
        status = ended["status"] if index == len(parts) - 1 else _COMPLETED
        item_id = _item_id(way.answer_id, part.block, index)
        output.append(_whole_item(part, way.domain, item_id, status))
    return encode(
        {
            **response(way.answer_id, way.created, way.asked, ended["status"]),
            **way.echo,
            **ended,
            "output": output,
            "usage": openai_usage(answer.usage, "input", "output"),
        }
    )


# --- the pieces of a response --------------------------------------------------------------------


def _form(block: Block) -> _Form:
    match block:
        case Text():
            return _TEXT
        case Refusal():
            return _REFUSAL
        case Reasoning():
            return _REASONING
        case ToolCall():
            return _CUSTOM if block.custom else _FUNCTION


def _item_id(answer_id: str, block: Block, index: int) -> str:
    """Always the same for the same place in the same answer."""
    return f"{_form(block).prefix}_{answer_id.removeprefix('resp_')}_{index}"


def _whole_item(part: Part, domain: str, item_id: str, status: str) -> dict[str, Any]:
    """An item at its end. One of reasoning has its state, and its own id where that can be told."""
    item = _item(part, item_id, status)
    if not isinstance(part.block, Reasoning):
        return item
    if part.opaque is not None:
        item |= _state(part.opaque, domain, announced=bool(part.text))
    elif part.text:
        item["encrypted_content"] = UNSEALED
    return item


def _item(part: Part, item_id: str, status: str) -> dict[str, Any]:
    block = part.block
    match block:
        case Text() | Refusal():
            return {
                "id": item_id,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": [_part(part)],
            }
        case Reasoning():
            summary = [_part(part)] if part.text else []
            return {
                "id": item_id,
                "type": "reasoning",
                "summary": summary,
                "encrypted_content": None,
            }
        case ToolCall():
            inside = {} if block.namespace is None else {"namespace": block.namespace}
            return {
                "id": item_id,
                "type": "custom_tool_call" if block.custom else "function_call",
                "status": status,
                "call_id": block.id,
                "name": block.name,
                **inside,
                _form(block).whole: part.text,
            }


def _part(part: Part) -> dict[str, Any]:
    """The one part of a message, or of a summary."""
    match part.block:
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Reasoning():
            return {"type": "summary_text", "text": part.text}
        case _:
            text = {"type": "output_text", "text": part.text}
            return {**text, "annotations": [], "logprobs": part.logprobs}


def _state(opaque: Opaque, domain: str, *, announced: bool) -> dict[str, Any]:
    """Encrypted reasoning as its maker wrote it, else an envelope.

    OpenAI refuses encrypted content under another id than its own, and clients an item that
    changes its id, so once the item was announced under an id of ours its state goes in an
    envelope as well.
    """
    if opaque.dialect != "responses" or announced:
        return {"encrypted_content": wrap(opaque, domain)}
    names = ("id", "encrypted_content")
    return {name: opaque.data[name] for name in names if opaque.data.get(name)}


def _ended(reason: Reason, *, refused: bool) -> dict[str, Any]:
    why = _INCOMPLETE.get(openai_reason(reason, refused=refused))
    details = None if why is None else {"reason": why}
    return {
        "status": _COMPLETED if why is None else "incomplete",
        "incomplete_details": details,
    }
