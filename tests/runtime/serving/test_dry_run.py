"""A dry run shows the whole decision and asks nobody."""

from __future__ import annotations

import msgspec
import pytest

from runtime.artifact import Artifact
from tests.runtime.serving.deployment import OFF, WEB, ask, good
from tests.support.serving import PATHS, Served, serving

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
DIALECTS = pytest.mark.parametrize("dialect", PATHS)


def test_it_says_everything_that_was_decided(router: Served):
    body = ask(
        "messages", max_tokens=90_000, tools=[SEARCH], output_config={"effort": "high"}, stream=True
    )
    got = router.post(PATHS["messages"], WEB, body, x_dry_run="true")
    assert got.status == 200
    assert got.body == {
        "dryRun": True,
        "routing": {
            "group": "plain",
            "surface": "messages",
            "shape": {
                "needs": ["stream", "reasoning.high"],
                "cap": 90_000,
                "input_tokens": 53,
                "body_bytes": 212,
                "tool_schema_bytes": 55,
                "tools": 1,
                "images": 0,
            },
            "taskType": "coding",
            "complexity": "low",
            "phase": None,
            "strategy": "ordered",
            "modelSelected": "small-upstream-1",
            "target": "small",
            "skin": "messages",
            "bridge": None,
            "fallbackChain": ["searching"],
            "excluded": [],
            "estimatedCost": {"selected": "$0.0002", "baseline": "$0.0259", "savings": "99.4%"},
            "dropped": ["hosted:web_search", "max_tokens:8192", "reasoning.high"],
            "artifact": router.artifact.digest[:12],
        },
    }
    assert router.asked == []


@DIALECTS
def test_what_it_says_is_what_the_real_call_does(router: Served, dialect: str):
    body = ask(dialect, "search", stream=False)
    dry = router.post(PATHS[dialect], WEB, body, x_dry_run="true").body["routing"]
    real = router.post(PATHS[dialect], WEB, body)
    assert real.trace["target"] == dry["target"]
    assert real.trace["model"] == dry["modelSelected"] == router.last().body["model"]
    assert real.trace["cost-estimate"] == dry["estimatedCost"]["selected"]
    assert real.dropped == dry["dropped"]


@pytest.mark.parametrize(
    ("characters", "complexity"), [(100, "low"), (17_000, "medium"), (140_000, "high")]
)
def test_how_complex_a_request_is_follows_from_its_size(
    router: Served, characters: int, complexity: str
):
    body = ask("responses", "search", input="x" * characters)
    got = router.post(PATHS["responses"], WEB, body, x_dry_run="true")
    assert got.body["routing"]["complexity"] == complexity


def test_the_phase_is_the_kind_of_task(router: Served):
    got = router.post(PATHS["chat"], WEB, ask("chat", "stages"), x_dry_run="true")
    routing = got.body["routing"]
    assert (routing["phase"], routing["taskType"], routing["strategy"]) == (
        "build",
        "build",
        "phases",
    )
    assert (routing["target"], routing["fallbackChain"]) == ("small", ["searching"])
    assert got.trace["phase"] == "build"


def test_it_names_each_excluded_target_with_its_first_reason(router: Served):
    tools = [{"type": "code_interpreter"}]
    got = router.post(PATHS["responses"], WEB, ask("responses", tools=tools), x_dry_run="true")
    routing = got.body["routing"]
    assert routing["excluded"] == [{"target": "small", "reason": "lacks-hosted:code_interpreter"}]
    assert routing["target"] == "searching"
    assert routing["fallbackChain"] == []


@pytest.mark.parametrize(
    ("token", "body", "status", "code"),
    [
        (WEB, ask("chat", max_tokens="many"), 400, "invalid-request"),
        (OFF, ask("chat"), 403, "key-disabled"),
        (WEB, ask("chat", "nobody"), 403, "model-not-allowed"),
        (WEB, ask("chat", "talk", n=2), 502, "no-eligible-target"),
    ],
)
def test_it_fails_as_the_real_call_would(router: Served, token, body, status, code):
    for headers in ({}, {"x_dry_run": "true"}):
        got = router.post(PATHS["chat"], token, body, **headers)
        assert (got.status, got.error["code"]) == (status, code)
    assert router.asked == []


def test_names_of_targets_are_shown_to_nobody_where_the_trace_hides_them(artifact: Artifact):
    trace = msgspec.structs.replace(artifact.settings.trace, show_upstream=False)
    tools = [{"type": "code_interpreter"}]
    with serving(artifact, good, trace=trace) as router:
        for model, more in (("plain", {}), ("plain", {"tools": tools}), ("talk", {})):
            for headers in ({"x_dry_run": "true"}, {}):
                body = ask("responses", model, **more)
                got = router.post(PATHS["responses"], WEB, body, **headers)
                shown = f"{got.headers} {got.raw!r}"
                for name in ("small", "searching", "upstream-1"):
                    assert name not in shown, (model, headers, shown)


def test_the_status_for_nobody_can_be_set(artifact: Artifact):
    with serving(artifact, good, no_eligible_status=422) as router:
        got = router.post(PATHS["messages"], WEB, ask("messages", "talk"))
    assert got.status == 422
    assert got.error["type"] == "invalid_request_error"
    assert got.headers["x-should-retry"] == "false"
    assert got.error["details"] == {
        "surface": "messages",
        "requirements": [],
        "nearest": [{"target": "small", "reason": "surface-closed"}],
        "hint": "interlock explain ARTIFACT --group talk --surface messages",
    }
