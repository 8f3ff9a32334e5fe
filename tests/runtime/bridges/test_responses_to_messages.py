"""Responses requests on their way to Messages upstreams."""

import json
from contextlib import suppress

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.bridges.fields import Fate
from runtime.bridges.parts import GO_ON, NO_RESULT
from runtime.bridges.responses_to_messages import TABLE
from runtime.bridges.to_messages.turns import BEGIN
from runtime.bridges.tools import Original
from runtime.errors import CallerError
from runtime.events import Opaque
from runtime.opaque import wrap
from runtime.vocabulary import JSON_SCHEMA, PREFILL, TOOLS, Cap, Reasoning
from tests.runtime.bridges.to_messages import (
    DOMAIN,
    THINKS,
    capture,
    cross,
    cross_body,
    reaches,
    recorded,
    sent,
)
from tests.runtime.dialects.bodies import PNG, body_of, effort, open_skin

REQUESTS = recorded("responses")
# Recorded requests for what Messages has not got; eligibility keeps them from this bridge.
REFUSED = {"openai__structured__1": "text.format"}
CACHED = open_skin(prompt_cache="explicit")
THINKING = open_skin(reasoning=THINKS)
DATA = PNG.partition(",")[2]
PDF = "data:application/pdf;base64,JVBERi0="

USER = {"type": "message", "role": "user", "content": "hi"}
LOOK = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Edits files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: begin hunk+ end"},
}
SPACE = {
    "type": "namespace",
    "name": "agents",
    "description": "About agents.",
    "tools": [{"type": "function", "name": "close", "description": "Closes.", "parameters": None}],
}


def said(role, content, **more):
    return {"type": "message", "role": role, "content": content, **more}


def call(call_id, name="look", arguments="{}", **more):
    item = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    return {**item, **more}


def result(call_id, output="done"):
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def reasoning(text="", **more):
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"type": "reasoning", "id": "rs_1", "summary": summary, **more}


def thought(text, domain=DOMAIN, **data):
    opaque = Opaque("messages", data or {"signature": "c2ln"})
    return reasoning(text, encrypted_content=wrap(opaque, domain))


def text(words, **more):
    return {"type": "text", "text": words, **more}


def used(call_id, name="look", given=None):
    return {"type": "tool_use", "id": call_id, "name": name, "input": given or {}}


def gave(call_id, content="done", **more):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def crossed(*items, skin=None, step=None, tools=(LOOK,), **fields):
    return cross("responses", skin, step, input=list(items), tools=list(tools), **fields)


def told(*items, **given):
    return crossed(*items, **given).top["messages"]


# --- what real clients send ----------------------------------------------------------------------


@pytest.mark.parametrize("skin", [open_skin(), CACHED, THINKING], ids=["plain", "cached", "thinks"])
@pytest.mark.parametrize("request_", REQUESTS, ids=[name for name, *_ in REQUESTS])
def test_every_recorded_request_becomes_one_that_anthropic_takes(request_, skin):
    name, body, headers = request_
    if name in REFUSED:
        with pytest.raises(CallerError) as caught:
            cross_body("responses", body, skin, headers)
        assert caught.value.param == REFUSED[name]
    else:
        cross_body("responses", body, skin, headers)


def test_there_are_recordings_of_codex_and_opencode():
    assert {name.split("/")[0] for name, *_ in REQUESTS if "/" in name} == {"codex", "opencode"}
    assert len(REQUESTS) > 90


def test_a_codex_turn_with_apply_patch_keeps_its_patch_and_its_grammar():
    made = cross_body("responses", capture("codex/tool_apply_patch.04.post.v1-responses"))
    turns = made.top["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user", "assistant", "user"]
    patch = turns[1]["content"][0]
    assert patch["name"] == "apply_patch"
    assert patch["input"]["input"].startswith("*** Begin Patch\n")
    assert turns[3]["content"][0]["input"] == {"cmd": "cat hello.txt"}
    tool = next(tool for tool in made.top["tools"] if tool["name"] == "apply_patch")
    grammar = tool["input_schema"]["properties"]["input"]["description"]
    assert "lark grammar" in grammar
    assert "begin_patch hunk+ end_patch" in grammar
    assert made.tools.original("apply_patch") == Original("apply_patch", custom=True)
    assert set(made.dropped) == {
        "prompt_cache_key",
        "client_metadata",
        "reasoning.summary",
        "hosted:web_search",
    }


def test_codex_tools_inside_an_input_item_are_offered():
    made = cross_body("responses", capture("codex/responses_lite.02.post.v1-responses"))
    names = [tool["name"] for tool in made.top["tools"]]
    assert "functions__exec_command" in names
    assert made.tools.original("functions__exec_command").namespace == "functions"


def test_a_compaction_without_tools_still_declares_those_of_the_history():
    made = cross_body("responses", capture("codex/auto_compaction.03.post.v1-responses"))
    assert [tool["name"] for tool in made.top["tools"]] == ["exec_command"]
    assert made.top["tool_choice"] == {"type": "none"}
    assert "tools:from_history" in made.dropped


# --- the history ---------------------------------------------------------------------------------

CONVERSATIONS = {
    "neighbours of one role become one turn": (
        [USER, said("user", "there"), said("assistant", "a"), said("assistant", "b"), USER],
        [user(text("hi"), text("there")), assistant(text("a"), text("b")), user(text("hi"))],
    ),
    "parallel calls have their results in one turn, in the order of the calls": (
        [USER, call("a"), call("b"), result("b", "2"), result("a", "1")],
        [user(text("hi")), assistant(used("a"), used("b")), user(gave("a", "1"), gave("b", "2"))],
    ),
    "a call after a result begins a new turn": (
        [USER, call("a"), result("a"), call("b"), result("b")],
        [
            user(text("hi")),
            assistant(used("a")),
            user(gave("a")),
            assistant(used("b")),
            user(gave("b")),
        ],
    ),
    "results come before what the user said meanwhile": (
        [USER, call("a"), said("user", "stop"), result("a")],
        [user(text("hi")), assistant(used("a")), user(gave("a"), text("stop"))],
    ),
    "a missing result is told to be missing": (
        [USER, call("a"), said("user", "go on")],
        [user(text("hi")), assistant(used("a")), user(gave("a", NO_RESULT), text("go on"))],
    ),
    "a result without its call is what the user says": (
        [USER, result("x", "lost")],
        [
            user(
                text("hi"),
                text("Result of a tool call that is not in this conversation:"),
                text("lost"),
            )
        ],
    ),
    "a history that begins with the assistant gets a user turn": (
        [said("assistant", "hello"), USER],
        [user(text(BEGIN)), assistant(text("hello")), user(text("hi"))],
    ),
    "a history that ends with the assistant gets a user turn": (
        [USER, said("assistant", "hello  ")],
        [user(text("hi")), assistant(text("hello  ")), user(text(GO_ON))],
    ),
    "blank texts are left out": (
        [USER, said("user", [{"type": "input_text", "text": " \n"}]), said("assistant", ""), USER],
        [user(text("hi"), text("hi"))],
    ),
    "an empty result has no content": (
        [USER, call("a"), result("a", "")],
        [
            user(text("hi")),
            assistant(used("a")),
            user({"type": "tool_result", "tool_use_id": "a"}),
        ],
    ),
    "arguments that are no object become one": (
        [USER, call("a", arguments="[1]"), result("a"), call("b", arguments="{"), result("b")],
        [
            user(text("hi")),
            assistant(used("a", given={"input": [1]})),
            user(gave("a")),
            assistant(used("b", given={"input": "{"})),
            user(gave("b")),
        ],
    ),
    "a refusal is what the assistant said": (
        [USER, said("assistant", [{"type": "refusal", "refusal": "No."}]), USER],
        [user(text("hi")), assistant(text("No.")), user(text("hi"))],
    ),
    "a shell of the client's is a call like others": (
        [
            USER,
            {"type": "local_shell_call", "call_id": "s", "action": {"command": ["ls"]}},
            {"type": "local_shell_call_output", "id": "s", "output": "a.txt"},
        ],
        [
            user(text("hi")),
            assistant(used("s", "local_shell", {"command": ["ls"]})),
            user(gave("s", "a.txt")),
        ],
    ),
    "a patch that failed is a failed result": (
        [
            USER,
            {"type": "apply_patch_call", "call_id": "p", "operation": {"path": "a"}},
            {"type": "apply_patch_call_output", "call_id": "p", "status": "failed", "output": "no"},
        ],
        [
            user(text("hi")),
            assistant(used("p", "apply_patch", {"path": "a"})),
            user(gave("p", "no", is_error=True)),
        ],
    ),
    "a call that a provider made is told with its result": (
        [
            USER,
            {
                "type": "mcp_call",
                "id": "m",
                "name": "find",
                "arguments": '{"q": 1}',
                "output": "found",
            },
            said("assistant", "There."),
            USER,
        ],
        [
            user(text("hi")),
            assistant(used("m", "find", {"q": 1})),
            user(gave("m", "found")),
            assistant(text("There.")),
            user(text("hi")),
        ],
    ),
}


@pytest.mark.parametrize(
    "case", CONVERSATIONS, ids=[name.replace(" ", "-") for name in CONVERSATIONS]
)
def test_a_history_is_told_in_turns(case):
    items, turns = CONVERSATIONS[case]
    assert told(*items) == turns


def test_what_is_made_up_or_moved_is_named():
    assert "tool_result:missing" in crossed(USER, call("a"), USER).dropped
    assert "tool_result:without_call" in crossed(USER, result("x")).dropped
    assert "history:begins_with_assistant" in crossed(said("assistant", "a"), USER).dropped
    assert "prefill" in crossed(USER, said("assistant", "a")).dropped


def test_an_id_that_comes_again_is_another_call():
    turns = told(USER, call("f:0"), result("f:0", "1"), call("f:0"), result("f:0", "2"))
    first, second = turns[1]["content"][0]["id"], turns[3]["content"][0]["id"]
    assert first != second
    assert turns[2] == user(gave(first, "1"))
    assert turns[4] == user(gave(second, "2"))


def test_a_result_belongs_to_the_last_turn_that_made_such_a_call():
    turns = told(USER, call("a"), USER, call("a"), result("a"))
    first, second = turns[1]["content"][0]["id"], turns[3]["content"][0]["id"]
    assert turns[2]["content"] == [gave(first, NO_RESULT), text("hi")]
    assert turns[4]["content"] == [gave(second)]


def test_the_same_id_over_and_over_stays_cheap_and_distinct():
    turns = told(USER, *[call("")] * 3000)
    assert len({block["id"] for block in turns[1]["content"]}) == 3000


DEEP = {
    "an output schema": {"text": {"format": {"type": "json_schema", "schema": "NESTED"}}},
    "a strict tool": {"tools": [{**LOOK, "strict": True, "parameters": "NESTED"}]},
}
NESTED = b'{"items":' * 990 + b"{}" + b"}" * 990


@pytest.mark.parametrize("case", DEEP)
def test_a_schema_nested_beyond_reason_is_the_callers_fault(case):
    body = body_of("responses", **DEEP[case]).replace(b'"NESTED"', NESTED)
    with pytest.raises(CallerError) as caught:
        cross_body("responses", body)
    assert caught.value.code == "invalid-request"


def test_a_skin_that_goes_on_with_a_text_gets_it_without_its_white_space():
    step = {"features": TOOLS | PREFILL}
    made = crossed(USER, said("assistant", "hello \n"), step=step)
    assert made.top["messages"][-1] == assistant(text("hello"))
    assert "prefill" not in made.dropped
    assert (
        told(USER, call("a"), said("assistant", "x"), result("a"), step=step)[-1]["role"] == "user"
    )


def test_leading_instructions_are_the_system_prompt_and_later_ones_stay_or_are_folded():
    items = (said("developer", "B"), said("system", "C"), USER, said("developer", "D"), USER)
    kept = crossed(*items, instructions="A", skin=open_skin(system_turns="keep")).top
    assert kept["system"] == [text("A"), text("B"), text("C")]
    late = {"role": "system", "content": [text("D")]}
    assert kept["messages"] == [user(text("hi")), late, user(text("hi"))]
    folded = crossed(*items, instructions="A", skin=open_skin(system_turns="fold")).top
    assert folded["messages"] == [user(text("hi"), text("D"), text("hi"))]


def test_instructions_alone_are_what_the_user_says():
    top = crossed(said("developer", "Say hello."), skin=CACHED).top
    assert "system" not in top
    assert top["messages"][0]["content"][0]["text"] == "Say hello."


def test_a_history_without_a_word_is_the_callers_fault():
    with pytest.raises(CallerError) as caught:
        crossed(said("user", " "))
    assert caught.value.param == "input"


# --- images and files ----------------------------------------------------------------------------


def test_images_and_files_become_blocks_also_in_results():
    shown = [
        {"type": "input_image", "image_url": PNG, "detail": "high"},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_file", "file_data": PDF, "filename": "a.pdf"},
        {"type": "input_file", "file_data": "data:text/plain;base64,aGVsbG8="},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
    ]
    inline = {"type": "base64", "media_type": "image/png", "data": DATA}
    blocks = [
        {"type": "image", "source": inline},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "a.pdf",
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "hello"},
        },
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
    ]
    made = crossed(said("user", shown), call("a"), result("a", shown))
    assert made.top["messages"][0]["content"] == blocks
    assert made.top["messages"][2]["content"] == [gave("a", blocks)]
    assert "content[].detail" in made.dropped


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_image", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    ],
    ids=lambda part: part["type"],
)
def test_what_messages_cannot_have_is_an_error_with_its_place(part):
    with pytest.raises(CallerError) as caught:
        crossed(said("user", [part]))
    assert caught.value.param == "input[0].content[0]"


# --- tools ---------------------------------------------------------------------------------------


def test_tools_of_all_kinds_become_tools_with_reversible_names():
    made = crossed(USER, tools=[PATCH, SPACE, LOOK, {"type": "web_search"}, LOOK])
    patch, close, look = made.top["tools"]
    assert patch["description"] == "Edits files."
    assert patch["input_schema"]["required"] == ["input"]
    assert "begin hunk+ end" in json.dumps(patch["input_schema"])
    assert close == {
        "name": "agents__close",
        "description": "About agents.\n\nCloses.",
        "input_schema": {"type": "object", "properties": {}},
    }
    assert look == {"name": "look", "input_schema": {"type": "object"}}
    assert made.tools.original("agents__close") == Original("close", namespace="agents")
    assert made.dropped == ("hosted:web_search",)


def test_calls_in_the_history_have_the_names_their_tools_are_sent_under():
    items = [
        USER,
        call("a", "close", namespace="agents"),
        result("a"),
        {"type": "custom_tool_call", "call_id": "b", "name": "apply_patch", "input": "*** x"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": "ok"},
        call("c", "gone.tool"),
        result("c"),
    ]
    turns = told(*items, tools=[PATCH, SPACE])
    calls = [block for turn in turns[1::2] for block in turn["content"]]
    assert calls[0]["name"] == "agents__close"
    assert calls[1] == used("b", "apply_patch", {"input": "*** x"})
    assert calls[2]["name"].startswith("gone_tool_")


def test_a_schema_with_branches_offers_what_all_of_them_have():
    branches = [
        {"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a", "b"]},
        {"properties": {"a": {"type": "string"}, "c": {}}, "required": ["a"]},
    ]
    tool = {"type": "function", "name": "f", "parameters": {"anyOf": branches}}
    made = crossed(USER, tools=[tool])
    schema = made.top["tools"][0]["input_schema"]
    assert list(schema["properties"]) == ["a", "b", "c"]
    assert schema["required"] == ["a"]
    assert made.dropped == ("tools[].parameters.anyOf",)


def test_strict_tools_stay_strict_where_the_skin_writes_json_by_schema():
    tool = {**LOOK, "strict": True}
    by_schema = crossed(USER, tools=[tool], step={"features": TOOLS | JSON_SCHEMA})
    assert by_schema.top["tools"][0]["strict"] is True
    assert by_schema.dropped == ()
    other = crossed(USER, tools=[tool], step={"features": TOOLS})
    assert "strict" not in other.top["tools"][0]
    assert other.dropped == ("tools[].strict",)


CHOICES = {
    "auto": {"type": "auto"},
    "none": {"type": "none"},
    "required": {"type": "any"},
    "function": ({"type": "function", "name": "look"}, {"type": "tool", "name": "look"}),
    "custom": ({"type": "custom", "name": "apply_patch"}, {"type": "tool", "name": "apply_patch"}),
    "namespaced": (
        {"type": "function", "name": "close"},
        {"type": "tool", "name": "agents__close"},
    ),
    "hosted": ({"type": "web_search"}, None),
    "unheard of": ({"type": "function", "name": "nobody"}, None),
}


@pytest.mark.parametrize("case", CHOICES)
def test_a_tool_choice_is_said_in_the_words_of_messages(case):
    choice = CHOICES[case]
    given, expected = choice if isinstance(choice, tuple) else (case, choice)
    made = crossed(USER, tools=[LOOK, PATCH, SPACE, {"type": "web_search"}], tool_choice=given)
    assert made.top.get("tool_choice") == expected
    assert ("tool_choice" in made.dropped) == (case == "unheard of")


def test_allowed_tools_are_the_tools_that_are_left():
    allowed = {
        "type": "allowed_tools",
        "mode": "required",
        "tools": [
            {"type": "custom", "name": "apply_patch"},
            {"type": "namespace", "name": "agents"},
        ],
    }
    top = crossed(USER, tools=[LOOK, PATCH, SPACE], tool_choice=allowed).top
    assert [tool["name"] for tool in top["tools"]] == ["apply_patch", "agents__close"]
    assert top["tool_choice"] == {"type": "any"}


def test_one_call_at_a_time_is_part_of_the_choice():
    alone = {"type": "auto", "disable_parallel_tool_use": True}
    assert crossed(USER, parallel_tool_calls=False).top["tool_choice"] == alone
    forced = {"type": "any", "disable_parallel_tool_use": True}
    top = crossed(USER, parallel_tool_calls=False, tool_choice="required").top
    assert top["tool_choice"] == forced
    none = crossed(USER, parallel_tool_calls=False, tool_choice="none").top["tool_choice"]
    assert none == {"type": "none"}
    assert "tool_choice" not in crossed(USER, parallel_tool_calls=False, tools=[]).top


# --- thinking ------------------------------------------------------------------------------------


def test_thinking_of_this_provider_comes_back_as_it_was():
    made = crossed(USER, thought("Let me look."), call("a"), result("a"), skin=THINKING)
    thinking = {"type": "thinking", "thinking": "Let me look.", "signature": "c2ln"}
    assert made.top["messages"][1] == assistant(thinking, used("a"))
    assert made.dropped == ()
    assert not made.broken_turn
    hidden = crossed(USER, thought("", redacted="b3BhcXVl"), call("a"), result("a"))
    redacted = {"type": "redacted_thinking", "data": "b3BhcXVl"}
    assert hidden.top["messages"][1] == assistant(redacted, used("a"))


def test_what_was_thought_counts_before_its_summary_and_letter_by_letter():
    parts = [{"type": "reasoning_text", "text": "Let "}, {"type": "reasoning_text", "text": "me."}]
    item = {**thought("In short."), "content": parts}
    blocks = told(USER, item, call("a"), result("a"))[1]["content"]
    assert blocks[0]["thinking"] == "Let me."


@pytest.mark.parametrize(
    "item",
    [
        thought("x", domain="elsewhere"),
        reasoning("x", encrypted_content="gAAAA"),
        reasoning("x", encrypted_content=wrap(Opaque("responses", {"signature": "x"}), DOMAIN)),
    ],
    ids=["another domain", "a provider's own", "another dialect"],
)
def test_thinking_that_nobody_here_can_vouch_for_is_left_out_and_breaks_the_turn(item):
    made = crossed(USER, item, call("a"), result("a"), skin=THINKING)
    assert made.top["messages"][1] == assistant(used("a"))
    assert made.dropped == ("reasoning.encrypted_content",)
    assert made.broken_turn


def test_a_skin_that_wants_no_thinking_back_gets_none():
    skin = open_skin(reasoning=Reasoning(control="budget", levels=("low",), echo="forbidden"))
    made = crossed(USER, thought("x"), call("a"), result("a"), skin=skin)
    assert made.top["messages"][1] == assistant(used("a"))
    assert made.dropped == ("reasoning.encrypted_content",)


def test_a_turn_that_the_user_ended_is_not_broken():
    assert not crossed(USER, call("a"), result("a"), said("assistant", "x"), USER).broken_turn


def test_a_loop_is_judged_by_how_it_began():
    began = [USER, thought("x"), call("a"), result("a"), call("b"), result("b")]
    assert not crossed(*began).broken_turn
    assert crossed(USER, call("a"), result("a"), thought("x"), call("b"), result("b")).broken_turn


def test_thinking_that_leads_to_nothing_is_left_out():
    made = crossed(USER, thought("x"), said("user", "well?"))
    assert made.top["messages"] == [user(text("hi"), text("well?"))]
    assert made.dropped == ("reasoning",)


def test_a_budget_goes_on_the_wire_unless_the_turn_is_broken():
    skin = open_skin(reasoning=THINKS, cap=Cap("max_tokens", default=32_000))
    ask = {"reasoning": {"effort": "low", "summary": "auto"}, "tools": [LOOK]}
    body = body_of("responses", input=[USER, thought("x"), call("a"), result("a")], **ask)
    top = sent("responses", body, skin)
    assert top["thinking"] == {"type": "enabled", "budget_tokens": 2048, "display": "summarized"}
    assert top["max_tokens"] == 32_000
    broken = body_of("responses", input=[USER, call("a"), result("a")], **ask)
    assert "thinking" not in sent("responses", broken, skin)


SHOWING = {
    "a level and a skin with summaries": (THINKS, "low", True),
    "no level": (THINKS, None, False),
    "none at all": (THINKS, "none", False),
    "an effort alone": (effort("low", summaries=True), "low", False),
    "a skin without summaries": (Reasoning(control="budget", levels=("low",)), "low", False),
    "a skin without reasoning": (None, "low", False),
}


@pytest.mark.parametrize("case", SHOWING)
def test_a_summary_is_asked_for_where_thinking_goes_on_the_wire(case):
    thinks, level, shown = SHOWING[case]
    ask = {"effort": level, "summary": "auto"}
    made = crossed(USER, reasoning=ask, skin=open_skin(reasoning=thinks))
    assert made.top.get("thinking") == ({"display": "summarized"} if shown else None)
    assert ("reasoning.summary" in made.dropped) != shown


# --- prompt caching ------------------------------------------------------------------------------


def test_an_explicit_cache_gets_its_breakpoints():
    items = [
        said("developer", "A"),
        USER,
        said("assistant", "x"),
        USER,
        said("assistant", "y"),
        USER,
    ]
    top = crossed(*items, skin=CACHED).top
    marked = {"cache_control": {"type": "ephemeral"}}
    assert top["tools"][-1].items() >= marked.items()
    assert top["system"] == [text("A", **marked)]
    marks = ["cache_control" in turn["content"][-1] for turn in top["messages"]]
    assert marks == [False, False, True, False, True]


def test_a_breakpoint_of_the_callers_stands_instead_of_ours():
    part = {"type": "input_text", "text": "long", "prompt_cache_breakpoint": {"mode": "explicit"}}
    top = crossed(said("user", [part]), USER, skin=CACHED).top
    marks = [block.get("cache_control") for block in top["messages"][0]["content"]]
    assert marks == [{"type": "ephemeral"}, None]
    assert "cache_control" not in top["tools"][-1]
    other = crossed(said("user", [part]))
    assert "cache_control" not in json.dumps(other.top)
    assert other.dropped == ("content[].prompt_cache_breakpoint",)


# --- options -------------------------------------------------------------------------------------


def test_structured_output_is_a_closed_schema():
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": 1, "description": "How many."}},
        "$defs": {"x": {"oneOf": [{"type": "object"}, {"type": "null"}]}},
    }
    form = {"type": "json_schema", "name": "out", "description": "An answer.", "schema": schema}
    made = crossed(USER, text={"format": form}).top["output_config"]["format"]["schema"]
    assert made["description"] == "An answer."
    assert made["additionalProperties"] is False
    number = {"type": "integer", "description": "How many.\n\n{minimum: 1}"}
    assert made["properties"]["n"] == number
    assert made["$defs"]["x"]["anyOf"][0]["additionalProperties"] is False


def test_a_temperature_beyond_what_messages_knows_is_lowered_and_named():
    made = crossed(USER, temperature=1.5)
    assert made.top["temperature"] == 1
    assert made.dropped == ("temperature:1",)
    assert crossed(USER, temperature=0.5).top["temperature"] == 0.5


def test_the_user_is_named_once():
    made = crossed(USER, safety_identifier="s", user="u")
    assert made.top["metadata"] == {"user_id": "s"}
    assert made.dropped == ("user",)
    assert crossed(USER, user="u" * 257).dropped == ("user",)


def test_values_that_say_what_is_so_anyway_are_not_missed():
    quiet = {
        "store": False,
        "truncation": "disabled",
        "include": ["reasoning.encrypted_content"],
        "metadata": {},
        "background": False,
        "top_logprobs": 0,
        "text": {"verbosity": "medium"},
        "parallel_tool_calls": True,
        "prompt_cache_key": None,
    }
    assert crossed(USER, **quiet).dropped == ()


# --- the table -----------------------------------------------------------------------------------

SAMPLES = {
    "instructions": "Be brief.",
    "input": [USER],
    "tools": [LOOK],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "max_output_tokens": 100,
    "temperature": 0.5,
    "top_p": 0.5,
    "stream": True,
    "service_tier": "default",
    "safety_identifier": "s",
    "user": "u",
    "text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}},
}
TRACES = {
    "instructions": "system",
    "input": "messages",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "max_output_tokens": "max_tokens",
    "safety_identifier": "metadata.user_id",
    "user": "metadata.user_id",
    "text": "output_config.format",
}
# Written by the edit, in the form of the skin.
EDITED = {"model", "reasoning"}
LOST = {
    "include": ["file_search_call.results"],
    "truncation": "auto",
    "prompt_cache_key": "k",
    "metadata": {"a": "b"},
    "max_tool_calls": 3,
    "stream_options": {"include_obfuscation": True},
    "image": {},
}
LOST_INSIDE = {
    **{
        f"tools[].parameters.{word}": {"tools": [{**LOOK, "parameters": {word: [{}]}}]}
        for word in ("anyOf", "oneOf", "allOf")
    },
    "text.verbosity": {"text": {"verbosity": "low"}},
    "reasoning.summary": {"reasoning": {"summary": "auto"}},
    "reasoning.generate_summary": {"reasoning": {"generate_summary": "auto"}},
    "reasoning.context": {"reasoning": {"context": "auto"}},
    "reasoning.mode": {"reasoning": {"mode": "pro"}},
    "input[].phase": {"input": [USER, said("assistant", "x", phase="commentary"), USER]},
    "item_reference": {"input": [USER, {"type": "item_reference", "id": "rs_1"}]},
    "reasoning.encrypted_content": {"input": [USER, reasoning(encrypted_content="x")]},
    "tools[].defer_loading": {"tools": [{**LOOK, "defer_loading": True}]},
    "tools[].allowed_callers": {"tools": [{**LOOK, "allowed_callers": ["direct"]}]},
    "tools[].output_schema": {"tools": [{**LOOK, "output_schema": {"type": "object"}}]},
    "tools[].strict": {"tools": [{**LOOK, "strict": True}]},
    "content[].detail": {
        "input": [said("user", [{"type": "input_image", "image_url": PNG, "detail": "low"}])]
    },
    "content[].annotations": {
        "input": [
            USER,
            said("assistant", [{"type": "output_text", "text": "x", "annotations": [{}]}]),
            USER,
        ]
    },
    "content[].prompt_cache_breakpoint": {
        "input": [
            said(
                "user",
                [
                    {
                        "type": "input_text",
                        "text": "x",
                        "prompt_cache_breakpoint": {"mode": "explicit"},
                    }
                ],
            )
        ]
    },
}


@pytest.mark.parametrize(
    "name", [field.name for field in TABLE.of(Fate.DROP)], ids=lambda name: name
)
def test_every_dropped_field_is_named(name):
    if name.startswith("input[type="):
        kind = name.removeprefix("input[type=").removesuffix("]")
        fields = {"input": [USER, {"type": kind, "encrypted_content": "x"}]}
    elif name in LOST_INSIDE or set(name) & set(".["):
        fields = LOST_INSIDE[name]
    else:
        fields = {name: LOST.get(name, {"some": "value"})}
    assert name in cross("responses", step={"features": TOOLS}, **fields).dropped


@pytest.mark.parametrize(
    "name",
    sorted(
        {f.name.partition(".")[0] for f in TABLE.of(Fate.CARRY, Fate.MAP) if "[" not in f.name}
        - EDITED
    ),
)
def test_every_kept_field_leaves_a_trace(name):
    fields = {"tools": [LOOK], name: SAMPLES[name]}
    top = cross("responses", **fields).top
    assert reaches(top, TRACES.get(name, name))
    assert name not in cross("responses", **fields).dropped


def test_the_table_knows_every_field_of_the_sdk():
    from openai.types.responses.response_create_params import ResponseCreateParamsBase

    known = set(ResponseCreateParamsBase.__annotations__) | {"stream"}
    assert known - TABLE.top == set()


def test_an_unknown_field_is_dropped_and_named():
    assert cross("responses", made_up=1).dropped == ("made_up",)


def test_items_that_no_one_knows_are_named():
    assert crossed(USER, {"type": "brand_new"}).dropped == ("input[type=brand_new]",)


def test_a_compaction_cannot_be_asked_for():
    with pytest.raises(CallerError) as caught:
        crossed(USER, {"type": "compaction_trigger"})
    assert caught.value.param == "input[1]"


# --- whatever comes ------------------------------------------------------------------------------

_ids = st.sampled_from(["a", "b", "c:1", ""])
_texts = st.sampled_from(["", " ", "x", "x \n"])
_items = st.one_of(
    st.builds(said, st.sampled_from(["user", "assistant", "developer"]), _texts),
    st.builds(call, _ids),
    st.builds(result, _ids, _texts),
    st.sampled_from([thought("t"), thought("t", domain="other"), reasoning("t")]),
    st.just({"type": "mcp_call", "id": "m", "name": "f", "arguments": "{}", "output": "x"}),
)


@settings(max_examples=150, deadline=None, database=None, phases=(Phase.generate, Phase.target))
@given(
    items=st.lists(_items, max_size=10),
    keep=st.sampled_from(["keep", "fold"]),
    cache=st.sampled_from(["explicit", "none"]),
    features=st.sampled_from([TOOLS, TOOLS | PREFILL]),
)
def test_whatever_the_history_the_request_is_lawful(items, keep, cache, features):
    skin = open_skin(system_turns=keep, prompt_cache=cache)
    with suppress(CallerError):  # a history without a word
        crossed(*items, skin=skin, step={"features": features})


def test_a_system_turn_behind_thinking_that_led_to_nothing_leads_the_history():
    skin = open_skin(system_turns="keep", prompt_cache="none")
    request = crossed(thought("t"), said("developer", "Be brief."), skin=skin)
    assert [turn["role"] for turn in request.top["messages"]] == ["user"]
    assert "Be brief." in json.dumps(request.top)
