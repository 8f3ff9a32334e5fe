"""Chat requests on their way to Messages upstreams."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.bridges.chat_to_messages import TABLE
from runtime.bridges.fields import Fate
from runtime.bridges.parts import GO_ON, MISSING_RESULT, NO_RESULT
from runtime.bridges.to_messages.turns import Turns
from runtime.bridges.tools import Original
from runtime.errors import CallerError
from runtime.events import Opaque
from runtime.opaque import wrap
from runtime.vocabulary import PREFILL, TOOLS
from tests.runtime.bridges.to_messages import (
    DOMAIN,
    THINKS,
    capture,
    cross,
    cross_body,
    reaches,
    recorded,
)
from tests.runtime.dialects.bodies import PNG, open_skin

REQUESTS = recorded("chat")
# Recorded requests for what Messages has not got; eligibility keeps them from this bridge.
REFUSED = {
    "azure__structured__1": "response_format",
    "ollama-cloud__structured-reasoning__1": "response_format",
    "openai__file__1": "messages[2].content[0]",
    "openai__file__2": "messages[0].content[2]",
}
CACHED = open_skin(prompt_cache="explicit")
THINKING = open_skin(reasoning=THINKS)
EPHEMERAL = {"type": "ephemeral"}

USER = {"role": "user", "content": "hi"}
LOOK = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
PATCH = {
    "type": "custom",
    "custom": {
        "name": "apply_patch",
        "description": "Edits files.",
        "format": {
            "type": "grammar",
            "grammar": {"syntax": "lark", "definition": "start: begin hunk+ end"},
        },
    },
}


def called(*ids, content=None, name="look", **more):
    calls = [
        {"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}}
        for id_ in ids
    ]
    return {"role": "assistant", "content": content, "tool_calls": calls, **more}


def result(call_id, content="done"):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def envelope(domain=DOMAIN, index=0, **data):
    opaque = Opaque("messages", data or {"signature": "c2ln"})
    state = {"type": "reasoning.encrypted", "data": wrap(opaque, domain)}
    return {**state, "format": "interlock", "index": index}


def text(words, **more):
    return {"type": "text", "text": words, **more}


def used(call_id, name="look", given=None):
    return {"type": "tool_use", "id": call_id, "name": name, "input": given or {}}


def gave(call_id, content="done", **more):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def thinking(words):
    return {"type": "thinking", "thinking": words, "signature": "c2ln"}


def crossed(*messages, skin=None, step=None, **fields):
    return cross("chat", skin, step, messages=list(messages), **{"tools": [LOOK], **fields})


def told(*messages, **given):
    return crossed(*messages, **given).top["messages"]


# --- what real clients send ----------------------------------------------------------------------


@pytest.mark.parametrize("skin", [open_skin(), CACHED], ids=["plain", "cached"])
@pytest.mark.parametrize("request_", REQUESTS, ids=[name for name, *_ in REQUESTS])
def test_every_recorded_request_becomes_one_that_anthropic_takes(request_, skin):
    name, body, headers = request_
    if name in REFUSED:
        with pytest.raises(CallerError) as caught:
            cross_body("chat", body, skin, headers)
        assert caught.value.param == REFUSED[name]
    else:
        cross_body("chat", body, skin, headers)


def test_there_are_recordings_of_opencode_and_aider():
    assert {name.split("/")[0] for name, *_ in REQUESTS if "/" in name} == {"opencode", "aider"}
    assert len(REQUESTS) > 200


def test_an_opencode_turn_keeps_its_parallel_calls_together():
    made = cross_body("chat", capture("opencode/chat_parallel_tool_calls.03"))
    turns = made.top["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [block["type"] for block in turns[1]["content"]] == ["tool_use"] * 2
    assert [block["type"] for block in turns[2]["content"]] == ["tool_result"] * 2
    assert made.top["max_tokens"] == 32000
    assert made.top["stream"] is True
    assert made.dropped == ()


def test_an_image_of_aiders_is_an_image_block():
    made = cross_body("chat", capture("aider/image.01"))
    blocks = [block for turn in made.top["messages"] for block in turn["content"]]
    [image] = [block for block in blocks if block["type"] == "image"]
    assert image["source"]["media_type"] == "image/png"
    assert made.dropped == ("content[].detail",)


# --- the history ---------------------------------------------------------------------------------

OLD_CALL = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
CUSTOM_CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {"id": "a", "type": "custom", "custom": {"name": "apply_patch", "input": "*** x"}}
    ],
}
CONVERSATIONS = {
    "a text and its calls are one turn, and all results the next": (
        [USER, called("a", "b", content="Let me look."), result("b", "2"), result("a", "1"), USER],
        [
            {"role": "user", "content": [text("hi")]},
            {"role": "assistant", "content": [text("Let me look."), used("a"), used("b")]},
            {"role": "user", "content": [gave("a", "1"), gave("b", "2"), text("hi")]},
        ],
    ),
    "results are strings or parts": (
        [USER, called("a"), result("a", [text("1"), text("2")])],
        [
            {"role": "user", "content": [text("hi")]},
            {"role": "assistant", "content": [used("a")]},
            {"role": "user", "content": [gave("a", [text("1"), text("2")])]},
        ],
    ),
    "a custom call is one of a string": (
        [USER, CUSTOM_CALL, result("a")],
        [
            {"role": "user", "content": [text("hi")]},
            {"role": "assistant", "content": [used("a", "apply_patch", {"input": "*** x"})]},
            {"role": "user", "content": [gave("a")]},
        ],
    ),
    "a refusal is what the assistant said": (
        [USER, {"role": "assistant", "content": None, "refusal": "No."}, USER],
        [
            {"role": "user", "content": [text("hi")]},
            {"role": "assistant", "content": [text("No.")]},
            {"role": "user", "content": [text("hi")]},
        ],
    ),
    "later system messages are folded into the user's": (
        [{"role": "system", "content": "A"}, USER, {"role": "developer", "content": "B"}],
        [{"role": "user", "content": [text("hi"), text("B")]}],
    ),
}


@pytest.mark.parametrize(
    "case", CONVERSATIONS, ids=[name.replace(" ", "-") for name in CONVERSATIONS]
)
def test_a_history_is_told_in_turns(case):
    messages, turns = CONVERSATIONS[case]
    assert told(*messages, skin=open_skin(system_turns="fold")) == turns


def test_calls_without_ids_are_paired_by_name_and_order():
    outcome = {"role": "function", "name": "f", "content": "1"}
    turns = told(USER, OLD_CALL, outcome, OLD_CALL, {**outcome, "content": "2"})
    first, second = turns[1]["content"][0], turns[3]["content"][0]
    assert first["id"] != second["id"]
    assert turns[2]["content"] == [gave(first["id"], "1")]
    assert turns[4]["content"] == [gave(second["id"], "2")]


def test_two_calls_of_one_id_have_their_results_in_order():
    turns = told(USER, called("", ""), result("", "1"), result("", "2"))
    first, second = turns[1]["content"]
    assert turns[2]["content"] == [gave(first["id"], "1"), gave(second["id"], "2")]


def test_the_result_of_an_id_that_came_again_belongs_to_the_later_call():
    made = crossed(USER, called("a"), USER, called("a"), result("a", "2"))
    turns = made.top["messages"]
    again = turns[3]["content"][0]["id"]
    assert turns[2]["content"] == [gave("a", NO_RESULT), text("hi")]
    assert turns[4]["content"] == [gave(again, "2")]
    assert made.dropped == (MISSING_RESULT,)


def test_a_late_result_does_not_end_the_turn_it_comes_into():
    more = {"role": "assistant", "content": "More."}
    turns = told(USER, called("a"), USER, called("b"), result("a", "1"), more, result("b", "2"))
    assert turns[2]["content"] == [gave("a", "1"), text("hi")]
    assert turns[3]["content"] == [used("b"), text("More.")]
    assert turns[4]["content"] == [gave("b", "2")]


class Counted(str):
    """An id that counts how often one is compared with another."""

    compared = 0
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other):
        Counted.compared += 1
        return str.__eq__(self, other)


def tell_ids_that_come_again(turns, count):
    for name in [f"c{number}" for number in range(count)] * 2:
        turns.call(Counted(name), "look", {})


def tell_late_results(turns, count):
    for letter in "ab":
        for number in range(count):
            turns.call(Counted(f"{letter}{number}"), "look", {})
        if letter == "a":
            turns.say("user", [text("hi")])
    for number in range(count):
        turns.result(Counted(f"a{number}"), "1")


@pytest.mark.parametrize("tell", [tell_ids_that_come_again, tell_late_results])
def test_a_call_is_found_without_a_look_at_every_other(tell):
    Counted.compared, count = 0, 200
    turns = Turns({}, "thinking", keep_system=False)
    tell(turns, count)
    turns.finish(prefill=False)
    assert Counted.compared < 20 * count


def test_a_result_that_says_nothing_came_all_the_same():
    made = crossed(USER, called("a"), result("a", ""))
    assert made.top["messages"][2]["content"] == [{"type": "tool_result", "tool_use_id": "a"}]
    assert made.dropped == ()


# how a text of arguments may be spelt, and what else may stand in its place
ARGUMENTS = [
    "{}",
    "",
    " ",
    ' {"a" : 1} ',
    '{"a": 1, "a": 2, "b": {"c": 1, "c": 2}}',
    '{"a": "\\ud800"}',
    '{"é": "😀"}',
    "[1]",
    "null",
    "nonsense",
    {"a": 1},
    None,
    3,
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=repr)
def test_a_call_says_the_same_with_a_member_that_nobody_knows(arguments):
    call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": arguments}}
    usual, other = (
        told(USER, {"role": "assistant", "tool_calls": [call | more]}, result("a"))
        for more in ({}, {"provider_data": None})
    )
    assert msgspec.json.encode(usual) == msgspec.json.encode(other)


def test_a_prefill_goes_on_only_where_the_skin_can():
    begun = {"role": "assistant", "content": "The answer is ", "prefix": True}
    able = crossed(USER, begun, step={"features": TOOLS | PREFILL})
    assert able.top["messages"][-1]["content"] == [text("The answer is")]
    assert able.dropped == ()
    unable = crossed(USER, begun)
    assert unable.top["messages"][-1] == {"role": "user", "content": [text(GO_ON)]}
    assert unable.dropped == ("prefill",)


@pytest.mark.parametrize(
    ("messages", "place"),
    [
        ([], "messages"),
        ([{"role": "user", "content": 3}], "messages[0].content"),
        ([{"role": "robot", "content": "x"}], "messages[0].role"),
        ([USER, {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        ([USER, called("a", name=None), result("a")], "messages[1].tool_calls[0].function.name"),
        ([USER, called("a", name=""), result("a")], "messages[1].tool_calls[0].function.name"),
        ([{"role": "user", "content": ""}], "messages"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_place(messages, place):
    with pytest.raises(CallerError) as caught:
        cross("chat", messages=messages)
    assert caught.value.param == place


# --- tools ---------------------------------------------------------------------------------------


def test_nested_flat_and_old_tools_are_all_tools():
    flat = {"type": "custom", "name": "write", "format": {"type": "text"}}
    old = {"name": "old", "parameters": {"properties": {}}}
    made = crossed(USER, tools=[LOOK, PATCH, flat], functions=[old])
    assert [tool["name"] for tool in made.top["tools"]] == ["look", "apply_patch", "write", "old"]
    grammar = made.top["tools"][1]["input_schema"]["properties"]["input"]["description"]
    assert "begin hunk+ end" in grammar
    assert made.top["tools"][3]["input_schema"] == {"properties": {}, "type": "object"}
    assert made.tools.original("write") == Original("write", custom=True)


CHOICES = {
    "auto": ("auto", {"type": "auto"}),
    "none": ("none", {"type": "none"}),
    "required": ("required", {"type": "any"}),
    "any": ("any", {"type": "any"}),
    "named": (
        {"type": "function", "function": {"name": "look"}},
        {"type": "tool", "name": "look"},
    ),
    "custom": (
        {"type": "custom", "custom": {"name": "apply_patch"}},
        {"type": "tool", "name": "apply_patch"},
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_a_tool_choice_is_said_in_the_words_of_messages(case):
    choice, expected = CHOICES[case]
    assert crossed(USER, tools=[LOOK, PATCH], tool_choice=choice).top["tool_choice"] == expected


def test_allowed_tools_are_the_tools_that_are_left():
    listing = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "look"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": listing}
    top = crossed(USER, tools=[LOOK, PATCH], tool_choice=choice).top
    assert [tool["name"] for tool in top["tools"]] == ["look"]
    assert top["tool_choice"] == {"type": "auto"}


def test_the_old_choice_names_a_function():
    old = {"name": "f", "parameters": {}}
    top = crossed(USER, tools=None, functions=[old], function_call={"name": "f"}).top
    assert top["tool_choice"] == {"type": "tool", "name": "f"}
    top = crossed(USER, tools=None, functions=[old], function_call="none").top
    assert top["tool_choice"] == {"type": "none"}


# --- thinking ------------------------------------------------------------------------------------


def test_thinking_of_this_provider_comes_back_as_it_was():
    turn = called("a", reasoning_content="Let me look.", reasoning_details=[envelope()])
    made = crossed(USER, turn, result("a"), skin=THINKING)
    assert made.top["messages"][1]["content"] == [thinking("Let me look."), used("a")]
    assert made.dropped == ()
    assert not made.broken_turn


def test_several_thoughts_come_back_only_where_each_has_its_own_text():
    several = [envelope(index=0), envelope(index=1), envelope(index=2, redacted="b3A=")]
    joined = called("a", reasoning_content="onetwo", reasoning_details=several)
    made = crossed(USER, joined, result("a"))
    assert made.top["messages"][1]["content"] == [used("a")]
    assert made.dropped == ("messages[].reasoning_content", "messages[].reasoning_details")
    assert made.broken_turn
    told_apart = [
        {"type": "reasoning.text", "text": "one", "index": 0},
        {"type": "reasoning.text", "text": "two", "index": 1},
    ]
    apart = called("a", reasoning_content="onetwo", reasoning_details=[*told_apart, *several])
    blocks = told(USER, apart, result("a"))[1]["content"]
    redacted = {"type": "redacted_thinking", "data": "b3A="}
    assert blocks == [thinking("one"), thinking("two"), redacted, used("a")]


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [
        ("reasoning_content", "x", "messages[].reasoning_content"),
        ("reasoning", "x", "messages[].reasoning"),
        ("reasoning_details", [envelope("elsewhere")], "messages[].reasoning_details"),
        (
            "reasoning_details",
            [{"type": "reasoning.encrypted", "data": "own"}],
            "messages[].reasoning_details",
        ),
    ],
)
def test_thinking_without_a_proof_of_this_provider_is_left_out(member, value, name):
    made = crossed(USER, called("a", **{member: value}), result("a"))
    assert made.top["messages"][1]["content"] == [used("a")]
    assert made.dropped == (name,)
    assert made.broken_turn


# --- prompt caching ------------------------------------------------------------------------------


def test_breakpoints_of_the_callers_are_kept_instead_of_ours():
    messages = [
        {"role": "system", "content": [text("A", cache_control=EPHEMERAL), text("B")]},
        {**USER, "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ]
    tool = {**LOOK, "cache_control": EPHEMERAL}
    top = crossed(*messages, tools=[tool, PATCH], skin=CACHED).top
    assert top["system"] == [text("A", cache_control=EPHEMERAL), text("B")]
    long = {"type": "ephemeral", "ttl": "1h"}
    assert top["messages"][0]["content"] == [text("hi", cache_control=long)]
    assert [tool.get("cache_control") for tool in top["tools"]] == [EPHEMERAL, None]


def test_only_the_last_four_breakpoints_are_kept():
    parts = [text(str(number), cache_control=EPHEMERAL) for number in range(6)]
    made = crossed({"role": "user", "content": parts}, skin=CACHED)
    marks = ["cache_control" in block for block in made.top["messages"][0]["content"]]
    assert marks == [False, False, True, True, True, True]
    assert made.dropped == ("cache_control",)


def test_a_breakpoint_inside_a_result_stands_on_the_result():
    marked = result("a", [text("1", cache_control=EPHEMERAL)])
    turns = told(USER, called("a"), marked, skin=CACHED)
    assert turns[2]["content"] == [gave("a", "1", cache_control=EPHEMERAL)]


def test_a_skin_without_explicit_caching_gets_no_breakpoints():
    made = crossed({"role": "user", "content": [text("x", cache_control=EPHEMERAL)]})
    assert made.top["messages"][0]["content"] == [text("x")]
    assert made.dropped == ("cache_control",)


# --- options -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stop", "expected", "dropped"),
    [
        ("END", ["END"], ()),
        (["END", "\n\n"], ["END"], ("stop",)),
        ("\n", None, ("stop",)),
    ],
)
def test_stop_sequences_of_white_space_are_left_out(stop, expected, dropped):
    made = crossed(USER, stop=stop)
    assert made.top.get("stop_sequences") == expected
    assert made.dropped == dropped


def test_structured_output_and_user_and_tier_have_their_words():
    schema = {"type": "object", "properties": {}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    made = crossed(USER, response_format=form, user="u", service_tier="default", top_k=5)
    closed = {**schema, "additionalProperties": False}
    assert made.top["output_config"] == {"format": {"type": "json_schema", "schema": closed}}
    assert made.top["metadata"] == {"user_id": "u"}
    assert made.top["service_tier"] == "standard_only"
    assert made.top["top_k"] == 5
    assert made.dropped == ()


def test_a_service_tier_that_messages_does_not_sell_is_named():
    made = crossed(USER, service_tier="flex")
    assert "service_tier" not in made.top
    assert made.dropped == ("service_tier",)


def test_values_that_say_what_is_so_anyway_are_not_missed():
    quiet = {
        "frequency_penalty": 0,
        "presence_penalty": 0.0,
        "n": 1,
        "logprobs": False,
        "stream_options": {"include_usage": True},
        "modalities": ["text"],
        "response_format": {"type": "text"},
        "seed": None,
        "store": False,
    }
    assert crossed(USER, **quiet).dropped == ()


# --- the table -----------------------------------------------------------------------------------

SAMPLES = {
    "messages": [USER],
    "tools": [LOOK],
    "functions": [LOOK["function"]],
    "tool_choice": "required",
    "function_call": "auto",
    "parallel_tool_calls": False,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "object"}},
    },
    "max_tokens": 100,
    "max_completion_tokens": 100,
    "stop": "END",
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "stream": True,
    "service_tier": "auto",
    "safety_identifier": "s",
    "user": "u",
}
TRACES = {
    "functions": "tools",
    "function_call": "tool_choice",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
    "max_completion_tokens": "max_tokens",
    "stop": "stop_sequences",
    "safety_identifier": "metadata.user_id",
    "user": "metadata.user_id",
}
# Written by the edit in the form of the skin, or what Messages does unasked.
EDITED = {"model", "reasoning", "reasoning_effort", "thinking", "stream_options"}
LOST = {
    "logit_bias": {"1": 5},
    "modalities": ["text", "image"],
    "seed": 1,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "metadata": {"a": "b"},
    "prompt_cache_key": "k",
}


def _top(name):
    return {name: LOST.get(name, {"some": "value"})}


def _in_a_turn(**member):
    return {"messages": [USER, {"role": "assistant", "content": "x", **member}, USER]}


def _in_a_part(**part):
    return {"messages": [{"role": "user", "content": [part]}]}


def _in_a_tool(**member):
    return {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}, **member}}]}


LOST_INSIDE = {
    **{
        f"tools[].parameters.{word}": _in_a_tool(parameters={word: [{}]})
        for word in ("anyOf", "oneOf", "allOf")
    },
    **{
        f"tools[].{option}": _in_a_tool(**{option: ["x"]})
        for option in ("defer_loading", "allowed_callers", "output_schema")
    },
    "messages[].name": {"messages": [{**USER, "name": "Ann"}]},
    "messages[].audio": _in_a_turn(audio={"id": "x"}),
    "messages[].reasoning_content": _in_a_turn(reasoning_content="x"),
    "messages[].reasoning": _in_a_turn(reasoning="x"),
    "messages[].reasoning_details": _in_a_turn(reasoning_details=[envelope("elsewhere")]),
    "cache_control": _in_a_part(type="text", text="x", cache_control=EPHEMERAL),
    "content[].detail": _in_a_part(type="image_url", image_url={"url": PNG, "detail": "high"}),
    "content[].prompt_cache_breakpoint": _in_a_part(
        type="text", text="x", prompt_cache_breakpoint={"mode": "explicit"}
    ),
    "tools[].strict": _in_a_tool(strict=True),
    "stream_options.include_obfuscation": {"stream_options": {"include_obfuscation": True}},
}


@pytest.mark.parametrize("name", [field.name for field in TABLE.of(Fate.DROP)])
def test_every_dropped_field_is_named(name):
    fields = LOST_INSIDE[name] if name in LOST_INSIDE or set(name) & set(".[") else _top(name)
    told_as = {"web_search_options": "hosted:web_search"}.get(name, name)
    assert told_as in cross("chat", step={"features": TOOLS}, **fields).dropped


@pytest.mark.parametrize(
    "name",
    sorted(
        {f.name.partition(".")[0] for f in TABLE.of(Fate.CARRY, Fate.MAP) if "[" not in f.name}
        - EDITED
    ),
)
def test_every_kept_field_leaves_a_trace(name):
    made = cross("chat", **{"tools": [LOOK], name: SAMPLES[name]})
    assert reaches(made.top, TRACES.get(name, name))
    assert made.dropped == ()


def test_the_table_knows_every_field_of_the_sdk():
    from openai.types.chat.completion_create_params import CompletionCreateParamsBase

    known = set(CompletionCreateParamsBase.__annotations__) | {"stream"}
    assert known - TABLE.top == set()


def test_an_unknown_field_is_dropped_and_named():
    assert crossed(USER, enable_thinking=True).dropped == ("enable_thinking",)


# --- whatever comes ------------------------------------------------------------------------------

_ids = st.sampled_from(["a", "b", "c:1", ""])
_contents = st.sampled_from([None, "", " ", "x", "x \n", [], [text("")], [text("x"), text(" ")]])
_messages = st.one_of(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "user", "assistant", "developer"]),
        _contents,
    ),
    st.builds(lambda ids, content: called(*ids, content=content), st.lists(_ids), _contents),
    st.builds(result, _ids, _contents),
    st.sampled_from(
        [called("a", reasoning_details=[envelope()]), _in_a_turn(reasoning="x")["messages"][1]]
    ),
)


@settings(max_examples=150, deadline=None, database=None, phases=(Phase.generate, Phase.target))
@given(
    messages=st.lists(_messages, min_size=1, max_size=10),
    keep=st.sampled_from(["keep", "fold"]),
    cache=st.sampled_from(["explicit", "none"]),
    features=st.sampled_from([TOOLS, TOOLS | PREFILL]),
)
def test_whatever_the_history_the_request_is_lawful(messages, keep, cache, features):
    skin = open_skin(system_turns=keep, prompt_cache=cache)
    with suppress(CallerError):  # a history without a word
        crossed(*messages, skin=skin, step={"features": features})
