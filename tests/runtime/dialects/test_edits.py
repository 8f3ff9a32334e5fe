"""Each change to a body, before and after, byte for byte."""

import pytest

from runtime.vocabulary import JSON_SCHEMA, WEB_SEARCH, Cap, Settings
from tests.runtime.dialects.bodies import body_of, edit, effort, open_skin, sent

PREFER = Settings(name="test", hosted_tools={"web_search": "prefer", "mcp": "strip"})
NESTED = rb'[1,  2.50, 1e3, "\u00e9\/"]'
TURNS = rb'[ {"role":"user", "content":"\n"} ]'


def before_after(dialect, before, after, skin, settings=PREFER, **step):
    """The edited bytes are `after` and the dropped names are returned."""
    edited = edit(dialect, before, skin, settings, **step)
    assert edited.body == after
    return edited.dropped


def test_only_the_model_changes_and_nested_bytes_stay_as_they_came():
    before = b'{ "z" : %b, "model":"a" , "messages":%b }' % (NESTED, TURNS)
    after = b'{"z":%b,"model":"up","messages":%b}' % (NESTED, TURNS)

    assert before_after("chat", before, after, open_skin()) == ()


def test_a_repeated_key_reaches_nobody():
    before = b'{"model":"a","model":"b","messages":[],"messages":[{"role":"user"}],"x":1,"x":2}'
    after = b'{"model":"up","messages":[{"role":"user"}],"x":2}'

    before_after("chat", before, after, open_skin())


def test_a_missing_model_is_written():
    before_after(
        "chat",
        b'{"messages":[{"role":"user"}]}',
        b'{"messages":[{"role":"user"}],"model":"up"}',
        open_skin(),
    )


# --- hosted tools ------------------------------------------------------------------------------

FUNCTION = '{"type":"function", "name":"f"}'
SEARCH = '{"type":"web_search_preview"}'
MCP = '{"type":"mcp","server_label":"x"}'


def hosted(tools, rest=""):
    return f'{{"model":"up","input":"hi"{tools}{rest}}}'.encode()


def test_a_hosted_tool_the_skin_has_is_kept():
    body = hosted(f',"tools":[{SEARCH}]')

    assert before_after("responses", body, body, open_skin(), features=WEB_SEARCH) == ()


def test_a_hosted_tool_the_skin_lacks_is_stripped():
    dropped = before_after(
        "responses",
        hosted(f',"tools":[{FUNCTION}, {SEARCH}]', ',"tool_choice":"auto"'),
        hosted(f',"tools":[{FUNCTION}]', ',"tool_choice":"auto"'),
        open_skin(),
        features=0,
    )

    assert dropped == ("hosted:web_search",)


def test_the_choice_goes_with_the_last_tool():
    rest = ',"tool_choice":"required","parallel_tool_calls":true'
    before = hosted(f',"tools":[{SEARCH},{MCP}]', rest)

    dropped = before_after("responses", before, hosted(""), open_skin(), features=0)

    assert dropped == ("hosted:web_search", "hosted:mcp")


def test_a_tool_the_deployment_strips_goes_although_the_skin_has_it():
    dropped = before_after(
        "responses", hosted(f',"tools":[{MCP}]'), hosted(""), open_skin(), features=-1
    )

    assert dropped == ("hosted:mcp",)


@pytest.mark.parametrize(
    "choice",
    [
        '{"type":"web_search_preview"}',
        f'{{"type":"allowed_tools","mode":"auto","tools":[{SEARCH}]}}',
    ],
)
def test_a_choice_that_names_a_stripped_tool_goes_with_it(choice):
    before = hosted(f',"tools":[{FUNCTION},{SEARCH}]', f',"tool_choice":{choice}')

    before_after("responses", before, hosted(f',"tools":[{FUNCTION}]'), open_skin(), features=0)


def test_messages_names_a_hosted_tool_in_its_choice():
    tools = '[{"type":"web_search_20250305","name":"web_search"},{"name":"f","input_schema":{}}]'
    start = '{"model":"up","messages":[{"role":"user"}],'
    before = f'{start}"tools":{tools},"tool_choice":{{"type":"tool","name":"web_search"}}}}'
    after = f'{start}"tools":[{{"name":"f","input_schema":{{}}}}]}}'

    before_after("messages", before.encode(), after.encode(), open_skin(), features=0)


def test_a_client_tool_named_like_a_hosted_one_stays():
    tools = '[{"name":"web_search","input_schema":{}}]'
    body = f'{{"model":"up","messages":[{{"role":"user"}}],"tools":{tools}}}'.encode()

    assert before_after("messages", body, body, open_skin(), features=0) == ()


def test_the_schemas_of_the_tools_that_stay_are_written_in_the_words_of_the_skin():
    kept = '{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}'
    fits = '{"name":"g" , "parameters":{"properties": {},"type":"object"}}'
    came = '{"type":"function","name":"f","parameters":{"type":"object","$schema":"x"}}'
    dropped = before_after(
        "responses",
        hosted(f',"tools":[{SEARCH},{came},{FUNCTION},{fits}]'),
        hosted(f',"tools":[{kept},{FUNCTION},{fits}]'),
        open_skin(tool_schemas="basic"),
        features=0,
    )

    assert dropped == ("tools[].$schema", "hosted:web_search")


@pytest.mark.parametrize(
    ("dialect", "field", "value", "word"),
    [
        ("chat", "web_search_options", {}, "hosted:web_search"),
        ("messages", "mcp_servers", [{"type": "url"}], "hosted:mcp"),
    ],
)
def test_a_hosted_tool_in_a_field_of_its_own_is_stripped(dialect, field, value, word):
    edited = edit(dialect, body_of(dialect, **{field: value}), open_skin(), PREFER, features=0)

    assert field not in sent(edited)
    assert edited.dropped == (word,)


def test_a_hosted_tool_in_an_input_item_is_stripped():
    namespace = f'{{"type":"namespace","name":"n","tools":[{FUNCTION},{SEARCH}]}}'
    stripped = f'{{"type":"namespace","name":"n","tools":[{FUNCTION}]}}'
    before, after = (
        f'{{"model":"up","input":[{{"type":"additional_tools","tools":[{tools}]}},'
        f'{{"role":"user",  "content":"hi"}}]}}'.encode()
        for tools in (namespace, stripped)
    )

    dropped = before_after("responses", before, after, open_skin(), features=0)

    assert dropped == ("hosted:web_search",)


# --- parallel calls ----------------------------------------------------------------------------

TOOLS = {"tools": [{"type": "function", "function": {"name": "f"}}]}
FLAT = {"tools": [{"type": "function", "name": "f"}]}
CLAUDE = {"tools": [{"name": "f", "input_schema": {}}]}

PARALLEL = [
    ("chat", TOOLS, {**TOOLS, "parallel_tool_calls": False}, ()),
    (
        "chat",
        {**TOOLS, "parallel_tool_calls": True},
        {**TOOLS, "parallel_tool_calls": False},
        ("parallel_tool_calls",),
    ),
    (
        "chat",
        {**TOOLS, "parallel_tool_calls": False},
        {**TOOLS, "parallel_tool_calls": False},
        (),
    ),
    ("chat", {}, {}, ()),
    ("responses", FLAT, {**FLAT, "parallel_tool_calls": False}, ()),
    (
        "messages",
        CLAUDE,
        {**CLAUDE, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        (),
    ),
    (
        "messages",
        {**CLAUDE, "tool_choice": {"type": "any", "disable_parallel_tool_use": False}},
        {**CLAUDE, "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        ("parallel_tool_calls",),
    ),
    (
        "messages",
        {**CLAUDE, "tool_choice": {"type": "none"}},
        {**CLAUDE, "tool_choice": {"type": "none"}},
        (),
    ),
]


@pytest.mark.parametrize(("dialect", "before", "after", "dropped"), PARALLEL)
def test_parallel_calls_are_written_off_where_the_skin_lacks_them(dialect, before, after, dropped):
    edited = edit(dialect, body_of(dialect, **before), open_skin(parallel=False))

    assert edited.body == body_of(dialect, **after).replace(b'"group"', b'"up"')
    assert edited.dropped == dropped


# --- output cap --------------------------------------------------------------------------------

CAPS = [
    ("chat", {"max_tokens": 100}, Cap("max_tokens"), None, {"max_tokens": 100}, ()),
    (
        "chat",
        {"max_tokens": 100},
        Cap("max_completion_tokens"),
        None,
        {"max_completion_tokens": 100},
        (),
    ),
    (
        "chat",
        {"max_completion_tokens": 100},
        Cap("max_tokens"),
        None,
        {"max_tokens": 100},
        (),
    ),
    (
        "chat",
        {"max_tokens": 100, "max_completion_tokens": 200},
        Cap("max_completion_tokens"),
        None,
        {"max_completion_tokens": 100},
        (),
    ),
    (
        "chat",
        {"max_tokens": 100, "max_completion_tokens": 200},
        None,
        None,
        {"max_tokens": 100, "max_completion_tokens": 200},
        (),
    ),
    (
        "chat",
        {"max_tokens": 32000},
        Cap("max_tokens", max=8192, over="clamp"),
        8192,
        {"max_tokens": 8192},
        ("max_tokens:8192",),
    ),
    ("chat", {}, Cap("max_tokens", max=8192, over="clamp"), None, {}, ()),
    ("chat", {}, Cap("max_tokens", default=500), None, {}, ()),
    (
        "responses",
        {"max_output_tokens": 99999},
        Cap("max_output_tokens", max=500, over="clamp"),
        500,
        {"max_output_tokens": 500},
        ("max_output_tokens:500",),
    ),
    (
        "messages",
        {"max_tokens": None},
        Cap("max_tokens", default=500),
        None,
        {"max_tokens": 500},
        (),
    ),
    ("messages", {"max_tokens": None}, Cap("max_tokens"), None, {}, ()),
    ("messages", {"max_tokens": 9}, Cap("max_tokens", default=500), None, {"max_tokens": 9}, ()),
]


@pytest.mark.parametrize(("dialect", "asked", "cap", "clamped", "expected", "dropped"), CAPS)
def test_the_cap_travels_under_the_skins_name(dialect, asked, cap, clamped, expected, dropped):
    edited = edit(dialect, body_of(dialect, **asked), open_skin(cap=cap), cap=clamped)
    fields = sent(edited)

    assert {key: fields[key] for key in fields if key.startswith("max_")} == expected
    assert edited.dropped == dropped


# --- storing and state -------------------------------------------------------------------------

STORE = [
    ("responses", {}, {"store": False}, ()),
    ("responses", {"store": False}, {"store": False}, ()),
    ("responses", {"store": True}, {"store": False}, ("store",)),
    ("chat", {}, {}, ()),
    ("chat", {"store": False}, {"store": False}, ()),
    ("chat", {"store": True}, {"store": False}, ("store",)),
]


@pytest.mark.parametrize(("dialect", "before", "after", "dropped"), STORE)
def test_storing_is_written_off_where_the_skin_says_so(dialect, before, after, dropped):
    edited = edit(dialect, body_of(dialect, **before), open_skin(store="force_false"))

    assert edited.body == body_of(dialect, **after).replace(b'"group"', b'"up"')
    assert edited.dropped == dropped
    assert sent(edit(dialect, body_of(dialect, **before), open_skin())).get("store") == before.get(
        "store"
    )


def test_the_upstreams_own_id_replaces_ours():
    before = body_of("responses", previous_response_id="resp_tag.proof.id")

    edited = edit("responses", before, open_skin(), previous_response_id="resp_up")

    assert edited.body == before.replace(b"resp_tag.proof.id", b"resp_up").replace(b"group", b"up")


def test_an_id_nobody_vouches_for_does_not_travel():
    before = body_of("responses", previous_response_id="resp_of_somebody_else")

    assert edit("responses", before, open_skin()).body == body_of("responses", model="up")


# --- fields ------------------------------------------------------------------------------------


def test_dropped_fields_are_named_where_they_were():
    body = body_of("chat", top_k=1, extra={"a": 1, "b": 2}, only={"a": 1})
    skin = open_skin(drop=("top_k", "extra.a", "only.a", "absent", "extra.absent"))

    edited = edit("chat", body, skin)

    assert edited.body == body_of("chat", model="up", extra={"b": 2})
    assert edited.dropped == ("top_k", "extra.a", "only.a")


def test_a_patch_is_added_and_merged_into_objects():
    body = body_of("chat", kwargs={"a": 1, "b": {"c": 2}}, top_k=1)
    skin = open_skin(patch={"kwargs": {"b": {"d": 3}, "e": 4}, "top_k": 9, "new": [1]})

    edited = edit("chat", body, skin)

    assert edited.body == body_of(
        "chat", model="up", kwargs={"a": 1, "b": {"c": 2, "d": 3}, "e": 4}, top_k=9, new=[1]
    )
    assert edited.dropped == ()


def test_a_patch_never_changes_the_skin():
    skin = open_skin(patch={"kwargs": {"a": {"b": 1}}})
    kwargs = body_of("chat", kwargs={"a": {"c": 2}})

    edit("chat", kwargs, skin)
    edit("chat", body_of("chat"), open_skin(patch=skin.patch, drop=("kwargs",)))

    assert skin.patch == {"kwargs": {"a": {"b": 1}}}


def test_a_patch_comes_after_the_drop():
    edited = edit("chat", body_of("chat", x=1), open_skin(drop=("x",), patch={"x": 2}))

    assert sent(edited)["x"] == 2
    assert edited.dropped == ("x",)


# --- usage -------------------------------------------------------------------------------------

USAGE = [
    ({"stream": True}, {"include_usage": True}, True),
    ({"stream": True, "stream_options": None}, {"include_usage": True}, True),
    ({"stream": True, "stream_options": {"include_usage": False}}, {"include_usage": True}, True),
    (
        {"stream": True, "stream_options": {"include_obfuscation": False}},
        {"include_obfuscation": False, "include_usage": True},
        True,
    ),
    ({"stream": True, "stream_options": {"include_usage": True}}, {"include_usage": True}, False),
    ({"stream": False}, None, False),
    ({}, None, False),
]


@pytest.mark.parametrize(("before", "options", "hidden"), USAGE)
def test_usage_is_asked_for_in_chat_streams(before, options, hidden):
    edited = edit("chat", body_of("chat", **before), open_skin())

    assert sent(edited).get("stream_options") == options
    assert edited.hide_usage is hidden
    assert edited.dropped == ()


def test_usage_is_not_asked_for_where_the_skin_drops_the_options():
    body = body_of("chat", stream=True, stream_options={"include_usage": True})

    edited = edit("chat", body, open_skin(drop=("stream_options",)))

    assert "stream_options" not in sent(edited)
    assert not edited.hide_usage
    assert edited.dropped == ("stream_options",)


# --- opaque state ------------------------------------------------------------------------------

USER = {"role": "user", "content": "hi"}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "k"}]}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
REDACTED = {"type": "redacted_thinking", "data": "eA=="}


def assistant(*blocks):
    return {"role": "assistant", "content": list(blocks)}


def test_signatures_stay_where_they_are_understood():
    body = body_of("messages", messages=[USER, assistant(THOUGHT, CALL), RESULT])

    edited = edit("messages", body, open_skin())

    assert edited.body == body.replace(b"group", b"up")


def test_thinking_is_left_out_for_another_maker():
    turns = [USER, assistant(THOUGHT, REDACTED, CALL), RESULT, assistant(REDACTED), USER]
    body = body_of("messages", messages=turns)

    edited = edit("messages", body, open_skin(), same_continuity=False)

    after = [USER, assistant(CALL), RESULT, USER]
    assert edited.body == body_of("messages", model="up", messages=after)
    assert edited.dropped == ("thinking.signature",)


def test_thinking_is_left_out_and_system_turns_are_folded_in_one_go():
    mid = {"role": "system", "content": "mid"}
    turns = [USER, assistant(THOUGHT, CALL), RESULT, mid]
    body = body_of("messages", messages=turns)

    edited = edit("messages", body, open_skin(system_turns="fold"), same_continuity=False)

    told = {"type": "text", "text": "mid"}
    after = [USER, assistant(CALL), {**RESULT, "content": [*RESULT["content"], told]}]
    assert sent(edited)["messages"] == after


def test_what_tools_in_the_input_lose_is_named_behind_what_those_of_the_body_lose():
    function = {"type": "function", "name": "f"}
    first = {**function, "parameters": {"type": "object", "$schema": "x"}}
    second = {**function, "parameters": {"type": "object", "$comment": "y"}}
    inside = {"type": "additional_tools", "tools": [second]}
    body = body_of("responses", input=[USER, inside], tools=[first, {"type": "web_search"}])
    skin = open_skin(tool_schemas="basic", parallel=False)

    edited = edit("responses", body, skin, PREFER, features=0)

    assert edited.dropped == ("tools[].$schema", "tools[].$comment", "hosted:web_search")


def test_tools_and_reasoning_are_taken_out_of_the_input_in_one_go():
    tools = {"type": "additional_tools", "tools": [{"type": "web_search"}]}
    encrypted = {"type": "reasoning", "encrypted_content": "g"}
    body = body_of("responses", input=[USER, tools, encrypted])
    settings = Settings(name="x", hosted_tools={"web_search": "strip"})

    edited = edit("responses", body, open_skin(), settings, same_continuity=False)

    assert sent(edited)["input"] == [USER]


def test_encrypted_reasoning_is_left_out_for_another_maker():
    plain = {"type": "reasoning", "id": "rs_2", "summary": [{"text": "a"}], "content": None}
    items = [
        USER,
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
        plain,
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "compaction", "encrypted_content": "gBBBB"},
    ]
    body = body_of("responses", input=items)

    kept = edit("responses", body, open_skin(stateful=True))
    edited = edit("responses", body, open_skin(stateful=True), same_continuity=False)

    assert kept.body == body.replace(b"group", b"up")
    assert edited.body == body_of("responses", model="up", input=[USER, plain, items[3]])
    assert edited.dropped == ("reasoning.encrypted_content", "compaction.encrypted_content")


@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("label", [{"type": "item_reference"}, {"type": None}, {}])
def test_references_to_reasoning_never_travel_for_nothing_says_whose_it_is(stateful, label):
    reference = {**label, "id": "rs_1"}
    body = body_of("responses", input=[USER, reference, USER])

    edited = edit("responses", body, open_skin(stateful=stateful))

    assert edited.body == body_of("responses", model="up", input=[USER, USER])
    assert edited.dropped == ("item_reference",)


def test_a_name_in_the_trace_is_never_a_callers_own_word():
    item = {"type": "x\r\nSet-Cookie: a", "encrypted_content": "g"}
    encrypted = {"type": "reasoning", "encrypted_content": "g"}
    body = body_of("responses", input=[USER, item, encrypted])

    edited = edit("responses", body, open_skin(), same_continuity=False)

    assert edited.dropped == ("item.encrypted_content", "reasoning.encrypted_content")


def test_reasoning_details_are_left_out_for_another_maker():
    details = {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]}
    turn = {"role": "assistant", "content": "a", "reasoning_content": "hm"}
    body = body_of("chat", messages=[USER, {**turn, **details}, USER])

    edited = edit("chat", body, open_skin(), same_continuity=False)

    assert edited.body == body_of("chat", model="up", messages=[USER, turn, USER])
    assert edited.dropped == ("reasoning_details",)


FORBIDDEN = effort("high", echo="forbidden")


def test_readable_reasoning_is_left_out_where_the_skin_forbids_it():
    turn = {"role": "assistant", "content": "a"}
    body = body_of("chat", messages=[USER, {**turn, "reasoning_content": "hm"}, USER])

    edited = edit("chat", body, open_skin(reasoning=FORBIDDEN))

    assert edited.body == body_of("chat", model="up", messages=[USER, turn, USER])
    assert edited.dropped == ("reasoning_content",)
    item = {"type": "reasoning", "summary": []}
    edited = edit(
        "responses", body_of("responses", input=[item, USER]), open_skin(reasoning=FORBIDDEN)
    )
    assert sent(edited)["input"] == [USER]


# --- betas and system turns --------------------------------------------------------------------

BETAS = {
    "anthropic_beta": "context-management-2025-06-27,effort-2025-11-24,"
    "structured-outputs-2025-12-15,mid-conversation-system-2026-04-07,other-2026-01-01"
}
FIELDS = {
    "context_management": {"edits": []},
    "output_config": {"effort": "high", "format": {"type": "json_schema"}},
    "messages": [USER, {"role": "system", "content": "S"}],
}


def test_all_beta_values_pass_where_the_skin_says_pass():
    body = body_of("messages", **FIELDS)
    skin = open_skin(reasoning=effort("high"))

    edited = edit("messages", body, skin, headers=BETAS)

    assert edited.betas == tuple(BETAS["anthropic_beta"].split(","))
    assert edited.body == body.replace(b"group", b"up")


def test_a_filtered_beta_takes_its_fields_along():
    skin = open_skin(betas=("other-2026-01-01",), system_turns="keep")

    edited = edit("messages", body_of("messages", **FIELDS), skin, headers=BETAS, features=0)

    assert edited.betas == ("other-2026-01-01",)
    fields = sent(edited)
    assert "context_management" not in fields
    assert "output_config" not in fields
    assert fields["messages"][0]["content"][1] == {"type": "text", "text": "S"}
    assert edited.dropped == ("reasoning.high", "context_management", "output_config.format")


def test_what_a_skin_was_validated_for_needs_no_beta():
    skin = open_skin(betas=(), reasoning=effort("high"))
    body = body_of("messages", **FIELDS)

    edited = edit("messages", body, skin, headers=BETAS, features=JSON_SCHEMA)

    assert edited.betas == ()
    assert sent(edited)["output_config"] == FIELDS["output_config"]
    assert edited.dropped == ("context_management",)


def test_fields_without_their_beta_stay():
    edited = edit("messages", body_of("messages", context_management={"a": 1}), open_skin(betas=()))

    assert sent(edited)["context_management"] == {"a": 1}
    assert edited.dropped == ()


SYSTEM = {"role": "system", "content": "S"}
TEXT = {"type": "text", "text": "S"}
HI = {"type": "text", "text": "hi"}
FOLDS = [
    ([USER, SYSTEM], [{"role": "user", "content": [HI, TEXT]}]),
    (
        [{"role": "user", "content": [{**HI, "cache_control": {"type": "ephemeral"}}]}, SYSTEM],
        [
            {
                "role": "user",
                "content": [{**HI, "cache_control": {"type": "ephemeral"}}, TEXT],
            }
        ],
    ),
    ([USER, SYSTEM, SYSTEM], [{"role": "user", "content": [HI, TEXT, TEXT]}]),
    ([RESULT, SYSTEM], [{"role": "user", "content": [*RESULT["content"], TEXT]}]),
    ([SYSTEM, USER], [{"role": "user", "content": [TEXT, HI]}]),
    (
        [USER, assistant(CALL), SYSTEM, RESULT],
        [USER, assistant(CALL), {"role": "user", "content": [*RESULT["content"], TEXT]}],
    ),
    (
        [USER, assistant(HI), SYSTEM],
        [USER, assistant(HI), {"role": "user", "content": [TEXT]}],
    ),
    (
        [SYSTEM, assistant(HI), USER],
        [{"role": "user", "content": [TEXT]}, assistant(HI), USER],
    ),
    (
        [USER, {"role": "system", "content": [TEXT, HI]}],
        [{"role": "user", "content": [HI, TEXT, HI]}],
    ),
    ([USER, {"role": "system", "content": ""}], [{"role": "user", "content": [HI]}]),
]


@pytest.mark.parametrize(("turns", "folded"), FOLDS)
def test_a_system_turn_becomes_text_of_the_neighbouring_user_turn(turns, folded):
    body = body_of("messages", messages=turns)

    edited = edit("messages", body, open_skin(system_turns="fold"))

    assert edited.body == body_of("messages", model="up", messages=folded)
    assert edit("messages", body, open_skin()).body == body.replace(b"group", b"up")


def test_the_order_of_changes_is_the_declared_one():
    """A drop removes what reasoning wrote, a patch brings back what a drop removed."""
    skin = open_skin(
        reasoning=effort("low"), drop=("reasoning_effort", "x"), patch={"x": 2, "max_tokens": 7}
    )
    body = body_of("chat", x=1, max_tokens=5, reasoning_effort="low")

    assert sent(edit("chat", body, skin)) == {"messages": [USER], "x": 2, "max_tokens": 7}
