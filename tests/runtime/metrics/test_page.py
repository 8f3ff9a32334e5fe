"""GET /metrics on a running router: who may read it, and what it tells of real requests."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from runtime.artifact import Artifact
from runtime.clients import CLIENTS
from runtime.metrics import sources
from runtime.metrics.families import FAMILIES, WORDS
from tests.runtime.metrics.numbers import READER, SCRAPER, YAML, Series, read, total
from tests.runtime.serving.deployment import VAULT, WEB, ask, good
from tests.support.serving import PATHS, Served, compiled, serving

SCRAPE = {"authorization": f"Bearer {SCRAPER.whole}"}


@pytest.fixture(scope="module")
def artifact(tmp_path_factory) -> Artifact:
    return compiled(YAML, tmp_path_factory.mktemp("metrics"))


@pytest.fixture
def router(artifact) -> Iterator[Served]:
    with counting(artifact) as served:
        yield served


def counting(artifact: Artifact):
    """A router that counts from its first request on."""
    return serving(artifact, good, state_key=b"a key of these tests", begin=sources.count)


def scraped(router: Served) -> Series:
    page = router.send("GET", "/metrics", SCRAPE)
    assert page.status == 200
    return read(page.raw)


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_the_role_opens_the_page(router, path):
    page = router.send("GET", path, SCRAPE)
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/plain; version=")
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "invalid-api-key"),
        ({"authorization": f"Bearer {SCRAPER.whole}x"}, 401, "invalid-api-key"),
        ({"authorization": f"Bearer {WEB.whole}"}, 403, "role-required"),
        ({"authorization": f"Bearer {READER.whole}"}, 403, "role-required"),
    ],
)
def test_nobody_else_reads_it(router, headers, status, code):
    page = router.send("GET", "/metrics", headers)
    assert (page.status, page.error["code"]) == (status, code)
    assert b"interlock_" not in page.raw


def test_a_role_opens_no_group(router):
    answer = router.post(PATHS["chat"], SCRAPER, ask("chat"))
    assert (answer.status, answer.error["code"]) == (403, "model-not-allowed")


def test_requests_of_every_surface_are_told(router):
    for surface, path in PATHS.items():
        for stream in (False, True):
            assert router.post(path, WEB, ask(surface, stream=stream)).status == 200
    router.post(PATHS["chat"], WEB, ask("chat", "nobody"))
    router.post(PATHS["chat"], WEB, ask("chat"), x_dry_run="true")
    series = scraped(router)
    for surface in PATHS:
        labels = {"group": "plain", "surface": surface}
        done = labels | {"status": "2xx", "outcome": "ok"}
        assert total(series, "interlock_requests_total", target="small", **done) == 2
        assert total(series, "interlock_first_byte_seconds_count", stream="true", **labels) == 1
    assert total(series, "interlock_requests_total", group="", status="4xx", outcome="error") == 1
    assert total(series, "interlock_request_errors_total", code="model-not-allowed") == 1
    assert total(series, "interlock_other_calls_total", kind="dry-run", status="2xx") == 1
    assert total(series, "interlock_tokens_total", kind="input", group="plain") > 0
    assert total(series, "interlock_cost_usd_total", project="web") > 0
    assert total(series, "interlock_workers") == 1
    assert total(series, "interlock_artifact_info", name="serving") == 1


def test_a_fallback_is_told_with_its_reason(router):
    def first_is_down(asked):
        return httpx.Response(529, json={}) if "one." in asked.url else good(asked)

    router.answer = first_is_down
    assert router.post(PATHS["chat"], WEB, ask("chat")).status == 200
    series = scraped(router)
    assert total(series, "interlock_fallbacks_total", group="plain", target="searching") == 1
    assert total(series, "interlock_attempts_total", target="small", kind="overloaded") == 1


def test_an_upstream_that_takes_too_long_is_told_as_that(router):
    def slow(asked):
        raise httpx.ReadTimeout("for ever")

    router.answer = slow
    assert router.post(PATHS["chat"], WEB, ask("chat")).status == 504
    series = scraped(router)
    assert total(series, "interlock_attempts_total", kind="timeout", target="small") == 1
    assert total(series, "interlock_request_errors_total", code="upstream-timeout") == 1


def test_clients_are_told_apart_by_their_user_agent(router):
    agents = {
        "codex": "codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)",
        "claude-code": "claude-cli/2.1.197 (external, cli)",
        "other": "Bun/1.4.0",
    }
    for agent in agents.values():
        router.post(PATHS["chat"], WEB, ask("chat"), user_agent=agent)
    series = scraped(router)
    for client in agents:
        assert total(series, "interlock_client_requests_total", client=client) == 1


# --- what may never be told ---------------------------------------------------------------------

MARK = "Zq7-marker-9X"


def test_nothing_that_somebody_wrote_is_told(router):
    def chatty(asked):
        return httpx.Response(500, json={"error": {"message": MARK, "type": MARK, "code": MARK}})

    body = ask("chat") | {"user": MARK, "metadata": {"user_id": MARK}, "prompt_cache_key": MARK}
    headers = {"user_agent": f"codex/1 {MARK}", "x_request_id": MARK, "x_session_id": MARK}
    router.post(PATHS["chat"], WEB, body, **headers)
    router.post(PATHS["chat"], WEB, ask("chat", MARK), **headers)
    router.post(PATHS["chat"], VAULT, ask("chat", "plain"), **headers)
    router.answer = chatty
    router.post(PATHS["chat"], WEB, body, **headers)
    router.send("GET", f"/v1/models/{MARK}", {"authorization": f"Bearer {WEB.whole}"})
    page = router.send("GET", "/metrics", SCRAPE).raw.decode()
    secrets = (MARK, WEB.secret, WEB.id, WEB.sha256, SCRAPER.whole, SCRAPER.id, "provider-key")
    people = ("ada", "bob")
    for secret in (*secrets, *people):
        assert secret not in page


def closed(artifact: Artifact, label: str) -> set[str]:
    """All that a label may say."""
    named = {
        "group": artifact.groups,
        "target": artifact.targets,
        "provider": artifact.providers,
        "project": {caller.project for caller in artifact.callers.values()},
        "phase": {"plan", "build"},
        "name": {artifact.name},
        "artifact": {artifact.digest[:12]},
        "worker": {"1"},
    }
    if label in WORDS:
        return {*WORDS[label], "", "other"}
    return {*named[label], ""} if label in named else set()


garbage = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
header = garbage.filter(lambda text: text == text.strip())
asked = st.fixed_dictionaries(
    {
        "path": st.sampled_from(sorted(PATHS.items())),
        "model": garbage | st.sampled_from(["plain", "stages", "state"]),
        "agent": header | header.map("codex/{}".format) | st.sampled_from(CLIENTS),
        "session": header,
        "said": garbage,
        "stream": st.booleans(),
        "status": st.sampled_from([200, 200, 400, 401, 404, 418, 429, 500, 503, 599]),
        "words": garbage,
    }
)


def test_garbage_in_requests_and_answers_makes_no_new_label(artifact):
    """What callers and upstreams write, wherever they write it, is in no list of labels."""
    with counting(artifact) as router:

        @given(st.lists(asked, min_size=1, max_size=4))
        @settings(
            max_examples=40,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def send(requests):
            for one in requests:
                send_one(router, one)

        send()
        series = scraped(router)
    assert total(series, "interlock_requests_total") >= 40
    for name, labels in series:
        family = FAMILIES[base(name)]
        assert {label for label, _ in labels} <= {*family.labels, "le"}
        for label, value in labels:
            if label not in ("le", "version"):
                assert value in closed(artifact, label), (name, label, value)


def send_one(router: Served, one) -> None:
    surface, path = one["path"]
    words = {"error": {"message": one["words"], "type": one["words"], "code": one["words"]}}

    def answer(asked):
        return good(asked) if one["status"] == 200 else httpx.Response(one["status"], json=words)

    router.answer = answer
    body = ask(surface, one["model"], stream=one["stream"], user=one["said"])
    router.post(path, WEB, body, user_agent=one["agent"], x_session_id=one["session"])


def base(name: str) -> str:
    """The metric a line belongs to."""
    for end in ("_bucket", "_count", "_sum"):
        if name.removesuffix(end) in FAMILIES:
            return name.removesuffix(end)
    return name
