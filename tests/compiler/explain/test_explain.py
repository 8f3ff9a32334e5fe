"""`explain` shows the plan of an artifact, and says by its exit code whether anybody answers."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from compiler.artifact import write
from compiler.cli.explain import explain
from runtime.dialects import DIALECTS as READERS
from runtime.vocabulary import Settings, words
from tests.compiler.build.worlds import CASES
from tests.golden.cases import compiled
from tests.runtime.dialects.captures import FOLDER, PATHS


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
        ("opus", "native", 32000),
        ("qwen", "dropped", 8192),
    ]
    assert told["excluded"] == []


def test_every_reason_of_an_excluded_target_is_told(acme):
    code, told = plan(
        acme, "--group", "coder", "--surface", "chat", "--needs", "stream,image.url,audio",
    )  # fmt: skip
    assert code == 1
    reasons = {out["target"]: out["reasons"] for out in told["excluded"]}
    assert reasons["qwen"] == ["lacks-image.url", "lacks-audio"]
    assert reasons["opus"] == ["bridge-lacks-audio"]


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
    assert [c["target"] for c in everybody["order"]] == ["m3", "gpt", "opus", "qwen"]
    assert [c["target"] for c in bob["order"]] == ["opus", "qwen"]


def test_a_phase_may_be_chosen(acme):
    _, told = plan(acme, "--group", "auto", "--surface", "chat", "--phase", "test")
    assert [c["target"] for c in told["order"]] == ["m3", "gpt", "sonnet"]
    _, told = plan(acme, "--group", "auto", "--surface", "chat")
    assert told["phase"] == "implement"


def test_a_request_is_in_the_phase_that_the_router_tells(acme, tmp_path):
    asked = [{"role": "user", "content": "Why does this crash on start?"}]
    body = written(tmp_path, model="auto", messages=asked)
    _, told = plan(acme, "--request", body)
    assert (told["phase"], told["order"][0]["target"]) == ("debug", "sonnet")
    _, told = plan(acme, "--request", body, "--phase", "test")
    assert (told["phase"], told["order"][0]["target"]) == ("test", "m3")


def test_a_request_too_long_for_all_is_told_as_that(acme):
    code, told = plan(acme, "--group", "coder", "--surface", "messages", "--input-tokens", "300000")
    assert code == 1
    assert "at most 272000 input tokens" in told["overflow"]


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
        ["--group", "coder", "--request", __file__],
        ["--group", "coder", "--needs", "tools"],
    ],
)
def test_what_cannot_be_asked_exits_with_two(acme, arguments):
    assert run(acme, *arguments)[0] == 2


def test_a_folder_that_is_no_artifact_exits_with_two(tmp_path):
    code, output = run(tmp_path, "--group", "g", "--surface", "chat")
    assert code == 2
    assert "manifest.json" in output


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "three"
    write(compiled(CASES / "three-dialects"), folder)
    return folder


def written(folder, **body):
    place = folder / "body.json"
    place.write_text(json.dumps(body))
    return place


def test_a_request_body_is_read_as_the_router_reads_it(three, tmp_path):
    body = written(
        tmp_path,
        model="coder",
        stream=True,
        seed=7,
        max_tokens=100_000,
        messages=[{"role": "user", "content": "hi"}],
        tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        reasoning_effort="low",
    )
    code, told = plan(three, "--request", body)
    assert code == 0
    assert (told["group"], told["surface"]) == ("coder", "chat")
    assert told["shape"]["needs"] == ["stream", "tools", "reasoning.low"]
    assert (told["shape"]["cap"], told["shape"]["tools"]) == (100_000, 1)
    big, small = told["order"]
    assert (big["target"], big["cap"]) == ("big", 64_000)
    assert big["dropped"] == ["max_completion_tokens:64000"]  # as the trace says it
    assert (small["target"], small["cap"], small["dropped"]) == ("small", 100_000, ["seed"])
    _, shown = run(three, "--request", body)
    assert "      dropped: seed" in shown.splitlines()


@pytest.mark.parametrize(
    ("case", "surface"),
    [
        ("aider/whole_edit_and_commit", None),
        ("opencode/messages_image", None),
        ("codex/image_tool_output.03.post.v1-responses", "responses"),
        ("claude-code/image_read_tool.03.post.v1-messages", "messages"),
        ("claude-code/text.02.post.v1-messages", "messages"),
        ("claude-code/count_tokens.13.post.v1-messages-count_tokens", "messages"),
    ],
)
def test_a_recording_is_read_in_the_dialect_it_is_written_in(three, tmp_path, case, surface):
    file = FOLDER / f"{case}.json"
    if surface is None:  # the first request of a whole run
        first = json.loads(file.read_text())["requests"][0]
        file, surface = written(tmp_path, **first["body"]), PATHS[first["path"]]
    code, told = plan(three, "--group", "coder", "--request", file)
    assert (code, told["surface"], told["dialect"]) == (0, surface, surface)
    expected = shape_of(file, surface)
    assert told["shape"]["needs"] == words(expected.needs)


def shape_of(file, surface):
    record = json.loads(file.read_text())
    body = json.dumps(record.get("body", record)).encode()
    settings = Settings(name="three", hosted_tools={"web_search": "prefer"})
    return READERS[surface].read(body, {}, settings).shape


def test_a_body_posted_to_the_path_of_another_dialect_is_told(three, tmp_path):
    body = written(tmp_path, model="coder", input="hi")
    assert plan(three, "--request", body)[1]["surface"] == "responses"
    _, told = plan(three, "--request", body, "--surface", "chat")
    assert (told["surface"], told["dialect"]) == ("chat", "responses")
    assert "written in responses" in run(three, "--request", body, "--surface", "chat")[1]


def test_a_request_that_nobody_can_answer_exits_with_one(three, tmp_path):
    sound = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    body = written(tmp_path, model="coder", messages=[{"role": "user", "content": [sound]}])
    code, told = plan(three, "--request", body)
    assert (code, told["order"]) == (1, [])
    reasons = {out["target"]: out["reasons"] for out in told["excluded"]}
    assert reasons["eyes"] == ["lacks-audio", "only-when-image.inline"]


def test_a_body_that_the_router_turns_away_is_told_with_its_words(three, tmp_path):
    code, output = run(three, "--request", written(tmp_path, model="coder", messages="hi"))
    assert code == 2
    assert "invalid-request" in output
