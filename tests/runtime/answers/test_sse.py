"""Server-sent events are cut and read the same way however their bytes arrive."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import sse

PIECES = st.sampled_from(
    [
        b"data",
        b"data: ",
        b"data:",
        b"event: ",
        b"id: 1",
        b"retry: 3",
        b": comment",
        b'{"a":1}',
        b"x",
        b" ",
        b":",
        "\u2028\u0085é".encode(),
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r",
    ]
)
STREAMS = st.lists(PIECES, max_size=30).map(b"".join)
CUTS = st.lists(st.integers(min_value=0, max_value=200), max_size=8)


def fed(stream, cuts=()):
    """The events of a stream that arrives cut at these places, and what is left at its end."""
    splitter = sse.Splitter()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    events = []
    for start, end in pairwise(places):
        events += splitter.feed(stream[start:end])
    return events, splitter.close(), splitter


def read_by_the_standard(stream):
    """Name and data of each event, line by line as the HTML standard describes it."""
    name, data, events = b"", [], []
    for line in [*re.split(rb"\r\n|\n|\r", stream), b""]:
        if not line:
            if any(data) or len(data) > 1:
                events.append((name, b"\n".join(data)))
            name, data = b"", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return events


def read(events):
    return [(name, data) for name, data in map(sse.parse, events) if data]


@given(STREAMS, CUTS)
def test_events_are_those_of_the_standard_wherever_the_bytes_are_split(stream, cuts):
    events, rest, _ = fed(stream, cuts)
    assert read([*events, rest]) == read_by_the_standard(stream)


@given(STREAMS, CUTS)
def test_no_byte_is_lost_or_made_up(stream, cuts):
    events, rest, _ = fed(stream, cuts)
    joined = b"".join(events) + rest
    assert joined == stream or joined + stream[len(joined) :] == stream
    assert stream[len(joined) :].strip() == b""


@given(st.lists(st.text(max_size=20), max_size=10), CUTS)
def test_text_of_any_kind_survives_inside_a_data_line(texts, cuts):
    lines = [text.replace("\n", "").replace("\r", "").encode() for text in texts]
    stream = b"".join(b"data: x%b\n\n" % line for line in lines)
    events, rest, splitter = fed(stream, cuts)
    assert [sse.parse(event)[1] for event in events] == [b"x" + line for line in lines]
    assert (rest, splitter.fault) == (b"", None)


def test_line_separators_of_unicode_end_no_line():
    payload = '{"text":"one\u2028two\u2029three\u0085four"}'.encode()
    events, _, _ = fed(b"data: " + payload + b"\n\n")
    assert sse.parse(events[0]) == (b"", payload)


def test_data_on_several_lines_is_one_value():
    assert sse.parse(b'event: x\ndata: {"a":\ndata: 1}\n\n') == (b"x", b'{"a":\n1}')


def test_a_byte_order_mark_at_the_start_is_not_part_of_the_first_field():
    assert sse.parse(b"\xef\xbb\xbfdata: 1\n\n") == (b"", b"1")


@pytest.mark.parametrize(
    "event", [b": ping\n\n", b"\n\n", b"retry: 5\n\n", b"id: 7\n\n", b"event: x\n\n"]
)
def test_an_event_without_data_has_none(event):
    assert sse.parse(event)[1] == b""


def test_a_carriage_return_at_the_end_of_a_read_may_be_half_a_line_end():
    splitter = sse.Splitter()
    assert splitter.feed(b"data: 1\r\n\r") == []
    assert splitter.feed(b"\ndata: 2") == [b"data: 1\r\n\r\n"]


def test_an_event_of_lines_that_end_in_carriage_returns_does_not_wait_for_the_next():
    assert sse.Splitter().feed(b"data: 1\r\r") == [b"data: 1\r\r"]


@pytest.mark.parametrize("pieces", [1, 7])
def test_an_event_over_one_mebibyte_is_a_fault_and_those_before_it_are_given_out(pieces):
    stream = b"data: 1\n\ndata: " + b"x" * sse.MAX_EVENT + b"\n\ndata: 2\n\n"
    size = len(stream) // pieces + 1
    events, _, splitter = fed(stream, range(0, len(stream), size))
    assert events == [b"data: 1\n\n"]
    assert splitter.fault


def test_an_event_over_one_mebibyte_is_a_fault_before_it_has_ended():
    splitter = sse.Splitter()
    splitter.feed(b"data: " + b"x" * sse.MAX_EVENT)
    assert splitter.fault
    assert splitter.feed(b"\n\ndata: 2\n\n") == []


def test_many_small_events_may_be_larger_than_one_mebibyte_together():
    stream = b"data: 0123456789\n\n" * 100_000
    events, _, splitter = fed(stream)
    assert (len(events), splitter.fault) == (100_000, None)


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\xc3"])
def test_an_event_that_is_no_utf8_is_a_fault_and_those_before_it_are_given_out(bad):
    stream = "data: é\n\n".encode() + b"data: " + bad + b"\n\ndata: 2\n\n"
    events, _, splitter = fed(stream)
    assert events == ["data: é\n\n".encode()]
    assert splitter.fault


def test_a_character_may_be_split_between_two_reads():
    stream = "data: é\n\n".encode()
    events, _, splitter = fed(stream, [7])
    assert (events, splitter.fault) == ([stream], None)


@pytest.mark.parametrize("tail", [b"data: 1", b"data: 1\n", b"data: 1\r\n"])
def test_an_event_whose_blank_line_is_missing_is_left_over_and_can_be_ended(tail):
    events, rest, _ = fed(b"data: 0\n\n" + tail)
    assert (events, sse.ended(rest)) == ([b"data: 0\n\n"], b"data: 1\n\n")
