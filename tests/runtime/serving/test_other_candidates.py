"""A candidate that is asked after others have failed gets what it had got as the first."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from itertools import permutations

import httpx
import pytest

from runtime.availability import Availability
from tests.runtime.serving.deployment import good
from tests.support.demo import BEHIND, BRIDGED, TOKEN
from tests.support.serving import PATHS, Asked, Json, Served, compiled, serving

DIALECTS = ("chat", "responses", "messages")
ORDERS = {"-".join(order): order for order in permutations(DIALECTS)}
GROUP = """\
  {name}:
    title: {name}
    about: Three models that speak one dialect each
    surfaces: [responses, messages, chat]
    policy: {{kind: ordered, attempts: 4, attempt_timeout: 30s, total_timeout: 120s}}
    members: [{members}]
    reasoning: {{default: medium, unsupported: drop}}
"""
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}}
LONG = "All the files of this project. " * 400  # such a body is read in parts
SAID = "What is in a.txt?"
HISTORIES = {
    "chat": [
        {"role": "system", "content": LONG},
        {"role": "user", "content": SAID},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "I look.",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "read", "arguments": '{"path": "a.txt"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Nothing."},
        {"role": "user", "content": [{"type": "text", "text": "And in b.txt?"}]},
    ],
    "responses": [
        {"role": "developer", "content": LONG},
        {"role": "user", "content": SAID},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "I look."}],
        },
        {
            "type": "function_call",
            "call_id": "call_1",
            "name": "read",
            "arguments": '{"path": "a.txt"}',
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "Nothing."},
        {"role": "user", "content": [{"type": "input_text", "text": "And in b.txt?"}]},
    ],
    "messages": [
        {"role": "user", "content": SAID},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "I look.", "signature": "c2ln"},
                {"type": "tool_use", "id": "call_1", "name": "read", "input": {"path": "a.txt"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "Nothing."},
                {"type": "text", "text": "And in b.txt?"},
            ],
        },
    ],
}
BODIES: dict[str, Json] = {
    "chat": {
        "messages": HISTORIES["chat"],
        "tools": [{"type": "function", "function": {"name": "read", "parameters": SCHEMA}}],
        "reasoning_effort": "high",
        "stream_options": {"include_usage": True},
    },
    "responses": {
        "input": HISTORIES["responses"],
        "tools": [{"type": "function", "name": "read", "parameters": SCHEMA, "strict": False}],
        "reasoning": {"effort": "high", "summary": "auto"},
        "max_output_tokens": 500,
    },
    "messages": {
        "system": [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}],
        "messages": HISTORIES["messages"],
        "tools": [{"name": "read", "input_schema": SCHEMA}],
        "thinking": {"type": "enabled", "budget_tokens": 9000},
        "max_tokens": 20_000,
    },
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    groups = [
        GROUP.format(name=name, members=", ".join(f"{{target: {target}}}" for target in order))
        for name, order in ORDERS.items()
    ]
    text = BRIDGED.read_text().replace("groups:\n", "groups:\n" + "".join(groups), 1)
    text = text.replace("only-chat, only", f"{', '.join(ORDERS)}, only-chat, only", 1)
    with serving(compiled(text, tmp_path_factory.mktemp("orders")), good) as served:
        yield served


@pytest.fixture
def router(running: Served) -> Served:
    """The router of providers of which all but the one asked third fail; none of them rests."""
    assert running.state is not None
    running.state.availability = Availability()
    running.asked.clear()
    running.answer = lambda _: failed(running.asked)
    return running


def failed(asked: list[Asked]) -> httpx.Response:
    if len(asked) % len(DIALECTS):
        return httpx.Response(503, json={"error": {"message": "Busy."}})
    return good(asked[-1])


def sent_first(router: Served, surface: str, target: str, body: Json) -> Asked:
    """What the target gets of a body when nobody else is asked."""
    router.answer = good
    got = router.post(PATHS[surface], TOKEN, body | {"model": BEHIND[target]})
    assert got.status == 200, got.raw
    return router.last()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("written", DIALECTS)
@pytest.mark.parametrize("surface", DIALECTS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_each_candidate_gets_the_whole_history_as_if_it_were_the_first(
    router: Served, surface: str, written: str, order: str, stream: bool
):
    body = BODIES[written] | {"stream": stream}
    got = router.post(PATHS[surface], TOKEN, body | {"model": order})
    assert (got.status, got.trace["attempts"]) == (200, "3")
    sent = list(router.asked)
    assert all(b"And in b.txt?" in asked.raw for asked in sent)
    alone = [sent_first(router, surface, target, body) for target in ORDERS[order]]
    assert [(asked.path, asked.raw) for asked in sent] == [
        (asked.path, asked.raw) for asked in alone
    ]
    dropped = router.post(PATHS[surface], TOKEN, body | {"model": BEHIND[ORDERS[order][-1]]})
    assert got.dropped == dropped.dropped


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("surface", DIALECTS)
def test_what_the_connection_sent_before_changes_nothing_for_any_candidate(
    router: Served, surface: str, order: str
):
    kept = http.client.HTTPConnection("127.0.0.1", router.port, timeout=20)
    body = BODIES[surface] | {"model": order}
    sent: list[list[Asked]] = []
    with closing(kept):
        for _ in range(2):
            router.asked.clear()
            kept.request(
                "POST",
                PATHS[surface],
                json.dumps(body),
                {"authorization": f"Bearer {TOKEN.whole}"},
            )
            answer = kept.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            sent.append(list(router.asked))
    first, second = ([asked.raw for asked in each] for each in sent)
    assert len(first) == len(DIALECTS)
    assert first == second


def test_a_candidate_that_is_asked_once_more_gets_the_same(router: Served):
    limited = httpx.Response(
        429, headers={"retry-after": "0"}, json={"error": {"message": "Wait."}}
    )
    router.answer = lambda asked: good(asked) if len(router.asked) > len(DIALECTS) else limited
    got = router.post(PATHS["chat"], TOKEN, BODIES["chat"] | {"model": "chat-responses-messages"})
    assert (got.status, got.trace["attempts"]) == (200, "4")
    *_, before, again = router.asked
    assert before.path == PATHS["messages"]
    assert again.raw == before.raw
