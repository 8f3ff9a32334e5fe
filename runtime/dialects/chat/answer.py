"""Chat Completions answers: chunks of choices, ended by `[DONE]` or by the end of the body.

What counts as content: any member of a delta that holds something, apart from its labels (`role`
and its like). Providers put output under many names (`content`, `reasoning`, `reasoning_content`,
`reasoning_details`, `tool_calls`, `refusal`, `images` ...), and a name we do not know is still
output. A first chunk with only a role, empty text or filter results holds nothing back from a
fallback, so it waits. A `finish_reason` waits too, unless it explains why there is no content.

Complete is: every choice that was seen has a `finish_reason`, and then `[DONE]` or a clean end.
Agents loop for ever on a stream that has none, so one is never let through as finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from runtime import failures, sse
from runtime.dialects import splice
from runtime.dialects.answer import DONE, Whole, carries, read_whole
from runtime.dialects.answer import Watcher as Base
from runtime.usage import Meter

_PLAIN: Final = b"data: {"
_LABELS: Final = frozenset(("role", "name", "channel"))
# These say why an answer has no content; with any other reason it is simply empty.
_FINISHED_EMPTY: Final = frozenset(("length", "content_filter", "max_tokens"))
_FAILED: Final = "error"


class _Progress(msgspec.Struct, gc=False):
    """A choice after the commit point: what it holds no longer matters."""

    index: int | None = 0
    finish_reason: str | None = None
    error: msgspec.Raw = msgspec.Raw()


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Progress] | None = None
    model: str | None = None
    usage: dict[str, msgspec.Raw] | None = None
    error: msgspec.Raw = msgspec.Raw()


class _Choice(msgspec.Struct):
    index: int | None = 0
    finish_reason: str | None = None
    delta: dict[str, msgspec.Raw] | None = None
    message: dict[str, msgspec.Raw] | None = None
    usage: Any = None
    error: Any = None

    @property
    def has_content(self) -> bool:
        return carries(self.message, _LABELS) or carries(self.delta, _LABELS)


class _Answer(msgspec.Struct):
    """A whole chunk, or an answer in one piece."""

    choices: list[_Choice] | None = None
    model: str | None = None
    usage: Any = None
    error: Any = None
    object: str | None = None
    x_groq: Any = None

    @property
    def failed(self) -> bool:
        if self.error is not None or self.object == _FAILED:
            return True
        for choice in self.choices or ():
            if choice.finish_reason == _FAILED or choice.error is not None:
                return True
        return False

    @property
    def all(self) -> list[_Choice]:
        return self.choices or []

    def read_usage(self, meter: Meter) -> None:
        """The last place that has counts is the best one."""
        if isinstance(self.x_groq, dict):
            meter.read_openai(self.x_groq.get("usage"))
        for choice in self.choices or ():
            if choice.usage is not None:
                meter.read_openai(choice.usage)
        meter.read_openai(self.usage)


_CHUNK: Final = msgspec.json.Decoder(_Chunk)
_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Watcher(Base):
    """Lets a Chat Completions stream through."""

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
        self._seen: set[int] = set()
        self._finished: set[int] = set()
        self._usual_model: str | None = None
        # What is replaced in every plain chunk: its old and its new spelling.
        self._swaps: list[tuple[bytes, bytes]] = []

    def _plain_until(self, events: Sequence[bytes], start: int) -> int:
        decode, seen, model = _CHUNK.decode, self._seen, self._usual_model
        at = start
        try:
            for at in range(start, len(events)):
                event = events[at]
                if not event.startswith(_PLAIN):
                    return at
                chunk = decode(event[6:])
                if chunk.model != model or chunk.usage is not None:
                    return at
                if chunk.error or not chunk.choices:
                    return at
                for choice in chunk.choices:
                    if choice.finish_reason is not None or choice.index not in seen or choice.error:
                        return at
        except (msgspec.DecodeError, RecursionError):
            return at
        return len(events)

    def _edited(self, events: Sequence[bytes]) -> bytes:
        text = b"".join(events)
        for old, new in self._swaps:
            swapped = text.replace(old, new)
            if not _swapped_once(text, swapped, old, new, len(events)):
                return b"".join(map(self._exactly_edited_event, events))
            text = swapped
        return text

    def _special(self, name: bytes, data: bytes) -> bytes | None:
        try:
            chunk = _ANSWER.decode(data)
        except (msgspec.DecodeError, RecursionError):
            self._fail(failures.invalid("a chunk is not a Chat Completions chunk"))
            return None
        chunk.read_usage(self._meter)
        if name == b"error" or chunk.failed:
            self._fail(failures.from_error_event(data))
            return None
        self._follow(chunk)
        if self._hide_usage and not chunk.all and chunk.usage is not None:
            return None
        self._learn(data, chunk)
        return self._exactly_edited(data, chunk.model)

    def _follow(self, chunk: _Answer) -> None:
        content = False
        for choice in chunk.all:
            index = choice.index or 0
            self._seen.add(index)
            content = content or choice.has_content
            if choice.finish_reason:
                self._finished.add(index)
                self.finish = choice.finish_reason
                content = content or choice.finish_reason in _FINISHED_EMPTY
        if content and not self.committed:
            self._commit()

    def _on_done_mark(self) -> bool:
        if not self._is_complete():
            self._fail_incomplete()
            return False
        self.done = True
        return True

    def _at_end(self) -> bytes:
        """Some providers leave the mark out; agents that wait for it get ours."""
        return sse.data_event(DONE) if self._on_done_mark() else b""

    def _is_complete(self) -> bool:
        return self.committed and self._seen == self._finished

    # --- the declared changes ------------------------------------------------------------------

    def _exactly_edited_event(self, event: bytes) -> bytes:
        return event[:6] + self._exactly_edited(event[6:], self._usual_model)

    def _exactly_edited(self, data: bytes, model: str | None) -> bytes:
        if self._model is not None:
            data = splice.rename_model(data, self._model, model)
        if self._hide_usage and (member := splice.find(data, "usage")) is not None:
            data = splice.remove(data, member)
        return data

    def _learn(self, data: bytes, chunk: _Answer) -> None:
        """From one chunk in full, how its likes are changed as bytes."""
        if not chunk.all or (chunk.model == self._usual_model and self._swaps):
            return
        self._usual_model = chunk.model
        self._swaps = []
        name = self._model
        if name is not None and (model := splice.model_in(data, chunk.model)) is not None:
            key = data[model.key : model.start]
            self._swap(data[model.key : model.end], key + name)
        if self._hide_usage and (usage := splice.find(data, "usage")) is not None:
            self._swap(b"," + data[usage.key : usage.end], b"")

    def _swap(self, old: bytes, new: bytes) -> None:
        if old != new:
            self._swaps.append((old, new))


def _swapped_once(text: bytes, swapped: bytes, old: bytes, new: bytes, events: int) -> bool:
    """Whether there were as many replacements as events: each has its own member and no other."""
    if len(old) == len(new):
        return text.count(old) == events
    return len(swapped) - len(text) == events * (len(new) - len(old))


def whole(body: bytes, asked: str, rewrite_id: Callable[[str], str] | None = None) -> Whole:
    """An unstreamed answer with the caller's model name; raises UpstreamError for one not to use.

    Blank lines before the JSON are keep-alives of providers that sent their head long ago.
    """
    answer, body = _judged(body)
    meter = Meter()
    answer.read_usage(meter)
    body = splice.name_answer(body, msgspec.json.encode(asked), answer.model)
    return Whole(body, meter.usage(), answer.all[0].finish_reason)


def usable(body: bytes) -> bytes:
    """An unstreamed answer for a decoder; raises UpstreamError for one not to use."""
    return _judged(body)[1]


def _judged(body: bytes) -> tuple[_Answer, bytes]:
    try:
        answer, body = read_whole(_ANSWER, body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise failures.invalid("the answer is not a Chat Completions answer") from exc
    if answer.failed:
        raise failures.from_error_event(body)
    _refuse_empty(answer)
    return answer, body


def _refuse_empty(answer: _Answer) -> None:
    for choice in answer.all:
        if choice.has_content or choice.finish_reason in _FINISHED_EMPTY:
            return
    raise failures.empty()
