"""Claude Code edits a repository through the router, on Messages."""

import json

import pytest

from compiler.demo import create_file
from tests.clients.agents import claude_code

pytestmark = pytest.mark.clients

PROMPT = "Create the file hello.txt with the words we agreed on"


def _is_main(asked):
    return "Write" in asked.tools


def test_claude_code_creates_a_file_with_its_write_tool(seat, repository, content):
    path = str(repository / "hello.txt")
    with seat(create_file(path, content, "Write", reasoning="thinking about it")) as (desk, demo):
        output = claude_code(desk, PROMPT)
    assert (repository / "hello.txt").read_text() == content
    assert f"Created {path}." in output
    main = [one for one in demo.upstream.asked("messages") if _is_main(one)]
    assert {one.model for one in main} == {"scripted-large"}
    assert main[0].body["output_config"]["effort"] == "high"
    assert main[0].body["thinking"] == {"type": "adaptive"}


def test_claude_code_keeps_its_thinking_because_the_answer_names_the_model_it_asked_for(
    seat, repository, content
):
    path = str(repository / "hello.txt")
    with seat(create_file(path, content, "Write", reasoning="thinking about it")) as (desk, demo):
        claude_code(desk, PROMPT)
    last = [one for one in demo.upstream.asked("messages") if _is_main(one)][-1]
    spoken = [entry for entry in last.body["messages"] if entry["role"] == "assistant"]
    blocks = [block for entry in spoken for block in entry["content"]]
    thinking = [block for block in blocks if block["type"] == "thinking"]
    assert [block["signature"] for block in thinking] == ["c2NyaXB0ZWQgc2lnbmF0dXJl"]


def test_claude_code_discovers_the_models_of_its_token(seat, repository, content):
    path = str(repository / "hello.txt")
    with seat(create_file(path, content, "Write")) as (desk, _):
        claude_code(desk, PROMPT, discovery=True)
        kept = json.loads((desk.home / ".claude/cache/gateway-models.json").read_text())
    assert (repository / "hello.txt").read_text() == content
    assert [model["id"] for model in kept["models"]] == ["claude-coder"]
