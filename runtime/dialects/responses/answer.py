"""Responses answers: typed events from `response.created` to one that ends the response.

What counts as content: every event but those that only say a response or an empty message has
begun (`response.created`, `.queued`, `.in_progress`, an added message item, an added part, a delta
of nothing, a keep-alive of the provider). An added reasoning item counts: its summary may be
minutes away. The terminator counts when it brings output along, or says why there is none.

Complete is: `response.completed` or `response.incomplete`. `error` and `response.failed` are
failures. Event names are not relied upon: some providers send `data:` lines alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from runtime import failures, sse
from runtime.dialects import splice
from runtime.dialects.answer import Watcher as Base
from runtime.dialects.answer import Whole, holds, is_set, new_response_id, plain, read_whole
from runtime.dialects.responses.response import response
from runtime.usage import Meter

_NAMELESS: Final = b"data: {"
_BEGINNING: Final = frozenset(("response.created", "response.queued", "response.in_progress"))
_COMPLETE: Final = frozenset(("response.completed", "response.incomplete"))
_FAILED: Final = frozenset(("response.failed", "response.cancelled", "error"))
_UNUSUAL: Final = _BEGINNING | _COMPLETE | _FAILED
_EMPTY_PARTS: Final = frozenset(
    ("response.content_part.added", "response.reasoning_summary_part.added", "keepalive", "ping")
)
_WAITING: Final = frozenset(("queued", "in_progress"))


class _Kind(msgspec.Struct, gc=False):
    """An event after the commit point."""

    type: str = ""
    sequence_number: int | None = None
    error: msgspec.Raw = msgspec.Raw()


class _Item(msgspec.Struct):
    type: str = ""
    content: msgspec.Raw = msgspec.Raw()


class _Why(msgspec.Struct):
    reason: str | None = None


class _Answer(msgspec.Struct):
    """A response object: inside the events that carry one, or an answer in one piece."""

    id: str | None = None
    object: str | None = None
    status: str | None = None
    model: str | None = None
    previous_response_id: str | None = None
    output: list[msgspec.Raw] | None = None
    incomplete_details: _Why | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()

    @property
    def finish(self) -> str | None:
        why = self.incomplete_details
        return (why.reason if why else None) or self.status


class _Event(msgspec.Struct):
    type: str = ""
    sequence_number: int | None = None
    response: _Answer | None = None
    item: _Item | None = None
    delta: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_KIND: Final = msgspec.json.Decoder(_Kind)
_EVENT: Final = msgspec.json.Decoder(_Event)
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Watcher(Base):
    """Lets a Responses stream through.

    After a head start the caller knows a response of ours: the winner's own beginning is
    swallowed, its id replaced, and its events are numbered on from ours.
    """

    def __init__(
        self,
        asked: str | None,
        *,
        hide_usage: bool = False,
        response_id: str | None = None,
        rewrite_id: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(
            asked, hide_usage=hide_usage, response_id=response_id, rewrite_id=rewrite_id
        )
        self.created_at = int(time.time())
        # The first line of an event -> the type its data names.
        self._types: dict[bytes, str] = {}
        # Events of ours stand among the upstream's, so those that follow need new numbers.
        self._numbered = False

    def adopt(self, previous: Base | None = None) -> None:
        """The response the caller knows goes on: `previous` lends its id and numbers."""
        self.adopted = True
        self._number_anew()
        if isinstance(previous, Watcher):
            self.response_id = previous.response_id
            self.next_number = previous.next_number
            self.created_at = previous.created_at

    def opening(self) -> bytes:
        """A `response.created` of our own: what is held back follows it, numbered anew."""
        self.adopt()
        self.next_number = 0
        return self._own("response.created", "in_progress")

    def ping(self) -> bytes:
        """A real event: Codex does not take comments for a sign of life."""
        if not self.adopted and not self.committed:
            return self.opening()
        self._number_anew()
        return self._own("response.in_progress", "in_progress")

    def _number_anew(self) -> None:
        self._numbered = True
        # from now on no event passes as it is
        self._stop_flow()
        self.usual, self._lessons = None, 0

    def response(self, status: str, error: dict[str, Any] | None = None) -> dict[str, Any]:
        """The response object as far as we can tell it ourselves."""
        self.response_id = self.response_id or new_response_id()
        known = response(self.response_id, self.created_at, self.asked, status)
        return known | {"error": error}

    def _own(self, kind: str, status: str) -> bytes:
        number, self.next_number = self.next_number, self.next_number + 1
        data = {"type": kind, "sequence_number": number, "response": self.response(status)}
        return sse.event(kind, msgspec.json.encode(data))

    # --- the upstream's events -----------------------------------------------------------------

    def _plain_until(self, events: Sequence[bytes], start: int) -> int:
        if self._numbered:
            return start
        decode, type_of = _KIND.decode, self._types.get
        at = start
        try:
            for at in range(start, len(events)):
                if events[at].startswith(_NAMELESS):
                    name, data = b"", events[at][6:]
                else:
                    name, _, data = events[at].partition(b"\ndata: ")
                read = decode(data)
                kind = read.type
                if kind in _UNUSUAL or read.error or (type_of(name) != kind if name else not kind):
                    return at
                if read.sequence_number is not None:
                    self.next_number = read.sequence_number + 1
        except (msgspec.DecodeError, RecursionError):
            return at
        return len(events)

    def _special(self, name: bytes, data: bytes) -> bytes | None:
        try:
            read = _EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError):
            self._fail(failures.invalid("an event is not a Responses event"))
            return None
        read.type = read.type or name.decode()
        if name == b"error" or _has_failed(read):
            self._fail(failures.from_error_event(data))
            return None
        if not read.type:
            self._fail(failures.invalid("an event has no type"))
            return None
        self._follow(read)
        if name == read.type.encode():
            self._types[b"event: " + name] = read.type
        if self.adopted and read.type in _BEGINNING:
            return None
        return self._renumbered(self._exactly_edited(data, read), read)

    def _commit(self) -> None:
        super()._commit()
        if self._numbered:
            anew = [self._held_again(event) for event in self._held]
            self._held = [event for event in anew if event is not None]

    def _held_again(self, event: bytes) -> bytes | None:
        """An event held back since before our own beginning, as it may follow that."""
        _, data = sse.parse(event)
        if not data:
            return event
        read = _EVENT.decode(data)
        if self.adopted and read.type in _BEGINNING:
            return None
        return event.replace(data, self._renumbered(self._exactly_edited(data, read), read))

    def _follow(self, read: _Event) -> None:
        answer = read.response
        if answer is not None:
            self._meter.read_openai(plain(answer.usage))
            self._name(answer)
        if read.type in _COMPLETE:
            self._on_complete(read)
        elif not self.committed and _has_content(read):
            self._commit()

    def _name(self, answer: _Answer) -> None:
        if not self.adopted and answer.id:
            rewrite = self._rewrite_id
            self.response_id = rewrite(answer.id) if rewrite else answer.id

    def _on_complete(self, read: _Event) -> None:
        answer = read.response or _Answer()
        self.finish = answer.finish or read.type.removeprefix("response.")
        if not self.committed:
            if not answer.output and read.type == "response.completed":
                self._fail_incomplete()
                return
            self._commit()
        self.done = True

    def _at_end(self) -> bytes:
        self._fail_incomplete()
        return b""

    # --- the declared changes ------------------------------------------------------------------

    def _exactly_edited(self, data: bytes, read: _Event) -> bytes:
        answer = read.response
        if answer is None:
            return data
        if self._model is not None:
            data = splice.rename_model(data, self._model, answer.model, "response")
        if self.response_id and answer.id and self.response_id != answer.id:
            data = splice.rename(data, msgspec.json.encode(self.response_id), "response", "id")
        return _previous_rewritten(data, answer, self._rewrite_id, "response")

    def _renumbered(self, data: bytes, read: _Event) -> bytes:
        if read.sequence_number is None:
            return data
        if not self._numbered:
            self.next_number = read.sequence_number + 1
            return data
        if not self.committed:  # numbered when it goes out: keep-alives of ours go before it
            return data
        number, self.next_number = self.next_number, self.next_number + 1
        member = splice.find(data, "sequence_number")
        return splice.replace(data, member, b"%d" % number) if member else data


def whole(body: bytes, asked: str, rewrite_id: Callable[[str], str] | None = None) -> Whole:
    """An unstreamed answer with the caller's model name, and with our id where it is stateful.

    Raises UpstreamError for an answer not to use.
    """
    answer, body = _judged(body)
    meter = Meter()
    meter.read_openai(plain(answer.usage))
    body = splice.name_answer(body, msgspec.json.encode(asked), answer.model)
    if rewrite_id and answer.id:
        body = splice.rename(body, msgspec.json.encode(rewrite_id(answer.id)), "id")
    body = _previous_rewritten(body, answer, rewrite_id)
    return Whole(body, meter.usage(), answer.finish)


def usable(body: bytes) -> bytes:
    """An unstreamed answer for a decoder; raises UpstreamError for one not to use."""
    return _judged(body)[1]


def _judged(body: bytes) -> tuple[_Answer, bytes]:
    try:
        answer, body = read_whole(_ANSWER, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise failures.invalid("the answer is not a Responses answer") from exc
    if is_set(answer.error) or answer.status in ("failed", "cancelled"):
        raise failures.from_error_event(body)
    if answer.output is None:
        raise failures.invalid("the answer is not a Responses answer")
    if not answer.output and answer.status not in _WAITING and answer.status != "incomplete":
        raise failures.empty()
    return answer, body


def _previous_rewritten(
    text: bytes, answer: _Answer, rewrite_id: Callable[[str], str] | None, *path: str
) -> bytes:
    """The caller named the previous answer by our id and gets it back by our id."""
    if rewrite_id is None or not answer.previous_response_id:
        return text
    ours = msgspec.json.encode(rewrite_id(answer.previous_response_id))
    return splice.rename(text, ours, *path, "previous_response_id")


def _has_failed(read: _Event) -> bool:
    answer = read.response
    return (
        read.type in _FAILED
        or is_set(read.error)
        or (answer is not None and (answer.status == "failed" or is_set(answer.error)))
    )


def _has_content(read: _Event) -> bool:
    if read.type in _BEGINNING or read.type in _EMPTY_PARTS:
        return False
    if read.type == "response.output_item.added":
        item = read.item
        return item is None or item.type != "message" or holds(item.content)
    if read.type.endswith(".delta"):
        return holds(read.delta)
    return read.type.startswith("response.")
