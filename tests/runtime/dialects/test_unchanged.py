"""What no declared change touches goes upstream as the very bytes that came."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.vocabulary import LEVELS, Reasoning
from tests.runtime.dialects.bodies import body_of, edit, open_skin, read

KNOWS_ALL = Reasoning(control="effort", levels=tuple(LEVELS), summaries=True)
SKINS = [open_skin(), open_skin(reasoning=KNOWS_ALL)]
UNKNOWN = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=6).map(
    lambda name: f"x_{name}"
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
@pytest.mark.parametrize("skin", SKINS, ids=["no reasoning", "reasoning"])
@settings(max_examples=60, deadline=None)
@given(
    fields=st.dictionaries(UNKNOWN, VALUES, max_size=5),
    escaped=st.booleans(),
    spaces=st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t: ")]),
)
def test_every_value_but_the_model_keeps_its_spelling(dialect, skin, fields, escaped, spaces):
    whole = {**json.loads(body_of(dialect)), **fields}
    body = json.dumps(whole, ensure_ascii=escaped, separators=spaces).encode()

    edited = edit(dialect, body, skin)

    before, after = _members(body), _members(edited.body)
    assert after.pop("model") == b'"up"'
    del before["model"]
    assert list(after.items()) == list(before.items())
    assert edited.dropped == ()


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
def test_what_is_judged_of_a_repeated_key_is_what_is_sent(dialect):
    body = body_of(dialect, tools=[{"type": "function", "name": "f"}])
    twice = body[:-1] + b',"model":"other","tools":[]}'

    reading = read(dialect, twice)
    edited = edit(dialect, twice, open_skin())

    assert (reading.model, reading.shape.tools) == ("other", 0)
    assert _members(edited.body)["tools"] == b"[]"
    assert edited.body.count(b'"tools"') == edited.body.count(b'"model"') == 1


def test_a_body_may_be_edited_again_for_the_next_candidate():
    body = body_of("messages", output_config={"effort": "high"}, thinking={"type": "adaptive"})

    first = edit("messages", body, open_skin())
    second = edit("messages", body, open_skin(reasoning=KNOWS_ALL))

    assert b"effort" not in first.body
    assert b'"effort":"high"' in second.body
    assert edit("messages", body, open_skin()) == first


def test_large_bodies_are_read_and_edited_like_small_ones():
    image = "data:image/png;base64," + "A" * 1_000_000
    part = {"type": "image_url", "image_url": {"url": image}}
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "é" * 500_000}, part]},
        {"role": "user", "content": "go on"},
    ]
    body = body_of("chat", messages=turns)

    assert read("chat", body).shape.images == 1
    assert edit("chat", body, open_skin()).body == body.replace(b'"group"', b'"up"', 1)


def _members(body: bytes) -> dict[str, bytes]:
    return {
        key: bytes(raw)
        for key, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()
    }
