"""Which patterns of phase rules are safe, at the edges of what counts as the same character."""

from __future__ import annotations

import pytest

from compiler.plan.patterns import one_of, pattern_problem


@pytest.mark.parametrize(
    "pattern",
    [
        r"\D*a*",
        "[a-f]*F*",
        "[a-f]*a*",
        "(ab|ac)*(ab|ac){0,9}",
        "[A-F]*f*",
        "[^a]*b*",
        "b[^ab]*c*",
        r"[\]^-]*\^*",
        r"\W*-*",
        r"\S*-*",
        r"[a\d]*7*",
        "[\u017f]*s*",
        "s*\u017f*",
        "[\u212a]*k*",
        ".*a{0,9}",
        r"\s* *",
        r"\w*a*",
        "[^b]*~*",
        "[^ab]*~*",
        "(sa|\u017fa)" * 15,
    ],
)
def test_repeats_that_may_share_a_text_are_refused(pattern):
    assert "too many ways" in pattern_problem(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"\w+z",
        r"A+a\D?(a|bc)",
        r"\d*a*",
        "[a-f]*z*",
        r"[^b]*B*",
        r"\s*x*",
        r"\W*x*",
        r"\S* *",
        "[a-z]*ß*",
        r"\d*~*",
        r"\D*7*",
        r"\s*~*",
        r"\w*~*",
    ],
)
def test_repeats_that_end_soon_are_let_pass(pattern):
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"(a)\1", "refers back to a group"),
        (r"(a)?(?(1)b|c)", "depends on a group"),
        (r"a(?=b)", "looks around"),
        (r"(?<!a)b", "looks around"),
        (r"(a+)+", "has a repeat or a choice inside a repeat"),
        (r"(a+){2}", "has a repeat or a choice inside a repeat"),
        (r"(a+?)+", "has a repeat or a choice inside a repeat"),
        (r"(a++)+", "has a repeat or a choice inside a repeat"),
        (r"(a|bc)+", "has a repeat or a choice inside a repeat"),
        (r"(a|bc)++", "has a repeat or a choice inside a repeat"),
        (
            "a.*b.*c",
            "can match one text in too many ways: unbounded repeats or choices in a row",
        ),
    ],
)
def test_a_problem_is_told_in_the_words_of_a_finding(pattern, problem):
    assert pattern_problem(pattern) == problem


@pytest.mark.parametrize("pattern", ["(typo)*", "(typo)*?", "(typo)*+", "(refactor)?"])
def test_a_word_that_need_not_stand_there_is_not_asked_for(pattern):
    assert one_of(pattern) == ()


# A pattern with a number to choose -> the largest that lets a search take no more than 20,000 steps
# at one place, and how it is reckoned: each item costs its steps, once for each way of what stands
# before it.
MOST = [
    (r"[ab]{0,100}[ab]{0,%d}c", 196, lambda n: 100 + 101 * n + 101),
    # so many ends has a repeat
    (r"[ab]{50,100}[ab]{0,%d}c", 389, lambda n: 100 + 51 * n + 51),
    # so has one that begins with the fewest
    (r"[ab]{0,100}?[ab]{0,%d}?c", 196, lambda n: 100 + 101 * n + 101),
    # a repeat that gives nothing back has one end
    (r"[ab]{0,100}[ab]{0,%d}+", 197, lambda n: 100 + 101 * n),
    (r"[ab]{0,100}+[ab]{0,100}[ab]{0,%d}", 196, lambda n: 100 + 100 + 101 * n),
    # an end of a word is no step
    (r"[ab]{0,100}\b[ab]{0,%d}", 197, lambda n: 100 + 101 * n),
    # optional letters part none
    (r"[ab]{0,100}x?y?[ab]{0,%d}", 48, lambda n: 100 + 101 + 202 + 404 * n),
    # a word is one step
    (r"[ab]{0,100}abc[ab]{0,%d}c", 195, lambda n: 100 + 101 + 101 * n + 101),
    (r"(?:ab){0,100}(?:ab){0,%d}", 197, lambda n: 100 + 101 * n),
    (r"(?:[ab]{0,9})?[ab]{0,%d}", 1817, lambda n: 9 + 11 * n),
    # both branches may match
    (r"(?:[ab]{0,100}|c)[ab]{0,%d}c", 194, lambda n: 100 + 1 + 102 * n + 102),
    # one branch may match
    (r"(?:x[ab]{0,100}|y[ab]{0,50})[ab]{0,%d}c", 196, lambda n: 101 + 101 * n + 101),
    (r"(?:[ab]{2000}|c)[ab]{0,99}[ab]{0,%d}c", 88, lambda n: 2000 + 1 + 2 * 99 + 200 * n + 200),
    # one way out
    (r"(?>[ab]{0,100}[ab]{0,9})[ab]{0,19}[ab]{0,%d}c", 947, lambda n: 1009 + 19 + 20 * n + 20),
    # what stands never is one step
    (r"[ab]{0,0}[ab]{0,99}[ab]{0,%d}", 199, lambda n: 1 + 99 + 100 * n),
]


@pytest.mark.parametrize(("pattern", "most", "reckoned"), MOST, ids=[row[0] for row in MOST])
def test_the_steps_of_a_search_are_counted_to_the_last_one(pattern, most, reckoned):
    assert reckoned(most) <= 20_000 < reckoned(most + 1)
    assert pattern_problem(pattern % most) == ""
    assert "too many ways" in pattern_problem(pattern % (most + 1))


def test_no_repeat_counts_for_more_than_the_text_that_is_seen():
    assert pattern_problem("[ab]{4000}" * 5) == ""
    assert pattern_problem("[ab]{9000}" * 5) == ""
    assert "too many ways" in pattern_problem("[ab]{4000}" * 5 + "c")
    assert "too many ways" in pattern_problem("(?:[ab]{9000})?[ab]*[ab]*[ab]*c")


@pytest.mark.parametrize("pattern", ["a{9999999999}", "(" * 5000 + ")" * 5000, "(?a)(?u)a", "a**"])
def test_what_the_parser_cannot_take_is_told_and_not_raised(pattern):
    assert pattern_problem(pattern).startswith("is no regular expression: ")


def test_a_word_ends_at_the_first_letter_that_is_not_plain():
    assert one_of("abc\x80abcd") == ("abcd",)
    assert one_of("abc\x7fabcd") == ("abc\x7fabcd",)


@pytest.mark.parametrize(
    ("pattern", "words"), [("abc", ("abc",)), ("ab", ()), ("ab|cde", ()), ("abc|abc", ("abc",))]
)
def test_a_word_has_three_letters_and_is_named_once(pattern, words):
    assert one_of(pattern) == words
