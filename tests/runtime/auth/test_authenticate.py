"""Who is let in, and what those learn who are not."""

from __future__ import annotations

import datetime as dt
from hashlib import sha256
from types import SimpleNamespace

import msgspec
import pytest

from runtime.auth import authenticate
from runtime.errors import CallerError
from runtime.vocabulary import Caller, Token

SECRET = "rtr_acme_dana_tools_ci_k1_" + "Zz9" * 10
ID = SECRET.rpartition("_")[0]
TODAY = dt.date(2026, 11, 21)


def holders(*, token=None, caller=None):
    """An artifact's people: one caller with one token, changed as told."""
    base = Caller("dana", "tools", "ci", ("coder",), "all")
    proof = Token("dana", sha256(SECRET.encode()).hexdigest())
    return SimpleNamespace(
        callers={"dana": msgspec.structs.replace(base, **(caller or {}))},
        tokens={ID: msgspec.structs.replace(proof, **(token or {}))},
    )


def ask(headers: dict[bytes, bytes], **changes):
    return authenticate(holders(**changes), headers, TODAY)


def refused(headers: dict[bytes, bytes], **changes) -> CallerError:
    with pytest.raises(CallerError) as caught:
        ask(headers, **changes)
    return caught.value


KEY = SECRET.encode()


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer " + KEY},
        {b"authorization": b"bearer " + KEY},
        {b"authorization": b"  Bearer   " + KEY + b" \t"},
        {b"x-api-key": KEY},
        {b"x-api-key": b"\t" + KEY + b" "},
        {b"authorization": b"Bearer sk-ant-other", b"x-api-key": KEY},
        {b"authorization": b"Bearer " + KEY, b"x-api-key": b"sk-other"},
        {b"authorization": b"Basic abc", b"x-api-key": KEY},
    ],
)
def test_a_token_is_taken_from_either_header(headers):
    token_id, caller = ask(headers)
    assert (token_id, caller.user) == (ID, "dana")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"authorization": b""},
        {b"authorization": b"Bearer"},
        {b"authorization": b"Bearer "},
        {b"authorization": KEY},
        {b"authorization": b"Basic " + KEY},
        {b"x-api-key": KEY[:-1]},
        {b"x-api-key": KEY + b"0"},
        {b"x-api-key": KEY[:-1] + b"A"},
        {b"x-api-key": KEY.replace(b"k1", b"k2")},
        {b"x-api-key": KEY.replace(b"rtr_", b"RTR_")},
        {b"x-api-key": KEY.replace(b"acme_", b"")},
        {b"x-api-key": ID.encode()},
        {b"x-api-key": KEY + b"\xff"},
        {b"x-api-key": "rtr_é_b_c_d_e_".encode() + b"a" * 30},
        {b"x-api-key": KEY + b"\nX"},
        {b"x-api-key": b"rtr_" + b"a" * 100_000},
    ],
)
def test_anything_else_is_no_token(headers):
    error = refused(headers)
    assert (error.status, error.code) == (401, "invalid-api-key")


def test_an_unknown_id_and_a_wrong_secret_read_alike():
    unknown = refused({b"x-api-key": KEY.replace(b"dana", b"nora")})
    wrong = refused({b"x-api-key": KEY[:-1] + b"A"})
    assert unknown.message == wrong.message


@pytest.mark.parametrize(
    ("key", "whose"),
    [
        (b"sk-ant-api03-secretpart", "an Anthropic API key"),
        (b"sk-proj-secretpart", "an OpenAI API key"),
        (b"gsk_secretpart", "no router token"),
    ],
)
def test_a_foreign_key_is_named_and_not_repeated(key, whose):
    for headers in ({b"x-api-key": key}, {b"authorization": b"Bearer " + key}):
        message = refused(headers).message
        assert whose in message
        assert "secretpart" not in message
        assert "rtr_" in message


@pytest.mark.parametrize("holder", ["token", "caller"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "disabled"}, "key-disabled"),
        ({"expires": "2026-11-20"}, "key-expired"),
        ({"expires": "2026-11-21"}, None),
        ({"expires": "2026-11-22"}, None),
    ],
)
def test_status_and_last_day_are_obeyed(holder, change, code):
    headers = {b"x-api-key": KEY}
    if code is None:
        assert ask(headers, **{holder: change})[0] == ID
    else:
        error = refused(headers, **{holder: change})
        assert (error.status, error.code) == (403, code)


def test_who_does_not_know_the_secret_does_not_learn_that_a_token_is_disabled():
    error = refused({b"x-api-key": KEY[:-1] + b"A"}, token={"status": "disabled"})
    assert error.code == "invalid-api-key"
