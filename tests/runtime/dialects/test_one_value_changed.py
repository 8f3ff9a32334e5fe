"""Bodies with everything in them, each value in turn replaced by one that nobody means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from runtime.vocabulary import JSON_SCHEMA, TOOLS, WEB_SEARCH, Cap, Reasoning, Settings, Skin
from tests.runtime.dialects.bodies import BUDGETS, PNG, step_of

URL = "https://pictures.example/a.png"
PDF = "data:application/pdf;base64,AA=="
CHOICE = [{"type": "function", "name": "f"}, {"type": "web_search"}]
FULL: dict[str, dict[str, Any]] = {
    "chat": {
        "model": "g",
        "messages": [
            {"role": "system", "content": "s"},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": URL}},
                    {"type": "file", "file": {"file_data": PDF}},
                    {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
                ],
            },
            {"role": "assistant", "reasoning_content": "r", "reasoning_details": [{"type": "x"}]},
            {"role": "tool", "tool_call_id": "c", "content": "ok"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "web_search"}],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": CHOICE},
        },
        "functions": [{"name": "z"}],
        "function_call": {"name": "z"},
        "web_search_options": {},
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "max_completion_tokens": 200,
        "reasoning_effort": "high",
        "reasoning": {"effort": "low", "max_tokens": 5},
        "thinking": {"type": "enabled", "budget_tokens": 3000, "display": "x"},
        "temperature": 0,
        "n": 1,
        "top_logprobs": 0,
        "response_format": {"type": "json_schema"},
        "store": False,
        "metadata": {"user_id": "u"},
    },
    "responses": {
        "model": "g",
        "instructions": "i",
        "input": [
            {"role": "user", "content": [{"type": "input_image", "image_url": PNG}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"type": "item_reference", "id": "rs_2"},
            {"type": "additional_tools", "tools": [{"type": "web_search"}]},
            {"type": "function_call_output", "output": [{"type": "input_image", "image_url": URL}]},
            {"type": "image_generation_call", "result": "AAA"},
            {"type": "compaction", "encrypted_content": "y"},
        ],
        "tools": [
            {"type": "function", "name": "f", "parameters": {}},
            {"type": "namespace", "name": "n", "tools": [{"type": "web_search"}]},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": CHOICE},
        "reasoning": {"effort": "high", "summary": "auto", "generate_summary": "auto"},
        "text": {"format": {"type": "json_schema"}},
        "include": ["reasoning.encrypted_content"],
        "store": True,
        "previous_response_id": None,
        "conversation": None,
        "stream": True,
        "max_output_tokens": 100,
    },
    "messages": {
        "model": "g",
        "max_tokens": 4000,
        "system": [{"type": "text", "text": "s"}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                    },
                    {"type": "document", "source": {"type": "url", "url": URL}},
                ],
            },
            {"role": "system", "content": "mid"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "x", "signature": "y"},
                    {"type": "tool_use", "id": "t", "name": "f", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "content": [{"type": "text", "text": "a"}]}],
            },
        ],
        "tools": [{"name": "f", "input_schema": {}}, {"type": "web_search_20250305", "name": "s"}],
        "tool_choice": {"type": "tool", "name": "s", "disable_parallel_tool_use": False},
        "thinking": {"type": "enabled", "budget_tokens": 3000, "display": "x"},
        "output_config": {"effort": "high", "format": {"type": "json_schema"}},
        "output_format": {"type": "json_schema"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015"}, {"type": "x"}]},
        "metadata": {"user_id": "user_x_session_y"},
        "stream": True,
        "mcp_servers": [{"type": "url"}],
    },
}
NOBODY_MEANS: tuple[Any, ...] = (
    *(None, True, -1, 1.5, 2**63, "", "x", [], {}, [None], [[]], [{}]),
    *({"type": None}, {"type": 5}, {"type": "image"}, {"id": "rs_1"}, {"a": {"b": [1]}}),
)
BETAS = b"context-management-2025-06-27,effort-2025-11-24,mid-conversation-system-2026-01-01"
HEADERS = {b"anthropic-beta": BETAS}
SETTINGS = Settings(
    name="test",
    budgets=BUDGETS,
    hosted_tools=dict.fromkeys(("web_search", "mcp", "other"), "prefer"),
)


def skins() -> Iterator[Skin]:
    """One per way to take reasoning; they change all that a skin can change."""
    for control in ("effort", "budget", "adaptive", "toggle"):
        for echo in ("optional", "forbidden"):
            yield Skin(
                path="/x",
                model="up",
                cap=Cap("max_tokens", max=5000, over="clamp", default=3000),
                reasoning=Reasoning(
                    control=control, levels=("low",), echo=echo, rejects=("temperature",)
                ),
                store="force_false",
                drop=("metadata.user_id",),
                patch={"metadata": {"a": 1}, "reasoning": {"x": {"y": 1}}},
            )


STEPS = [
    step_of(skin, features=features, same_continuity=same, keep_level=same)
    for skin in skins()
    for features, same in ((TOOLS, False), (TOOLS | WEB_SEARCH | JSON_SCHEMA, True))
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value but the whole."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, held in inner:
        yield (*path, key)
        if isinstance(held, dict | list):
            yield from places(held, (*path, key))


def with_value(holder: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at one place."""
    key, *rest = path
    copy = dict(holder) if isinstance(holder, dict) else list(holder)
    copy[key] = with_value(holder[key], tuple(rest), value) if rest else value
    return copy


@pytest.mark.parametrize("dialect", FULL)
def test_the_body_with_everything_is_read_and_written_for_every_skin(dialect):
    assert is_served(dialect, FULL[dialect])


@pytest.mark.parametrize(
    ("dialect", "path"),
    [(dialect, path) for dialect, body in FULL.items() for path in places(body)],
    ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else value,
)
def test_a_value_nobody_means_ends_in_json_or_in_the_callers_error(dialect, path):
    for value in NOBODY_MEANS:
        is_served(dialect, with_value(FULL[dialect], path, value))


def is_served(dialect: str, body: dict[str, Any]) -> bool:
    """False where the caller is told off; anything else that goes wrong raises."""
    raw = json.dumps(body).encode()
    try:
        reading = DIALECTS[dialect].read(raw, HEADERS, SETTINGS)
    except CallerError:
        return False
    for step in STEPS:
        json.loads(DIALECTS[reading.dialect].edit(raw, reading, step).body)
    return True
