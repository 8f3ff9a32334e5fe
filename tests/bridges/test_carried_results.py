"""The text of a long tool result crosses as it was spelt, and says the same on the other side."""

import json

import msgspec
import pytest

from runtime.bridges.body import plain
from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from runtime.passage import passage
from tests.bridges.crossings import DOMAIN, PAIRS, SETTINGS, cases, read, step_to

SHORT = "a result"
# Each spelling is a text of its own to a bridge that copies bytes.
LONG = {
    "plain": '"' + "All tests passed. " * 100 + '"',
    "escaped": '"' + 'x\\n\\t\\"q\\"\\\\ \\u00e9\\/ ' * 100 + '"',
    "another alphabet": '"A' + "нет\u2028" * 400 + '"',
    "blank in front": '" ' + "word " * 400 + '"',
    "white space alone": '"' + " \\n" * 800 + '"',
}


def history(dialect, result, *, asked=True, beside=None):
    """A call and its result, or the result alone; `beside` are more members of the result."""
    more = beside or {}
    if dialect == "chat":
        function = {"name": "f", "arguments": "{}"}
        call = {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function"}]}
        call["tool_calls"][0]["function"] = function
        told = {"role": "tool", "tool_call_id": "c1", "content": result, **more}
        field, first = "messages", {"role": "user", "content": "go"}
    elif dialect == "messages":
        call = {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f"}]}
        call["content"][0]["input"] = {}
        block = {"type": "tool_result", "tool_use_id": "c1", "content": result, **more}
        told = {"role": "user", "content": [block, {"type": "text", "text": "and?"}]}
        field, first = "messages", {"role": "user", "content": "go"}
    else:
        call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
        told = {"type": "function_call_output", "call_id": "c1", "output": result, **more}
        field, first = "input", {"type": "message", "role": "user", "content": "go"}
    entries = [first, *([call] if asked else []), told]
    return {"model": "group", "max_tokens": 4096, field: entries}


# How a result stands in a history -> what is given to `history`, and the dialects that have it.
PLACES = {
    "behind its call": ({}, ("chat", "messages", "responses")),
    "without a call": ({"asked": False}, ("chat", "messages", "responses")),
    "failed": ({"beside": {"is_error": True}}, ("messages",)),
    "with a breakpoint": ({"beside": {"cache_control": {"type": "ephemeral"}}}, ("messages",)),
    "with an id": ({"beside": {"id": "fc_1"}}, ("responses",)),
    "with a member nobody knows": ({"beside": {"x": 1}}, ("chat", "messages", "responses")),
}
CELLS = [
    pytest.param(caller, upstream, given, text, id=f"{place}-{kind}-{caller}-{upstream}")
    for place, (given, dialects) in PLACES.items()
    for caller, upstream in PAIRS
    if caller in dialects
    for kind, text in LONG.items()
    if kind != "white space alone"  # left out, which no short text is
]


@pytest.mark.parametrize(("caller", "upstream", "given", "text"), CELLS)
def test_a_long_result_says_what_a_short_one_says_in_its_place(caller, upstream, given, text):
    body = json.dumps(history(caller, SHORT, **given))
    long = body.replace(json.dumps(SHORT), text)
    told, dropped = _crossed(caller, upstream, long)
    short, short_dropped = _crossed(caller, upstream, body)
    assert SHORT in json.dumps(short)
    assert told == _with(short, json.loads(text))
    assert dropped == short_dropped


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses"])
@pytest.mark.parametrize(("kind", "text"), LONG.items(), ids=list(LONG))
def test_only_a_text_that_is_surely_not_blank_is_carried(dialect, kind, text):
    body = json.dumps(history(dialect, SHORT)).replace(json.dumps(SHORT), text)
    found = plain(DIALECTS[dialect].read(body.encode(), {}, SETTINGS))
    entry = found["input" if dialect == "responses" else "messages"][-1]
    entry = entry["content"][0] if dialect == "messages" else entry
    result = entry["output" if dialect == "responses" else "content"]
    carried = not isinstance(result, str)
    assert carried is (kind in ("plain", "escaped", "another alphabet"))
    assert json.loads(bytes(result)) if carried else result == json.loads(text)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_all_else_is_read_as_it_is(case):
    try:
        found = plain(read(case))
    except CallerError:
        pytest.skip("nobody can read this one")
    assert json.loads(msgspec.json.encode(found)) == json.loads(case.body)


def _crossed(caller, upstream, body):
    reading = DIALECTS[caller].read(body.encode(), {}, SETTINGS)
    step = step_to(upstream, reading).step
    edited = passage(body.encode(), reading, caller, upstream, step, DOMAIN).edited
    return json.loads(edited.body), edited.dropped


def _with(document, text):
    """The document with another text in the place of the short one."""
    if isinstance(document, dict):
        return {key: _with(value, text) for key, value in document.items()}
    if isinstance(document, list):
        return [_with(value, text) for value in document]
    return document.replace(SHORT, text) if isinstance(document, str) else document
