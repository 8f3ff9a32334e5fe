"""A call in a history bears the name its tool is offered under, whatever kind of tool it is."""

import json
import re
from typing import Any

import pytest

from runtime.passage import passage
from tests.bridges.crossings import PAIRS
from tests.runtime.dialects.bodies import body_of, open_skin, read, step_of

LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Tools as the caller tells them apart: name, whether its input is free text, namespace. The four
# that are called `look` are different tools.
FUNCTIONS = [("look", False, None), ("mcp.search", False, None), ("n" * 70, False, None)]
CUSTOMS = [("look", True, None), ("patch", True, None)]
NAMESPACED = [("look", False, "mcp"), ("look", True, "mcp")]
TOOLS = {
    "messages": FUNCTIONS,
    # whoever calls by the name of a grammar tool there, means that one
    "chat": [*FUNCTIONS, ("patch", True, None)],
    "responses": [*FUNCTIONS, *CUSTOMS, *NAMESPACED],
}
# Called, but not offered any more.
GONE = [("gone", False, None), ("mcp.gone", False, None)]

Tool = tuple[str, bool, str | None]


def offered(caller: str, tool: Tool) -> dict[str, Any]:
    """A tool as the caller's dialect offers it."""
    name, custom, namespace = tool
    if caller == "messages":
        return {"name": name, "input_schema": {"type": "object", "properties": {}}}
    kind = "custom" if custom else "function"
    if caller == "chat":
        return {"type": kind, kind: {"name": name}}
    flat = {"type": kind, "name": name}
    if namespace is None:
        return flat
    return {"type": "namespace", "name": namespace, "description": "", "tools": [flat]}


def call(caller: str, tool: Tool, call_id: str) -> list[dict[str, Any]]:
    """A call of a tool, and its result, as the caller's dialect has them in a history."""
    name, custom, namespace = tool
    if caller == "messages":
        use = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        result = {"type": "tool_result", "tool_use_id": call_id, "content": "done"}
        return [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    kind, text = ("custom", "input") if custom else ("function", "arguments")
    if caller == "chat":
        made = {"id": call_id, "type": kind, kind: {"name": name, text: "{}"}}
        result = {"role": "tool", "tool_call_id": call_id, "content": "done"}
        return [{"role": "assistant", "tool_calls": [made]}, result]
    item = "custom_tool_call" if custom else "function_call"
    made = {"type": item, "call_id": call_id, "name": name, text: "{}"}
    if namespace is not None:
        made["namespace"] = namespace
    return [made, {"type": f"{item}_output", "call_id": call_id, "output": "done"}]


def sent(
    caller: str, upstream: str, offers: list[Tool], called: list[Tool], **skin: Any
) -> dict[str, Any]:
    """The body for the upstream."""
    history = [{"role": "user", "content": "hi"}]
    for place, tool in enumerate(called):
        history += call(caller, tool, f"call_{place}")
    tools = [offered(caller, tool) for tool in offers]
    told = {"input" if caller == "responses" else "messages": history, "tools": tools}
    body = body_of(caller, **told)
    step = step_of(open_skin(**skin))
    return json.loads(passage(body, read(caller, body), caller, upstream, step, "d").edited.body)


def names_of(upstream: str, body: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The names of the tools, and those of the calls, in their order."""
    tools = body["tools"]
    if upstream == "chat":
        calls = [made for turn in body["messages"] for made in turn.get("tool_calls", ())]
        return tuple([one["function"]["name"] for one in many] for many in (tools, calls))
    if upstream == "messages":
        blocks = [block for turn in body["messages"] for block in turn["content"]]
        calls = [block for block in blocks if block["type"] == "tool_use"]
    else:
        calls = [item for item in body["input"] if item["type"].endswith("_call")]
    return tuple([one["name"] for one in many] for many in (tools, calls))


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_each_tool_is_called_by_the_name_that_it_is_offered_under(caller, upstream):
    called = [*TOOLS[caller], *reversed(TOOLS[caller])]
    tools, calls = names_of(upstream, sent(caller, upstream, TOOLS[caller], called))
    assert calls == tools + tools[::-1]
    assert len(set(tools)) == len(TOOLS[caller])
    assert all(LEGAL.fullmatch(name) for name in tools)
    assert tools[0] == "look"


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_a_tool_that_is_offered_no_more_is_called_by_a_legal_name_of_its_own(caller, upstream):
    tools, calls = names_of(upstream, sent(caller, upstream, TOOLS[caller], GONE))
    assert calls[0] == "gone"
    assert LEGAL.fullmatch(calls[1])
    assert not {*calls} & {*tools}


@pytest.mark.parametrize("upstream", ["messages", "responses"])
def test_a_grammar_tool_of_chat_is_called_by_its_name_beside_a_function_like_it(upstream):
    tools, calls = names_of(upstream, sent("chat", upstream, [*FUNCTIONS, *CUSTOMS], CUSTOMS))
    assert tools[0] == "look"
    assert calls == tools[-2:]
    assert len(set(tools)) == 5


def test_a_grammar_tool_that_stays_one_keeps_its_name():
    tools, calls = names_of("responses", sent("chat", "responses", CUSTOMS, CUSTOMS, custom=True))
    assert calls == tools == ["look", "patch"]
