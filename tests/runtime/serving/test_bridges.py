"""Requests over bridges through the running router: what is sent, what comes back, what is said."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from runtime.edge import Call
from runtime.events import Opaque
from runtime.opaque import wrap
from runtime.records.account import Account
from runtime.state import State
from tests.runtime.serving.deployment import MESSAGES, RESPONSES, good
from tests.support.demo import BEHIND, BRIDGED, TOKEN
from tests.support.serving import PATHS, Asked, Json, Served, compiled, serving

DIALECTS = ("chat", "responses", "messages")
PAIRS = [(surface, behind) for surface in DIALECTS for behind in DIALECTS if surface != behind]
bridges = pytest.mark.parametrize(
    ("surface", "behind"), PAIRS, ids=[f"{surface}_to_{behind}" for surface, behind in PAIRS]
)
each_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
SYNTHESIZED = ("stream: native", "stream: synthesized")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    artifact = compiled(BRIDGED.read_text(), tmp_path_factory.mktemp("bridges"))
    with serving(artifact, good, state_key=b"a key of these tests") as served:
        yield served


@pytest.fixture(scope="module")
def unstreaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    text = BRIDGED.read_text().replace(*SYNTHESIZED)
    with serving(compiled(text, tmp_path_factory.mktemp("synthesized")), good) as served:
        yield served


@pytest.fixture
def router(running: Served) -> Served:
    running.answer = good
    running.asked.clear()
    return running


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> list[Account]:
    """The notes on each request that comes."""
    kept: list[Account] = []
    begun = State.account

    def keep(state: State, call: Call, surface: str) -> Account:
        kept.append(begun(state, call, surface))
        return kept[-1]

    monkeypatch.setattr(State, "account", keep)
    return kept


def said(dialect: str, model: str, **fields: object) -> Json:
    """A body in a dialect that says hello."""
    body: Json = {"model": model, **fields}
    if dialect == "responses":
        return {"input": [{"role": "user", "content": "hello"}], **body}
    if dialect == "messages":
        body = {"max_tokens": 1000, **body}
    return {"messages": [{"role": "user", "content": "hello"}], **body}


def text_of(dialect: str, got: Json) -> str:
    """The words of a whole answer."""
    if dialect == "chat":
        return got["choices"][0]["message"]["content"]
    if dialect == "responses":
        return "".join(part["text"] for part in got["output"][0]["content"])
    return "".join(block["text"] for block in got["content"])


def streamed_text(dialect: str, events: list[Json]) -> str:
    """The words of a stream."""
    if dialect == "chat":
        deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
        return "".join(delta.get("content") or "" for delta in deltas)
    if dialect == "responses":
        kind = "response.output_text.delta"
        return "".join(event["delta"] for event in events if event["type"] == kind)
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", "") for delta in deltas)


@bridges
@each_way
def test_a_hello_crosses_both_ways(router: Served, surface, behind, stream):
    model = BEHIND[behind]
    got = router.post(PATHS[surface], TOKEN, said(surface, model, stream=stream))
    assert got.status == 200
    assert router.last().path == PATHS[behind]
    assert router.last().body["model"] == f"scripted-{behind}"
    assert got.trace["bridge"] == f"{surface}_to_{behind}"
    assert got.trace["skin"] == behind
    if stream:
        text = streamed_text(surface, got.events)
    else:
        text = text_of(surface, got.body)
        assert got.body["model"] == model
    assert text == ("Hi." if not stream else streamed_text(behind, native(router, behind)))


def test_what_goes_upstream_is_the_same_whatever_the_connection_sent_before(
    router: Served, accounts: list[Account]
):
    sayings = [said("chat", BEHIND[behind], user="x" * 10_000) for behind in DIALECTS] * 2
    for body in sayings:
        router.post(PATHS["chat"], TOKEN, body)
    alone = [asked.raw for asked in router.asked]
    router.asked.clear()
    bodies = [json.dumps(body).encode() for body in sayings]
    kept = http.client.HTTPConnection("127.0.0.1", router.port, timeout=20)
    with closing(kept):
        for body in bodies:
            kept.request("POST", PATHS["chat"], body, {"authorization": f"Bearer {TOKEN.whole}"})
            answer = kept.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
    assert [asked.raw for asked in router.asked] == alone
    # a body is read without its history where the one before it crossed a bridge
    assert ["messages" in account.reading.top for account in accounts[len(sayings) :]] == [
        True,
        True,
        False,
        False,
        True,
        False,
    ]


def native(router: Served, dialect: str) -> list[Json]:
    """The same answer to a caller of the upstream's own dialect."""
    return router.post(PATHS[dialect], TOKEN, said(dialect, BEHIND[dialect], stream=True)).events


@bridges
def test_the_dry_run_names_the_bridge_and_what_it_leaves_out(router: Served, surface, behind):
    lost = {"chat": "logit_bias", "responses": "max_tool_calls", "messages": "top_k"}[surface]
    body = said(surface, BEHIND[behind], **{lost: {"50256": -100} if lost == "logit_bias" else 3})
    routing = router.post(PATHS[surface], TOKEN, body, x_dry_run="true").body["routing"]
    assert routing["bridge"] == f"{surface}_to_{behind}"
    assert lost in routing["dropped"]
    assert router.asked == []
    got = router.post(PATHS[surface], TOKEN, body)
    assert lost in got.dropped
    assert lost not in router.last().body


@bridges
def test_a_field_nobody_knows_is_left_out_and_named(router: Served, surface, behind):
    got = router.post(PATHS[surface], TOKEN, said(surface, BEHIND[behind], brand_new={"x": 1}))
    assert "brand_new" in got.dropped
    assert "brand_new" not in router.last().body


@bridges
def test_the_output_cap_fits_what_the_far_side_takes(router: Served, surface, behind):
    field = {"chat": "max_tokens", "responses": "max_output_tokens", "messages": "max_tokens"}
    body = said(surface, BEHIND[behind], **{field[surface]: 100_000})
    router.post(PATHS[surface], TOKEN, body)
    assert router.last().body[field[behind]] == 64_000
    router.post(PATHS[surface], TOKEN, said(surface, BEHIND[behind], **{field[surface]: 500}))
    assert router.last().body[field[behind]] == 500


def test_a_messages_skin_gets_its_default_cap_where_the_caller_has_none(router: Served):
    router.post(PATHS["chat"], TOKEN, said("chat", "only-messages"))
    assert router.last().body["max_tokens"] == 32_000


@pytest.mark.parametrize("body_dialect", DIALECTS)
@pytest.mark.parametrize("surface", DIALECTS)
@pytest.mark.parametrize("behind", DIALECTS)
@each_way
def test_a_body_in_another_dialect_is_answered_in_that_of_its_path(
    router: Served, body_dialect, surface, behind, stream
):
    """Cursor posts Responses bodies to the path of Chat."""
    body = said(body_dialect, BEHIND[behind], stream=stream)
    if body_dialect == "messages":
        body["system"] = "Be brief."  # else nothing tells it from a Chat body
    elif body_dialect == "chat":
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        body["tools"] = [tool]
    got = router.post(PATHS[surface], TOKEN, body)
    assert got.status == 200, got.body
    assert router.last().path == PATHS[behind]
    text = streamed_text(surface, got.events) if stream else text_of(surface, got.body)
    assert text.startswith("H")


@pytest.mark.parametrize("behind", ["chat", "messages"])
def test_an_uploaded_file_keeps_a_request_from_crossing(router: Served, behind):
    image = {"type": "input_image", "file_id": "file-1"}
    body = said("responses", BEHIND[behind], input=[{"role": "user", "content": [image]}])
    got = router.post(PATHS["responses"], TOKEN, body)
    assert got.status == 400
    assert got.error["code"] == "no-eligible-target"
    (nearest,) = got.error["details"]["nearest"]
    assert nearest == {"target": behind, "reason": "bridge-refuses-file-id"}
    assert router.asked == []


def test_the_same_request_is_taken_by_a_skin_of_its_own_dialect(router: Served):
    image = {"type": "input_image", "file_id": "file-1"}
    body = said("responses", "only-responses", input=[{"role": "user", "content": [image]}])
    assert router.post(PATHS["responses"], TOKEN, body).status == 200


@pytest.mark.parametrize("behind", ["chat", "messages"])
def test_an_answer_over_a_bridge_cannot_be_continued_by_its_id(router: Served, behind):
    first = router.post(PATHS["responses"], TOKEN, said("responses", BEHIND[behind])).body
    body = said("responses", BEHIND[behind], previous_response_id=first["id"])
    got = router.post(PATHS["responses"], TOKEN, body)
    assert (got.status, got.error["code"]) == (400, "previous-response-not-found")


def test_tokens_are_estimated_where_the_provider_speaks_another_dialect(router: Served):
    body = said("messages", "only-chat")
    got = router.post("/v1/messages/count_tokens", TOKEN, body)
    assert got.trace["count"] == "estimate"
    assert got.body["input_tokens"] > 0
    assert router.asked == []


FOREIGN = wrap(Opaque("chat", {"details": []}), "elsewhere")
SIGNED = {"type": "thinking", "thinking": "hm", "signature": FOREIGN}
SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": FOREIGN}
DETAIL = {"type": "reasoning.encrypted", "data": FOREIGN, "format": "interlock", "index": 0}
HELLO = {"role": "user", "content": "hello"}


@pytest.mark.parametrize(
    ("surface", "history"),
    [
        (
            "messages",
            {
                "messages": [
                    HELLO,
                    {"role": "assistant", "content": [SIGNED, {"type": "text", "text": "Hi."}]},
                    HELLO,
                ]
            },
        ),
        (
            "responses",
            {"input": [HELLO, SEALED, {"role": "assistant", "content": "Hi."}, HELLO]},
        ),
        (
            "chat",
            {
                "messages": [
                    HELLO,
                    {"role": "assistant", "content": "Hi.", "reasoning_details": [DETAIL]},
                    HELLO,
                ]
            },
        ),
    ],
    ids=["messages", "responses", "chat"],
)
@pytest.mark.parametrize("behind", DIALECTS)
def test_state_made_elsewhere_goes_nowhere_and_is_named(router: Served, surface, history, behind):
    got = router.post(PATHS[surface], TOKEN, said(surface, BEHIND[behind], **history))
    assert got.status == 200
    assert b"il1." not in router.last().raw
    assert any("signature" in n or "reasoning" in n or "thinking" in n for n in got.dropped)


@pytest.mark.parametrize("surface", DIALECTS)
@pytest.mark.parametrize("behind", DIALECTS)
def test_a_skin_without_streams_is_asked_for_a_whole_answer_and_streamed(
    unstreaming: Served, surface, behind
):
    got = unstreaming.post(PATHS[surface], TOKEN, said(surface, BEHIND[behind], stream=True))
    assert got.headers["content-type"].startswith("text/event-stream")
    assert unstreaming.last().body["stream"] is False
    assert "stream_options" not in unstreaming.last().body
    assert unstreaming.last().headers["accept"] == "application/json"
    assert streamed_text(surface, got.events) == "Hi."


@pytest.mark.parametrize("surface", DIALECTS)
def test_half_an_answer_of_such_a_skin_is_an_error_not_an_end(unstreaming: Served, surface):
    def cut(asked: Asked) -> httpx.Response:
        kind = {"content-type": "application/json"}
        return httpx.Response(200, headers=kind, content=good(asked).content[:-20])

    unstreaming.answer = cut
    try:
        got = unstreaming.post(PATHS[surface], TOKEN, said(surface, "only-chat", stream=True))
    finally:
        unstreaming.answer = good
    assert got.status == 502
    assert got.error["code"] == "upstream-invalid-response"


EFFORTS = {
    "chat": {"reasoning_effort": "high"},
    "responses": {"reasoning": {"effort": "high"}},
    "messages": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
}


@bridges
def test_an_effort_is_written_in_the_form_of_the_skin(router: Served, surface, behind):
    got = router.post(PATHS[surface], TOKEN, said(surface, BEHIND[behind], **EFFORTS[surface]))
    asked = router.last().body
    if behind == "messages":
        assert asked["thinking"]["type"] == "adaptive", "an effort alone leaves thinking off"
        assert asked["output_config"] == {"effort": "high"}
    elif behind == "chat":
        assert asked["reasoning_effort"] == "high"
    else:
        assert asked["reasoning"]["effort"] == "high"
    assert not any(name.startswith("reasoning.high") for name in got.dropped)


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_a_forced_tool_goes_to_messages_without_thinking(router: Served, surface):
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    flat = surface == "responses"
    tool = {"type": "function", **(function if flat else {"function": function})}
    body = said(surface, "only-messages", tools=[tool], tool_choice="required", **EFFORTS[surface])
    router.post(PATHS[surface], TOKEN, body)
    assert router.last().body["tool_choice"] == {"type": "any"}
    assert "thinking" not in router.last().body


def thinking_chat(asked: Asked) -> httpx.Response:
    """A Chat provider that tells its thinking, which has no seal."""
    answer = good(asked)
    if asked.path != PATHS["chat"]:
        return answer
    whole = answer.json()
    whole["choices"][0]["message"]["reasoning_content"] = "hm"
    return httpx.Response(200, json=whole)


@pytest.mark.parametrize("surface", ["messages", "responses"])
def test_thinking_without_a_seal_goes_back_to_where_it_is_read_and_nowhere_else(
    router: Served, surface
):
    router.answer = thinking_chat
    first = router.post(PATHS[surface], TOKEN, said(surface, "only-chat")).body
    said_before = (
        first["output"]
        if surface == "responses"
        else [{"role": "assistant", "content": first["content"]}]
    )
    history = {"input" if surface == "responses" else "messages": [HELLO, *said_before, HELLO]}

    got = router.post(PATHS[surface], TOKEN, said(surface, "only-chat", **history))
    assert router.last().body["messages"][1]["reasoning_content"] == "hm"
    assert got.dropped == []

    native = router.post(PATHS[surface], TOKEN, said(surface, BEHIND[surface], **history))
    assert native.status == 200
    assert b"hm" not in router.last().raw
    assert b"il1." not in router.last().raw
    assert native.dropped != []


def events(*documents: Json, named: bool) -> Callable[[Asked], httpx.Response]:
    """A provider that streams these."""

    def answer(_asked: Asked) -> httpx.Response:
        lines = [
            (f"event: {one['type']}\n" if named else "") + f"data: {json.dumps(one)}\n\n"
            for one in documents
        ]
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, content="".join(lines).encode())

    return answer


def chunk(delta: Json, finish: str | None = None) -> Json:
    """One chunk of a Chat stream."""
    return {"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def blocks(*made: tuple[Json, Json | None]) -> Callable[[Asked], httpx.Response]:
    """A Messages stream of blocks: how each starts, and its one delta."""
    told: list[Json] = [{"type": "message_start", "message": {"id": "m", "usage": {}}}]
    for index, (block, delta) in enumerate(made):
        told.append({"type": "content_block_start", "index": index, "content_block": block})
        if delta:
            told.append({"type": "content_block_delta", "index": index, "delta": delta})
        told.append({"type": "content_block_stop", "index": index})
    told += [
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop"},
    ]
    return events(*told, named=True)


def text(words: str) -> tuple[Json, Json]:
    return {"type": "text", "text": ""}, {"type": "text_delta", "text": words}


SEARCH = ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, None)
CUT = {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"path": "/'}}


def test_a_call_that_the_cap_cut_off_is_not_told_as_complete(router: Served):
    """Codex runs what it is told is done; OpenAI calls such an item incomplete."""
    router.answer = events(chunk({"tool_calls": [CUT]}), chunk({}, "length"), named=False)
    got = router.post(PATHS["responses"], TOKEN, said("responses", "only-chat", stream=True)).events
    (done,) = [e["item"] for e in got if e["type"] == "response.output_item.done"]
    assert (done["type"], done["status"]) == ("function_call", "incomplete")
    assert got[-1]["type"] == "response.incomplete"
    assert got[-1]["response"]["output"] == [done]


def test_a_call_is_not_done_while_its_stream_may_still_break(router: Served):
    router.answer = events(chunk({"tool_calls": [CUT]}), named=False)
    got = router.post(PATHS["responses"], TOKEN, said("responses", "only-chat", stream=True)).events
    assert "response.output_item.done" not in [e["type"] for e in got]
    assert got[-1]["type"] == "response.failed"


@pytest.mark.parametrize(
    ("between", "read"),
    [((), "Let me look.Found."), ((SEARCH,), "Let me look.\n\nFound.")],
    ids=["cut by citations", "around a search"],
)
def test_texts_of_one_answer_stay_apart_where_they_were(router: Served, between, read):
    router.answer = blocks(text("Let me look."), *between, text("Found."))
    got = router.post(PATHS["chat"], TOKEN, said("chat", "only-messages", stream=True))
    assert streamed_text("chat", got.events) == read


def test_messages_of_one_response_are_paragraphs_to_a_chat_caller(router: Served):
    items = [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": word}]}
        for word in ("One.", "Two.")
    ]
    whole = {"id": "r", "object": "response", "status": "completed", "output": items}
    router.answer = lambda _asked: httpx.Response(200, json=whole)
    got = router.post(PATHS["chat"], TOKEN, said("chat", "only-responses"))
    assert text_of("chat", got.body) == "One.\n\nTwo."


def test_an_effort_that_is_left_out_does_not_become_the_default_of_anthropic(router: Served):
    """Thinking without an effort is thinking at the highest usual one."""
    asked = said("responses", "only-messages", reasoning={"effort": "minimal"})
    got = router.post(PATHS["responses"], TOKEN, asked)
    assert "reasoning.minimal" in got.dropped
    assert "thinking" not in router.last().body


@pytest.mark.parametrize(("surface", "behind"), [("responses", "chat"), ("chat", "messages")])
def test_what_a_caller_makes_up_gets_into_no_header_as_it_is(router: Served, surface, behind):
    evil = {"type": "x\r\nX-Evil: 1, y", "text": "t"}
    history = {
        "input" if surface == "responses" else "messages": [HELLO, {**HELLO, "content": [evil]}]
    }
    got = router.post(PATHS[surface], TOKEN, said(surface, BEHIND[behind], **history))
    assert got.status == 200
    assert "x-evil" not in got.headers
    assert "content[type=unknown]" in got.dropped


@pytest.mark.parametrize("junk", [True, 5, ["x"], {"a": 1}])
def test_a_description_that_is_no_text_is_no_failure_of_ours(router: Served, junk):
    tool = {"type": "custom", "name": "patch", "description": junk}
    got = router.post(PATHS["responses"], TOKEN, said("responses", "only-chat", tools=[tool]))
    assert got.status == 200


@pytest.fixture(scope="module")
def tagging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    tagged = BRIDGED.read_text().replace("echo: required}", "echo: required, field: think}", 1)
    with serving(compiled(tagged, tmp_path_factory.mktemp("tagging")), good) as served:
        yield served


@each_way
def test_thinking_between_tags_is_thinking_and_goes_back_between_tags(tagging: Served, stream):
    content = "<think>\nhm\n</think>\n\nHi"
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    whole = httpx.Response(200, json={"id": "c", "choices": [{"index": 0, **choice}]})
    pieces = [chunk({"content": content[at : at + 3]}) for at in range(0, len(content), 3)]
    streamed = events(*pieces, chunk({}, "stop"), named=False)
    tagging.answer = streamed if stream else lambda _asked: whole

    got = tagging.post(PATHS["messages"], TOKEN, said("messages", "only-chat", stream=stream))
    if stream:
        deltas = [e["delta"] for e in got.events if e["type"] == "content_block_delta"]
        read = ["".join(d.get(kind, "") for d in deltas) for kind in ("thinking", "text")]
    else:
        thinking, answer = got.body["content"]
        read = [thinking["thinking"], answer["text"]]
    assert read == ["hm\n", "Hi"]

    turn = [
        {"type": "thinking", "thinking": "hm", "signature": "il1.-"},
        {"type": "text", "text": "Hi"},
    ]
    history = [HELLO, {"role": "assistant", "content": turn}, HELLO]
    tagging.answer = good
    tagging.post(PATHS["messages"], TOKEN, said("messages", "only-chat", messages=history))
    assert tagging.last().body["messages"][1] == {"role": "assistant", "content": content}


def test_what_cursor_mixes_of_two_dialects_reaches_no_responses_upstream(router: Served):
    """It posts a Responses body to the path of Chat, and asks for Chat's usage chunk in it."""
    mixed = {"messages": [], "stream_options": {"include_usage": True}}
    body = said("responses", "only-responses", stream=True, **mixed)
    got = router.post(PATHS["chat"], TOKEN, body)
    assert got.status == 200
    assert not {"messages", "stream_options"} & router.last().body.keys()
    assert got.events[-1]["choices"] == []
    assert got.events[-1]["usage"]["total_tokens"] > 0


GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
FLAT = {"type": "custom", "name": "apply_patch", "description": "Patches.", "format": GRAMMAR}
NESTED = {"type": "custom", "custom": {"name": "apply_patch", "format": {"type": "text"}}}
PATCH = "*** Begin Patch\n+x\n*** End Patch"


def patches(asked: Asked) -> httpx.Response:
    """Calls the tool it was offered, in the dialect and form it was offered in."""
    offered = json.dumps(asked.body["tools"])
    native = '"type": "custom"' in offered
    if asked.path == PATHS["messages"]:
        block = {"type": "tool_use", "id": "t1", "name": "apply_patch", "input": {"input": PATCH}}
        return httpx.Response(200, json=MESSAGES | {"content": [block], "stop_reason": "tool_use"})
    call = {
        "type": "function_call",
        "name": "apply_patch",
        "arguments": json.dumps({"input": PATCH}),
    }
    if native:
        call = {"type": "custom_tool_call", "name": "apply_patch", "input": PATCH}
    item = call | {"id": "c1", "call_id": "t1", "status": "completed"}
    return httpx.Response(200, json=RESPONSES | {"output": [item]})


@pytest.mark.parametrize("behind", ["responses", "messages"])
@pytest.mark.parametrize("tool", [FLAT, NESTED], ids=["flat", "nested"])
def test_a_custom_tool_is_called_in_the_form_the_caller_of_chat_sent(router: Served, tool, behind):
    """Cursor writes them flat, and reads the name and text where those of a function stand."""
    router.answer = patches
    got = router.post(PATHS["chat"], TOKEN, said("chat", BEHIND[behind], tools=[tool]))
    (call,) = got.body["choices"][0]["message"]["tool_calls"]
    del call["id"]
    if tool is FLAT:
        function = {"name": "apply_patch", "arguments": PATCH}
        assert call == {"type": "function", "function": function}
    else:
        custom = {"name": "apply_patch", "input": PATCH}
        assert call == {"type": "custom", "custom": custom}


@pytest.mark.parametrize("behind", ["responses", "messages"])
def test_tools_may_be_null_where_an_input_item_brings_them(router: Served, behind):
    brought = {"type": "additional_tools", "role": "developer", "tools": [FLAT]}
    body = said("responses", BEHIND[behind], tools=None, input=[brought, HELLO])
    assert router.post(PATHS["chat"], TOKEN, body).status == 200
