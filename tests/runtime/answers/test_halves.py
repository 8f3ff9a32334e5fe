"""Halves of characters in JSON of a provider: joined, or replaced where the other is missing."""

import json
import re

import pytest

from runtime.dialects import DIALECTS
from runtime.dialects.surrogates import has_halves, mended
from tests.runtime.serving.deployment import (
    CHAT,
    MESSAGES,
    RESPONSES,
    chat_events,
    messages_events,
    responses_events,
)

EVERY = pytest.mark.parametrize("dialect", DIALECTS)
EVENTS = {"chat": chat_events, "responses": responses_events, "messages": messages_events}
WHOLE = {"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES}
DELTA = re.compile(rb'"(?:content|delta|text)": "(Hi\.?)"')


def streamed(dialect: str, *texts: bytes) -> list[bytes]:
    """A stream whose deltas say these texts, in JSON's spelling, and whose end says the whole."""
    whole = b"".join(texts)
    events = []
    for event in EVENTS[dialect]({}):
        said = DELTA.search(event)
        if b'"content": "."' in event:
            continue
        if said is None or b"part" in event or b'"item"' in event or b'"response"' in event:
            events.append(event.replace(b'"Hi."', b'"%b"' % whole))
        else:
            events += [event[: said.start(1)] + text + event[said.end(1) :] for text in texts]
    return events


def told(dialect: str, events: list[bytes]) -> str:
    """What a caller of the same dialect reads."""
    watcher = DIALECTS[dialect].Watcher("asked")
    out = b"".join(watcher.feed(event) for event in events) + watcher.eof()
    assert watcher.done, watcher.error
    documents = [line[6:] for line in out.split(b"\n") if line.startswith(b"data: {")]
    return "".join(map(said_by, map(json.loads, documents)))


def said_by(event) -> str:
    if "choices" in event:
        return "".join(choice["delta"].get("content", "") for choice in event["choices"])
    delta = event.get("delta", "")
    return delta if isinstance(delta, str) else delta.get("text", "")


SMILE = "\N{GRINNING FACE}"


@EVERY
@pytest.mark.parametrize(
    ("texts", "read"),
    [
        ([rb"a \ud83d", rb"\ude00 b"], f"a {SMILE} b"),
        ([rb"\uD83D", rb"\uDE00"], SMILE),
        ([rb"a", rb"b \ud83d", rb"\ude00\ud83d", rb"\ude00"], f"ab {SMILE}{SMILE}"),
        ([rb"a \ud83d!", rb"b"], "a \ufffd!b"),
        ([rb"a \ud83d", rb"b"], "a \ufffdb"),
        ([rb"a", rb"\ude00 b"], "a\ufffd b"),
        ([rb"a \ud83d"], "a \ufffd"),
        ([rb"\ud83d\ud83d\ude00"], f"\ufffd{SMILE}"),
        ([rb"a \ud83d", rb"\ude00 \ud83d"], f"a {SMILE} \ufffd"),
        ([rb"a \\ud83d", rb"b \\\ud83d\ude00"], f"a \\ud83db \\{SMILE}"),
    ],
)
def test_a_stream_with_halves_is_read_to_its_end(dialect, texts, read):
    events = streamed(dialect, *texts)
    assert told(dialect, events) == read
    assert told(dialect, [b"".join(events)]) == read
    assert told(dialect, [bytes([byte]) for byte in b"".join(events)]) == read


@EVERY
def test_the_rest_of_such_a_stream_keeps_its_bytes(dialect):
    plain = rb"caf\u00e9 \ud83d\ude00"
    events = streamed(dialect, plain, rb"\ud83d!", plain)
    watcher = DIALECTS[dialect].Watcher("asked")
    out = b"".join(watcher.feed(event) for event in events)
    assert out.count(b'"%b"' % plain) == 2


def test_a_first_half_at_the_end_of_a_stream_is_not_lost():
    *events, _ = streamed("chat", b"a")
    last = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"},"finish_reason":"stop"}]}'
    assert told("chat", [*events[:-1], last + b"\n\n"]) == "a\ufffd"


@EVERY
def test_an_answer_in_one_piece_with_a_half_is_read(dialect):
    body = json.dumps(WHOLE[dialect]).encode().replace(b'"Hi."', rb'"Hi \ud83d \ud83d\ude00"')
    whole = DIALECTS[dialect].whole(body, "asked")
    assert rb"Hi \ufffd \ud83d\ude00" in whole.body


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (rb'"\ud83d\ude00"', rb'"\ud83d\ude00"'),
        (rb'"\\ud83d"', rb'"\\ud83d"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
        (rb'"\uac00\ud7a3"', rb'"\uac00\ud7a3"'),
        (rb'"\ud83d\u0041"', rb'"\ufffd\u0041"'),
        (rb'"\udfff"', rb'"\ufffd"'),
        (b'"\\', b'"\\'),
    ],
)
def test_only_halves_are_replaced(text, after):
    assert mended(text) == after
    assert has_halves(text) == (text != after)
