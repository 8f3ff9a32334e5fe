"""Codex CLI edits a repository through the router, on Responses."""

import json

import pytest

from compiler.demo import create_file
from tests.clients.agents import codex

pytestmark = pytest.mark.clients

PROMPT = "Create hello.txt"


def test_codex_creates_a_file_with_its_shell(seat, repository, content):
    script = create_file("hello.txt", content, "exec_command", reasoning="thinking about it")
    with seat(script) as (desk, demo):
        output = codex(desk, PROMPT)
    assert (repository / "hello.txt").read_text() == content
    assert "Created hello.txt." in output
    first, second = demo.upstream.asked("responses")
    assert {first.model, second.model} == {"scripted-large"}
    assert "authorization" not in first.headers
    reasoning = [item for item in second.body["input"] if item["type"] == "reasoning"]
    assert [item["encrypted_content"] for item in reasoning] == ["c2NyaXB0ZWQgcmVhc29uaW5n"]


def test_codex_reads_the_catalog_and_gets_apply_patch_and_the_default_effort(
    seat, repository, content
):
    script = create_file("hello.txt", content, "apply_patch")
    with seat(script) as (desk, demo):
        output = codex(desk, PROMPT, catalog=True)
        demo.router.terminate()  # a stopping router writes its last log lines
        demo.router.wait()
    log = [json.loads(line) for line in demo.router.logs().splitlines() if line[:1] == "{"]
    assert (repository / "hello.txt").read_text() == content
    assert "metadata" not in output, "the catalog was not understood"
    assert any(entry.get("path") == "/v1/models" for entry in log), "the catalog was not asked for"
    first, *_ = demo.upstream.asked("responses")
    patch = next(tool for tool in first.body["tools"] if tool.get("name") == "apply_patch")
    assert patch["type"] == "custom"
    assert patch["format"]["syntax"] == "lark"
    assert first.body["reasoning"]["effort"] == "medium"


def test_codex_effort_reaches_the_provider(seat, repository, content):
    script = create_file("hello.txt", content, "apply_patch")
    with seat(script) as (desk, demo):
        codex(desk, PROMPT, catalog=True, effort="high")
    assert (repository / "hello.txt").read_text() == content
    efforts = {one.body["reasoning"]["effort"] for one in demo.upstream.asked("responses")}
    assert efforts == {"high"}
