"""Where Messages keeps prompt prefixes: breakpoints that the caller set, else the usual ones.

It knows the form of a request, and nothing of what is said in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from runtime.bridges.parts import Lost
from runtime.bridges.to_messages.blocks import CACHE_CONTROL, Block, ephemeral
from runtime.dialects.draft import open_object

# Anthropic refuses more.
_MOST: Final = 4
_USER_TURNS: Final = 2


def limit_breakpoints(top: dict[str, Any], lost: Lost) -> None:
    """Keeps the last of the caller's own breakpoints, as many as there may be."""
    marked = [holder for holder in _holders(top) if CACHE_CONTROL in holder]
    for holder in marked[:-_MOST]:
        del holder[CACHE_CONTROL]
        lost[CACHE_CONTROL] = None


def set_breakpoints(top: dict[str, Any]) -> None:
    """Marks what stays the same from turn to turn: tools, system, and the last two user turns.

    The turn before the last is where the request before ended, so its prefix is found again.
    """
    if tools := top.get("tools"):
        tools[-1] = {**(open_object(tools[-1]) or {}), CACHE_CONTROL: ephemeral()}
    ends = [top["system"][-1]] if top.get("system") else []
    users = [turn for turn in top["messages"] if turn["role"] == "user"]
    ends += [turn["content"][-1] for turn in users[-_USER_TURNS:]]
    for holder in ends:
        holder[CACHE_CONTROL] = ephemeral()


def _holders(top: dict[str, Any]) -> Iterator[Block]:
    """Everything that may bear a breakpoint, in the order the prefix has it. A tool that is closed
    has none.
    """
    yield from (tool for tool in top.get("tools", ()) if isinstance(tool, dict))
    yield from top.get("system", ())
    for turn in top["messages"]:
        yield from turn["content"]
