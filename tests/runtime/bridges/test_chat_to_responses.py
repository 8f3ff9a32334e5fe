"""Chat requests on their way to a Responses target."""

import json

import pytest

from runtime.bridges.chat_to_responses import TABLE
from runtime.bridges.fields import DROP, MAP, REFUSE
from runtime.bridges.parts import GO_ON, NO_RESULT
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
    grammar_skin,
    items,
    reaches,
    recorded,
    sent,
    thinking_skin,
)
from tests.runtime.dialects.bodies import PNG, body_of, effort, open_skin

DETAILS = "messages[].reasoning_details"
RECORDED = recorded("chat")
SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "look", "parameters": SCHEMA}}
GRAMMAR = {"syntax": "lark", "definition": "start: /.+/"}
PATCH = {
    "type": "custom",
    "custom": {
        "name": "patch",
        "description": "patches",
        "format": {"type": "grammar", "grammar": GRAMMAR},
    },
}
FLAT_PATCH = {
    "type": "custom",
    "name": "patch",
    "description": "patches",
    "format": {"type": "grammar", **GRAMMAR},
}
USER = {"role": "user", "content": "go"}


def call(call_id, name="look", arguments='{"at":"a"}'):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*made, **more):
    return {"role": "assistant", "content": None, "tool_calls": list(made), **more}


def result(call_id, content="seen"):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def words(role, *texts, kind="input_text"):
    return {
        "type": "message",
        "role": role,
        "content": [{"type": kind, "text": text} for text in texts],
    }


# --- what real clients send ----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "body", "headers"), RECORDED, ids=[row[0] for row in RECORDED])
def test_every_recorded_request_makes_a_legal_one_and_stays_as_it_was(name, body, headers):
    for skin in (open_skin(), thinking_skin()):
        crossed = cross_body("chat", body, skin, headers)

        assert set(crossed.top) <= explained(TABLE)
        assert len(set(crossed.dropped)) == len(crossed.dropped)


@pytest.mark.parametrize(("name", "body", "headers"), RECORDED, ids=[row[0] for row in RECORDED])
def test_a_later_request_begins_with_the_bytes_of_an_earlier_one(name, body, headers):
    document = json.loads(body)
    messages = document["messages"]
    whole = cross_body("chat", body).top
    for end in range(1, len(messages)):
        following = messages[end].get("role")
        if messages[end - 1]["role"] not in ("user", "tool") or following == "tool":
            continue
        earlier = json.dumps({**document, "messages": messages[:end]}).encode()
        top = cross_body("chat", earlier).top
        assert whole["input"][: len(top["input"])] == top["input"]
        assert whole.get("instructions") == top.get("instructions")


def test_there_are_recorded_requests():
    clients = {name.partition("/")[0] for name, _, _ in RECORDED}

    assert {"aider", "opencode"} <= clients
    assert len(RECORDED) > 200


def test_opencode_loses_its_unsealed_reasoning_alone():
    rows = [row for row in RECORDED if row[0].startswith("opencode/")]

    lost = {name for row in rows for name in cross_body("chat", row[1], headers=row[2]).dropped}

    # a history that ends with a cut answer is followed by a user turn
    assert lost == {"messages[].reasoning_content", "prefill"}


def test_aider_is_answered_as_it_asked():
    body = next(row for row in RECORDED if row[0].startswith("aider/image.01"))
    crossed = cross_body("chat", body[1], headers=body[2])
    top = crossed.top

    assert crossed.dropped == ()
    assert top["instructions"].startswith("Act as an expert software developer.")
    assert top["temperature"] == 0
    assert top["stream"] is True
    picture = next(
        part for item in top["input"] for part in item["content"] if part["type"] == "input_image"
    )
    assert picture["detail"] == "high"
    assert picture["image_url"].startswith("data:image/png;base64,")


# --- messages ------------------------------------------------------------------------------------


def test_leading_system_text_becomes_instructions_and_later_text_stays_where_it_is():
    crossed = cross(
        "chat",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "system", "content": "It is late."},
            {"role": "user", "content": [{"type": "text", "text": "Bye"}]},
        ],
    )

    assert crossed.top["instructions"] == "Be brief.\n\nBe kind."
    assert crossed.top["input"] == [
        words("user", "Hi"),
        words("assistant", "Hello", kind="output_text"),
        words("developer", "It is late."),
        words("user", "Bye"),
    ]


def test_a_request_of_system_text_alone_still_has_input():
    top = cross("chat", messages=[{"role": "system", "content": "Say hi."}]).top

    assert top["input"] == [words("developer", "Say hi.")]
    assert "instructions" not in top


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (
            {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
            {"type": "input_image", "detail": "low", "image_url": PNG},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            {"type": "input_image", "detail": "auto", "image_url": "https://a.example/b.png"},
        ),
        (
            {"type": "input_image", "image_url": PNG, "detail": "high"},
            {"type": "input_image", "detail": "high", "image_url": PNG},
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,aGk="}},
            {
                "type": "input_file",
                "filename": "document.pdf",
                "file_data": "data:application/pdf;base64,aGk=",
            },
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "aGk="}},
            {
                "type": "input_file",
                "filename": "a.pdf",
                "file_data": "data:application/pdf;base64,aGk=",
            },
        ),
        (
            {"type": "text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {"type": "input_text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit"}},
        ),
    ],
)
def test_a_part_becomes_a_part(part, written):
    assert items("chat", [{"role": "user", "content": [part]}])[0]["content"] == [written]
    in_result = [USER, calls(call("a")), result("a", [{"type": "text", "text": "see"}, part])]

    assert items("chat", in_result)[-1]["output"] == [
        {"type": "input_text", "text": "see"},
        written,
    ]


@pytest.mark.parametrize(
    ("part", "path"),
    [
        ({"type": "file", "file": {"file_id": "f"}}, "file.file_id"),
        ({"type": "input_file", "file_id": "f"}, "file_id"),
    ],
)
def test_an_uploaded_file_is_refused_with_its_place(part, path):
    with pytest.raises(CallerError) as caught:
        cross("chat", messages=[{"role": "user", "content": [part]}])

    assert caught.value.param == f"messages[0].content[0].{path}"


def test_audio_is_refused_with_its_place():
    part = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}

    with pytest.raises(CallerError) as caught:
        cross("chat", messages=[{"role": "user", "content": [part]}])

    assert caught.value.param == "messages[0].content[0]"


def test_a_refusal_stays_one():
    messages = [
        USER,
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "user", "content": "Please"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "Never."}]},
        {"role": "user", "content": "Ok"},
    ]
    found = items("chat", messages)

    assert found[1]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert found[3]["content"] == [{"type": "refusal", "refusal": "Never."}]


def test_a_last_assistant_message_is_followed_by_a_user_turn_unless_the_skin_goes_on_with_it():
    messages = [USER, {"role": "assistant", "content": "one, "}]

    guarded = cross("chat", messages=messages)
    native = cross("chat", messages=messages, step={"features": TOOLS | PREFILL})

    assert guarded.top["input"][-1] == words("user", GO_ON)
    assert guarded.dropped == ("prefill",)
    assert native.top["input"][-1] == words("assistant", "one, ", kind="output_text")


def test_a_role_that_nobody_has_is_the_callers_error():
    with pytest.raises(CallerError) as caught:
        cross("chat", messages=[{"role": "robot", "content": "hi"}])

    assert caught.value.param == "messages[0].role"


# --- calls and results ---------------------------------------------------------------------------


def test_calls_and_results_come_in_their_order_with_results_behind_their_calls():
    messages = [
        USER,
        calls(call("a"), call("functions.look:0", arguments=""), content="Two."),
        result("functions.look:0", "B"),
        {"role": "user", "content": "wait"},
        result("a", ""),
    ]
    found = items("chat", messages)
    made = found[3]["call_id"]

    assert found[1:] == [
        words("assistant", "Two.", kind="output_text"),
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": '{"at":"a"}'},
        {"type": "function_call", "call_id": made, "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": made, "output": "B"},
        {"type": "function_call_output", "call_id": "a", "output": ""},
        words("user", "wait"),
    ]
    assert made.startswith("call_")


def test_a_missing_result_is_told_and_named_and_a_lonely_one_becomes_user_text():
    crossed = cross("chat", messages=[USER, calls(call("a")), result("b", "?")])

    assert crossed.top["input"][2:] == [
        {"type": "function_call_output", "call_id": "a", "output": NO_RESULT},
        words("user", "?"),
    ]
    assert crossed.dropped == ("tool_result:without_call", "tool_result:missing")


def test_calls_without_ids_meet_their_results_in_order():
    messages = [
        USER,
        calls(call(""), call("")),
        result("", "first"),
        result("", "second"),
        calls(call("")),
        result("", "third"),
    ]
    found = items("chat", messages)
    ids = [item["call_id"] for item in found if item["type"] == "function_call"]
    outputs = {item["call_id"]: item["output"] for item in found if "output" in item}

    assert [outputs[made] for made in ids] == ["first", "second", "third"]


def test_results_of_the_first_form_meet_their_calls_by_name():
    messages = [
        USER,
        {"role": "assistant", "function_call": {"name": "look", "arguments": "{}"}},
        {"role": "assistant", "function_call": {"name": "hear", "arguments": "{}"}},
        {"role": "function", "name": "hear", "content": "heard"},
        {"role": "function", "name": "look", "content": "seen"},
    ]
    found = items("chat", messages)
    names = {item["call_id"]: item["name"] for item in found if "name" in item}

    outputs = {names[item["call_id"]]: item["output"] for item in found if "output" in item}

    assert outputs == {"look": "seen", "hear": "heard"}


def test_the_first_form_of_functions_becomes_tools_calls_and_results():
    def called(name):
        made = {"name": name, "arguments": "{}"}
        return {"role": "assistant", "content": None, "function_call": made}

    messages = [
        USER,
        called("look"),
        {"role": "function", "name": "look", "content": "seen"},
        called("hear"),
        {"role": "function", "name": "hear", "content": "heard"},
    ]
    functions = [{"name": "look", "parameters": SCHEMA}, {"name": "hear"}]
    crossed = cross("chat", messages=messages, functions=functions, function_call={"name": "hear"})
    top = crossed.top

    assert [tool["name"] for tool in top["tools"]] == ["look", "hear"]
    assert top["tools"][1]["parameters"] == {"type": "object", "properties": {}}
    assert top["tool_choice"] == {"type": "function", "name": "hear"}
    assert [item.get("output") or item.get("name") for item in top["input"][1:]] == [
        "look",
        "seen",
        "hear",
        "heard",
    ]
    assert crossed.dropped == ()
    assert cross("chat", functions=functions, function_call="auto").top["tool_choice"] == "auto"


# --- tools ---------------------------------------------------------------------------------------


def test_a_function_becomes_flat_and_is_not_strict_unless_asked():
    exact = {
        "type": "function",
        "function": {"name": "exact", "description": "d", "parameters": SCHEMA, "strict": True},
    }
    flat = {"type": "function", "name": "flat", "parameters": SCHEMA}

    assert cross("chat", tools=[TOOL, exact, flat]).top["tools"] == [
        {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False},
        {
            "type": "function",
            "name": "exact",
            "description": "d",
            "parameters": SCHEMA,
            "strict": True,
        },
        {"type": "function", "name": "flat", "parameters": SCHEMA, "strict": False},
    ]


@pytest.mark.parametrize("tool", [PATCH, FLAT_PATCH], ids=["nested", "flat"])
@pytest.mark.parametrize(
    "made",
    [
        {"id": "a", "type": "custom", "custom": {"name": "patch", "input": "*** x"}},
        {"id": "a", "type": "custom", "name": "patch", "input": "*** x"},
        call("a", "patch", '{"input":"*** x"}'),
        call("a", "patch", "*** x"),
    ],
    ids=["nested", "flat", "wrapped", "bare"],
)
def test_a_grammar_tool_stays_one_where_the_candidate_takes_it(tool, made):
    given = {"messages": [USER, calls(made), result("a", "ok")], "tools": [tool]}
    choice = {"type": "custom", "custom": {"name": "patch"}}

    crossed = cross("chat", grammar_skin(), tool_choice=choice, **given)

    assert crossed.top["tools"] == [FLAT_PATCH]
    assert crossed.top["tool_choice"] == {"type": "custom", "name": "patch"}
    assert crossed.top["input"][1:] == [
        {"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": "*** x"},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "ok"},
    ]
    assert crossed.tools.sent == {}

    lowered = cross("chat", tool_choice=choice, **given)

    (function,) = lowered.top["tools"]
    assert function["type"] == "function"
    assert GRAMMAR["definition"] in function["parameters"]["properties"]["input"]["description"]
    assert lowered.top["tool_choice"] == {"type": "function", "name": function["name"]}
    assert lowered.top["input"][1:] == [
        {
            "type": "function_call",
            "call_id": "a",
            "name": function["name"],
            "arguments": '{"input":"*** x"}',
        },
        {"type": "function_call_output", "call_id": "a", "output": "ok"},
    ]
    assert lowered.tools.original(function["name"]) == Original("patch", custom=True)


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("any", "required"),
        ({"type": "function", "function": {"name": "look"}}, {"type": "function", "name": "look"}),
        ({"type": "function", "name": "look"}, {"type": "function", "name": "look"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {
                    "mode": "required",
                    "tools": [
                        {"type": "function", "function": {"name": "look"}},
                        {"type": "custom", "custom": {"name": "patch"}},
                    ],
                },
            },
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [
                    {"type": "function", "name": "look"},
                    {"type": "custom", "name": "patch"},
                ],
            },
        ),
    ],
)
def test_every_tool_choice_has_its_counterpart(choice, written):
    crossed = cross("chat", grammar_skin(), tools=[TOOL, PATCH], tool_choice=choice)

    assert crossed.top["tool_choice"] == written
    assert crossed.dropped == ()


def test_hosted_tools_go_with_the_choice_that_names_them():
    search = {"type": "web_search_preview"}

    kept = cross("chat", tools=[TOOL, search], tool_choice={"type": "web_search_preview"})
    alone = cross(
        "chat",
        tools=[search],
        tool_choice="required",
        parallel_tool_calls=True,
        web_search_options={},
    )

    assert [tool["name"] for tool in kept.top["tools"]] == ["look"]
    assert "tool_choice" not in kept.top
    assert kept.dropped == ("hosted:web_search", "tool_choice")
    assert not alone.top.keys() & {"tools", "tool_choice", "parallel_tool_calls"}
    assert alone.dropped == ("hosted:web_search", "tool_choice")


def test_a_namespace_tool_travels_under_a_flat_name():
    tool = {"type": "namespace", "name": "mcp", "tools": [{"type": "function", "name": "add"}]}

    crossed = cross("chat", tools=[tool])

    assert [one["name"] for one in crossed.top["tools"]] == ["mcp__add"]
    assert crossed.tools.original("mcp__add") == Original("add", namespace="mcp")


# --- reasoning -----------------------------------------------------------------------------------


def sealed(number, domain=DOMAIN):
    data = {"id": f"rs_{number}", "encrypted_content": f"gAAA{number}"}
    return {
        "type": "reasoning.encrypted",
        "data": wrap(Opaque("responses", data), domain),
        "format": "interlock",
        "index": number,
    }


def test_sealed_reasoning_of_this_domain_becomes_the_items_it_was_before_their_call():
    turn = calls(call("a"), reasoning_content="hm", reasoning_details=[sealed(0), sealed(1)])

    crossed = cross("chat", thinking_skin(), messages=[USER, turn, result("a")])

    assert crossed.top["input"][1:3] == [
        {
            "type": "reasoning",
            "id": "rs_0",
            "encrypted_content": "gAAA0",
            "summary": [{"type": "summary_text", "text": "hm"}],
        },
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA1", "summary": []},
    ]
    assert crossed.top["input"][3]["type"] == "function_call"
    assert crossed.dropped == ()


@pytest.mark.parametrize(
    ("more", "skin", "names"),
    [
        ({"reasoning_content": "hm"}, thinking_skin(), ("messages[].reasoning_content",)),
        ({"reasoning": "hm"}, thinking_skin(), ("messages[].reasoning",)),
        ({"reasoning_details": [sealed(0, "another")]}, thinking_skin(), (DETAILS,)),
        ({"reasoning_details": [sealed(0)]}, open_skin(), (DETAILS,)),
        (
            {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}], "reasoning": "hm"},
            thinking_skin(),
            (DETAILS, "messages[].reasoning"),
        ),
    ],
)
def test_other_reasoning_is_left_out_and_named(more, skin, names):
    crossed = cross("chat", skin, messages=[USER, calls(call("a"), **more), result("a")])

    assert [item["type"] for item in crossed.top["input"]] == [
        "message",
        "function_call",
        "function_call_output",
    ]
    assert crossed.dropped == names


def test_reasoning_that_led_to_nothing_is_left_out():
    turn = {"role": "assistant", "content": "", "reasoning_details": [sealed(0)]}

    crossed = cross("chat", thinking_skin(), messages=[USER, turn, USER])

    assert [item["type"] for item in crossed.top["input"]] == ["message", "message"]
    assert crossed.dropped == (DETAILS,)


@pytest.mark.parametrize(
    ("fields", "skin", "reasoning"),
    [
        ({"reasoning_effort": "high"}, thinking_skin(), {"summary": "auto"}),
        (
            {"reasoning": {"effort": "low", "summary": "detailed"}},
            thinking_skin(),
            {"summary": "detailed"},
        ),
        ({"thinking": {"type": "enabled"}}, thinking_skin(), {"summary": "auto"}),
        ({"reasoning_effort": "none"}, thinking_skin(), None),
        ({}, thinking_skin(), None),
        ({"reasoning_effort": "high"}, thinking_skin(reasoning=effort("high")), None),
        ({"reasoning_effort": "high"}, open_skin(), None),
    ],
)
def test_a_summary_is_asked_for_with_the_reasoning(fields, skin, reasoning):
    assert cross("chat", skin, **fields).top.get("reasoning") == reasoning


def test_the_edit_writes_the_effort_beside_the_summary():
    on_the_wire = sent("chat", body_of("chat", reasoning_effort="low"), thinking_skin())

    assert on_the_wire["reasoning"] == {"summary": "auto", "effort": "low"}
    assert on_the_wire["include"] == ["reasoning.encrypted_content"]
    assert on_the_wire["model"] == "up"


# --- everything else -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
            {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": False},
        ),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": SCHEMA, "strict": True, "description": "d"},
            },
            {
                "type": "json_schema",
                "name": "n",
                "schema": SCHEMA,
                "strict": True,
                "description": "d",
            },
        ),
    ],
)
def test_a_response_format_becomes_a_text_format(given, written):
    top = cross("chat", response_format=given, verbosity="low").top

    assert top["text"] == {"format": written, "verbosity": "low"}


def test_plain_text_needs_no_format():
    assert "text" not in cross("chat", response_format={"type": "text"}).top


def test_both_caps_lead_to_one_and_a_small_one_is_raised_and_named():
    assert cross("chat", max_tokens=100).top["max_output_tokens"] == 100
    assert cross("chat", max_completion_tokens=100).top["max_output_tokens"] == 100
    crossed = cross("chat", max_tokens=1)
    assert crossed.top["max_output_tokens"] == 16
    assert crossed.dropped == ("max_output_tokens:16",)


def test_log_probabilities_are_asked_for_in_two_places():
    top = cross("chat", thinking_skin(), logprobs=True, top_logprobs=3).top

    assert top["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]
    assert top["top_logprobs"] == 3


def test_unknown_fields_are_named_and_null_ones_are_not():
    body = body_of("chat", custom_field=1).replace(b"{", b'{"stop":null,', 1)

    assert cross_body("chat", body).dropped == ("custom_field",)


# --- table and function agree --------------------------------------------------------------------


def history(**turn):
    return {"messages": [USER, {"role": "assistant", "content": "so", **turn}, USER]}


def said(part):
    return {"messages": [{"role": "user", "content": [part]}]}


SAMPLES = {
    "messages": {},
    "messages[role=system]": {"messages": [{"role": "system", "content": "Be."}, USER]},
    "messages[role=developer]": {"messages": [{"role": "developer", "content": "Be."}, USER]},
    "messages[].name": {"messages": [{**USER, "name": "me"}]},
    "max_tokens": {"max_tokens": 100},
    "max_completion_tokens": {"max_completion_tokens": 100},
    "stream": {"stream": True},
    "stream_options": {"stream_options": {"include_obfuscation": False}},
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 5},
    "min_p": {"min_p": 0.1},
    "frequency_penalty": {"frequency_penalty": 0.1},
    "presence_penalty": {"presence_penalty": 0.1},
    "repetition_penalty": {"repetition_penalty": 1.1},
    "logit_bias": {"logit_bias": {"1": 2}},
    "seed": {"seed": 1},
    "stop": {"stop": "END"},
    "logprobs": {"logprobs": True},
    "top_logprobs": {"top_logprobs": 2},
    "tools": {"tools": [TOOL]},
    "tools[].strict": {"tools": [TOOL]},
    "tools[type=custom]": {"tools": [PATCH]},
    "functions": {"functions": [{"name": "look"}]},
    "function_call": {"functions": [{"name": "look"}], "function_call": "auto"},
    "tool_choice": {"tools": [TOOL], "tool_choice": "required"},
    "parallel_tool_calls": {"tools": [TOOL], "parallel_tool_calls": False},
    "reasoning": {"reasoning": {"effort": "low"}},
    "thinking": {"thinking": {"type": "enabled"}},
    "response_format": {"response_format": {"type": "json_object"}},
    "verbosity": {"verbosity": "low"},
    "service_tier": {"service_tier": "flex"},
    "prediction": {"prediction": {"type": "content", "content": "x"}},
    "modalities": {"modalities": ["text"]},
    "content[type=text]": said({"type": "text", "text": "hi"}),
    "content[type=refusal]": history(content=[{"type": "refusal", "refusal": "No."}]),
    "content[type=image_url]": said({"type": "image_url", "image_url": {"url": PNG}}),
    "content[type=file]": said({"type": "file", "file": {"file_data": "aGk="}}),
    "messages[].refusal": history(refusal="No."),
    "messages[].tool_calls": history(tool_calls=[call("a")]),
    "messages[].function_call": history(function_call={"name": "look", "arguments": "{}"}),
    "messages[role=tool]": {"messages": [USER, calls(call("a")), result("a")]},
    "messages[role=function]": {
        "messages": [
            USER,
            {"role": "assistant", "function_call": {"name": "look"}},
            {"role": "function", "name": "look", "content": "seen"},
        ]
    },
    "messages[].audio": history(audio={"id": "audio_1"}),
    DETAILS: history(reasoning_details=[{"type": "reasoning.text", "text": "hm"}]),
    "messages[].reasoning_content": history(reasoning_content="hm"),
    "messages[].reasoning": history(reasoning="hm"),
    "tool_result:without_call": {"messages": [USER, result("a")]},
    "tool_result:missing": history(tool_calls=[call("a")]),
    "prefill": {"messages": [USER, {"role": "assistant", "content": "so"}]},
    "prompt_cache_key": {"prompt_cache_key": "k"},
    "prompt_cache_options": {"prompt_cache_options": {"mode": "implicit"}},
    "prompt_cache_retention": {"prompt_cache_retention": "24h"},
    "content[].prompt_cache_breakpoint": said(
        {"type": "text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit"}}
    ),
    "cache_control": {"messages": [{**USER, "cache_control": {"type": "ephemeral"}}]},
    "metadata": {"metadata": {"a": "b"}},
    "user": {"user": "me"},
    "safety_identifier": {"safety_identifier": "me"},
    "moderation": {"moderation": {"model": "m"}},
}
# Written for the skin when the bridge is crossed already.
BY_THE_EDIT = {"model", "reasoning_effort"}


def test_every_field_of_the_table_has_a_sample():
    fields = {field.name for field in TABLE.fields if field.fate != REFUSE}

    assert fields == set(SAMPLES) | BY_THE_EDIT


@pytest.mark.parametrize("name", SAMPLES)
def test_a_field_does_what_the_table_says(name):
    field = next(field for field in TABLE.fields if field.name == name)
    crossed = cross("chat", thinking_skin(custom=True), **SAMPLES[name])

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
