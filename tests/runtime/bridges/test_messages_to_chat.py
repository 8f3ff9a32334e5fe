"""Messages requests on their way to Chat Completions upstreams."""

import json
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.bridges.fields import Fate
from runtime.bridges.messages_to_chat import TABLE
from runtime.bridges.parts import FAILED, GO_ON, NO_RESULT
from runtime.errors import CallerError
from runtime.events import Opaque
from runtime.opaque import wrap
from runtime.vocabulary import PREFILL, Reasoning
from tests.runtime.bridges.chat_requests import DOMAIN, capture, cross, cross_bytes, recorded, roles

REQUESTS = recorded("messages")
# an error of the caller's own, recorded for the answer
UNREADABLE = "messages/anthropic__error-400__1.request.json"
USER = {"role": "user", "content": "hi"}
TOOL = {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}
EPHEMERAL = {"type": "ephemeral"}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
SENT_PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def text(words, **more):
    return {"type": "text", "text": words, **more}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def call(call_id, name="look", **arguments):
    return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}


def result(call_id, content="done", **more):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def thinking(words, signature=""):
    return {"type": "thinking", "thinking": words, "signature": signature}


def body_of(*turns, **fields):
    return {"max_tokens": 100, "messages": list(turns), **fields}


def told(*turns, **skin):
    """The messages these turns become."""
    return cross("messages", body_of(*turns), **skin).top["messages"]


@pytest.mark.parametrize(
    ("name", "body"),
    [pytest.param(name, body, id=name) for name, body in REQUESTS if name != UNREADABLE],
)
def test_every_recorded_request_becomes_a_legal_chat_request(name, body):
    for cache in ("explicit", "none"):
        crossed = cross("messages", body, prompt_cache=cache)
        assert "model" not in crossed.top
        assert "reasoning_effort" not in crossed.top
        assert len(crossed.dropped) == len(set(crossed.dropped))
        rows = {field.name for field in TABLE.fields}
        words = {word for word in crossed.dropped if not word.startswith("hosted:")}
        assert words <= rows, "nothing is dropped that the table does not explain"


def test_there_are_recorded_requests_of_claude_code_and_of_providers():
    assert sum(name.startswith("claude-code/") for name, _ in REQUESTS) >= 40
    assert sum(name.startswith("messages/") for name, _ in REQUESTS) >= 50


# --- the conversation ----------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["Be brief.", [text("Be brief.")]])
def test_system_text_is_the_leading_message(system):
    crossed = cross("messages", body_of(USER, system=system))
    assert crossed.top["messages"] == [{"role": "system", "content": "Be brief."}, USER]


def test_the_billing_line_of_claude_code_is_left_out_and_named():
    line = "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;"
    for system in ([text(line), text("Be brief.")], f"{line}\nBe brief."):
        crossed = cross("messages", body_of(USER, system=system))
        assert crossed.top["messages"][0] == {"role": "system", "content": "Be brief."}
        assert crossed.dropped == ("x-anthropic-billing-header",)
    only = cross("messages", body_of(USER, system=[text(line)]))
    assert roles(only) == ["user"]


def test_a_system_turn_stays_where_it_is():
    crossed = cross("messages", capture("claude-code/text.02.post.v1-messages"))
    assert roles(crossed) in (["system", "user", "system"], ["system", "user"])
    turns = (USER, {"role": "system", "content": "Now be brief."}, user(text("go")))
    assert [(m["role"], m["content"]) for m in told(*turns)] == [
        ("user", "hi"),
        ("system", "Now be brief."),
        ("user", "go"),
    ]


def test_a_turn_with_text_thinking_and_calls_is_one_message_and_its_results_follow():
    messages = told(
        USER,
        assistant(thinking("Two files."), text("I look."), call("a", p=1), call("b")),
        user(result("b", "B"), result("a", [text("A1"), text("A2")]), text("and now?")),
    )
    assert messages[1:] == [
        {
            "role": "assistant",
            "content": "I look.",
            "reasoning_content": "Two files.",
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"p": 1}'},
                },
                {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "A1\nA2"},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
        {"role": "user", "content": "and now?"},
    ]


@pytest.mark.parametrize(
    ("spelt", "sent"),
    [
        ('{"p":1}', '{"p":1}'),
        ('{"p": 1.50, "q": "\\u00e9 \u00fc\\n"}', '{"p": 1.50, "q": "\\u00e9 \u00fc\\n"}'),
        ('{"p":1,"p":2}', '{"p":1,"p":2}'),
        ('{\n  "p": 1\n}', '{"p":1}'),
        ("{}", "{}"),
        ("{ }", "{}"),
        ("null", "{}"),
        ('""', "{}"),
        ('" "', " "),
        ('"p"', "p"),
        ("[1, 2]", "[1,2]"),
    ],
)
def test_arguments_of_a_call_go_as_they_are_spelt_and_none_are_an_empty_object(spelt, sent):
    turns = (USER, assistant(call("a", p="HERE")), user(result("a")))
    body = json.dumps(body_of(*turns)).replace('{"p": "HERE"}', spelt)
    crossed = cross_bytes("messages", body.encode())
    (asked,) = crossed.top["messages"][1]["tool_calls"]
    assert asked["function"] == {"name": "look", "arguments": sent}


def test_a_call_that_says_nothing_of_its_input_has_no_arguments():
    bare = {"type": "tool_use", "id": "a", "name": "look"}
    (asked,) = told(USER, assistant(bare), user(result("a")))[1]["tool_calls"]
    assert asked["function"]["arguments"] == "{}"


def test_parallel_results_of_claude_code_stand_in_the_order_of_the_calls():
    crossed = cross("messages", capture("claude-code/tool_parallel.03.post.v1-messages"))
    turn = next(m for m in crossed.top["messages"] if "tool_calls" in m)
    answers = [m for m in crossed.top["messages"] if m["role"] == "tool"]
    assert [a["tool_call_id"] for a in answers] == [c["id"] for c in turn["tool_calls"]]
    assert [a["content"] for a in answers] == ["A", "B"]


def test_text_before_a_result_in_its_turn_comes_after_it():
    messages = told(USER, assistant(call("a")), user(text("see"), result("a")))
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "user"]


def test_a_text_that_citations_cut_is_whole_again():
    cited = text("by Bach", citations=[{"type": "page_location"}])
    crossed = cross("messages", body_of(USER, assistant(text("It is "), cited, text(".")), USER))
    assert crossed.top["messages"][1]["content"] == "It is by Bach."
    assert crossed.dropped == ("content[].citations",)


def test_a_failed_result_says_so_and_one_without_text_too():
    failed = [result("a", "no file", is_error=True), result("b", [], is_error=True)]
    messages = told(USER, assistant(call("a"), call("b")), user(*failed))
    assert [m["content"] for m in messages[2:]] == [f"{FAILED}no file", FAILED]


def test_a_call_without_a_result_gets_one_that_says_so():
    crossed = cross("messages", body_of(USER, assistant(call("a")), user(text("and?"))))
    assert crossed.top["messages"][2]["content"] == NO_RESULT
    assert crossed.dropped == ("tool_result:missing",)


def test_a_result_without_a_call_is_told_by_the_user():
    crossed = cross("messages", body_of(user(result("lost", "42"))))
    assert crossed.top["messages"] == [{"role": "user", "content": "[result of call lost]\n\n42"}]
    assert crossed.dropped == ("tool_result:without_call",)


def test_images_in_a_result_go_into_a_user_message_that_names_the_call():
    messages = told(USER, assistant(call("a")), user(result("a", [PICTURE]), text("what is it?")))
    assert messages[2:] == [
        {"role": "tool", "tool_call_id": "a", "content": "[image of call a]"},
        {"role": "user", "content": [text("[image of call a]"), SENT_PICTURE]},
        {"role": "user", "content": "what is it?"},
    ]


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (PICTURE, [SENT_PICTURE]),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
            [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}],
        ),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "context": "from last year",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
            },
            [
                text("from last year"),
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
                },
            ],
        ),
        (
            {
                "type": "document",
                "title": "T",
                "source": {"type": "text", "media_type": "text/plain", "data": "words"},
            },
            [text("T"), text("words")],
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [text("w"), PICTURE]}},
            [text("w"), SENT_PICTURE],
        ),
        (
            {"type": "search_result", "title": "T", "source": "S", "content": [text("found")]},
            [text("T\nS\nfound")],
        ),
    ],
)
def test_blocks_of_a_user_turn_keep_their_payload(block, parts):
    # with a picture beside it, no text becomes a plain string
    assert told(user(block, PICTURE))[0]["content"] == [*parts, SENT_PICTURE]


# one text, spelt in every way it may be, also beside fields that say nothing
ONE_TEXT = ["x", [text("x")], [text("x", citations=None)], [text(""), text("x"), text("")]]


@pytest.mark.parametrize("content", ONE_TEXT, ids=str)
def test_a_text_says_the_same_in_every_spelling(content):
    turns = (
        {"role": "system", "content": content},
        {"role": "user", "content": content},
        assistant(call("a")),
        user(result("a", content), result("b", content)),
        {"role": "assistant", "content": content},
        {"role": "user", "content": content},
    )
    assert [m["content"] for m in told(*turns, prompt_cache="none")] == [
        "x",
        "x",
        None,
        "x",
        "[result of call b]\n\nx",
        "x",
        "x",
    ]


@pytest.mark.parametrize("content", ["", [], [text("")], [text("", citations=None)]], ids=str)
def test_an_empty_text_is_no_message_in_every_spelling(content):
    turns = ({"role": role, "content": content} for role in ("system", "user", "assistant"))
    assert told(USER, *turns, user(text("go"))) == [USER, {"role": "user", "content": "go"}]
    answered = told(USER, assistant(call("a")), user(result("a", content)))
    assert answered[2]["content"] == ""


def test_what_is_known_in_the_end_alone_is_named_in_the_order_of_the_turns():
    cut = assistant(thinking("I th"))
    unanswered = assistant(call("a"))
    for turns, dropped in (
        ((cut, USER, unanswered), ("thinking", "tool_result:missing")),
        ((unanswered, USER, cut), ("tool_result:missing", "thinking")),
    ):
        assert cross("messages", body_of(USER, *turns, USER)).dropped == dropped


def test_texts_of_a_user_turn_become_one_string():
    assert told(user(text("one"), text("two")))[0]["content"] == "one\n\ntwo"


@pytest.mark.parametrize(
    ("block", "name"),
    [
        (
            {"type": "document", "source": {"type": "url", "url": "https://x.test/a.pdf"}},
            "content[].source.url",
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "f"}},
            "content[].source.file_id",
        ),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "content[].source.file_id"),
        ({"type": "container_upload", "file_id": "f"}, "content[type=container_upload]"),
    ],
)
def test_what_the_table_refuses_is_named_should_it_come_here(block, name):
    crossed = cross("messages", body_of(user(text("hi"), block)))
    assert crossed.top["messages"] == [USER]
    assert crossed.dropped == (name,)
    assert name in {field.name for field in TABLE.of(Fate.REFUSE)}


def test_what_a_providers_tool_found_is_told_without_its_ciphers():
    found = {"type": "web_search_result", "title": "T", "url": "U", "encrypted_content": "XXXX"}
    crossed = cross(
        "messages",
        body_of(
            USER,
            assistant(
                text("I search."),
                {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"q": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "srv", "content": [found]},
                text("Found."),
            ),
            USER,
        ),
    )
    assert roles(crossed) == ["user", "assistant", "tool", "assistant", "user"]
    answer = json.loads(crossed.top["messages"][2]["content"])
    assert answer == [{"type": "web_search_result", "title": "T", "url": "U"}]


def test_a_prefill_is_kept_where_the_skin_goes_on_with_it_and_else_followed_by_a_user_turn():
    body = body_of(USER, {"role": "assistant", "content": "{"})
    kept = cross("messages", body, features=PREFILL)
    assert kept.top["messages"][-1] == {"role": "assistant", "content": "{"}
    assert kept.dropped == ()
    crossed = cross("messages", body)
    assert crossed.top["messages"][-1] == {"role": "user", "content": GO_ON}
    assert crossed.dropped == ("prefill",)


@pytest.mark.parametrize(
    ("turns", "place"),
    [
        ([user()], "messages"),
        (
            [assistant({"type": "tool_use", "name": "look", "input": {}})],
            "messages[0].content[0].id",
        ),
        ([user({"type": "tool_result"})], "messages[0].content[0].tool_use_id"),
    ],
)
def test_a_history_that_cannot_be_read_is_the_callers_error_with_its_path(turns, place):
    with pytest.raises(CallerError) as caught:
        cross("messages", body_of(*turns))
    assert caught.value.param == place


# --- caches --------------------------------------------------------------------------------------


def test_cache_marks_stay_on_parts_where_the_skin_takes_them():
    body = body_of(
        user(text("hi", cache_control=EPHEMERAL)),
        assistant(text("I look.", cache_control=EPHEMERAL), call("a")),
        user(result("a", "A", cache_control=EPHEMERAL)),
        system=[text("Be brief."), text("Be kind.", cache_control=EPHEMERAL)],
    )
    crossed = cross("messages", body, prompt_cache="explicit")
    assert [m["content"] for m in crossed.top["messages"]] == [
        [text("Be brief."), text("Be kind.", cache_control=EPHEMERAL)],
        [text("hi", cache_control=EPHEMERAL)],
        [text("I look.", cache_control=EPHEMERAL)],
        [text("A", cache_control=EPHEMERAL)],
    ]
    assert crossed.dropped == ()


@pytest.mark.parametrize("cache", ["auto", "none"])
def test_cache_marks_are_named_where_the_skin_takes_none(cache):
    body = body_of(user(text("hi", cache_control=EPHEMERAL)))
    crossed = cross("messages", body, prompt_cache=cache)
    assert crossed.top["messages"] == [USER]
    assert crossed.dropped == ("cache_control",)


# --- thinking ------------------------------------------------------------------------------------


def reasons(echo="required", field="reasoning_content"):
    return Reasoning(control="effort", levels=("low",), echo=echo, field=field)


@pytest.mark.parametrize("echo", ["required", "optional"])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_readable_thinking_goes_into_the_field_of_the_skin(echo, field):
    turns = (USER, assistant(thinking("I think."), text("Yes.")), USER)
    assert told(*turns, reasoning=reasons(echo, field))[1][field] == "I think."


@pytest.mark.parametrize("skin", [reasons("forbidden"), None])
def test_readable_thinking_is_left_out_where_the_skin_takes_none(skin):
    body = body_of(USER, assistant(thinking("I think."), text("Yes.")), USER)
    crossed = cross("messages", body, reasoning=skin)
    assert crossed.top["messages"][1] == {"role": "assistant", "content": "Yes."}
    assert crossed.dropped == ("thinking",)


def test_foreign_signatures_are_left_out_and_named_once():
    body = body_of(
        USER,
        assistant(thinking("I think.", "native=="), text("Yes.")),
        USER,
        assistant(thinking("I think.", "native=="), text("Yes.")),
        USER,
        assistant({"type": "redacted_thinking", "data": "sealed"}, text("Yes.")),
        USER,
    )
    crossed = cross("messages", body)
    assert "native==" not in json.dumps(crossed.top)
    assert crossed.dropped == ("thinking.signature", "redacted_thinking.data")


@pytest.mark.parametrize("words", ["I think.", ""])
def test_our_own_envelope_gives_the_upstream_its_details_back(words):
    details = [{"type": "reasoning.encrypted", "data": "abc", "index": 0}]
    ours = wrap(Opaque("chat", {"details": details}), DOMAIN)
    crossed = cross(
        "messages", body_of(USER, assistant(thinking(words, ours), call("a")), user(result("a")))
    )
    turn = crossed.top["messages"][1]
    assert turn["reasoning_details"] == details
    assert turn.get("reasoning_content", "") == words
    assert crossed.dropped == ()
    theirs = wrap(Opaque("chat", {"details": details}), "another")
    body = body_of(USER, assistant(thinking(words, theirs), text("Yes.")), USER)
    assert cross("messages", body).dropped == ("thinking.signature",)


def test_a_turn_of_thinking_alone_is_left_out_and_named():
    crossed = cross("messages", body_of(USER, assistant(thinking("I th")), USER))
    assert roles(crossed) == ["user", "user"]
    assert crossed.dropped == ("thinking",)


# --- tools ---------------------------------------------------------------------------------------


def test_tools_are_nested_functions_and_their_schemas_are_handed_on():
    body = body_of(USER, tools=[{**TOOL, "type": "custom", "strict": True}])
    (tool,) = cross("messages", body).top["tools"]
    assert tool == {
        "type": "function",
        "function": {
            "name": "look",
            "description": "Looks.",
            "parameters": {"type": "object"},
            "strict": True,
        },
    }


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("defer_loading", "tools[].defer_loading"),
        ("allowed_callers", "tools[].allowed_callers"),
        ("input_examples", "tools[].input_examples"),
        ("eager_input_streaming", "tools[].eager_input_streaming"),
        ("cache_control", "cache_control"),
    ],
)
def test_options_of_a_tool_that_chat_does_not_know_are_named(option, name):
    crossed = cross("messages", body_of(USER, tools=[{**TOOL, option: {"some": "value"}}]))
    assert crossed.dropped == (name,)
    assert name in {field.name for field in TABLE.of(Fate.DROP)}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "look"}, {"type": "function", "function": {"name": "look"}}),
    ],
)
def test_every_form_of_tool_choice_crosses(choice, sent):
    top = cross("messages", body_of(USER, tools=[TOOL], tool_choice=choice)).top
    assert top["tool_choice"] == sent
    assert "parallel_tool_calls" not in top
    one = {**choice, "disable_parallel_tool_use": True}
    top = cross("messages", body_of(USER, tools=[TOOL], tool_choice=one)).top
    assert top["parallel_tool_calls"] is False


def test_hosted_tools_are_left_out_and_named_with_the_choice_of_them():
    hosted = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    crossed = cross("messages", body_of(USER, tools=[hosted], tool_choice={"type": "auto"}))
    assert crossed.top == {"messages": [USER], "max_tokens": 100}
    assert crossed.dropped == ("hosted:web_search",)
    forced = {"type": "tool", "name": "web_search"}
    top = cross("messages", body_of(USER, tools=[hosted, TOOL], tool_choice=forced)).top
    assert "tool_choice" not in top


def test_a_name_no_provider_takes_is_replaced_alike_in_list_choice_and_history():
    body = body_of(
        USER,
        assistant(call("a", "mcp.look")),
        user(result("a")),
        tools=[{**TOOL, "name": "mcp.look"}],
        tool_choice={"type": "tool", "name": "mcp.look"},
    )
    crossed = cross("messages", body)
    name = crossed.top["tools"][0]["function"]["name"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name)
    assert crossed.top["tool_choice"]["function"]["name"] == name
    assert crossed.top["messages"][1]["tool_calls"][0]["function"]["name"] == name
    assert crossed.tools.original(name).name == "mcp.look"


def test_servers_the_provider_would_call_are_named():
    servers = [{"type": "url", "name": "s", "url": "https://x.test"}]
    crossed = cross("messages", body_of(USER, mcp_servers=servers))
    assert crossed.dropped == ("hosted:mcp",)


# --- single fields -------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
FORMAT = {"type": "json_schema", "schema": SCHEMA}
SENT_FORMAT = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "output", "schema": SCHEMA, "strict": True},
    }
}
# a body's fields, and what they become
TRACES = [
    ({"temperature": 0.5}, {"temperature": 0.5}),
    ({"top_p": 0.5}, {"top_p": 0.5}),
    ({"stop_sequences": ["END"]}, {"stop": ["END"]}),
    ({"stop_sequences": []}, {}),
    ({"max_tokens": 7}, {"max_tokens": 7}),
    ({"output_config": {"format": FORMAT}}, SENT_FORMAT),
    ({"output_config": {"effort": "low"}}, {}),
    ({"output_format": FORMAT}, SENT_FORMAT),
    ({"service_tier": "auto"}, {"service_tier": "auto"}),
    ({"service_tier": "standard_only"}, {"service_tier": "default"}),
    ({"stream": True}, {"stream": True}),
    ({"stream": False}, {}),
    ({"model": "coder"}, {}),
    ({"thinking": {"type": "adaptive"}}, {}),
    ({"metadata": None}, {}),
]


@pytest.mark.parametrize(("fields", "sent"), TRACES, ids=[str(fields) for fields, _ in TRACES])
def test_a_field_that_crosses_leaves_its_trace(fields, sent):
    crossed = cross("messages", body_of(USER, **fields))
    assert crossed.top == {"messages": [USER], "max_tokens": 100, **sent}
    assert crossed.dropped == ()


def test_every_top_level_field_that_is_carried_is_tried():
    tried = {name for fields, _ in TRACES for name in fields}
    assert {field.name for field in TABLE.of(Fate.CARRY) if field.name in TABLE.top} <= tried


# of the rows that read like a field: a name of the trace alone
NO_FIELDS = {"prefill"}
DROPPED = [f.name for f in TABLE.of(Fate.DROP) if f.name.isidentifier()]


@pytest.mark.parametrize("name", [name for name in DROPPED if name not in NO_FIELDS])
def test_every_top_level_field_that_is_dropped_is_named(name):
    value = 5 if name == "top_k" else {"some": "value"}
    crossed = cross("messages", body_of(USER, **{name: value}))
    assert crossed.dropped == (name,)
    assert crossed.top == {"messages": [USER], "max_tokens": 100}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, "thinking.display"),
        ({"output_config": {"task_budget": {"total": 9}}}, "output_config.task_budget"),
        ({"brand_new": 1}, "brand_new"),
    ],
)
def test_members_and_fields_that_chat_does_not_know_are_named(fields, name):
    assert cross("messages", body_of(USER, **fields)).dropped == (name,)


def test_every_key_of_a_chat_request_is_explained_by_the_table():
    known = set()
    for field in TABLE.of(Fate.CARRY, Fate.MAP):
        known |= {field.name, *re.findall(r"\w+", field.to)}
    for name, body in REQUESTS:
        if name != UNREADABLE:
            assert set(cross("messages", body).top) <= known


# --- any history ---------------------------------------------------------------------------------

_IDS = st.sampled_from(["a", "b", "c", "functions.x:0"])
_WORDS = st.text("ab ", max_size=3)
_RESULTS = st.builds(result, _IDS, st.one_of(_WORDS, st.just([PICTURE]), st.just([])))
_TURNS = st.one_of(
    st.builds(user, st.builds(text, _WORDS), _RESULTS),
    st.builds(user, _RESULTS, _RESULTS, st.just(PICTURE)),
    st.builds(
        assistant, st.builds(thinking, _WORDS), st.builds(text, _WORDS), st.builds(call, _IDS)
    ),
    st.builds(assistant, st.builds(call, _IDS), st.builds(call, _IDS)),
    st.builds(assistant, st.builds(text, _WORDS)),
    st.builds(lambda words: {"role": "system", "content": words}, _WORDS),
)


@settings(
    max_examples=150,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(_TURNS, max_size=10), st.booleans())
def test_any_history_becomes_a_legal_conversation(turns, prefill):
    cross("messages", body_of(USER, *turns), features=PREFILL if prefill else 0)
