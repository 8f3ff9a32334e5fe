"""Responses requests on their way to Chat Completions upstreams."""

import json
import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.bridges.fields import Fate
from runtime.bridges.parts import FAILED, GO_ON, NO_RESULT
from runtime.bridges.responses_to_chat import TABLE
from runtime.bridges.tools import Original
from runtime.errors import CallerError
from runtime.events import Opaque
from runtime.opaque import wrap
from runtime.vocabulary import PREFILL, Reasoning
from tests.runtime.bridges.chat_requests import DOMAIN, capture, cross, recorded, roles
from tests.runtime.dialects.bodies import PNG

REQUESTS = recorded("responses")
USER = {"type": "message", "role": "user", "content": "hi"}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
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
    "tools": [{"type": "function", "name": "close", "parameters": {"type": "object"}}],
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


def told(*items, **skin):
    """The messages these items become."""
    return cross("responses", {"input": list(items)}, **skin).top["messages"]


@pytest.mark.parametrize(("name", "body"), REQUESTS, ids=[name for name, _ in REQUESTS])
def test_every_recorded_request_becomes_a_legal_chat_request(name, body):
    crossed = cross("responses", body)
    assert "model" not in crossed.top
    assert "reasoning_effort" not in crossed.top
    assert len(crossed.dropped) == len(set(crossed.dropped))
    rows = {field.name for field in TABLE.fields}
    unexplained = {
        word for word in crossed.dropped if word not in rows and not word.startswith("hosted:")
    }
    assert unexplained <= {"provider"}, "nothing is dropped that the table does not explain"


def test_there_are_recorded_requests_of_codex_and_of_providers():
    assert sum(name.startswith("codex/") for name, _ in REQUESTS) >= 30
    assert sum(name.startswith("responses/") for name, _ in REQUESTS) >= 50


# --- the conversation ----------------------------------------------------------------------------


def test_a_text_alone_is_the_users_message():
    assert cross("responses", {"input": "hi"}).top == {
        "messages": [{"role": "user", "content": "hi"}]
    }


def test_instructions_and_leading_developer_messages_become_one_system_message():
    body = {
        "instructions": "Be brief.",
        "input": [said("developer", "Be kind."), said("system", "Be fair."), USER],
    }
    assert cross("responses", body).top["messages"] == [
        {"role": "system", "content": "Be brief.\n\nBe kind.\n\nBe fair."},
        {"role": "user", "content": "hi"},
    ]


def test_a_developer_message_in_the_middle_stays_where_it_is():
    messages = told(USER, said("developer", "Now be brief."), said("user", "go"))
    assert [(m["role"], m["content"]) for m in messages] == [
        ("user", "hi"),
        ("system", "Now be brief."),
        ("user", "go"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "x",
        [{"type": "output_text", "text": "x"}],
        [{"type": "output_text", "text": "x", "annotations": []}],
        [{"type": "output_text", "text": ""}, {"type": "output_text", "text": "x"}],
    ],
    ids=str,
)
def test_a_text_says_the_same_in_every_spelling(content):
    roles_of = ("system", "user", "assistant", "user")
    items = [*(said(role, content) for role in roles_of), call("a"), result("a", content)]
    assert [m["content"] for m in told(*items)] == ["x", "x", "x", "x", None, "x"]


def test_parts_of_one_message_of_the_assistants_are_one_sentence_and_messages_are_not():
    parts = [{"type": "output_text", "text": word} for word in ("It is ", "by Bach.")]
    messages = told(USER, said("assistant", parts), said("assistant", "Sure."), USER)
    assert messages[1] == {"role": "assistant", "content": "It is by Bach.\n\nSure."}


def test_calls_of_one_turn_join_its_text_and_its_reasoning():
    messages = told(
        USER,
        reasoning("Two files."),
        said("assistant", [{"type": "output_text", "text": "I look."}]),
        call("a", arguments='{"p":1}'),
        call("b"),
        result("b", "B"),
        result("a", "A"),
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
                    "function": {"name": "look", "arguments": '{"p":1}'},
                },
                {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "A"},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
    ]


def test_calls_that_were_answered_one_by_one_stay_two_turns():
    items = (USER, call("a"), result("a"), call("b"), result("b"))
    assert [m["role"] for m in told(*items)] == ["user", "assistant", "tool", "assistant", "tool"]


def test_what_came_between_call_and_result_moves_behind_the_result():
    messages = told(USER, call("a"), call("b"), result("a"), said("user", "wait"), result("b", "B"))
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "tool", "user"]
    assert messages[3]["content"] == "B"
    assert messages[4]["content"] == "wait"


def test_a_message_with_calls_and_no_text_has_null_for_content():
    assert told(USER, call("a"), result("a"))[1]["content"] is None


def test_a_call_without_a_result_gets_one_that_says_so():
    crossed = cross("responses", {"input": [USER, call("a"), said("user", "and?")]})
    assert crossed.top["messages"][2] == {
        "role": "tool",
        "tool_call_id": "a",
        "content": NO_RESULT,
    }
    assert "tool_result:missing" in crossed.dropped


def test_a_result_without_a_call_is_told_by_the_user():
    crossed = cross("responses", {"input": [USER, result("lost", "42")]})
    assert roles(crossed) == ["user", "user"]
    assert crossed.top["messages"][1]["content"] == "[result of call lost]\n\n42"
    assert "tool_result:without_call" in crossed.dropped


@pytest.mark.parametrize("between", [(result("x", "1"), call("x")), (call("x"), result("x", "1"))])
def test_an_id_used_twice_answers_each_call_with_its_own_result(between):
    messages = told(USER, call("x"), *between, result("x", "2"))
    assert [m["content"] for m in messages if m["role"] == "tool"] == ["1", "2"]


def test_an_id_no_provider_takes_is_replaced_alike_on_call_and_result():
    messages = told(USER, call("functions.look:0"), result("functions.look:0"))
    sent = messages[1]["tool_calls"][0]["id"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", sent)
    assert messages[2]["tool_call_id"] == sent


def test_images_in_a_result_go_into_a_user_message_that_names_the_call():
    picture = {"type": "input_image", "image_url": PNG, "detail": "high"}
    text = {"type": "input_text", "text": "a plot"}
    messages = told(
        USER, call("a"), call("b"), result("a", [text, picture]), result("b", [picture])
    )
    image = {"type": "image_url", "image_url": {"url": PNG, "detail": "high"}}
    assert messages[2:] == [
        {"role": "tool", "tool_call_id": "a", "content": "a plot"},
        {"role": "tool", "tool_call_id": "b", "content": "[image of call b]"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "[image of call a]"},
                image,
                {"type": "text", "text": "[image of call b]"},
                image,
            ],
        },
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "input_image", "image_url": "https://x.test/a.png"},
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        ),
        (
            {"type": "input_image", "image_url": PNG, "detail": "low"},
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        ),
        (
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,AA==",
            },
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="},
            },
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        ),
    ],
)
def test_parts_of_a_user_message_keep_their_payload(part, expected):
    look = {"type": "input_text", "text": "look"}
    assert told(said("user", [look, part]))[0]["content"] == [
        {"type": "text", "text": "look"},
        expected,
    ]


def test_a_trailing_assistant_item_is_followed_by_a_fixed_user_turn():
    body = {"input": [USER, said("assistant", "I was about")]}
    crossed = cross("responses", body)
    assert crossed.top["messages"][-1] == {"role": "user", "content": GO_ON}
    assert "prefill" in crossed.dropped
    kept = cross("responses", body, features=PREFILL)
    assert roles(kept) == ["user", "assistant"]
    assert kept.dropped == ()


def test_what_a_client_ran_itself_keeps_its_arguments_and_its_output():
    action = {"type": "exec", "command": ["ls"], "env": {}}
    messages = told(
        USER,
        {"type": "local_shell_call", "id": "l", "call_id": "c", "action": action},
        {"type": "local_shell_call_output", "call_id": "c", "output": "a.txt"},
        {"type": "computer_call", "id": "m", "call_id": "d", "action": {"type": "screenshot"}},
        {
            "type": "computer_call_output",
            "call_id": "d",
            "output": {"type": "computer_screenshot", "image_url": PNG},
        },
    )
    function = messages[1]["tool_calls"][0]["function"]
    assert function["name"] == "local_shell"
    assert json.loads(function["arguments"]) == action
    assert messages[2]["content"] == "a.txt"
    assert messages[5]["content"][1]["image_url"]["url"] == PNG


def test_what_a_provider_ran_is_told_where_its_result_is_known_and_named_where_not():
    crossed = cross(
        "responses",
        {
            "input": [
                USER,
                {"type": "web_search_call", "id": "w", "action": {"query": "x"}},
                {
                    "type": "mcp_call",
                    "id": "mcp_1",
                    "name": "add",
                    "server_label": "s",
                    "arguments": '{"a":1}',
                    "output": "42",
                },
                said("assistant", "It is 42."),
                said("user", "thanks"),
            ]
        },
    )
    assert roles(crossed) == ["user", "assistant", "tool", "assistant", "user"]
    assert crossed.top["messages"][1]["tool_calls"][0]["function"] == {
        "name": "add",
        "arguments": '{"a":1}',
    }
    assert crossed.dropped == ("input[type=web_search_call]",)


@pytest.mark.parametrize(
    "item",
    [
        {"type": "compaction", "encrypted_content": "sealed"},
        {"type": "mcp_list_tools", "id": "m", "server_label": "s", "tools": []},
        {"type": "a_new_kind_of_item"},
    ],
)
def test_items_that_cannot_cross_are_named(item):
    crossed = cross("responses", {"input": [USER, item]})
    assert roles(crossed) == ["user"]
    assert crossed.dropped == (f"input[type={item['type']}]",)


def test_words_without_type_and_role_are_the_users():
    top = cross("responses", {"input": [{"content": "hi"}]}).top
    assert top["messages"] == [{"role": "user", "content": "hi"}]


def test_a_reference_to_reasoning_is_left_out_and_named():
    for item in ({"type": "item_reference", "id": "rs_1"}, {"id": "rs_1"}):
        assert cross("responses", {"input": [USER, item]}).dropped == ("item_reference",)


@pytest.mark.parametrize(
    ("items", "place"),
    [
        ([], "input"),
        ([call("a", name=None)], "input[0].name"),
        ([USER, {"type": "function_call", "name": "look"}], "input[1].call_id"),
    ],
)
def test_a_history_that_cannot_be_read_is_the_callers_error_with_its_path(items, place):
    with pytest.raises(CallerError) as caught:
        cross("responses", {"input": items})
    assert caught.value.param == place


# --- reasoning -----------------------------------------------------------------------------------


def reasons(echo="required", field="reasoning_content"):
    return Reasoning(control="effort", levels=("low",), echo=echo, field=field)


TURN = (USER, reasoning("I think."), said("assistant", "Yes."), said("user", "why"))


@pytest.mark.parametrize("echo", ["required", "optional"])
@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_readable_reasoning_goes_into_the_field_of_the_skin(echo, field):
    assert told(*TURN, reasoning=reasons(echo, field))[1] == {
        "role": "assistant",
        "content": "Yes.",
        field: "I think.",
    }


def test_readable_reasoning_stands_in_tags_where_the_skin_has_them():
    assert told(*TURN, reasoning=reasons(field="think"))[1]["content"] == (
        "<think>\nI think.\n</think>\n\nYes."
    )


@pytest.mark.parametrize("skin", [reasons("forbidden"), None])
def test_readable_reasoning_is_left_out_where_the_skin_takes_none(skin):
    crossed = cross("responses", {"input": list(TURN)}, reasoning=skin)
    assert crossed.top["messages"][1] == {"role": "assistant", "content": "Yes."}
    assert crossed.dropped == ("reasoning",)


def test_full_thinking_is_preferred_to_its_summary():
    full = reasoning("short", content=[{"type": "reasoning_text", "text": "long"}])
    assert told(USER, full, said("assistant", "Yes."), USER)[1]["reasoning_content"] == "long"


def test_only_our_own_envelopes_of_this_domain_and_dialect_are_opened():
    details = [{"type": "reasoning.encrypted", "data": "abc", "index": 0}]
    ours = wrap(Opaque("chat", {"details": details}), DOMAIN)
    sealed = {
        ours: details,
        wrap(Opaque("chat", {"details": details}), "another"): None,
        wrap(Opaque("messages", {"details": details}), DOMAIN): None,
        "gAAAAA-native": None,
    }
    for text, expected in sealed.items():
        items = [
            USER,
            reasoning("I think.", encrypted_content=text),
            said("assistant", "Yes."),
            USER,
        ]
        crossed = cross("responses", {"input": items})
        turn = crossed.top["messages"][1]
        assert turn.get("reasoning_details") == expected
        assert turn["reasoning_content"] == "I think."
        assert crossed.dropped == (() if expected else ("reasoning.encrypted_content",))


# --- tools ---------------------------------------------------------------------------------------


def test_function_tools_are_nested_and_keep_strict():
    body = {"input": "hi", "tools": [{**TOOL, "description": "Looks.", "strict": True}]}
    assert cross("responses", body).top["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "look",
                "description": "Looks.",
                "parameters": {"type": "object"},
                "strict": True,
            },
        }
    ]


def test_a_custom_tool_is_a_function_of_one_string_that_carries_the_grammar():
    for tool in (PATCH, {"type": "custom", "custom": {**PATCH}}):
        crossed = cross("responses", {"input": "hi", "tools": [tool]})
        function = crossed.top["tools"][0]["function"]
        assert function["name"] == "apply_patch"
        assert function["description"].startswith("Edits files.")
        assert "start: begin hunk+ end" in function["description"]
        assert function["parameters"]["required"] == ["input"]
        assert crossed.tools.original("apply_patch") == Original("apply_patch", custom=True)


def test_a_call_of_a_custom_tool_is_a_call_of_its_function():
    messages = told(
        USER,
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
    )
    function = messages[1]["tool_calls"][0]["function"]
    assert function["name"] == "apply_patch"
    assert json.loads(function["arguments"]) == {"input": "*** Begin"}
    assert messages[2]["content"] == "ok"


def test_tools_of_a_namespace_get_flat_names_in_list_and_history():
    items = [USER, call("a", "close", namespace="agents"), result("a"), call("b", "close")]
    crossed = cross("responses", {"input": items, "tools": [TOOL, SPACE]})
    names = [tool["function"]["name"] for tool in crossed.top["tools"]]
    assert names == ["look", "agents__close"]
    called = [
        m["tool_calls"][0]["function"]["name"] for m in crossed.top["messages"] if "tool_calls" in m
    ]
    assert called == ["agents__close", "close"]
    assert crossed.tools.original("agents__close") == Original("close", namespace="agents")
    assert "tools[type=namespace].description" in crossed.dropped


def test_tools_that_stand_in_an_input_item_are_tools():
    body = capture("codex/responses_lite.02.post.v1-responses")
    crossed = cross("responses", body)
    assert "functions__exec_command" in [t["function"]["name"] for t in crossed.top["tools"]]
    assert roles(crossed)[0] == "system"


def test_hosted_tools_are_left_out_and_named_with_the_choice_of_them():
    hosted = {"type": "web_search_preview_2025_03_11"}
    crossed = cross("responses", {"input": "hi", "tools": [hosted], "tool_choice": "required"})
    assert crossed.top == {"messages": [{"role": "user", "content": "hi"}]}
    assert crossed.dropped == ("hosted:web_search",)
    both = {"input": "hi", "tools": [hosted, TOOL], "tool_choice": {"type": "web_search_preview"}}
    assert "tool_choice" not in cross("responses", both).top


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "look"}, "look"),
        ({"type": "function", "function": {"name": "look"}}, "look"),
        ({"type": "custom", "name": "apply_patch"}, "apply_patch"),
        ({"type": "function", "name": "close"}, "agents__close"),
    ],
)
def test_every_form_of_tool_choice_crosses(choice, sent):
    body = {"input": "hi", "tools": [TOOL, PATCH, SPACE], "tool_choice": choice}
    named = {"type": "function", "function": {"name": sent}}
    assert cross("responses", body).top["tool_choice"] == (
        sent if isinstance(choice, str) else named
    )


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("mode", ["auto", "required"])
def test_allowed_tools_leave_the_others_out(nested, mode):
    listing = {"mode": mode, "tools": [{"type": "custom", "name": "apply_patch"}]}
    choice = {"type": "allowed_tools", **({"allowed_tools": listing} if nested else listing)}
    body = {"input": "hi", "tools": [TOOL, PATCH], "tool_choice": choice}
    top = cross("responses", body).top
    assert [tool["function"]["name"] for tool in top["tools"]] == ["apply_patch"]
    assert top["tool_choice"] == mode


def test_a_choice_of_a_tool_that_is_not_there_is_named():
    body = {"input": "hi", "tools": [TOOL], "tool_choice": {"type": "function", "name": "gone"}}
    crossed = cross("responses", body)
    assert "tool_choice" not in crossed.top
    assert crossed.dropped == ("tool_choice",)


# --- single fields -------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {}}
# field -> a body that has it, and what it becomes
TRACES = [
    ({"temperature": 0.5}, {"temperature": 0.5}),
    ({"top_p": 0.5}, {"top_p": 0.5}),
    ({"user": "u"}, {"user": "u"}),
    ({"safety_identifier": "s"}, {"safety_identifier": "s"}),
    ({"service_tier": "flex"}, {"service_tier": "flex"}),
    ({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
    ({"prompt_cache_retention": "24h"}, {"prompt_cache_retention": "24h"}),
    ({"moderation": {"model": "m"}}, {"moderation": {"model": "m"}}),
    ({"max_output_tokens": 99}, {"max_tokens": 99}),
    ({"top_logprobs": 3}, {"top_logprobs": 3, "logprobs": True}),
    ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
    ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
    ({"text": {"format": {"type": "text"}}}, {}),
    ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    (
        {
            "text": {
                "format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}
            }
        },
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
            }
        },
    ),
    ({"stream": True}, {"stream": True}),
    ({"stream": False}, {}),
    ({"store": False}, {}),
    ({"model": "coder"}, {}),
    ({"reasoning": {"effort": "low"}}, {}),
    ({"include": ["reasoning.encrypted_content"]}, {}),
    ({"metadata": None, "truncation": None}, {}),
]


@pytest.mark.parametrize(("fields", "sent"), TRACES, ids=[str(fields) for fields, _ in TRACES])
def test_a_field_that_crosses_leaves_its_trace(fields, sent):
    crossed = cross("responses", {"input": "hi", **fields})
    assert crossed.top == {"messages": [{"role": "user", "content": "hi"}], **sent}
    assert crossed.dropped == ()


def test_every_top_level_field_that_is_carried_is_tried():
    tried = {name for fields, _ in TRACES for name in fields} | {"parallel_tool_calls"}
    carried = {field.name for field in TABLE.of(Fate.CARRY) if field.name in TABLE.top}
    assert carried <= tried


def test_parallel_calls_are_switched_as_asked_but_never_without_tools():
    body = {"input": "hi", "tools": [TOOL], "parallel_tool_calls": False}
    assert cross("responses", body).top["parallel_tool_calls"] is False
    assert "parallel_tool_calls" not in cross("responses", {**body, "tools": []}).top


# of the rows that read like a field: names of the trace alone
NO_FIELDS = {"item_reference", "prefill"}
DROPPED = [f.name for f in TABLE.of(Fate.DROP) if f.name.isidentifier()]


@pytest.mark.parametrize("name", [name for name in DROPPED if name not in NO_FIELDS])
def test_every_top_level_field_that_is_dropped_is_named(name):
    body = {"input": "hi", name: {"some": "value"}}
    if name == "truncation":
        body[name] = "auto"
    crossed = cross("responses", body)
    assert crossed.dropped == (name,)
    assert crossed.top == {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("member", ["summary", "generate_summary", "context", "mode"])
def test_members_of_reasoning_that_chat_does_not_know_are_named(member):
    crossed = cross("responses", {"input": "hi", "reasoning": {member: "auto"}})
    assert crossed.dropped == (f"reasoning.{member}",)
    assert f"reasoning.{member}" in {field.name for field in TABLE.of(Fate.DROP)}


def test_an_unknown_field_is_dropped_and_named():
    assert cross("responses", {"input": "hi", "brand_new": 1}).dropped == ("brand_new",)


def test_details_of_hosted_tools_that_are_asked_for_are_named():
    body = {"input": "hi", "include": ["file_search_call.results", "reasoning.encrypted_content"]}
    assert cross("responses", body).dropped == ("include",)


def test_every_key_of_a_chat_request_is_explained_by_the_table():
    known = {"logprobs"}
    for field in TABLE.of(Fate.CARRY, Fate.MAP):
        known |= {field.name, *re.findall(r"\w+", field.to)}
    for _, body in REQUESTS:
        assert set(cross("responses", body).top) <= known


def test_the_answer_repeats_what_was_asked():
    body = {"input": "hi", "temperature": 0.5, "metadata": {"a": "b"}, "tool_choice": "auto"}
    assert cross("responses", body).echo == {
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "tool_choice": "auto",
    }


# --- any history ---------------------------------------------------------------------------------

_IDS = st.sampled_from(["a", "b", "c", "functions.x:0"])
_ITEMS = st.one_of(
    st.builds(
        said,
        st.sampled_from(["user", "assistant", "developer", "system"]),
        st.text("ab ", max_size=3),
    ),
    st.builds(call, _IDS),
    st.builds(
        result,
        _IDS,
        st.one_of(st.text("xy", max_size=2), st.just([{"type": "input_image", "image_url": PNG}])),
    ),
    st.builds(reasoning, st.text("rs", max_size=2)),
    st.just({"type": "web_search_call", "id": "w"}),
)


@settings(
    max_examples=150,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(_ITEMS, max_size=12), st.booleans())
def test_any_history_becomes_a_legal_conversation(items, prefill):
    cross("responses", {"input": [USER, *items]}, features=PREFILL if prefill else 0)


def test_failed_results_of_a_provider_say_so():
    item = {"type": "mcp_call", "id": "m", "name": "add", "arguments": "{}", "error": "no server"}
    assert told(USER, item)[2]["content"] == f"{FAILED}no server"
