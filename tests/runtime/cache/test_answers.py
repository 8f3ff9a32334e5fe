"""At the running router: who gets a kept answer, whose is kept, and what the row says of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence

import httpx
import msgspec
import pytest

from runtime.artifact import Artifact
from runtime.cache import Kept, LocalAnswers
from runtime.vocabulary import Cache
from tests.runtime.cache.deployment import (
    ADA,
    BOB,
    EVE,
    SURFACES,
    Rows,
    post,
    question,
    state_of,
    yaml,
)
from tests.runtime.serving.deployment import CHAT, chat_events, good, streamed
from tests.support.serving import PATHS, Asked, Served, compiled, serving
from tests.support.wire import connected

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES)


def numbered(asked: Asked) -> httpx.Response:
    """A good answer that is not like the one before."""
    numbered.count += 1
    answer = good(asked)
    body = answer.content.replace(b"Hi", b"Hi %d" % numbered.count)
    return httpx.Response(
        200, headers={"content-type": answer.headers["content-type"]}, content=body
    )


numbered.count = 0


# --- hits --------------------------------------------------------------------------------------


@BOTH
@EVERY_SURFACE
@pytest.mark.parametrize("group", SURFACES)
def test_the_same_request_gets_the_same_bytes_and_nobody_is_asked(
    router: Served, rows: Rows, surface: str, group: str, stream: bool
):
    """Natively where surface and group have one name, else over a bridge."""
    router.answer = numbered
    body = question(surface, group, stream=stream)
    first = post(router, surface, body)
    asked = len(router.asked)
    again = post(router, surface, body)
    assert (state_of(first), state_of(again)) == ("miss", "hit")
    assert again.raw == first.raw
    assert asked == len(router.asked) == 1
    assert [row.cache for row in rows.all] == ["miss", "hit"]


@BOTH
@EVERY_SURFACE
def test_a_hit_says_where_the_answer_came_from(router: Served, surface: str, stream: bool):
    body = question(surface, "chat", stream=stream)
    first, again = (post(router, surface, body) for _ in range(2))
    same = ("group", "surface", "target", "provider", "model", "skin", "bridge", "artifact")
    assert {name: first.trace.get(name) for name in same} == {
        name: again.trace.get(name) for name in same
    }
    assert again.trace["target"] == "chat"
    assert (first.trace["attempts"], again.trace["attempts"]) == ("1", "0")
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_a_hit_names_what_was_left_out_of_the_request(router: Served):
    body = question("messages", "chat", top_k=3)
    first, again = (post(router, "messages", body) for _ in range(2))
    assert state_of(again) == "hit"
    assert again.dropped == first.dropped == ["top_k"]


def test_a_hit_costs_nothing_and_spares_what_the_answer_had_cost(router: Served, rows: Rows):
    """1,000 tokens at 4 and 200 at 20 dollars a million."""
    body = question("chat", "chat")
    first, again = (post(router, "chat", body) for _ in range(2))
    assert (first.trace["cost"], again.trace["cost"]) == ("$0.0080", "$0.0000")
    miss, hit = rows.all
    assert (miss.input, miss.output, miss.cost) == (1000, 200, pytest.approx(0.008))
    assert (hit.input, hit.output, hit.cost, hit.cached) == (0, 0, 0.0, None)
    assert (hit.cost_input, hit.cost_output, hit.cost_image) == (0.0, 0.0, 0.0)
    assert hit.savings == hit.cost_baseline == pytest.approx(0.008)
    assert hit.attempts == ()
    assert (hit.target, hit.provider, hit.model) == (miss.target, miss.provider, miss.model)
    assert (hit.status, hit.outcome, hit.group) == (200, "ok", "chat")


def test_against_a_baseline_a_hit_spares_what_that_would_have_cost(router: Served, rows: Rows):
    """1,000 tokens at 10 and 200 at 50 dollars a million; the miss itself came to 0.008."""
    for _ in range(2):
        post(router, "chat", question("chat", "two"))
    miss, hit = rows.all
    assert miss.savings == pytest.approx(0.020 - 0.008)
    assert (hit.cost, hit.savings) == (0.0, pytest.approx(0.020))
    assert hit.cost_baseline == pytest.approx(0.020)


def test_the_trace_in_the_body_is_that_of_the_request_itself(artifact: Artifact):
    with serving(artifact, good, trace=_telling(artifact)) as router:
        first, again = (post(router, "chat", question("chat", "chat")) for _ in range(2))
    assert state_of(again) == "hit"
    assert again.body["_router"]["request_id"] == again.headers["x-request-id"]
    assert (first.body["_router"]["cost"], again.body["_router"]["cost"]) == ("$0.0080", "$0.0000")
    assert {**first.body, "_router": None} == {**again.body, "_router": None}


def _telling(artifact: Artifact) -> object:
    return msgspec.structs.replace(artifact.settings.trace, body=True)


def test_order_of_keys_and_spaces_do_not_matter(router: Served):
    body = question("chat", "chat")
    post(router, "chat", body)
    other = json.dumps(dict(reversed(body.items())), indent=3).encode()
    assert state_of(post(router, "chat", other)) == "hit"


@EVERY_SURFACE
def test_a_body_in_another_dialect_than_its_path_is_kept_for_its_path(router: Served, surface: str):
    body = question("chat", "chat")
    first, again = (post(router, surface, body) for _ in range(2))
    assert (state_of(first), state_of(again)) == ("miss", "hit")
    assert again.raw == first.raw


def test_a_good_answer_is_given_while_the_provider_is_down(router: Served):
    body = question("chat", "chat")
    first = post(router, "chat", body)
    router.answer = lambda asked: httpx.Response(500)
    assert post(router, "chat", body).raw == first.raw
    assert router.post(PATHS["chat"], ADA, question("chat", "chat", seed=1)).status >= 500


# --- isolation ---------------------------------------------------------------------------------


def test_another_project_never_gets_the_answer_and_a_colleague_does(router: Served):
    router.answer = numbered
    body = question("chat", "chat")
    first = post(router, "chat", body, ADA)
    colleague, stranger = post(router, "chat", body, EVE), post(router, "chat", body, BOB)
    assert (state_of(colleague), colleague.raw) == ("hit", first.raw)
    assert state_of(stranger) == "miss"
    assert stranger.raw != first.raw
    assert post(router, "chat", body, BOB).raw == stranger.raw
    assert post(router, "chat", body, ADA).raw == first.raw


def test_another_group_with_the_same_target_has_answers_of_its_own(router: Served):
    router.answer = numbered
    first = post(router, "chat", question("chat", "chat"))
    other = post(router, "chat", question("chat", "other"))
    assert state_of(other) == "miss"
    assert first.raw != other.raw


def test_a_name_that_means_another_group_to_another_caller_is_another_request(router: Served):
    """Both are of one project, and ask for the alias of two groups."""
    router.answer = numbered
    body = question("chat", "shared")
    first, other = post(router, "chat", body, ADA), post(router, "chat", body, EVE)
    assert (first.trace["group"], other.trace["group"]) == ("chat", "other")
    assert (state_of(other), other.raw != first.raw) == ("miss", True)


def test_the_same_body_on_another_path_is_another_request(router: Served):
    body = question("chat", "chat")
    got = [post(router, surface, body) for surface in SURFACES]
    assert list(map(state_of, got)) == ["miss"] * 3
    assert len({answer.raw for answer in got}) == 3


def test_streamed_and_whole_answers_are_kept_apart(router: Served):
    for stream in (False, True):
        assert state_of(post(router, "chat", question("chat", "chat", stream=stream))) == "miss"
    for stream in (False, True):
        got = post(router, "chat", question("chat", "chat", stream=stream))
        assert state_of(got) == "hit"
        assert got.raw.startswith(b"data:") is stream


def test_another_artifact_begins_with_nothing(router: Served, artifact: Artifact):
    """Two artifacts over one set of answers, as after a reload."""
    assert router.state is not None
    post(router, "chat", question("chat", "chat"))
    with serving(msgspec.structs.replace(artifact, digest="f" * 64), good) as other:
        assert other.state is not None
        other.state.answers = router.state.answers
        assert state_of(post(other, "chat", question("chat", "chat"))) == "miss"
    assert state_of(post(router, "chat", question("chat", "chat"))) == "hit"


@pytest.mark.parametrize("header", ["anthropic_beta", "anthropic_version"])
def test_other_beta_values_are_another_request(router: Served, header: str):
    body = question("messages", "messages")
    post(router, "messages", body, **{header: "2023-06-01"})
    assert state_of(post(router, "messages", body, **{header: "2023-06-02"})) == "miss"
    assert state_of(post(router, "messages", body, **{header: "2023-06-01"})) == "hit"


# --- what is no request for the cache ----------------------------------------------------------

FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhg"
    "GAWjR9awAAAABJRU5ErkJggg=="
)
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"


def turn(*parts: dict[str, object]) -> list[dict[str, object]]:
    return [{"role": "user", "content": [*parts]}]


# What makes a request one that no kept answer fits; all else of it would be kept.
BYPASSED = {
    "no temperature": ("chat", "chat", {"temperature": None}),
    "another temperature": ("chat", "chat", {"temperature": 0.1}),
    "a tool": ("chat", "chat", {"tools": [FUNCTION]}),
    "the result of a tool that is offered no more": (
        "chat", "chat",
        {"messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "A door."},
        ]},
    ),
    "such a result on Responses": (
        "responses", "responses",
        {"input": [
            {"role": "user", "content": "Look."},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "A door."},
        ]},
    ),
    "such a result on Messages": (
        "messages", "messages",
        {"messages": [
            {"role": "user", "content": "Look."},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "c1", "name": "look", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "A door."},
                {"type": "text", "text": "Go on."},
            ]},
        ]},
    ),
    "a hosted tool": (
        "messages", "messages",
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    ),
    "web search as a field": ("chat", "chat", {"web_search_options": {}}),
    "a prompt the provider keeps": ("responses", "responses", {"prompt": {"id": "pmpt_1"}}),
    "reasoning by its id": (
        "responses", "responses",
        {"input": [
            {"role": "user", "content": "Say hi."},
            {"type": "item_reference", "id": "rs_1"},
            {"role": "user", "content": "Again."},
        ]},
    ),
    "work in the background": ("responses", "responses", {"background": True}),
    "an image": (
        "chat", "chat",
        {"messages": turn({"type": "image_url", "image_url": {"url": PIXEL}})},
    ),
    "an image by its address": (
        "responses", "responses",
        {"input": turn({"type": "input_image", "image_url": "https://a.example/a.png"})},
    ),
    "a document": (
        "responses", "responses",
        {"input": turn({"type": "input_file", "filename": "a.pdf", "file_data": PDF})},
    ),
    "several answers": ("chat", "chat", {"n": 2}),
    "state on a server": ("responses", "responses", {"store": True}),
    "encrypted reasoning": (
        "responses", "responses",
        {"input": [
            {"role": "user", "content": "Say hi."},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAB"},
            {"role": "user", "content": "Again."},
        ]},
    ),
    "a signature": (
        "messages", "messages",
        {"messages": [
            {"role": "user", "content": "Say hi."},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "Hi."},
            ]},
            {"role": "user", "content": "Again."},
        ]},
    ),
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("what", BYPASSED)
def test_a_request_that_is_more_than_text_at_temperature_0_is_answered_anew(
    router: Served, rows: Rows, what: str, stream: bool
):
    surface, group, more = BYPASSED[what]
    body = {
        k: v for k, v in (question(surface, group, stream=stream) | more).items() if v is not None
    }
    for _ in range(2):
        assert state_of(post(router, surface, body)) == "bypass"
    assert len(router.asked) == 2
    assert [row.cache for row in rows.all] == ["bypass", "bypass"]
    assert router.state is not None
    assert len(router.state.answers) == 0


ALLOWED = {
    "a schema": ("chat", {"response_format": {"type": "json_object"}}),
    "no tool in a list": ("chat", {"tools": []}),
    "an effort": ("chat", {"reasoning_effort": "low"}),
    "temperature 0.0": ("chat", {"temperature": 0.0}),
    "logprobs": ("chat", {"logprobs": True}),
    "a system text": ("messages", {"system": "Be brief."}),
    "a seed": ("chat", {"seed": 7}),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_a_request_for_text_is_kept_whatever_else_it_says(router: Served, what: str):
    surface, more = ALLOWED[what]
    body = question(surface, surface) | more
    assert [state_of(post(router, surface, body)) for _ in range(2)] == ["miss", "hit"]


def test_a_group_without_cache_keeps_nothing_and_says_nothing(router: Served, rows: Rows):
    for stream in (False, True):
        for _ in range(2):
            got = post(router, "chat", question("chat", "free", stream=stream))
            assert state_of(got) is None
    assert len(router.asked) == 4
    assert {row.cache for row in rows.all} == {None}


def test_a_question_that_can_be_read_in_two_ways_leaves_no_answer_for_anybody(router: Served):
    """Which of two equal members counts is for the upstream to say."""
    asked = json.dumps(question("chat", "chat")).encode()
    turn = b'"content": "Say hi."'
    assert asked.count(turn) == 1
    doubled = asked.replace(turn, b'"content": "Say no.", ' + turn)
    got = [post(router, "chat", body, EVE) for body in (doubled, asked, doubled)]
    assert list(map(state_of, got)) == ["bypass", "miss", "bypass"]


def test_no_store_is_neither_answered_with_a_kept_answer_nor_kept(router: Served):
    body = question("chat", "chat")
    assert state_of(post(router, "chat", body, cache_control="no-store")) == "bypass"
    assert state_of(post(router, "chat", body)) == "miss"
    assert state_of(post(router, "chat", body, cache_control="max-age=5, No-Store")) == "bypass"
    assert len(router.asked) == 3


def test_no_cache_is_answered_anew_and_that_answer_is_kept(router: Served):
    router.answer = numbered
    body = question("chat", "chat")
    old = post(router, "chat", body)
    new = post(router, "chat", body, cache_control="no-cache")
    assert (state_of(new), new.raw != old.raw) == ("bypass", True)
    again = post(router, "chat", body)
    assert (state_of(again), again.raw) == ("hit", new.raw)


def test_another_cache_control_changes_nothing(router: Served):
    body = question("chat", "chat")
    got = [post(router, "chat", body, cache_control="max-age=60, no-cachet") for _ in range(2)]
    assert list(map(state_of, got)) == ["miss", "hit"]


def test_a_dry_run_looks_at_no_kept_answer(router: Served, rows: Rows):
    body = question("chat", "chat")
    post(router, "chat", body)
    got = post(router, "chat", body, x_dry_run="true")
    assert got.body["dryRun"] is True
    assert state_of(got) is None


# --- what is never kept ------------------------------------------------------------------------


def cut(asked: Asked) -> httpx.Response:
    """A stream that ends after its first content."""
    return streamed(chat_events(asked.body)[:2])


def failing(asked: Asked) -> httpx.Response:
    """A stream with an error in it."""
    return streamed([*chat_events(asked.body)[:2], b'data: {"error": {"message": "no"}}\n\n'])


@pytest.mark.parametrize("broken", [cut, failing])
@EVERY_SURFACE
def test_a_broken_stream_is_never_kept(router: Served, surface: str, broken):
    router.answer = broken
    body = question(surface, "chat", stream=True)
    got = router.post(PATHS[surface], ADA, body)
    assert b"error" in got.raw
    router.answer = good
    whole, again = post(router, surface, body), post(router, surface, body)
    assert (state_of(whole), state_of(again)) == ("miss", "hit")
    assert again.raw == whole.raw != got.raw


@BOTH
@pytest.mark.parametrize("status", [400, 429, 500])
def test_an_error_is_never_kept(router: Served, rows: Rows, status: int, stream: bool):
    router.answer = lambda asked: httpx.Response(status, json={"error": {"message": "no"}})
    body = question("chat", "chat", stream=stream)
    got = router.post(PATHS["chat"], ADA, body)
    assert got.status >= 400
    assert state_of(got) == "miss"
    router.answer = good
    assert state_of(post(router, "chat", body)) == "miss"


@BOTH
def test_the_answer_of_a_fallback_is_never_kept(router: Served, stream: bool):
    """Or the callers would have it when the usual target is long back."""

    def first_fails(asked: Asked) -> httpx.Response:
        return httpx.Response(500) if asked.url.startswith("https://one.") else good(asked)

    router.answer = first_fails
    body = question("chat", "two", stream=stream)
    assert post(router, "chat", body).trace["target"] == "spare"
    router.answer = good
    again = post(router, "chat", body)
    assert state_of(again) == "miss"


def test_an_answer_cut_at_its_cap_is_complete_and_kept(router: Served):
    short = {**CHAT, "choices": [{**CHAT["choices"][0], "finish_reason": "length"}]}
    router.answer = lambda asked: httpx.Response(200, json=short)
    body = question("chat", "chat", max_tokens=1)
    got = [post(router, "chat", body) for _ in range(2)]
    assert list(map(state_of, got)) == ["miss", "hit"]


@BOTH
def test_an_answer_that_is_too_large_is_not_kept(artifact: Artifact, stream: bool):
    with serving(artifact, good, cache=Cache(max_bytes=8 * 600, ttl=60.0)) as router:
        body = question("chat", "chat", stream=stream)
        assert [state_of(post(router, "chat", body)) for _ in range(2)] == ["miss", "miss"]
        assert router.state is not None
        assert len(router.state.answers) == 0


def test_of_a_stream_that_grows_too_large_no_part_is_kept(artifact: Artifact):
    room = Cache(max_bytes=8 * (512 + 400), ttl=60.0)
    with serving(artifact, slowly(0.01, at=3), cache=room) as router:
        body = question("chat", "chat", stream=True)
        got = [post(router, "chat", body) for _ in range(2)]
    assert list(map(state_of, got)) == ["miss", "miss"]
    assert len(got[0].raw) > 400


def test_the_settings_of_the_file_bound_the_cache(tmp_path):
    artifact = compiled(yaml("{cache: {max_bytes: 1MiB, ttl: 90s}}"), tmp_path)
    assert (artifact.settings.cache.max_bytes, artifact.settings.cache.ttl) == (1024 * 1024, 90.0)


class Slowly(httpx.AsyncByteStream):
    """Events, with a silence before one of them."""

    def __init__(self, events: Sequence[bytes], at: int, seconds: float) -> None:
        self._events = events
        self._at = at
        self._seconds = seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for index, event in enumerate(self._events):
            if index == self._at:
                await asyncio.sleep(self._seconds)
            yield event


def slowly(seconds: float, at: int):
    """A provider that falls silent before an event."""
    kind = {"content-type": "text/event-stream"}
    return lambda asked: httpx.Response(
        200, headers=kind, stream=Slowly(chat_events(asked.body), at, seconds)
    )


@EVERY_SURFACE
def test_a_stream_that_began_with_a_sign_of_life_is_not_kept(artifact: Artifact, surface: str):
    """What came after it continues its id and its numbers."""
    with serving(artifact, slowly(0.15, at=1), head_start=0.03) as router:
        body = question(surface, "chat", stream=True)
        assert state_of(post(router, surface, body)) == "miss"
        router.answer = good
        assert [state_of(post(router, surface, body)) for _ in range(2)] == ["miss", "hit"]


@EVERY_SURFACE
def test_a_stream_with_a_sign_of_life_inside_is_not_kept(artifact: Artifact, surface: str):
    with serving(artifact, slowly(0.15, at=2), head_start=0.02, keepalive=0.03) as router:
        body = question(surface, "chat", stream=True)
        assert state_of(post(router, surface, body)) == "miss"
        router.answer = good
        assert [state_of(post(router, surface, body)) for _ in range(2)] == ["miss", "hit"]


def test_an_answer_whose_caller_left_is_not_kept(router: Served, rows: Rows):
    router.answer = slowly(5, at=2)
    body = json.dumps(question("chat", "chat", stream=True)).encode()

    async def leave() -> None:
        async with connected(router.port) as connection:
            head = {"authorization": f"Bearer {ADA.whole}"}
            connection.send("POST", PATHS["chat"], head, body)
            await connection.until(lambda answer: b"Hi" in answer.body)

    asyncio.run(leave())
    deadline = time.monotonic() + 10
    while not rows.all:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert (rows.last.outcome, rows.last.cache) == ("client-gone", "miss")
    assert router.state is not None
    assert len(router.state.answers) == 0


def test_an_answer_whose_candidate_is_none_any_more_is_not_given(router: Served):
    class Gone(LocalAnswers):
        def put(self, key: bytes, kept: Kept, room: Cache) -> None:
            super().put(key, msgspec.structs.replace(kept, target="gone"), room)

    assert router.state is not None
    router.state.answers = Gone()
    got = [post(router, "chat", question("chat", "chat")) for _ in range(2)]
    assert list(map(state_of, got)) == ["miss", "miss"]
    assert len(router.asked) == 2


def test_the_clock_of_the_worker_ends_an_answer(router: Served):
    now = [100.0]
    assert router.state is not None
    router.state.answers = LocalAnswers(lambda: now[0])
    body = question("chat", "chat")
    assert [state_of(post(router, "chat", body)) for _ in range(2)] == ["miss", "hit"]
    now[0] += router.artifact.settings.cache.ttl
    assert state_of(post(router, "chat", body)) == "miss"
