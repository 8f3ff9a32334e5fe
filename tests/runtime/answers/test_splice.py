"""One member of a JSON object is found, replaced and taken out; every other byte stays."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.dialects import splice

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NAMES = st.text(max_size=5).filter(lambda name: name not in ("model", "inner"))
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)
SPELLINGS = st.sampled_from([{}, {"indent": 2}, {"separators": (",", ":")}])


def spelled(document, spelling):
    return json.dumps(document, ensure_ascii=False, **spelling).encode("utf-8", "replace")


@given(OBJECTS, OBJECTS, VALUES, SPELLINGS)
def test_a_member_is_found_at_its_own_level_only(before, after, value, spelling):
    document = {**before, "inner": {"model": "no"}, "model": value, **after}
    text = b" \n" + spelled(document, spelling)
    member = splice.find(text, "model")
    assert json.loads(text[member.start : member.end]) == json.loads(spelled(value, spelling))


@given(OBJECTS, OBJECTS, SPELLINGS)
def test_only_the_member_changes(before, after, spelling):
    document = {**before, "inner": {**after, "model": "x"}, **after}
    text = spelled(document, spelling)
    renamed = splice.rename(text, b'"new"', "inner", "model")
    document["inner"]["model"] = "new"
    assert renamed == spelled(document, spelling)


@given(OBJECTS, OBJECTS, VALUES, SPELLINGS)
def test_a_member_is_taken_out_with_its_comma(before, after, value, spelling):
    text = spelled({**before, "model": value, **after}, spelling)
    without = splice.remove(text, splice.find(text, "model"))
    assert json.loads(without) == json.loads(spelled({**before, **after}, spelling))


@given(OBJECTS, SPELLINGS)
def test_what_is_not_there_is_not_found(document, spelling):
    assert splice.find(spelled(document, spelling), "model") is None


@pytest.mark.parametrize("text", [b"", b"[]", b"1", b'"model"', b"{", b'{"model"', b"{}"])
def test_text_without_such_a_member_stays_as_it_is(text):
    assert splice.rename(text, b'"new"', "model") == text


def test_a_value_that_is_no_string_is_not_renamed():
    assert splice.rename(b'{"model":null}', b'"new"', "model") == b'{"model":null}'


def test_a_name_inside_a_string_is_no_member():
    text = rb'{"a":"\"model\":\"x\"","model":"y"}'
    assert splice.rename(text, b'"new"', "model") == rb'{"a":"\"model\":\"x\"","model":"new"}'


@given(OBJECTS, OBJECTS, st.text(max_size=6), SPELLINGS)
def test_an_answer_gets_the_name_at_its_top_level_alone(before, after, old, spelling):
    document = {**before, "inner": [{"model": old}], "model": old, **after}
    text = spelled(document, spelling)
    renamed = splice.name_answer(text, b'"new"', old)
    document["model"] = "new"
    assert renamed == spelled(document, spelling)


@given(OBJECTS.filter(bool), SPELLINGS)
def test_the_only_member_of_that_name_is_found_without_a_walk(rest, spelling):
    document = {**rest, "model": "old"}
    renamed = splice.name_answer(spelled(document, spelling), b'"new"', "old")
    assert renamed == spelled({**rest, "model": "new"}, spelling)


def test_an_answer_without_a_name_gets_one():
    named = splice.name_answer(b' {"id": 1, "inner": {"model": "x"}}', b'"new"', None)
    assert json.loads(named) == {"model": "new", "id": 1, "inner": {"model": "x"}}


def test_an_answer_whose_name_is_null_gets_one():
    assert splice.name_answer(b'{"model":null}', b'"new"', None) == b'{"model":"new"}'
