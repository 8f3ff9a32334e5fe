"""What the caller said last, found in the turns of a body in whatever dialect it is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from runtime.dialects import session
from runtime.dialects.parts import texts
from runtime.phases import Said, said

_NOTHING: Final = Said("", 0, False)
_ONLY_RESULTS: Final = Said("", 0, True)


class Turn(session.Turn, Protocol):
    """A message or input item, as the reader of its dialect left it."""

    @property
    def answers_tools(self) -> bool:
        """Whether it brings results of tools."""


def last_said(turns: Sequence[Turn]) -> Said:
    """The caller's own words in the last user turn that has any, and whether results follow it."""
    after_tools = False
    for turn in reversed(turns):
        if turn.role == "user":
            found = said(texts(turn.content), after_tools=after_tools)
            if found is not None:
                return found
        after_tools = after_tools or turn.answers_tools
    return _ONLY_RESULTS if after_tools else _NOTHING
