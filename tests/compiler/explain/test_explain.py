"""`explain` shows the plan of an artifact, and says by its exit code whether anybody answers."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from compiler.artifact import write
from compiler.cli.explain import explain
from tests.compiler.build.worlds import CASES
from tests.golden.cases import compiled


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "acme"
    write(compiled(CASES / "acme"), folder)
    return folder


def run(*arguments):
    result = CliRunner().invoke(explain, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def plan(*arguments):
    code, output = run(*arguments, "--format", "json")
    return code, json.loads(output)


def test_the_order_and_what_each_loses_are_shown(acme):
    code, told = plan(
        acme, "--group", "coder", "--surface", "chat", "--needs", "stream,tools",
        "--effort", "high", "--cap", "32000",
    )  # fmt: skip
    assert code == 0
    assert [(c["target"], c["reasoning"], c["cap"]) for c in told["order"]] == [
        ("m3", "mapped", 8192),
        ("gpt", "native", 32000),
        ("qwen", "dropped", 8192),
    ]
    assert told["excluded"] == [
        {"target": "opus", "reason": "bridge-not-served", "reasons": ["bridge-not-served"]}
    ]


def test_both_formats_name_every_target(acme):
    code, output = run(acme, "--group", "coder", "--surface", "messages", "--needs", "audio")
    assert code == 1
    assert "nobody is eligible" in output
    assert "x opus: lacks-audio" in output
    assert "x qwen: no-skin" in output


def test_an_alias_leads_to_its_group(acme):
    assert plan(acme, "--group", "claude-anything", "--surface", "chat")[1]["group"] == "coder"


def test_a_caller_narrows_the_reach(acme):
    _, everybody = plan(acme, "--group", "coder", "--surface", "chat")
    _, bob = plan(acme, "--group", "coder", "--surface", "chat", "--caller", "bob")
    assert [c["target"] for c in everybody["order"]] == ["m3", "gpt", "qwen"]
    assert [c["target"] for c in bob["order"]] == ["qwen"]


def test_a_phase_may_be_chosen(acme):
    _, told = plan(acme, "--group", "auto", "--surface", "chat", "--phase", "test")
    assert [c["target"] for c in told["order"]] == ["m3", "gpt"]
    _, told = plan(acme, "--group", "auto", "--surface", "chat")
    assert told["phase"] == "implement"


def test_a_request_too_long_for_all_is_told_as_that(acme):
    code, told = plan(acme, "--group", "coder", "--surface", "messages", "--input-tokens", "250000")
    assert code == 1
    assert "at most 200000 input tokens" in told["overflow"]


def test_a_closed_surface_is_the_reason_for_all(acme):
    code, told = plan(acme, "--group", "auto", "--surface", "responses")
    assert code == 1
    assert {out["reason"] for out in told["excluded"]} == {"surface-closed"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--group", "codr", "--surface", "chat"],
        ["--surface", "chat", "--caller", "ci"],
        ["--group", "coder", "--surface", "chat", "--needs", "tols"],
        ["--group", "coder", "--surface", "telepathy"],
        ["--group", "coder", "--surface", "chat", "--caller", "nobody"],
        ["--group", "auto", "--surface", "chat", "--phase", "lunch"],
        ["--group", "coder", "--surface", "chat", "--phase", "plan"],
        ["--group", "coder", "--surface", "chat", "--needs", "reasoning.low", "--effort", "high"],
        ["--group", "coder", "--surface", "chat", "--request", __file__, "--cap", "5"],
    ],
)
def test_what_cannot_be_asked_exits_with_two(acme, arguments):
    assert run(acme, *arguments)[0] == 2


def test_a_folder_that_is_no_artifact_exits_with_two(tmp_path):
    code, output = run(tmp_path, "--group", "g", "--surface", "chat")
    assert code == 2
    assert "manifest.json" in output


def test_a_body_of_another_dialect_is_told(acme, tmp_path):
    body = tmp_path / "body.json"
    body.write_text('{"model": "coder", "input": "hi"}')
    code, output = run(acme, "--surface", "chat", "--request", body)
    assert code == 2
    assert "in the responses dialect, not chat" in output


def test_a_request_body_is_read_as_the_router_reads_it(acme, tmp_path):
    body = tmp_path / "body.json"
    body.write_text(
        json.dumps(
            {
                "model": "coder",
                "stream": True,
                "messages": [{"role": "user", "content": "hi"}],
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
                "reasoning_effort": "low",
            }
        )
    )
    code, told = plan(acme, "--surface", "chat", "--request", body)
    assert code == 0
    assert told["group"] == "coder"
    assert told["shape"]["needs"] == ["stream", "tools", "reasoning.low"]
