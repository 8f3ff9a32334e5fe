"""Texts and schemas cross as they were spelt, and say the same on the other side."""

import json

import pytest

from runtime.dialects import DIALECTS
from runtime.passage import passage
from tests.benchmarks.bodies import Talk, Turn, chat, messages, responses
from tests.bridges.crossings import DOMAIN, PAIRS, SETTINGS, step_to

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


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_white_space_alone_is_left_out_where_messages_refuses_it(caller, upstream):
    body = json.dumps(history(caller, SHORT)).replace(json.dumps(SHORT), LONG["white space alone"])
    told, _ = _crossed(caller, upstream, body)
    assert (" \n" * 800 in _texts(told)) is (upstream != "messages")


# No writer of ours spells a letter so: where it is found again, nobody has decoded it.
SPELT = b"A\\u006cl of it\\/"
SAID = "SPELT"


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_every_text_and_schema_keeps_its_spelling(caller, upstream):
    said = (
        Turn("user", SAID),
        Turn("assistant", SAID, "c1", "look", {}),
        Turn("tool", SAID, "c1"),
        Turn("user", SAID),
    )
    schema = {"type": "object", "properties": {"a": {"description": SAID}}}
    talk = Talk(SAID, said, (("look", SAID, schema),))
    written = {"chat": chat, "messages": messages, "responses": responses}[caller](talk)
    body = json.dumps(written, separators=(",", ":")).encode()
    assert body.count(SAID.encode()) == 7
    edited = _edited(caller, upstream, body.replace(SAID.encode(), SPELT))
    assert edited.body.count(SPELT) == 7


def _crossed(caller, upstream, body):
    edited = _edited(caller, upstream, body.encode())
    return json.loads(edited.body), edited.dropped


def _edited(caller, upstream, body):
    reading = DIALECTS[caller].read(body, {}, SETTINGS)
    step = step_to(upstream, reading).step
    return passage(body, reading, caller, upstream, step, DOMAIN).edited


def _texts(document):
    """Every string of a document."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        return [text for value in document for text in _texts(value)]
    return [document]


def _with(document, text):
    """The document with another text in the place of the short one."""
    if isinstance(document, dict):
        return {key: _with(value, text) for key, value in document.items()}
    if isinstance(document, list):
        return [_with(value, text) for value in document]
    return document.replace(SHORT, text) if isinstance(document, str) else document
