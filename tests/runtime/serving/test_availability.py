"""Who is asked when targets fail, rest or are full, and when a request waits for a target."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import httpx
import msgspec
import pytest

from runtime.artifact import Artifact
from runtime.availability import Availability
from runtime.records.record import Record
from runtime.vocabulary import ErrorRow, Provider
from tests.runtime.availability.world import Clock
from tests.runtime.serving.deployment import WEB, ask, chat_events, data, good, streamed
from tests.support.polling import until
from tests.support.serving import PATHS, Asked, Got, Served, serving

CHAT = PATHS["chat"]
REST = 30.0  # the first rest of a target, by default after five failures
FIVE = 5


class Kept(list[Record]):
    """A recorder that keeps the records."""

    take = list.append


@contextmanager
def router_of(
    artifact: Artifact, answer: Callable, *, one: dict | None = None, two: dict | None = None
) -> Iterator[Served]:
    """A router with a clock of its own for rests; `one` and `two` change the providers."""
    providers: dict[str, Provider] = {
        name: msgspec.structs.replace(artifact.providers[name], **changes or {})
        for name, changes in (("one", one), ("two", two))
    }
    artifact = msgspec.structs.replace(artifact, providers=providers)
    with serving(artifact, answer, head_start=0.2, keepalive=0.2) as router:
        assert router.state is not None
        router.state.availability = Availability(Clock(), lambda: 0.0)
        router.state.recorders = (Kept(),)
        yield router


def kept(router: Served) -> Kept:
    assert router.state is not None
    return router.state.recorders[0]


def clock(router: Served) -> Clock:
    assert router.state is not None
    return router.state.availability.clock


def failing(*models: str, status: int = 503, **headers: str) -> Callable[[Asked], httpx.Response]:
    """These upstream models fail, the others answer well."""

    def answer(asked: Asked) -> httpx.Response:
        if asked.body["model"] in models:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return httpx.Response(status, json={"error": {"message": "No."}}, headers=named)
        return good(asked)

    return answer


SMALL, SEARCHING = "small-upstream-1", "searching-upstream-1"


def post(router: Served, model: str = "plain", **more: object) -> Got:
    return router.post(CHAT, WEB, ask("chat", model, **more))


def target_and_attempts(got: Got) -> tuple[str, str]:
    assert got.status == 200, got.raw
    return got.trace["target"], got.trace["attempts"]


# --- rests -------------------------------------------------------------------------------------


def test_a_failing_target_is_passed_over_until_a_probe_finds_it_well(artifact: Artifact):
    with router_of(artifact, failing(SMALL)) as router:
        found = [target_and_attempts(post(router)) for _ in range(FIVE + 2)]
        assert found == [("searching", "2")] * FIVE + [("searching", "1")] * 2
        assert [record.skipped for record in kept(router)] == [()] * FIVE + [
            ("small:cooling-down",)
        ] * 2
        clock(router).pass_(REST)
        assert target_and_attempts(post(router)) == ("searching", "2")  # the probe fails
        assert target_and_attempts(post(router)) == ("searching", "1")
        clock(router).pass_(2 * REST)
        router.answer = good
        assert [target_and_attempts(post(router)) for _ in range(2)] == [("small", "1")] * 2


@pytest.mark.parametrize("stream", [True, False])
def test_only_one_request_at_a_time_probes(artifact: Artifact, stream: bool):
    gate = Event()
    with router_of(artifact, failing(SMALL)) as router, ThreadPoolExecutor() as pool:
        for _ in range(FIVE):
            post(router)
        clock(router).pass_(REST)
        router.asked.clear()
        router.answer = held_at(gate, SMALL)
        probe = pool.submit(post, router, stream=stream)
        asyncio.run(until(lambda: len(router.asked) == 1))
        assert target_and_attempts(post(router)) == ("searching", "1")
        gate.set()
        assert target_and_attempts(probe.result()) == ("small", "1")
        assert target_and_attempts(post(router)) == ("small", "1")


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_in_full_makes_a_target_as_good_as_new(artifact: Artifact, stream: bool):
    with router_of(artifact, good) as router:
        for _ in range(3):
            router.answer = failing(SMALL)
            for _ in range(FIVE - 1):
                post(router, stream=stream)
            router.answer = good
            assert target_and_attempts(post(router, stream=stream)) == ("small", "1")


def test_the_first_content_of_a_stream_ends_the_rest(artifact: Artifact):
    gate = Event()
    with router_of(artifact, failing(SMALL)) as router, ThreadPoolExecutor() as pool:
        for _ in range(FIVE):
            post(router)
        clock(router).pass_(REST)
        router.answer = streams_until(gate)
        probe = pool.submit(post, router, stream=True)
        asyncio.run(until(lambda: router.state.availability.snapshot().cooling == {}))
        router.answer = good
        assert target_and_attempts(post(router)) == ("small", "1")
        gate.set()
        assert target_and_attempts(probe.result()) == ("small", "1")


def test_the_last_target_is_asked_however_often_it_failed(artifact: Artifact):
    with router_of(artifact, failing(SMALL)) as router:
        for _ in range(3 * FIVE):
            assert post(router, "talk").status == 503
        assert len(router.asked) == 3 * FIVE
        router.answer = good
        assert target_and_attempts(post(router, "talk")) == ("small", "1")


def test_where_all_rest_the_one_that_rests_shortest_answers(artifact: Artifact):
    with router_of(artifact, failing(SMALL, SEARCHING)) as router:
        for _ in range(FIVE):
            post(router)
        clock(router).pass_(1)
        router.asked.clear()
        assert post(router).status == 503
        assert [asked.body["model"] for asked in router.asked] == [SMALL]
        assert kept(router)[-1].skipped == ("searching:cooling-down",)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_bad_requests_never_put_a_target_to_rest(artifact: Artifact, status: int):
    with router_of(artifact, failing(SMALL, status=status)) as router:
        for _ in range(2 * FIVE):
            assert post(router).status == status
        router.answer = good
        assert target_and_attempts(post(router)) == ("small", "1")


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [(401, {}, 0.8 * 300), (429, {"retry_after": "7"}, 7.0), (429, {"retry_after": "120"}, 120.0)],
)
def test_one_failure_is_enough_where_the_upstream_says_how_long(
    artifact: Artifact, status: int, headers: dict, seconds: float
):
    with router_of(artifact, failing(SMALL, status=status, **headers)) as router:
        assert target_and_attempts(post(router)) == ("searching", "2")
        assert target_and_attempts(post(router)) == ("searching", "1")
        assert router.state.availability.snapshot().cooling == {"small": pytest.approx(seconds)}


def test_a_dry_run_shows_who_would_be_asked_now(artifact: Artifact):
    with router_of(artifact, failing(SMALL)) as router:
        for _ in range(FIVE):
            post(router)
        router.asked.clear()
        routing = router.post(CHAT, WEB, ask("chat"), x_dry_run="true").body["routing"]
        assert (routing["target"], routing["fallbackChain"]) == ("searching", [])
        assert routing["excluded"] == [{"target": "small", "reason": "cooling-down"}]
        clock(router).pass_(REST)
        for _ in range(2):  # it takes no one's turn as a probe
            routing = router.post(CHAT, WEB, ask("chat"), x_dry_run="true").body["routing"]
            assert (routing["target"], routing["fallbackChain"]) == ("small", ["searching"])
        assert router.asked == []


def test_rests_outlive_a_reload(artifact: Artifact):
    with router_of(artifact, failing(SMALL)) as router:
        for _ in range(FIVE):
            post(router)
        state = router.state
        state.serving = type(state.serving)(artifact, state.serving.upstreams)
        assert target_and_attempts(post(router)) == ("searching", "1")


# --- further attempts --------------------------------------------------------------------------


def held_at(gate: Event, *models: str, then: Callable = good) -> Callable:
    """An upstream whose models answer when the gate opens."""

    async def answer(asked: Asked) -> httpx.Response:
        if asked.body["model"] in models:
            await until(gate.is_set)
        return then(asked)

    return answer


def test_of_fifty_requests_that_fail_at_once_a_fifth_is_tried_again(artifact: Artifact):
    first, second = Event(), Event()

    async def answer(asked: Asked) -> httpx.Response:
        await until((first if asked.body["model"] == SMALL else second).is_set)
        return httpx.Response(503)

    with router_of(artifact, answer) as router, ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(post, router) for _ in range(50)]
        asyncio.run(until(lambda: len(router.asked) == 50))
        first.set()
        # those without leave are told at once; the others are held at their second target
        asyncio.run(until(lambda: sum(one.done() for one in waiting) >= 40))
        second.set()
        assert {one.result().status for one in waiting} == {503}
        asked = Counter(asked.body["model"] for asked in router.asked)
        assert asked[SMALL] == 50
        assert 3 <= asked[SEARCHING] <= 10
        snapshot = router.state.availability.snapshot()
        assert (snapshot.requests, snapshot.retrying) == (0, 0)
        assert snapshot.denied == 50 - asked[SEARCHING]


# --- places at providers -----------------------------------------------------------------------


def streams_until(gate: Event) -> Callable[[Asked], httpx.Response]:
    """An upstream whose streams go on until the gate opens."""

    def answer(asked: Asked) -> httpx.Response:
        async def events() -> AsyncIterator[bytes]:
            begin, *rest = chat_events(asked.body)
            yield begin + rest.pop(0)
            await until(gate.is_set)
            yield b"".join(rest)

        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, content=events())

    return answer


def in_flight(router: Served) -> dict[str, int]:
    return router.state.availability.snapshot().in_flight


def test_a_full_provider_is_passed_over_and_where_all_are_full_the_caller_waits(
    artifact: Artifact,
):
    gate, most = Event(), {"max_in_flight": 2}
    with (
        router_of(artifact, streams_until(gate), one=most, two=most) as router,
        ThreadPoolExecutor() as pool,
    ):
        running = []
        for n in range(4):
            running.append(pool.submit(post, router, stream=True))
            asyncio.run(until(lambda n=n: len(router.asked) == n + 1))
        assert in_flight(router) == {"one": 2, "two": 2}
        for dialect, status in (("chat", 503), ("responses", 503), ("messages", 529)):
            for dry in ({}, {"x_dry_run": "true"}):
                got = router.post(PATHS[dialect], WEB, ask(dialect, stream=True), **dry)
                assert (got.status, got.error["code"]) == (status, "upstream-overloaded")
                assert 1 <= int(got.headers["retry-after"]) <= 60
                assert got.trace["group"] == "plain"
        assert len(router.asked) == 4
        full = ("small:provider-full", "searching:provider-full")
        refused = [record for record in kept(router) if record.kind == "request"]
        assert {(record.skipped, record.attempts) for record in refused} == {(full, ())}
        gate.set()
        served = Counter(target_and_attempts(one.result()) for one in running)
        assert served == {("small", "1"): 2, ("searching", "1"): 2}
        assert target_and_attempts(post(router, stream=True)) == ("small", "1")
        assert in_flight(router) == {"one": 0, "two": 0}


def test_a_place_is_free_again_when_the_caller_hangs_up(artifact: Artifact):
    with router_of(artifact, streams_until(Event()), one={"max_in_flight": 1}) as router:
        connection = http.client.HTTPConnection("127.0.0.1", router.port, timeout=20)
        headers = {"authorization": f"Bearer {WEB.whole}"}
        body = json.dumps(ask("chat", "talk", stream=True))
        connection.request("POST", CHAT, body=body, headers=headers)
        answer = connection.getresponse()
        assert answer.readline()
        assert in_flight(router) == {"one": 1}
        answer.close()
        connection.close()
        asyncio.run(until(lambda: in_flight(router) == {"one": 0}))
        snapshot = router.state.availability.snapshot()
        assert (snapshot.requests, snapshot.cooling) == (0, {})


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("stream", [True, False])
def test_a_place_is_free_again_whatever_the_answer(artifact: Artifact, stream: bool, status: int):
    answer = good if status == 200 else failing(SMALL, status=status)
    with router_of(artifact, answer, one={"max_in_flight": 1}) as router:
        for _ in range(3):
            assert post(router, "talk", stream=stream).status == status
        assert in_flight(router) == {"one": 0}


def test_a_place_is_free_again_when_a_stream_breaks(artifact: Artifact):
    def answer(asked: Asked) -> httpx.Response:
        return streamed(chat_events(asked.body)[:2])

    with router_of(artifact, answer, one={"max_in_flight": 1}) as router:
        for _ in range(2):
            assert b"upstream_stream_interrupted" in post(router, "talk", stream=True).raw
        assert in_flight(router) == {"one": 0}


# --- waiting for a rate limit ------------------------------------------------------------------


def limited_first(times: int, retry_after: str) -> Callable[[Asked], httpx.Response]:
    """An upstream that is at its rate limit for so many requests."""
    left = [times]

    def answer(asked: Asked) -> httpx.Response:
        if left[0]:
            left[0] -= 1
            return httpx.Response(429, headers={"retry-after": retry_after})
        return good(asked)

    return answer


def test_a_short_rate_limit_of_the_only_target_is_waited_for(artifact: Artifact):
    with router_of(artifact, limited_first(1, "1")) as router:
        assert target_and_attempts(post(router, "talk")) == ("small", "2")
        record = kept(router)[-1]
        assert [attempt.kind for attempt in record.attempts] == ["rate-limited", None]
        assert record.attempts[1].at - record.attempts[0].at >= 1000


def test_a_stream_is_kept_alive_while_it_waits(artifact: Artifact):
    with router_of(artifact, limited_first(1, "1")) as router:
        got = post(router, "talk", stream=True)
        assert got.status == 200
        assert got.raw.count(b": keep-alive\n\n") >= 2
        assert got.raw.endswith(b"data: [DONE]\n\n")


def test_one_wait_is_enough(artifact: Artifact):
    with router_of(artifact, limited_first(3, "1")) as router:
        got = post(router, "talk")
        assert (got.status, got.error["code"]) == (429, "upstream-rate-limited")
        assert got.headers["retry-after"] == "1"
        assert len(router.asked) == 2


@pytest.mark.parametrize(("retry_after", "told"), [("6", "6"), ("3600", "60"), ("in a while", "5")])
def test_a_long_rate_limit_is_the_callers_to_wait_for(
    artifact: Artifact, retry_after: str, told: str
):
    with router_of(artifact, limited_first(1, retry_after)) as router:
        got = post(router, "talk")
        assert (got.status, got.headers["retry-after"]) == (429, told)
        assert len(router.asked) == 1


def test_nobody_waits_where_another_target_can_answer(artifact: Artifact):
    with router_of(artifact, failing(SMALL, status=429, retry_after="1")) as router:
        assert target_and_attempts(post(router)) == ("searching", "2")
        first, second = kept(router)[-1].attempts
        assert second.at - first.at < 1000


def test_hanging_up_while_waiting_ends_the_request(artifact: Artifact):
    with router_of(artifact, limited_first(1, "5")) as router:
        connection = http.client.HTTPConnection("127.0.0.1", router.port, timeout=20)
        headers = {"authorization": f"Bearer {WEB.whole}"}
        connection.request("POST", CHAT, body=json.dumps(ask("chat", "talk")), headers=headers)
        snapshot = router.state.availability.snapshot
        asyncio.run(until(lambda: snapshot().retrying == 1))
        connection.close()
        asyncio.run(until(lambda: snapshot().requests == 0))
        assert snapshot().retrying == 0
        assert [record.outcome for record in kept(router)] == ["client-gone"]
        assert len(router.asked) == 1


# --- a provider's own rows ---------------------------------------------------------------------


def rows(*lines: tuple[int | None, str | None, str]) -> dict:
    return {"errors": tuple(ErrorRow(*line) for line in lines)}


@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_may_say_what_its_errors_mean(artifact: Artifact, stream: bool):
    answer = failing(SMALL, status=400)
    with router_of(artifact, answer, one=rows((400, None, "overloaded"))) as router:
        assert target_and_attempts(post(router, stream=stream)) == ("searching", "2")
        assert kept(router)[-1].attempts[0].kind == "overloaded"
        assert kept(router)[-1].attempts[0].status == 400


def test_an_error_inside_a_stream_is_read_by_the_same_rows(artifact: Artifact):
    def answer(asked: Asked) -> httpx.Response:
        if asked.body["model"] != SMALL:
            return good(asked)
        return streamed([data({"error": {"code": "quota_gone", "message": "No."}})])

    with router_of(artifact, answer, one=rows((None, "quota_gone", "client"))) as router:
        got = post(router, stream=True)
        assert (got.status, got.error["code"]) == (400, "invalid-request")
        assert len(router.asked) == 1


def test_tokens_are_counted_by_the_target_that_would_be_asked_now(artifact: Artifact):
    path = "/v1/messages/count_tokens"
    body = ask("messages")
    with router_of(artifact, failing(SMALL)) as router:
        for _ in range(FIVE):
            post(router)
        router.asked.clear()
        got = router.post(path, WEB, body)
        assert (got.trace["target"], got.trace["count"]) == ("searching", "upstream")
        assert [asked.body["model"] for asked in router.asked] == [SEARCHING]
        assert kept(router)[-1].skipped == ("small:cooling-down",)


def test_nobody_is_asked_for_a_count_where_all_rest(artifact: Artifact):
    path = "/v1/messages/count_tokens"
    with router_of(artifact, failing(SMALL, SEARCHING)) as router:
        for _ in range(3 * FIVE):
            post(router)
        assert len(router.state.availability.snapshot().cooling) == 2
        router.asked.clear()
        got = router.post(path, WEB, ask("messages"))
        assert (got.status, got.trace["count"], got.trace["attempts"]) == (200, "estimate", "0")
        assert router.asked == []
