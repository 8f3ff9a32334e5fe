"""A small body is decoded at once, a large one member by member, and one that probably crosses a
bridge without the bytes of its history: to the same reading or error.
"""

import json

import msgspec
import pytest

from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from tests.runtime.dialects.bodies import PNG, SETTINGS, body_of, open_skin, read, step_of

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
    "chat, two fields": b'{"n":"x","model":7,"messages":[{"role":"user"}]}',
    "chat, a string of bytes": b'{"messages":[{"role":"user","content":"\xff"}]}',
    "chat, two members": b'{"max_tokens":"x","messages":5}',
    "chat, no messages": b'{"model":"a","messages":[]}',
    "chat, no JSON": b'{"messages":[{"role":"user","content":"\\q"}]}',
    "chat, an open end": b'{"messages":[{"role":"user"}',
    "chat, a tool": b'{"messages":[{"role":"user"}],"tools":[{"type":1}]}',
    "messages, a part": b'{"messages":[{"role":"user","content":[{"type":7}]}]}',
    "messages, a system": b'{"messages":[{"role":"user","content":"a"}],"system":7}',
    "responses, an item": b'{"input":[{"role":"user"},7]}',
}


HISTORIES = {"chat": "messages", "messages": "messages", "responses": "input"}


def crossing(name, body):
    """The reading of a body that probably crosses a bridge."""
    return DIALECTS[name.partition(",")[0]].read(body, {}, SETTINGS, crosses=True)


def plainly(name, body):
    """The reading of a body of which nothing is guessed."""
    return read(name.partition(",")[0], body)


def readings(name, body):
    """The reading of a body, and that of the same body made large."""
    return [plainly(name, sent) for sent in (body, body + SPACE)]


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


@pytest.mark.parametrize("name", BODIES)
def test_one_that_crosses_a_bridge_is_read_alike_without_the_bytes_of_its_history(name):
    body = BODIES[name] + SPACE
    if name == "chat, twice":
        body = body.replace(b'"model":1,"messages":5', b'"model":1,"messages":[]')
    guessed, whole = crossing(name, body), readings(name, body)[0]
    top = dict(whole.top)
    del top[HISTORIES[whole.dialect]]
    assert guessed == msgspec.structs.replace(whole, top=top)


@pytest.mark.parametrize("name", BODIES)
def test_a_small_one_keeps_its_history_wherever_it_goes(name):
    assert crossing(name, BODIES[name]) == readings(name, BODIES[name])[0]


@pytest.mark.parametrize("name", BODIES)
def test_one_that_crosses_no_bridge_after_all_is_sent_as_it_came(name):
    body = BODIES[name] + SPACE
    step = step_of(open_skin(), same_continuity=False)
    sent = [
        DIALECTS[reading.dialect].edit(body, reading, step)
        for reading in (crossing(name, body), readings(name, body)[0])
    ]
    assert sent[0] == sent[1]
    assert HISTORIES[name.partition(",")[0]] in json.loads(sent[0].body)


@pytest.mark.parametrize("name", BODIES)
def test_a_member_nobody_knows_is_kept_for_a_bridge_to_name(name):
    body = BODIES[name][:-1] + b',"brand_new":{"a":1}}' + SPACE
    guessed = crossing(name, body)
    assert bytes(guessed.top["brand_new"]) == b'{"a":1}'
    assert guessed == readings(name, body)[0]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_body_is_told_alike_whatever_its_size(name):
    told = []
    ways = [(plainly, b""), (plainly, SPACE), (crossing, SPACE)]
    for way, space in ways:
        with pytest.raises(CallerError) as error:
            way(name, WRONG[name] + space)
        told.append((error.value.message, error.value.param))
    assert told[0] == told[1] == told[2]
