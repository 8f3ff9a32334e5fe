"""Bodies with everything in them, each value in turn replaced by one that nobody means: what comes
of it is a conversation in order or the caller's error, never a crash.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.bridges.crossing import Crossing
from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from tests.runtime.bridges.chat_requests import BRIDGES, DOMAIN, THINKS, faults_of_order
from tests.runtime.bridges.twice import crossed_twice
from tests.runtime.dialects.bodies import PNG, SETTINGS, open_skin, step_of

JUNK: list[Any] = [None, 5, "x", "", [], [5], [None], [[]], {}, {"a": 1}, True]
STEP = step_of(open_skin(reasoning=THINKS, prompt_cache="explicit"))
PDF = "data:application/pdf;base64,AA=="
MARK = {"type": "ephemeral"}
# handed on unread
UNREAD = ("parameters", "input_schema", "schema")

FULL: dict[str, dict[str, Any]] = {
    "responses": {
        "instructions": "i",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "t"},
                    {"type": "input_image", "image_url": PNG, "detail": "low"},
                    {"type": "input_file", "file_data": PDF, "filename": "f"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "c"}],
                "encrypted_content": "e",
            },
            {"type": "function_call", "call_id": "a", "name": "f", "namespace": "n"},
            {"type": "custom_tool_call", "call_id": "b", "name": "p", "input": "i"},
            {"type": "function_call_output", "call_id": "a", "output": [{"text": "o"}]},
            {"type": "custom_tool_call_output", "call_id": "b", "output": "o"},
            {"type": "local_shell_call", "id": "l", "call_id": "c", "action": {"command": ["ls"]}},
            {"type": "local_shell_call_output", "id": "c", "output": "o"},
            {"type": "shell_call_output", "call_id": "d", "output": [{"stdout": "o"}]},
            {
                "type": "computer_call_output",
                "call_id": "e",
                "output": {"type": "computer_screenshot", "image_url": PNG},
            },
            {"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "output": "o"},
            {"type": "code_interpreter_call", "id": "i", "code": "1", "outputs": [{"logs": "o"}]},
            {"type": "additional_tools", "tools": [{"type": "function", "name": "q"}]},
            {"type": "tool_search_output", "tools": [{"type": "function", "name": "r"}]},
            {"type": "message", "role": "assistant", "content": "y", "phase": "commentary"},
        ],
        "tools": [
            {"type": "function", "name": "g", "description": "d", "parameters": {}},
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}]},
            {
                "type": "custom",
                "name": "p",
                "description": "d",
                "format": {"type": "grammar", "syntax": "lark", "definition": "d"},
            },
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "g"}]},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "top_logprobs": 1,
    },
    "messages": {
        "max_tokens": 5,
        "system": [{"type": "text", "text": "s", "cache_control": MARK}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                    },
                    {
                        "type": "document",
                        "title": "t",
                        "context": "c",
                        "source": {"type": "text", "data": "d"},
                    },
                    {
                        "type": "document",
                        "source": {"type": "content", "content": [{"type": "text", "text": "x"}]},
                    },
                    {
                        "type": "search_result",
                        "title": "t",
                        "source": "s",
                        "content": [{"text": "x"}],
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "text", "text": "x", "citations": [{"a": 1}], "cache_control": MARK},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                    {"type": "server_tool_use", "id": "b", "name": "web_search", "input": {}},
                    {"type": "web_search_tool_result", "tool_use_id": "b", "content": [{"u": "x"}]},
                    {"type": "compaction", "content": "c"},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "a",
                        "content": [{"type": "tool_reference", "tool_name": "x"}],
                        "is_error": True,
                        "cache_control": MARK,
                    }
                ],
            },
        ],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "thinking": {"type": "adaptive", "display": "omitted"},
        "stop_sequences": ["x"],
        "service_tier": "auto",
    },
}


def places(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """The way to every value inside, the fields that are handed on unread but for themselves."""
    members = value.items() if isinstance(value, dict) else ()
    for key, inner in enumerate(value) if isinstance(value, list) else members:
        yield (*at, key)
        if key not in UNREAD:
            yield from places(inner, (*at, key))


def changed(body: dict[str, Any], place: tuple, value: Any) -> dict[str, Any]:
    """A copy of the body with another value at one place."""
    copied = copy.deepcopy(body)
    holder: Any = copied
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return copied


def crossed_in_order(dialect: str, body: dict[str, Any]) -> bool:
    """Whether the bridge answers the body; what the reader refuses never gets there."""
    try:
        reading = DIALECTS[dialect].read(json.dumps(body).encode(), {}, SETTINGS)
        if reading.dialect != dialect:
            return False
        crossing = Crossing(reading=reading, step=STEP, domain=DOMAIN)
        crossed = crossed_twice(BRIDGES[dialect], crossing)
    except CallerError:
        return False
    assert list(faults_of_order(crossed.top["messages"])) == []
    return True


@pytest.mark.parametrize("dialect", FULL)
def test_one_strange_value_is_bridged_or_refused_but_never_a_crash(dialect):
    body = FULL[dialect]
    assert crossed_in_order(dialect, body)
    bridged = [
        crossed_in_order(dialect, changed(body, p, junk)) for p in places(body) for junk in JUNK
    ]
    assert sum(bridged) > len(bridged) / 3
