"""Messages answers with every quirk that providers are known for, and what they mean."""

import json

import pytest

from runtime.events import BlockDelta, BlockEnded, BlockStarted, Finished, Text, ToolCall, fold
from runtime.usage import Usage
from tests.runtime.events.decoding import decoded, decoder, fed, lines, told

START = {
    "type": "message_start",
    "message": {"id": "m", "content": [], "usage": {"input_tokens": 5, "output_tokens": 1}},
}
PING = {"type": "ping"}
STOP = {"type": "message_stop"}
TEXT = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}
CALL = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
SEARCH = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "x"}]}


def begun(index, block, **more):
    return {"type": "content_block_start", "index": index, "content_block": block | more}


def delta(index, kind, **more):
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind} | more}


def said(index, text):
    return delta(index, "text_delta", text=text)


def thought(index, text):
    return delta(index, "thinking_delta", thinking=text)


def argued(index, text):
    return delta(index, "input_json_delta", partial_json=text)


def ended(index):
    return {"type": "content_block_stop", "index": index}


def stopped(reason, usage=None, **more):
    end = {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None} | more}
    return end | ({"usage": usage} if usage else {})


REFUSED = {"type": "refusal", "category": None, "explanation": "Against the policy."}

# quirk -> the events of the content, those of the end, and what is understood
QUIRKS = {
    "a text": (
        [begun(0, TEXT), PING, said(0, "H"), said(0, "i"), ended(0)],
        [stopped("end_turn")],
        ["text: Hi", "stop"],
    ),
    "a text that begins with its start": (
        [begun(0, TEXT, text="H"), said(0, "i"), ended(0)],
        [stopped("end_turn")],
        ["text: Hi", "stop"],
    ),
    "an empty text": ([begun(0, TEXT), said(0, ""), ended(0)], [stopped("end_turn")], ["stop"]),
    "texts between citations": (
        [
            begun(0, TEXT),
            said(0, "A"),
            ended(0),
            begun(1, TEXT, citations=[]),
            delta(1, "citations_delta", citation={"type": "x"}),
            said(1, " "),
            ended(1),
        ],
        [stopped("end_turn")],
        ["text: A ", "stop"],
    ),
    "texts around a search": (
        [
            begun(0, TEXT),
            said(0, "A"),
            ended(0),
            begun(1, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
            ended(1),
            begun(2, TEXT),
            said(2, "B"),
            ended(2),
        ],
        [stopped("end_turn")],
        ["text: A", "text: B", "stop"],
    ),
    "thinking with its signature": (
        [
            begun(0, THINKING),
            thought(0, "hm"),
            delta(0, "signature_delta", signature="s"),
            ended(0),
        ],
        [stopped("end_turn")],
        ["reasoning: hm +signature", "stop"],
    ),
    "thinking that is not shown": (
        [begun(0, THINKING), delta(0, "signature_delta", signature="s"), ended(0)],
        [stopped("end_turn")],
        ["reasoning:  +signature", "stop"],
    ),
    "thinking that nobody signed": (
        [begun(0, THINKING), thought(0, "hm"), ended(0)],
        [stopped("end_turn")],
        ["reasoning: hm", "stop"],
    ),
    "thinking that says nothing": ([begun(0, THINKING), ended(0)], [stopped("end_turn")], ["stop"]),
    "thinking that comes whole": (
        [begun(0, THINKING, thinking="hm", signature="s"), ended(0)],
        [stopped("end_turn")],
        ["reasoning: hm +signature", "stop"],
    ),
    "thinking nobody may read": (
        [begun(i, {"type": "redacted_thinking", "data": "x"}) for i in (0, 1)]
        + [ended(0), ended(1)],
        [stopped("end_turn")],
        ["reasoning:  +redacted", "reasoning:  +redacted", "stop"],
    ),
    "a call": (
        [begun(0, CALL), argued(0, ""), argued(0, '{"x"'), argued(0, ":1}"), ended(0)],
        [stopped("tool_use")],
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "a call without arguments": (
        [begun(0, CALL, caller={"type": "direct"}), argued(0, ""), ended(0)],
        [stopped("tool_use")],
        ["call a f: ", "tool_calls"],
    ),
    "a call that comes whole": (
        [begun(0, CALL, input={"x": 1}), ended(0)],
        [stopped("tool_use")],
        ['call a f: {"x":1}', "tool_calls"],
    ),
    "a call that comes whole, and again": (
        [begun(0, CALL, input={"x": 1}), argued(0, '{"x": 1}'), ended(0)],
        [stopped("tool_use")],
        ['call a f: {"x": 1}', "tool_calls"],
    ),
    "calls side by side": (
        [
            begun(0, CALL),
            begun(1, CALL, id="b"),
            argued(1, "[]"),
            argued(0, "{}"),
            ended(0),
            ended(1),
        ],
        [stopped("tool_use")],
        ["call a f: {}", "call b f: []", "tool_calls"],
    ),
    "end_turn although calls were made": (
        [begun(0, CALL), ended(0)],
        [stopped("end_turn")],
        ["call a f: ", "tool_calls"],
    ),
    "tool_use although none were made": ([], [stopped("tool_use")], ["stop"]),
    "blocks that never stop": (
        [
            begun(0, THINKING),
            delta(0, "signature_delta", signature="s"),
            begun(1, CALL, input={"x": 1}),
        ],
        [stopped("tool_use")],
        ['call a f: {"x":1}', "reasoning:  +signature", "tool_calls"],
    ),
    "tools of the provider's own": (
        [
            begun(0, SEARCH),
            argued(0, '{"query": 1}'),
            ended(0),
            begun(1, FOUND),
            ended(1),
            begun(2, TEXT),
            said(2, "Hi"),
            ended(2),
        ],
        [stopped("end_turn")],
        ["text: Hi", "stop"],
    ),
    "a pause": ([begun(0, SEARCH), ended(0)], [stopped("pause_turn")], ["pause"]),
    "the cap": ([begun(0, TEXT, text="Hi")], [stopped("max_tokens")], ["text: Hi", "length"]),
    "a full window": ([], [stopped("model_context_window_exceeded")], ["context"]),
    "a stop sequence": (
        [begun(0, TEXT, text="Hi")],
        [stopped("stop_sequence", stop_sequence="\n")],
        ["text: Hi", "stop_sequence"],
    ),
    "a refusal with its reason": (
        [begun(0, TEXT, text="Hi"), ended(0)],
        [stopped("refusal", stop_details=REFUSED), stopped("refusal", stop_details=REFUSED)],
        ["text: Hi", "refusal: Against the policy.", "refusal"],
    ),
    "a refusal without a reason": (
        [],
        [stopped("refusal", stop_details={"explanation": None})],
        ["refusal"],
    ),
    "a word nobody knows": (
        [begun(0, TEXT, text="Hi")],
        [stopped("boredom")],
        ["text: Hi", "stop"],
    ),
    "an end in two steps": (
        [begun(0, TEXT, text="Hi")],
        [stopped("max_tokens"), stopped(None)],
        ["text: Hi", "length"],
    ),
}


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_quirk_is_read_for_what_it_means(quirk):
    content, end, expected = QUIRKS[quirk]
    assert lines(fed("messages", START, PING, *content, *end, STOP)) == expected


@pytest.mark.parametrize("quirk", QUIRKS)
def test_it_means_the_same_where_only_the_line_before_the_data_names_the_event(quirk):
    content, end, expected = QUIRKS[quirk]
    documents = [dict(document) for document in (START, START, *content, *end, STOP)]
    events = [
        (document.pop("type").encode(), json.dumps(document).encode()) for document in documents
    ]
    assert lines(decoded(decoder("messages"), events)) == expected


def test_blocks_are_told_as_they_come():
    events = fed(
        "messages",
        START,
        begun(0, TEXT),
        said(0, "Hi"),
        ended(0),
        begun(1, CALL),
        argued(1, "{}"),
        ended(1),
        stopped("tool_use"),
        STOP,
    )
    assert events[1:-1] == [
        BlockStarted(0, Text()),
        BlockDelta(0, "Hi"),
        BlockEnded(0),
        BlockStarted(1, ToolCall("a", "f")),
        BlockDelta(1, "{}"),
        BlockEnded(1),
    ]


def test_the_last_usage_holds_and_nothing_is_added_up():
    usage = {"output_tokens": 9, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
    events = fed("messages", START, START, stopped("end_turn", usage), STOP)
    assert events[-1].usage == Usage(input=10, output=9, cached=3, cache_write=2)


def test_an_answer_keeps_its_first_id_and_the_sequence_that_stopped_it():
    second = {"type": "message_start", "message": {"id": "other"}}
    end = stopped("stop_sequence", stop_sequence="END")
    answer = fold(fed("messages", START, second, end, STOP))
    assert (answer.id, answer.stop_sequence) == ("m", "END")


def test_seals_are_kept_as_they_came():
    pieces = [delta(0, "signature_delta", signature=piece) for piece in ("ab", "cd")]
    redacted = {"type": "redacted_thinking", "data": "xyz"}
    events = fed(
        "messages", START, begun(0, THINKING), *pieces, ended(0), begun(1, redacted), ended(1)
    )
    seals = [part.opaque.data for part in fold(events).parts]
    assert seals == [{"signature": "abcd"}, {"redacted": "xyz"}]


WHOLE = {
    "everything": (
        [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "x"},
            {"type": "text", "text": "Hi", "citations": [{}]},
            SEARCH,
            FOUND,
            {"type": "text", "text": ""},
            CALL | {"input": {"x": 1}},
            CALL | {"id": "b"},
        ],
        {"stop_reason": "tool_use"},
        [
            "reasoning: hm +signature",
            "reasoning:  +redacted",
            "text: Hi",
            'call a f: {"x":1}',
            "call b f: ",
            "tool_calls",
        ],
    ),
    "a refusal": (
        [],
        {"stop_reason": "refusal", "stop_details": REFUSED},
        ["refusal: Against the policy.", "refusal"],
    ),
    "a turn that ends without a word": ([], {"stop_reason": "end_turn"}, ["stop"]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_an_answer_in_one_piece_is_read_for_what_it_means(name):
    content, end, expected = WHOLE[name]
    body = json.dumps({"id": "m", "type": "message", "content": content} | end).encode()
    assert lines(decoder("messages").whole(body)) == expected


@pytest.mark.parametrize(
    ("document", "unknown"),
    [
        (begun(0, SEARCH), {"server_tool_use": 1}),
        (begun(0, {"type": "x", "text": 7, "input": 7, "id": 7}), {"x": 1}),
        (begun(0, {"type": "text", "text": "Hi", "citations": [{}, {}]}), {"citation": 2}),
        (begun(0, {}), {"other": 1}),
        ({"type": "vendor_event"}, {"vendor_event": 1}),
        ({"type": "a sentence of the model"}, {"other": 1}),
        (stopped("a sentence of the model"), {"stop_reason": 1}),
        ({"type": "message_start", "message": {"content": [TEXT]}}, {"message_start.content": 1}),
        (PING, {}),
        (STOP, {}),
    ],
)
def test_what_no_event_stands_for_is_counted_by_name(document, unknown):
    making = decoder("messages")
    making.feed(b"", json.dumps(document).encode())
    assert making.unknown == unknown


def test_a_tool_of_the_providers_own_is_counted_once():
    making = decoder("messages")
    for document in (START, begun(0, SEARCH), argued(0, "{}"), ended(0)):
        making.feed(b"", json.dumps(document).encode())
    assert making.unknown == {"server_tool_use": 1}
    assert making.flush()[-1] == Finished("stop", Usage(input=5, output=1))


SENSELESS = {
    "a delta of no block": [said(0, "Hi")],
    "a delta of an ended block": [begun(0, TEXT), ended(0), said(0, "Hi")],
    "a delta of another block's type": [begun(0, TEXT), argued(0, "{}")],
    "a block in a block": [begun(0, TEXT), said(0, "Hi"), begun(0, TEXT)],
    "a call in a call": [begun(0, CALL), begun(0, CALL)],
    "a stop without a start": [ended(0)],
    "a call without a name": [begun(0, {"type": "tool_use", "id": "a"})],
    "a block that is none": [begun(0, TEXT) | {"content_block": 7}],
    "a start without a block": [{"type": "content_block_start", "index": 0}],
    "a text that is none": [begun(0, TEXT), said(0, {"x": 1})],
    "no object": ["text"],
}


@pytest.mark.parametrize("name", SENSELESS)
def test_what_makes_no_sense_is_an_error(name):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        told("messages", START, *SENSELESS[name])


@pytest.mark.parametrize("data", [b"{", b'{"content":' * 100_000, b'"\xff"'])
def test_what_is_no_json_is_an_error(data):
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        decoder("messages").feed(b"", data)
    with pytest.raises(ValueError):  # noqa: PT011 - the decoders' one error, whatever its words
        decoder("messages").whole(data)
