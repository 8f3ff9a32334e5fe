"""Messages requests on their way to a Responses target."""

import json
from collections import Counter

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from runtime.bridges.fields import DROP, MAP, REFUSE
from runtime.bridges.messages_to_responses import TABLE
from runtime.bridges.parts import FAILED, GO_ON, NO_RESULT
from runtime.bridges.tools import Original
from runtime.errors import CallerError
from runtime.events import Opaque
from runtime.opaque import wrap
from runtime.signs import SIGNS
from runtime.vocabulary import FEATURES, PREFILL, TOOLS
from tests.runtime.bridges.to_responses import (
    DOMAIN,
    cross,
    cross_body,
    explained,
    items,
    reaches,
    recorded,
    sent,
    thinking_skin,
)
from tests.runtime.dialects.bodies import body_of, effort, open_skin

RECORDED = recorded("messages")
TOOL = {
    "name": "look",
    "description": "looks",
    "input_schema": {"type": "object", "properties": {}},
}
SEALED = Opaque("responses", {"id": "rs_1", "encrypted_content": "gAAA"})
PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def user(*blocks):
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def text(words):
    return {"type": "text", "text": words}


def use(call_id, name="look", **given):
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def result(call_id, content="seen", **more):
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def said(item):
    """Who says what, in short."""
    if item["type"] == "message":
        return item["role"], [part.get("text") or part["type"] for part in item["content"]]
    return item["type"], item.get("call_id") or item.get("id")


def short(messages, **given):
    return [said(item) for item in items("messages", messages, **given)]


# --- what real clients send ----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "body", "headers"), RECORDED, ids=[row[0] for row in RECORDED])
def test_every_recorded_request_makes_a_legal_one_and_stays_as_it_was(name, body, headers):
    for skin in (open_skin(), thinking_skin()):
        crossed = cross_body("messages", body, skin, headers)

        assert set(crossed.top) <= explained(TABLE)
        assert len(set(crossed.dropped)) == len(crossed.dropped)


@pytest.mark.parametrize(("name", "body", "headers"), RECORDED, ids=[row[0] for row in RECORDED])
def test_a_later_request_begins_with_the_bytes_of_an_earlier_one(name, body, headers):
    document = json.loads(body)
    messages = document["messages"]
    whole = cross_body("messages", body).top
    for end in range(1, len(messages)):
        if messages[end - 1]["role"] != "user":
            continue
        earlier = json.dumps({**document, "messages": messages[:end]}).encode()
        top = cross_body("messages", earlier).top
        assert whole["input"][: len(top["input"])] == top["input"]
        assert whole.get("instructions") == top.get("instructions")
        assert whole.get("tools") == top.get("tools")


def test_there_are_recorded_requests():
    clients = {name.partition("/")[0] for name, _, _ in RECORDED}

    assert {"claude-code", "opencode"} <= clients
    assert len(RECORDED) > 100


def test_claude_code_asks_for_what_it_asked_for():
    body = next(row for row in RECORDED if row[0].startswith("claude-code/tool_write_bash.03"))
    crossed = cross_body("messages", body[1], thinking_skin(), body[2])
    top = crossed.top

    assert crossed.dropped == (
        "metadata",
        "context_management",
        "cache_control",
        "x-anthropic-billing-header",
    )
    assert "x-anthropic" not in top["instructions"]
    assert top["instructions"].startswith("You are")
    assert [said(item)[0] for item in top["input"][:2]] == ["user", "developer"]
    assert top["max_output_tokens"] == 32000
    assert top["reasoning"] == {"summary": "auto"}
    assert top["include"] == ["reasoning.encrypted_content"]
    assert len(top["prompt_cache_key"]) == 32
    assert len(top["tools"]) == 25
    assert top["stream"] is True


# --- turns ---------------------------------------------------------------------------------------


def test_system_text_and_blocks_become_instructions():
    assert cross("messages", system="Be brief.").top["instructions"] == "Be brief."
    blocks = [text("Be brief."), {**text("Be kind."), "cache_control": {"type": "ephemeral"}}]

    crossed = cross("messages", system=blocks)

    assert crossed.top["instructions"] == "Be brief.\n\nBe kind."
    assert crossed.dropped == ("cache_control",)


def test_the_billing_line_is_left_out_of_a_block_and_of_a_string():
    line = "x-anthropic-billing-header: cc_version=2.1;"

    alone = cross("messages", system=[text(line), text("Be kind.")])
    first = cross("messages", system=f"{line}\nBe kind.")

    for crossed in (alone, first):
        assert crossed.top["instructions"] == "Be kind."
        assert crossed.dropped == ("x-anthropic-billing-header",)


def test_turns_become_messages_with_their_roles():
    messages = [
        {"role": "user", "content": "Hi"},
        assistant(text("Hello"), text("you")),
        {"role": "system", "content": "It is late."},
        user(text("Bye"), PIXEL),
    ]

    assert items("messages", messages) == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "Hello"},
                {"type": "output_text", "text": "you"},
            ],
        },
        {
            "type": "message",
            "role": "developer",
            "content": [{"type": "input_text", "text": "It is late."}],
        },
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Bye"},
                {
                    "type": "input_image",
                    "detail": "auto",
                    "image_url": "data:image/png;base64,aGk=",
                },
            ],
        },
    ]


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
            [{"type": "input_image", "detail": "auto", "image_url": "https://a.example/b.png"}],
        ),
        (
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
            },
            [
                {
                    "type": "input_file",
                    "filename": "document.pdf",
                    "file_data": "data:application/pdf;base64,aGk=",
                }
            ],
        ),
        (
            {
                "type": "document",
                "title": "plan.pdf",
                "context": "a plan",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "aGk="},
            },
            [
                {"type": "input_text", "text": "a plan"},
                {
                    "type": "input_file",
                    "filename": "plan.pdf",
                    "file_data": "data:application/pdf;base64,aGk=",
                },
            ],
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}},
            [{"type": "input_file", "file_url": "https://a.example/b.pdf"}],
        ),
        (
            {
                "type": "document",
                "title": "Notes",
                "source": {"type": "text", "media_type": "text/plain", "data": "buy milk"},
            },
            [{"type": "input_text", "text": "Notes"}, {"type": "input_text", "text": "buy milk"}],
        ),
        (
            {"type": "document", "source": {"type": "content", "content": [text("a"), PIXEL]}},
            [
                {"type": "input_text", "text": "a"},
                {
                    "type": "input_image",
                    "detail": "auto",
                    "image_url": "data:image/png;base64,aGk=",
                },
            ],
        ),
        (
            {
                "type": "search_result",
                "title": "Milk",
                "source": "https://a.example",
                "content": [text("white")],
            },
            [{"type": "input_text", "text": "Milk\nhttps://a.example\nwhite"}],
        ),
    ],
)
def test_a_block_becomes_parts(block, parts):
    assert items("messages", [user(block)])[0]["content"] == parts
    in_result = [
        user(text("go")),
        assistant(use("toolu_1")),
        user(result("toolu_1", [PIXEL, block])),
    ]

    output = items("messages", in_result)[-1]

    assert output["type"] == "function_call_output"
    assert output["output"][1:] == parts


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "source.file_id"),
        ({"type": "document", "source": {"type": "file", "file_id": "f"}}, "source.file_id"),
        ({"type": "container_upload", "file_id": "f"}, "file_id"),
    ],
)
def test_an_uploaded_file_is_refused_with_its_place(block, path):
    with pytest.raises(CallerError) as caught:
        cross("messages", messages=[user(text("see"), block)])

    assert caught.value.param == f"messages[0].content[1].{path}"


def test_calls_and_results_come_in_their_order_with_results_behind_their_calls():
    messages = [
        user(text("go")),
        assistant(text("Two looks."), use("toolu_1", at="a"), use("toolu_2", at="b")),
        user(result("toolu_2", "B"), text("and now?"), result("toolu_1", "A")),
    ]

    assert items("messages", messages)[1:] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Two looks."}],
        },
        {"type": "function_call", "call_id": "toolu_1", "name": "look", "arguments": '{"at":"a"}'},
        {"type": "function_call", "call_id": "toolu_2", "name": "look", "arguments": '{"at":"b"}'},
        {"type": "function_call_output", "call_id": "toolu_2", "output": "B"},
        {"type": "function_call_output", "call_id": "toolu_1", "output": "A"},
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "and now?"}],
        },
    ]


def test_a_call_between_words_gets_its_result_before_the_next_words():
    messages = [
        user(text("go")),
        assistant(use("a"), text("meanwhile"), use("b")),
        user(result("a"), result("b")),
        assistant(use("c")),
        user(result("c")),
    ]

    assert short(messages) == [
        ("user", ["go"]),
        ("function_call", "a"),
        ("function_call_output", "a"),
        ("assistant", ["meanwhile"]),
        ("function_call", "b"),
        ("function_call_output", "b"),
        ("function_call", "c"),
        ("function_call_output", "c"),
    ]


def test_a_missing_result_is_told_and_named_and_a_lonely_one_becomes_user_text():
    messages = [
        user(text("go")),
        assistant(use("a"), use("b")),
        user(result("b"), result("x", "?")),
    ]

    crossed = cross("messages", messages=messages)

    assert crossed.top["input"][3:5] == [
        {"type": "function_call_output", "call_id": "b", "output": "seen"},
        {"type": "function_call_output", "call_id": "a", "output": NO_RESULT},
    ]
    assert said(crossed.top["input"][5]) == ("user", ["?"])
    assert crossed.dropped == ("tool_result:without_call", "tool_result:missing")


def test_results_that_come_late_or_under_a_used_id_find_their_calls():
    messages = [
        user(text("go")),
        assistant(use("x:0")),
        user(text("wait")),
        user(result("x:0", "first")),
        assistant(use("x:0")),
        user(result("x:0", "second")),
    ]

    found = items("messages", messages)

    assert [item.get("output") for item in found if "output" in item] == ["first", "second"]
    assert [item["type"] for item in found] == [
        "message",
        "function_call",
        "function_call_output",
        "message",
        "function_call",
        "function_call_output",
    ]


def test_a_failed_result_says_so():
    def output(content):
        messages = [
            user(text("go")),
            assistant(use("a")),
            user(result("a", content, is_error=True)),
        ]
        return items("messages", messages)[-1]["output"]

    assert output("no such file") == f"{FAILED}no such file"
    assert output([text("no"), text("file")]) == f"{FAILED}no\nfile"
    assert output(None) == FAILED
    assert output([PIXEL]) == [
        {"type": "input_text", "text": FAILED.rstrip()},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,aGk="},
    ]


def test_a_last_assistant_turn_is_followed_by_a_user_turn_unless_the_skin_goes_on_with_it():
    messages = [user(text("count")), assistant(text("one, "))]

    guarded = cross("messages", messages=messages)
    native = cross("messages", messages=messages, step={"features": TOOLS | PREFILL})

    assert said(guarded.top["input"][-1]) == ("user", [GO_ON])
    assert guarded.dropped == ("prefill",)
    assert said(native.top["input"][-1]) == ("assistant", ["one, "])
    assert native.dropped == ()


def test_a_conversation_without_words_still_has_input():
    assert short([{"role": "user", "content": ""}]) == [("user", ["input_text"])]
    crossed = cross("messages", system="Be.", messages=[{"role": "user", "content": ""}])
    assert said(crossed.top["input"][0]) == ("developer", ["Be."])
    assert "instructions" not in crossed.top


def test_what_a_provider_did_by_itself_is_told_as_calls_and_results_without_its_ciphers():
    found = {"type": "web_search_result", "url": "https://a.example", "encrypted_content": "xyz"}
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "milk"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [found]},
        {"type": "mcp_tool_use", "id": "m", "name": "add", "server_name": "x", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "m", "is_error": True, "content": [text("no")]},
        text("found"),
    ]
    items_found = items("messages", [user(text("go")), assistant(*blocks), user(text("ok"))])

    assert [said(item) for item in items_found] == [
        ("user", ["go"]),
        ("function_call", "s"),
        ("function_call_output", "s"),
        ("function_call", "m"),
        ("function_call_output", "m"),
        ("assistant", ["found"]),
        ("user", ["ok"]),
    ]
    assert "https://a.example" in items_found[2]["output"]
    assert "xyz" not in items_found[2]["output"]
    assert items_found[4]["output"] == f"{FAILED}no"


def test_a_block_that_nobody_knows_is_left_out_and_named():
    turn = assistant({"type": "strange"}, PIXEL, text("so"))

    crossed = cross("messages", messages=[user(text("go")), turn, user({"type": "odd"})])

    assert [said(item) for item in crossed.top["input"]] == [
        ("user", ["go"]),
        ("assistant", ["so"]),
        ("user", [GO_ON]),
    ]
    assert crossed.dropped == (
        "content[type=strange]",
        "content[type=image]",
        "content[type=odd]",
        "prefill",
    )


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ([{"role": "robot", "content": "hi"}], "messages[0].role"),
        ([user({"type": "image", "source": {"type": "base64"}})], "messages[0].content[0].source"),
    ],
)
def test_a_turn_that_cannot_be_read_is_the_callers_error_with_its_place(messages, path):
    with pytest.raises(CallerError) as caught:
        cross("messages", messages=messages)

    assert caught.value.param.startswith(path)


_IDS = st.sampled_from(["a", "b", "functions.look:0", ""])
_BLOCKS = {
    "assistant": st.one_of(
        st.builds(use, _IDS, st.sampled_from(["look", "a.b"])),
        st.sampled_from([text("so"), text("")]),
        st.sampled_from([DOMAIN, "another"]).map(
            lambda domain: {"type": "thinking", "thinking": "hm", "signature": wrap(SEALED, domain)}
        ),
    ),
    "user": st.one_of(st.builds(result, _IDS), st.just(text("ok"))),
    "system": st.just(text("late")),
}
_TURNS = st.sampled_from(sorted(_BLOCKS)).flatmap(
    lambda role: st.lists(_BLOCKS[role], max_size=4).map(
        lambda blocks: {"role": role, "content": blocks}
    )
)


@settings(max_examples=60, deadline=None, phases=[Phase.generate], derandomize=True)
@given(messages=st.lists(_TURNS, min_size=1, max_size=6))
def test_any_history_makes_a_legal_one_with_everything_that_was_said(messages):
    crossed = cross("messages", thinking_skin(), messages=messages)

    blocks = [block for turn in messages for block in turn["content"]]
    spoken = Counter(block.get("text") or block.get("content") for block in blocks)
    told = Counter(crossed.top.get("instructions", "").split("\n\n"))
    for item in crossed.top["input"]:
        for part in item.get("content", []):
            told.update(part["text"].split("\n\n"))
        told[item.get("output")] += 1
    assert all(told[word] == spoken[word] for word in ("so", "ok", "late", "seen"))
    made = [block for block in blocks if block["type"] == "tool_use"]
    assert sum(item["type"] == "function_call" for item in crossed.top["input"]) == len(made)


# --- tools ---------------------------------------------------------------------------------------


def test_a_tool_becomes_a_flat_function_that_is_not_strict_unless_asked():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    tools = [
        {"name": "plain", "input_schema": schema, "cache_control": {"type": "ephemeral"}},
        {"type": "custom", "name": "exact", "input_schema": schema, "strict": True},
        {"name": "bare", "input_schema": {"type": "object"}, "defer_loading": True},
    ]
    crossed = cross("messages", tools=tools)

    assert crossed.top["tools"] == [
        {"type": "function", "name": "plain", "parameters": schema, "strict": False},
        {"type": "function", "name": "exact", "parameters": schema, "strict": True},
        {
            "type": "function",
            "name": "bare",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ]
    assert crossed.dropped == ("cache_control", "tools[].defer_loading")


def test_a_name_too_long_for_openai_is_cut_in_tools_history_and_choice_and_remembered():
    name = "mcp__server__" + "x" * 80
    messages = [user(text("go")), assistant(use("a", name)), user(result("a"))]
    crossed = cross(
        "messages",
        messages=messages,
        tools=[{**TOOL, "name": name}],
        tool_choice={"type": "tool", "name": name},
    )
    sent = crossed.top["tools"][0]["name"]

    assert len(sent) == 64
    assert crossed.top["input"][1]["name"] == sent
    assert crossed.top["tool_choice"] == {"type": "function", "name": sent}
    assert crossed.tools.original(sent) == Original(name)


def test_a_call_of_a_tool_that_is_offered_no_more_keeps_a_legal_name():
    messages = [user(text("go")), assistant(use("a", "old.tool")), user(result("a"))]

    assert items("messages", messages)[1]["name"].startswith("old_tool")


@pytest.mark.parametrize(
    ("choice", "written", "parallel"),
    [
        ({"type": "auto"}, "auto", None),
        ({"type": "any"}, "required", None),
        ({"type": "none"}, "none", None),
        ({"type": "tool", "name": "look"}, {"type": "function", "name": "look"}, None),
        ({"type": "auto", "disable_parallel_tool_use": True}, "auto", False),
        ({"type": "any", "disable_parallel_tool_use": False}, "required", True),
    ],
)
def test_every_tool_choice_has_its_counterpart(choice, written, parallel):
    top = cross("messages", tools=[TOOL], tool_choice=choice).top

    assert top["tool_choice"] == written
    assert top.get("parallel_tool_calls") is parallel


def test_hosted_tools_go_with_the_choice_that_names_them():
    search = {"type": "web_search_20250305", "name": "web_search"}
    chosen = {"type": "tool", "name": "web_search"}

    kept = cross("messages", tools=[TOOL, search], tool_choice=chosen)
    alone = cross("messages", tools=[search], tool_choice={"type": "any"}, mcp_servers=[{}])

    assert [tool["name"] for tool in kept.top["tools"]] == ["look"]
    assert "tool_choice" not in kept.top
    assert kept.dropped == ("hosted:web_search", "tool_choice")
    assert not alone.top.keys() & {"tools", "tool_choice"}
    assert alone.dropped == ("hosted:web_search", "hosted:mcp", "tool_choice")


# --- reasoning -----------------------------------------------------------------------------------

ITEM = {
    "type": "reasoning",
    "id": "rs_1",
    "encrypted_content": "gAAA",
    "summary": [{"type": "summary_text", "text": "hm"}],
}


def thought(signature, words="hm"):
    return {"type": "thinking", "thinking": words, "signature": signature}


def test_sealed_thinking_of_this_domain_becomes_the_item_it_was_before_its_call():
    messages = [
        user(text("go")),
        assistant(thought(wrap(SEALED, DOMAIN)), text("So:"), use("a")),
        user(result("a")),
    ]
    crossed = cross("messages", thinking_skin(), messages=messages)

    assert crossed.top["input"][1] == ITEM
    assert [said(item)[0] for item in crossed.top["input"][2:4]] == ["assistant", "function_call"]
    assert crossed.dropped == ()


def test_thinking_without_words_has_an_empty_summary():
    messages = [user(text("go")), assistant(thought(wrap(SEALED, DOMAIN), ""), text("So."))]

    crossed = cross("messages", thinking_skin(), messages=[*messages, user(text("ok"))])

    assert crossed.top["input"][1] == {**ITEM, "summary": []}


@pytest.mark.parametrize(
    ("block", "skin", "name"),
    [
        (thought("ErUB"), thinking_skin(), "thinking.signature"),
        (thought(wrap(SEALED, "another")), thinking_skin(), "thinking.signature"),
        (thought(wrap(SEALED, DOMAIN)), open_skin(), "thinking.signature"),
        (
            thought(wrap(SEALED, DOMAIN)),
            thinking_skin(reasoning=effort("low", echo="forbidden")),
            "thinking.signature",
        ),
        (
            thought(wrap(Opaque("chat", {"encrypted_content": "gAAA"}), DOMAIN)),
            thinking_skin(),
            "thinking.signature",
        ),
        ({"type": "redacted_thinking", "data": "xx"}, thinking_skin(), "redacted_thinking.data"),
    ],
)
def test_other_thinking_is_left_out_and_named(block, skin, name):
    messages = [user(text("go")), assistant(block, text("So.")), user(text("ok"))]

    crossed = cross("messages", skin, messages=messages)

    assert [item["type"] for item in crossed.top["input"]] == ["message"] * 3
    assert crossed.dropped == (name,)


def test_thinking_that_led_to_nothing_is_left_out():
    messages = [user(text("go")), assistant(thought(wrap(SEALED, DOMAIN))), user(text("on"))]

    crossed = cross("messages", thinking_skin(), messages=messages)

    assert [said(item) for item in crossed.top["input"]] == [("user", ["go"]), ("user", ["on"])]
    assert crossed.dropped == ("thinking.signature",)


@pytest.mark.parametrize(
    ("thinking", "skin", "reasoning"),
    [
        ({"type": "adaptive"}, thinking_skin(), {"summary": "auto"}),
        ({"type": "enabled", "budget_tokens": 2000}, thinking_skin(), {"summary": "auto"}),
        ({"type": "adaptive", "display": "omitted"}, thinking_skin(), None),
        ({"type": "disabled"}, thinking_skin(), None),
        (None, thinking_skin(), None),
        ({"type": "adaptive"}, thinking_skin(reasoning=effort("low")), None),
        ({"type": "adaptive"}, open_skin(), None),
    ],
)
def test_a_summary_is_asked_for_with_the_thinking(thinking, skin, reasoning):
    assert cross("messages", skin, thinking=thinking).top.get("reasoning") == reasoning


def test_the_edit_writes_the_effort_beside_the_summary():
    body = body_of(
        "messages", thinking={"type": "adaptive"}, output_config={"effort": "high"}, stream=True
    )
    on_the_wire = sent("messages", body, thinking_skin())

    assert on_the_wire["reasoning"] == {"summary": "auto", "effort": "high"}
    assert on_the_wire["model"] == "up"
    assert on_the_wire["max_output_tokens"] == 4096


# --- everything else -----------------------------------------------------------------------------

CLOSED = {
    "type": "object",
    "properties": {"title": {"type": "string"}},
    "required": ["title"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "properties": {"title": {"type": "string", "minLength": 1}}}, False),
        ({**CLOSED, "properties": {"title": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"title": {"type": "array"}}}, False),
        ({**CLOSED, "properties": {"title": {**CLOSED, "required": []}}}, False),
        ({**CLOSED, "required": [{}]}, False),
        ({**CLOSED, "required": [["title"]]}, False),
        ({**CLOSED, "required": {"title": True}}, False),
    ],
)
def test_a_schema_is_strict_where_openai_can_hold_a_model_to_it(schema, strict):
    given = {"type": "json_schema", "schema": schema}
    written = {"type": "json_schema", "name": "answer", "schema": schema, "strict": strict}

    assert cross("messages", output_config={"format": given}).top["text"] == {"format": written}
    assert cross("messages", output_format=given).top["text"] == {"format": written}


def test_a_cap_below_what_openai_takes_is_raised_and_named():
    crossed = cross("messages", max_tokens=5)

    assert crossed.top["max_output_tokens"] == 16
    assert crossed.dropped == ("max_output_tokens:16",)


def test_the_cache_key_follows_the_session_and_tells_nothing_of_it():
    def key(user_id, skin=None):
        top = cross(
            "messages", skin or thinking_skin(), metadata={"user_id": f"u_session_{user_id}"}
        ).top
        return top.get("prompt_cache_key")

    assert key("one") == key("one") != key("two")
    assert "one" not in key("one")
    assert key("one", open_skin()) is None


def test_unknown_fields_are_named_and_null_ones_are_not():
    crossed = cross_body(
        "messages", body_of("messages", novelty=1).replace(b"{", b'{"top_k":null,', 1)
    )

    assert crossed.dropped == ("novelty",)
    assert "novelty" not in crossed.top


# --- table and function agree --------------------------------------------------------------------


def history(*blocks):
    return {"messages": [user(text("go")), assistant(*blocks, text("so")), user(text("ok"))]}


FILE = {"type": "base64", "media_type": "application/pdf", "data": "aGk="}
SAMPLES = {
    "system": {"system": "Be."},
    "x-anthropic-billing-header": {"system": "x-anthropic-billing-header: a"},
    "messages": {},
    "max_tokens": {"max_tokens": 100},
    "stream": {"stream": True},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 5},
    "stop_sequences": {"stop_sequences": ["END"]},
    "tools": {"tools": [TOOL]},
    "tools[].strict": {"tools": [{**TOOL, "strict": True}]},
    "tools[].input_examples": {"tools": [{**TOOL, "input_examples": []}]},
    "tools[].defer_loading": {"tools": [{**TOOL, "defer_loading": True}]},
    "tools[].allowed_callers": {"tools": [{**TOOL, "allowed_callers": []}]},
    "tools[].eager_input_streaming": {"tools": [{**TOOL, "eager_input_streaming": True}]},
    "tool_choice": {"tools": [TOOL], "tool_choice": {"type": "any"}},
    "tool_choice.disable_parallel_tool_use": {
        "tools": [TOOL],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    },
    "thinking": {"thinking": {"type": "adaptive"}},
    "thinking.display": {"thinking": {"type": "adaptive", "display": "summarized"}},
    "output_config.format": {
        "output_config": {"format": {"type": "json_schema", "schema": CLOSED}}
    },
    "output_config.task_budget": {"output_config": {"task_budget": {}}},
    "betas": {"betas": []},
    "output_format": {"output_format": {"type": "json_schema", "schema": CLOSED}},
    "service_tier": {"service_tier": "standard_only"},
    "speed": {"speed": "fast"},
    "content[type=text]": {"messages": [user(text("hi"))]},
    "content[type=image]": {"messages": [user(PIXEL)]},
    "content[type=document]": {"messages": [user({"type": "document", "source": FILE})]},
    "content[type=search_result]": {
        "messages": [user({"type": "search_result", "title": "a", "source": "b", "content": []})]
    },
    "content[type=tool_reference]": {
        "messages": [user({"type": "tool_reference", "tool_name": "look"})]
    },
    "content[type=tool_use]": history(use("a")),
    "content[type=tool_result]": history(use("a")),
    "content[type=tool_result].is_error": history(use("a")),
    "content[type=thinking]": history(thought(wrap(SEALED, DOMAIN))),
    "content[type=compaction]": history({"type": "compaction", "content": "before"}),
    "thinking.signature": history(thought("ErUB")),
    "redacted_thinking.data": history({"type": "redacted_thinking", "data": "x"}),
    "content[].citations": history({**text("a"), "citations": [{"type": "char_location"}]}),
    "content[type=server_tool_use]": history({**use("s"), "type": "server_tool_use"}),
    "content[type=mcp_tool_use]": history({**use("s"), "type": "mcp_tool_use"}),
    **{
        f"content[type={kind}_tool_result]": history(
            use("s"), {"type": f"{kind}_tool_result", "tool_use_id": "s", "content": []}
        )
        for kind in ("mcp", "web_search", "web_fetch", "code_execution", "tool_search")
    },
    "content[type=fallback]": history({"type": "fallback"}),
    "tool_result:without_call": {"messages": [user(result("a"))]},
    "tool_result:missing": history(use("a")),
    "prefill": {"messages": [user(text("go")), assistant(text("so"))]},
    "cache_control": {"cache_control": {"type": "ephemeral"}},
    "metadata": {"metadata": {"user_id": "me"}},
    "diagnostics": {"diagnostics": {}},
    "context_management": {"context_management": {}},
    "fallbacks": {"fallbacks": []},
    "fallback_credit_token": {"fallback_credit_token": "x"},
    "billing_policy": {"billing_policy": {}},
    "user_profile_id": {"user_profile_id": "x"},
    "workspace_id": {"workspace_id": "x"},
}
# Written for the skin when the bridge is crossed already.
BY_THE_EDIT = {"model", "output_config.effort"}


def test_every_field_of_the_table_has_a_sample():
    fields = {field.name for field in TABLE.fields if field.fate != REFUSE}

    assert fields == set(SAMPLES) | BY_THE_EDIT


@pytest.mark.parametrize("name", SAMPLES)
def test_a_field_does_what_the_table_says(name):
    field = next(field for field in TABLE.fields if field.name == name)
    crossed = cross("messages", thinking_skin(), **SAMPLES[name])

    if field.fate == DROP:
        assert name in crossed.dropped
    elif field.fate == MAP:
        assert reaches(crossed.top, field.to)
    else:
        assert crossed.top[name] == SAMPLES[name][name]
    assert set(crossed.top) <= explained(TABLE)


def test_every_row_says_what_it_has_to():
    for field in TABLE.fields:
        assert bool(field.why) == (field.fate in (DROP, REFUSE)), field.name
        assert bool(field.to) == (field.fate == MAP), field.name
        word = field.feature.replace("<type>", "other")
        assert (word in SIGNS or word in FEATURES) == (field.fate == REFUSE), field.name
