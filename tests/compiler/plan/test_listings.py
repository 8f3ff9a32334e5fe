"""What the model lists say, and that nothing in them goes unserved."""

from __future__ import annotations

import json

import pytest

from compiler.clients.instructions import BASE_INSTRUCTIONS
from tests.compiler.build.worlds import group, planned, skin, small

REQUIRED = {
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
    "base_instructions",
    "support_verbosity",
    "truncation_policy",
    "experimental_supported_tools",
}
LEVELS = {"levels": {"low": "Quick", "medium": "Everyday", "high": "Hard"}}
CODEX = ["function", "custom", "namespace"]
SETTINGS = {"hosted_tools": {"web_search": "prefer"}}


def thinks(*levels, **more):
    return skin(tools=CODEX, reasoning={"control": "effort", "levels": list(levels)}, **more)


def listing(**changes):
    plan = planned(small(settings=SETTINGS, reasoning=LEVELS, **changes))
    (only,) = plan.listings.values()
    return json.loads(only.text)


def targets(**targets):
    return {name: {"provider": "own", "model": name, **entry} for name, entry in targets.items()}


def test_every_codex_entry_has_the_eleven_keys_it_cannot_do_without():
    body = listing(targets=targets(t={"skins": {"responses": skin()}}),
                   groups={"g": group(surfaces=["responses"], aliases=["gpt-g"])})  # fmt: skip
    assert [entry["slug"] for entry in body["models"]] == ["g", "gpt-g"]
    for entry in body["models"]:
        assert entry.keys() >= REQUIRED
        assert entry["shell_type"] == "shell_command"
        assert entry["supported_reasoning_levels"] == []
        assert entry["base_instructions"] == BASE_INSTRUCTIONS


def test_codex_sees_only_groups_open_on_responses():
    both = targets(t={"skins": {"responses": skin(), "chat": skin()}})
    closed = group(surfaces=["chat"])
    body = listing(targets=both, groups={"g": closed})
    assert body["models"] == []
    assert [entry["id"] for entry in body["data"]] == ["g"]


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        (CODEX, "freeform"),
        (["function"], None),
        (["function", "namespace"], None),
        (["function", "custom"], None),
    ],
)
def test_apply_patch_is_offered_only_where_the_main_request_is_served(tools, expected):
    body = listing(targets=targets(t={"skins": {"responses": skin(tools=tools)}}),
                   groups={"g": group(surfaces=["responses"])})  # fmt: skip
    assert body["models"][0]["apply_patch_tool_type"] == expected


def test_levels_are_those_somebody_keeps_natively_and_not_by_map():
    mapped = thinks("low", "medium")
    mapped["reasoning"]["map"] = {"high": "medium"}
    body = listing(targets=targets(t={"skins": {"responses": mapped}}),
                   groups={"g": group(surfaces=["responses"])})  # fmt: skip
    entry = body["models"][0]
    assert entry["supported_reasoning_levels"] == [
        {"effort": "low", "description": "Quick"},
        {"effort": "medium", "description": "Everyday"},
    ]
    assert entry["default_reasoning_level"] == "medium"


def test_levels_in_data_are_those_every_open_surface_keeps():
    skins = {"responses": thinks("low", "medium", "high"), "chat": thinks("medium", "high")}
    body = listing(
        targets=targets(t={"skins": skins}),
        groups={"g": group(surfaces=["responses", "chat"], reasoning={"default": "high"})},
    )
    told = [level["effort"] for level in body["data"][0]["supported_reasoning_levels"]]
    assert told == ["medium", "high"]
    assert body["data"][0]["default_reasoning_level"] == "high"
    assert len(body["models"][0]["supported_reasoning_levels"]) == 3


def test_a_group_that_cannot_think_says_nothing_of_levels():
    entry = listing()["data"][0]
    assert "supported_reasoning_levels" not in entry
    assert "default_reasoning_level" not in entry


@pytest.mark.parametrize(("depth", "window"), [(1, 300), (2, 200), (3, 100), (4, 100)])
def test_the_window_is_what_the_promised_depth_of_candidates_holds(depth, window):
    sizes = {"a": 100_000, "b": 300_000, "c": 200_000, "d": 900_000}
    some = targets(**{n: {"context": c, "skins": {"chat": skin()}} for n, c in sizes.items()})
    members = [{"target": n, "last_resort": n == "d"} for n in sizes]
    body = listing(targets=some, groups={"g": group(members=members, promise={"opencode": depth})})
    assert body["data"][0]["context_window"] == window * 1000


def test_a_window_nobody_knows_is_not_said():
    assert "context_window" not in listing()["data"][0]


def test_a_list_reads_as_openai_and_anthropic_write_theirs():
    body = listing(groups={"g": group(title="Coding", aliases=["claude-g", "gpt-*"])})
    assert [entry["id"] for entry in body["data"]] == ["g", "claude-g"]
    assert (body["object"], body["has_more"]) == ("list", False)
    assert (body["first_id"], body["last_id"]) == ("g", "claude-g")
    for entry in body["data"]:
        assert (entry["object"], entry["type"]) == ("model", "model")
        assert entry["display_name"] == "Coding"
        assert entry["created_at"].startswith("2026-01-01")


def test_images_are_named_only_where_somebody_sees_them():
    def modalities(tools=CODEX, **more):
        body = listing(targets=targets(t={"skins": {"responses": skin(**more, tools=tools)}}),
                       groups={"g": group(surfaces=["responses"])})  # fmt: skip
        return body["models"][0]["input_modalities"]

    sees = {"input": ["text", "image"]}
    assert modalities() == ["text"]
    assert modalities(**sees) == ["text", "image"]
    assert modalities(["function"], **sees) == ["text"]  # takes a summary's request, and no turn


def test_a_groups_own_codex_fields_win():
    own = {"base_instructions": "Be brief."}
    body = listing(targets=targets(t={"skins": {"responses": skin()}}),
                   groups={"g": group(surfaces=["responses"], codex=own)})  # fmt: skip
    assert body["models"][0]["base_instructions"] == "Be brief."


def test_one_entry_stands_on_one_line():
    both = targets(t={"skins": {"responses": skin(), "chat": skin()}})
    groups = {"g": group(surfaces=["responses", "chat"], aliases=["gpt-g"])}
    (only,) = planned(small(targets=both, groups=groups)).listings.values()
    assert [line[:6] for line in only.text.splitlines()] == [
        '{"obje', '{"id":', '{"id":', '],"has', '{"slug', '{"slug', "]}",
    ]  # fmt: skip


def test_letters_of_any_language_stand_as_they_are():
    (only,) = planned(small(groups={"g": group(title="Größe", about="日本")})).listings.values()
    assert '"display_name":"Größe","description":"日本"' in only.text


def test_an_empty_catalog_is_an_empty_list():
    (only,) = planned(small()).listings.values()
    assert only.text.endswith('"last_id":"g","models":[]}\n')


def test_a_surface_that_leads_nowhere_within_a_reach_says_nothing_of_levels():
    far = {"base_url": "https://far.example/v1", "key_env": "FAR_KEY"}
    own = {"base_url": "https://own.example/v1", "key_env": "OWN_KEY"}
    two = targets(t={"skins": {"chat": thinks("low")}}, u={"skins": {"messages": skin()}})
    two["u"]["provider"] = "far"
    body = listing(
        providers={"own": own, "far": far},
        targets=two,
        groups={"g": group(surfaces=["chat", "messages"],
                           members=[{"target": "t"}, {"target": "u"}])},
    )  # fmt: skip
    assert body["data"][0]["default_reasoning_level"] == "low"


@pytest.mark.parametrize(("far", "parallel"), [(True, False), (False, True)])
def test_parallel_calls_are_offered_where_somebody_within_reach_makes_them(far, parallel):
    hosts = {name: {"base_url": f"https://{name}.example/v1", "key_env": "KEY"}
             for name in ("own", "far")}  # fmt: skip
    two = targets(
        t={"skins": {"responses": skin()}},
        u={"skins": {"responses": skin(tools=["function", "parallel"])}},
    )
    two["u"]["provider"] = "far" if far else "own"
    members = [{"target": name} for name in two]
    body = listing(
        providers=hosts, targets=two, groups={"g": group(surfaces=["responses"], members=members)}
    )
    assert body["models"][0]["supports_parallel_tool_calls"] is parallel
