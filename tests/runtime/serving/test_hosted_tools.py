"""Each policy for tools that providers run, from the request to what the provider is asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.runtime.serving.deployment import WEB, ask
from tests.support.serving import PATHS, Served

SEARCH: dict[str, Any] = {"type": "web_search_preview_2025_03_11"}
F: dict[str, Any] = {"type": "function", "name": "f", "parameters": {}}
NESTED: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {}}}
TOOL: dict[str, Any] = {"name": "f", "input_schema": {"type": "object"}}
DATED: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search", "max_uses": 5}


def one_of(mode: str, *tools: dict[str, Any]) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": list(tools)}


# dialect, fields of the body -> what of them is left where the skin has no web search
PREFER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("responses", {"tools": [SEARCH]}, {}),
    ("responses", {"tools": [SEARCH], "tool_choice": "required"}, {}),
    ("responses", {"tools": [SEARCH], "parallel_tool_calls": True}, {}),
    (
        "responses",
        {"tools": [SEARCH, F], "tool_choice": {"type": "web_search_preview"}},
        {"tools": [F]},
    ),
    (
        "responses",
        {"tools": [SEARCH, F], "tool_choice": "required"},
        {"tools": [F], "tool_choice": "required"},
    ),
    (
        "responses",
        {"tools": [SEARCH, F], "tool_choice": one_of("required", SEARCH, F)},
        {"tools": [F], "tool_choice": one_of("required", F)},
    ),
    (
        "responses",
        {"tools": [SEARCH, F], "tool_choice": one_of("auto", SEARCH)},
        {"tools": [F]},
    ),
    (
        "responses",
        {"tools": [{"type": "namespace", "name": "n", "tools": [SEARCH, F]}]},
        {"tools": [{"type": "namespace", "name": "n", "tools": [F]}]},
    ),
    ("chat", {"web_search_options": {}}, {}),
    (
        "chat",
        {"web_search_options": {}, "tools": [NESTED], "tool_choice": "required"},
        {"tools": [NESTED], "tool_choice": "required"},
    ),
    ("chat", {"tools": [{"type": "openrouter:web_search"}, NESTED]}, {"tools": [NESTED]}),
    ("messages", {"tools": [DATED], "tool_choice": {"type": "any"}}, {}),
    (
        "messages",
        {"tools": [DATED, TOOL], "tool_choice": {"type": "tool", "name": "web_search"}},
        {"tools": [TOOL]},
    ),
    (
        "messages",
        {"tools": [DATED, TOOL], "tool_choice": {"type": "any"}},
        {"tools": [TOOL], "tool_choice": {"type": "any"}},
    ),
]


def sent(router: Served, *, names: tuple[str, ...]) -> dict[str, Any]:
    body = router.last().body
    return {name: body[name] for name in names if name in body}


@pytest.mark.parametrize(("dialect", "fields", "left"), PREFER, ids=lambda value: str(value)[:50])
def test_a_preferred_tool_goes_where_the_skin_has_it_and_is_left_out_elsewhere(
    router: Served, dialect: str, fields: dict[str, Any], left: dict[str, Any]
):
    names = ("tools", "tool_choice", "web_search_options")
    for group, expected, dropped in (
        ("plain", left, True),
        ("search", {name: fields[name] for name in names if name in fields}, False),
    ):
        got = router.post(PATHS[dialect], WEB, ask(dialect, group, **fields))
        assert got.status == 200, got.raw
        assert sent(router, names=names) == expected
        assert ("hosted:web_search" in got.dropped) is dropped


def test_no_choice_is_left_where_an_input_item_held_the_only_tool(router: Served):
    item = {"type": "additional_tools", "tools": [SEARCH]}
    user = {"role": "user", "content": "hi"}
    for tools, choice in (([SEARCH], None), ([SEARCH, F], "required")):
        body = ask("responses", input=[{**item, "tools": tools}, user], tool_choice="required")
        got = router.post(PATHS["responses"], WEB, body)
        assert got.status == 200, got.raw
        assert router.last().body.get("tool_choice") == choice
        left = [{**item, "tools": tools[1:]}] if tools[1:] else []
        assert router.last().body["input"] == [*left, user]


def test_a_stripped_tool_reaches_no_skin(router: Served):
    fields = {"tools": [{"type": "image_generation"}, F]}
    for group in ("plain", "search"):
        got = router.post(PATHS["responses"], WEB, ask("responses", group, **fields))
        assert got.status == 200
        assert router.last().body["tools"] == [F]
        assert "hosted:image_generation" in got.dropped


@pytest.mark.parametrize(
    ("dialect", "fields", "where"),
    [
        ("responses", {"tools": [F, {"type": "mcp", "server_label": "x"}]}, "tools[1]"),
        ("messages", {"tools": [{"type": "mcp_toolset"}]}, "tools[0]"),
        ("messages", {"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
    ],
)
def test_a_refused_tool_is_a_400_that_names_its_place(router: Served, dialect, fields, where):
    got = router.post(PATHS[dialect], WEB, ask(dialect, "search", **fields))
    assert got.status == 400
    assert got.error["code"] == "provider-hosted-tools-forbidden"
    told = got.error["details"] if dialect == "messages" else got.error
    assert told["param"] == where
    assert got.headers["x-should-retry"] == "false"
    assert router.asked == []


def test_a_tool_without_a_policy_is_needed(router: Served):
    body = ask("responses", tools=[{"type": "code_interpreter", "container": {"type": "auto"}}])
    got = router.post(PATHS["responses"], WEB, body)
    assert got.trace["target"] == "searching"
    assert router.last().body["tools"] == body["tools"]
    got = router.post(PATHS["responses"], WEB, ask("responses", tools=[{"type": "quantum"}]))
    assert got.error["code"] == "no-eligible-target"
    assert got.error["details"]["requirements"] == ["hosted:other"]
