"""Which phase of the work a request belongs to, by the rules of its deployment.

Pure: it sees the caller's own words, whether tool results follow them, and the estimated size. It
knows no dialect, no group and no target.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from runtime.vocabulary import PhaseRule

SEEN: Final = 4000  # characters from the end of the caller's text that patterns see

# Of a longer text only the end is looked at: enough for what clients put around the caller's words.
_LOOKED_AT: Final = 64 * 1024

# Elements that clients put into user turns, by the client they were seen in.
_INJECTED: Final = {
    "Claude Code": (
        "system-reminder",
        "local-command-caveat",
        "local-command-stdout",
        "local-command-stderr",
        "bash-stdout",
        "bash-stderr",
        "task-notification",
        "ide_opened_file",
        "ide_selection",
        "ide_diagnostics",
        "new-diagnostics",
    ),
    "Codex": (
        "environment_context",
        "user_instructions",
        "INSTRUCTIONS",
        "turn_aborted",
        "subagent_notification",
        "recommended_plugins",
        "image",
    ),
    "Cline, Roo Code": ("environment_details", "file_content", "explicit_instructions"),
    "Cursor": (
        "user_info",
        "additional_data",
        "open_and_recently_viewed_files",
        "attached_files",
        "system_reminder",
        "system_notification",
    ),
    "Copilot": (
        "environment_info",
        "workspace_info",
        "editorContext",
        "reminderInstructions",
        "attachments",
    ),
}
_NAMES: Final = sorted(name for names in _INJECTED.values() for name in names)
_OPENING: Final = re.compile(rf"<({'|'.join(_NAMES)})(?:\s[^<>\n]{{0,400}})?>")

# How aider goes on behind the caller's words: its rules for edits, to the end of the turn.
_TAILS: Final = ("\n# *SEARCH/REPLACE block* Rules:\n", "\nTo suggest changes to a file you MUST ")

# Letters that a pattern takes for ASCII ones, and that lower case leaves as they are or splits.
_ODD_LETTERS: Final = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"))


class Said(NamedTuple):
    """The caller's own words in the last user turn that has any: their end, and their length."""

    text: str
    chars: int
    after_tools: bool


def said(texts: Iterable[str], *, after_tools: bool = False) -> Said | None:
    """What a caller says in the texts of a user turn; None where all of it is its client's.

    `after_tools`: results of tools follow the turn.
    """
    own = _own(texts)
    return Said(own[-SEEN:], len(own), after_tools) if own else None


class Detector:
    """The rules of one set, their patterns compiled."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[PhaseRule]) -> None:
        self._rules = tuple(
            (rule, re.compile(rule.last_user, re.IGNORECASE).search if rule.last_user else None)
            for rule in rules
        )

    def phase(self, said: Said, input_tokens: int) -> str | None:
        """The phase of the first rule that holds; None where the last one does not catch all."""
        text, chars, after_tools = said
        folded = ""
        for rule, search in self._rules:
            if rule.after_tools is not None and rule.after_tools is not after_tools:
                continue
            if rule.max_chars is not None and chars > rule.max_chars:
                continue
            if rule.min_input_tokens is not None and input_tokens < rule.min_input_tokens:
                continue
            if search is not None:
                # To look for a few words is many times faster than to try the pattern.
                folded = folded or _folded(text)
                if rule.one_of and not any(word in folded for word in rule.one_of):
                    continue
                if search(text) is None:
                    continue
            return rule.phase
        return None


def _own(texts: Iterable[str]) -> str:
    text = "\n".join(texts)[-_LOOKED_AT:]
    if "<" in text:
        text = _without_injected(text)
    if not text or text.isspace():
        return ""
    for tail in _TAILS:
        text = text.partition(tail)[0]
    return text.strip()


def _without_injected(text: str) -> str:
    """A text without the elements of clients; one that is not closed is text like any other."""
    kept = ""
    start = end = 0
    unclosed: tuple[str, ...] = ()
    while opening := _OPENING.search(text, start):
        name, start = opening[1], opening.end()
        # looked for once where there is none, so that the time stays linear
        close = -1 if name in unclosed else text.find(f"</{name}>", start)
        if close < 0:
            unclosed += (name,)
            continue
        kept += text[end : opening.start()]
        start = end = close + len(name) + 3
    return kept + text[end:]


def _folded(text: str) -> str:
    """A text in lower case, as `one_of` is written; no letter that a pattern accepts is missed."""
    if not text.isascii():
        for odd, letter in _ODD_LETTERS:
            text = text.replace(odd, letter)
    return text.lower()
