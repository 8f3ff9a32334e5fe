"""Content that begins with `<think>...</think>`: which of it is reasoning. It knows no chunk."""

from __future__ import annotations

from typing import Final

_OPENS: Final = "<think>"
_CLOSES: Final = "</think>"


class Think:
    """Tells reasoning from text, however the tags are cut. Content without the tag is all text.

    White space right behind a tag is part of the tag: nobody wants it in front of an answer.
    """

    __slots__ = ("_behind_tag", "_held", "_state")

    def __init__(self) -> None:
        self._state = "before"  # before, inside or after the tags
        self._held = ""
        self._behind_tag = False

    def split(self, text: str) -> tuple[str, str]:
        """The reasoning and the text that more of the content brings."""
        if self._state == "after":
            return "", self._without_blank(text)
        text = self._held + text
        self._held = ""
        if self._state == "before":
            start = text.lstrip()
            if not start.startswith(_OPENS):
                if _OPENS.startswith(start):
                    self._held = text
                    return "", ""
                self._state = "after"
                return "", text
            self._state, self._behind_tag = "inside", True
            text = start[len(_OPENS) :]
        return self._inside(text)

    def rest(self) -> tuple[str, str]:
        """What was held back for a tag that did not come: reasoning and text."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "inside" else ("", held)

    def _without_blank(self, text: str) -> str:
        if self._behind_tag:
            text = text.lstrip()
            self._behind_tag = not text
        return text

    def _inside(self, text: str) -> tuple[str, str]:
        text = self._without_blank(text)
        reasoning, closes, after = text.partition(_CLOSES)
        if closes:
            self._state, self._behind_tag = "after", True
            return reasoning, self._without_blank(after)
        kept = _begun(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept], ""


def _begun(text: str) -> int:
    """How many of the last characters may be the beginning of the closing tag."""
    longest = min(len(text), len(_CLOSES) - 1)
    return next((n for n in range(longest, 0, -1) if _CLOSES.startswith(text[-n:])), 0)
