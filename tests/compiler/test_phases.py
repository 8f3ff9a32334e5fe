"""Which patterns may run on every request, and which phase a sentence gets."""

import pytest

from compiler.checks.phases import phase_of
from compiler.plan.patterns import pattern_problem
from runtime.vocabulary import PhaseRule


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b(rename|typo|reformat)\b",
        r"\b(traceback|exception|why (is|does)|failing|crash)\b",
        r"\btrade-?offs?\b",
        r"^fix\s+the\b" "",
        r"(?i)readme",
        r"a{0,40}b{0,40}",
        r"(?:doc)?string",
        r"[^x]*y",
        r"(?:very )?(?:large|small)",
        r"\bwrite\s+(unit\s+)?tests?\b",
        r"(fix|repair)\s+(the\s+)?(bug|crash)\w*",
        r"\b(add|write)\b.*\b(unit tests?|pytest|jest)\b",
        r"a[^b]*b[^c]*c",
        r"(?:x|a*)b{0,99}",
        r"\d+px\b",
    ],
)
def test_patterns_of_words_are_fine(pattern):
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a+)+b", "inside a repeat"),
        (r"(a|ab)*c", "inside a repeat"),
        (r"(a?)*b", "inside a repeat"),
        (r"((ab){2,9}){2,9}", "inside a repeat"),
        (r"(a)\1", "refers back"),
        (r"(?P<x>a)(?P=x)", "refers back"),
        (r"(a)?(?(1)b|c)", "depends on a group"),
        (r"(?=a)b", "looks around"),
        (r"(?<!a)b", "looks around"),
        (r"(?:x(?!y))", "looks around"),
        (r"a.*b.*c", "unbounded"),
        (r"\s*\s*$", "unbounded"),
        (r"\w*\d*!", "unbounded"),
        (r"[^b]*a[^c]*c", "unbounded"),
        (r"[A-Z]*a{0,99}!", "unbounded"),
        (r"a{0,64}a{0,64}a{0,64}b", "too many ways"),
        (r"[a-z]?" * 25, "too many ways"),
        (r"(a|ab)" * 20, "too many ways"),
        (r"(", "no regular expression"),
        (r"[", "no regular expression"),
        (r"a{5,2}", "no regular expression"),
    ],
)
def test_patterns_that_may_take_long_are_refused(pattern, reason):
    assert reason in pattern_problem(pattern)


def test_the_first_rule_that_holds_tells_the_phase():
    rules = (
        PhaseRule("tools", after_tools=True),
        PhaseRule("small", last_user="typo", max_chars=20),
        PhaseRule("large", min_input_tokens=50),
        PhaseRule("rest"),
    )
    assert phase_of("Fix the TYPO", rules) == "small"
    assert phase_of("Fix the typo in the header of the page", rules) == "rest"
    assert phase_of("", rules) == "rest"


@pytest.mark.parametrize(("letters", "phase"), [("a" * 36, "large"), ("a" * 35, "rest"),
                                                ("ß" * 18, "large")])  # fmt: skip
def test_a_sentence_is_as_large_as_a_quarter_of_its_bytes(letters, phase):
    assert phase_of(letters, (PhaseRule("large", min_input_tokens=9), PhaseRule("rest"))) == phase


def test_in_an_empty_sentence_there_is_no_letter():
    assert phase_of("", (PhaseRule("odd", last_user="[^x]"), PhaseRule("rest"))) == "rest"
    assert phase_of("", (PhaseRule("none", max_chars=0), PhaseRule("rest"))) == "none"
