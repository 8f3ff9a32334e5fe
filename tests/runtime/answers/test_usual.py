"""An event that differs from the usual one in its text alone is known by its bytes; no other is."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.dialects.usual import Usual, taken_apart

HEAD, TAIL = b'data: {"choices":[{"delta":{"content":"', b'"},"finish_reason":null}]}\n\n'
NUMBERED = b'data: {"sequence_number":%d,"delta":"', b'"}\n\n'
# What a text may be spelt with to be taken over as it is.
SPELT = re.compile(rb'(?:[ !#-\[\]-~]|\\["\\bfnrt])*')


def usual(event: bytes) -> Usual:
    apart = taken_apart(event)
    assert apart is not None
    return Usual(apart, apart.marked)


ALONE = usual(HEAD + b"first" + TAIL)
BESIDE_A_NUMBER = usual(NUMBERED[0] % 7 + b"first" + NUMBERED[1])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=12), st.booleans())
@example("", True)
@example('"', True)
@example("\\", True)
@example("\x7f", True)
@example("é", False)
@example('"},"finish_reason":null}]}\n\n', True)
def test_the_text_of_a_usual_event_is_found_however_it_is_spelt(text: str, escaped: bool):
    spelt = json.dumps(text, ensure_ascii=escaped)[1:-1].encode(errors="replace")
    expected = spelt if SPELT.fullmatch(spelt) else None
    assert ALONE.text(HEAD + spelt + TAIL) == expected
    assert BESIDE_A_NUMBER.text(NUMBERED[0] % 8 + spelt + NUMBERED[1]) == expected


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=4))
def test_bytes_that_are_no_json_string_are_no_text(raw: bytes):
    found = ALONE.text(HEAD + raw + TAIL)
    assert found == (raw if SPELT.fullmatch(raw) else None)


@pytest.mark.parametrize("cut", range(1, len(HEAD + TAIL)))
def test_half_an_event_is_not_the_usual_one(cut: int):
    event = HEAD + TAIL
    assert ALONE.text(event[:-cut]) is None
    assert ALONE.text(event[cut:]) is None


def test_two_events_are_not_the_usual_one():
    event = HEAD + b"a" + TAIL
    assert ALONE.text(event + event) is None
    assert ALONE.text(event[:-1]) is None


def test_an_event_whose_ends_overlap_is_not_the_usual_one():
    event = b'data: {"text":"x"}\n\n'
    short = usual(event)
    assert short.text(b'data: {"text":"}\n\n') is None
    assert short.text(event) == b"x"
