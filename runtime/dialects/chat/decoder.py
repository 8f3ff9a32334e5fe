"""Chat Completions answers as events: one choice, whose deltas carry everything side by side.

Chat has no blocks. One begins with the first delta of its kind that says something and ends when
another kind speaks; calls stay open side by side. White space alone begins nothing: some providers
send it between calls. It knows no other dialect.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime.dialects.answer import DONE
from runtime.dialects.blocks import Blocks
from runtime.dialects.chat.calls import Calls, Entry, Function
from runtime.dialects.chat.details import Details, is_summary, readable
from runtime.dialects.chat.think import Think
from runtime.dialects.way import More
from runtime.events import Event, Reason, Reasoning, Refusal, Text
from runtime.usage import Meter

_TEXT: Final = Text()
_REFUSAL: Final = Refusal()
_REASONING: Final = Reasoning()
_SUMMARY: Final = Reasoning(summary=True)
_Spoken = Text | Refusal | Reasoning

# The five of OpenAI, and what others say for them.
_REASONS: Final[dict[str, Reason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "completed": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "safety": "content_filter",
    "SAFETY": "content_filter",
}
_THINKING: Final = "thinking"


class _Delta(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What a delta or a message holds; one with other members is read by `_odd_delta`."""

    role: Any = None
    content: str | list[Any] | dict[str, Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: str | None = None
    tool_calls: list[Entry] | None = None
    function_call: Function | None = None
    # labels, which say nothing
    name: Any = None
    channel: Any = None
    token_id: Any = None


# The members of a delta that say something, and those of them that go on with a block.
_SAYING: Final = (
    "content",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "refusal",
    "tool_calls",
    "function_call",
)
_MORE: Final[dict[type[_Spoken], tuple[str, ...]]] = {
    Text: ("content",),
    Refusal: ("refusal",),
    Reasoning: ("reasoning_content", "reasoning"),
}


class _Choice(msgspec.Struct, gc=False):
    index: int | None = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    usage: Any = None


class _Chunk(msgspec.Struct, gc=False):
    """A chunk of a stream, or an answer in one piece."""

    choices: list[_Choice] | None = None
    id: str | None = None
    usage: Any = None
    x_groq: Any = None


class _OddChoice(msgspec.Struct):
    index: int | None = 0
    delta: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    finish_reason: str | None = None
    logprobs: Any = None
    usage: Any = None


class _OddChunk(msgspec.Struct):
    choices: list[_OddChoice] | None = None
    id: Any = None
    usage: Any = None
    x_groq: Any = None


_CHUNK: Final = msgspec.json.Decoder(_Chunk)
_ODD: Final = msgspec.json.Decoder(_OddChunk)
_MEMBERS: Final = frozenset(field.name for field in msgspec.structs.fields(_Delta))


class Decoder:
    """Makes events of one streamed Chat answer, its first choice. `think`: see `Think`."""

    def __init__(self, *, think: bool = False) -> None:
        self._blocks = Blocks()
        self.unknown = self._blocks.unknown
        self._meter = Meter()
        self._calls = Calls(self._blocks)
        self._details = Details()
        self._think = Think() if think else None
        self._finish: str | None = None
        # what is being said, and its number
        self._current: _Spoken | None = None
        self._number = 0
        # white space that will belong to a block if that says something
        self._blank: dict[_Spoken, str] = {}
        self._logprobs: list[Any] = []

    def feed(self, name: bytes, data: bytes) -> list[Event]:
        """The events of one chunk. Raises ValueError for one that makes no sense."""
        try:
            chunk = _CHUNK.decode(data)
        except (msgspec.DecodeError, RecursionError):
            if data.strip() == DONE:
                return []
            chunk = self._odd(data)
        self._begin(chunk)
        for choice in chunk.choices or ():
            if choice.index:
                self._blocks.note("choices")
            else:
                self._follow(choice)
        return self._blocks.take()

    def more(self, data: bytes) -> More | None:
        """What the data of a chunk would add to an open block, if it would do nothing else."""
        try:
            chunk = _CHUNK.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return None
        choice = chunk.choices[0] if chunk.choices and len(chunk.choices) == 1 else None
        if choice is None or choice.index or choice.delta is None:
            return None
        beside = (chunk.usage, chunk.x_groq, choice.usage, choice.logprobs, choice.finish_reason)
        if any(value is not None for value in beside):
            return None
        return self._more_of(choice.delta)

    def _more_of(self, delta: _Delta) -> More | None:
        said = [member for member in _SAYING if getattr(delta, member)]
        if len(said) != 1:
            return None
        if delta.tool_calls:
            return self._calls.more(delta.tool_calls)
        text = getattr(delta, said[0])
        speaks = self._current is not None and said[0] in _MORE[type(self._current)]
        if not speaks or not isinstance(text, str) or self._think is not None:
            return None
        return More(self._number, text)

    def flush(self) -> list[Event]:
        """The rest: what is open ends, and the answer with it. Raises ValueError."""
        if self._think is not None:
            self._speak_both(*self._think.rest())
        self._turn()
        if _TEXT in self._blank and not self._blocks.count:  # an answer of nothing but white space
            number = self._blocks.start(_TEXT)
            self._blocks.say(number, self._blank[_TEXT], self._taken_logprobs())
            self._blocks.end(number)
        self._forget_blank()
        reason = _REASONS.get(self._finish or "stop")
        if reason is None:
            self._blocks.note("finish_reason")
        return self._blocks.finish(reason or "stop", self._meter.usage())

    def whole(self, body: bytes) -> list[Event]:
        """The events of an answer in one piece. Raises ValueError."""
        try:
            chunk = _CHUNK.decode(body)
        except (msgspec.DecodeError, RecursionError):
            chunk = self._odd(body)
        self._begin(chunk)
        for number, choice in enumerate(chunk.choices or ()):
            if number:
                self._blocks.note("choices")
                continue
            choice.delta, choice.message = choice.message or choice.delta, None
            if choice.delta is not None and choice.delta.tool_calls:
                for place, entry in enumerate(choice.delta.tool_calls):
                    entry.index = place  # all of them whole, whatever their ids
            self._follow(choice)
        return self.flush()

    def _begin(self, chunk: _Chunk) -> None:
        if chunk.id or chunk.choices:  # Azure's first chunk has neither
            self._blocks.begin(chunk.id)
        if isinstance(chunk.x_groq, dict):
            self._meter.read_openai(chunk.x_groq.get("usage"))
        for choice in chunk.choices or ():
            if choice.usage is not None:
                self._meter.read_openai(choice.usage)
        if chunk.usage is not None:
            self._meter.read_openai(chunk.usage)

    def _follow(self, choice: _Choice) -> None:
        if choice.logprobs is not None:
            self._note_logprobs(choice.logprobs)
        if choice.delta is not None:
            self._hear(choice.delta)
        if choice.finish_reason:
            self._finish = choice.finish_reason
            # Perplexity's last chunk has the whole message beside an empty delta.
            if choice.message is not None and not self._blocks.count:
                self._hear(choice.message)

    def _hear(self, delta: _Delta) -> None:
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
            self._reason(delta)
        if delta.content:
            self._content(delta.content)
        if delta.refusal:
            self._speak(_REFUSAL, delta.refusal)
        called = delta.function_call
        if called is not None and (called.name or called.arguments):
            self._call(Entry(index=0, function=called))
        for entry in delta.tool_calls or ():
            self._call(entry)

    # --- content -------------------------------------------------------------------------------

    def _content(self, content: str | list[Any] | dict[str, Any]) -> None:
        if isinstance(content, dict):  # Cloudflare's structured output: the document itself
            content = msgspec.json.encode(content).decode()
        if isinstance(content, str):
            if self._think is None:
                self._speak(_TEXT, content)
            else:
                self._speak_both(*self._think.split(content))
            return
        for part in content:  # Mistral's form
            kind = part.get("type") if isinstance(part, dict) else None
            if kind == _THINKING:
                self._speak(_REASONING, _texts(part.get(_THINKING)))
            elif kind == "text":
                self._speak(_TEXT, _texts(part.get("text")))
            else:
                self._blocks.note(kind)

    def _reason(self, delta: _Delta) -> None:
        """The same words come under up to three names; sealed parts only under one."""
        details = delta.reasoning_details or []
        for detail in details:
            self._details.add(detail)
        text = delta.reasoning_content or delta.reasoning or readable(details)
        block: Reasoning = _SUMMARY if is_summary(details) else _REASONING
        if isinstance(self._current, Reasoning):
            block = self._current
        self._speak(block, text)

    def _speak_both(self, reasoning: str, text: str) -> None:
        self._speak(_REASONING, reasoning)
        self._speak(_TEXT, text)

    def _speak(self, block: _Spoken, text: str) -> None:
        if not text:
            return
        if block is not self._current:
            if self._blank:
                text = self._blank.pop(block, "") + text
            if text.isspace():
                self._blank[block] = text
                return
            self._turn(block)
        self._blocks.say(self._number, text, self._taken_logprobs() if self._logprobs else ())

    def _turn(self, block: _Spoken | None = None) -> None:
        """What was said before is complete, calls too; `block` begins."""
        if self._current is not None:
            self._end_spoken(self._current)
        if self._calls.open:
            self._calls.end()
        if self._details.sealed and not isinstance(block, Reasoning):
            self._bring_sealed()
        if block is not None:
            self._current = block
            self._number = self._blocks.start(block)

    def _end_spoken(self, block: _Spoken) -> None:
        opaque = self._details.take() if isinstance(block, Reasoning) else None
        self._blocks.end(self._number, opaque)
        self._current = None

    def _bring_sealed(self) -> None:
        """Reasoning that nobody can read has a block of its own."""
        number = self._blocks.start(_REASONING)
        self._blocks.end(number, self._details.take())

    # --- calls ---------------------------------------------------------------------------------

    def _call(self, entry: Entry) -> None:
        if not self._calls.open:
            self._turn()
        self._forget_blank()
        self._calls.add(entry)

    # --- what is not plain ---------------------------------------------------------------------

    def _note_logprobs(self, logprobs: Any) -> None:
        """Those of the tokens in this delta, or in the next one that says something."""
        if not isinstance(logprobs, dict):
            return
        for key in ("content", "refusal"):
            if isinstance(tokens := logprobs.get(key), list):
                self._logprobs.extend(tokens)

    def _taken_logprobs(self) -> tuple[Any, ...]:
        logprobs, self._logprobs = tuple(self._logprobs), []
        return logprobs

    def _forget_blank(self) -> None:
        """White space that no words followed."""
        self._blank.clear()
        if self._logprobs:
            self._blocks.note("logprobs")
            self._logprobs.clear()

    def _odd(self, data: bytes) -> _Chunk:
        """A chunk whose deltas have members that no event stands for, or unusual types."""
        try:
            odd = _ODD.decode(data)
            choices = [self._odd_choice(choice) for choice in odd.choices or ()]
        except (msgspec.DecodeError, RecursionError) as error:
            raise ValueError("a chunk is not a Chat Completions chunk") from error
        answer_id = odd.id if isinstance(odd.id, str) else None
        return _Chunk(choices, answer_id, odd.usage, odd.x_groq)

    def _odd_choice(self, odd: _OddChoice) -> _Choice:
        return _Choice(
            odd.index,
            self._odd_delta(odd.delta),
            self._odd_delta(odd.message),
            odd.finish_reason,
            odd.logprobs,
            odd.usage,
        )

    def _odd_delta(self, odd: dict[str, Any] | None) -> _Delta | None:
        if odd is None:
            return None
        known = {}
        for key, value in odd.items():
            if key in _MEMBERS:
                known[key] = value
            elif _says(value):
                self._blocks.note(key)
        return msgspec.convert(known, _Delta, strict=False)


def _says(value: Any) -> bool:
    """Whether there is anything in it; Snowflake fills what is absent with zeros."""
    if isinstance(value, dict):
        return any(map(_says, value.values()))
    return any(map(_says, value)) if isinstance(value, list) else bool(value)


def _texts(content: Any) -> str:
    """The words of a part: a string, or parts with a text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))
