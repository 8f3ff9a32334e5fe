"""Which patterns of phase rules are safe, at the edges of what counts as the same character."""

from __future__ import annotations

import pytest

from compiler.plan.patterns import one_of, pattern_problem


@pytest.mark.parametrize("pattern", [r"\D*a*", "[a-f]*F*", "[a-f]*a*", "(ab|ac)*(ab|ac){0,9}"])
def test_repeats_that_may_share_a_text_are_refused(pattern):
    assert "too many ways" in pattern_problem(pattern)


@pytest.mark.parametrize("pattern", [r"\w+z", r"A+a\D?(a|bc)", r"\d*a*", "[a-f]*z*"])
def test_repeats_that_end_soon_are_let_pass(pattern):
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize("pattern", ["(typo)*", "(refactor)?"])
def test_a_word_that_need_not_stand_there_is_not_asked_for(pattern):
    assert one_of(pattern) == ()
