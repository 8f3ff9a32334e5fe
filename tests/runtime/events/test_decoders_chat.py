"""Chat answers with every quirk that providers are known for, and what they mean."""

import json

import pytest

from runtime.dialects.chat import answer as chat_answer
from runtime.events import BlockDelta, BlockEnded, BlockStarted, Finished, Text, ToolCall, fold
from runtime.usage import Usage
from tests.runtime.events.decoding import decoder, fed, lines, told


def chunk(delta=None, finish=None, **more):
    """A chunk of one choice; `more` stands beside its delta."""
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish} | more]}


def text(content):
    return {"content": content}


def calls(*entries):
    return {"tool_calls": list(entries)}


def call(index=None, call_id=None, name=None, arguments=None, **more):
    """An entry of `tool_calls` with only what is given."""
    function = {"name": name, "arguments": arguments}
    entry = {"index": index, "id": call_id}
    entry["function"] = {key: value for key, value in function.items() if value is not None}
    return {key: value for key, value in entry.items() if value is not None} | more


def detail(kind, index=0, **more):
    return {"type": f"reasoning.{kind}", "index": index, "format": "f"} | more


A, B = call(0, "a", "f", ""), call(1, "b", "g", "")

# quirk -> the deltas, the last word, and what is understood
QUIRKS = {
    "calls with arguments in pieces": (
        [calls(A), calls(call(0, arguments='{"x"')), calls(call(0, arguments=":1}"))],
        "tool_calls",
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "stop although calls were made": (
        [calls(call(0, "a", "f", "{}"))],
        "stop",
        ["call a f: {}", "tool_calls"],
    ),
    "tool_calls although none were made": ([text("Hi")], "tool_calls", ["text: Hi", "stop"]),
    "calls cut off by the cap": (
        [calls(call(0, "a", "f", '{"x'))],
        "length",
        ['call a f: {"x', "length"],
    ),
    "whole calls without index and type": (
        [calls(call(None, "a", "f", "{}"), call(None, "b", "f", "{}"))],
        "tool_calls",
        ["call a f: {}", "call b f: {}", "tool_calls"],
    ),
    "calls without index, in pieces that name their id": (
        [
            calls(call(None, "a", "f", '{"x"'), call(None, "b", "g", '{"y"')),
            calls(call(None, "a", arguments=":1}"), call(None, "b", arguments=":2}")),
        ],
        "tool_calls",
        ['call a f: {"x":1}', 'call b g: {"y":2}', "tool_calls"],
    ),
    "calls with neither index nor id": (
        [
            calls(call(None, None, "f", '{"x"')),
            calls(call(arguments=":1}")),
            calls(call(None, None, "g", "{}")),
        ],
        "tool_calls",
        ['call  f: {"x":1}', "call  g: {}", "tool_calls"],
    ),
    "calls with nothing but names": (
        [calls(call(None, None, "f")), calls(call(None, None, "g"))],
        "tool_calls",
        ["call  f: ", "call  g: ", "tool_calls"],
    ),
    "calls interleaved under their indexes": (
        [
            calls(A, B),
            calls(call(1, arguments='{"y"')),
            calls(call(0, arguments='{"x"'), call(1, arguments=":2}")),
            calls(call(0, arguments=":1}")),
        ],
        "tool_calls",
        ['call a f: {"x":1}', 'call b g: {"y":2}', "tool_calls"],
    ),
    "all calls under index 0": (
        [calls(call(0, "a", "f", "{}")), calls(call(0, "b", "f", "{}"))],
        "tool_calls",
        ["call a f: {}", "call b f: {}", "tool_calls"],
    ),
    "all calls under index 0 with empty ids": (
        [calls(call(0, "", "f", '{"x":1}')), calls(call(0, "", "f", '{"x":2}'))],
        "tool_calls",
        ['call  f: {"x":1}', 'call  f: {"x":2}', "tool_calls"],
    ),
    "an index that does not start at 0": (
        [text("Hi"), calls(call(1, "a", "f", "")), calls(call(1, arguments="{}"))],
        "tool_calls",
        ["text: Hi", "call a f: {}", "tool_calls"],
    ),
    "an index that is a text": (
        [calls(call("0", "a", "f", "{}"))],
        "stop",
        ["call a f: {}", "tool_calls"],
    ),
    "an id that is a number": (
        [calls(call(0, 7, "f", "{}"))],
        "stop",
        ["call 7 f: {}", "tool_calls"],
    ),
    "ids repeated, empty or null": (
        [
            calls(A),
            calls(call(0, "a", arguments="{")),
            calls(call(0, "", arguments='"x"')),
            calls({"index": 0, "id": None, "function": {"arguments": ":1}"}}),
        ],
        "tool_calls",
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "another id on every piece": (
        [calls(A), calls(call(0, "r1", arguments='{"x"')), calls(call(0, "r2", arguments=":1}"))],
        "tool_calls",
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "another id and the name again on every piece": (
        [
            calls(A),
            calls(call(0, "r1", "f", arguments='{"x"')),
            calls(call(0, "r2", "f", arguments=":1}")),
        ],
        "tool_calls",
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "an id that comes late": (
        [calls(call(0, None, "f")), calls(call(0, "a", arguments="{}"))],
        "tool_calls",
        ["call a f: {}", "tool_calls"],
    ),
    "a name repeated on every piece": (
        [calls(call(0, "a", "f", '{"x"')), calls(call(0, "a", "f", ":1}")), calls(A)],
        "tool_calls",
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "a name again on a last piece that says nothing": (
        [calls(call(0, "a", "f", "{}")), calls(call(0, None, "f", ""))],
        "tool_calls",
        ["call a f: {}", "tool_calls"],
    ),
    "a name in pieces": (
        [
            calls(call(0, "a", "get_")),
            calls(call(0, name="weather")),
            calls(call(0, arguments="{}")),
        ],
        "tool_calls",
        ["call a get_weather: {}", "tool_calls"],
    ),
    "a name that grows": (
        [
            calls(call(0, "a", "get_")),
            calls(call(0, "a", "get_it")),
            calls(call(0, arguments="{}")),
        ],
        "tool_calls",
        ["call a get_it: {}", "tool_calls"],
    ),
    "arguments null": (
        [calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": None}})],
        "tool_calls",
        ["call a f: ", "tool_calls"],
    ),
    "arguments as an object": (
        [calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}})],
        "tool_calls",
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "a custom tool": (
        [
            calls({"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}),
            calls({"index": 0, "custom": {"input": " = 1"}}),
        ],
        "tool_calls",
        ["custom a f: x = 1", "tool_calls"],
    ),
    "a function call of the old form": (
        [{"function_call": {"name": "f", "arguments": "{"}}, {"function_call": {"arguments": "}"}}],
        "function_call",
        ["call  f: {}", "tool_calls"],
    ),
    "empty lists of calls": ([text("Hi") | calls(), calls()], "stop", ["text: Hi", "stop"]),
    "an entry that says nothing": ([text("Hi"), calls({"index": 0})], "stop", ["text: Hi", "stop"]),
    "white space before, between and after calls": (
        [text(" "), text("\n"), calls(A), text(" "), calls(B), text(""), text(" ")],
        "tool_calls",
        ["call a f: ", "call b g: ", "tool_calls"],
    ),
    "line ends before a text": ([text("\n\n"), text("Hi")], "stop", ["text: \n\nHi", "stop"]),
    "line ends inside a text": (
        [text("Hi"), text("\n\n"), text("!")],
        "stop",
        ["text: Hi\n\n!", "stop"],
    ),
    "nothing but white space": ([text("\n"), text("")], "stop", ["text: \n", "stop"]),
    "nothing at all": ([text("")], "length", ["length"]),
    "text after calls": (
        [calls(call(0, "a", "f", "{}")), text("Hi")],
        "tool_calls",
        ["call a f: {}", "text: Hi", "tool_calls"],
    ),
    "calls again after text, from index 0": (
        [calls(call(0, "a", "f", "{}")), text("Hi"), calls(call(0, "b", "f", "{}"))],
        "tool_calls",
        ["call a f: {}", "text: Hi", "call b f: {}", "tool_calls"],
    ),
    "reasoning and text by turns": (
        [{"reasoning": "hm"}, text("Hi"), {"reasoning": "oh"}, text("!")],
        "stop",
        ["reasoning: hm", "text: Hi", "reasoning: oh", "text: !", "stop"],
    ),
    "reasoning and text in one delta": (
        [{"content": "Hi", "reasoning_content": "hm"}],
        "stop",
        ["reasoning: hm", "text: Hi", "stop"],
    ),
    "white space in reasoning": (
        [{"reasoning": "\n"}, text("\n"), {"reasoning": "hm"}, text("Hi")],
        "stop",
        ["reasoning: \nhm", "text: \nHi", "stop"],
    ),
    "the same reasoning under three names": (
        [
            {
                "reasoning": "hm",
                "reasoning_content": "hm",
                "reasoning_details": [detail("text", text="hm")],
            }
        ],
        "stop",
        ["reasoning: hm", "stop"],
    ),
    "reasoning in its details alone": (
        [
            {"reasoning_details": [detail("text", text="h")]},
            {"reasoning": None, "reasoning_details": [detail("text", text="m")]},
        ],
        "stop",
        ["reasoning: hm", "stop"],
    ),
    "a summary, then its seal": (
        [
            {"reasoning": "hm", "reasoning_details": [detail("summary", summary="hm")]},
            {"reasoning": None, "reasoning_details": [detail("encrypted", data="xx")]},
            calls(call(0, "a", "f", "{}")),
        ],
        "tool_calls",
        ["summary: hm +details", "call a f: {}", "tool_calls"],
    ),
    "a seal alone, before a call": (
        [{"reasoning_details": [detail("encrypted", data="xx")]}, calls(call(0, "a", "f", "{}"))],
        "tool_calls",
        ["reasoning:  +details", "call a f: {}", "tool_calls"],
    ),
    "a seal that comes after the text": (
        [text("Hi"), {"reasoning_details": [detail("encrypted", data="xx")]}, text("!")],
        "stop",
        ["text: Hi!", "reasoning:  +details", "stop"],
    ),
    "content in parts": (
        [
            text([{"type": "thinking", "thinking": []}]),
            text([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]),
            text(
                [
                    {"type": "thinking", "thinking": "!", "closed": True},
                    {"type": "text", "text": "Hi"},
                ]
            ),
        ],
        "stop",
        ["reasoning: hm!", "text: Hi", "stop"],
    ),
    "content that is a document": ([text({"x": 1})], "stop", ['text: {"x":1}', "stop"]),
    "a refusal": (
        [{"content": None, "refusal": "I "}, {"refusal": "can't"}],
        "stop",
        ["refusal: I can't", "stop"],
    ),
    "a filter": ([text("Hi")], "content_filter", ["text: Hi", "content_filter"]),
    "another word for the end": ([text("Hi")], "eos", ["text: Hi", "stop"]),
    "no end, but calls": ([calls(call(0, "a", "f", "{}"))], None, ["call a f: {}", "tool_calls"]),
    "no end": ([text("Hi")], None, ["text: Hi", "stop"]),
    "an empty word for the end": ([text("Hi")], "", ["text: Hi", "stop"]),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_is_read_for_what_it_means(quirk):
    deltas, finish, expected = QUIRKS[quirk]
    events = fed("chat", *map(chunk, deltas), chunk({}, finish))
    assert lines(events) == expected


@pytest.mark.parametrize("quirk", QUIRKS)
def test_it_means_the_same_when_the_end_comes_with_the_last_delta(quirk):
    deltas, finish, expected = QUIRKS[quirk]
    *before, last = deltas
    events = fed("chat", *map(chunk, before), chunk(last, finish))
    assert lines(events) == expected


def test_a_text_ends_when_a_call_begins_and_calls_stay_open_side_by_side():
    events = fed(
        "chat",
        chunk(text("Hi")),
        chunk(calls(A, B)),
        chunk(calls(call(1, arguments="{}"))),
        chunk(calls(call(0, arguments="{}"))),
        chunk({}, "tool_calls"),
    )
    assert events[1:] == [
        BlockStarted(0, Text()),
        BlockDelta(0, "Hi"),
        BlockEnded(0),
        BlockStarted(1, ToolCall("a", "f")),
        BlockStarted(2, ToolCall("b", "g")),
        BlockDelta(2, "{}"),
        BlockDelta(1, "{}"),
        BlockEnded(1),
        BlockEnded(2),
        Finished("tool_calls"),
    ]


def test_details_of_one_part_become_that_part_again_with_its_signature():
    parts = [
        detail("text", text="h", signature=""),
        detail("text", text="m", signature=""),
        detail("text", text="", signature="sig"),
        detail("encrypted", 1, data="xx", id="r1"),
        detail("encrypted", 1, data="yy", id="r2"),
    ]
    events = fed(
        "chat", *(chunk({"reasoning_details": [part]}) for part in parts), chunk({}, "stop")
    )
    assert fold(events).parts[0].opaque.data["details"] == [
        detail("text", text="hm", signature="sig"),
        detail("encrypted", 1, data="xx", id="r1"),
        detail("encrypted", 1, data="yy", id="r2"),
    ]


def test_details_that_hold_no_seal_are_nobodys_state():
    events = fed(
        "chat", chunk({"reasoning_details": [detail("text", text="hm")]}), chunk({}, "stop")
    )
    assert fold(events).parts[0].opaque is None


@pytest.mark.parametrize("cut", range(1, 33))
def test_tags_of_thinking_are_found_wherever_they_are_cut(cut):
    content = "\n<think>\nhm </th\n</think>\n\nHi <think>"
    pieces = [content[at : at + cut] for at in range(0, len(content), cut)]
    events = fed("chat", *(chunk(text(piece)) for piece in pieces), chunk({}, "stop"), think=True)
    assert lines(events) == ["reasoning: hm </th\n", "text: Hi <think>", "stop"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Hi <think>x</think>", ["text: Hi <think>x</think>"]),
        ("<thin", ["text: <thin"]),
        ("<think>hm", ["reasoning: hm"]),
        ("<think>hm</thi", ["reasoning: hm</thi"]),
        ("<think>\n\n</think>\n\nHi", ["text: Hi"]),
    ],
)
def test_content_is_thinking_only_between_tags_at_its_beginning(content, expected):
    events = fed("chat", chunk(text(content)), chunk({}, "stop"), think=True)
    assert lines(events) == [*expected, "stop"]
    whole = {"choices": [{"message": text(content), "finish_reason": "stop"}]}
    made = decoder("chat", think=True).whole(json.dumps(whole).encode())
    assert lines(made) == [*expected, "stop"]


def test_of_two_counts_that_differ_the_one_of_the_answer_holds_as_it_does_for_the_record():
    counts = [{"prompt_tokens": 5, "completion_tokens": made} for made in (1, 2)]
    body = {"choices": [{"message": text("Hi"), "usage": counts[0]}], "usage": counts[1]}
    whole = json.dumps(body).encode()
    assert decoder("chat").whole(whole)[-1].usage == Usage(input=5, output=2)
    assert chat_answer.whole(whole, "coder").usage == Usage(input=5, output=2)


def test_the_last_usage_holds_wherever_it_stands():
    counts = [{"prompt_tokens": 5, "completion_tokens": number} for number in (1, 2, 3)]
    events = fed(
        "chat",
        chunk(text("Hi"), usage=counts[0]),
        chunk({}, "stop") | {"x_groq": {"usage": counts[1]}},
        {"choices": [], "usage": counts[2]},
        {"choices": [], "usage": None},
    )
    assert events[-1].usage == Usage(input=5, output=3)


def test_log_probabilities_stay_with_the_words_of_their_tokens():
    first, second, third = ({"token": name} for name in "abc")
    events = fed(
        "chat",
        chunk(text("a"), logprobs={"content": [first], "refusal": None}),
        chunk(text(""), logprobs={"content": [second]}),
        chunk(text("b"), logprobs={"content": [third]}),
        chunk({}, "stop", logprobs=None),
    )
    assert events[2:4] == [BlockDelta(0, "a", (first,)), BlockDelta(0, "b", (second, third))]


def test_a_message_that_repeats_what_was_said_is_not_said_again():
    message = {"role": "assistant", "content": "Hi"}
    events = fed("chat", chunk(text("Hi")), chunk(text(""), "stop", message=message))
    assert lines(events) == ["text: Hi", "stop"]


def test_a_message_is_heard_where_no_delta_said_anything():
    message = {"role": "assistant", "content": "Hi"}
    assert lines(fed("chat", chunk({}, "stop", message=message))) == ["text: Hi", "stop"]


def test_an_answer_has_the_first_id_that_is_none_of_nothing():
    filters = {"id": "", "choices": [], "prompt_filter_results": [{}]}
    assert fold(fed("chat", filters, chunk(text("Hi"), "stop"))).id == "c"


def test_only_the_first_choice_is_told():
    events = fed("chat", chunk(text("Hi")), chunk(text("No"), index=1), chunk({}, "stop"))
    assert lines(events) == ["text: Hi", "stop"]


@pytest.mark.parametrize(
    ("delta", "unknown"),
    [
        ({"content": "Hi", "images": [{"type": "image_url"}]}, {"images": 1}),
        ({"audio": {"id": "x", "data": ""}}, {"audio": 1}),
        ({"audio": {"id": "", "expires_at": 0}}, {}),
        ({"content": "Hi", "images": [], "audio": None, "annotations": []}, {}),
        ({"role": "assistant", "name": None, "channel": "final", "token_id": 3}, {}),
        (text([{"type": "image_url", "image_url": {}}]), {"image_url": 1}),
        (text([{"type": 5}, {"type": ["text"]}, "text"]), {"other": 3}),
        ({"a sentence of the model": "x"}, {"other": 1}),
    ],
)
def test_what_no_event_stands_for_is_counted_by_name(delta, unknown):
    making = decoder("chat")
    making.feed(b"", json.dumps(chunk(delta)).encode())
    assert making.unknown == unknown


def test_an_unknown_word_for_the_end_is_counted_without_the_word():
    making = decoder("chat")
    making.feed(b"", json.dumps(chunk(text("Hi"), "because I say so")).encode())
    assert making.flush()[-1] == Finished("stop")
    assert making.unknown == {"finish_reason": 1}


@pytest.mark.parametrize(
    "documents",
    [
        [chunk(calls(call(0, "a", arguments="{}")))],
        [
            chunk(calls(call(0, "a", "f", "{"))),
            chunk(text("Hi")),
            chunk(calls(call(0, arguments="}"))),
        ],
        [{"choices": [{"delta": {"content": 7}}]}],
        [{"choices": {}}],
        ["text"],
    ],
    ids=["a call without a name", "arguments after the end", "a number", "no list", "no object"],
)
def test_what_makes_no_sense_is_an_error(documents):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        told("chat", *documents)


@pytest.mark.parametrize("data", [b"{", b'{"choices":' * 100_000, b'"\xff"'])
def test_what_is_no_json_is_an_error(data):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        decoder("chat").feed(b"", data)
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        decoder("chat").whole(data)


MESSAGES = {
    "text and calls": (
        {"content": "Hi", "tool_calls": [call(None, "a", "f", "{}"), call(None, "a", "f", "{}")]},
        ["text: Hi", "call a f: {}", "call a f: {}", "tool_calls"],
    ),
    "white space and a call": (
        {"content": "\n\n", "tool_calls": [call(None, "a", "f", "{}")]},
        ["call a f: {}", "tool_calls"],
    ),
    "empty calls": (
        {"content": "Hi", "tool_calls": [], "function_call": None},
        ["text: Hi", "stop"],
    ),
    "sealed reasoning": (
        {"content": "Hi", "reasoning": "hm", "reasoning_details": [detail("encrypted", data="x")]},
        ["reasoning: hm +details", "text: Hi", "stop"],
    ),
    "two forms, one of them empty": (
        {
            "content": "",
            "function_call": {"name": "", "arguments": ""},
            "tool_calls": [call(None, "a", "f", "{}", custom={"name": "", "input": ""})],
        },
        ["call a f: {}", "tool_calls"],
    ),
    "a refusal": ({"content": None, "refusal": "No"}, ["refusal: No", "stop"]),
    "no words": ({"content": None}, ["stop"]),
}


@pytest.mark.parametrize("finish", ["stop", "", None])
@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_in_one_piece_is_read_for_what_it_means(name, finish):
    message, expected = MESSAGES[name]
    body = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    made = decoder("chat").whole(b"\n\n" + json.dumps(body).encode())
    assert lines(made) == expected
