"""What a Chat Completions body needs."""

import pytest

from runtime.errors import CallerError
from runtime.vocabulary import Settings
from tests.runtime.dialects.bodies import body_of, needs, read

FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FLAT = {"type": "function", "name": "f", "parameters": {}}
CUSTOM = {"type": "custom", "custom": {"name": "apply_patch", "format": {"type": "grammar"}}}
FLAT_CUSTOM = {"type": "custom", "name": "ApplyPatch", "format": {"type": "grammar"}}
NO_NAME = {"type": "function", "function": {"parameters": {}}}
ASSISTANT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Sure, "}]

NEEDS = [
    ({}, ""),
    ({"stream": True}, "stream"),
    ({"stream": False}, ""),
    ({"tools": []}, ""),
    ({"tools": [FUNCTION]}, "tools"),
    ({"tools": [FLAT]}, "tools"),
    ({"tools": [NO_NAME]}, "tools"),
    ({"tools": [CUSTOM]}, "tools.custom"),
    ({"tools": [FUNCTION, FLAT_CUSTOM]}, "tools tools.custom"),
    ({"functions": [{"name": "f", "parameters": {}}]}, "tools"),
    ({"tools": [FUNCTION], "tool_choice": "auto"}, "tools"),
    ({"tools": [FUNCTION], "tool_choice": "none"}, "tools"),
    ({"tools": [FUNCTION], "tool_choice": "required"}, "tools tools.forced"),
    ({"tools": [FUNCTION], "tool_choice": "any"}, "tools tools.forced"),
    (
        {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        "tools tools.forced",
    ),
    ({"tools": [FLAT], "tool_choice": {"type": "function", "name": "f"}}, "tools tools.forced"),
    (
        {
            "tools": [FLAT],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto"}},
        },
        "tools",
    ),
    (
        {
            "tools": [FLAT],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required"}},
        },
        "tools tools.forced",
    ),
    ({"functions": [{"name": "f"}], "function_call": "auto"}, "tools"),
    ({"functions": [{"name": "f"}], "function_call": {"name": "f"}}, "tools tools.forced"),
    ({"tools": [FUNCTION], "parallel_tool_calls": True}, "tools"),
    ({"response_format": {"type": "text"}}, ""),
    ({"response_format": {"type": "json_object"}}, "json.object"),
    ({"response_format": {"type": "json_schema", "json_schema": {}}}, "json.schema"),
    ({"reasoning_effort": "high"}, "reasoning.high"),
    ({"reasoning_effort": "none"}, "reasoning.none"),
    ({"reasoning": {"effort": "low"}}, "reasoning.low"),
    ({"reasoning": {"summary": "auto"}}, ""),
    ({"reasoning": {"max_tokens": 3000}}, "reasoning.medium"),
    ({"thinking": {"type": "enabled"}}, ""),
    ({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}, ""),
    ({"store": True}, "stateful"),
    ({"store": False}, ""),
    ({"messages": ASSISTANT}, "prefill"),
    ({"messages": [{"role": "user", "content": "a", "prefix": True}]}, "prefill"),
    ({"logprobs": True}, "logprobs"),
    ({"logprobs": False}, ""),
    ({"top_logprobs": 3}, "logprobs"),
    ({"n": 1}, ""),
    ({"n": 2}, "multiple"),
    ({"web_search_options": {}}, "hosted:web_search"),
    ({"temperature": 0, "top_p": 0.9, "metadata": {"a": "b"}, "custom_field": [1]}, ""),
]


@pytest.mark.parametrize(("fields", "expected"), NEEDS, ids=lambda value: str(value)[:60])
def test_a_chat_body_needs_what_it_says(fields, expected):
    assert " ".join(needs("chat", **fields)) == expected


CONTENTS = [
    None,
    "",
    "text",
    [],
    [{"type": "text", "text": "a"}],
    [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
    [{"type": "text", "text": None}],
    [{"text": "no type"}],
    [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}],
    [{"type": "unknown_kind", "payload": {"deep": [1]}}],
]


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", None])
@pytest.mark.parametrize("content", CONTENTS, ids=str)
def test_every_content_that_clients_send_is_read_for_every_role(role, content):
    turn = {"role": role, "content": content, "tool_calls": None, "refusal": None}

    assert needs("chat", messages=[turn, {"role": "user", "content": "hi"}]) == []


def test_a_turn_may_have_no_content_at_all():
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [{"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": "hi"}]

    assert needs("chat", messages=turns) == []


def test_max_tokens_wins_over_its_newer_name():
    body = body_of("chat", max_tokens=100, max_completion_tokens=200)
    assert read("chat", body).shape.cap == 100
    assert read("chat", body_of("chat", max_completion_tokens=200)).shape.cap == 200
    assert read("chat", body_of("chat", max_tokens=0)).shape.cap == 0
    assert read("chat", body_of("chat")).shape.cap is None


def test_tools_are_counted_and_weighed():
    body = body_of("chat", tools=[FUNCTION, CUSTOM])
    shape = read("chat", body).shape

    assert shape.tools == 2
    assert shape.tool_schema_bytes == len(body.partition(b'"tools":')[2]) - 1


def test_the_reading_tells_model_stream_and_usage():
    body = body_of("chat", stream=True, stream_options={"include_usage": True}, temperature=0)
    reading = read("chat", body)

    assert (reading.dialect, reading.model, reading.stream) == ("chat", "group", True)
    assert reading.include_usage
    assert reading.deterministic
    assert not read("chat", body_of("chat", temperature=0.1)).deterministic
    assert not read("chat", body_of("chat")).deterministic
    assert read("chat", body_of("chat", model="")).model is None
    assert read("chat", body_of("chat", model=None)).model is None


def test_an_unknown_reasoning_level_names_the_known_ones():
    with pytest.raises(CallerError, match="none, minimal, low, medium, high, xhigh, max") as caught:
        needs("chat", reasoning_effort="ultra")

    assert caught.value.param == "reasoning_effort"


HOSTED = {"type": "openrouter:web_search"}

POLICIES = [
    (None, "tools hosted:web_search", ()),
    ("need", "tools hosted:web_search", ()),
    ("prefer", "tools", ("web_search",)),
    ("strip", "tools", ("web_search",)),
]


@pytest.mark.parametrize(("policy", "expected", "strip"), POLICIES)
def test_a_hosted_tool_is_needed_unless_the_deployment_can_do_without(policy, expected, strip):
    settings = Settings(name="test", hosted_tools={"web_search": policy} if policy else {})
    reading = read("chat", body_of("chat", tools=[FUNCTION, HOSTED]), settings)

    assert " ".join(needs("chat", settings, tools=[FUNCTION, HOSTED])) == expected
    assert reading.strip == strip
    assert reading.hosted == (("web_search", policy or "need"),)


def test_a_refused_hosted_tool_is_named_with_its_place():
    settings = Settings(name="test", hosted_tools={"web_search": "refuse"})

    with pytest.raises(CallerError) as caught:
        needs("chat", settings, tools=[FUNCTION, HOSTED])

    assert caught.value.code == "provider-hosted-tools-forbidden"
    assert caught.value.param == "tools[1]"


def test_forcing_a_tool_that_may_be_stripped_is_no_need():
    settings = Settings(name="test", hosted_tools={"web_search": "prefer"})

    assert needs("chat", settings, tools=[HOSTED], tool_choice="required") == []
    assert needs("chat", settings, tools=[FUNCTION, HOSTED], tool_choice="required") == [
        "tools",
        "tools.forced",
    ]
    assert needs(
        "chat", settings, tools=[FUNCTION, HOSTED], tool_choice={"type": "web_search"}
    ) == ["tools"]


@pytest.mark.parametrize("kind", ["made_up", ""])
def test_a_choice_of_a_kind_nobody_knows_goes_with_the_tools_of_such_a_kind(kind):
    settings = Settings(name="test", hosted_tools={"other": "strip"})
    tools = [FUNCTION, {"type": "unheard_of"}]

    assert needs("chat", settings, tools=tools, tool_choice={"type": kind}) == ["tools"]
