"""A conversation as Chat messages: turns with their calls, results right behind them.

Chat wants every call answered at once and in one place, and takes text alone as an answer. It
knows neither items nor blocks; the bridges tell it what was said, in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from runtime.bridges.crossing import Crossing
from runtime.bridges.parts import FAILED, GO_ON, MISSING_RESULT, NO_RESULT, PREFILL, Lost, words
from runtime.bridges.to_chat.parts import BLOCKS, LINES, Part, joined, text_part
from runtime.bridges.tools import legal_id
from runtime.opaque import UNSEALED, unwrap
from runtime.vocabulary import PREFILL as MAY_PREFILL
from runtime.vocabulary import Reasoning

# What a call's result holds beside text -> its word in the message behind it.
_ATTACHED: Final = {"image_url": "image", "file": "file", "input_audio": "audio"}


class _Said:
    """A message of the system or the user."""

    __slots__ = ("parts", "role")

    def __init__(self, role: str, parts: list[Part]) -> None:
        self.role = role
        self.parts = parts

    def messages(self, _skin: Reasoning | None, _lost: Lost) -> Iterator[dict[str, Any]]:
        yield {"role": self.role, "content": joined(self.parts, BLOCKS)}


class _Call:
    """One call with its result, which may come later."""

    __slots__ = ("arguments", "attached", "id", "name", "texts")

    def __init__(self, call_id: str, name: str, arguments: str) -> None:
        self.id = call_id
        self.name = name
        self.arguments = arguments
        self.texts: list[Part] | None = None
        self.attached: Sequence[Part] = ()

    def answer(self, parts: list[Part], failed: bool) -> None:
        """Takes the result: texts stay with the call, everything else goes behind it."""
        if len(parts) == 1 and parts[0]["type"] == "text":
            self.texts = parts
        else:
            self.texts = [part for part in parts if part["type"] == "text"]
            self.attached = [part for part in parts if part["type"] != "text"]
        if self.attached and not self.texts:
            self.texts = [text_part(self.label)]
        if failed:
            first = self.texts[0] if self.texts else text_part("")
            self.texts[:1] = [{**first, "text": FAILED + words(first["text"])}]

    @property
    def label(self) -> str:
        """What names the call where its attachments stand."""
        return f"[{_ATTACHED[self.attached[0]['type']]} of call {self.id}]"

    @property
    def call(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }

    def message(self, lost: Lost) -> dict[str, Any]:
        """The result; every call has to have one."""
        texts = self.texts
        if texts is None:
            lost[MISSING_RESULT] = None
            texts = [text_part(NO_RESULT)]
        return {"role": "tool", "tool_call_id": self.id, "content": joined(texts, LINES)}


class _Turn:
    """What the assistant said until somebody else did: one message, its calls and their results."""

    __slots__ = ("answered", "calls", "details", "texts", "thinking", "thoughts")

    def __init__(self, thinking: str) -> None:
        self.thinking = thinking
        self.texts: list[Part] = []
        self.thoughts: list[str] = []
        self.details: list[Any] = []
        self.calls: list[_Call] = []
        self.answered = False

    def messages(self, skin: Reasoning | None, lost: Lost) -> Iterator[dict[str, Any]]:
        if not self.texts and not self.calls:
            if self.thoughts or self.details:
                lost[self.thinking] = None  # a turn that was cut before it said anything
            return
        content = joined(self.texts, BLOCKS) if self.texts else None
        message: dict[str, Any] = {"role": "assistant", "content": content}
        if skin is not None:
            self._echo(message, skin)
        if self.calls:
            message["tool_calls"] = [call.call for call in self.calls]
        yield message
        attached: list[Part] = []
        for call in self.calls:
            yield call.message(lost)
            if call.attached:
                attached += [text_part(call.label), *call.attached]
        if attached:
            yield {"role": "user", "content": attached}

    def _echo(self, message: dict[str, Any], skin: Reasoning) -> None:
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
        for part in parts:
            before = turn.texts[-1] if glued and turn.texts else None
            if before is None or "cache_control" in before:
                turn.texts.append(part)
            else:
                turn.texts[-1] = {**part, "text": before["text"] + part["text"]}

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

    def call(self, call_id: str, name: str, arguments: str) -> None:
        """A call of the assistant's. Empty arguments mean none."""
        call = _Call(legal_id(call_id), name, arguments or "{}")
        self._turn().calls.append(call)
        self._waiting.setdefault(call_id, []).append(call)

    def result(self, call_id: str, parts: list[Part], *, failed: bool = False) -> None:
        """The result of a call, wherever it stands; one without a call is the user's word."""
        last = self._said[-1] if self._said else None
        waiting = self._waiting.get(call_id)
        if waiting:
            waiting.pop(0).answer(parts, failed)
        else:
            self._lost["tool_result:without_call"] = None
            self.say("user", [text_part(f"[result of call {legal_id(call_id)}]"), *parts])
        if isinstance(last, _Turn) and last.calls:
            last.answered = True

    def messages(self) -> list[dict[str, Any]]:
        """The conversation. A last turn of the assistant's is answered where the skin does not go
        on with it.
        """
        messages: list[dict[str, Any]] = []
        skin = self._skin if self._echoed else None
        for said in self._said:
            messages += said.messages(skin, self._lost)
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
