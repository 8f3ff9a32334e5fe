"""Whatever a caller sends, reading ends in a reading or in the caller's own error."""

import json
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.dialects import DIALECTS
from runtime.dialects.reading import Reading
from runtime.errors import CallerError
from tests.runtime.dialects.bodies import body_of, open_skin, read, step_of

HOLDER = {"chat": "messages", "responses": "input", "messages": "messages"}

NOT_JSON = {
    "nothing": b"",
    "a word": b"hello",
    "an open object": b'{"model":"a"',
    "an array": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "a byte order mark": b'\xef\xbb\xbf{"model":"a"}',
    "trailing data": b"{} {}",
    "two values": b'{"a":1}{"a":2}',
    "a comment": b'{"a":1} // x',
    "a trailing comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "NaN": b'{"temperature":NaN}',
    "Infinity": b'{"x":Infinity}',
    "minus Infinity": b'{"x":-Infinity}',
    "a leading zero": b'{"x":01}',
    "a bare point": b'{"x":1.}',
    "a raw control character": b'{"x":"a\nb"}',
    "a NUL": b'{"x":\x00}',
    "bad UTF-8 in a key": b'{"\xff":1}',
    "bad UTF-8 in an unknown value": b'{"x":"\xff\xfe"}',
    "an encoded surrogate": b'{"x":"\xed\xa0\x80"}',
    "an overlong slash": b'{"x":"\xc0\xaf"}',
    "a lone high surrogate": rb'{"x":"\ud800"}',
    "a lone surrogate before text": rb'{"x":"\ud800abc"}',
    "a lone surrogate in a key": rb'{"\ud83d":1}',
    "a bad escape": rb'{"x":"\q"}',
    "a short escape": rb'{"x":"\u12"}',
    "UTF-16": '{"model":"a"}'.encode("utf-16"),
    "deep arrays": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "an open depth": b"[" * 1_000_000,
}


@pytest.mark.parametrize("dialect", list(DIALECTS))
@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_a_json_object_is_the_callers_error(dialect, body):
    with pytest.raises(CallerError) as caught:
        read(dialect, body)

    assert (caught.value.code, caught.value.status) == ("invalid-request", 400)


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_deep_content_is_the_callers_error(dialect):
    part = '{"type":"tool_result","content":[' * 20_000 + "]}" * 20_000
    body = f'{{"{HOLDER[dialect]}":[{{"role":"user","content":[{part}]}}]}}'

    with pytest.raises(CallerError, match="too deeply"):
        read(dialect, body.encode())


@pytest.mark.parametrize(("depth", "refused"), [(16, False), (17, True)])
def test_parts_inside_parts_end_somewhere(depth, refused):
    part = '{"type":"tool_result","content":[' * depth + '{"type":"text","text":"x"}' + "]}" * depth
    body = f'{{"messages":[{{"role":"user","content":[{part}]}}]}}'.encode()
    with pytest.raises(CallerError, match="too deeply") if refused else nullcontext():
        read("messages", body)


@pytest.mark.parametrize("depth", [150, 300, 600])
def test_depth_that_is_still_readable_does_no_harm(depth):
    part = '{"type":"tool_result","content":[' * depth + "]}" * depth
    body = f'{{"messages":[{{"role":"user","content":[{part}]}}]}}'.encode()
    try:
        reading = read("messages", body)
    except CallerError:
        return
    assert reading.dialect == "messages"


def test_numbers_of_thousands_of_digits_are_the_callers_error():
    for value in (b"9" * 5000, b"1e999", b"-1", b"9007199254740993"):
        with pytest.raises(CallerError):
            read("chat", b'{"messages":[{"role":"user"}],"max_tokens":%b}' % value)


PLACES = {
    "chat": {
        "model": [5, [], {}, True],
        "messages": [5, "hi", {}, True],
        "messages[0]": [[5], ["hi"], [None], [[]]],
        "messages[0].role": [[{"role": 5}]],
        "messages[0].content": [[{"role": "user", "content": 5}], [{"content": True}]],
        "messages[0].content[0]": [[{"content": [5]}], [{"content": ["a"]}]],
        "messages[0].content[0].type": [[{"content": [{"type": 5}]}]],
        "messages[0].content[0].text": [[{"content": [{"type": "text", "text": 5}]}]],
        "messages[0].content[0].image_url": [
            [{"content": [{"type": "image_url", "image_url": 5}]}]
        ],
        "messages[0].content[0].image_url.url": [
            [{"content": [{"type": "image_url", "image_url": {}}]}],
            [{"content": [{"type": "image_url", "image_url": {"url": 5}}]}],
        ],
        "stream": ["true", 1, [], {}],
        "max_tokens": ["5", -1, 1.5, True, 2**63, 2**53 + 1, [], {}],
        "max_completion_tokens": ["5", -1, 1.5],
        "n": ["2", -1, 1.5],
        "temperature": ["0", [], {}, True],
        "tools": [5, "f", {}, True],
        "tools[0]": [[5], ["f"], [None], [[]]],
        "tools[0].type": [[{"type": 5}], [{"type": []}]],
        "tools[0].name": [[{"name": 5}]],
        "tools[0].function": [[{"type": "function", "function": "f"}]],
        "tools[0].function.name": [[{"type": "function", "function": {"name": 5}}]],
        "tool_choice": [5, [], True],
        "tool_choice.type": [{"type": 5}],
        "response_format": ["json", 5, []],
        "response_format.type": [{"type": 5}],
        "reasoning_effort": [5, [], {}, "", "ultra"],
        "reasoning": ["high", 5, []],
        "reasoning.effort": [{"effort": "much"}, {"effort": 5}],
        "thinking": ["on", 5, []],
        "thinking.budget_tokens": [{"budget_tokens": -1}, {"budget_tokens": "5"}],
        "stream_options": [True, 5, []],
        "stream_options.include_usage": [{"include_usage": 1}],
        "store": ["yes", 1],
        "logprobs": [1, "yes"],
        "prompt_cache_key": [5, {}],
    },
    "responses": {
        "input": [5, True, {}],
        "input[0]": [[5], ["hi"], [None]],
        "input[0].type": [[{"type": 5}]],
        "input[0].content": [[{"role": "user", "content": 5}]],
        "input[0].output": [[{"type": "function_call_output", "output": 5}]],
        "input[0].tools": [[{"type": "additional_tools", "tools": 5}]],
        "input[0].tools[0].type": [[{"type": "additional_tools", "tools": [{"type": 5}]}]],
        "instructions": [5, {}, True],
        "max_output_tokens": ["5", -1, 1.5, 2**63],
        "tools[0].tools": [[{"type": "namespace", "tools": 5}]],
        "text": ["json", 5],
        "text.format": [{"format": "json"}],
        "reasoning": ["high"],
        "reasoning.summary": [{"summary": 5}],
        "previous_response_id": [5, {}],
        "background": [1, "yes"],
        "include": ["reasoning.encrypted_content", 5],
        "include[0]": [[5]],
    },
    "messages": {
        "system": [5, True],
        "system[0]": [[5]],
        "max_tokens": ["5", -1, 1.5, 2**63],
        "thinking": ["on", 5],
        "thinking.type": [{"type": 5}],
        "output_config": ["high", 5],
        "output_config.effort": [{"effort": 5}, {"effort": "much"}],
        "metadata": ["me", 5],
        "metadata.user_id": [{"user_id": 5}],
        "mcp_servers": [5, {}, "x"],
        "stop_sequences": ["x", 5],
        "top_k": [-1, 1.5, "5"],
        "messages[0].content[0].source": [
            [{"content": [{"type": "image"}]}],
            [{"content": [{"type": "image", "source": "x"}]}],
        ],
        "messages[0].content[0].source.data": [
            [
                {
                    "content": [
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": 5},
                        }
                    ]
                }
            ],
        ],
    },
}
WRONG = [
    (dialect, param, value)
    for dialect, fields in PLACES.items()
    for param, values in fields.items()
    for value in values
]


@pytest.mark.parametrize(("dialect", "param", "value"), WRONG, ids=lambda value: str(value)[:50])
def test_a_wrong_type_is_named_with_its_place(dialect, param, value):
    field = param.partition(".")[0].partition("[")[0]

    with pytest.raises(CallerError) as caught:
        read(dialect, body_of(dialect, **{field: value}))

    assert (caught.value.code, caught.value.param) == ("invalid-request", param)
    assert param in caught.value.message


NAMES = {
    "chat": (
        *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"),
        *("tools", "tool_choice", "functions", "function_call", "web_search_options", "store"),
        *("response_format", "reasoning_effort", "reasoning", "thinking", "temperature", "n"),
        *("logprobs", "top_logprobs", "prompt_cache_key", "input", "system"),
    ),
    "responses": (
        *("model", "input", "instructions", "stream", "max_output_tokens", "tools", "text"),
        *("tool_choice", "reasoning", "include", "temperature", "top_logprobs", "store"),
        *("background", "previous_response_id", "conversation", "messages", "prompt_cache_key"),
        "parallel_tool_calls",
    ),
    "messages": (
        *("model", "messages", "system", "stream", "max_tokens", "tools", "tool_choice", "input"),
        *("mcp_servers", "thinking", "output_config", "output_format", "metadata", "temperature"),
        *("top_k", "stop_sequences", "context_management"),
    ),
}
KEYS = st.sampled_from(
    (
        *("type", "role", "content", "text", "name", "function", "tools", "input_schema", "url"),
        *("image_url", "source", "data", "file_data", "file_url", "media_type", "input_audio"),
        *("output", "id", "effort", "format", "budget_tokens", "mode", "allowed_tools", "user_id"),
        *("thinking", "signature", "encrypted_content", "reasoning_details", "tool_calls"),
    )
)
WORDS = st.sampled_from(
    (
        *("user", "assistant", "system", "tool", "developer", "text", "image_url", "input_image"),
        *("image", "document", "file", "input_file", "input_audio", "tool_use", "tool_result"),
        *("thinking", "reasoning", "item_reference", "additional_tools", "function", "custom"),
        *("namespace", "web_search", "mcp", "auto", "required", "any", "enabled", "disabled"),
        *("adaptive", "high", "none", "base64", "url", "json_schema", "https://10.0.0.1/"),
        *("data:image/png;base64,AAAA", "image/png"),
    )
)
DEEP: object = 1
for _ in range(120):
    DEEP = [DEEP]
EDGES = st.sampled_from([None, True, False, 0, -1, 2**63, 2**53 + 1, 1.5, "", [], {}, DEEP])
VALUES = st.recursive(
    EDGES | WORDS | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=12,
)


@pytest.mark.parametrize("dialect", list(DIALECTS))
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_ends_in_a_reading_or_an_error_of_the_caller(dialect, data):
    fields = data.draw(st.dictionaries(st.sampled_from(NAMES[dialect]), VALUES, max_size=5))
    body = body_of(dialect, **fields)

    reading = _read_or_refuse(dialect, body)

    if reading is not None:
        _edit(body, reading)


@pytest.mark.parametrize("dialect", list(DIALECTS))
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_any_list_of_turns_ends_in_a_reading_or_an_error_of_the_caller(dialect, data):
    turn = st.dictionaries(KEYS, VALUES, max_size=6)
    body = body_of(dialect, **{HOLDER[dialect]: data.draw(st.lists(turn, max_size=4))})

    reading = _read_or_refuse(dialect, body)

    if reading is not None:
        _edit(body, reading)


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(list(DIALECTS)))
def test_any_bytes_end_in_an_error_of_the_caller(data, dialect):
    assert _read_or_refuse(dialect, data) is None


@settings(max_examples=80, deadline=None)
@given(st.data(), st.sampled_from(list(DIALECTS)))
def test_a_body_with_one_byte_changed_ends_well(data, dialect):
    body = bytearray(body_of(dialect, tools=[{"type": "function", "name": "f"}], stream=True))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    _read_or_refuse(dialect, bytes(body))


def _read_or_refuse(dialect: str, body: bytes) -> Reading | None:
    try:
        return read(dialect, body)
    except CallerError:
        return None


def _edit(body: bytes, reading: Reading) -> None:
    """An edit with everything to do neither fails nor makes what is no JSON."""
    strict = open_skin(betas=(), system_turns="fold", parallel=False, store="force_false")
    for skin in (open_skin(), strict):
        step = step_of(skin, features=0, keep_level=False, same_continuity=False, cap=100)
        json.loads(DIALECTS[reading.dialect].edit(body, reading, step).body)


@pytest.mark.parametrize("dialect", list(DIALECTS))
def test_namespaces_that_are_too_deep_for_schemas_to_be_rewritten_are_the_callers_error(dialect):
    tools = '{"type":"namespace","tools":[' * 450 + '{"name":"look"}' + "]}" * 450
    body = body_of(dialect, tools=[json.loads(tools)])
    reading = read(dialect, body)
    with pytest.raises(CallerError, match="too deeply"):
        DIALECTS[dialect].edit(body, reading, step_of(open_skin(tool_schemas="basic")))
