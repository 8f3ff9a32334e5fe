"""The history as Messages wants it: turns that alternate, and every result behind its call.

It is told what was said in the order it was said, and knows no dialect it came from.
"""

from __future__ import annotations

from typing import Any, Final

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


class Turns:
    """Collects one history. `system` are the blocks said before anything else.

    `keep_system`: later system messages stay turns of their own, else they become words of the
    user where they stand. `thinking_name` is what thinking is called in the caller's dialect.
    """

    def __init__(self, lost: Lost, thinking_name: str, *, keep_system: bool) -> None:
        self.system: list[Block] = []
        # the names of the tools that were called
        self.called: list[str] = []
        self._lost = lost
        self._thinking_name = thinking_name
        self._keep_system = keep_system
        self._told: list[Turn] = []
        # of the last turn: its role, its blocks, and the results that its calls want behind it,
        # by the ids they are sent under
        self._role = ""
        self._blocks: list[Block] = []
        self._results: dict[str, Block] = {}
        # the caller's id -> the results that are still to come; of one turn, for ids come again
        self._waiting: dict[str, list[Block]] = {}
        self._thought = False
        self._unanswered = False
        self._ids: set[str] = set()
        # how often an id has come
        self._again: dict[str, int] = {}

    # --- telling -------------------------------------------------------------------------------

    def instruct(self, blocks: list[Block]) -> None:
        """Words of who set the model up."""
        if not self._told:
            self.system += blocks
        else:
            self.say("system" if self._keep_system else "user", blocks)

    def say(self, role: str, blocks: list[Block]) -> None:
        """Words of the user or the assistant."""
        if not blocks:
            return
        if self._results and role != "assistant":
            self._answer()
        if role == self._role:
            self._blocks += blocks
        else:
            self._role, self._blocks = role, blocks
            self._told.append({"role": role, "content": blocks})

    def think(self, block: Block) -> None:
        """Thinking of the assistant, with the proof of its maker."""
        self._thought = True
        self.say("assistant", [block])

    def call(self, call_id: str, name: str, arguments: dict[str, Any]) -> None:
        """The assistant calls a tool, by the name it is sent under."""
        fresh = legal_id(call_id)
        if fresh in self._ids:
            fresh = self._another(call_id)
        self._ids.add(fresh)
        block = {"type": "tool_use", "id": fresh, "name": name, "input": arguments}
        if self._role == "assistant":
            self._blocks.append(block)
        else:
            self.say("assistant", [block])
        self.called.append(name)
        result = {"type": _RESULT, "tool_use_id": fresh, "content": NO_RESULT}
        waiting = self._waiting.get(call_id)
        if not waiting:
            self._waiting[call_id] = [result]
        elif waiting[0]["tool_use_id"] in self._results:
            waiting.append(result)
        else:
            self._waiting[call_id] = [result]
            self._unanswered = True
        self._results[fresh] = result

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
        block = waiting.pop(0)
        if block["tool_use_id"] in self._results:
            self._answer()  # what the assistant does next, it does after this
        if isinstance(content, list):
            _fill(block, content)
        else:
            block["content"] = content
        if failed:
            block["is_error"] = True
        return block

    def _answer(self) -> None:
        """Begins the turn behind calls, which is the user's and brings what they gave."""
        self._role, self._blocks, self._results = "user", [*self._results.values()], {}
        self._told.append({"role": "user", "content": self._blocks})

    def _another(self, call_id: str) -> str:
        """A legal id that no call before had: Messages wants them distinct in a whole history."""
        fresh = legal_id(call_id)
        while fresh in self._ids:
            number = self._again[call_id] = self._again.get(call_id, 1) + 1
            fresh = legal_id(f"{call_id}#{number}")  # `#` is not legal: always a digest
        return fresh

    # --- the turns -----------------------------------------------------------------------------

    def finish(self, *, prefill: bool) -> list[Turn]:
        """The turns, the first and, without `prefill`, the last being the user's.

        Empty for a history without a word.
        """
        if self._results:
            self._answer()
        whole = not (self._thought or self._unanswered or any(self._waiting.values()))
        turns = self._told if whole else self._mended()
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

    def goes_on_without_thinking(self, turns: list[Turn]) -> bool:
        """Whether the model is in the middle of a turn of its own that begins without thinking.

        Anthropic takes no thinking budget then: a turn that thinks has to begin with a thinking
        block. `turns` are what `finish` gave.
        """
        if len(turns) < 2 or not _holds_result(turns[-1]):
            return False
        return not (self._thought and _began_with_thinking(turns))

    def _mended(self) -> list[Turn]:
        """The turns without thinking at their end, which led to nothing: Anthropic refuses it.

        Names that, and every result that never came.
        """
        turns: list[Turn] = []
        for turn in self._told:
            role, blocks = turn["role"], turn["content"]
            while role == "assistant" and blocks and blocks[-1]["type"] in _THINKING:
                blocks.pop()
                self._lost[self._thinking_name] = None
            if role == "user" and any(block.get("content") is NO_RESULT for block in blocks):
                self._lost[MISSING_RESULT] = None
            if turns and turns[-1]["role"] == role:
                turns[-1]["content"] += blocks
            elif blocks:
                turns.append(turn)
        return turns


def _fill(result: Block, content: list[Block]) -> None:
    """Gives a result its parts."""
    del result["content"]
    if content:
        for part in content:
            if CACHE_CONTROL in part:  # a breakpoint stands on the result, never inside it
                result[CACHE_CONTROL] = part.pop(CACHE_CONTROL)
        result["content"] = _plain(content)


def _began_with_thinking(turns: list[Turn]) -> bool:
    """Whether the assistant's turn that the last results are for began with thinking."""
    first = len(turns) - 2
    while first >= 2 and _is_results(turns[first - 1]):
        first -= 2
    return turns[first]["content"][0]["type"] in _THINKING


def _holds_result(turn: Turn) -> bool:
    return bool(turn["role"] == "user" and turn["content"][0]["type"] == _RESULT)


def _is_results(turn: Turn) -> bool:
    return turn["role"] == "user" and all(block["type"] == _RESULT for block in turn["content"])


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
