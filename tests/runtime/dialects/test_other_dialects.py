"""A body in another dialect than its path is known by its fields."""

import json

import pytest

from runtime.errors import CallerError
from tests.runtime.dialects.bodies import read

USER = [{"role": "user", "content": "hi"}]
CHAT_TOOL = {"type": "function", "function": {"name": "f"}}
MESSAGES_TOOL = {"name": "f", "input_schema": {"type": "object"}}
RESULTS = [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]
CALLS = [{"role": "assistant", "tool_calls": []}, *USER]

KNOWN = [
    ("chat", {"messages": USER}, "chat"),
    ("chat", {"input": "hi"}, "responses"),
    ("chat", {"input": "hi", "messages": []}, "responses"),
    ("chat", {"input": "hi", "messages": None}, "responses"),
    ("chat", {"messages": USER, "input": "hi"}, "chat"),
    ("chat", {"messages": USER, "tools": [CHAT_TOOL, {"type": "custom", "name": "c"}]}, "chat"),
    ("chat", {"messages": USER, "system": "s"}, "messages"),
    ("chat", {"messages": USER, "tools": [MESSAGES_TOOL]}, "messages"),
    ("chat", {"messages": RESULTS}, "messages"),
    ("chat", {"messages": [{"role": "system", "content": "s"}, *USER]}, "chat"),
    ("messages", {"messages": USER}, "messages"),
    ("messages", {"messages": RESULTS}, "messages"),
    ("messages", {"messages": [*USER, {"role": "system", "content": "s"}]}, "messages"),
    ("messages", {"input": "hi"}, "responses"),
    ("messages", {"messages": USER, "tools": [CHAT_TOOL]}, "chat"),
    ("messages", {"messages": [{"role": "tool", "content": "x"}, *USER]}, "chat"),
    ("messages", {"messages": CALLS}, "chat"),
    ("responses", {"input": "hi"}, "responses"),
    ("responses", {"input": []}, "responses"),
    ("responses", {"input": [], "messages": USER}, "responses"),
    ("responses", {"messages": USER}, "chat"),
    ("responses", {"messages": USER, "system": "s"}, "messages"),
    # signs of both: one of them, and no endless turning
    ("chat", {"messages": CALLS, "system": "s"}, "messages"),
    ("messages", {"messages": CALLS, "system": "s"}, "chat"),
]


@pytest.mark.parametrize(("path", "fields", "dialect"), KNOWN, ids=str)
def test_the_fields_of_a_body_tell_its_dialect(path, fields, dialect):
    body = json.dumps({"model": "group", **fields}).encode()

    assert read(path, body).dialect == dialect


@pytest.mark.parametrize("path", ["chat", "responses", "messages"])
@pytest.mark.parametrize("fields", [{}, {"messages": None}, {"input": None, "messages": None}])
def test_a_body_with_neither_names_both(path, fields):
    with pytest.raises(CallerError, match="neither `messages` nor `input`") as caught:
        read(path, json.dumps({"model": "group", **fields}).encode())

    assert caught.value.code == "invalid-request"


def test_a_responses_body_on_the_chat_path_is_read_in_full():
    body = {
        "model": "group",
        "input": [{"role": "user", "content": "hi"}],
        "tools": [{"type": "custom", "name": "ApplyPatch"}],
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"verbosity": "low"},
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    reading = read("chat", json.dumps(body).encode())

    assert reading.level == "high"
    assert reading.stream
