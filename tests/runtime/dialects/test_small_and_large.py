"""A small body is decoded at once, a large one member by member: to the same reading or error."""

import msgspec
import pytest

from runtime.errors import CallerError
from tests.runtime.dialects.bodies import PNG, body_of, read

# White space behind a body says nothing, and makes it a large one.
SPACE = b" " * 65_536

PART = {"type": "text", "text": "see"}
PICTURE = {"type": "image_url", "image_url": {"url": PNG}}
FUNCTION = {"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
SIGNED = {"type": "thinking", "thinking": "so", "signature": "abc"}
SEALED = {"type": "reasoning", "id": "rs_1", "encrypted_content": "abc"}
FLAT = {"type": "function", "name": "run", "parameters": {}}

BODIES = {
    "chat": body_of("chat"),
    "chat, much of it": body_of(
        "chat",
        messages=[{"role": "user", "content": [PART, PICTURE]}, {"role": "tool", "content": "1"}],
        tools=[FUNCTION],
        tool_choice="required",
        reasoning_effort="high",
        stream=True,
        stream_options={"include_usage": True},
    ),
    "chat, nulls": b'{"model":"a","messages":[{"content":null}],"tools":null,"functions":null}',
    "chat, twice": b'{"model":1,"messages":5,"model":"a","messages":[{"role":"user"}]}',
    "messages": body_of("messages", system=[PART], tools=[SEARCH], container="c1"),
    "messages, signed": body_of(
        "messages",
        messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": [SIGNED]}],
        thinking={"type": "enabled", "budget_tokens": 2048},
    ),
    "responses": body_of("responses", input="hi", instructions="be brief", store=False),
    "responses, sealed": body_of(
        "responses",
        input=[SEALED, {"type": "additional_tools", "tools": [FLAT]}, {"role": "user"}],
        tools=[FLAT],
        previous_response_id="resp_1",
    ),
}

WRONG = {
    "chat, a role": b'{"messages":[{"role":"user"},{"role":5}]}',
    "chat, two members": b'{"max_tokens":"x","messages":5}',
    "chat, no messages": b'{"model":"a","messages":[]}',
    "chat, no JSON": b'{"messages":[{"role":"user","content":"\\q"}]}',
    "chat, an open end": b'{"messages":[{"role":"user"}',
    "chat, a tool": b'{"messages":[{"role":"user"}],"tools":[{"type":1}]}',
    "messages, a part": b'{"messages":[{"role":"user","content":[{"type":7}]}]}',
    "messages, a system": b'{"messages":[{"role":"user","content":"a"}],"system":7}',
    "responses, an item": b'{"input":[{"role":"user"},7]}',
}


def readings(name, body):
    """The reading of a body, and that of the same body made large."""
    dialect = name.partition(",")[0]
    return [read(dialect, sent) for sent in (body, body + SPACE)]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_read_alike_whatever_its_size(name):
    small, large = readings(name, BODIES[name])
    assert small.shape.body_bytes + len(SPACE) == large.shape.body_bytes
    sizes = {
        "body_bytes": large.shape.body_bytes,
        "input_tokens": large.shape.input_tokens,
    }
    shape = msgspec.structs.replace(small.shape, **sizes)
    assert msgspec.structs.replace(small, shape=shape) == large


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_body_is_told_alike_whatever_its_size(name):
    told = []
    for space in (b"", SPACE):
        with pytest.raises(CallerError) as error:
            read(name.partition(",")[0], WRONG[name] + space)
        told.append((error.value.message, error.value.param))
    assert told[0] == told[1]
