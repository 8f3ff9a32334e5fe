"""The items of `input`: turns in their order, each run of calls with its results right behind it.

It knows no dialect but Responses; who reads the turns says what they hold.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime.arguments import unwrapped, wrapped
from runtime.bridges.body import Text, together, words
from runtime.bridges.parts import GO_ON, MISSING_RESULT, NO_RESULT, PREFILL, Lost
from runtime.bridges.to_responses.content import Output, Part
from runtime.bridges.to_responses.tools import Toolset
from runtime.bridges.tools import legal_id
from runtime.dialects.reading import Step
from runtime.vocabulary import PREFILL as TAKES_PREFILL

Item = dict[str, Any]

_INPUT_TEXT: Final = "input_text"
_CALL: Final = "function_call"
_OUTPUT: Final = "function_call_output"
_CUSTOM_CALL: Final = "custom_tool_call"
_CUSTOM_OUTPUT: Final = "custom_tool_call_output"
# How a result that became user text is named in the trace.
_UNASKED: Final = "tool_result:without_call"


class _Run(msgspec.Struct):
    """Calls made at once, and their results; OpenAI and DeepSeek want every call to have one."""

    calls: list[Item] = []
    outputs: list[Item] = []


class _Waiting(msgspec.Struct):
    """A call whose result has not come yet."""

    run: _Run
    sent_id: str
    output_type: str
    name: str

    def answer(self, output: Output) -> None:
        item = {"type": self.output_type, "call_id": self.sent_id, "output": output}
        self.run.outputs.append(item)


class History:
    """Collects `instructions` and `input` of one request."""

    def __init__(self, tools: Toolset, lost: Lost) -> None:
        self._tools = tools
        self._lost = lost
        self._instructions: list[Text] = []
        self._entries: list[Item | _Run] = []
        # the caller's id -> calls that wait; "" where it gave none: the first form of Chat has none
        self._waiting: dict[str, list[_Waiting]] = {}
        # how often an id was used: some providers count anew in each answer
        self._used: dict[str, int] = {}

    def instruct(self, texts: list[Text]) -> None:
        """System text: in front while nothing was said, later where it stands."""
        if not self._entries:
            self._instructions += texts
        elif texts:
            self.message("developer", [{"type": _INPUT_TEXT, "text": text} for text in texts])

    def message(self, role: str, parts: list[Part]) -> None:
        """A message, unless it is empty."""
        if parts:
            self._entries.append({"type": "message", "role": role, "content": parts})

    def reasoning(self, item: Item) -> None:
        """A reasoning item; what it led to has to follow it in its turn."""
        self._entries.append(item)

    def end_turn(self, name: str) -> None:
        """Leaves out reasoning that nothing of its turn follows: OpenAI refuses it."""
        while self._entries and _type(self._entries[-1]) == "reasoning":
            self._entries.pop()
            self._lost[name] = None

    def call(self, call_id: Any, name: str, text: Text, *, custom: bool) -> None:
        """A call of a tool; `text` is its arguments, or the input of a custom tool.

        Calls of a tool that is offered as a custom one are custom, whatever their form.
        """
        is_grammar = name in self._tools.customs
        if is_grammar and not custom:
            text = unwrapped(words(text))
        custom = custom or is_grammar
        key = call_id if isinstance(call_id, str) else ""
        sent_id = self._sent_id(key)
        item: Item = {
            "type": _CALL,
            "call_id": sent_id,
            "name": self._tools.sent_name(name, custom),
        }
        output = _OUTPUT
        if custom and self._tools.native_custom:
            item["type"], output = _CUSTOM_CALL, _CUSTOM_OUTPUT
            item["input"] = text
        else:
            item["arguments"] = wrapped(words(text)) if custom else text
        run = self._open_run()
        run.calls.append(item)
        self._waiting.setdefault(key, []).append(_Waiting(run, sent_id, output, name))

    def result(self, call_id: Any, output: Output, name: str | None = None) -> None:
        """The result of a call, put behind it; one that no call waits for is user text."""
        key = call_id if isinstance(call_id, str) else ""
        queue = self._waiting.get(key, [])
        for index, waiting in enumerate(queue):
            if key or name is None or waiting.name == name:
                del queue[index]
                waiting.answer(output)
                return
        self._lost[_UNASKED] = None
        if not isinstance(output, list):
            output = [{"type": _INPUT_TEXT, "text": output}] if output else []
        self.message("user", output)

    def write(self, top: dict[str, Any], step: Step) -> None:
        """Writes `instructions` and `input`; neither is ever empty."""
        for waiting in (waiting for queue in self._waiting.values() for waiting in queue):
            waiting.answer(NO_RESULT)
            self._lost[MISSING_RESULT] = None
        if self._ends_with_assistant() and not step.features & TAKES_PREFILL:
            self.message("user", [{"type": _INPUT_TEXT, "text": GO_ON}])
            self._lost[PREFILL] = None
        instructions = together(self._instructions, "\n\n")
        if not self._entries:  # OpenAI answers no request without input
            role = "developer" if instructions else "user"
            self.message(role, [{"type": _INPUT_TEXT, "text": instructions}])
        elif instructions:
            top["instructions"] = instructions
        top["input"] = self._items()

    def _items(self) -> list[Item]:
        items: list[Item] = []
        for entry in self._entries:
            if isinstance(entry, _Run):
                items += entry.calls
                items += entry.outputs
            else:
                items.append(entry)
        return items

    def _open_run(self) -> _Run:
        """The run at the end, as long as it has no results: a new call belongs to it."""
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Run) and not last.outputs:
            return last
        run = _Run()
        self._entries.append(run)
        return run

    def _sent_id(self, key: str) -> str:
        """The id upstream: legal, and no other call's."""
        used = self._used.get(key, 0)
        self._used[key] = used + 1
        return legal_id(f"{key} {used}" if used or not key else key)

    def _ends_with_assistant(self) -> bool:
        last = self._entries[-1] if self._entries else None
        return isinstance(last, dict) and last.get("role") == "assistant"


def _type(entry: Item | _Run) -> str | None:
    return None if isinstance(entry, _Run) else entry["type"]
