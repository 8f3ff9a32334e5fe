"""Shapes of clients of which no recording is kept, in the few words that describe them."""

from __future__ import annotations

from typing import Final

from compiler.model import ClientShape

_READ: Final = "documented: read in its source or in reports, not run"


def agent(
    *more: str,
    name: str = "agent",
    cap: int | None = None,
    input_tokens: int = 12_000,
    tools: int = 12,
    core: bool = True,
    source: str = _READ,
) -> ClientShape:
    """A streamed turn with tools. An extra shape where it needs `more` than that."""
    return ClientShape(
        name=name,
        needs=("stream", "tools", *more),
        cap=cap,
        input_tokens=input_tokens,
        core=core and not more,
        tools=tools,
        tool_schema_bytes=tools * 2_500,
        source=source,
    )


def text(
    name: str,
    *needs: str,
    cap: int | None = None,
    input_tokens: int = 1_000,
    core: bool = True,
    source: str = _READ,
) -> ClientShape:
    """A turn without tools, streamed only where `needs` says so."""
    return ClientShape(
        name=name, needs=needs, cap=cap, input_tokens=input_tokens, core=core, source=source
    )
