"""How long what was found out about a token is believed."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from runtime.endpoints.generate import authenticated
from runtime.errors import CallerError
from tests.runtime.auth.test_authenticate import ID, SECRET, holders

LAST = dt.date(2026, 11, 20)  # the last day of the caller
HEAD = {b"authorization": b"Bearer " + SECRET.encode()}


def judged(known: dict[object, object], *, day: dt.date = LAST, head=HEAD, digest: str = "d"):
    """The token's id, for a call on that day whose connection has found out so much."""
    artifact = SimpleNamespace(digest=digest, **vars(holders(caller={"expires": str(LAST)})))
    noon = dt.datetime.combine(day, dt.time(12), dt.UTC).timestamp()
    account = SimpleNamespace(time=noon, serving=SimpleNamespace(artifact=artifact))
    state = SimpleNamespace(today=lambda: day)
    return authenticated(state, account, SimpleNamespace(known=known, headers=head))[0]


def test_a_token_is_proven_once_for_all_equal_heads_of_a_connection():
    known: dict[object, object] = {}
    assert judged(known) == ID
    assert judged(known, head={}) == ID


def test_on_another_day_it_is_judged_anew():
    known: dict[object, object] = {}
    assert judged(known) == ID
    with pytest.raises(CallerError) as caught:
        judged(known, day=LAST + dt.timedelta(days=1))
    assert caught.value.code == "key-expired"


def test_by_another_artifact_it_is_judged_anew():
    known: dict[object, object] = {}
    assert judged(known) == ID
    with pytest.raises(CallerError) as caught:
        judged(known, head={}, digest="another")
    assert caught.value.code == "invalid-api-key"
