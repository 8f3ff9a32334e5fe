"""Messages answers: named events from `message_start` to `message_stop`.

What counts as content: a delta that holds something, or the start of a block that brings content
along or announces it: a tool call has its name there, results and redacted thinking come whole, and
a thinking block may stay silent for minutes before its only delta. The start of an empty text
block says nothing yet, nor do `message_start` and `ping`; they wait, so that another target can
still answer. A `stop_reason` waits too, unless it explains why there is no content, or ends a turn
for which tokens were counted: then the model had nothing to say.

Complete is: `message_stop` after a `message_delta` with a `stop_reason`. Claude Code takes a
stream that merely ends for a finished one, so a missing terminator must become an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from runtime import failures, sse
from runtime.dialects import splice
from runtime.dialects.answer import Watcher as Base
from runtime.dialects.answer import Whole, carries, is_set, plain, read_whole
from runtime.usage import Meter

_LABELS: Final = frozenset(("type",))
# first line -> the type its data must name
_ORDINARY: Final[dict[bytes, str]] = {
    f"event: {kind}".encode(): kind
    for kind in ("content_block_delta", "content_block_stop", "ping")
}
# These say why an answer has no content; with any other reason it is simply empty.
_FINISHED_EMPTY: Final = frozenset(
    ("max_tokens", "refusal", "pause_turn", "stop_sequence", "model_context_window_exceeded")
)
_END_TURN: Final = "end_turn"


class _Kind(msgspec.Struct, gc=False):
    """An event after the commit point, of which only the type matters."""

    type: str = ""


class _Message(msgspec.Struct):
    model: Any = None
    usage: msgspec.Raw = msgspec.Raw()


class _Block(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    content_block: _Block | None = None
    delta: dict[str, msgspec.Raw] | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Answer(msgspec.Struct):
    """An answer in one piece."""

    type: str = ""
    content: list[msgspec.Raw] | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_KIND: Final = msgspec.json.Decoder(_Kind)
_EVENT: Final = msgspec.json.Decoder(_Event)
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Watcher(Base):
    """Lets a Messages stream through."""

    def opening(self) -> bytes:
        """A ping may stand before `message_start`."""
        return self.ping()

    def ping(self) -> bytes:
        return sse.event("ping", b'{"type":"ping"}')

    def _plain_until(self, events: Sequence[bytes], start: int) -> int:
        decode = _KIND.decode
        at = start
        try:
            for at in range(start, len(events)):
                name, _, data = events[at].partition(b"\ndata: ")
                if _ORDINARY.get(name) != decode(data).type:
                    return at
        except (msgspec.DecodeError, RecursionError):
            return at
        return len(events)

    def _special(self, name: bytes, data: bytes) -> bytes | None:
        try:
            read = _EVENT.decode(data)
        except (msgspec.DecodeError, RecursionError):
            self._fail(failures.invalid("an event is not a Messages event"))
            return None
        read.type = read.type or name.decode()
        if name == b"error" or read.type == "error" or is_set(read.error):
            self._fail(failures.from_error_event(data))
            return None
        if not read.type:
            self._fail(failures.invalid("an event has no type"))
            return None
        self._follow(read)
        if read.message is not None and read.type == "message_start" and self._model is not None:
            return splice.rename_model(data, self._model, read.message.model, "message")
        return data

    def _follow(self, read: _Event) -> None:
        if read.message is not None:
            self._meter.read_messages(plain(read.message.usage))
        self._meter.read_messages(plain(read.usage))
        if read.type == "message_delta":
            self._follow_stop(read)
        elif read.type == "message_stop":
            self._on_stop()
        elif not self.committed and _has_content(read):
            self._commit()

    def _follow_stop(self, read: _Event) -> None:
        reason = plain(read.delta.get("stop_reason", msgspec.Raw())) if read.delta else None
        if isinstance(reason, str) and reason:
            self.finish = reason
            if not self.committed and _may_be_empty(reason, read.usage):
                self._commit()

    def _on_stop(self) -> None:
        if self.finish is None or not self.committed:
            self._fail_incomplete()
        else:
            self.done = True

    def _at_end(self) -> bytes:
        self._fail_incomplete()
        return b""


def whole(body: bytes, asked: str, rewrite_id: Callable[[str], str] | None = None) -> Whole:
    """An unstreamed answer with the caller's model name; raises UpstreamError if it is none."""
    answer, body = _judged(body)
    meter = Meter()
    meter.read_messages(plain(answer.usage))
    body = splice.name_answer(body, msgspec.json.encode(asked), answer.model)
    return Whole(body, meter.usage(), answer.stop_reason)


def usable(body: bytes) -> bytes:
    """An unstreamed answer for a decoder; raises UpstreamError for one not to use."""
    return _judged(body)[1]


def _judged(body: bytes) -> tuple[_Answer, bytes]:
    try:
        answer, body = read_whole(_ANSWER, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise failures.invalid("the answer is not a Messages answer") from exc
    if answer.type == "error" or is_set(answer.error):
        raise failures.from_error_event(body)
    if answer.type != "message":
        raise failures.invalid("the answer is not a Messages answer")
    if not answer.content and not _may_be_empty(answer.stop_reason, answer.usage):
        raise failures.empty()
    return answer, body


def _may_be_empty(reason: str | None, usage: msgspec.Raw) -> bool:
    """Whether an answer without content is one all the same.

    After tool results a model may end its turn without a word, in two or three counted tokens; an
    upstream that failed to make anything counts none.
    """
    if reason != _END_TURN:
        return reason in _FINISHED_EMPTY
    counts = plain(usage)
    made = counts.get("output_tokens") if isinstance(counts, dict) else None
    return type(made) is int and made > 0


def _has_content(read: _Event) -> bool:
    block = read.content_block
    if block is not None:
        return block.type != "text" or bool(block.text)
    return read.type == "content_block_delta" and carries(read.delta, _LABELS)
