"""What is sent in one run: a dialect, a body and how many requests at once, in a short word.

`W1@64`: Chat, 1 KB, 64 at once. The words are explained in docs/benchmarks.md.
"""

from __future__ import annotations

from dataclasses import dataclass

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
DIALECTS = {"W": "chat", "M": "messages", "R": "responses"}
BODIES = {"1": "small", "2": "large", "3": "small-stream", "3p": "small-paced", "4p": "large-paced"}
ALL = "W1@1,W1@64,W2@64,W3@64,W3p@64,W4p@64,M1@64,M2@64,M3p@64,R1@64,R2@64,R3p@64"


@dataclass(frozen=True)
class Cell:
    """One row of the table."""

    word: str
    dialect: str
    body: str
    at_once: int

    @property
    def path(self) -> str:
        """Where it is posted."""
        return PATHS[self.dialect]

    @property
    def file(self) -> str:
        """The body's file name."""
        return f"{self.dialect}-{self.body}.json"

    @property
    def streamed(self) -> bool:
        """Whether CPU is counted per event."""
        return not self.body.endswith(("small", "large"))


def cells(words: str) -> list[Cell]:
    """Reads words separated by commas."""
    return [_cell(word) for word in words.split(",")]


def warm_up(dialect: str) -> list[Cell]:
    """What a target answers before anything is measured: whole and streamed."""
    return [Cell("", dialect, body, 8) for body in ("small", "small-stream")]


def _cell(word: str) -> Cell:
    kind, _, at_once = word.partition("@")
    try:
        return Cell(word, DIALECTS[kind[:1]], BODIES[kind[1:]], int(at_once))
    except (KeyError, ValueError):
        raise SystemExit(f"`{word}` is no cell; known are such as {ALL}") from None
