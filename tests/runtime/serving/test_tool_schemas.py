"""Tool schemas on their way to a skin that takes fewer words: natively and over each bridge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.serving.deployment import good
from tests.support.demo import BEHIND, BRIDGED, TOKEN
from tests.support.serving import PATHS, Json, Served, compiled, serving

DIALECTS = ("chat", "responses", "messages")
SURFACES = pytest.mark.parametrize("surface", DIALECTS)
SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"path": {"$ref": "#/$defs/path"}, "mode": {"const": "fast"}},
    "required": ["path"],
    "additionalProperties": False,
    "$defs": {"path": {"type": ["string", "null"], "minLength": 1}},
}
OPENAPI: Json = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "minLength": 1, "nullable": True},
        "mode": {"type": "string", "enum": ["fast"]},
    },
    "required": ["path"],
}
LOST = ["tools[].$schema", "tools[].additionalProperties"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    text = BRIDGED.read_text()
    told = text.replace("stream: native", "stream: native\n    tool_schemas: openapi")
    assert told != text
    with serving(compiled(told, tmp_path_factory.mktemp("schemas")), good) as served:
        yield served


@pytest.fixture
def router(running: Served) -> Served:
    running.asked.clear()
    return running


def tool(dialect: str, schema: Any, name: str = "read", **more: Any) -> Json:
    if dialect == "messages":
        return {"name": name, "input_schema": schema, **more}
    if dialect == "responses":
        return {"type": "function", "name": name, "parameters": schema, **more}
    return {"type": "function", "function": {"name": name, "parameters": schema, **more}}


def asking(dialect: str, model: str, *tools: Json, **fields: Any) -> Json:
    body: Json = {"model": model, "tools": list(tools), **fields}
    if dialect == "responses":
        return {"input": "hi", **body}
    return {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 100, **body}


def schema_sent(router: Served, behind: str) -> Json:
    (sent,) = router.last().body["tools"]
    return (sent.get("function") or sent)["input_schema" if behind == "messages" else "parameters"]


@SURFACES
@pytest.mark.parametrize("behind", DIALECTS)
def test_a_schema_arrives_in_the_words_of_the_skin(router: Served, surface: str, behind: str):
    body = asking(surface, BEHIND[behind], tool(surface, SCHEMA))
    got = router.post(PATHS[surface], TOKEN, body)
    assert got.status == 200, got.raw
    assert schema_sent(router, behind) == OPENAPI
    assert [word for word in got.dropped if word in LOST] == LOST
    dry = router.post(PATHS[surface], TOKEN, body, x_dry_run="true").body["routing"]
    assert dry["dropped"] == got.dropped


@SURFACES
@pytest.mark.parametrize("behind", DIALECTS)
def test_a_schema_without_words_for_it_names_its_tool(router: Served, surface: str, behind: str):
    broken = tool(surface, {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}}, "grep")
    got = router.post(PATHS[surface], TOKEN, asking(surface, BEHIND[behind], broken))
    assert (got.status, got.error["code"]) == (400, "invalid-request")
    assert "`grep`" in got.error["message"]
    assert router.asked == []


@SURFACES
def test_a_schema_that_fits_keeps_its_bytes(router: Served, surface: str):
    body = asking(surface, BEHIND[surface], tool(surface, OPENAPI, strict=True))
    got = router.post(PATHS[surface], TOKEN, body)
    assert router.last().body["tools"] == body["tools"]
    assert [word for word in got.dropped if word.startswith("tools")] == []


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_a_promise_of_strictness_goes_with_the_words_it_needs(router: Served, dialect: str):
    body = asking(dialect, BEHIND[dialect], tool(dialect, SCHEMA, strict=True))
    got = router.post(PATHS[dialect], TOKEN, body)
    assert router.last().body["tools"] == [tool(dialect, OPENAPI)]
    assert "tools[].strict" in got.dropped


def test_the_schemas_of_chats_first_functions_are_written_too(router: Served):
    body = asking("chat", "only-chat", functions=[{"name": "read", "parameters": SCHEMA}])
    del body["tools"]
    router.post(PATHS["chat"], TOKEN, body)
    assert router.last().body["functions"] == [{"name": "read", "parameters": OPENAPI}]


def test_the_schemas_of_tools_in_an_input_item_are_written_too(router: Served):
    user = {"role": "user", "content": "hi"}
    inner = {"type": "namespace", "name": "n", "tools": [tool("responses", SCHEMA)]}
    grammar = {"type": "custom", "name": "patch"}
    item = {"type": "additional_tools", "tools": [inner, grammar]}
    body = asking("responses", "only-responses", input=[item, user])
    del body["tools"]
    got = router.post(PATHS["responses"], TOKEN, body)
    assert [word for word in got.dropped if word.startswith("tools")] == LOST
    (sent, same) = router.last().body["input"]
    assert sent["tools"] == [inner | {"tools": [tool("responses", OPENAPI)]}, grammar]
    assert same == user
