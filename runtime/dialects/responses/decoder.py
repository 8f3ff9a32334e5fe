"""Responses answers as events: items with parts, said once in deltas and again when they are done.

What was said again is compared with what came before: what deltas left out is said then. Items of
a provider's own tools and citations have no event and are counted. It knows no other dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from runtime.dialects.answer import DONE
from runtime.dialects.blocks import Blocks, arguments_text
from runtime.dialects.responses.wire import (
    CUSTOM,
    EVENT,
    FUNCTION,
    MESSAGE,
    OURS,
    PART,
    REASONING,
    REFUSAL,
    RESPONSE,
    SPOKEN,
    TEXT,
    TYPED,
    Item,
    Response,
    ResponsesEvent,
    Typed,
    read,
    read_item,
    response_of,
    same_json,
    sealed,
    words,
)
from runtime.dialects.way import More
from runtime.events import Event, Opaque, Reason, Reasoning, Refusal, Text, ToolCall
from runtime.usage import Meter

_BETWEEN_PARTS: Final = "\n\n"

# Why a response is incomplete. A reason that nobody knows still means that something is missing.
_INCOMPLETE: Final[dict[str, Reason]] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "max_messages": "length",
    "content_filter": "content_filter",
    "steered": "stop",
}
_TEXT_DELTA: Final = "response.output_text.delta"
# Of these nothing is to be told: they frame what other events say.
_SILENT: Final = frozenset(
    (
        "response.content_part.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_part.added",
        "response.reasoning_part.done",
        "keepalive",
        "ping",
    )
)


class _Said(msgspec.Struct):
    """What was said of one part. `number`: its block; a call has none before its name is known."""

    pieces: list[str]
    number: int | None = None
    ended: bool = False


class _Open(msgspec.Struct):
    """An item that was seen. `parts`: by kind and index."""

    kind: str
    parts: dict[tuple[str, int], _Said]
    done: bool = False
    # reasoning: its one block, and whether that tells the summary or the content
    number: int | None = None
    source: str | None = None


class Decoder:
    """Makes events of one streamed Responses answer."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self.unknown = self._blocks.unknown
        self._meter = Meter()
        self._reason: Reason = "stop"
        # Every item, and where to find it: at its index, or by its id where events have none, for
        # some providers give every event another id.
        self._items: list[_Open] = []
        self._placed: dict[int, _Open] = {}
        self._named: dict[str, _Open] = {}
        # where the last text delta went
        self._output_index: int | None = None
        self._content_index: int | None = None
        self._text: _Said | None = None
        # what the last event said more of, and where that event said it was
        self._last: _Said | None = None
        self._at_last: tuple[Any, ...] = ()

    def feed(self, name: bytes, data: bytes) -> list[Event]:
        """The events of one server-sent event. Raises ValueError for one that makes no sense."""
        try:
            event = EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            return self._odd(name, data, error)
        kind = event.type or name.decode(errors="replace")
        self._last = None
        if kind == _TEXT_DELTA:
            self._on_text_delta(event)
        elif (handler := _HANDLERS.get(kind)) is not None:
            event.type = kind
            handler(self, event)
        elif kind not in _SILENT:
            self._note_event(kind, event)
        self._at_last = _place(event)
        return self._blocks.take()

    def more(self, data: bytes) -> More | None:
        """What the data of an event would add to an open block, if it would do nothing else."""
        said = self._last
        try:
            event = EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return None
        if said is None or said.number is None or said.ended or _place(event) != self._at_last:
            return None
        if event.logprobs or not event.delta:
            return None
        return More(said.number, event.delta, said.pieces)

    def flush(self) -> list[Event]:
        """The rest: items that were never done end, and the answer with them.

        Raises ValueError for a call without a name.
        """
        for opened in self._items:
            self._end(opened)
        return self._blocks.finish(self._reason, self._meter.usage())

    def whole(self, body: bytes) -> list[Event]:
        """The events of an answer in one piece. Raises ValueError."""
        try:
            response = RESPONSE.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError("the answer is not a Responses answer") from error
        self._hear(response)
        return self.flush()

    def _hear(self, response: Response) -> None:
        """A response object at its end. Raises ValueError.

        Of its items only those are told that no event told.
        """
        self._blocks.begin(response.id)
        self._meter.read_openai(response.usage)
        for place, raw in enumerate(response.output or ()):
            item = read_item(raw)
            self._complete(self._finished(place, item), item)
        why = response.incomplete_details
        if response.status == "incomplete" or (why is not None and why.reason):
            reason = _INCOMPLETE.get((why.reason if why else None) or "")
            if reason is None:
                self._blocks.note("incomplete_details")
            self._reason = reason or "length"

    # --- the response --------------------------------------------------------------------------

    def _on_begin(self, event: ResponsesEvent) -> None:
        self._blocks.begin(response_of(event).id)

    def _on_complete(self, event: ResponsesEvent) -> None:
        response = response_of(event)
        if event.type == "response.incomplete":
            response.status = "incomplete"
        self._hear(response)

    def _on_failed(self, event: ResponsesEvent) -> None:
        raise ValueError("the response failed")

    # --- items ---------------------------------------------------------------------------------

    def _on_added(self, event: ResponsesEvent) -> None:
        item = read_item(event.item)
        if (before := self._found(event, item)) is not None:
            if self._named.get(item.id or item.call_id or "") is before:
                return  # announced again
            self._end(before)  # some providers give every item the same index
        opened = self._new(item.type, event.output_index, item)
        if item.type in (FUNCTION, CUSTOM):
            self._start_call(opened, item)

    def _on_done(self, event: ResponsesEvent) -> None:
        item = read_item(event.item)
        opened = self._found(event, item)
        if opened is None or opened.kind != item.type or self._is_another(opened, item):
            opened = self._new(item.type, event.output_index, item)
        self._complete(opened, item)

    def _is_another(self, opened: _Open, item: Item) -> bool:
        """Whether this is a call at the index of another that is done."""
        return opened.done and bool(item.call_id) and item.call_id not in self._named

    def _new(self, kind: str, place: int | None, item: Item | None = None) -> _Open:
        opened = _Open(kind, {}, done=kind not in OURS)
        if opened.done:
            self._blocks.note(kind)
        self._items.append(opened)
        if place is not None:
            self._placed[place] = opened
        for name in (item.id, item.call_id) if item is not None else ():
            if name:
                self._named[name] = opened
        return opened

    def _found(self, event: ResponsesEvent | Typed, item: Item | None = None) -> _Open | None:
        """The item at the index of an event, or by the id that stands in it."""
        if event.output_index is not None:
            return self._placed.get(event.output_index)
        return self._named.get((item.id if item else None) or event.item_id or "")

    def _finished(self, place: int, item: Item) -> _Open:
        """The item that events told of, or a new one."""
        in_order = self._items[place] if place < len(self._items) and not self._placed else None
        named = (self._named.get(name or "") for name in (item.id, item.call_id))
        for opened in (*named, self._placed.get(place), in_order):
            if opened is not None and opened.kind == item.type:
                return opened
        return self._new(item.type, None, item)

    def _complete(self, opened: _Open, item: Item) -> None:
        """An item is done: what its deltas left out is told now."""
        if opened.done:
            return
        if item.type == MESSAGE:
            self._complete_message(opened, item)
        elif item.type == REASONING:
            self._complete_reasoning(opened, item)
        else:
            self._complete_call(opened, item)
        self._end(opened, sealed(item))

    def _end(self, opened: _Open, opaque: Opaque | None = None) -> None:
        if opened.done:
            return
        opened.done = True
        if opened.kind == REASONING:
            for said in opened.parts.values():
                said.ended = True
            if opened.number is None and opaque is not None:  # thinking that is not shown
                opened.number = self._blocks.start(Reasoning(summary=True))
            if opened.number is not None:
                self._blocks.end(opened.number, opaque)
            return
        for said in opened.parts.values():
            self._end_part(said)

    def _end_part(self, said: _Said) -> None:
        if said.number is None:
            raise ValueError("a tool call has no name")
        if not said.ended:
            said.ended = True
            self._blocks.end(said.number)

    # --- messages ------------------------------------------------------------------------------

    def _on_text_delta(self, event: ResponsesEvent) -> None:
        said = self._text
        if (
            said is None
            or said.ended
            or event.output_index is None
            or event.output_index != self._output_index
            or event.content_index != self._content_index
        ):
            if not event.delta:
                return
            said = self._message_part(event, TEXT)
            self._text = said
            self._output_index = event.output_index
            self._content_index = event.content_index
        self._say(said, event.delta, event.logprobs)

    def _on_text_done(self, event: ResponsesEvent) -> None:
        if event.text:
            self._settle(self._message_part(event, TEXT), event.text)

    def _on_refusal_delta(self, event: ResponsesEvent) -> None:
        if event.delta:
            self._say(self._message_part(event, REFUSAL), event.delta)

    def _on_refusal_done(self, event: ResponsesEvent) -> None:
        if event.refusal:
            self._settle(self._message_part(event, REFUSAL), event.refusal)

    def _on_part_done(self, event: ResponsesEvent) -> None:
        part = read(PART, event.part)
        kind = SPOKEN.get(part.type)
        if kind is None:
            return
        if text := words(part):
            self._settle(self._message_part(event, kind), text, part.logprobs)
        said = self._part_of(event, kind)
        if said is not None:
            self._end_part(said)

    def _part_of(self, event: ResponsesEvent, block: Text | Refusal) -> _Said | None:
        opened = self._found(event)
        place = (type(block).__name__, event.content_index or 0)
        return opened.parts.get(place) if opened is not None else None

    def _message_part(self, event: ResponsesEvent, block: Text | Refusal) -> _Said:
        opened = self._at(event, MESSAGE)
        return self._said(opened, block, event.content_index or 0)

    def _said(self, opened: _Open, block: Text | Refusal, index: int) -> _Said:
        place = (type(block).__name__, index)
        said = opened.parts.get(place)
        if said is None:
            _refuse_done(opened)
            said = opened.parts[place] = _Said([], self._blocks.start(block))
        return said

    def _at(self, event: ResponsesEvent, kind: str) -> _Open:
        """The item that an event is part of; it begins there if it was not announced."""
        opened = self._found(event)
        if opened is None:
            last = self._items[-1] if self._items and event.output_index is None else None
            opened = last or self._new(kind, event.output_index)
        if opened.kind != kind:
            raise ValueError("an event of another kind of item")
        return opened

    def _complete_message(self, opened: _Open, item: Item) -> None:
        parts = item.content or []
        for part in parts:
            for _ in part.annotations or ():
                self._blocks.note("annotation")
            if part.type not in SPOKEN:
                self._blocks.note(part.type)
        told = "".join(piece for said in opened.parts.values() for piece in said.pieces)
        if told == "".join(map(words, parts)):
            return
        for index, part in enumerate(parts):
            block, text = SPOKEN.get(part.type), words(part)
            if block is not None and text:
                self._settle(self._said(opened, block, index), text, part.logprobs)

    # --- reasoning -----------------------------------------------------------------------------

    def _on_summary_delta(self, event: ResponsesEvent) -> None:
        self._reason_on(event, "summary", event.summary_index, event.delta)

    def _on_reasoning_delta(self, event: ResponsesEvent) -> None:
        self._reason_on(event, "content", event.content_index, event.delta)

    def _on_summary_done(self, event: ResponsesEvent) -> None:
        self._reason_on(event, "summary", event.summary_index, None, event.text)

    def _on_reasoning_done(self, event: ResponsesEvent) -> None:
        self._reason_on(event, "content", event.content_index, None, event.text)

    def _reason_on(
        self,
        event: ResponsesEvent,
        source: str,
        index: int | None,
        delta: str | None,
        whole: str | None = None,
    ) -> None:
        opened = self._at(event, REASONING)
        said = self._reasoning_part(opened, source, index or 0, bool(delta or whole))
        if said is not None and delta:
            self._say(said, delta)
        elif said is not None and whole:
            self._settle(said, whole)

    def _reasoning_part(self, opened: _Open, source: str, index: int, says: bool) -> _Said | None:
        """Thinking or its summary: whichever comes first, for they say the same."""
        if not says:
            return None
        opened.source = opened.source or source
        if source != opened.source:
            self._blocks.note(f"reasoning.{source}")
            return None
        place = (source, index)
        said = opened.parts.get(place)
        if said is None:
            _refuse_done(opened)
            if opened.number is None:
                opened.number = self._blocks.start(Reasoning(summary=source == "summary"))
            if opened.parts:
                self._blocks.say(opened.number, _BETWEEN_PARTS)
            said = opened.parts[place] = _Said([], opened.number)
        return said

    def _complete_reasoning(self, opened: _Open, item: Item) -> None:
        for source, parts in (("summary", item.summary), ("content", item.content)):
            if opened.source not in (None, source):
                continue
            for index, part in enumerate(parts or ()):
                said = self._reasoning_part(opened, source, index, bool(part.text))
                if said is not None and part.text:
                    self._settle(said, part.text)

    # --- calls ---------------------------------------------------------------------------------

    def _on_arguments_delta(self, event: ResponsesEvent) -> None:
        self._say(self._call_part(self._at(event, FUNCTION)), event.delta)

    def _on_arguments_done(self, event: ResponsesEvent) -> None:
        opened = self._at(event, FUNCTION)
        self._settle_call(opened, arguments_text(event.arguments))

    def _on_input_delta(self, event: ResponsesEvent) -> None:
        self._say(self._call_part(self._at(event, CUSTOM)), event.delta)

    def _on_input_done(self, event: ResponsesEvent) -> None:
        self._settle_call(self._at(event, CUSTOM), arguments_text(event.input))

    def _call_part(self, opened: _Open) -> _Said:
        said = opened.parts.get((opened.kind, 0))
        if said is None:
            _refuse_done(opened)
            said = opened.parts[(opened.kind, 0)] = _Said([])
        return said

    def _start_call(self, opened: _Open, item: Item) -> None:
        said = self._call_part(opened)
        if said.number is not None or not item.name:
            return
        call_id = item.call_id or item.id or ""
        call = ToolCall(call_id, item.name, item.type == CUSTOM, item.namespace)
        said.number = self._blocks.start(call)
        self._blocks.say(said.number, "".join(said.pieces))

    def _complete_call(self, opened: _Open, item: Item) -> None:
        self._start_call(opened, item)
        whole = item.input if item.type == CUSTOM else item.arguments
        self._settle_call(opened, arguments_text(whole))

    def _settle_call(self, opened: _Open, whole: str) -> None:
        """Arguments that are not those of the deltas would run another command than was shown."""
        said = self._call_part(opened)
        if whole and not self._agrees(said, whole) and not same_json("".join(said.pieces), whole):
            raise ValueError("the arguments of a tool call contradict their deltas")

    # --- what was said -------------------------------------------------------------------------

    def _say(self, said: _Said, text: str | None, logprobs: list[Any] | None = None) -> None:
        if not text:
            return
        if said.ended:
            raise ValueError("more of a part that was done")
        said.pieces.append(text)
        self._last = said
        if said.number is not None:
            self._blocks.say(said.number, text, tuple(logprobs) if logprobs else ())

    def _settle(self, said: _Said, whole: str, logprobs: list[Any] | None = None) -> None:
        """Words that are not those of the deltas come too late: the caller has read others."""
        if not self._agrees(said, whole, logprobs):
            self._blocks.note("contradiction")

    def _agrees(self, said: _Said, whole: str, logprobs: list[Any] | None = None) -> bool:
        """Says what is missing of the whole; False where the whole does not begin like that."""
        told = "".join(said.pieces)
        if not whole.startswith(told) or (said.ended and whole != told):
            return False
        self._say(said, whole[len(told) :], None if told else logprobs)
        return True

    # --- what has no event ---------------------------------------------------------------------

    def _on_annotation(self, event: ResponsesEvent) -> None:
        """Counted with the part that is done, which repeats it."""

    def _note_event(self, kind: str, event: ResponsesEvent | Typed) -> None:
        """Events of items that were counted are not counted again."""
        opened = self._found(event)
        if opened is None or opened.kind in OURS:
            self._blocks.note(kind.removeprefix("response."))

    def _odd(self, name: bytes, data: bytes, error: BaseException) -> list[Event]:
        """An event that is not of the usual form: passed over if it is one of no meaning to us."""
        if data.strip() == DONE:
            return []
        try:
            event = TYPED.decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise ValueError("an event is not a Responses event") from error
        kind = event.type or name.decode(errors="replace")
        if kind == _TEXT_DELTA or kind in _HANDLERS:
            raise ValueError("an event is not a Responses event") from error
        self._note_event(kind, event)
        return self._blocks.take()


_HANDLERS: Final[dict[str, Callable[[Decoder, ResponsesEvent], None]]] = {
    "response.created": Decoder._on_begin,
    "response.queued": Decoder._on_begin,
    "response.in_progress": Decoder._on_begin,
    "response.completed": Decoder._on_complete,
    "response.incomplete": Decoder._on_complete,
    "response.failed": Decoder._on_failed,
    "response.cancelled": Decoder._on_failed,
    "error": Decoder._on_failed,
    "response.output_item.added": Decoder._on_added,
    "response.output_item.done": Decoder._on_done,
    "response.content_part.done": Decoder._on_part_done,
    "response.output_text.done": Decoder._on_text_done,
    "response.output_text.annotation.added": Decoder._on_annotation,
    "response.refusal.delta": Decoder._on_refusal_delta,
    "response.refusal.done": Decoder._on_refusal_done,
    "response.reasoning_summary_text.delta": Decoder._on_summary_delta,
    "response.reasoning_summary_text.done": Decoder._on_summary_done,
    "response.reasoning_text.delta": Decoder._on_reasoning_delta,
    "response.reasoning_text.done": Decoder._on_reasoning_done,
    "response.function_call_arguments.delta": Decoder._on_arguments_delta,
    "response.function_call_arguments.done": Decoder._on_arguments_done,
    "response.custom_tool_call_input.delta": Decoder._on_input_delta,
    "response.custom_tool_call_input.done": Decoder._on_input_done,
}


def _place(event: ResponsesEvent) -> tuple[Any, ...]:
    """The kind of an event, and the part of an answer that it is about."""
    at = event.output_index, event.content_index, event.summary_index
    return (event.type, event.item_id, *at)


def _refuse_done(opened: _Open) -> None:
    if opened.done:
        raise ValueError("more of an item that was done")
