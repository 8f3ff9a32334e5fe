"""A request that crosses to another dialect, and back, says what it said."""

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from msgspec.structs import replace

from runtime.bridges.crossing import Crossing
from runtime.bridges.served import BRIDGES
from runtime.dialects import DIALECTS
from runtime.passage import passage
from tests.bridges.conversation import said
from tests.bridges.crossings import DOMAIN, PAIRS, SETTINGS, SKINS, cases, read, step_to
from tests.bridges.drawn import conversations, written
from tests.runtime.bridges.twice import crossed_twice

CAPTURED = [
    (case, up)
    for case in cases()
    for path, up in PAIRS
    if path == case.path and case.family != "recorded"
]
# Prefills: no bridge to these skins carries them.
REFUSED = [(case, up) for case, up in CAPTURED if step_to(up, read(case)).refused]
CROSSING = [cell for cell in CAPTURED if cell not in REFUSED]
# Messages does without no cap: the skin's own is sent where the caller has none.
CAP = SKINS["messages"].cap.default
# Where requests come back to: a skin that takes what its own dialect has.
HOME = SKINS | {"messages": replace(SKINS["messages"], system_turns="keep")}


BOUNDED = settings(
    max_examples=150,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def named(found):
    return pytest.mark.parametrize(
        ("case", "upstream"), found, ids=[f"{case.name}-{up}" for case, up in found]
    )


@named(CROSSING)
def test_a_captured_request_says_the_same_on_the_other_side(case, upstream):
    there = crossed(case.path, case.body, read(case), upstream)
    _assert_alike(upstream, there, case.path, case.body)


@named(CROSSING)
def test_a_captured_request_says_the_same_after_a_way_there_and_back(case, upstream):
    there = crossed(case.path, case.body, read(case), upstream)
    back = crossed(upstream, there.body, _read(upstream, there.body), case.path, HOME[case.path])
    _assert_alike(case.path, back, case.path, case.body, by=there)


@pytest.mark.parametrize(("dialect", "upstream"), PAIRS)
@BOUNDED
@given(conversation=conversations())
def test_any_conversation_says_the_same_there_and_back(dialect, upstream, conversation):
    body = written(dialect, conversation)
    there = crossed(dialect, body, _read(dialect, body), upstream)
    back = crossed(upstream, there.body, _read(upstream, there.body), dialect, HOME[dialect])
    _assert_alike(upstream, there, dialect, body)
    _assert_alike(dialect, back, dialect, body, by=there)


@pytest.mark.parametrize("dialect", ["messages", "responses"])
@BOUNDED
@given(conversation=conversations())
def test_the_same_conversation_is_said_alike_in_every_dialect(dialect, conversation):
    """Of the oracle: all writers and all readers of it agree."""
    one = said("chat", json.loads(written("chat", conversation)))
    assert said(dialect, json.loads(written(dialect, conversation))) == one


@named(CROSSING)
def test_a_bridge_leaves_what_was_read_as_it_was_and_does_the_same_again(case, upstream):
    reading = read(case)
    step = step_to(upstream, reading).step
    crossing = Crossing(reading=reading, step=step, domain="another-provider")
    crossed_twice(BRIDGES[f"{case.path}_to_{upstream}"], crossing)


def _read(dialect, body):
    reading = DIALECTS[dialect].read(body, {}, SETTINGS)
    assert reading.dialect == dialect, "it would be taken for another dialect"
    return reading


def crossed(dialect, body, reading, upstream, skin=None):
    """What goes to the upstream."""
    way = step_to(upstream, reading, skin)
    assert not way.refused
    return passage(body, reading, dialect, upstream, way.step, DOMAIN).edited


def _assert_alike(dialect, edited, path, body, by=None):
    got, told = said(dialect, json.loads(edited.body)), said(path, json.loads(body))
    if told.plain["cap"] is None and got.plain["cap"] == CAP:
        told.plain["cap"] = CAP
    names = {*edited.dropped, *(by.dropped if by else ())}
    if "tools:from_history" in names:  # Messages wants the tools that its calls are of
        got = got._replace(tools={}, choice=None)
    for now, before in zip(got, told, strict=True):
        assert now == before
