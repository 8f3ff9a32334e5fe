"""What a request needs: all its features as one integer, plus its numbers.

Detected from the body alone, never from the user agent, by one typed decode per dialect.
"""

from __future__ import annotations

from typing import Final

import msgspec

# What an image or a document counts for before anybody has read it.
IMAGE_TOKENS: Final = 1500


class Shape(msgspec.Struct, frozen=True):
    """`needs` holds feature bits and at most one level bit; sizes in bytes, amounts in tokens."""

    needs: int
    cap: int | None = None
    input_tokens: int = 0
    body_bytes: int = 0
    tool_schema_bytes: int = 0
    tools: int = 0
    images: int = 0


def estimate_input_tokens(body_bytes: int, inline_bytes: int, images_and_documents: int) -> int:
    """The one estimate of input tokens that compiler and runtime share."""
    return (body_bytes - inline_bytes) // 4 + IMAGE_TOKENS * images_and_documents
