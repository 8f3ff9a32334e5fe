"""Responses answers with every quirk that providers are known for, and what they mean."""

import json

import pytest

from runtime.events import BlockDelta, BlockEnded, BlockStarted, Finished, Text, ToolCall, fold
from runtime.usage import Usage
from tests.runtime.events.decoding import decoded, decoder, fed, lines, told


def event(kind, **more):
    return {"type": f"response.{kind}"} | more


def added(index, item):
    return event("output_item.added", output_index=index, item=item)


def done(index, item):
    return event("output_item.done", output_index=index, item=item)


def completed(*output, **more):
    response = {"id": "r", "status": "completed", "output": list(output)} | more
    return event("completed", response=response)


def incomplete(reason, *output):
    why = {"reason": reason} if reason else None
    response = {"id": "r", "status": "incomplete", "incomplete_details": why}
    return event("incomplete", response=response | {"output": list(output)})


def message(*parts, **more):
    return {"type": "message", "id": "m", "role": "assistant", "content": list(parts)} | more


def words(text, **more):
    return {"type": "output_text", "text": text, "annotations": []} | more


def refusal(text):
    return {"type": "refusal", "refusal": text}


def function(arguments="", **more):
    item = {"type": "function_call", "id": "fc", "call_id": "a", "name": "f"}
    return item | {"arguments": arguments} | more


def custom(text=""):
    return {"type": "custom_tool_call", "id": "ct", "call_id": "a", "name": "f", "input": text}


def reasoning(*summary, **more):
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": "rs", "summary": parts} | more


def said(index, text, part=0, **more):
    return event("output_text.delta", output_index=index, content_index=part, delta=text, **more)


def argued(index, text):
    return event("function_call_arguments.delta", output_index=index, delta=text)


def summed(index, text, part=0):
    kind = "reasoning_summary_text.delta"
    return event(kind, output_index=index, summary_index=part, delta=text)


def thought(index, text, part=0):
    return event("reasoning_text.delta", output_index=index, content_index=part, delta=text)


CREATED = event("created", response={"id": "r", "status": "in_progress", "output": []})
THOUGHTS = [{"type": "reasoning_text", "text": "hm"}]
HOSTED = {"type": "web_search_call", "id": "ws", "status": "completed"}

# quirk -> the events between the beginning and the end, the end, and what is understood
QUIRKS = {
    "a text in deltas": (
        [added(0, message()), said(0, "H"), said(0, "i"), done(0, message(words("Hi")))],
        completed(message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "a text that nobody announced": ([said(0, "Hi")], completed(), ["text: Hi", "stop"]),
    "a text only in its done event": (
        [added(0, message()), event("output_text.done", output_index=0, text="Hi")],
        completed(),
        ["text: Hi", "stop"],
    ),
    "a text only in its done part": (
        [event("content_part.done", output_index=0, content_index=0, part=words("Hi"))],
        completed(message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "a text only in its done item": (
        [done(0, message(words("Hi")))],
        completed(message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "everything only at the end": (
        [],
        completed(reasoning("hm"), message(words("Hi")), function("{}")),
        ["summary: hm", "text: Hi", "call a f: {}", "tool_calls"],
    ),
    "the rest of a text only at the end": (
        [added(0, message()), said(0, "H")],
        completed(message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "one item only at the end": (
        [added(0, reasoning()), summed(0, "hm"), done(0, reasoning("hm"))],
        completed(reasoning("hm"), message(words("Hi"))),
        ["summary: hm", "text: Hi", "stop"],
    ),
    "an earlier message only at the end": (
        [added(1, message(id="m2")), said(1, "Hi")],
        completed(message(words("Hm")), message(words("Hi"), id="m2")),
        ["text: Hi", "text: Hm", "stop"],
    ),
    "a call announced twice": (
        [added(0, function()), added(0, function()), argued(0, "{}"), done(0, function("{}"))],
        completed(function("{}")),
        ["call a f: {}", "tool_calls"],
    ),
    "no output at the end": (
        [added(0, message()), said(0, "Hi"), done(0, message(words("Hi")))],
        completed(),
        ["text: Hi", "stop"],
    ),
    "a text that was another in the end": (
        [added(0, message()), said(0, "Hi"), done(0, message(words("Ho")))],
        completed(),
        ["text: Hi", "stop"],
    ),
    "several parts of a message": (
        [added(0, message()), said(0, "Hi"), said(0, "!", part=1)],
        completed(message(words("Hi"), words("!"))),
        ["text: Hi", "text: !", "stop"],
    ),
    "messages of two phases": (
        [
            added(0, message(phase="commentary")),
            said(0, "Hm"),
            done(0, message(words("Hm"), phase="commentary")),
            added(1, message(phase="final_answer", id="m2")),
            said(1, "Hi"),
            done(1, message(words("Hi"), phase="final_answer", id="m2")),
        ],
        completed(),
        ["text: Hm", "text: Hi", "stop"],
    ),
    "an id of its own on every event": (
        [
            added(0, message(id="1")),
            said(0, "H", item_id="2"),
            said(0, "i", item_id="3"),
            done(0, message(words("Hi"), id="4")),
        ],
        completed(message(words("Hi"), id="5")),
        ["text: Hi", "stop"],
    ),
    "no index on any event": (
        [
            {"type": "response.output_item.added", "item": function(id="1", call_id="a")},
            {"type": "response.output_item.added", "item": function(id="2", call_id="b")},
            event("function_call_arguments.delta", item_id="1", delta="{}"),
            event("function_call_arguments.delta", item_id="2", delta="[]"),
        ],
        completed(function("{}", id="1", call_id="a"), function("[]", id="2", call_id="b")),
        ["call a f: {}", "call b f: []", "tool_calls"],
    ),
    "neither an index nor an id": (
        [
            {"type": "response.output_item.added", "item": {"type": "message"}},
            {"type": "response.output_text.delta", "delta": "Hi"},
        ],
        completed({"type": "message", "content": [words("Hi")]}),
        ["text: Hi", "stop"],
    ),
    "every item at index 0": (
        [
            added(0, reasoning()),
            summed(0, "hm"),
            done(0, reasoning("hm")),
            added(0, message()),
            said(0, "Hi"),
            done(0, message(words("Hi"))),
        ],
        completed(reasoning("hm"), message(words("Hi"))),
        ["summary: hm", "text: Hi", "stop"],
    ),
    "calls at one index that nobody announced": (
        [done(0, function("{}")), done(0, function("[]", id="fd", call_id="b"))],
        completed(),
        ["call a f: {}", "call b f: []", "tool_calls"],
    ),
    "two messages at index 0": (
        [
            added(0, message()),
            said(0, "Hm"),
            done(0, message(words("Hm"))),
            added(0, message(id="m2")),
            said(0, "Hi"),
            done(0, message(words("Hi"), id="m2")),
        ],
        completed(),
        ["text: Hm", "text: Hi", "stop"],
    ),
    "a part that has no deltas before one that has": (
        [added(0, message()), said(0, "Hi")],
        completed(message({"type": "output_audio"}, words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "arguments in deltas": (
        [added(0, function()), argued(0, "{"), argued(0, "}"), done(0, function("{}"))],
        completed(),
        ["call a f: {}", "tool_calls"],
    ),
    "arguments only in their done event": (
        [
            added(0, function()),
            event("function_call_arguments.done", output_index=0, arguments="{}"),
            done(0, function("{}")),
        ],
        completed(),
        ["call a f: {}", "tool_calls"],
    ),
    "arguments only in the done item": (
        [added(0, function()), done(0, function('{"x":1}'))],
        completed(),
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "arguments whole at once, and again": (
        [added(0, function("{}")), argued(0, "{}"), done(0, function("{}"))],
        completed(function("{}")),
        ["call a f: {}", "tool_calls"],
    ),
    "more arguments in the done event than in the deltas": (
        [
            added(0, function()),
            argued(0, '{"x"'),
            event("function_call_arguments.done", output_index=0, arguments='{"x":1}'),
        ],
        completed(),
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "the same arguments in another spelling": (
        [added(0, function()), argued(0, '{"x": 1}'), done(0, function('{"x":1}'))],
        completed(),
        ['call a f: {"x": 1}', "tool_calls"],
    ),
    "no arguments in the done event": (
        [added(0, function()), argued(0, "{}"), done(0, function())],
        completed(),
        ["call a f: {}", "tool_calls"],
    ),
    "arguments as an object": (
        [added(0, function()), done(0, function({"x": 1}))],
        completed(),
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "a name only in the done item": (
        [added(0, function(name=None)), argued(0, "{"), argued(0, "}"), done(0, function("{}"))],
        completed(),
        ["call a f: {}", "tool_calls"],
    ),
    "a call without an id of its own": (
        [done(0, function("{}", call_id=None))],
        completed(),
        ["call fc f: {}", "tool_calls"],
    ),
    "a tool inside a namespace": (
        [done(0, function("{}", namespace="n"))],
        completed(),
        ["call a n/f: {}", "tool_calls"],
    ),
    "calls side by side": (
        [
            added(0, function()),
            added(1, function(id="fd", call_id="b")),
            argued(1, "[]"),
            argued(0, "{}"),
        ],
        completed(),
        ["call a f: {}", "call b f: []", "tool_calls"],
    ),
    "a custom tool": (
        [
            added(0, custom()),
            event("custom_tool_call_input.delta", output_index=0, delta="x = "),
            event("custom_tool_call_input.done", output_index=0, input="x = 1"),
            done(0, custom("x = 1")),
        ],
        completed(),
        ["custom a f: x = 1", "tool_calls"],
    ),
    "a summary in parts": (
        [
            added(0, reasoning()),
            event("reasoning_summary_part.added", output_index=0, summary_index=0, part={}),
            summed(0, "h"),
            summed(0, "m"),
            event("reasoning_summary_text.done", output_index=0, summary_index=0, text="hm"),
            summed(0, "oh", part=1),
            done(0, reasoning("hm", "oh")),
        ],
        completed(),
        ["summary: hm\n\noh", "stop"],
    ),
    "a summary only in the done item": (
        [added(0, reasoning()), done(0, reasoning("hm", "", "oh"))],
        completed(),
        ["summary: hm\n\noh", "stop"],
    ),
    "thinking itself": (
        [added(0, reasoning()), thought(0, "hm"), done(0, reasoning(content=THOUGHTS))],
        completed(),
        ["reasoning: hm", "stop"],
    ),
    "thinking only at the end": (
        [],
        completed(reasoning(content=THOUGHTS)),
        ["reasoning: hm", "stop"],
    ),
    "thinking and its summary": (
        [added(0, reasoning()), thought(0, "hm"), summed(0, "sum")],
        completed(reasoning("sum", content=THOUGHTS)),
        ["reasoning: hm", "stop"],
    ),
    "a seal, of which the last holds": (
        [
            added(0, reasoning(encrypted_content="early")),
            summed(0, "hm"),
            done(0, reasoning("hm", encrypted_content="late")),
        ],
        completed(),
        ["summary: hm +encrypted_content,id", "stop"],
    ),
    "a seal and no words": (
        [added(0, reasoning()), done(0, reasoning(encrypted_content="x", content=[]))],
        completed(),
        ["summary:  +encrypted_content,id", "stop"],
    ),
    "reasoning without words and seal": (
        [added(0, reasoning()), done(0, reasoning()), said(1, "Hi")],
        completed(reasoning(), message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "a refusal": (
        [
            added(0, message()),
            event("refusal.delta", output_index=0, content_index=0, delta="I "),
            event("refusal.done", output_index=0, content_index=0, refusal="I can't"),
            event("content_part.done", output_index=0, content_index=0, part=refusal("I can't")),
        ],
        completed(message(refusal("I can't"))),
        ["refusal: I can't", "stop"],
    ),
    "an answer cut by the cap": (
        [said(0, "Hi")],
        incomplete("max_output_tokens", message(words("Hi"))),
        ["text: Hi", "length"],
    ),
    "an answer cut by the filter": ([], incomplete("content_filter"), ["content_filter"]),
    "an answer cut for no known reason": ([], incomplete("boredom"), ["length"]),
    "an answer cut for no reason": ([], incomplete(None), ["length"]),
    "a call cut by the cap": (
        [added(0, function()), argued(0, '{"x')],
        incomplete("max_output_tokens", function('{"x')),
        ['call a f: {"x', "length"],
    ),
    "tools of the provider's own": (
        [
            added(0, HOSTED),
            event("web_search_call.searching", output_index=0, item_id="ws"),
            done(0, HOSTED),
            added(1, message()),
            said(1, "Hi"),
            done(1, message(words("Hi"))),
        ],
        completed(HOSTED, message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
    "signs of life": (
        [{"type": "keepalive", "sequence_number": 3}, event("in_progress", response=None)],
        completed(message(words("Hi"))),
        ["text: Hi", "stop"],
    ),
}


# In one piece the summary comes first.
IN_ONE_PIECE = {"thinking and its summary": ["summary: sum", "stop"]}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_is_read_for_what_it_means(quirk):
    between, last, expected = QUIRKS[quirk]
    assert lines(fed("responses", CREATED, *between, last)) == expected


@pytest.mark.parametrize("quirk", QUIRKS)
def test_it_means_the_same_where_only_the_line_before_the_data_names_the_event(quirk):
    between, last, expected = QUIRKS[quirk]
    documents = [dict(document) for document in (CREATED, *between, last)]
    events = [
        (document.pop("type").encode(), json.dumps(document).encode()) for document in documents
    ]
    assert lines(decoded(decoder("responses"), events)) == expected


@pytest.mark.parametrize(
    "quirk", [name for name in QUIRKS if QUIRKS[name][1]["response"]["output"]]
)
def test_a_whole_answer_says_what_its_stream_says(quirk):
    _, last, expected = QUIRKS[quirk]
    made = decoder("responses").whole(json.dumps(last["response"]).encode())
    assert sorted(lines(made)) == sorted(IN_ONE_PIECE.get(quirk, expected))


def test_items_are_told_as_they_come():
    events = fed(
        "responses",
        CREATED,
        added(0, function()),
        argued(0, "{"),
        argued(0, "}"),
        done(0, function("{}")),
        added(1, message()),
        said(1, "Hi"),
        event("content_part.done", output_index=1, content_index=0, part=words("Hi")),
        done(1, message(words("Hi"))),
        completed(function("{}"), message(words("Hi"))),
    )
    assert events[1:] == [
        BlockStarted(0, ToolCall("a", "f")),
        BlockDelta(0, "{"),
        BlockDelta(0, "}"),
        BlockEnded(0),
        BlockStarted(1, Text()),
        BlockDelta(1, "Hi"),
        BlockEnded(1),
        Finished("tool_calls"),
    ]


def test_an_item_ends_where_another_takes_its_place():
    events = fed(
        "responses",
        CREATED,
        added(0, message()),
        said(0, "Hi"),
        added(0, function()),
        argued(0, "{}"),
        completed(),
    )
    assert events[3:5] == [BlockEnded(0), BlockStarted(1, ToolCall("a", "f"))]


def test_a_sealed_item_keeps_its_id_and_the_seal_of_its_end():
    early, late = (reasoning("hm", encrypted_content=seal) for seal in ("early", "late"))
    events = fed("responses", CREATED, added(0, early), done(0, late), completed())
    assert fold(events).parts[0].opaque.data == {"id": "rs", "encrypted_content": "late"}


def test_an_answer_begins_once_and_has_the_counts_of_its_end():
    queued = event("queued", response={"id": "r", "usage": None})
    usage = {
        "input_tokens": 5,
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 1},
    }
    events = fed("responses", CREATED, queued, said(0, "Hi"), completed(usage=usage))
    assert fold(events).id == "r"
    assert events[-1].usage == Usage(input=5, output=2, reasoning=1)


def test_log_probabilities_stay_with_the_words_of_their_tokens():
    token = {"token": "Hi", "logprob": -0.1, "top_logprobs": []}
    streamed = fed("responses", CREATED, said(0, "Hi", logprobs=[token]), completed())
    whole = fed("responses", CREATED, completed(message(words("Hi", logprobs=[token]))))
    assert fold(streamed).parts == fold(whole).parts
    assert fold(whole).parts[0].logprobs == (token,)


@pytest.mark.parametrize(
    ("document", "unknown"),
    [
        (done(0, HOSTED), {"web_search_call": 1}),
        (done(0, {"type": "x", "id": 7, "content": 7, "arguments": [7]}), {"x": 1}),
        (done(0, message({"type": "output_audio", "data": ""})), {"output_audio": 1}),
        (done(0, message(words("Hi", annotations=[{}, {}]))), {"annotation": 2}),
        (event("audio.delta", delta="UklGRg"), {"audio.delta": 1}),
        (event("image.delta", delta={"x": 1}), {"image.delta": 1}),
        (event("a sentence of the model"), {"other": 1}),
        (incomplete("a sentence of the model"), {"incomplete_details": 1}),
        (event("output_text.annotation.added", output_index=0, annotation={}), {}),
        ({"type": "keepalive"}, {}),
    ],
)
def test_what_no_event_stands_for_is_counted_by_name(document, unknown):
    making = decoder("responses")
    making.feed(b"", json.dumps(document).encode())
    assert making.unknown == unknown


def test_a_tool_of_the_providers_own_is_counted_once():
    making = decoder("responses")
    working = event("web_search_call.searching", output_index=0)
    for document in (added(0, HOSTED), working, done(0, HOSTED), completed(HOSTED)):
        making.feed(b"", json.dumps(document).encode())
    assert making.unknown == {"web_search_call": 1}


def test_a_text_that_was_another_in_the_end_is_counted():
    making = decoder("responses")
    for document in (said(0, "Hi"), done(0, message(words("Ho")))):
        making.feed(b"", json.dumps(document).encode())
    assert making.unknown == {"contradiction": 1}


SENSELESS = {
    "arguments that contradict their deltas": [
        added(0, function()),
        argued(0, '{"x":1}'),
        done(0, function('{"x":2}')),
    ],
    "a call without a name": [added(0, function(name=None)), argued(0, "{}")],
    "text in a call": [added(0, function()), said(0, "Hi")],
    "more of an item that was done": [done(0, message(words("Hi"))), said(0, "!")],
    "another part of an item that was done": [
        done(0, message(words("Hi"))),
        said(0, "!", part=1),
    ],
    "more reasoning in an item that was done": [done(0, reasoning("hm")), summed(0, "!", part=1)],
    "arguments after the end": [done(0, function("{}")), argued(0, "{}")],
    "a failed response": [event("failed", response={"id": "r"})],
    "an item that is none": [done(0, 7)],
    "an event of an item without one": [event("output_item.done", output_index=0)],
    "a delta that is no text": [added(0, message()), said(0, {"x": 1})],
    "no object": ["text"],
}


@pytest.mark.parametrize("name", SENSELESS)
def test_what_makes_no_sense_is_an_error(name):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        told("responses", CREATED, *SENSELESS[name])


@pytest.mark.parametrize("data", [b"{", b'{"output":' * 100_000, b'"\xff"'])
def test_what_is_no_json_is_an_error(data):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        decoder("responses").feed(b"", data)
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        decoder("responses").whole(data)
