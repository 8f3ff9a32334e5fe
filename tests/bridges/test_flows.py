"""The short way of a stream's usual event writes what the whole way writes."""

import json
from typing import NamedTuple

import msgspec
import pytest

from runtime import failures
from runtime.bridges.tools import Original, Renamer, ToolNames
from runtime.dialects import DIALECTS
from runtime.sse import Splitter, parse
from tests.bridges.crossings import SKINS
from tests.bridges.replies import cells, events_of, relay, run, way_back
from tests.bridges.test_answers import HOSTED_ALONE
from tests.runtime.answers.recordings import BROKEN

SOUND = [cell for cell in cells(streaming=True) if cell[0].file not in BROKEN.keys() | HOSTED_ALONE]
PLAIN = ToolNames()
# What a text may hold: plain words, escapes in every spelling, letters of other languages.
TEXTS = [
    '"a"',
    '" b"',
    '"\\"q\\\\"',
    '"\\n\\t"',
    '"\\/"',
    '"\\u00e9"',
    '"é\u2028"',
    '""',
    '"~"',
    '" z"',
]


def chunk(text="null", member="content", more="", beside=""):
    """A chunk as providers spell it; the text is spelt as given."""
    return _chunk(f'"{member}":{text}{beside}', more)


def argued(text, index=0, named=""):
    """A piece of a call's arguments."""
    entry = f'{{"index":{index},{named}"function":{{{_NAME if named else ""}"arguments":{text}}}}}'
    return _chunk(f'"tool_calls":[{entry}]')


def _chunk(delta, more=""):
    choice = f'{{"index":0,"delta":{{{delta}}},"finish_reason":null{more}}}'
    return f'data: {{"id":"c","model":"m","choices":[{choice}]}}\n\n'


def ended(reason):
    return f'data: {{"id":"c","model":"m","choices":[{{"index":0,"delta":{{}},{reason}}}]}}\n\n'


def said(text, kind="text_delta", member="text", index=0):
    """A delta of Messages; the text is spelt as given."""
    delta = f'{{"type":"{kind}","{member}":{text}}}'
    return _named("content_block_delta", f'"index":{index},"delta":{delta}')


def began(block, index=0):
    return _named("content_block_start", f'"index":{index},"content_block":{json.dumps(block)}')


def stopped(index=0):
    return _named("content_block_stop", f'"index":{index}')


def _named(kind, members):
    return f'event: {kind}\ndata: {{"type":"{kind}",{members}}}\n\n'


def numbered(*events):
    """Events of Responses, kind and members, each with its number."""
    return [
        f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":{number},{members}}}\n\n'
        for number, (kind, members) in enumerate(events)
    ]


def told(text, kind="output_text", place='"output_index":0,"content_index":0', more=""):
    """A delta of Responses; the text is spelt as given."""
    return f"response.{kind}.delta", f'"item_id":"i",{place},"delta":{text}{more}'


def item(event, output_index, **members):
    made = json.dumps({"id": f"i{output_index}", **members})
    return f"response.output_item.{event}", f'"output_index":{output_index},"item":{made}'


_NAME = '"name":"f",'
_ID = '"id":"call_1","type":"function",'
_LOGPROBS = ',"logprobs":{"content":[{"token":"x","logprob":-1,"bytes":null,"top_logprobs":[]}]}'
_SEALED = ',"reasoning_details":[{"type":"reasoning.encrypted","data":"s","format":"f"}]'
_STOP, _CALLS = '"finish_reason":"stop"', '"finish_reason":"tool_calls"'
_ARGUMENTS = ['"{\\"x\\":"', '"1"', '"2"', '"3"', '"}"']
_BEGIN = _named("message_start", '"message":{"id":"m","type":"message","model":"u","content":[]}')
_END = _named("message_delta", '"delta":{"stop_reason":"end_turn"}')
_END += _named("message_stop", '"usage":null')
_TOOL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
_CREATED = ("response.created", '"response":{"id":"r","status":"in_progress","output":[]}')
_COMPLETED = ("response.completed", '"response":{"id":"r","status":"completed","output":[]}')
_MESSAGE = {"type": "message", "role": "assistant", "content": []}
_THINKING = {"type": "reasoning", "summary": []}
_CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""}
_ASKED = {**_CALL, "arguments": '{"x":123}'}
_SUMMED = '"output_index":0,"summary_index":0'
# What providers pad their events with, so that their sizes tell nothing.
PADDED = {
    "chat": lambda text, pad: _chunk(f'"content":{text}').replace(
        "]}\n", f'],"obfuscation":"{pad}"}}\n'
    ),
    "messages": lambda text, pad: said(text).replace("}}\n", f"}}{' ' * len(pad)}}}\n"),
    "responses": lambda text, pad: told(text, more=f',"logprobs":[],"obfuscation":"{pad}"'),
}
# What comes before the first text.
BEFORE = {
    "chat": [],
    "messages": [_BEGIN, began({"type": "text", "text": ""})],
    "responses": numbered(_CREATED, item("added", 0, **_MESSAGE)),
}
PADS = ["a", "Bc", "", "d3fG", "x" * 16, "1"]
PAIRS_PADDED = [(text, pad) for pad in PADS for text in TEXTS]

# what happens while the text flows -> dialect, events
STREAMS = {
    "texts in every spelling": ("chat", [*map(chunk, TEXTS), *map(chunk, TEXTS), ended(_STOP)]),
    "log probabilities in one of them": (
        "chat",
        [chunk('"a"'), chunk('"b"'), chunk('"c"', more=_LOGPROBS), chunk('"d"'), ended(_STOP)],
    ),
    "log probabilities before their text": (
        "chat",
        [chunk('"a"'), chunk('""', more=_LOGPROBS), chunk('"c"'), chunk('"d"'), ended(_STOP)],
    ),
    "thinking, then words, then thinking": (
        "chat",
        [
            *(chunk(text, "reasoning_content") for text in TEXTS),
            *map(chunk, TEXTS),
            *(chunk(text, "reasoning") for text in TEXTS),
            ended(_STOP),
        ],
    ),
    "the same words under two names": (
        "chat",
        [
            *(chunk('"a"', "reasoning", beside=f',"reasoning_content":{t}') for t in TEXTS),
            ended(_STOP),
        ],
    ),
    "sealed thinking beside the readable": (
        "chat",
        [
            *(
                chunk(
                    t,
                    "reasoning",
                    beside=',"reasoning_details":[{"type":"reasoning.encrypted",'
                    f'"data":"s{n}","index":0,"format":"f"}}]',
                )
                for n, t in enumerate(TEXTS)
            ),
            chunk('"a"'),
            ended(_STOP),
        ],
    ),
    "the same sealed thinking beside each piece of the readable": (
        "chat",
        [*(chunk(t, "reasoning", beside=_SEALED) for t in TEXTS), chunk('"a"'), ended(_STOP)],
    ),
    "a member twice": ("chat", [*(chunk(t, beside=',"content":"b"') for t in TEXTS), ended(_STOP)]),
    "words, a call, words again": (
        "chat",
        [
            *map(chunk, TEXTS),
            argued('""', 0, _ID),
            *map(argued, _ARGUMENTS),
            *map(chunk, TEXTS),
            ended(_CALLS),
        ],
    ),
    "a second call at the index of the first": (
        "chat",
        [
            argued('""', 0, _ID),
            *map(argued, _ARGUMENTS),
            argued('""', 0, _ID.replace("1", "2")),
            *map(argued, _ARGUMENTS),
            ended(_CALLS),
        ],
    ),
    "a call that repeats its name, and another of that name": (
        "chat",
        [*(argued(text, 0, '"type":"function",') for text in _ARGUMENTS * 2), ended(_CALLS)],
    ),
    "words behind the reason of the end": (
        "chat",
        [chunk('"a"'), ended(_STOP), *map(chunk, TEXTS), "data: [DONE]\n\n"],
    ),
    "calls side by side": (
        "chat",
        [
            chunk('"a"'),
            argued('""', 0, _ID),
            *map(argued, _ARGUMENTS),
            argued('""', 1, _ID.replace("1", "2")),
            *(argued(text, index) for text in _ARGUMENTS for index in (1,)),
            ended(_CALLS),
        ],
    ),
    "pings and blocks": (
        "messages",
        [
            _BEGIN,
            began({"type": "thinking", "thinking": "", "signature": ""}),
            *(said(text, "thinking_delta", "thinking") for text in TEXTS),
            said('"sig"', "signature_delta", "signature"),
            stopped(),
            began({"type": "text", "text": ""}, 1),
            *(said(text, index=1) for text in TEXTS),
            _named("ping", '"x":1'),
            *(said(text, index=1) for text in TEXTS),
            stopped(1),
            began(_TOOL, 2),
            *(said(text, "input_json_delta", "partial_json", 2) for text in _ARGUMENTS),
            stopped(2),
            _END,
        ],
    ),
    "numbered texts": (
        "responses",
        numbered(
            _CREATED,
            item("added", 0, **_MESSAGE),
            *map(told, TEXTS * 2),
            item("done", 0, **_MESSAGE),
            _COMPLETED,
        ),
    ),
    "thinking, words and a call, numbered": (
        "responses",
        numbered(
            _CREATED,
            item("added", 0, **_THINKING),
            *(told(text, "reasoning_summary_text", _SUMMED) for text in TEXTS),
            *(told(text, "reasoning_summary_text", _SUMMED[:-1] + "1") for text in TEXTS),
            item("done", 0, **_THINKING),
            item("added", 1, **_MESSAGE),
            *(told(text, place='"output_index":1,"content_index":0') for text in TEXTS),
            *(told(text, place='"output_index":1,"content_index":1') for text in TEXTS),
            item("done", 1, **_MESSAGE),
            item("added", 2, **_CALL),
            *(told(text, "function_call_arguments", '"output_index":2') for text in _ARGUMENTS),
            item("done", 2, **_ASKED),
            _COMPLETED,
        ),
    ),
    "log probabilities in a numbered text": (
        "responses",
        numbered(
            _CREATED,
            item("added", 0, **_MESSAGE),
            *map(told, TEXTS),
            told('"x"', more=',"logprobs":[{"token":"x","logprob":-1}]'),
            *map(told, TEXTS),
            _COMPLETED,
        ),
    ),
    "padded texts of Responses": (
        "responses",
        numbered(
            _CREATED,
            item("added", 0, **_MESSAGE),
            *(PADDED["responses"](*pair) for pair in PAIRS_PADDED),
            _COMPLETED,
        ),
    ),
    "padded texts of Chat": (
        "chat",
        [*(PADDED["chat"](*pair) for pair in PAIRS_PADDED), ended(_STOP)],
    ),
    "padded texts of Messages": (
        "messages",
        [
            _BEGIN,
            began({"type": "text", "text": ""}),
            *(PADDED["messages"](*pair) for pair in PAIRS_PADDED),
            stopped(),
            _END,
        ],
    ),
}
CELLS = [
    pytest.param(dialect, events, surface, id=f"{name} for {surface}")
    for name, (dialect, events) in STREAMS.items()
    for surface in DIALECTS
    if surface != dialect
]


@pytest.mark.parametrize(
    ("recording", "surface"), SOUND, ids=[f"{r.file}-{surface}" for r, surface in SOUND]
)
def test_every_recorded_stream_is_written_as_its_events_are(recording, surface):
    assert run(recording, surface, recording.events).out == _written(recording, surface)


@pytest.mark.parametrize(("dialect", "events", "surface"), CELLS)
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
def test_whatever_comes_between_the_text_is_written_as_its_events_are(
    dialect, events, surface, at_once
):
    pieces = [event.encode() for event in events]
    recording = _Stream(dialect, pieces)
    ran = run(recording, surface, [recording.body] if at_once else pieces)
    assert ran.error is None
    assert ran.out == _written(recording, surface)


FLOWING = [
    pytest.param(dialect, surface, id=f"{dialect}-{surface}")
    for dialect in DIALECTS
    for surface in DIALECTS
    if surface != dialect
]


@pytest.mark.parametrize(("dialect", "surface"), FLOWING)
def test_padded_and_numbered_texts_flow_past_the_decoder(dialect, surface):
    before = BEFORE[dialect]
    texts = [PADDED[dialect]('" word"', pad) for pad in ["ab", "abc", "d"] * 2]
    texts = numbered(*texts) if dialect == "responses" else texts
    made = relay(_Stream(dialect, [event.encode() for event in before + texts]), surface)
    for event in before + texts:
        made.feed(event.encode())
    made._decoder = None  # whoever asked it now would fail
    assert all(b'" word"' in made.feed(event.encode()) for event in texts)
    assert made.error is None


@pytest.mark.parametrize("surface", ["messages", "responses"])
def test_a_failure_right_behind_flowing_text_is_told(surface):
    said_so_far = [chunk(text).encode() for text in TEXTS]
    made = relay(_Stream("chat", said_so_far), surface)
    for piece in said_so_far:
        made.feed(piece)
    out = made.feed(chunk('"last"').encode() + b'data: {"error":{"message":"overloaded"}}\n\n')
    assert b'"last"' in out
    assert made.error is not None
    assert not made.done


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_nothing_flows_behind_what_makes_no_sense(surface):
    text, of_no_block = said('" word"').encode(), said('" word"', index=9).encode()
    made = relay(_Stream("messages", []), surface)
    for event in BEFORE["messages"]:
        made.feed(event.encode())
    assert all(b" word" in made.feed(text) for _ in range(4))
    assert b" word" in made.feed(text + of_no_block)
    assert made.error is not None
    assert made.feed(text) == b""


@pytest.mark.parametrize("surface", ["messages", "responses"])
def test_the_input_of_a_custom_tool_is_told_when_it_is_complete(surface):
    pieces = ['"{\\"input\\":\\""', '"one"', '" two"', '" three"', '"\\"}"']
    events = [argued('""', 0, _ID), *map(argued, pieces), ended(_CALLS)]
    recording = _Stream("chat", [event.encode() for event in events])
    tools = ToolNames({"f": Original("f", custom=True)})
    made = way_back(recording, surface, streaming=True, skin=None)
    told = msgspec.structs.replace(made, tools=tools).watcher(None)
    out = b"".join(map(told.feed, recording.events)) + told.eof()
    assert out == _written(recording, surface, tools)


NUMBERED = [
    pytest.param(dialect, [event.encode() for event in events], id=name)
    for name, (dialect, events) in STREAMS.items()
    if dialect != "responses"
]


@pytest.mark.parametrize(("dialect", "events"), NUMBERED)
@pytest.mark.parametrize("every", [1, 2, 7])
def test_signs_of_life_are_numbered_among_what_flows(dialect, events, every):
    recording = _Stream(dialect, events)
    made = relay(recording, "responses")
    out, signs = b"", 0
    for at, event in enumerate(events):
        out += made.feed(event)
        if made.committed and at % every == 0:
            out += made.ping()
            signs += 1
    told = _documents(out + made.eof())
    assert [each["sequence_number"] for each in told] == list(range(len(told)))
    expected = _documents(_written(recording, "responses"))
    assert len(told) == len(expected) + signs
    assert _unnumbered(told[2:], signs=signs > 0) == _unnumbered(expected[2:])


@pytest.mark.parametrize(("dialect", "events"), NUMBERED)
def test_the_error_of_a_broken_stream_follows_all_that_flowed(dialect, events):
    """Told twice: what is made up for before the first is not made up for again."""
    error = failures.interrupted(failures.from_exception(ConnectionError()))
    for upto in range(len(events)):
        made = relay(_Stream(dialect, events), "responses")
        out = b"".join(map(made.feed, events[:upto]))
        told = _documents(out + made.broken(ConnectionError()))
        for _ in range(2):
            event = DIALECTS["responses"].error_event(error, "req", made.face)
            (last,) = _documents(event)
            assert last["sequence_number"] == len(told)
        assert b"".join(map(made.feed, events)) == b""


@pytest.mark.parametrize(("dialect", "surface"), FLOWING)
@pytest.mark.parametrize("how", ["eof", "broken"])
def test_nothing_flows_behind_the_end(dialect, surface, how):
    text = PADDED[dialect]('" word"', "ab")
    text = numbered(text)[0] if dialect == "responses" else text
    events = [event.encode() for event in [*BEFORE[dialect], *[text] * 4]]
    made = relay(_Stream(dialect, events), surface)
    assert b" word" in [made.feed(event) for event in events][-1]
    made.eof() if how == "eof" else made.broken(ConnectionError())
    assert made.error is not None
    assert made.feed(text.encode()) == b""


# What was said before -> an event that does more, or something else, than to say more of it.
MORE = {
    "the end": (chunk('"a"'), _chunk('"content":"x"', ',"finish_reason":"stop"')),
    "counts": (chunk('"a"'), _chunk('"content":"x"', '}],"usage":{"prompt_tokens":1},"y":[{"z":1')),
    "log probabilities": (chunk('"a"'), chunk('"x"', more=_LOGPROBS)),
    "two choices": (chunk('"a"'), _chunk('"content":"x"', '},{"index":1')),
    "another choice": (chunk('"a"'), chunk('"x"').replace('"index":0', '"index":1')),
    "thinking while words are said": (chunk('"a"'), chunk('"x"', "reasoning")),
    "words while thinking": (chunk('"a"', "reasoning"), chunk('"x"')),
    "words and a refusal": (chunk('"a"'), chunk('"x"', beside=',"refusal":"y"')),
    "nothing": (chunk('"a"'), chunk("null")),
    "no JSON": (chunk('"a"'), "data: {\n\n"),
    "arguments of no call": (chunk('"a"'), argued('"x"')),
    "the beginning of a call": (argued('"1"', 0, _ID), argued('"x"', 1, _ID)),
    "two entries": (argued('"1"', 0, _ID), argued('"x"').replace("}]}", '},{"index":1}]}', 1)),
}
OTHER = {
    "an event of another kind": ("text", said('"x"').replace("content_block_delta", "other")),
    "a delta of another kind": ("text", said('"x"', "thinking_delta", "thinking")),
    "a delta of another block": ("text", said('"x"', index=7)),
    "a signature": ("thinking", said('"x"', "signature_delta", "signature")),
}


@pytest.mark.parametrize(("before", "event"), MORE.values(), ids=list(MORE))
def test_a_chunk_that_does_more_than_to_go_on_does_not_flow(before, event):
    decoder = DIALECTS["chat"].decoder(SKINS["chat"])
    decoder.feed(*parse(before.encode()))
    assert decoder.more(parse(before.replace(_ID, "").replace(_NAME, "").encode())[1]) is not None
    assert decoder.more(parse(event.encode())[1]) is None


@pytest.mark.parametrize(("kind", "event"), OTHER.values(), ids=list(OTHER))
def test_an_event_that_does_more_than_to_go_on_does_not_flow(kind, event):
    decoder = DIALECTS["messages"].decoder(SKINS["messages"])
    member = {"text": "text", "thinking": "thinking"}[kind]
    more = said('"x"', f"{kind}_delta", member)
    for piece in (began({"type": kind, member: ""}), more):
        decoder.feed(*parse(piece.encode()))
    assert decoder.more(parse(more.encode())[1]) is not None
    assert decoder.more(parse(event.encode())[1]) is None


# What was said before -> an event of Responses that does more, or something else.
APART = {
    "another part": told('"x"', place='"output_index":0,"content_index":1'),
    "another item": told('"x"', place='"output_index":1,"content_index":0'),
    "another kind": told('"x"', "refusal"),
    "log probabilities": told('"x"', more=',"logprobs":[{"token":"x"}]'),
    "nothing": told("null"),
}


@pytest.mark.parametrize("event", APART.values(), ids=list(APART))
def test_a_numbered_event_that_does_more_than_to_go_on_does_not_flow(event):
    decoder = DIALECTS["responses"].decoder(SKINS["responses"])
    more = told('"x"')
    events = numbered(_CREATED, item("added", 0, **_MESSAGE), more, more, event)
    for piece in events[:3]:
        decoder.feed(*parse(piece.encode()))
    assert decoder.more(parse(events[3].encode())[1]) is not None
    assert decoder.more(parse(events[4].encode())[1]) is None
    decoder.feed(*parse(events[0].encode()))
    assert decoder.more(parse(events[3].encode())[1]) is None


class _Stream(NamedTuple):
    """Stands in for a recording."""

    dialect: str
    events: list[bytes]
    file: str = "made"

    @property
    def body(self):
        return b"".join(self.events)


def _written(recording, surface, tools=PLAIN):
    """The frames of a stream's events, each on the whole way."""
    made = way_back(recording, surface, streaming=True, skin=None)
    renamer = Renamer(tools, made.way.answer_id)
    encoder = DIALECTS[surface].Encoder(made.way)
    renamed = (told for event in events_of(recording) for told in renamer.feed(event))
    return b"".join(frame for event in renamed for frame in encoder.feed(event))


def _documents(stream):
    return [json.loads(parse(event)[1]) for event in Splitter().feed(stream)]


def _unnumbered(events, *, signs=False):
    """Events without their numbers, and without the signs of life among them."""
    return [
        {name: value for name, value in event.items() if name != "sequence_number"}
        for event in events
        if not signs or event["type"] != "response.in_progress"
    ]
