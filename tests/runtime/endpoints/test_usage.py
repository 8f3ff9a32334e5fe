"""GET /v1/usage and /admin/*: what was used, for whoever may know it."""

import csv
import datetime as dt
import io
import threading
import time

import pytest

from runtime.records.sqlite import SqliteStore
from runtime.records.store import FILE, Unavailable, open_store
from tests.runtime.records.rows import batch, full, record
from tests.runtime.serving.deployment import good
from tests.support.router import Token, build, running
from tests.support.serving import Served, compiled, serving

ADA = Token("ada", "web", "dev", secret="mUxBf0Lq7Wc2Rn9Tz4Vh6Kd1Pj8")
BOB = Token("bob", "web", "dev", secret="eYsJr5Gk3Hv8Qw1Zt6Nb0Mx4Lc7")
OPS = Token("ops", "web", "ops", secret="aQsWd3Ef6Rg9Th2Yj5Uk8Il1Op4")
NOW = time.time()

YAML = f"""\
interlock: 1
name: usage
as_of: 2026-11-20
prices:
  small: {{input: 1.00, output: 4.00, source: invented, as_of: 2026-11-20}}
providers:
  one: {{base_url: "http://127.0.0.1:9/v1", auth: none, allow_http: true}}
targets:
  small:
    provider: one
    model: small-1
    context: 20000
    price: small
    skins: {{chat: {{stream: native}}}}
groups:
  plain: {{title: Plain, surfaces: [chat], members: [{{target: small}}]}}
limits:
  some: {{rpm: 60, concurrent: 4, day: {{usd: 10}}}}
projects:
  web: {{providers: [one]}}
callers:
  ada:
    {{user: ada, project: web, env: dev, groups: [plain], limits: some, tokens: [
      {{id: {ADA.id}, sha256: {ADA.sha256}}}]}}
  bob:
    {{user: bob, project: web, env: dev, groups: [plain], limits: some, tokens: [
      {{id: {BOB.id}, sha256: {BOB.sha256}}}]}}
  ops:
    {{user: ops, project: web, env: ops, groups: [], roles: [reports], tokens: [
      {{id: {OPS.id}, sha256: {OPS.sha256}}}]}}
"""


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    return compiled(YAML, tmp_path_factory.mktemp("usage"))


@pytest.fixture
def store(tmp_path):
    opened = open_store(str(tmp_path / FILE))
    yield opened
    opened.close()


@pytest.fixture
def router(artifact, store, tmp_path):
    with serving(artifact, good) as served:
        assert served.state is not None
        served.state.rows = lambda: open_store(str(tmp_path / FILE), read_only=True)
        yield served


def get(router: Served, path: str, token: Token):
    return router.send("GET", path, {"authorization": f"Bearer {token.whole}"})


def asked(number, user="ada", days=0.0, **more):
    made = record(number, caller=user, user=user, project="web", status=200, **more)
    made.time = NOW - days * 86_400
    return made


def test_callers_see_what_they_used_and_nobody_else(router, store):
    store.insert(
        [
            batch(
                [
                    asked(1, input=1000, output=50, cost=0.25, savings=0.5),
                    asked(2, input=10, output=5, cost=0.125, cache="hit"),
                    asked(3, outcome="error", code="no-eligible-target"),
                    asked(4, "bob", input=77, output=7, cost=9.0),
                    asked(5, days=40, input=5, output=5, cost=5.0),
                ]
            )
        ]
    )
    ada = get(router, "/v1/usage", ADA).body
    assert (ada["object"], ada["user"], ada["project"], ada["env"]) == (
        "usage",
        "ada",
        "web",
        "dev",
    )
    month = ada["usage"]["month"]
    assert month == {
        "since": dt.datetime.now(dt.UTC).strftime("%Y-%m-01T00:00:00+00:00"),
        "requests": 3,
        "refused": 1,
        "failed": 0,
        "cache_hits": 1,
        "input": 1010,
        "output": 55,
        "cached": 0,
        "reasoning": 0,
        "cost": 0.375,
        "savings": 0.5,
    }
    assert get(router, "/v1/usage", BOB).body["usage"]["month"]["cost"] == 9.0


def test_callers_see_their_limits_and_what_is_left(router):
    for _ in range(2):
        router.post(
            "/v1/chat/completions",
            ADA,
            {"model": "plain", "messages": [{"role": "user", "content": "hi"}]},
        )
    limits = {
        (level["scope"], level["name"]): level
        for level in get(router, "/v1/usage", ADA).body["limits"]
    }
    rpm = next(level for (_, name), level in limits.items() if name == "rpm")
    assert (rpm["limit"], rpm["used"], rpm["left"]) == (60, 2, 58)
    other = get(router, "/v1/usage", BOB).body["limits"]
    assert {level["used"] for level in other} == {0}


def test_without_rows_the_limits_are_still_told(router):
    router.state.rows = None
    told = get(router, "/v1/usage", ADA).body
    assert (told["usage"], told["rows"]) == (None, "not-kept")
    assert told["limits"]
    assert get(router, "/admin/usage", OPS).status == 404


@pytest.mark.parametrize("path", ["/admin/usage", "/admin/requests/req_1"])
def test_reports_want_the_role(router, path):
    answer = get(router, path, ADA)
    assert (answer.status, answer.error["code"]) == (403, "role-required")
    assert router.send("GET", path, {}).status == 401


def test_a_report_is_that_of_the_command(router, store):
    store.insert([batch([asked(1, cost=0.5), asked(2, "bob", cost=1.0), asked(3, "=1+1")])])
    told = get(router, "/admin/usage?by=user,day&since=1d&where=project%3Dweb", OPS).body
    assert told["by"] == ["user", "day"]
    assert [line["user"] for line in told["lines"]] == ["bob", "ada", "=1+1"]
    assert told["total"]["requests"] == 3
    answer = get(router, "/admin/usage?format=csv", OPS)
    rows = list(csv.DictReader(io.StringIO(answer.raw.decode())))
    assert [row["user"] for row in rows] == ["bob", "ada", "'=1+1"]
    assert answer.headers["content-type"].startswith("text/csv")


@pytest.mark.parametrize(
    ("query", "param", "words"),
    [
        ("by=usr", "by", "no key 'usr'. Known are user, project"),
        ("since=soon", "since", "neither a date"),
        ("where=user", "where", "'user' is no FIELD=VALUE"),
        ("where=usr%3Dx", "where", "Known are user"),
        ("format=xml", "format", "json or csv"),
        ("frmat=csv", "frmat", "no parameter 'frmat'. Known are by, since, until"),
        ("since=1d&since=2d", "since", "'since' is given twice"),
        ("where=user%3Da&where=user%3Db", "where", "'user' has two values"),
    ],
)
def test_a_question_that_means_nothing_is_answered_with_what_does(router, query, param, words):
    answer = get(router, f"/admin/usage?{query}", OPS)
    assert (answer.status, answer.error["code"], answer.error["param"]) == (
        400,
        "invalid-request",
        param,
    )
    assert words in answer.error["message"]


def test_one_request_is_told_whole(router, store):
    store.insert([batch([full()])])
    (found,) = get(router, "/admin/requests/req_1", OPS).body["data"]
    assert found["completeness"] == "complete"
    assert [attempt["target"] for attempt in found["attempts"]] == ["large", "small"]
    assert get(router, "/admin/requests/req_2", OPS).status == 404


def test_a_database_that_is_down_is_no_fault_of_the_router(router):
    def down():
        raise Unavailable("PostgreSQL: ConnectionRefusedError")

    router.state.rows = down
    told = get(router, "/v1/usage", ADA).body
    assert (told["usage"], told["rows"]) == (None, "unavailable")
    assert told["limits"]
    answer = get(router, "/admin/usage", OPS)
    assert (answer.status, answer.error["code"]) == (503, "usage-unavailable")
    assert "retry-after" in answer.headers


def test_a_request_shows_up_a_moment_later(tmp_path):
    with running(build(YAML, tmp_path), tmp_path) as process:
        served = Served(None, good, port=process.port)
        body = {"model": "plain", "messages": [{"role": "user", "content": "hi"}]}
        answer = served.post("/v1/chat/completions", ADA, body, x_request_id="seen-1")
        assert answer.status == 502  # nobody listens at the provider's port
        deadline = time.monotonic() + 10
        while not _requests(get(served, "/v1/usage", ADA).body):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        (found,) = get(served, "/admin/requests/seen-1", OPS).body["data"]
        assert [attempt["kind"] for attempt in found["attempts"]] == ["connect"]


def _requests(told):
    return told["usage"]["day"]["requests"] if told["usage"] else 0


def test_keys_may_come_one_by_one(router, store):
    store.insert([batch([asked(1)])])
    assert get(router, "/admin/usage?by=user&by=status", OPS).body["by"] == ["user", "status"]


class Slow(SqliteStore):
    """A database that takes its time, and tells when it is let go of."""

    def __init__(self, path, asked, closed):
        super().__init__(path, read_only=True)
        self.asked, self.closed = asked, closed

    def query(self, sql, parameters=()):
        self.asked.append(sql)
        time.sleep(0.2)
        return super().query(sql, parameters)

    def close(self):
        super().close()
        self.closed.set()


def test_a_report_nobody_waits_for_any_more_ends(router, store, tmp_path, monkeypatch):
    store.insert([batch([asked(n) for n in range(9)])])
    monkeypatch.setattr("runtime.endpoints.usage._LONG_PATIENCE", 0.1)
    monkeypatch.setattr("runtime.records.rows.PIECE", 1)
    queries, closed = [], threading.Event()
    router.state.rows = lambda: Slow(tmp_path / FILE, queries, closed)
    answer = get(router, "/admin/usage", OPS)
    assert (answer.status, answer.error["code"]) == (503, "usage-unavailable")
    assert closed.wait(10)
    assert len(queries) == 1
