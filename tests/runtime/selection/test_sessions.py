"""A session stays with its target: by weight, on every replica, and whoever else comes or goes."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from runtime.artifact import Artifact, load
from runtime.decision import decide
from runtime.dialects import DIALECTS
from tests.support.router import Router, Token, build, running
from tests.support.serving import PATHS

TOKEN = Token("ada", "web", "dev", secret="mUxBf0Lq7Wc2Rn9Tz4Vh6Kd1Pj8")
WEIGHTS = {"heavy": 6, "middle": 3, "light": 1}
SESSIONS = 10_000

YAML = """\
interlock: 1
name: sessions
as_of: 2026-11-20
default_group: coder
providers:
  p: {{base_url: "https://p.example/v1", auth: none}}
targets:
{targets}
groups:
  coder:
    surfaces: [chat, responses, messages]
    policy: {{kind: weighted}}
    members: [{members}]
limits:
  wide: {{rpm: 100000}}
projects:
  web: {{providers: [p]}}
callers:
  ada:
    user: ada
    project: web
    env: dev
    groups: [coder]
    limits: wide
    tokens: [{{id: {id}, sha256: {sha256}}}]
"""
TARGET = """\
  {name}:
    provider: p
    model: m-{name}
    skins:
      chat: {{stream: native, input: [text]}}
      responses: {{stream: native, input: [text]}}
      messages: {{stream: native, input: [text]}}
"""


def deployment(weights: dict[str, int]) -> str:
    members = (f"{{target: {name}, weight: {weight}}}" for name, weight in weights.items())
    return YAML.format(
        targets="".join(TARGET.format(name=name) for name in weights),
        members=", ".join(members),
        id=TOKEN.id,
        sha256=TOKEN.sha256,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(deployment(WEIGHTS), tmp_path_factory.mktemp("sessions"))


@pytest.fixture(scope="module")
def artifact(folder: Path) -> Artifact:
    return load(folder)


def orders(artifact: Artifact, token: str = TOKEN.id) -> list[tuple[str, ...]]:
    """The order of every session, each with a request of its own."""
    found = []
    body = json.dumps({"messages": [{"role": "user", "content": "Say hi."}]}).encode()
    for number in range(SESSIONS):
        headers = {b"x-session-id": b"session-%d" % number}
        reading = DIALECTS["chat"].read(body, headers, artifact.settings)
        decision = decide(
            artifact,
            "chat",
            artifact.callers["ada"],
            reading,
            token_id=token,
            request_id=f"req-{number}",
            state_key=None,
        )
        found.append(tuple(candidate.target_id for candidate in decision.order))
    return found


@pytest.fixture(scope="module")
def asked(artifact: Artifact) -> list[tuple[str, ...]]:
    return orders(artifact)


def test_sessions_spread_by_the_weights(asked):
    total = sum(WEIGHTS.values())
    shares = Counter(order[0] for order in asked)
    for name, weight in WEIGHTS.items():
        assert shares[name] / SESSIONS == pytest.approx(weight / total, abs=0.03)


def test_those_whose_target_rests_spread_by_the_weights_of_the_others(asked):
    """The second in order is who takes over: no single target gets all sessions of the first."""
    shares = Counter(order[1] for order in asked if order[0] == "heavy")
    taken = sum(shares.values())
    assert shares["middle"] / taken == pytest.approx(0.75, abs=0.03)
    assert shares["light"] / taken == pytest.approx(0.25, abs=0.03)


def test_the_same_session_always_has_the_same_order(artifact, asked):
    assert orders(artifact) == asked


def test_sessions_of_equal_names_at_two_tokens_have_nothing_to_do_with_each_other(artifact, asked):
    other = orders(artifact, token="rtr_test_bob_web_dev_k1")
    alike = sum(one == another for one, another in zip(asked, other, strict=True)) / SESSIONS
    # by chance: the squares of how likely each of the six orders is
    assert alike == pytest.approx(0.2985, abs=0.03)


@pytest.mark.parametrize("gone", WEIGHTS)
def test_a_target_that_goes_moves_only_its_own_sessions(gone, asked, tmp_path):
    left = {name: weight for name, weight in WEIGHTS.items() if name != gone}
    after = orders(load(build(deployment(left), tmp_path)))
    for before, now in zip(asked, after, strict=True):
        assert now == tuple(name for name in before if name != gone)


# Every way in which clients tell their sessions apart.
SIGNS = {
    "x-claude-code-session-id": {"headers": {"x-claude-code-session-id": "s{}"}},
    "thread-id": {"headers": {"thread-id": "s{}"}},
    "prompt_cache_key": {"surface": "responses", "body": {"prompt_cache_key": "s{}"}},
    "metadata.user_id": {
        "surface": "messages",
        "body": {"metadata": {"user_id": "user_1_account_2_session_s{}"}},
    },
    "what it opens with": {"says": "Work on number {}."},
}


def target_at(router: Router, sign: dict, number: int) -> str:
    """Who answers a session, by a dry run."""

    def filled(fields: dict) -> dict:
        return json.loads(json.dumps(fields).replace("s{}", f"s{number}"))

    surface, says = sign.get("surface", "chat"), sign.get("says", "Say hi.").format(number)
    opening = [{"role": "user", "content": says}]
    body = {"input" if surface == "responses" else "messages": opening, "max_tokens": 100}
    body |= filled(sign.get("body", {}))
    if surface == "responses":
        del body["max_tokens"]
    connection = http.client.HTTPConnection("127.0.0.1", router.port, timeout=20)
    try:
        headers = {"authorization": f"Bearer {TOKEN.whole}", "x-dry-run": "true"}
        headers |= filled(sign.get("headers", {}))
        connection.request("POST", PATHS[surface], body=json.dumps(body), headers=headers)
        answer = json.loads(connection.getresponse().read())
        return answer["routing"]["target"]
    finally:
        connection.close()


def test_two_replicas_agree_about_every_session(folder, tmp_path):
    with ExitStack() as stack:
        replicas = []
        for seed in ("1", "2"):
            own = tmp_path / seed
            own.mkdir()
            env = {"PYTHONHASHSEED": seed}
            replicas.append(stack.enter_context(running(folder, own, env)))
        for name, sign in SIGNS.items():
            first, second = ([target_at(r, sign, n) for n in range(40)] for r in replicas)
            assert first == second, name
            assert set(first) == set(WEIGHTS), name
