"""Limits as clients see them: headers, errors they act on, and what each answer was charged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import httpx
import msgspec
import pytest

from runtime.artifact import Artifact
from runtime.limits import Level
from runtime.serving import Serving
from runtime.vocabulary import Budget, LimitSet
from tests.runtime.limits.world import Clock, run
from tests.runtime.serving.deployment import OFF, WEB, YAML, ask, good
from tests.support.serving import PATHS, Asked, Got, Served, compiled, serving

DIALECTS = pytest.mark.parametrize("dialect", PATHS)
COUNT = "/v1/messages/count_tokens"
Limited = Callable[..., None]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    project = YAML.replace("web: {", "web: {limits: team, ").replace(
        "  wide:", "  team: {rpm: 100000}\n  wide:"
    )
    return compiled(project, tmp_path_factory.mktemp("limits"))


@pytest.fixture(scope="module")
def running(artifact: Artifact) -> Iterator[Served]:
    with serving(artifact, good, state_key=b"a key of these tests") as served:
        yield served


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limited(running: Served, clock: Clock) -> Limited:
    """Puts other numbers into service, as a reload does; and lets nothing count yet."""
    assert running.state is not None
    running.state.limits = clock.limits()
    running.answer = good
    running.asked.clear()

    def put(own: LimitSet | None = None, /, team: LimitSet | None = None, **groups: bool) -> None:
        assert running.state is not None
        held = msgspec.structs.replace(
            running.artifact,
            limits={"wide": own or LimitSet(), "team": team or LimitSet()},
            groups={
                name: msgspec.structs.replace(group, cache=name in groups)
                for name, group in running.artifact.groups.items()
            },
        )
        running.state.serving = Serving(held, running.state.serving.upstreams)

    put()
    return put


def post(router: Served, dialect: str, model: str = "plain", **fields) -> Got:
    """One request of the caller whose limits they are."""
    return router.post(PATHS[dialect], WEB, ask(dialect, model, **fields))


def used(router: Served) -> dict[str, float]:
    """What counts of each limit of the caller."""
    state = router.state
    assert state is not None
    caller = state.artifact.callers["ada"]
    levels: list[Level] = run(state.limits.peek(state.artifact, WEB.id, caller))
    return {f"{level.scope} {level.name}": level.used for level in levels}


def limit_headers(got: Got) -> list[str | None]:
    """X-RateLimit-Limit, Remaining and Reset."""
    return [got.headers.get(f"x-ratelimit-{word}") for word in ("limit", "remaining", "reset")]


@DIALECTS
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_tells_what_is_left(running: Served, limited: Limited, dialect, stream):
    limited(LimitSet(rpm=9, tpm=10_000_000), LimitSet(rpm=5))
    got = post(running, dialect, stream=stream)
    assert got.status == 200
    assert limit_headers(got) == ["5", "4", "60"]


@DIALECTS
def test_without_limits_no_header_speaks_of_them(running: Served, limited: Limited, dialect):
    assert limit_headers(post(running, dialect)) == [None, None, None]


@DIALECTS
@pytest.mark.parametrize(
    ("limits", "code", "told"),
    [
        (LimitSet(rpm=1), "rpm-exceeded", ["1", "0", "42"]),
        (LimitSet(tpm=1300), "tpm-exceeded", ["1300", "100", "42"]),
    ],
)
def test_a_full_minute_is_429_with_the_wait_clients_sleep(
    running: Served, limited: Limited, clock: Clock, dialect, limits, code, told
):
    limited(limits)
    assert post(running, dialect).status == 200
    clock.on(18.2)
    long = {"metadata": {"user_id": "x" * 4000}} if code == "tpm-exceeded" else {}
    got = post(running, dialect, **long)
    assert (got.status, got.error["type"], got.error["code"]) == (429, "rate_limit_error", code)
    assert got.headers["retry-after"] == "42"
    assert "x-should-retry" not in got.headers
    assert limit_headers(got) == told
    assert got.error["details"] == {"limit": code[:3], "scope": "user"}
    assert len(running.asked) == 1
    clock.on(42)
    assert post(running, dialect).status == 200


@DIALECTS
@pytest.mark.parametrize("stream", [False, True])
def test_a_used_up_budget_is_final_and_says_when_it_opens(
    running: Served, limited: Limited, clock: Clock, dialect, stream
):
    limited(LimitSet(day=Budget(usd=0.00005)))
    assert post(running, dialect).status == 200
    got = post(running, dialect, stream=stream)
    assert (got.status, got.error["type"]) == (429, "usage_limit_reached")
    assert got.error["code"] == "budget-exceeded"
    assert got.error["resets_at"] == int(clock.utc) + 12 * 3600
    assert "retry-after" not in got.headers
    assert got.headers["x-should-retry"] == "false"
    assert got.headers["content-type"] == "application/json"


@DIALECTS
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_is_charged_what_the_upstream_counted(
    running: Served, limited: Limited, dialect, stream
):
    limited(
        LimitSet(rpm=9, tpm=99_999, concurrent=9, day=Budget(requests=9, tokens=99_999, usd=1.0))
    )
    assert post(running, dialect, stream=stream).status == 200
    assert used(running) == {
        "user rpm": 1,
        "user tpm": 1200,
        "user concurrent": 0,
        "user day.requests": 1,
        "user day.tokens": 1200,
        "user day.usd": pytest.approx((1000 * 0.03 + 200 * 0.15) / 1_000_000),
    }


FULL = LimitSet(rpm=9, tpm=99_999, concurrent=9, day=Budget(requests=9))


def charged(router: Served) -> tuple[float, ...]:
    """Of the minute, of the day, tokens, at once."""
    found = used(router)
    names = ("rpm", "day.requests", "tpm", "concurrent")
    return tuple(found[f"user {name}"] for name in names)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "costs"),
    [
        (PATHS["chat"], b"{", {}, 400, (1, 1, 0, 0)),
        (PATHS["chat"], ask("chat", "nothing"), {}, 403, (1, 1, 0, 0)),
        (PATHS["chat"], ask("chat", "state"), {}, 502, (1, 1, 0, 0)),
        (PATHS["chat"], ask("chat", "plain"), {"x_dry_run": "true"}, 200, (1, 0, 0, 0)),
        (PATHS["chat"], b"{", {"x_dry_run": "true"}, 400, (1, 0, 0, 0)),
        (COUNT, ask("messages", "plain"), {}, 200, (1, 0, 0, 0)),
        (COUNT, b"{", {}, 400, (1, 0, 0, 0)),
    ],
    ids=[
        "unreadable",
        "not allowed",
        "nobody eligible",
        "dry run",
        "dry run unreadable",
        "count",
        "count unreadable",
    ],
)
def test_what_asks_no_upstream_costs_no_tokens(
    running: Served, limited: Limited, path, body, headers, status, costs
):
    limited(FULL)
    got = running.post(path, WEB, body, **headers)
    assert got.status == status
    assert charged(running) == costs
    assert limit_headers(got) == ["9", "8", "60"]


def test_what_is_not_authenticated_costs_nothing(running: Served, limited: Limited):
    limited(FULL)
    assert running.post(PATHS["chat"], OFF, ask("chat")).status == 403
    assert running.send("POST", PATHS["chat"], {}, b"{}").status == 401
    assert charged(running) == (0, 0, 0, 0)


def test_what_a_limit_refuses_costs_nothing(running: Served, limited: Limited):
    limited(FULL, LimitSet(rpm=1))
    codes = [post(running, "chat").status for _ in range(4)]
    codes.append(running.post(PATHS["chat"], WEB, b"{").status)
    codes.append(running.post(COUNT, WEB, ask("messages")).status)
    assert codes == [200, 429, 429, 429, 429, 429]
    assert charged(running) == (1, 1, 1200, 0)


def test_an_upstream_that_fails_is_not_charged(running: Served, limited: Limited):
    limited(FULL)
    running.answer = lambda asked: httpx.Response(500, json={"error": {"message": "no"}})
    assert post(running, "chat").status >= 500
    assert charged(running) == (1, 1, 0, 0)


def test_what_an_upstream_does_not_count_costs_what_was_reserved(running: Served, limited: Limited):
    def uncounted(asked: Asked) -> httpx.Response:
        told = json.loads(good(asked).content)
        del told["usage"]
        return httpx.Response(200, json=told)

    limited(msgspec.structs.replace(FULL, reserve_output=500))
    running.answer = uncounted
    body = json.dumps(ask("chat", max_tokens=9000)).encode()
    assert running.post(PATHS["chat"], WEB, body).status == 200
    assert charged(running) == (1, 1, len(body) // 4 + 500, 0)


def test_an_answer_out_of_the_cache_costs_a_request_and_no_tokens(
    running: Served, limited: Limited
):
    limited(FULL, None, plain=True)
    for state in ("miss", "hit", "hit"):
        got = post(running, "chat", temperature=0)
        assert got.trace["cache"] == state
    assert charged(running) == (3, 3, 1200, 0)


def test_other_numbers_hold_at_once_and_what_was_counted_stays(running: Served, limited: Limited):
    limited(LimitSet(rpm=2))
    assert [post(running, "chat").status for _ in range(3)] == [200, 200, 429]
    limited(LimitSet(rpm=3))
    assert [post(running, "chat").status for _ in range(2)] == [200, 429]
