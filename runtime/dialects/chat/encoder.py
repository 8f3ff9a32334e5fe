"""Answers as Chat Completions callers read them: chunks of one choice, ended by `[DONE]`.

All text blocks are one `content` with a blank line between them, all reasoning is one
`reasoning_content`; tool calls keep their numbers, so they may be interleaved. Chat has no word for
a namespace, a stop sequence that was met or a turn that pauses: the last two end with `stop`, for
what was said is complete as it stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime import sse
from runtime.dialects.answer import DONE
from runtime.dialects.encode import BlockEvent, Turns, encode, head_of, openai_reason, openai_usage
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
    Reason,
    Reasoning,
    Refusal,
    Started,
    Text,
    ToolCall,
)
from runtime.opaque import wrap

# What `openai_reason` may say -> `finish_reason`. A full window cut the answer off like a cap does.
_FINISH_REASONS: Final[Mapping[Reason, str]] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "pause": "stop",
    "context": "length",
}
# Kind of block -> the member of a delta or message that its text goes to.
_MEMBERS: Final[Mapping[type[Block], str]] = {
    Text: "content",
    Refusal: "refusal",
    Reasoning: "reasoning_content",
}
# The members whose tokens OpenAI gives logprobs for.
_WORDS: Final = ("content", "refusal")
_REST: Final = b',"finish_reason":null}]}\n\n'
# Between texts that were blocks of their own: "Let me look." and what was found.
_BETWEEN: Final = "\n\n"


class Encoder:
    """Makes chunks of one answer's events."""

    def __init__(self, way: Way) -> None:
        self._way = way
        # All that goes to one member is one text, so there blocks take turns.
        self._turns = {member: Turns() for member in _MEMBERS.values()}
        # block that has said something, or a call -> the two ends of a chunk with more of its text
        self._ends: dict[int, tuple[bytes, bytes]] = {}
        self._blocks: list[Block] = []
        self._calls = 0
        self._details = 0
        # what the message has already, besides reasoning
        self._said: set[str] = set()
        self._spoken = False

    @property
    def next_number(self) -> int:
        """Chunks have no numbers."""
        return 0

    def adopt(self, answer_id: str, created: int, number: int) -> None:
        """Comments may stand before the first chunk: nothing is different after them."""

    def feed(self, event: Event) -> list[bytes]:
        """The frames of one event."""
        match event:
            case BlockDelta():
                ends = self._ends.get(event.index)
                if ends is not None and not event.logprobs:
                    return [ends[0] + encode(event.text) + ends[1]]
                return self._block_event(event)
            case BlockStarted():
                self._blocks.append(event.block)
                return self._block_event(event)
            case BlockEnded():
                return self._block_event(event)
            case Started():
                return [self._chunk({"role": "assistant", "content": None})]
            case Finished():
                return self._end(event)

    def wrapping(self, index: int) -> Wrapping | None:
        """How each further text of a block is framed."""
        ends = self._ends.get(index)
        return None if ends is None else Wrapping(ends[0] + b'"', shared(b'"' + ends[1]))

    def note_told(self, index: int, text: str, frames: int) -> None:
        """Chat says nothing twice and numbers nothing."""

    # --- blocks ----------------------------------------------------------------------------------

    def _block_event(self, event: BlockEvent) -> list[bytes]:
        member = self._member(event.index)
        told = self._turns[member].take(event) if member else (event,)
        return [frame for said in told for frame in self._tell(said)]

    def _member(self, index: int) -> str:
        return _MEMBERS.get(type(self._blocks[index]), "")

    def _tell(self, event: BlockEvent) -> list[bytes]:
        match event:
            case BlockStarted():
                return self._open(event)
            case BlockDelta():
                return [self._say(event)]
            case BlockEnded():
                return self._close(event)

    def _open(self, event: BlockStarted) -> list[bytes]:
        if not isinstance(event.block, ToolCall):
            return self._announce(_MEMBERS[type(event.block)])
        number, self._calls = self._calls, self._calls + 1
        self._said.add("tool_calls")
        kind, member = _kind(event.block)
        more = {"index": number, kind: {member: ""}}
        self._ends[event.index] = self._around({"tool_calls": [more]})
        return [self._chunk({"tool_calls": [{"index": number, **_call(event.block, "")}]})]

    def _announce(self, member: str) -> list[bytes]:
        """Words of the answer are there from the start, be they empty."""
        if member in self._said or member not in _WORDS:
            return []
        self._said.add(member)
        return [self._chunk({member: ""})]

    def _around(self, delta: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """A chunk before and after the one text in it, which is empty so far."""
        head = head_of(self._chunk(delta), _REST)
        before, _, after = head.rpartition(b'""')
        return before, after + _REST

    def _say(self, event: BlockDelta) -> bytes:
        member, text = self._member(event.index), event.text
        if event.index not in self._ends:
            self._ends[event.index] = self._around({member: ""})
            text = self._apart(member) + text
        if event.logprobs and member in _WORDS:
            return self._chunk({member: text}, logprobs=_logprobs({member: event.logprobs}))
        head, tail = self._ends[event.index]
        return head + encode(text) + tail

    def _apart(self, member: str) -> str:
        """What keeps the first words of a block from those before."""
        if member != "content":
            return ""
        between, self._spoken = _BETWEEN if self._spoken else "", True
        return between

    def _close(self, event: BlockEnded) -> list[bytes]:
        self._ends.pop(event.index, None)
        details = _details(event.opaque, self._way, self._details)
        self._details += len(details)
        return [self._chunk({"reasoning_details": details})] if details else []

    # --- chunks ----------------------------------------------------------------------------------

    def _end(self, event: Finished) -> list[bytes]:
        # An answer that says nothing at all says so: some clients take no content for an error.
        delta = {"content": ""} if _is_mute(self._said) else {}
        refused = "refusal" in self._said
        frames = [self._chunk(delta, finish_reason=_finish_reason(event.reason, refused))]
        usage = openai_usage(event.usage, "prompt", "completion")
        if self._way.include_usage and usage is not None:
            frames.append(sse.data_event(encode({**self._top(), "choices": [], "usage": usage})))
        return [*frames, sse.data_event(DONE)]

    def _chunk(
        self,
        delta: Mapping[str, Any],
        *,
        logprobs: dict[str, Any] | None = None,
        finish_reason: str | None = None,
    ) -> bytes:
        choice: dict[str, Any] = {"index": 0, "delta": delta}
        if logprobs is not None:
            choice["logprobs"] = logprobs
        choice["finish_reason"] = finish_reason
        return sse.data_event(encode({**self._top(), "choices": [choice]}))

    def _top(self) -> dict[str, Any]:
        return _top(self._way, "chat.completion.chunk")


def encode_whole(answer: Answer, way: Way) -> bytes:
    """The answer in one piece, with the content its stream has."""
    texts: dict[str, list[str]] = {}
    logprobs: dict[str, tuple[Any, ...]] = {}
    calls: list[dict[str, Any]] = []
    details: list[Any] = []
    for part in answer.parts:
        if isinstance(part.block, ToolCall):
            calls.append(_call(part.block, part.text))
            continue
        member = _MEMBERS[type(part.block)]
        texts.setdefault(member, []).append(part.text)
        if part.logprobs:
            logprobs[member] = logprobs.get(member, ()) + part.logprobs
        if part.opaque is not None:
            details += _details(part.opaque, way, len(details))
    said = {*texts, *(["tool_calls"] if calls else [])}
    message: dict[str, Any] = {"role": "assistant", "content": "" if _is_mute(said) else None}
    for member, pieces in texts.items():
        if member in _WORDS or any(pieces):
            message[member] = (_BETWEEN if member == "content" else "").join(filter(None, pieces))
    message |= {"tool_calls": calls} if calls else {}
    message |= {"reasoning_details": details} if details else {}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": _logprobs(logprobs) if logprobs else None,
        "finish_reason": _finish_reason(answer.reason, "refusal" in texts),
    }
    usage = openai_usage(answer.usage, "prompt", "completion")
    return encode({**_top(way, "chat.completion"), "choices": [choice], "usage": usage})


# --- the pieces of a message ---------------------------------------------------------------------


def _top(way: Way, kind: str) -> dict[str, Any]:
    return {"id": way.answer_id, "object": kind, "created": way.created, "model": way.asked}


def _is_mute(said: set[str]) -> bool:
    return said.isdisjoint(("content", "refusal", "tool_calls"))


def _finish_reason(reason: Reason, refused: bool) -> str:
    return _FINISH_REASONS[openai_reason(reason, refused=refused)]


def _kind(call: ToolCall) -> tuple[str, str]:
    """The type of a call, which is also its member, and where its text goes inside it."""
    return ("custom", "input") if call.custom else ("function", "arguments")


def _call(call: ToolCall, text: str) -> dict[str, Any]:
    kind, member = _kind(call)
    return {"id": call.id, "type": kind, kind: {"name": call.name, member: text}}


def _details(opaque: Opaque | None, way: Way, number: int) -> Sequence[Any]:
    """The parts of `reasoning_details`: Chat's own as they came, other state in an envelope."""
    if opaque is None:
        return ()
    if opaque.dialect == "chat":
        details = opaque.data.get("details")
        return details if isinstance(details, list | tuple) else ()
    envelope = wrap(opaque, way.domain)
    kind = "reasoning.encrypted"
    return ({"type": kind, "data": envelope, "format": "interlock", "index": number},)


def _logprobs(said: Mapping[str, Sequence[Any]]) -> dict[str, Any] | None:
    """Those of the tokens of each member."""
    logprobs = {member: said.get(member) or None for member in _WORDS}
    return logprobs if any(logprobs.values()) else None
