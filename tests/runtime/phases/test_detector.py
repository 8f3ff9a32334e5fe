"""Which phase a request is in, by the rules alone."""

import json
import re

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from compiler.plan.patterns import one_of, pattern_problem
from runtime.dialects import DIALECTS
from runtime.errors import CallerError
from runtime.phases import SEEN, Detector, Said, said
from runtime.vocabulary import PhaseRule, Settings
from tests.runtime.dialects.captures import captures

SETTINGS = Settings(name="test")
RULES = Detector(
    (
        PhaseRule("large", min_input_tokens=30_000),
        PhaseRule("small", last_user=r"\btypo\b", max_chars=40),
        PhaseRule("debug", last_user=r"\b(crash|why (is|does))\b", after_tools=False),
        PhaseRule("tools", after_tools=True),
        PhaseRule("rest"),
    )
)
bounded = settings(max_examples=150, deadline=None, phases=(Phase.explicit, Phase.generate))


@pytest.mark.parametrize(
    ("text", "after_tools", "input_tokens", "phase"),
    [
        ("Fix the TYPO.", False, 100, "small"),
        ("Fix the typo.", True, 100, "small"),
        ("Fix the typo. " + "x" * 40, False, 100, "rest"),
        ("Fix the typos.", False, 100, "rest"),
        ("Why is it slow?", False, 100, "debug"),
        ("Why is it slow?", True, 100, "tools"),
        ("", True, 100, "tools"),
        ("", False, 100, "rest"),
        ("Fix the typo.", False, 30_000, "large"),
    ],
)
def test_the_first_rule_whose_conditions_all_hold_tells_the_phase(
    text, after_tools, input_tokens, phase
):
    assert RULES.phase(Said(text, len(text), after_tools), input_tokens) == phase


def test_words_far_before_the_end_are_not_seen():
    detector = Detector((PhaseRule("plan", last_user="plan"), PhaseRule("rest")))
    near, far = said(["plan" + "x" * (SEEN - 4)]), said(["plan" + "x" * SEEN])
    assert (detector.phase(near, 0), detector.phase(far, 0)) == ("plan", "rest")


def test_a_text_longer_than_what_is_seen_is_longer_than_any_limit():
    detector = Detector((PhaseRule("short", max_chars=SEEN), PhaseRule("rest")))
    assert detector.phase(said(["x" * SEEN]), 0) == "short"
    assert detector.phase(said(["x" * (SEEN + 1)]), 0) == "rest"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\b(rename|typo)\b", ("rename", "typo")),
        (r"\bwhy (is|does)\b", ("why ",)),
        (r"(very )?large", ("large",)),
        (r"(re)?factor", ("factor",)),
        (r"clean\s+up", ("clean",)),
        (r"(crash){2,3}", ("crash",)),
        (r"crash|\d+", ()),
        (r"ab", ()),
        (r"[a-z]+", ()),
        (r"straße", ("stra",)),
    ],
)
def test_a_pattern_cannot_be_found_without_its_words(pattern, words):
    assert one_of(pattern) == words


PIECES = st.sampled_from(
    [
        "plan",
        "crash",
        "Is it",
        r"\s+",
        r"\b",
        "(?:why|how) ",
        "x?",
        "[abc]",
        ".*",
        "s",
        "ki",
        "(a|b)",
    ]
)
LETTERS = st.sampled_from([*"planCRASHwhyiskx abc\n", "\u0130", "\u0131", "\u017f", "\u212a", "ß"])


@bounded
@given(st.lists(PIECES, min_size=1, max_size=5).map("".join), st.text(LETTERS, max_size=30))
def test_the_words_never_hide_what_the_pattern_finds(pattern, text):
    if pattern_problem(pattern):
        return
    rule = PhaseRule("found", last_user=pattern, one_of=one_of(pattern))
    found = Detector((rule, PhaseRule("rest"))).phase(Said(text, len(text), False), 0) == "found"
    assert found is (re.search(pattern, text, re.IGNORECASE) is not None)


@bounded
@given(st.text(LETTERS, max_size=20), st.text(LETTERS, max_size=20))
def test_letters_that_only_look_alike_never_hide_a_word(before, after):
    """A pattern takes them for ASCII letters."""
    rule = PhaseRule("found", last_user="skis", one_of=one_of("skis"))
    detector = Detector((rule, PhaseRule("rest")))
    for word in ("SKIS", "\u017fkis", "s\u212ais", "sk\u0131s", "SK\u0130S"):
        text = before + word + after
        assert re.search("skis", text, re.IGNORECASE)
        assert detector.phase(Said(text, len(text), False), 0) == "found"


# --- any body ----------------------------------------------------------------------------------

TEXTS = st.text(max_size=12) | st.sampled_from(
    ["<system-reminder>", "</system-reminder>", "<image name=x>", "</image>", "crash", "<" * 50]
)
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "input_text", "tool_result", "thinking", "x", None])},
    optional={"text": TEXTS | st.none(), "content": TEXTS | st.none() | st.just([])},
)
CONTENT = TEXTS | st.none() | st.lists(PARTS, max_size=4)
TURNS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "role": st.sampled_from(["user", "assistant", "tool", "system", "developer", "", None]),
            "content": CONTENT,
            "type": st.sampled_from(["message", "function_call_output", "reasoning", "_output"]),
            "output": TEXTS,
        },
    ),
    max_size=6,
)


@bounded
@given(TURNS, st.sampled_from(sorted(DIALECTS)), st.sampled_from(["messages", "input"]))
def test_every_body_that_can_be_read_is_in_a_phase(turns, path, member):
    body = json.dumps({member: turns, "max_tokens": 5}).encode()
    try:
        reading = DIALECTS[path].read(body, {}, SETTINGS)
    except CallerError:
        return
    heard = reading.said
    assert len(heard.text) <= SEEN
    assert RULES.phase(heard, reading.shape.input_tokens) in {"small", "debug", "tools", "rest"}


@pytest.mark.parametrize("opening", ["<image ", "<image>", "<", "<image>\n<system-reminder>"])
def test_elements_that_are_never_closed_are_the_callers_own(opening):
    """However many there are: each name's end is looked for once."""
    heard = said([opening * 400_000 + "crash"])
    assert heard.text.endswith(f"{opening}crash")
    assert RULES.phase(heard, 0) == "debug"


def test_every_recorded_request_is_in_a_phase():
    heard = [DIALECTS[c.dialect].read(c.body, c.headers, SETTINGS) for c in captures()]
    assert all(RULES.phase(r.said, r.shape.input_tokens) for r in heard)
