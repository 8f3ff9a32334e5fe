"""What a passage says was left out: callers choose the names of fields nobody knows."""

import pytest

from runtime.passage import passage
from tests.runtime.dialects.bodies import body_of, open_skin, read, step_of


def dropped(upstream, **fields):
    """The names, for a Chat request with these fields."""
    body = body_of("chat", **fields)
    found = passage(body, read("chat", body), "chat", upstream, step_of(open_skin()), "domain")
    return found.edited.dropped


@pytest.mark.parametrize("upstream", ["messages", "responses"])
def test_what_looks_like_no_name_of_a_field_is_named_by_one_word(upstream):
    odd = {"a secret\x1b[31m": 1, "x" * 65: 1, "\u00e9": 1, "a,b": 1, "x" * 64: 1}
    assert dropped(upstream, new_field=1, **odd, logit_bias={"1": 2}) == (
        "logit_bias",
        "new_field",
        "unknown-field",
        "x" * 64,
    )


@pytest.mark.parametrize("upstream", ["messages", "responses"])
def test_names_that_are_known_are_told_in_one_order_wherever_they_stand(upstream):
    fields = {"seed": 1, "logit_bias": {"1": 2}, "frequency_penalty": 1}
    backwards = dict(reversed(fields.items()))
    assert dropped(upstream, **fields) == dropped(upstream, **backwards)
    assert set(dropped(upstream, **fields)) == set(fields)


def test_so_many_names_are_told_and_the_rest_is_one_word():
    *names, last = dropped("messages", **{f"field_{n}": n for n in range(1000)})
    assert names == [f"field_{n}" for n in range(32)]
    assert last == "unknown-field"


def test_as_many_names_as_are_told_need_no_such_word():
    assert len(dropped("messages", **{f"field_{n}": n for n in range(32)})) == 32
    assert "unknown-field" not in dropped("messages", **{f"field_{n}": n for n in range(32)})
