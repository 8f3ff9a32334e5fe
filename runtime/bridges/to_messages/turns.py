"""The history as Messages wants it: turns that alternate, and every result behind its call.

It is told what was said in the order it was said, and knows no dialect it came from.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime.bridges.body import Text, words
from runtime.bridges.parts import GO_ON, MISSING_RESULT, NO_RESULT, PREFILL, Lost
from runtime.bridges.to_messages.blocks import CACHE_CONTROL, Block, is_blank, text_block
from runtime.bridges.tools import legal_id

Turn = dict[str, Any]

# The user turn in front of a history that begins with the assistant: Messages wants one.
BEGIN: Final = "The conversation so far follows."
OPENING: Final = "history:begins_with_assistant"
# A result whose call is not in the history becomes words of the user.
UNASKED_RESULT: Final = "tool_result:without_call"
_UNASKED: Final = "Result of a tool call that is not in this conversation:"
_THINKING: Final = frozenset(("thinking", "redacted_thinking"))
_RESULT: Final = "tool_result"


class _Call(msgspec.Struct):
    """A tool call that waits for its result. `turn` is the number of the turn it stands in."""

    turn: int
    id: str
    result: Block | None = None


class _Said(msgspec.Struct):
    """One turn while it is being told."""

    role: str
    blocks: list[Block] = []
    calls: list[_Call] = []


class Turns:
    """Collects one history. `system` are the blocks said before anything else.

    `keep_system`: later system messages stay turns of their own, else they become words of the
    user where they stand. `thinking_name` is what thinking is called in the caller's dialect.
    """

    def __init__(self, lost: Lost, thinking_name: str, *, keep_system: bool) -> None:
        self.system: list[Block] = []
        # the names of the tools that were called
        self.called: list[str] = []
        self._said: list[_Said] = []
        self._lost = lost
        self._thinking_name = thinking_name
        self._keep_system = keep_system
        # the caller's id -> its calls without a result; those of one turn, for ids come again
        self._waiting: dict[str, list[_Call]] = {}
        self._ids: set[str] = set()
        # how often an id has come
        self._again: dict[str, int] = {}

    # --- telling -------------------------------------------------------------------------------

    def instruct(self, blocks: list[Block]) -> None:
        """Words of who set the model up."""
        if not self._said:
            self.system += blocks
        else:
            self.say("system" if self._keep_system else "user", blocks)

    def say(self, role: str, blocks: list[Block]) -> None:
        """Words of the user or the assistant."""
        if blocks:
            self._turn(role).blocks += blocks

    def think(self, block: Block) -> None:
        """Thinking of the assistant, with the proof of its maker."""
        self._turn("assistant").blocks.append(block)

    def call(self, call_id: str, name: str, arguments: dict[str, Any]) -> None:
        """The assistant calls a tool, by the name it is sent under."""
        turn = self._turn("assistant")
        number, fresh = len(self._said), self._fresh(call_id)
        call = _Call(number, fresh)
        waiting = self._waiting.get(call_id)
        if waiting and waiting[0].turn == number:
            waiting.append(call)
        else:
            self._waiting[call_id] = [call]
        self.called.append(name)
        turn.calls.append(call)
        turn.blocks.append({"type": "tool_use", "id": fresh, "name": name, "input": arguments})

    def result(
        self, call_id: str, content: Text | list[Block], *, failed: bool = False
    ) -> Block | None:
        """What a call gave; the block of it, or None where no call waits for it."""
        waiting = self._waiting.get(call_id)
        if not waiting:
            self._lost[UNASKED_RESULT] = None
            told = content if isinstance(content, list) else [text_block(content)]
            self.say("user", [text_block(_UNASKED), *told] if told else [])
            return None
        call = waiting.pop(0)
        if len(self._said) == call.turn:
            self._said.append(_Said("user"))  # what the assistant does next, it does after this
        block: Block = {"type": _RESULT, "tool_use_id": call.id}
        if not isinstance(content, list):
            block["content"] = content
        elif content:
            for part in content:
                if CACHE_CONTROL in part:  # a breakpoint stands on the result, never inside it
                    block[CACHE_CONTROL] = part.pop(CACHE_CONTROL)
            block["content"] = _plain(content)
        if failed:
            block["is_error"] = True
        call.result = block
        return block

    def _turn(self, role: str) -> _Said:
        said = self._said
        if said and (last := said[-1]).role == role:
            return last
        turn = _Said(role)
        said.append(turn)
        return turn

    def _fresh(self, call_id: str) -> str:
        """A legal id that no call before had: Messages wants them distinct in a whole history."""
        fresh = legal_id(call_id)
        while fresh in self._ids:
            number = self._again[call_id] = self._again.get(call_id, 1) + 1
            fresh = legal_id(f"{call_id}#{number}")  # `#` is not legal: always a digest
        self._ids.add(fresh)
        return fresh

    # --- the turns -----------------------------------------------------------------------------

    def finish(self, *, prefill: bool) -> list[Turn]:
        """The turns, the first and, without `prefill`, the last being the user's.

        Empty for a history without a word.
        """
        turns = self._alternating()
        # all that stood before it was thinking that led to nothing: it leads the history now
        while turns and turns[0]["role"] == "system":
            self.system += turns.pop(0)["content"]
        if not turns:
            turns, self.system = [_user(self.system)] if self.system else [], []
            return turns
        if turns[0]["role"] == "assistant":
            turns.insert(0, _user([text_block(BEGIN)]))
            self._lost[OPENING] = None
        if turns[-1]["role"] == "assistant" and not (prefill and _trim(turns)):
            turns.append(_user([text_block(GO_ON)]))
            self._lost[PREFILL] = None
        return turns

    def _alternating(self) -> list[Turn]:
        turns: list[Turn] = []
        results: list[Block] = []
        for said in self._said:
            blocks = said.blocks
            if results:
                _add(turns, "user", results)
                results = []
            if said.role == "assistant":
                if blocks and blocks[-1]["type"] in _THINKING:
                    self._end_without_thinking(blocks)
                results = [call.result or self._missing(call) for call in said.calls]
            if blocks:
                _add(turns, said.role, blocks)
        if results:
            _add(turns, "user", results)
        return turns

    def _missing(self, call: _Call) -> Block:
        self._lost[MISSING_RESULT] = None
        return {"type": _RESULT, "tool_use_id": call.id, "content": NO_RESULT}

    def _end_without_thinking(self, blocks: list[Block]) -> None:
        """Anthropic refuses a turn that ends in thinking: it led to nothing."""
        while blocks and blocks[-1]["type"] in _THINKING:
            blocks.pop()
            self._lost[self._thinking_name] = None


def goes_on_without_thinking(turns: list[Turn]) -> bool:
    """Whether the model is in the middle of a turn of its own that begins without thinking.

    Anthropic takes no thinking budget then: a turn that thinks has to begin with a thinking block.
    """
    if len(turns) < 2 or not _holds_result(turns[-1]):
        return False
    first = len(turns) - 2
    while first >= 2 and _is_results(turns[first - 1]):
        first -= 2
    begins: str = turns[first]["content"][0]["type"]
    return begins not in _THINKING


def _holds_result(turn: Turn) -> bool:
    return bool(turn["role"] == "user" and turn["content"][0]["type"] == _RESULT)


def _is_results(turn: Turn) -> bool:
    return turn["role"] == "user" and all(block["type"] == _RESULT for block in turn["content"])


def _add(turns: list[Turn], role: str, blocks: list[Block]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _user(blocks: list[Block]) -> Turn:
    return {"role": "user", "content": blocks}


def _plain(content: list[Block]) -> Text | list[Block]:
    """One text as a string, the shorter of two forms that mean the same."""
    only = content[0]
    if len(content) > 1 or len(only) > 2 or only["type"] != "text":
        return content
    text: Text = only["text"]
    return text


def _trim(turns: list[Turn]) -> bool:
    """Takes the white space off the end of the last text, which Anthropic refuses there; False
    where the turn does not end in text, and so cannot be gone on with.
    """
    last = turns[-1]["content"][-1]
    if last["type"] != "text":
        return False
    last["text"] = words(last["text"]).rstrip()
    return not is_blank(last["text"])
