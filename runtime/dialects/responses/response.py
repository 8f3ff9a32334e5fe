"""The response object as far as the router can tell it itself."""

from __future__ import annotations

from typing import Any


def response(answer_id: str, created_at: int, model: str, status: str) -> dict[str, Any]:
    """A response without output; `created_at` in Unix seconds."""
    return {
        "id": answer_id,
        "object": "response",
        "created_at": created_at,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": None,
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "usage": None,
    }
