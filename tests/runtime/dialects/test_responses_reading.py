"""What a Responses body needs."""

import pytest

from runtime.vocabulary import Settings
from tests.runtime.dialects.bodies import body_of, needs, read

FUNCTION = {"type": "function", "name": "f", "parameters": {}, "strict": False}
CUSTOM = {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark"}}
NAMESPACE = {"type": "namespace", "name": "mcp__x", "tools": [FUNCTION, FUNCTION]}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "content": None}
USER = {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}

NEEDS = [
    ({}, ""),
    ({"input": "hi"}, ""),
    ({"input": [USER]}, ""),
    ({"input": []}, ""),
    ({"stream": True}, "stream"),
    ({"tools": [FUNCTION]}, "tools"),
    ({"tools": [FUNCTION, CUSTOM, NAMESPACE]}, "tools tools.custom tools.namespace"),
    ({"tools": [NAMESPACE]}, "tools tools.namespace"),
    ({"tools": [{"type": "web_search", "external_web_access": True}]}, "hosted:web_search"),
    (
        {
            "input": [
                {"type": "additional_tools", "role": "developer", "tools": [NAMESPACE, CUSTOM]},
                USER,
            ]
        },
        "tools tools.custom tools.namespace",
    ),
    ({"tools": [FUNCTION], "tool_choice": "auto"}, "tools"),
    ({"tools": [FUNCTION], "tool_choice": "required"}, "tools tools.forced"),
    ({"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "f"}}, "tools tools.forced"),
    (
        {"tools": [CUSTOM], "tool_choice": {"type": "custom", "name": "apply_patch"}},
        "tools.forced tools.custom",
    ),
    (
        {
            "tools": [FUNCTION],
            "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [FUNCTION]},
        },
        "tools tools.forced",
    ),
    (
        {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto"}},
        "tools",
    ),
    ({"tools": [{"type": "mcp"}], "tool_choice": {"type": "mcp"}}, "tools.forced hosted:mcp"),
    ({"text": {"verbosity": "low"}}, ""),
    ({"text": {"format": {"type": "text"}}}, ""),
    ({"text": {"format": {"type": "json_object"}}}, "json.object"),
    ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "json.schema"),
    ({"reasoning": {"summary": "auto"}}, ""),
    ({"reasoning": {"effort": None, "summary": "auto"}}, ""),
    ({"reasoning": {"effort": "medium", "summary": "auto"}}, "reasoning.medium"),
    ({"reasoning": {"effort": "none"}}, "reasoning.none"),
    ({"include": ["reasoning.encrypted_content"]}, ""),
    ({"include": ["message.output_text.logprobs"]}, "logprobs"),
    ({"top_logprobs": 0}, ""),
    ({"top_logprobs": 2}, "logprobs"),
    ({"store": False}, ""),
    ({"store": True}, "stateful"),
    ({"background": False}, ""),
    ({"background": True}, "stateful"),
    ({"previous_response_id": "resp_1"}, "stateful"),
    ({"previous_response_id": ""}, ""),
    ({"conversation": "conv_1"}, "stateful"),
    ({"conversation": {"id": "conv_1"}}, "stateful"),
    ({"input": [{"type": "item_reference", "id": "msg_1"}, USER]}, "stateful"),
    ({"input": [{"type": "item_reference", "id": "rs_1"}, USER]}, ""),
    ({"input": [{"id": "msg_1"}, USER]}, "stateful"),
    ({"input": [{"id": "rs_1"}, USER]}, ""),
    ({"input": [{"id": "msg_1", "role": "assistant", "content": "and"}, USER]}, ""),
    ({"input": [USER, {"role": "assistant", "content": "and"}]}, ""),
    ({"input": [REASONING, USER]}, ""),
    ({"client_metadata": {"a": "b"}, "service_tier": "flex", "prompt_cache_key": "k"}, ""),
]


@pytest.mark.parametrize(("fields", "expected"), NEEDS, ids=lambda value: str(value)[:60])
def test_a_responses_body_needs_what_it_says(fields, expected):
    assert " ".join(needs("responses", **fields)) == expected


HISTORY = [
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "plain"},
    {
        "type": "function_call_output",
        "call_id": "c",
        "output": [{"type": "input_text", "text": "a"}],
    },
    {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
    {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
    {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}},
    {"type": "shell_call_output", "output": [{"stdout": "a", "outcome": {"type": "exit"}}]},
    {"type": "web_search_call", "action": {"type": "search"}, "status": "completed"},
    {"type": "mcp_list_tools", "tools": [{"name": "x", "input_schema": {}}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
    {"role": "system", "content": "no type"},
    {"type": "something_new", "payload": [1, {"a": None}]},
    REASONING,
]


@pytest.mark.parametrize("item", HISTORY, ids=lambda item: item.get("type", "none"))
def test_every_item_that_clients_send_back_is_read(item):
    assert needs("responses", input=[USER, item]) == []


def test_the_tools_of_an_mcp_list_are_history_and_not_offered():
    item = {"type": "mcp_list_tools", "tools": [{"name": "x"}]}

    assert read("responses", body_of("responses", input=[USER, item])).shape.tools == 0


def test_namespaces_are_counted_flat():
    shape = read("responses", body_of("responses", tools=[FUNCTION, NAMESPACE])).shape

    assert shape.tools == 3


def test_encrypted_reasoning_makes_a_history_opaque():
    encrypted = {**REASONING, "encrypted_content": "gAAAA"}

    assert read("responses", body_of("responses", input=[encrypted, USER])).opaque
    assert not read("responses", body_of("responses", input=[REASONING, USER])).opaque
    null = {**REASONING, "encrypted_content": None}
    assert not read("responses", body_of("responses", input=[null, USER])).opaque


def test_the_cap_and_the_previous_response_are_read():
    body = body_of("responses", max_output_tokens=64, previous_response_id="resp_x.y.z")
    reading = read("responses", body)

    assert reading.shape.cap == 64
    assert reading.previous_response_id == "resp_x.y.z"


def test_an_image_that_was_generated_is_no_text():
    call = {"type": "image_generation_call", "id": "ig", "result": "A" * 8000}

    assert read("responses", body_of("responses", input=[USER, call])).shape.input_tokens < 100


HOSTED = {
    "web_search": "web_search",
    "web_search_preview": "web_search",
    "web_search_preview_2025_03_11": "web_search",
    "web_search_2025_08_26": "web_search",
    "web_search_20250305": "web_search",
    "web_fetch_20250910": "web_fetch",
    "file_search": "file_search",
    "code_interpreter": "code_interpreter",
    "code_execution_20250825": "code_execution",
    "computer_use_preview": "computer",
    "computer-preview": "computer",
    "computer_20251124": "computer",
    "mcp": "mcp",
    "mcp_toolset": "mcp",
    "image_generation": "image_generation",
    "local_shell": "local_shell",
    "shell": "shell",
    "apply_patch": "apply_patch",
    "tool_search": "tool_search",
    "tool_search_tool_bm25_20251119": "tool_search",
    "bash_20250124": "bash",
    "text_editor_20250728": "text_editor",
    "memory_20250818": "memory",
    "x_search": "other",
    "advisor_20260301": "other",
    "": "other",
}


@pytest.mark.parametrize(("kind", "word"), HOSTED.items())
def test_hosted_types_are_known_by_one_word(kind, word):
    assert needs("responses", tools=[{"type": kind}]) == [f"hosted:{word}"]


def test_an_unlisted_type_may_have_a_policy_too():
    settings = Settings(name="test", hosted_tools={"other": "strip"})

    assert needs("responses", settings, tools=[{"type": "x_search"}]) == []
