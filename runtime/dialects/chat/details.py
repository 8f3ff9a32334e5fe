"""The `reasoning_details` of a Chat answer: reasoning in parts, some of them sealed.

OpenRouter's form, which other gateways copy: `reasoning.text` (may end in a signature),
`reasoning.summary`, `reasoning.encrypted`. They go back to their maker unchanged or not at all.
"""

from __future__ import annotations

from typing import Any, Final

from runtime.events import Opaque

_SUMMARY: Final = "reasoning.summary"
_TEXTS: Final = ("text", "summary")
_SEALS: Final = ("signature", "data")


class Details:
    """Collects the parts of one stretch of reasoning; pieces of one part become that part again."""

    __slots__ = ("_parts", "_pieces", "sealed")

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        # of the last part: what its text is made of
        self._pieces: dict[str, list[str]] = {}
        # whether there is state among them that somebody must get back
        self.sealed = False

    def add(self, detail: dict[str, Any]) -> None:
        """The next part, or more of the last one."""
        if not (self._parts and _continues(self._parts[-1], detail)):
            self._settle()
            self._parts.append({})
        part = self._parts[-1]
        for key, value in detail.items():
            if key in _TEXTS and isinstance(value, str):
                self._pieces.setdefault(key, []).append(value)
                part.setdefault(key, "")
            elif value or key not in part:
                part[key] = value
        self.sealed = self.sealed or any(detail.get(key) for key in _SEALS)

    def take(self) -> Opaque | None:
        """The parts so far, if one of them is sealed; the next stretch starts anew."""
        self._settle()
        parts, self._parts = self._parts, []
        sealed, self.sealed = self.sealed, False
        return Opaque("chat", {"details": parts}) if sealed else None

    def _settle(self) -> None:
        for key, pieces in self._pieces.items():
            self._parts[-1][key] = "".join(pieces)
        self._pieces = {}


def readable(details: list[dict[str, Any]]) -> str:
    """What a reader can make of them."""
    texts = (detail.get(key) for detail in details for key in _TEXTS)
    return "".join(text for text in texts if isinstance(text, str))


def is_summary(details: list[dict[str, Any]]) -> bool:
    """Whether the readable parts are summaries."""
    return any(detail.get("type") == _SUMMARY for detail in details)


def _continues(part: dict[str, Any], detail: dict[str, Any]) -> bool:
    same = part.get("type") == detail.get("type") and part.get("index") == detail.get("index")
    return same and not part.get("signature") and "data" not in part
