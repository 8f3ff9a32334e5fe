"""What a failing snapshot tells of two locks."""

import pytest

from compiler.testing.difference import difference

OLD = """\
coder chat levels low medium default medium
coder chat web aider/commit -> a b(cap-8192)
coder chat web aider/commit x c,d lacks-stream
coder chat web aider/edit -> a b(cap-8192)
coder chat web aider/edit x c,d lacks-stream
"""
HERE = "aider/edit on `coder` (Chat), project `web`"


def changed(old, new):
    """OLD with a change of its last request."""
    *others, last, out = OLD.splitlines()
    return difference(OLD, "\n".join([*others, last.replace(old, new), out]))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("a b(cap-8192)", "b(cap-8192)", "`a` is no member"),
        ("a b(cap-8192)", "b(cap-8192) a", "b, a (was a, b)"),
        ("b(cap-8192)", "b", "on the way to `b` no more: the output cap is cut to 8192 tokens"),
        ("a b", "a(web_search-dropped) b", "on the way to `a` `web_search` is dropped"),
        ("-> a b(cap-8192)", "refused hosted:mcp", "the deployment refuses `hosted:mcp`"),
    ],
)
def test_a_change_is_told_in_the_words_of_a_review(old, new, told):
    assert changed(old, new).splitlines()[1:] == [f"  {HERE}: {told}"]


def test_what_nobody_answers_comes_first_and_requests_alike_stand_together():
    rows = difference(OLD, OLD.replace("-> a b(cap-8192)", "-> nobody")).splitlines()
    assert rows == [
        "Nobody answers any more",
        "  every request on `coder` (Chat), project `web`: `a` is no member; `b` is no member",
    ]


def test_a_target_that_moves_in_or_out_is_told_with_its_reason():
    now = OLD.replace("-> a b(cap-8192)", "-> b(cap-8192) c")
    now = now.replace(
        "x c,d lacks-stream", "x a over-context\ncoder chat web aider/edit x d lacks-x"
    )
    rows = difference(OLD, now).splitlines()
    assert [row for row in rows if row.startswith("  ")] == [
        "  every request on `coder` (Chat), project `web`: `a` has too small a context",
        "  every request on `coder` (Chat), project `web`: `c` joins (before, it lacks `stream`)",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("low medium default", "low default", "levels of `coder`: `low`, `medium` → `low`"),
        (
            "low medium default medium",
            "none-advertised",
            "default level of `coder`: `medium` → nothing",
        ),
    ],
)
def test_what_is_advertised_is_told_as_a_list_of_models_says_it(old, new, told):
    rows = difference(OLD, OLD.replace(old, new)).splitlines()
    assert rows[0] == "What the model lists say"
    assert f"  {told}" in rows


def test_requests_that_only_one_lock_has_are_shown_as_they_stand():
    rows = difference(OLD, OLD.replace("aider/edit", "aider/ask")).splitlines()
    assert rows == [
        "-coder chat web aider/edit -> a b(cap-8192)",
        "-coder chat web aider/edit x c,d lacks-stream",
        "+coder chat web aider/ask -> a b(cap-8192)",
        "+coder chat web aider/ask x c,d lacks-stream",
    ]


def test_equal_locks_differ_in_nothing():
    assert difference(OLD, OLD) == ""


def test_text_that_is_no_lock_is_compared_line_by_line():
    assert difference("a\nb\n", "a\nc\n") == "-b\n+c"
