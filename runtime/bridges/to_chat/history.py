"""A conversation as Chat messages: turns with their calls, results right behind them.

Chat wants every call answered at once and in one place, and takes text alone as an answer. It
knows neither items nor blocks; the bridges tell it what was said, in order.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from runtime.bridges.body import Text, words
from runtime.bridges.crossing import Crossing
from runtime.bridges.parts import FAILED, GO_ON, MISSING_RESULT, NO_RESULT, PREFILL, Lost
from runtime.bridges.to_chat.parts import BLOCKS, LINES, Part, Said, joined, parts_of, text_part
from runtime.bridges.tools import legal_id
from runtime.opaque import UNSEALED, unwrap
from runtime.vocabulary import PREFILL as MAY_PREFILL

# What a call's result holds beside text -> its word in the message behind it.
_ATTACHED: Final = {"image_url": "image", "file": "file", "input_audio": "audio"}


class _Spoken(msgspec.Struct, gc=False):
    """A message of the system or the user."""

    role: str
    content: Said


class _Function(msgspec.Struct, gc=False):
    name: str
    arguments: Text


class _Call(msgspec.Struct, gc=False):
    id: str
    type: Literal["function"]
    function: _Function


class _Turn(msgspec.Struct, gc=False, tag_field="role", tag="assistant"):
    """What the assistant said until somebody else did; one of calls alone has no content."""

    content: Said | None = None
    reasoning_content: str | UnsetType = UNSET
    reasoning: str | UnsetType = UNSET
    reasoning_details: list[Any] | UnsetType = UNSET
    tool_calls: list[_Call] | UnsetType = UNSET


class _Result(msgspec.Struct, gc=False, tag_field="role", tag="tool"):
    """The result of a call, without content until it is told."""

    tool_call_id: str
    content: Said | None = None


Message = _Spoken | _Turn | _Result


class History:
    """Collects one conversation. `thinking` is the caller's word for readable reasoning.

    Messages are written as they come. The result of a call gets its place with the call, and its
    content when that is told.
    """

    def __init__(self, crossing: Crossing, lost: Lost, thinking: str) -> None:
        skin = crossing.step.skin.reasoning
        self._echoed = skin is not None and skin.echo != "forbidden"
        self._skin = skin
        self._domain = crossing.domain
        self._may_prefill = bool(crossing.step.features & MAY_PREFILL)
        self._lost = lost
        self._thinking = thinking
        self._messages: list[Message] = []
        # what was said last, and may go on: parts of the system's, or a turn of the assistant's
        self._system: list[Part] | None = None
        self._turn: _Turn | None = None
        self._thoughts: list[str] = []
        self._details: list[Any] = []
        self._results: list[_Result] = []
        # results that are still to be told, oldest first: some providers use an id twice
        self._waiting: dict[str, list[_Result]] = {}
        # id() of a result -> what goes behind it
        self._attached: dict[int, list[Part]] = {}
        self._has_cut_turns = False

    def say(self, role: Literal["system", "user"], said: Said) -> None:
        """A message that is not the assistant's. System messages in a row become one, for many
        providers take no second; an empty message is none.
        """
        if not said:
            return
        if role == "user":
            self._end()
            self._messages.append(_Spoken(role, joined(said, BLOCKS)))
        elif self._system is None:
            self._end()
            self._system = parts_of(said)
        else:
            self._system += parts_of(said)

    def text(self, said: Said, *, glued: bool = False) -> None:
        """Words of the assistant. `glued`: they go on in the sentence of those before."""
        turn = self._turn or self._begun()
        if not turn.content and not glued:
            turn.content = said
            return
        texts = turn.content = parts_of(turn.content or [])
        if not glued:
            texts += parts_of(said)
            return
        for part in parts_of(said):
            if not texts or "cache_control" in texts[-1]:
                texts.append(part)
            else:
                texts[-1] = {**part, "text": words(texts[-1]["text"]) + words(part["text"])}

    def think(self, text: str) -> None:
        """Readable reasoning of the assistant."""
        if not text:
            return
        if self._echoed:
            self._turn = self._turn or self._begun()
            self._thoughts.append(text)
        else:
            self._lost[self._thinking] = None

    def prove(self, sealed: Any, name: str) -> None:
        """Opaque state of the assistant's reasoning: restored where it is this upstream's own."""
        if not sealed or sealed == UNSEALED:
            return
        opaque = unwrap(sealed, self._domain) if isinstance(sealed, str) else None
        details = opaque.data.get("details") if opaque and opaque.dialect == "chat" else None
        if self._echoed and isinstance(details, list | tuple):
            self._turn = self._turn or self._begun()
            self._details += details
        else:
            self._lost[name] = None

    def call(self, call_id: str, name: str, arguments: Text) -> None:
        """A call of the assistant's. Empty arguments mean none."""
        turn = self._turn or self._begun()
        sent_id = legal_id(call_id)
        call = _Call(sent_id, "function", _Function(name, arguments or "{}"))
        if turn.tool_calls is UNSET:
            turn.tool_calls = [call]
        else:
            turn.tool_calls.append(call)
        result = _Result(sent_id)
        self._results.append(result)
        self._waiting.setdefault(call_id, []).append(result)

    def result(self, call_id: str, said: Said, *, failed: bool = False) -> None:
        """The result of a call, wherever it stands; one without a call is the user's word."""
        if self._results:
            self._end()
        waiting = self._waiting.get(call_id)
        if not waiting:
            self._lost["tool_result:without_call"] = None
            label = text_part(f"[result of call {legal_id(call_id)}]")
            self.say("user", [label, *parts_of(said)])
        elif failed or isinstance(said, list):
            self._tell(waiting.pop(0), parts_of(said), failed=failed)
        else:
            waiting.pop(0).content = said

    def messages(self) -> list[Message]:
        """The conversation. A last turn of the assistant's is answered where the skin does not go
        on with it.
        """
        self._end()
        messages = self._messages
        if self._has_cut_turns or self._attached or any(self._waiting.values()):
            messages = self._completed()
        if messages and isinstance(messages[-1], _Turn) and not self._may_prefill:
            self._lost[PREFILL] = None
            messages.append(_Spoken("user", GO_ON))
        return messages

    def _begun(self) -> _Turn:
        if self._system is not None:
            self._end()
        self._turn = turn = _Turn()
        return turn

    def _end(self) -> None:
        """Writes what might have gone on."""
        if self._system is not None:
            self._messages.append(_Spoken("system", joined(self._system, BLOCKS)))
            self._system = None
        turn, self._turn = self._turn, None
        if turn is None:
            return
        if turn.content or turn.tool_calls:
            if self._thoughts or self._details:
                self._echo(turn)
            if not turn.content:
                turn.content = None
            elif isinstance(turn.content, list):
                turn.content = joined(turn.content, BLOCKS)
            self._messages.append(turn)
            self._messages += self._results
            self._results = []
        elif self._thoughts or self._details:
            self._thoughts, self._details = [], []
            self._has_cut_turns = True
            self._messages.append(_Turn())

    def _echo(self, turn: _Turn) -> None:
        """Writes the reasoning of a turn, which is collected only where the skin has a field."""
        thoughts = BLOCKS.join(self._thoughts)
        if thoughts and self._skin is not None:
            if self._skin.field == "think":
                tagged = text_part(f"<think>\n{thoughts}\n</think>")
                turn.content = [tagged, *parts_of(turn.content or "")]
            else:
                setattr(turn, self._skin.field, thoughts)
        if self._details:
            turn.reasoning_details = self._details
        self._thoughts, self._details = [], []

    def _tell(self, result: _Result, parts: list[Part], *, failed: bool) -> None:
        """Fills in a result: texts stay with the call, everything else goes behind it."""
        texts = [part for part in parts if part["type"] == "text"]
        attached = [part for part in parts if part["type"] != "text"]
        if attached:
            word = _ATTACHED[attached[0]["type"]]
            label = text_part(f"[{word} of call {result.tool_call_id}]")
            self._attached[id(result)] = [label, *attached]
            texts = texts or [label]
        if failed:
            first = texts[0] if texts else text_part("")
            texts = [{**first, "text": FAILED + words(first["text"])}, *texts[1:]]
        result.content = joined(texts, LINES)

    def _completed(self) -> list[Message]:
        """The messages with what is known in the end alone: results that never came, and what
        goes behind those that did; without turns that were cut before they said anything.
        """
        completed: list[Message] = []
        attached: list[Part] = []
        for message in self._messages:
            if attached and not isinstance(message, _Result):
                completed.append(_Spoken("user", attached))
                attached = []
            if isinstance(message, _Result):
                attached += self._attached.get(id(message), ())
                if message.content is None:
                    self._lost[MISSING_RESULT] = None
                    message.content = NO_RESULT
            elif message.content is None and not message.tool_calls:
                self._lost[self._thinking] = None
                continue
            completed.append(message)
        return [*completed, _Spoken("user", attached)] if attached else completed
