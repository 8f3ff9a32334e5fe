"""What a Messages body needs."""

import json

import pytest

from runtime.vocabulary import Settings
from tests.runtime.dialects.bodies import body_of, needs, read

TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object"}}
USER = {"role": "user", "content": "hi"}
SYSTEM_TURN = {"role": "system", "content": "Agents: none"}
ASSISTANT = {"role": "assistant", "content": [{"type": "text", "text": "Sure, "}]}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "ok", "is_error": False}

NEEDS = [
    ({}, ""),
    ({"stream": True}, "stream"),
    ({"tools": []}, ""),
    ({"tools": [TOOL]}, "tools"),
    ({"tools": [{**TOOL, "type": "custom"}]}, "tools"),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "hosted:web_search"),
    ({"tools": [TOOL, {"type": "bash_20250124", "name": "bash"}]}, "tools hosted:bash"),
    ({"mcp_servers": [{"type": "url", "url": "https://x.example"}]}, "hosted:mcp"),
    ({"mcp_servers": []}, ""),
    ({"tools": [TOOL], "tool_choice": {"type": "auto"}}, "tools"),
    ({"tools": [TOOL], "tool_choice": {"type": "none"}}, "tools"),
    ({"tools": [TOOL], "tool_choice": {"type": "any"}}, "tools tools.forced"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}}, "tools tools.forced"),
    ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "json.schema"),
    ({"output_format": {"type": "json_schema", "schema": {}}}, "json.schema"),
    ({"output_config": {"effort": "max"}}, "reasoning.max"),
    ({"thinking": {"type": "adaptive"}}, ""),
    ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}, "reasoning.high"),
    ({"thinking": {"type": "disabled"}}, ""),
    ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "reasoning.low"),
    ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, "reasoning.low"),
    ({"thinking": {"type": "enabled", "budget_tokens": 2049}}, "reasoning.medium"),
    ({"thinking": {"type": "enabled", "budget_tokens": 31999}}, "reasoning.xhigh"),
    ({"thinking": {"type": "enabled", "budget_tokens": 100_000}}, "reasoning.xhigh"),
    ({"messages": [USER, ASSISTANT]}, "prefill"),
    ({"messages": [USER, ASSISTANT, SYSTEM_TURN]}, "prefill"),
    ({"messages": [USER, SYSTEM_TURN]}, ""),
    ({"system": "be brief"}, ""),
    ({"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]}, ""),
    ({"context_management": {"edits": []}, "metadata": {"user_id": "x"}, "speed": "fast"}, ""),
    ({"max_tokens": None}, ""),
]


@pytest.mark.parametrize(("fields", "expected"), NEEDS, ids=lambda value: str(value)[:60])
def test_a_messages_body_needs_what_it_says(fields, expected):
    assert " ".join(needs("messages", **fields)) == expected


BLOCKS = [
    THOUGHT,
    {"type": "redacted_thinking", "data": "eA=="},
    CALL,
    RESULT,
    {"type": "tool_result", "tool_use_id": "t"},
    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a"}]},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
    {"type": "web_search_tool_result", "content": [{"type": "web_search_result", "url": "u"}]},
    {"type": "web_search_tool_result", "content": {"type": "error", "error_code": "x"}},
    {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text"}]},
    {"type": "mcp_tool_use", "id": "m", "name": "n", "server_name": "s", "input": {}},
    {"type": "compaction", "content": "summary"},
    {"type": "something_new", "payload": [1]},
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block["type"])
def test_every_block_that_clients_send_back_is_read(block):
    assert needs("messages", messages=[{"role": "user", "content": [block]}, USER]) == []


def test_thinking_makes_a_history_opaque():
    history = [USER, {"role": "assistant", "content": [THOUGHT, CALL]}]
    result = {"role": "user", "content": [RESULT]}

    reading = read("messages", body_of("messages", messages=[*history, result]))

    assert reading.opaque
    assert reading.tool_loop
    assert not read("messages", body_of("messages", messages=[*history, USER])).tool_loop


def test_thinking_that_is_switched_off_asks_for_no_level():
    off = {"thinking": {"type": "disabled"}, "output_config": {"effort": "high"}}
    reading = read("messages", body_of("messages", **off))

    assert reading.thinking_off
    assert reading.level is None


def test_betas_and_system_turns_are_noticed():
    body = body_of("messages", messages=[USER, SYSTEM_TURN])
    reading = read("messages", body, anthropic_beta="a-2025-01-01, b-2025-02-02,")

    assert reading.betas == ("a-2025-01-01", "b-2025-02-02")
    assert reading.system_turns


def test_a_body_that_only_wants_counting_is_read_alike():
    body = json.dumps({"model": "group", "messages": [USER], "system": "s", "tools": [TOOL]})
    reading = read("messages", body.encode())

    assert reading.shape.cap is None
    assert reading.shape.tools == 1


def test_a_missing_budget_table_has_a_default():
    body = body_of("messages", thinking={"type": "enabled", "budget_tokens": 10_000})

    assert read("messages", body, Settings(name="test")).level == "high"
