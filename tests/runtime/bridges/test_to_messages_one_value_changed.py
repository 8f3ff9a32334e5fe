"""Bodies with everything in them, each value in turn replaced by one that nobody means: what comes
of it is a lawful request or the caller's error, never a crash.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from runtime.errors import CallerError
from runtime.events import Opaque
from runtime.opaque import wrap
from tests.runtime.bridges.to_messages import DOMAIN, SETTINGS, THINKS, cross_body
from tests.runtime.dialects.bodies import PNG, open_skin, read

SKIN = open_skin(prompt_cache="explicit", reasoning=THINKS)
JUNK: list[Any] = [3, "", ["x"], {"type": 3}]
STATE = wrap(Opaque("messages", {"signature": "c2ln"}), DOMAIN)
PDF = "data:application/pdf;base64,AA=="
MARK = {"type": "ephemeral"}
BRANCH = {"properties": {"a": {"type": "string", "minLength": 1}}, "required": ["a"]}
SCHEMA = {"type": "object", "anyOf": [BRANCH], "required": ["z"], "$defs": {"q": {}}}

FULL: dict[str, dict[str, Any]] = {
    "responses": {
        "model": "g",
        "instructions": "i",
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "input": [
            {"role": "developer", "content": "d"},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {}},
                    {"type": "input_image", "image_url": PNG, "detail": "high"},
                    {"type": "input_file", "file_data": PDF, "filename": "a"},
                ],
            },
            {"type": "reasoning", "summary": [{"text": "t"}], "encrypted_content": STATE},
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "g", "namespace": "n"},
            {"type": "custom_tool_call", "call_id": "c", "name": "w", "input": "x"},
            {"type": "function_call_output", "call_id": "a", "output": "o"},
            {"type": "function_call_output", "call_id": "b", "output": [{"text": "o"}]},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "o"},
            {"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "output": "o"},
            {"type": "local_shell_call", "call_id": "s", "action": {"command": ["ls"]}},
            {"type": "local_shell_call_output", "id": "s", "output": "o"},
            {"type": "message", "role": "assistant", "content": "y", "phase": "commentary"},
            {"type": "additional_tools", "tools": [{"type": "function", "name": "q"}]},
            {"role": "user", "content": "z"},
        ],
        "tools": [
            {"type": "function", "name": "f", "strict": True, "parameters": SCHEMA},
            {"type": "custom", "name": "w", "format": {"type": "grammar", "syntax": "lark"}},
            {"type": "namespace", "name": "n", "description": "d", "tools": [{"name": "g"}]},
            {"type": "web_search"},
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "f"}, {"type": "namespace", "name": "n"}],
        },
        "parallel_tool_calls": False,
        "text": {
            "format": {"type": "json_schema", "description": "d", "schema": SCHEMA},
            "verbosity": "low",
        },
        "reasoning": {"effort": "low", "summary": "auto", "context": "auto"},
        "temperature": 1,
        "top_p": 0.5,
        "max_output_tokens": 10,
        "user": "u",
        "service_tier": "auto",
        "metadata": {"a": "b"},
    },
    "chat": {
        "model": "g",
        "stream": True,
        "stream_options": {"include_obfuscation": True},
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": MARK}]},
            {
                "role": "user",
                "name": "n",
                "cache_control": MARK,
                "content": [
                    {"type": "text", "text": "x"},
                    {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                    {"type": "file", "file": {"file_data": PDF, "filename": "a"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "refusal": "r",
                "reasoning_content": "t",
                "reasoning_details": [{"data": STATE, "index": 0}, {"text": "q", "index": 0}],
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "c", "type": "custom", "custom": {"name": "w", "input": "x"}},
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "o"},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "o"}]},
            {"role": "assistant", "function_call": {"name": "z", "arguments": "{}"}},
            {"role": "function", "name": "z", "content": "o"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "strict": True, "parameters": SCHEMA}},
            {"type": "custom", "custom": {"name": "w", "format": {"type": "text"}}},
        ],
        "functions": [{"name": "z", "parameters": {}}],
        "function_call": {"name": "z"},
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"tools": [{"type": "function", "function": {"name": "f"}}]},
        },
        "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
        "stop": ["a"],
        "temperature": 1,
        "top_p": 0.5,
        "top_k": 5,
        "user": "u",
        "max_tokens": 10,
    },
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into a body."""
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else ()
    members = enumerate(value) if isinstance(value, list) else members
    for key, inner in members:
        yield from places(inner, (*path, key))


def changed(body: dict[str, Any], path: tuple[Any, ...], junk: Any) -> bytes:
    copied = copy.deepcopy(body)
    holder: Any = copied
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    return json.dumps(copied).encode()


@pytest.mark.parametrize("dialect", FULL)
def test_the_whole_body_crosses(dialect):
    assert cross_body(dialect, json.dumps(FULL[dialect]).encode(), SKIN).top["messages"]


@pytest.mark.parametrize("junk", JUNK, ids=json.dumps)
@pytest.mark.parametrize("dialect", FULL)
def test_a_value_that_nobody_means_breaks_nothing(dialect, junk):
    for path in places(FULL[dialect]):
        body = changed(FULL[dialect], path, junk)
        with suppress(CallerError):
            if read(dialect, body, SETTINGS).dialect == dialect:
                cross_body(dialect, body, SKIN)
