"""A Responses request as a Messages request. Pure: same body, same candidate, same result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime.bridges.body import ToolLists
from runtime.bridges.crossing import Crossed, Crossing
from runtime.bridges.from_responses import BRINGS_TOOLS
from runtime.bridges.parts import echoed
from runtime.bridges.responses_to_messages.fields import TABLE
from runtime.bridges.responses_to_messages.items import Items
from runtime.bridges.to_messages import Frame
from runtime.dialects.decode import ABSENT
from runtime.dialects.responses.read import Item

# What comes back without being asked for.
_UNDERSTOOD: Final = frozenset(("reasoning.encrypted_content",))
_LOST_REASONING: Final = ("context", "mode")
_SUMMARIES: Final = ("summary", "generate_summary")


def request(body: Mapping[str, Any], crossing: Crossing) -> Crossed:
    """The request as Messages has it. Raises CallerError where the history cannot be read."""
    frame = Frame(body, crossing, TABLE, "reasoning")
    given = frame.given
    items = given["input"]
    toolset = frame.toolset(_tool_lists(given, items))
    walk = Items(frame, toolset)
    _instruct(frame, walk, given.get("instructions"))
    walk.tell(items, "input")
    _write_text(frame, given.get("text"))
    _write_reasoning(frame, given.get("reasoning"))
    if all(value in _UNDERSTOOD for value in given.get("include", ())):
        frame.lost.pop("include", None)
    return frame.finish(toolset, "input", echoed(given))


def _tool_lists(given: dict[str, Any], items: Sequence[Item]) -> ToolLists:
    """The lists of tools; some clients put one into the input."""
    lists = [("tools", given["tools"])] if "tools" in given else []
    lists += [
        (f"input[{index}].tools", item.tools)
        for index, item in enumerate(items)
        if item.type in BRINGS_TOOLS and item.tools is not ABSENT
    ]
    return lists


def _instruct(frame: Frame, walk: Items, instructions: Any) -> None:
    """Instructions are a text; where a stored prompt gave them, they are items."""
    if isinstance(instructions, list):
        walk.tell(instructions, "instructions")
    else:
        frame.turns.instruct(frame.system_blocks(instructions, "instructions"))


def _write_text(frame: Frame, text: Any) -> None:
    if not isinstance(text, dict):
        return
    frame.write_format(text.get("format"), "text.format")
    if text.get("verbosity") not in (None, "medium"):
        frame.lost["text.verbosity"] = None


def _write_reasoning(frame: Frame, reasoning: Any) -> None:
    """Level and budget are written in the skin's form elsewhere; this is about what is shown."""
    if not isinstance(reasoning, dict):
        return
    for name in _LOST_REASONING:
        if reasoning.get(name) is not None:
            frame.lost[f"reasoning.{name}"] = None
    asked = [name for name in _SUMMARIES if reasoning.get(name) is not None]
    if asked and _shows_thinking(frame.crossing):
        frame.top["thinking"] = {"display": "summarized"}
    else:
        frame.lost.update((f"reasoning.{name}", None) for name in asked)


def _shows_thinking(crossing: Crossing) -> bool:
    """Whether thinking is going to be written that a display can belong to: a level is asked, and
    the skin has more than an effort for it.
    """
    ask, skin = crossing.reading, crossing.step.skin.reasoning
    if skin is None or not skin.summaries or skin.control == "effort":
        return False
    return ask.level is not None and not ask.thinking_off
