"""Two requests are the same where nothing differs that could change the answer."""

from __future__ import annotations

import json
import struct
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from runtime.cache.key import key_of

FEW = settings(max_examples=60, phases=[Phase.explicit, Phase.generate], deadline=None)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text(st.sampled_from("abz-1"), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
BODIES = st.dictionaries(TEXTS, VALUES, max_size=6)
PLACE = st.tuples(NAMES, NAMES, NAMES, NAMES)


def key(place, body: bytes, **headers: bytes) -> bytes:
    found = key_of(*place, {n.replace("_", "-").encode(): v for n, v in headers.items()}, body)
    assert found is not None
    assert len(found) == 32
    return found


def shuffled(value, draw):
    """The same value with its members in another order, at every depth."""
    if isinstance(value, dict):
        members = draw(st.permutations(list(value.items())))
        return {name: shuffled(inner, draw) for name, inner in members}
    if isinstance(value, list):
        return [shuffled(inner, draw) for inner in value]
    return value


@FEW
@given(PLACE, BODIES, st.data())
def test_order_of_keys_spaces_and_escapes_make_no_difference(place, body, data):
    one = json.dumps(body).encode()
    other = json.dumps(
        shuffled(body, data.draw),
        ensure_ascii=data.draw(st.booleans()),
        indent=data.draw(st.sampled_from([None, 0, 2])),
    )
    assert key(place, one) == key(place, other.encode())


@FEW
@given(PLACE, BODIES, BODIES)
def test_another_body_has_another_key(place, body, other):
    one, two = json.dumps(body, sort_keys=True), json.dumps(other, sort_keys=True)
    assume(one != two)
    assert key(place, one.encode()) != key(place, two.encode())


@FEW
@given(PLACE, PLACE)
def test_another_artifact_project_group_or_surface_has_another_key(place, other):
    """Not even where the names run together to the same text."""
    assume(place != other)
    assert key(place, b'{"model":"coder"}') != key(other, b'{"model":"coder"}')


def test_names_that_run_together_are_told_apart():
    places = [
        ("a", "bc", "d", "e"),
        ("ab", "c", "d", "e"),
        ("a", "b", "cd", "e"),
        ("", "abc", "d", "e"),
    ]
    keys = [key(place, b"{}") for place in places]
    assert len(set(keys)) == len(places)


@FEW
@given(st.binary(max_size=8), st.binary(max_size=8))
def test_headers_that_change_an_answer_change_the_key(version, beta):
    place = ("d", "p", "g", "messages")
    plain = key(place, b"{}", anthropic_version=version, anthropic_beta=beta)
    assert plain == key(place, b"{}", anthropic_version=version, anthropic_beta=beta, x_other=b"1")
    for more in ({"anthropic_version": version + b"1"}, {"anthropic_beta": beta + b"1"}):
        changed = {"anthropic_version": version, "anthropic_beta": beta} | more
        assert key(place, b"{}", **changed) != plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"seed":1}', '{"seed":2}'),
        ('{"seed":1}', '{"seed":"1"}'),
        ('{"seed":null}', "{}"),
        ('{"seed":12345678901234567890123456789}', '{"seed":12345678901234567890123456788}'),
        ('{"seed":0.1}', '{"seed":0.10000000000000000001}'),
        ('{"stop":["a","b"]}', '{"stop":["b","a"]}'),
        ('{"stream":true}', '{"stream":false}'),
        ('{"a":{"b":1},"c":2}', '{"a":{"b":1,"c":2}}'),
    ],
)
def test_what_is_easily_taken_for_the_same(one, other):
    place = ("d", "p", "g", "chat")
    assert key(place, one.encode()) != key(place, other.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b"[" * 5000 + b"]" * 5000,
        b'{"a":%b}' % (b"9" * 5000),
        b'{"a":1,"a":1}',
        b'{"a":[{"b":1,"\\u0062":2}]}',
    ],
)
def test_what_cannot_be_read_has_no_key(body):
    assert key_of("d", "p", "g", "chat", {}, body) is None


def test_a_key_is_the_digest_of_all_parts_behind_their_lengths():
    """Workers and machines share what is kept, so it depends on nothing else."""
    body = b'{"b": 1.50, "a": "\\u00e9"}'
    found = key_of("d", "web", "g", "chat", {b"anthropic-beta": b"x"}, body)
    parts = (b"d", b"web", b"g", b"chat", b"", b"x", '{"a":"é","b":1.50}'.encode())
    assert found == sha256(b"".join(struct.pack(">Q", len(p)) + p for p in parts)).digest()


def test_every_part_counts():
    place = ["digest", "project", "group", "chat"]
    keys = [key(place, b"{}")]
    for at in range(4):
        place[at] += "2"
        keys.append(key(place, b"{}"))
    assert all(one != other for one, other in pairwise(keys))
    assert len(set(keys)) == 5
