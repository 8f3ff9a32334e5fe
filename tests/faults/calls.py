"""Requests of the three dialects as a coding agent sends them, and running many at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from tests.faults.deployment import CALLER
from tests.faults.table import Cell
from tests.support.wire import Answer, ask

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
PROMPT_MARKER = "Jmpromptmarker7Wq3"
SCHEMA_MARKER = "Kvschemamarker9Zt5"

# Of requests in flight only a part may be fallbacks; few enough at once are always allowed.
_AT_ONCE = 16
_FALLBACKS_AT_ONCE = 3
# These hold their connection for seconds and cost nothing meanwhile.
_SLOW = ("silent-", "slow-")


def headers(**more: str) -> dict[str, str]:
    """The head of a request by the caller under test; a cookie that must go nowhere."""
    return {
        "Authorization": f"Bearer {CALLER.whole}",
        "Content-Type": "application/json",
        "Cookie": "session=caller-cookie-5Rk",
        "X-Forwarded-For": "198.51.100.7",
        "anthropic-version": "2023-06-01",
        **more,
    }


def body(dialect: str, group: str, streamed: bool, cell: str) -> bytes:
    """A small request with one tool; `cell` marks it for the upstream's records."""
    text = f"{PROMPT_MARKER} cell:{cell}"
    schema = {"type": "object", "properties": {SCHEMA_MARKER: {"type": "string"}}}
    name, about = "write", f"Writes a file. {SCHEMA_MARKER}"
    request: dict[str, Any] = {"model": group}
    if streamed:
        request["stream"] = True
    if dialect == "chat":
        function = {"name": name, "description": about, "parameters": schema}
        request["messages"] = [{"role": "user", "content": text}]
        request["tools"] = [{"type": "function", "function": function}]
    elif dialect == "responses":
        request["input"] = [{"role": "user", "content": text}]
        request["store"] = False
        request["tools"] = [
            {"type": "function", "name": name, "description": about, "parameters": schema}
        ]
    else:
        request["max_tokens"] = 1000
        request["messages"] = [{"role": "user", "content": text}]
        request["tools"] = [{"name": name, "description": about, "input_schema": schema}]
    return json.dumps(request).encode()


async def call(port: int, dialect: str, group: str, *, streamed: bool, cell: str) -> Answer:
    """One request and its answer to the end."""
    return await ask(
        port, "POST", PATHS[dialect], headers(), body(dialect, group, streamed, cell), seconds=40
    )


Seen = Answer | Exception


async def run_cells(port: int, cells: Iterable[Cell]) -> dict[str, Seen]:
    """Runs all cells, many at once; an exception is an outcome like any other."""
    others, pairs = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_FALLBACKS_AT_ONCE)
    free = asyncio.Semaphore(1000)

    def turn(cell: Cell) -> asyncio.Semaphore:
        if cell.falls_back:
            return pairs
        return free if cell.row.behaviour.startswith(_SLOW) else others

    async def run(cell: Cell) -> tuple[str, Seen]:
        async with turn(cell):
            try:
                seen: Seen = await call(
                    port, cell.dialect, cell.group, streamed=cell.streamed, cell=cell.name
                )
            except (OSError, TimeoutError, ValueError) as error:
                seen = error
            return cell.name, seen

    return dict(await asyncio.gather(*(run(cell) for cell in cells)))
