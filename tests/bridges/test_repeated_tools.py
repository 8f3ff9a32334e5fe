"""What is remembered of tools changes no request: cold or warm, whoever asked before."""

import json
from collections.abc import Iterator, Mapping
from sys import getsizeof
from typing import Any

import msgspec
import pytest

from runtime.dialects.tools import SEEN
from runtime.errors import CallerError
from runtime.passage import passage
from runtime.vocabulary import CUSTOM, HOSTED, JSON_SCHEMA, TOOLS, Settings, Skin
from tests.bridges.crossings import PAIRS, Case, cases, crossed
from tests.runtime.dialects.bodies import body_of, open_skin, read, step_of

_STRIPPED = dict.fromkeys(HOSTED, "strip")
_SCHEMA = {"type": "object", "properties": {"path": {"type": "string", "minLength": 2}}}
_NAMES = ("look", "write", "mcp.search")
_MARK = {"type": "ephemeral"}
# Skins with all that a bridge makes of tools in one way and in the other.
_SKINS = (
    open_skin(),
    open_skin(prompt_cache="explicit"),
    open_skin(custom=True),
    open_skin(tool_schemas="basic"),
)


@pytest.fixture(autouse=True)
def _nothing_seen() -> Iterator[None]:
    _forget()
    yield
    _forget()


def _forget() -> None:
    vars(SEEN).update(vars(type(SEEN)()))


def _tools(dialect: str, **more: Any) -> list[dict[str, Any]]:
    if dialect == "messages":
        told = [{"name": name, "input_schema": _SCHEMA, **more} for name in _NAMES]
        return [*told, {"type": "web_search_20250305", "name": "web_search"}]
    functions = [{"name": name, "parameters": _SCHEMA, "strict": True, **more} for name in _NAMES]
    if dialect == "chat":
        custom = {"type": "custom", "custom": {"name": "patch"}}
        return [*({"type": "function", "function": function} for function in functions), custom]
    flat = [{"type": "function", **function} for function in functions]
    return [*flat, {"type": "custom", "name": "patch"}, {"type": "web_search"}]


def _choice(dialect: str) -> dict[str, Any]:
    """A choice that leaves out all tools but one, where the dialect has such a choice."""
    if dialect == "messages":
        return {"type": "tool", "name": "write", "disable_parallel_tool_use": True}
    if dialect == "responses":
        listed = [{"type": "function", "name": "write"}]
        return {"type": "allowed_tools", "mode": "required", "tools": listed}
    listed = [{"type": "function", "function": {"name": "write"}}]
    return {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": listed}}


def _called(dialect: str, name: str) -> list[dict[str, Any]]:
    """A history in which a tool was called that is not offered, under a name of the caller's."""
    if dialect == "responses":
        return [
            {"type": "function_call", "call_id": "1", "name": name, "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "done"},
        ]
    if dialect == "messages":
        call = {"type": "tool_use", "id": "1", "name": name, "input": {}}
        result = {"type": "tool_result", "tool_use_id": "1", "content": "done"}
        return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    call = {"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    return [
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]


def _sent(
    dialect: str,
    upstream: str,
    body: bytes,
    skin: Skin = _SKINS[0],
    policies: dict[str, str] = _STRIPPED,
    features: int = TOOLS | CUSTOM | JSON_SCHEMA,
) -> Any:
    """All that a request becomes: bytes, dropped names, names of tools; or its error."""
    try:
        reading = read(dialect, body, Settings(name="test", hosted_tools=policies))
        step = step_of(skin, features=features)
        passed = passage(body, reading, dialect, upstream, step, "domain")
    except CallerError as error:
        return error.code, error.message, error.param
    facts = msgspec.structs.replace(reading, top={}, turns=(), opening=())
    return passed.edited, passed.tools, facts


def _cold(*args: Any, **more: Any) -> Any:
    _forget()
    return _sent(*args, **more)


def _with_tools(path: str) -> list[Case]:
    return [case for case in cases() if case.path == path and b'"tools":' in case.body]


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_kept_requests_cross_alike_whatever_was_seen_before(caller, upstream):
    kept = _with_tools(caller)
    assert len(kept) > 5
    cold = []
    for case in kept:
        _forget()
        cold.append(crossed(case, upstream))
    _forget()
    assert [crossed(case, upstream) for case in kept] == cold
    assert [crossed(case, upstream) for case in reversed(kept)] == cold[::-1]


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_requests_with_the_same_tools_share_what_was_made_of_them(caller, upstream):
    functions = _tools(caller)[:3]
    first, again = (_sent(caller, upstream, body_of(caller, tools=functions)) for _ in range(2))
    assert again == first
    assert again[1] is first[1]
    _, other, _ = _sent(caller, upstream, body_of(caller, tools=functions[::-1]))
    assert other is not first[1]


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_choice_and_history_of_one_request_stay_with_it(caller, upstream):
    history = "input" if caller == "responses" else "messages"
    tools = _tools(caller)
    asked = [{"role": "user", "content": "hi"}]
    bodies = [
        body_of(caller, tools=tools),
        body_of(caller, tools=tools, tool_choice=_choice(caller)),
        body_of(caller, tools=tools, **{history: [*asked, *_called(caller, "mcp.gone")]}),
        body_of(caller, tools=tools, **{history: [*asked, *_called(caller, "mcp.search")]}),
    ]
    for skin in _SKINS:
        cold = [_cold(caller, upstream, body, skin) for body in bodies]
        _forget()
        warm = [_sent(caller, upstream, body, skin) for body in (*bodies, *reversed(bodies))]
        assert warm == cold + cold[::-1]


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
def test_skins_and_features_do_not_share_what_differs_between_them(caller, upstream):
    body = body_of(caller, tools=_tools(caller, cache_control=_MARK))
    ways = [(skin, features) for skin in _SKINS for features in (TOOLS, TOOLS | JSON_SCHEMA)]
    cold = [_cold(caller, upstream, body, skin, features=features) for skin, features in ways]
    assert len({repr(sent[0]) for sent in cold}) > 1
    _forget()
    for _ in range(2):
        warm = [_sent(caller, upstream, body, skin, features=features) for skin, features in ways]
        assert warm == cold


@pytest.mark.parametrize("upstream", ["chat", "messages", "responses"])
def test_the_same_bytes_mean_something_else_in_another_dialect(upstream):
    tools = [{"type": "custom", "name": "patch", "input_schema": _SCHEMA, "format": {}}]
    callers = [dialect for dialect in ("messages", "responses") if dialect != upstream]
    callers += [] if upstream == "chat" else ["chat"]
    bodies = [(caller, upstream, body_of(caller, tools=tools)) for caller in callers]
    cold = [_cold(*body) for body in bodies]
    _forget()
    assert [_sent(*body) for body in (*bodies, *reversed(bodies))] == cold + cold[::-1]


@pytest.mark.parametrize("mark", [{"cache_control": _MARK}, {"prompt_cache_breakpoint": _MARK}])
def test_breakpoints_that_one_request_has_too_many_of_are_there_for_the_next(mark):
    tools = _tools("chat", **mark)
    text = [{"type": "text", "text": "hi", "cache_control": _MARK}]
    much = [{"role": "user", "content": text}, {"role": "user", "content": text * 3}]
    bodies = [body_of("chat", tools=tools), body_of("chat", tools=tools, messages=much)]
    cold = [_cold("chat", "messages", body, _SKINS[1]) for body in bodies]
    few, many = (json.loads(sent[0].body)["tools"] for sent in cold)
    assert [tool.get("cache_control") for tool in few] == [_MARK] * 3 + [None]
    assert not any("cache_control" in tool for tool in many)
    _forget()
    warm = [_sent("chat", "messages", body, _SKINS[1]) for body in (*bodies, *reversed(bodies))]
    assert warm == cold + cold[::-1]


@pytest.mark.parametrize("caller", ["chat", "responses"])
def test_the_last_tool_of_those_that_are_sent_ends_the_prefix_that_is_cached(caller):
    bodies = [body_of(caller, tools=_tools(caller), tool_choice=_choice(caller))]
    bodies.append(body_of(caller, tools=_tools(caller)))
    for body, ends in zip(bodies * 2, ([_MARK], [None, None, None, _MARK]) * 2, strict=True):
        sent = json.loads(_sent(caller, "messages", body, _SKINS[1])[0].body)["tools"]
        assert [tool.get("cache_control") for tool in sent] == ends


@pytest.mark.parametrize(("caller", "upstream"), [("messages", "chat"), ("responses", "chat")])
def test_policies_for_hosted_tools_are_asked_each_time(caller, upstream):
    body = body_of(caller, tools=_tools(caller))
    policies = [{"web_search": policy} for policy in ("strip", "refuse", "prefer", "need")]
    cold = [_cold(caller, upstream, body, policies=told) for told in policies]
    assert cold[1][0] == "provider-hosted-tools-forbidden"
    assert cold[0] != cold[3]
    _forget()
    for _ in range(2):
        warm = [_sent(caller, upstream, body, policies=told) for told in policies]
        assert warm == cold


@pytest.mark.parametrize(("caller", "upstream"), PAIRS)
@pytest.mark.parametrize("faulty", [[1], [{"type": 1}], [{"type": "function", "name": None}]])
def test_faulty_tools_fail_alike_however_often_they_come(caller, upstream, faulty):
    body = body_of(caller, tools=[*_tools(caller), *faulty])
    errors = [_sent(caller, upstream, body) for _ in range(3)]
    code, _, param = errors[0]
    assert code == "invalid-request"
    assert param.startswith("tools[")
    assert errors == [errors[0]] * 3


@pytest.mark.parametrize("upstream", ["chat", "messages"])
def test_tools_of_the_input_count_among_those_that_are_told_apart(upstream):
    tools = _tools("responses")
    asked = [{"role": "user", "content": "hi"}]
    brought = [
        {"type": "additional_tools", "tools": [{"type": "function", "name": name}]}
        for name in ("first", "other")
    ]
    bodies = [
        body_of("responses", tools=tools, input=[*asked, *items])
        for items in ([], brought[:1], brought[1:], brought, brought[::-1])
    ]
    cold = [_cold("responses", upstream, body) for body in bodies]
    assert len({sent[0].body for sent in cold}) == 5
    _forget()
    assert [_sent("responses", upstream, body) for body in bodies * 2] == cold * 2


def test_custom_tools_are_known_again_by_the_names_they_gave_themselves():
    flat = [{"type": "custom", "name": "patch"}, *_tools("responses")]
    body = body_of("chat", tools=flat)
    cold = _cold("chat", "messages", body)
    assert cold[1].flat == {"patch"}
    assert _sent("chat", "messages", body) == cold


@pytest.mark.parametrize(
    "tools",
    [
        [{"type": f"hosted_{number}"} for number in range(1500)],
        [{"type": "function", "name": "look", **{f"{number:x}": 1 for number in range(1500)}}],
        [{"type": "custom", "name": "\U0001f600" + "n" * 10_000 + f"{n}"} for n in range(4)],
        [{"type": "namespace", "name": "\U0001f600" + "n" * 50_000, "tools": [{"name": "look"}]}],
    ],
)
@pytest.mark.parametrize("upstream", ["chat", "messages"])
def test_what_is_remembered_of_tools_holds_no_more_than_it_says(tools, upstream):
    _sent("responses", upstream, body_of("responses", tools=tools), policies={})
    remembered = [
        made
        for entries in vars(SEEN)["_kept"].values()
        for entry in entries
        for made in entry.made.values()
    ]
    assert len(remembered) == 2
    for made in remembered:
        assert _held(made, set()) < 1.2 * made.weight + 2048


def _held(value: Any, seen: set[int]) -> int:
    """How many bytes the words and containers hold that are in what was made."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, msgspec.Struct):
        return sum(_held(getattr(value, name), seen) for name in value.__struct_fields__)
    inner = (*value, *value.values()) if isinstance(value, Mapping) else value
    parts = inner if isinstance(inner, tuple | frozenset) else ()
    size = len(memoryview(value)) if isinstance(value, msgspec.Raw) else getsizeof(value)
    return size + sum(_held(part, seen) for part in parts)
