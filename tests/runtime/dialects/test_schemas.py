"""Tool schemas in fewer words: what stays, what is written otherwise, what is missed and named."""

import copy
import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.dialects.schemas import PROFILES, TYPES, rewritten
from runtime.errors import CallerError
from tests.runtime.dialects.captures import captures

BOTH = pytest.mark.parametrize("profile", PROFILES)


def written(inner, profile="openapi", **top):
    """A property of a tool's parameters, and what was lost of it."""
    schema = {"type": "object", "properties": {"p": inner}, **top}
    made, lost = rewritten(schema, profile, "f", "tools[0].parameters")
    return made["properties"]["p"], lost


A, B = {"type": "string"}, {"type": "integer"}


@pytest.mark.parametrize(
    ("before", "openapi", "lost"),
    [
        ({"type": "string", "minLength": 2}, {"type": "string", "minLength": 2}, []),
        ({**A, "$schema": "x", "$comment": "y"}, A, ["$schema", "$comment"]),
        ({**A, "x-order": 3, "x-more": 4}, A, ["other"]),
        ({"const": "a"}, {**A, "enum": ["a"]}, []),
        ({"const": 5}, B, ["const"]),
        ({"enum": ["a", None]}, {**A, "enum": ["a"], "nullable": True}, []),
        ({**B, "enum": [1, 2]}, B, ["enum"]),
        ({"type": ["string", "null"]}, {**A, "nullable": True}, []),
        ({"type": ["string", "integer"]}, {"anyOf": [A, B]}, []),
        (
            {"type": ["string", "integer"], "description": "d", "maxLength": 2, "maximum": 9},
            {
                "anyOf": [
                    {"type": "string", "description": "d", "maxLength": 2},
                    {"type": "integer", "description": "d", "maximum": 9},
                ]
            },
            [],
        ),
        (
            {"anyOf": [A, {"type": "null"}], "default": None, "description": "d"},
            {**A, "description": "d", "nullable": True, "default": None},
            [],
        ),
        ({"oneOf": [{"const": "a"}, B]}, {"anyOf": [{**A, "enum": ["a"]}, B]}, []),
        ({"anyOf": [A, B], "default": "x"}, {"anyOf": [A, B]}, ["default"]),
        ({"anyOf": [{"anyOf": [A, B]}, A]}, {"anyOf": [A, B]}, []),
        (
            {"properties": {"q": A}, "anyOf": [{"required": ["q"]}, {}]},
            {"type": "object", "properties": {"q": A}},
            ["anyOf"],
        ),
        ({"allOf": [A], "description": "d"}, {**A, "description": "d"}, []),
        (
            {"allOf": [{"properties": {"q": A}}, {"properties": {"q": {"minLength": 1}}}]},
            {"type": "object", "properties": {"q": {**A, "minLength": 1}}},
            [],
        ),
        ({"allOf": [A, B]}, A, ["allOf"]),
        ({**A, "format": "uri"}, A, ["format"]),
        ({**A, "format": "date-time"}, {**A, "format": "date-time"}, []),
        ({**A, "minimum": 3}, A, ["minimum"]),
        ({"type": "array"}, {"type": "array", "items": A}, ["items"]),
        ({"type": "array", "items": B}, {"type": "array", "items": B}, []),
        ({"prefixItems": [A], "items": False}, {"type": "array", "items": A}, None),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}, None),
        ({"type": "object", "required": ["q"]}, {"type": "object"}, ["required"]),
        ({"description": "anything"}, {"description": "anything"}, []),
        (True, {}, []),
    ],
)
def test_a_schema_in_the_words_of_openapi(before, openapi, lost):
    after, missed = written(before)
    assert after == openapi
    assert lost is None or missed == lost


@pytest.mark.parametrize(
    ("before", "basic", "lost"),
    [
        ({**A, "title": "T", "minLength": 1, "description": "d"}, {**A, "description": "d"}, 2),
        ({"type": ["string", "null"]}, A, 1),
        ({"const": "a"}, {**A, "enum": ["a"]}, 0),
        ({"anyOf": [A, B]}, {"anyOf": [A, B]}, 0),
    ],
)
def test_a_schema_in_basic_words(before, basic, lost):
    after, missed = written(before, "basic")
    assert (after, len(missed)) == (basic, lost)


@BOTH
def test_references_are_written_out_where_they_stand(profile):
    named = {"type": "object", "properties": {"q": {"$ref": "#/$defs/a~1b%20c"}}}
    after, lost = written({"$ref": "#/$defs/n"}, profile, **{"$defs": {"n": named, "a/b c": A}})
    assert (after, lost) == ({"type": "object", "properties": {"q": A}}, [])


@BOTH
def test_a_reference_that_comes_back_to_itself_is_cut_and_named(profile):
    node = {
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
    }
    after, lost = written({"$ref": "#/$defs/n"}, profile, **{"$defs": {"n": node}})
    assert after["properties"]["kids"] == {"type": "array", "items": {"type": "object"}}
    assert lost == ["$ref"]


@BOTH
@pytest.mark.parametrize("around", ["allOf", "anyOf", "oneOf"])
def test_a_way_back_through_branches_is_cut_too(profile, around):
    kids = {"type": "array", "items": {around: [{"$ref": "#/$defs/n"}]}}
    node = {"type": "object", "properties": {"kids": kids}}
    after, lost = written({around: [{"$ref": "#/$defs/n"}]}, profile, **{"$defs": {"n": node}})
    assert after["properties"]["kids"] == {"type": "array", "items": {"type": "object"}}
    assert lost == ["$ref"]


@BOTH
def test_branches_at_the_top_become_one_object(profile):
    one = {"type": "object", "properties": {"a": A, "b": B}, "required": ["a", "b"]}
    other = {"$ref": "#/$defs/o"}
    defined = {"o": {"properties": {"b": B, "c": A}, "required": ["b"]}}
    after, lost = rewritten({"anyOf": [one, other], "$defs": defined}, profile, "f", "x")
    assert after == {"type": "object", "properties": {"a": A, "b": B, "c": A}, "required": ["b"]}
    assert lost == ["anyOf"]


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": ["object"]}])
def test_no_parameters_are_an_empty_object(schema):
    assert rewritten(schema, "openapi", "f", "x") == ({"type": "object", "properties": {}}, [])


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        (5, "", "this is no schema of a value"),
        ({"type": "string"}, "", "its top is no object"),
        ({"properties": []}, ".properties", "these are no properties by name"),
        ({"properties": {"a": False}}, ".properties.a", "this is no schema of a value"),
        (
            {"properties": {"a": {"type": "strin"}}},
            ".properties.a.type",
            "a type that JSON has not",
        ),
        ({"properties": {"a": {"type": [{}]}}}, ".properties.a.type", "a type that JSON has not"),
        ({"properties": {"a": {"$ref": "#/$defs/a"}}}, ".properties.a.$ref", "leads nowhere"),
        ({"properties": {"a": {"$ref": "x.json"}}}, ".properties.a.$ref", "another document"),
        ({"properties": {"a": {"$ref": "#anchor"}}}, ".properties.a.$ref", "not a JSON pointer"),
        ({"properties": {"a": {"$ref": 7}}}, ".properties.a.$ref", "another document"),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/n0"}},
                "$defs": {
                    f"n{n}": {
                        "anyOf": [{"$ref": f"#/$defs/n{n + 1}"}, {"$ref": f"#/$defs/n{n + 1}"}]
                    }
                    for n in range(40)
                }
                | {"n40": A},
            },
            None,
            "too large",
        ),
    ],
)
def test_what_cannot_be_written_names_the_tool_and_the_place(schema, place, reason):
    with pytest.raises(CallerError) as caught:
        rewritten(schema, "openapi", "my_tool", "tools[3].parameters")
    assert caught.value.code == "invalid-request"
    assert "`my_tool`" in caught.value.message
    assert reason in caught.value.message
    if place is not None:
        assert caught.value.param == f"tools[3].parameters{place}"


def test_a_bottomless_schema_is_refused():
    deep = {"type": "object", "properties": {"p": A}}
    for _ in range(2000):
        deep = {"type": "object", "properties": {"p": deep}}
    with pytest.raises(CallerError, match="too deeply"):
        rewritten(deep, "basic", "f", "x")


# --- whatever comes ----------------------------------------------------------------------------

REFS = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/properties/p"])
TEXTS = st.sampled_from(["a", "b", "date-time"])
VALUES = st.none() | st.booleans() | st.integers(0, 3) | TEXTS
NAMES = st.sampled_from(["p", "q", "type", "$ref"])
LEAVES = st.booleans().filter(bool) | st.fixed_dictionaries({}, optional={"$ref": REFS})


def grown(inner):
    """Schemas with others in them."""
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from([*TYPES, "null"])
            | st.lists(st.sampled_from([*TYPES, "null"]), max_size=3, unique=True),
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2) | st.just(True),
            "items": inner | several,
            "anyOf": several,
            "oneOf": several,
            "allOf": several,
            "enum": st.lists(VALUES, max_size=3),
            "const": VALUES,
            "description": TEXTS,
            "default": VALUES,
            "nullable": st.booleans(),
            "format": TEXTS,
            "minLength": st.integers(0, 3),
            "maximum": st.integers(0, 3),
            "exclusiveMinimum": st.integers(0, 3),
            "additionalProperties": inner | st.booleans(),
            "not": inner,
            "$comment": TEXTS,
            "x-own": TEXTS,
        },
    )


SCHEMAS = st.recursive(LEAVES, grown, max_leaves=6)
TOPS = st.fixed_dictionaries(
    {"properties": st.dictionaries(NAMES, SCHEMAS, max_size=3)},
    optional={
        "type": st.just("object"),
        "$defs": st.fixed_dictionaries({"a": SCHEMAS, "b": SCHEMAS}),
        "anyOf": st.lists(st.just({"type": "object"}) | LEAVES, max_size=2),
        "required": st.lists(NAMES, max_size=2),
    },
)


def everything_allowed(schema, profile):
    words = PROFILES[profile]
    allowed = {"type", "properties", "required", "items", "enum", "anyOf"} | words.plain
    allowed |= {"format"} if words.formats else set()
    allowed |= {"nullable"} if words.nullable else set()
    assert schema.keys() <= allowed
    assert schema.get("type", "string") in TYPES
    assert schema.get("type") != "array" or schema["items"]
    assert all(isinstance(value, str) for value in schema.get("enum", []))
    assert set(schema.get("required", [])) <= schema.get("properties", {}).keys()
    assert "anyOf" not in schema or len(schema) == 1 < len(schema["anyOf"])
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        everything_allowed(inner, profile)
    if "items" in schema:
        everything_allowed(schema["items"], profile)


@BOTH
@settings(
    max_examples=200,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=(HealthCheck.too_slow,),
)
@given(schema=TOPS)
def test_only_the_words_of_the_profile_are_left_and_a_second_time_changes_nothing(profile, schema):
    before = copy.deepcopy(schema)
    try:
        made, _ = rewritten(schema, profile, "f", "x")
    except CallerError:
        return
    finally:
        assert schema == before
    everything_allowed(made, profile)
    assert made["type"] == "object"
    assert rewritten(made, profile, "f", "x") == (made, [])
    again = json.dumps(rewritten(copy.deepcopy(schema), profile, "f", "x"))
    assert again == json.dumps(rewritten(schema, profile, "f", "x"))


# --- the tools of real agents ------------------------------------------------------------------


def recorded():
    """Every tool schema of the captures, once."""
    found = {}
    for capture in captures():
        for tool in json.loads(capture.body).get("tools") or ():
            holder = tool.get("function", tool)
            schema = holder.get("parameters") or holder.get("input_schema")
            if schema:
                agent = capture.name.partition("/")[0]
                found.setdefault((agent, holder["name"], json.dumps(schema)), schema)
    return found


@pytest.mark.parametrize(
    ("profile", "missed"),
    [
        (
            "openapi",
            {"$schema", "additionalProperties", "exclusiveMinimum", "format", "propertyNames"},
        ),
        (
            "basic",
            {"$schema", "additionalProperties", "exclusiveMinimum", "format", "propertyNames"}
            | {"default", "pattern", "minimum", "maximum", "minLength", "maxLength"}
            | {"minItems", "maxItems"},
        ),
    ],
)
def test_the_tools_of_agents_lose_nothing_else(profile, missed):
    tools = recorded()
    assert {agent for agent, _, _ in tools} == {"claude-code", "codex", "opencode"}
    lost = set()
    for schema in tools.values():
        made, words = rewritten(schema, profile, "f", "x")
        everything_allowed(made, profile)
        assert list(made["properties"]) == list(schema["properties"])
        assert made.get("required", []) == schema.get("required", [])
        lost.update(words)
    assert lost == missed
