"""Whatever legal chunks come in whatever order: the events are legal, or there is an error."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.events import BlockDelta, Order, fold
from tests.runtime.answers.recordings import streams
from tests.runtime.events.decoding import decoder, watched

BOUNDED = settings(
    max_examples=80,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.large_base_example),
)

TEXTS = st.sampled_from(["", " ", "\n", "Hi", "{", "}", "{}", '{"x":1}', "<think>", "</think>"])
IDS = st.sampled_from([None, "", "a", "b"])
NAMES = st.sampled_from([None, "", "f", "g", "fg"])
PLACES = st.sampled_from([None, 0, 1, 2])
USAGES = st.none() | st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9)})


def document(**members):
    """An object with some of these members."""
    return st.fixed_dictionaries({}, optional=members)


# --- Chat

ENTRIES = document(
    index=PLACES,
    id=IDS,
    type=st.sampled_from(["function", "custom"]),
    function=document(name=NAMES, arguments=st.none() | TEXTS | st.just({"x": 1})),
    custom=document(name=NAMES, input=st.none() | TEXTS),
)
DETAILS = document(
    type=st.sampled_from(["reasoning.text", "reasoning.summary", "reasoning.encrypted"]),
    index=PLACES,
    text=TEXTS,
    summary=TEXTS,
    data=TEXTS,
    signature=st.none() | TEXTS,
)
PARTS = document(
    type=st.sampled_from(["text", "thinking", "image_url"]),
    text=TEXTS,
    thinking=TEXTS | st.lists(document(type=st.just("text"), text=TEXTS), max_size=2),
)
DELTAS = document(
    role=st.just("assistant"),
    content=st.none() | TEXTS | st.lists(PARTS, max_size=2),
    reasoning=st.none() | TEXTS,
    reasoning_content=st.none() | TEXTS,
    reasoning_details=st.lists(DETAILS, max_size=2),
    refusal=st.none() | TEXTS,
    tool_calls=st.none() | st.lists(ENTRIES, max_size=2),
    function_call=st.none() | document(name=NAMES, arguments=TEXTS),
    images=st.just([{"type": "image_url"}]),
)
CHOICES = document(
    index=st.sampled_from([None, 0, 0, 0, 1]),
    delta=st.none() | DELTAS,
    message=st.none() | DELTAS,
    finish_reason=st.sampled_from([None, None, "", "stop", "length", "tool_calls", "eos"]),
    logprobs=st.none() | document(content=st.lists(st.just({"token": "x"}), max_size=2)),
)
CHUNKS = document(id=IDS, choices=st.none() | st.lists(CHOICES, max_size=2), usage=USAGES)

# --- Responses

SAID = document(
    type=st.sampled_from(["output_text", "refusal", "summary_text", "reasoning_text", "other"]),
    text=TEXTS,
    refusal=TEXTS,
)
ITEMS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["message", "reasoning", "function_call", "custom_tool_call", "web_search_call"]
        )
    },
    optional={
        "id": IDS,
        "call_id": IDS,
        "name": NAMES,
        "arguments": st.none() | TEXTS,
        "input": st.none() | TEXTS,
        "content": st.none() | st.lists(SAID, max_size=2),
        "summary": st.none() | st.lists(SAID, max_size=2),
        "encrypted_content": st.none() | TEXTS,
    },
)
RESPONSES = document(
    id=IDS,
    status=st.sampled_from(["completed", "incomplete", "in_progress"]),
    output=st.lists(ITEMS, max_size=3),
    incomplete_details=st.none() | document(reason=st.sampled_from(["max_output_tokens", "x"])),
    usage=USAGES,
)
KINDS = (
    "created in_progress completed incomplete output_item.added output_item.done "
    "content_part.added content_part.done output_text.delta output_text.done refusal.delta "
    "refusal.done reasoning_summary_text.delta reasoning_summary_text.done reasoning_text.delta "
    "reasoning_text.done function_call_arguments.delta function_call_arguments.done "
    "custom_tool_call_input.delta custom_tool_call_input.done web_search_call.searching"
)
RESPONSES_EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from([f"response.{kind}" for kind in KINDS.split()]),
        "response": RESPONSES,
        "item": ITEMS,
        "part": SAID,
        "output_index": PLACES,
        "content_index": PLACES,
        "summary_index": PLACES,
        "item_id": IDS,
        "delta": TEXTS,
        "text": TEXTS,
        "refusal": TEXTS,
        "arguments": TEXTS,
        "input": TEXTS,
    }
)

# --- Messages

BLOCKS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use"]
        )
    },
    optional={
        "text": TEXTS,
        "thinking": TEXTS,
        "signature": TEXTS,
        "data": TEXTS,
        "id": IDS,
        "name": NAMES,
        "input": st.sampled_from([{}, {"x": 1}, "x"]),
    },
)
STOPS = document(
    stop_reason=st.sampled_from([None, "end_turn", "tool_use", "refusal", "max_tokens", "x"]),
    stop_sequence=st.none() | TEXTS,
    stop_details=st.none() | document(explanation=st.none() | TEXTS),
)
MESSAGES = st.fixed_dictionaries(
    {"id": IDS, "content": st.lists(BLOCKS, max_size=3)}, optional={"usage": USAGES}
)
MESSAGES_EVENTS = st.one_of(
    st.fixed_dictionaries({"type": st.just("message_start"), "message": MESSAGES}),
    st.fixed_dictionaries(
        {"type": st.just("content_block_start"), "index": PLACES, "content_block": BLOCKS}
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("content_block_delta"),
            "index": PLACES,
            "delta": document(
                type=st.sampled_from(
                    ["text_delta", "thinking_delta", "input_json_delta", "signature_delta", "x"]
                ),
                text=TEXTS,
                thinking=TEXTS,
                partial_json=TEXTS,
                signature=TEXTS,
            ),
        }
    ),
    st.fixed_dictionaries({"type": st.just("content_block_stop"), "index": PLACES}),
    st.fixed_dictionaries({"type": st.just("message_delta"), "delta": STOPS}),
    st.sampled_from([{"type": "ping"}, {"type": "message_stop"}, {"type": "x"}]),
)

EVENTS = {"chat": CHUNKS, "responses": RESPONSES_EVENTS, "messages": MESSAGES_EVENTS}
WHOLE = {
    "chat": document(id=IDS, choices=st.lists(CHOICES, max_size=2), usage=USAGES),
    "responses": RESPONSES,
    "messages": MESSAGES,
}
RECORDED = {
    name: [r for r in streams() if r.dialect == name and len(r.body) < 30_000] for name in EVENTS
}


def follow(making, events):
    """Every event that comes of it is legal; it stops where the decoder says something is wrong."""
    order, told = Order(), []
    try:
        for name, data in events:
            told += legal(order, making.feed(name, data))
        told += legal(order, making.flush())
    except Senseless:
        return
    fold(told)
    assert all(event.text for event in told if isinstance(event, BlockDelta)), "an empty delta"


class Senseless(Exception):
    """The decoder's own error, told apart from that of the order."""


def legal(order, events):
    for event in events:
        order.follow(event)
    return events


class Honest:
    """A decoder whose errors cannot be taken for those of the order."""

    def __init__(self, making):
        self._making = making

    def feed(self, name, data):
        return self._told(self._making.feed, name, data)

    def flush(self):
        return self._told(self._making.flush)

    def _told(self, of, *data):
        try:
            return of(*data)
        except ValueError as error:
            raise Senseless from error


@pytest.mark.parametrize("think", [False, True])
@BOUNDED
@given(chunks=st.lists(CHUNKS, max_size=8))
def test_any_chunks_in_any_order_make_legal_events_or_an_error(think, chunks):
    making = Honest(decoder("chat", think=think))
    follow(making, [(b"", json.dumps(chunk).encode()) for chunk in chunks])


@pytest.mark.parametrize("dialect", ["responses", "messages"])
@BOUNDED
@given(data=st.data())
def test_any_events_in_any_order_make_legal_events_or_an_error(dialect, data):
    documents = data.draw(st.lists(EVENTS[dialect], max_size=10))
    making = Honest(decoder(dialect))
    follow(making, [(b"", json.dumps(document).encode()) for document in documents])


@pytest.mark.parametrize("dialect", EVENTS)
@BOUNDED
@given(data=st.data())
def test_any_whole_answer_makes_legal_events_or_an_error(dialect, data):
    body = json.dumps(data.draw(WHOLE[dialect])).encode()
    try:
        events = decoder(dialect).whole(body)
    except ValueError:
        return
    fold(events)


@pytest.mark.parametrize("dialect", EVENTS)
@BOUNDED
@given(data=st.data())
def test_a_recording_whose_events_are_lost_repeated_or_moved_makes_legal_events_or_an_error(
    dialect, data
):
    events = list(watched(data.draw(st.sampled_from(RECORDED[dialect]))))
    places = st.integers(0, len(events) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        here, there = data.draw(places), data.draw(places)
        what = data.draw(st.sampled_from(["lose", "repeat", "swap"]))
        if what == "lose":
            events[here] = (b"", b'{"type":"ping"}')
        elif what == "repeat":
            events.insert(there, events[here])
        else:
            events[here], events[there] = events[there], events[here]
    follow(Honest(decoder(dialect)), events)


@pytest.mark.parametrize("dialect", EVENTS)
@BOUNDED
@given(data=st.data())
def test_bytes_that_are_no_event_make_an_error_and_no_other_failure(dialect, data):
    recording = data.draw(st.sampled_from(RECORDED[dialect]))
    name, event = data.draw(st.sampled_from(watched(recording)))
    at = data.draw(st.integers(0, len(event) - 1))
    broken = event[:at] + data.draw(st.binary(max_size=3)) + event[at + 1 :]
    making = decoder(dialect)
    try:
        making.feed(name, broken)
    except ValueError:
        return
    assert isinstance(making.unknown, dict)


# --- streamed and whole

SPOKEN = st.sampled_from(["Hi", " you", "\n\nHi", '"', "{}", "\u2028", "🙂"])
ARGUMENTS = st.sampled_from(['{"x":1}', "{}", '{"text":"🙂\\n"}'])
CUTS = st.integers(1, 5)


def cut(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


@BOUNDED
@given(
    reasoning=st.none() | SPOKEN,
    content=st.none() | SPOKEN,
    arguments=st.lists(ARGUMENTS, max_size=3),
    size=CUTS,
)
def test_a_chat_answer_means_the_same_streamed_and_whole(reasoning, content, arguments, size):
    entries = [
        {"id": f"c{at}", "function": {"name": "f", "arguments": text}}
        for at, text in enumerate(arguments)
    ]
    message = {"reasoning_content": reasoning, "content": content, "tool_calls": entries}
    deltas = [{"reasoning_content": piece} for piece in cut(reasoning or "", size)]
    deltas += [{"content": piece} for piece in cut(content or "", size)]
    for at, entry in enumerate(entries):
        function = {"name": "f", "arguments": ""}
        deltas.append({"tool_calls": [{"index": at, "id": entry["id"], "function": function}]})
        deltas += [
            {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}
            for piece in cut(arguments[at], size)
        ]
    chunks = [{"id": "c", "choices": [{"delta": delta}]} for delta in deltas]
    chunks.append({"id": "c", "choices": [{"delta": {}, "finish_reason": "stop"}]})
    whole = {"id": "c", "choices": [{"message": message, "finish_reason": "stop"}]}
    alike("chat", chunks, whole)


@BOUNDED
@given(
    reasoning=st.lists(SPOKEN, max_size=2),
    content=st.lists(SPOKEN, max_size=2),
    arguments=st.lists(ARGUMENTS, max_size=2),
    size=CUTS,
    last=st.booleans(),
)
def test_a_responses_answer_means_the_same_streamed_and_whole(
    reasoning, content, arguments, size, last
):
    summary = [{"type": "summary_text", "text": text} for text in reasoning]
    parts = [{"type": "output_text", "text": text} for text in content]
    output = [
        {"type": "reasoning", "id": "rs", "summary": summary, "encrypted_content": "x"},
        {"type": "message", "id": "m", "content": parts},
        *(
            {"type": "function_call", "call_id": f"c{at}", "name": "f", "arguments": text}
            for at, text in enumerate(arguments)
        ),
    ]
    events = []
    for place, item in enumerate(output):
        empty = {"content": [], "summary": [], "arguments": "", "encrypted_content": "early"}
        began = item | {key: value for key, value in empty.items() if key in item}
        events.append(about("output_item.added", place, item=began))
        if item["type"] == "reasoning":
            for at, text in enumerate(reasoning):
                kind = "reasoning_summary_text.delta"
                events += [about(kind, place, summary_index=at, delta=d) for d in cut(text, size)]
        elif item["type"] == "message":
            for at, text in enumerate(content):
                kind = "output_text.delta"
                events += [about(kind, place, content_index=at, delta=d) for d in cut(text, size)]
        else:
            kind = "function_call_arguments.delta"
            events += [about(kind, place, delta=d) for d in cut(item["arguments"], size)]
        if last or item["type"] == "reasoning":
            events.append(about("output_item.done", place, item=item))
    whole = {"id": "r", "status": "completed", "output": output}
    started = {"type": "response.created", "response": {"id": "r"}}
    alike("responses", [started, *events, {"type": "response.completed", "response": whole}], whole)


def about(kind, place, **more):
    return {"type": f"response.{kind}", "output_index": place} | more


@BOUNDED
@given(
    blocks=st.lists(
        st.tuples(st.just("text"), SPOKEN)
        | st.tuples(st.just("thinking"), SPOKEN)
        | st.tuples(st.just("tool_use"), ARGUMENTS),
        max_size=4,
    ),
    size=CUTS,
)
def test_a_messages_answer_means_the_same_streamed_and_whole(blocks, size):
    start = {"type": "message_start", "message": {"id": "m", "content": []}}
    events, content = [start], []
    for place, (kind, text) in enumerate(blocks):
        block, deltas = BLOCK_OF[kind](place, text, cut(text, size))
        empty = {"text": "", "thinking": "", "signature": "", "input": {}}
        began = block | {key: value for key, value in empty.items() if key in block}
        events.append({"type": "content_block_start", "index": place, "content_block": began})
        events += [
            {"type": "content_block_delta", "index": place, "delta": delta} for delta in deltas
        ]
        events.append({"type": "content_block_stop", "index": place})
        content.append(block)
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    alike("messages", events, {"id": "m", "content": content, "stop_reason": "end_turn"})


def _text(_place, text, pieces):
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return {"type": "text", "text": text}, deltas


def _thinking(_place, text, pieces):
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
    signed = {"type": "signature_delta", "signature": "s"}
    return {"type": "thinking", "thinking": text, "signature": "s"}, [*deltas, signed]


def _call(place, text, pieces):
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces]]
    return {"type": "tool_use", "id": f"c{place}", "name": "f", "input": json.loads(text)}, deltas


BLOCK_OF = {"text": _text, "thinking": _thinking, "tool_use": _call}


def alike(dialect, documents, whole):
    making = decoder(dialect)
    events = [(b"", json.dumps(document).encode()) for document in documents]
    streamed = [event for name, data in events for event in making.feed(name, data)]
    streamed = fold(streamed + making.flush())
    answer = fold(decoder(dialect).whole(json.dumps(whole).encode()))
    assert [meant(part) for part in streamed.parts] == [meant(part) for part in answer.parts]
    assert (streamed.id, streamed.reason) == (answer.id, answer.reason)


def meant(part):
    """A call's arguments are the same however they are spelt."""
    text = part.text
    if type(part.block).__name__ == "ToolCall":
        text = json.loads(text or "{}")
    return part.block, text, part.opaque
