"""Reasoning is written in the form a skin declares, in the caller's own dialect."""

import pytest

from runtime.vocabulary import LEVELS, Reasoning
from tests.runtime.dialects.bodies import BUDGETS, body_of, edit, effort, open_skin, sent

ALL = tuple(LEVELS)


def skin_of(control, *levels, **fields):
    """A skin with this reasoning, and one answer's room of summaries."""
    given = {"summaries": True, **fields}
    reasoning = Reasoning(control=control, levels=levels or ALL, **given)
    return open_skin(reasoning=reasoning)


def written(dialect, asked, skin, **step):
    """What stands in the body of all that asks for reasoning, and what was dropped."""
    edited = edit(dialect, body_of(dialect, **asked), skin, **step)
    keys = ("reasoning_effort", "reasoning", "thinking", "output_config", "enable_thinking")
    return {key: value for key, value in sent(edited).items() if key in keys}, edited.dropped


CHAT_HIGH = {"reasoning_effort": "high"}
RESPONSES_HIGH = {"reasoning": {"effort": "high", "summary": "auto"}}
ADAPTIVE = {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
ENABLED = {"thinking": {"type": "enabled", "budget_tokens": 3000}, "max_tokens": 32000}

FORMS = [
    ("chat", CHAT_HIGH, "effort", {"reasoning_effort": "high"}),
    ("chat", CHAT_HIGH, "budget", {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
    ("chat", CHAT_HIGH, "adaptive", {"reasoning_effort": "high", "thinking": {"type": "adaptive"}}),
    ("chat", CHAT_HIGH, "toggle", {"thinking": {"type": "enabled"}}),
    ("chat", {"reasoning": {"effort": "high"}}, "effort", {"reasoning_effort": "high"}),
    ("chat", ENABLED, "effort", {"reasoning_effort": "medium"}),
    ("responses", RESPONSES_HIGH, "effort", {"reasoning": {"effort": "high", "summary": "auto"}}),
    (
        "responses",
        RESPONSES_HIGH,
        "budget",
        {"reasoning": {"summary": "auto", "max_tokens": 16384}},
    ),
    ("responses", RESPONSES_HIGH, "toggle", {"reasoning": {"summary": "auto", "enabled": True}}),
    (
        "responses",
        RESPONSES_HIGH,
        "adaptive",
        {"reasoning": {"effort": "high", "summary": "auto", "enabled": True}},
    ),
    ("messages", ADAPTIVE, "adaptive", ADAPTIVE),
    (
        "messages",
        {**ADAPTIVE, "max_tokens": 32000},
        "budget",
        {"thinking": {"type": "enabled", "budget_tokens": 16384}},
    ),
    ("messages", ADAPTIVE, "effort", {"output_config": {"effort": "high"}}),
    (
        "messages",
        {**ADAPTIVE, "max_tokens": 4096},
        "toggle",
        {"thinking": {"type": "enabled", "budget_tokens": 3072}},
    ),
    (
        "messages",
        ENABLED,
        "adaptive",
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
    ),
    ("messages", ENABLED, "budget", {"thinking": {"type": "enabled", "budget_tokens": 3000}}),
    # an effort without thinking is adaptive's own way to say that answers may stay short
    (
        "messages",
        {"output_config": {"effort": "high"}},
        "adaptive",
        {"output_config": {"effort": "high"}},
    ),
]


@pytest.mark.parametrize(("dialect", "asked", "control", "expected"), FORMS)
def test_an_asked_level_is_written_in_the_skins_form(dialect, asked, control, expected):
    assert written(dialect, asked, skin_of(control)) == (expected, ())


def test_other_fields_of_the_same_objects_stay():
    asked = {
        "thinking": {"type": "enabled", "budget_tokens": 3000, "display": "omitted"},
        "output_config": {"format": {"type": "json_schema"}, "effort": "low"},
        "max_tokens": 32000,
    }

    fields, _ = written("messages", asked, skin_of("adaptive"))

    assert fields == {
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"format": {"type": "json_schema"}, "effort": "low"},
    }


MAPS = [
    ("chat", {"reasoning_effort": "xhigh"}, "effort", {"reasoning_effort": "high"}),
    (
        "messages",
        {"thinking": {"type": "enabled", "budget_tokens": 31999}, "max_tokens": 64000},
        "budget",
        {"thinking": {"type": "enabled", "budget_tokens": 16384}},
    ),
    (
        "messages",
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
        "adaptive",
        ADAPTIVE,
    ),
]


@pytest.mark.parametrize(("dialect", "asked", "control", "expected"), MAPS)
def test_a_level_is_mapped_where_the_skin_says_so(dialect, asked, control, expected):
    skin = skin_of(control, "low", "high", map=(("xhigh", "high"),))

    assert written(dialect, asked, skin) == (expected, ())


# --- left out ----------------------------------------------------------------------------------

LEFT_OUT = [
    ("chat", CHAT_HIGH, {}, "reasoning.high"),
    ("chat", {"reasoning": {"effort": "high"}}, {}, "reasoning.high"),
    ("responses", RESPONSES_HIGH, {"reasoning": {"summary": "auto"}}, "reasoning.high"),
    ("messages", ADAPTIVE, {}, "reasoning.high"),
    ("messages", ENABLED, {}, "reasoning.medium"),
]


@pytest.mark.parametrize(("dialect", "asked", "expected", "dropped"), LEFT_OUT)
def test_a_level_the_skin_does_not_keep_is_left_out(dialect, asked, expected, dropped):
    skin = skin_of("effort", "minimal")

    assert written(dialect, asked, skin, keep_level=False) == (expected, (dropped,))


def test_adaptive_thinking_stays_when_only_its_effort_is_unknown():
    fields, dropped = written("messages", ADAPTIVE, skin_of("adaptive", "low"), keep_level=False)

    assert fields == {"thinking": {"type": "adaptive"}}
    assert dropped == ("reasoning.high",)


NO_REASONING = [
    ("chat", CHAT_HIGH, {}, ("reasoning.high",)),
    ("chat", {"reasoning_effort": "none"}, {}, ()),
    ("chat", {"thinking": {"type": "disabled"}}, {}, ()),
    ("responses", RESPONSES_HIGH, {}, ("reasoning.high", "reasoning.summary")),
    ("responses", {"reasoning": {"summary": "auto"}}, {}, ("reasoning.summary",)),
    ("responses", {"reasoning": {"effort": "none"}}, {}, ()),
    ("messages", ADAPTIVE, {}, ("reasoning.high",)),
    ("messages", {"thinking": {"type": "adaptive"}}, {}, ("thinking",)),
    ("messages", {"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}, ()),
    ("messages", {}, {}, ()),
]


@pytest.mark.parametrize(("dialect", "asked", "expected", "dropped"), NO_REASONING)
def test_a_skin_without_reasoning_gets_none(dialect, asked, expected, dropped):
    assert written(dialect, asked, open_skin()) == (expected, dropped)


def test_summaries_are_left_out_where_the_skin_has_none():
    skin = skin_of("effort", summaries=False)

    fields, dropped = written("responses", RESPONSES_HIGH, skin)

    assert fields == {"reasoning": {"effort": "high"}}
    assert dropped == ("reasoning.summary",)


def test_clearing_thinking_goes_where_thinking_goes():
    edits = [{"type": "clear_thinking_20251015", "keep": "all"}, {"type": "clear_tool_uses_1"}]
    body = body_of("messages", **ADAPTIVE, context_management={"edits": edits})

    assert sent(edit("messages", body, open_skin()))["context_management"] == {"edits": edits[1:]}
    only = body_of("messages", **ADAPTIVE, context_management={"edits": edits[:1]})
    assert "context_management" not in sent(edit("messages", only, open_skin()))
    kept = sent(edit("messages", body, skin_of("adaptive")))
    assert kept["context_management"] == {"edits": edits}


# --- switched off ------------------------------------------------------------------------------

OFF = [
    ("chat", {"reasoning_effort": "none"}, "effort", {"reasoning_effort": "none"}),
    ("chat", {"reasoning_effort": "none"}, "budget", {"thinking": {"type": "disabled"}}),
    ("chat", {"reasoning_effort": "none"}, "toggle", {"thinking": {"type": "disabled"}}),
    ("chat", {"thinking": {"type": "disabled"}}, "toggle", {"thinking": {"type": "disabled"}}),
    ("chat", {"thinking": {"type": "disabled"}}, "effort", {"reasoning_effort": "none"}),
    ("responses", {"reasoning": {"effort": "none"}}, "effort", {"reasoning": {"effort": "none"}}),
    ("responses", {"reasoning": {"effort": "none"}}, "toggle", {"reasoning": {"enabled": False}}),
    ("messages", {"thinking": {"type": "disabled"}}, "budget", {"thinking": {"type": "disabled"}}),
    (
        "messages",
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
        "adaptive",
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
    ),
    (
        "messages",
        {"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}},
        "budget",
        {"thinking": {"type": "disabled"}},
    ),
]


@pytest.mark.parametrize(("dialect", "asked", "control", "expected"), OFF)
def test_thinking_is_switched_off_in_the_skins_form(dialect, asked, control, expected):
    fields = written(dialect, asked, skin_of(control), group_default="high")

    assert fields == (expected, ())


def test_none_may_be_mapped():
    skin = skin_of("effort", "minimal", map=(("none", "minimal"),))

    assert written("chat", {"reasoning_effort": "none"}, skin) == (
        {"reasoning_effort": "minimal"},
        (),
    )


def test_none_that_cannot_be_said_is_named():
    skin = skin_of("effort", "low")

    assert written("chat", {"reasoning_effort": "none"}, skin, keep_level=False) == (
        {},
        ("reasoning.none",),
    )


def test_a_switch_that_cannot_be_turned_is_named():
    asked = {"thinking": {"type": "disabled"}}

    assert written("chat", asked, skin_of("effort", "low")) == ({}, ("thinking",))
    assert written("chat", asked, open_skin()) == ({}, ())


# --- thinking without a level ------------------------------------------------------------------

ON = {"thinking": {"type": "adaptive"}}
ALONE = [
    ("adaptive", None, ON, ()),
    ("toggle", None, {"thinking": {"type": "enabled"}}, ()),
    ("toggle", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, ()),
    ("budget", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, ()),
    ("budget", None, {}, ("thinking",)),
    ("effort", "low", {"output_config": {"effort": "low"}}, ()),
    ("effort", None, {}, ("thinking",)),
]


@pytest.mark.parametrize(("control", "default", "expected", "dropped"), ALONE)
def test_thinking_without_a_level_is_written_as_the_skin_can(control, default, expected, dropped):
    assert written("messages", ON, skin_of(control), group_default=default) == (expected, dropped)


# --- defaults ----------------------------------------------------------------------------------

TOOL = {"tools": [{"type": "function", "function": {"name": "f"}}]}
DEFAULTS = [
    ("chat", {}, "effort", {"reasoning_effort": "medium"}),
    ("chat", CHAT_HIGH, "effort", {"reasoning_effort": "high"}),
    ("chat", {**TOOL, "tool_choice": "auto"}, "effort", {"reasoning_effort": "medium"}),
    ("chat", {**TOOL, "tool_choice": "required"}, "effort", {}),
    ("chat", {"temperature": 0}, "effort", {}),
    ("chat", {"thinking": {"type": "disabled"}}, "toggle", {"thinking": {"type": "disabled"}}),
    (
        "responses",
        {"reasoning": {"summary": "auto"}},
        "effort",
        {"reasoning": {"summary": "auto", "effort": "medium"}},
    ),
    (
        "messages",
        {},
        "adaptive",
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
    ),
    (
        "messages",
        {"max_tokens": 32000},
        "budget",
        {"thinking": {"type": "enabled", "budget_tokens": 8192}},
    ),
    (
        "messages",
        {"max_tokens": 4096},
        "budget",
        {"thinking": {"type": "enabled", "budget_tokens": 3072}},
    ),
    ("messages", {"max_tokens": 2047}, "budget", {}),
]


@pytest.mark.parametrize(("dialect", "asked", "control", "expected"), DEFAULTS)
def test_the_default_of_the_group_is_filled_in_where_nothing_is_asked(
    dialect, asked, control, expected
):
    skin = skin_of(control, rejects=("temperature",))

    assert written(dialect, asked, skin, group_default="medium") == (expected, ())


def test_each_skin_has_its_own_form_of_the_default():
    mapped = skin_of("effort", "low", map=(("xhigh", "low"),))
    own = skin_of("effort", "low", default="low")
    neither = skin_of("effort", "low")

    for skin, expected in (
        (mapped, {"reasoning_effort": "low"}),
        (own, {"reasoning_effort": "low"}),
        (neither, {}),
        (open_skin(), {}),
    ):
        assert written("chat", {}, skin, group_default="xhigh") == (expected, ())


# --- what goes with it -------------------------------------------------------------------------

REJECTING = open_skin(reasoning=effort("high", rejects=("temperature", "top_p")))


def test_parameters_a_skin_rejects_go_when_reasoning_was_asked_for():
    body = body_of("chat", **CHAT_HIGH, temperature=1, top_k=3)

    edited = edit("chat", body, REJECTING)

    assert edited.body == body_of("chat", model="up", **CHAT_HIGH, top_k=3)
    assert edited.dropped == ("temperature",)


def test_parameters_a_skin_rejects_stay_when_no_reasoning_was_asked_for():
    edited = edit("chat", body_of("chat", temperature=1), REJECTING, group_default="high")

    assert edited.body == body_of("chat", model="up", temperature=1)
    assert edited.dropped == ()


def test_parameters_a_skin_rejects_stay_when_the_level_is_left_out():
    body = body_of("chat", reasoning_effort="low", temperature=1)

    edited = edit("chat", body, REJECTING, keep_level=False)

    assert edited.body == body_of("chat", model="up", temperature=1)
    assert edited.dropped == ("reasoning.low",)


BUDGET_SIZES = [
    (3000, 32000, None, None, 3000),
    (500, 32000, None, None, 1024),
    (500, 32000, 256, None, 500),
    (100, 32000, 256, None, 256),
    (30000, 64000, None, 20000, 20000),
    (31999, 32000, None, None, 30976),
    (32000, 8000, None, None, 6976),
    (3000, 4024, None, None, 3000),
    (3000, 4023, None, None, 2999),
    (3000, 2048, None, None, 1024),
    (3000, 2047, None, None, None),
    (3000, 32000, 5000, 4000, None),
]


@pytest.mark.parametrize(("asked", "cap", "least", "most", "expected"), BUDGET_SIZES)
def test_a_budget_stays_in_bounds_and_below_the_cap(asked, cap, least, most, expected):
    skin = skin_of("budget", min_budget=least, max_budget=most)
    thinking = {"type": "enabled", "budget_tokens": asked}

    fields, _ = written("messages", {"thinking": thinking, "max_tokens": cap}, skin)

    assert fields.get("thinking", {}).get("budget_tokens") == expected


def test_the_budget_is_held_below_the_clamped_cap():
    asked = {"thinking": {"type": "enabled", "budget_tokens": 15999}, "max_tokens": 47999}

    fields, _ = written("messages", asked, skin_of("budget"), cap=8192)

    assert fields["thinking"]["budget_tokens"] == 8192 - 1024


def test_a_level_without_a_budget_of_its_own_has_a_default_one():
    skin = skin_of("budget")
    asked = {"reasoning_effort": "max"}

    fields, _ = written("chat", asked, skin, budgets=BUDGETS)

    assert fields["thinking"]["budget_tokens"] == 63999


def test_a_forced_tool_keeps_an_effort_from_switching_thinking_on():
    tools = {"tools": [{"name": "f"}], "tool_choice": {"type": "any"}, "max_tokens": 32000}
    asked = {"output_config": {"effort": "high"}, **tools}

    assert written("messages", asked, skin_of("budget")) == ({}, ("reasoning.high",))


def test_budgets_are_refused_in_a_turn_whose_signatures_are_gone():
    history = [
        {"role": "user", "content": "hi"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
    ]
    asked = {**ENABLED, "messages": history}

    kept, _ = written("messages", asked, skin_of("budget"))
    gone, dropped = written("messages", asked, skin_of("budget"), same_continuity=False)

    assert kept == {"thinking": ENABLED["thinking"]}
    assert gone == {}
    assert dropped == ("reasoning.medium", "thinking.signature")
