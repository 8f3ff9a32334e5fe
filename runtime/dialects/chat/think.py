"""Content that begins with `<think>...</think>`: which of it is reasoning. It knows no chunk."""

from __future__ import annotations

from typing import Final

_OPENS: Final = "<think>"
_CLOSES: Final = "</think>"


class Think:
    """Tells reasoning from text, however the tags are cut. Content without the tag is all text."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = "before"  # before, inside or after the tags
        self._held = ""

    def split(self, text: str) -> tuple[str, str]:
        """The reasoning and the text that more of the content brings."""
        if self._state == "after":
            return "", text
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
            self._state = "inside"
            text = start[len(_OPENS) :]
        return self._inside(text)

    def rest(self) -> tuple[str, str]:
        """What was held back for a tag that did not come: reasoning and text."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "inside" else ("", held)

    def _inside(self, text: str) -> tuple[str, str]:
        reasoning, closes, after = text.partition(_CLOSES)
        if closes:
            self._state = "after"
            return reasoning, after
        kept = _begun(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept], ""


def _begun(text: str) -> int:
    """How many of the last characters may be the beginning of the closing tag."""
    longest = min(len(text), len(_CLOSES) - 1)
    return next((n for n in range(longest, 0, -1) if _CLOSES.startswith(text[-n:])), 0)
