"""What the encoders of answers have in common: turns, counts, endings, frames that await a text.

It knows no event of any dialect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from runtime.events import BlockDelta, BlockEnded, BlockStarted, Reason
from runtime.usage import Usage

encode: Final = msgspec.json.Encoder().encode
decode_text: Final = msgspec.json.Decoder(str).decode

BlockEvent = BlockStarted | BlockDelta | BlockEnded


class Turns:
    """Lets blocks that cannot overlap speak one after the other, in the order they began.

    `speaking` is the one whose turn it is.
    """

    def __init__(self) -> None:
        self.speaking: int | None = None
        # what the others have said meanwhile, in the order they began
        self._waiting: dict[int, list[BlockEvent]] = {}

    def take(self, event: BlockEvent) -> Sequence[BlockEvent]:
        """What may be told now that this event has come."""
        if self.speaking is None:
            self.speaking = event.index
        if event.index != self.speaking:
            self._waiting.setdefault(event.index, []).append(event)
            return ()
        told = [event]
        while isinstance(told[-1], BlockEnded) and self._waiting:
            self.speaking = next(iter(self._waiting))
            told += self._waiting.pop(self.speaking)
        if isinstance(told[-1], BlockEnded):
            self.speaking = None
        return told


def head_of(frame: bytes, rest: bytes) -> bytes:
    """A frame up to `rest`, its last bytes: what stands before the text of every delta.

    Raises ValueError for a frame that ends otherwise.
    """
    if not frame.endswith(rest):
        raise ValueError(f"the frame does not end with {rest!r}")
    return frame[: -len(rest)]


def openai_reason(reason: Reason, *, refused: bool) -> Reason:
    """How an answer ended where a refusal is words of the model, as it is in OpenAI's dialects.

    A refusal without such words is a provider's filter that cut the answer off.
    """
    if reason != "refusal":
        return reason
    return "stop" if refused else "content_filter"


def openai_usage(usage: Usage | None, read: str, made: str) -> dict[str, Any] | None:
    """The usage object of Chat (`prompt`, `completion`) and Responses (`input`, `output`).

    None unless both counts are known: clients reject an object without its totals (Codex repeats
    the turn). The details are whole numbers by contract, zero where nothing was said.
    """
    if usage is None or usage.input is None or usage.output is None:
        return None
    return {
        f"{read}_tokens": usage.input,
        f"{read}_tokens_details": {
            "cached_tokens": usage.cached or 0,
            "cache_write_tokens": usage.cache_write or 0,
        },
        f"{made}_tokens": usage.output,
        f"{made}_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": usage.input + usage.output,
    }
