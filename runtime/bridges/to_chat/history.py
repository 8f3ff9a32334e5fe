"""A conversation as Chat messages: turns with their calls, results right behind them.

Chat wants every call answered at once and in one place, and takes text alone as an answer. It
knows neither items nor blocks; the bridges tell it what was said, in order.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from runtime.bridges.body import Text, words
from runtime.bridges.crossing import Crossing
from runtime.bridges.parts import FAILED, GO_ON, MISSING_RESULT, NO_RESULT, PREFILL, Lost
from runtime.bridges.to_chat.parts import BLOCKS, LINES, Part, joined, text_part
from runtime.bridges.tools import legal_id
from runtime.opaque import UNSEALED, unwrap
from runtime.vocabulary import PREFILL as MAY_PREFILL
from runtime.vocabulary import Reasoning

Message = dict[str, Any]

# What a call's result holds beside text -> its word in the message behind it.
_ATTACHED: Final = {"image_url": "image", "file": "file", "input_audio": "audio"}


class _Said(msgspec.Struct):
    """A message of the system or the user."""

    role: str
    parts: list[Part]

    def write(self, messages: list[Message], _skin: Reasoning | None, _lost: Lost) -> None:
        messages.append({"role": self.role, "content": joined(self.parts, BLOCKS)})


class _Call(msgspec.Struct):
    """One call with its result, which may come later."""

    id: str
    name: str
    arguments: Text
    content: Text | list[Part] | None = None
    attached: list[Part] = []

    def answer(self, result: Text | list[Part], failed: bool) -> None:
        """Takes the result: texts stay with the call, everything else goes behind it."""
        if not isinstance(result, list):
            self.content = FAILED + words(result) if failed else result
            return
        texts = parts = result
        if len(parts) != 1 or parts[0]["type"] != "text":
            texts = [part for part in parts if part["type"] == "text"]
            self.attached = [part for part in parts if part["type"] != "text"]
        if self.attached and not texts:
            texts = [text_part(self.label)]
        if failed:
            first = texts[0] if texts else text_part("")
            texts = [{**first, "text": FAILED + words(first["text"])}, *texts[1:]]
        self.content = joined(texts, LINES)

    @property
    def label(self) -> str:
        """What names the call where its attachments stand."""
        return f"[{_ATTACHED[self.attached[0]['type']]} of call {self.id}]"

    def message(self, lost: Lost) -> Message:
        """The result; every call has to have one."""
        content = self.content
        if content is None:
            lost[MISSING_RESULT] = None
            content = NO_RESULT
        return {"role": "tool", "tool_call_id": self.id, "content": content}


class _Turn(msgspec.Struct):
    """What the assistant said until somebody else did: one message, its calls and their results."""

    thinking: str
    texts: list[Part] = []
    thoughts: list[str] = []
    details: list[Any] = []
    calls: list[_Call] = []
    answered: bool = False

    def write(self, messages: list[Message], skin: Reasoning | None, lost: Lost) -> None:
        if not self.texts and not self.calls:
            if self.thoughts or self.details:
                lost[self.thinking] = None  # a turn that was cut before it said anything
            return
        content = joined(self.texts, BLOCKS) if self.texts else None
        message: Message = {"role": "assistant", "content": content}
        messages.append(message)
        if skin is not None and (self.thoughts or self.details):
            self._echo(message, skin)
        if not self.calls:
            return
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in self.calls
        ]
        attached: list[Part] = []
        for call in self.calls:
            messages.append(call.message(lost))
            if call.attached:
                attached += [text_part(call.label), *call.attached]
        if attached:
            messages.append({"role": "user", "content": attached})

    def _echo(self, message: Message, skin: Reasoning) -> None:
        thoughts = BLOCKS.join(self.thoughts)
        if thoughts and skin.field == "think":
            tagged = text_part(f"<think>\n{thoughts}\n</think>")
            message["content"] = joined([tagged, *self.texts], BLOCKS)
        elif thoughts:
            message[skin.field] = thoughts
        if self.details:
            message["reasoning_details"] = self.details


class History:
    """Collects one conversation. `thinking` is the caller's word for readable reasoning."""

    def __init__(self, crossing: Crossing, lost: Lost, thinking: str) -> None:
        skin = crossing.step.skin.reasoning
        self._echoed = skin is not None and skin.echo != "forbidden"
        self._skin = skin
        self._domain = crossing.domain
        self._may_prefill = bool(crossing.step.features & MAY_PREFILL)
        self._lost = lost
        self._thinking = thinking
        self._said: list[_Said | _Turn] = []
        # calls without a result so far, oldest first: some providers use an id twice
        self._waiting: dict[str, list[_Call]] = {}

    def say(self, role: Literal["system", "user"], parts: list[Part]) -> None:
        """A message that is not the assistant's. System messages in a row become one, for many
        providers take no second; an empty message is none.
        """
        if not parts:
            return
        last = self._said[-1] if self._said else None
        if role == "system" and isinstance(last, _Said) and last.role == "system":
            last.parts += parts
        else:
            self._said.append(_Said(role, parts))

    def text(self, parts: list[Part], *, glued: bool = False) -> None:
        """Words of the assistant. `glued`: they go on in the sentence of those before."""
        turn = self._turn()
        if not glued:
            turn.texts += parts
            return
        for part in parts:
            before = turn.texts[-1] if turn.texts else None
            if before is None or "cache_control" in before:
                turn.texts.append(part)
            else:
                turn.texts[-1] = {**part, "text": words(before["text"]) + words(part["text"])}

    def think(self, text: str) -> None:
        """Readable reasoning of the assistant."""
        if not text:
            return
        if self._echoed:
            self._turn().thoughts.append(text)
        else:
            self._lost[self._thinking] = None

    def prove(self, sealed: Any, name: str) -> None:
        """Opaque state of the assistant's reasoning: restored where it is this upstream's own."""
        if not sealed or sealed == UNSEALED:
            return
        opaque = unwrap(sealed, self._domain) if isinstance(sealed, str) else None
        details = opaque.data.get("details") if opaque and opaque.dialect == "chat" else None
        if self._echoed and isinstance(details, list | tuple):
            self._turn().details += details
        else:
            self._lost[name] = None

    def call(self, call_id: str, name: str, arguments: Text) -> None:
        """A call of the assistant's. Empty arguments mean none."""
        call = _Call(legal_id(call_id), name, arguments or "{}")
        self._turn().calls.append(call)
        self._waiting.setdefault(call_id, []).append(call)

    def result(self, call_id: str, result: Text | list[Part], *, failed: bool = False) -> None:
        """The result of a call, wherever it stands; one without a call is the user's word."""
        last = self._said[-1] if self._said else None
        waiting = self._waiting.get(call_id)
        if waiting:
            waiting.pop(0).answer(result, failed)
        else:
            self._lost["tool_result:without_call"] = None
            parts = result if isinstance(result, list) else [text_part(result)]
            self.say("user", [text_part(f"[result of call {legal_id(call_id)}]"), *parts])
        if isinstance(last, _Turn) and last.calls:
            last.answered = True

    def messages(self) -> list[Message]:
        """The conversation. A last turn of the assistant's is answered where the skin does not go
        on with it.
        """
        messages: list[Message] = []
        skin = self._skin if self._echoed else None
        for said in self._said:
            said.write(messages, skin, self._lost)
        if messages and messages[-1]["role"] == "assistant" and not self._may_prefill:
            self._lost[PREFILL] = None
            messages.append({"role": "user", "content": GO_ON})
        return messages

    def _turn(self) -> _Turn:
        last = self._said[-1] if self._said else None
        if isinstance(last, _Turn) and not last.answered:
            return last
        turn = _Turn(self._thinking)
        self._said.append(turn)
        return turn
