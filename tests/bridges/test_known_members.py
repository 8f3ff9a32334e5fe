"""A large body on its way over a bridge is read in one pass, where all its members are known."""

import pytest

from runtime.bridges.served import BRIDGES
from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from runtime.passage import passage
from tests.bridges.crossings import DOMAIN, SETTINGS, SKINS, SURFACES, cases, step_to
from tests.runtime.dialects.bodies import step_of

# White space behind a body says nothing, and makes it a large one.
SPACE = b" " * 8192
HISTORIES = {"chat": "messages", "messages": "messages", "responses": "input"}
FAMILIES = sorted({case.family for case in cases()})


def of_a_body(table):
    """The members of a body that a table has rows for; others are of its history, or no members."""
    return {
        name
        for name in table.top
        if name.isidentifier() and name not in ("content", "prefill", "item_reference")
    } - {"redacted_thinking"}


@pytest.mark.parametrize("bridge", BRIDGES)
def test_every_member_that_a_bridge_knows_is_read_in_one_pass(bridge):
    dialect = bridge.partition("_")[0]
    history = HISTORIES[dialect]
    turns = '[{"role":"user","content":"hi"}]'
    for name in of_a_body(BRIDGES[bridge].table) - {history}:
        body = f'{{"{history}":{turns},"{name}":null}}'.encode() + SPACE
        reading = DIALECTS[dialect].read(body, {}, SETTINGS, crosses=True)
        assert list(reading.top) == [name]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kept_request_crosses_in_the_same_form_however_it_was_read(family):
    for case in cases():
        if case.family == family:
            body = case.body + SPACE
            assert outcomes(case, body, crosses=True) == outcomes(case, body, crosses=False)


def outcomes(case, body, *, crosses):
    """What becomes of a body on its way to each upstream, its own dialect's too."""
    try:
        reading = DIALECTS[case.path].read(body, case.headers, SETTINGS, crosses=crosses)
    except CallerError as error:
        return (error.code, error.message, error.param)
    return [outcome(case, body, reading, upstream) for upstream in SURFACES]


def outcome(case, body, reading, upstream):
    """The bytes for one upstream and what was left out, or the error."""
    native = upstream == reading.dialect
    step = step_of(SKINS[upstream]) if native else step_to(upstream, reading).step
    try:
        return passage(body, reading, case.path, upstream, step, DOMAIN).edited
    except CallerError as error:
        return (error.code, error.message, error.param)
