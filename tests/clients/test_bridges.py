"""The real agents edit a repository with models that speak another dialect than they do."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from compiler.demo import Call, Turn, create_file, edit_file
from tests.clients.agents import aider, claude_code, codex, opencode
from tests.support.demo import BEHIND, BRIDGED

pytestmark = pytest.mark.clients

THOUGHT = "thinking about it"
SIGNATURE = "c2NyaXB0ZWQgc2lnbmF0dXJl"
ENCRYPTED = "c2NyaXB0ZWQgcmVhc29uaW5n"


def behind(*dialects):
    return pytest.mark.parametrize("upstream", dialects)


def two_files(repository, content, tool, write):
    """Creates two files with parallel calls of one tool, thinking first; others get a title."""
    paths = [repository / name for name in ("one.txt", "two.txt")]

    def script(asked):
        if tool not in asked.tools:
            words = "Create files"
            return Turn(text=json.dumps({"title": words}) if asked.wants_json else words)
        if asked.answers_a_call:
            return Turn(text="Created both.")
        calls = tuple(Call(tool, json.dumps(write(str(path), content))) for path in paths)
        return Turn(calls=calls, reasoning=THOUGHT)

    return script, paths


def shell(path, content):
    return {"cmd": f"printf %s {shlex.quote(content)} > {shlex.quote(path)}"}


def claude_write(path, content):
    return {"file_path": path, "content": content}


def opencode_write(path, content):
    return {"filePath": path, "content": content}


@pytest.fixture
def across(seat):
    """`with across(script, upstream) as (desk, demo)`: the desk asks for the model behind it."""

    def sit(script, upstream):
        return seat(script, BRIDGED, BEHIND[upstream])

    return sit


def continued(demo, upstream):
    """The request that answers the calls, as the provider got it."""
    return next(one for one in demo.upstream.asked(upstream) if one.answers_a_call)


def thinking_of(asked):
    """The readable thinking and the opaque state of the turns sent back, in any dialect."""
    if asked.dialect == "chat":
        spoken = [turn for turn in asked.body["messages"] if turn["role"] == "assistant"]
        return [turn.get("reasoning_content") for turn in spoken], []
    if asked.dialect == "messages":
        turns = [t["content"] for t in asked.body["messages"] if t["role"] == "assistant"]
        blocks = [b for turn in turns for b in turn if b["type"] == "thinking"]
        return [b["thinking"] for b in blocks], [b["signature"] for b in blocks]
    items = [item for item in asked.body["input"] if item["type"] == "reasoning"]
    texts = ["".join(part["text"] for part in item["summary"]) for item in items]
    return texts, [item["encrypted_content"] for item in items]


PROOF = {"chat": [], "messages": [SIGNATURE], "responses": [ENCRYPTED]}


@behind("chat", "messages")
def test_codex_runs_two_commands_at_once_and_its_thinking_comes_back(
    across, repository, content, upstream
):
    script, paths = two_files(repository, content, "exec_command", shell)
    with across(script, upstream) as (desk, demo):
        output = codex(desk, "Create two files")
    assert [Path(path).read_text() for path in paths] == [content, content]
    assert "Created both." in output
    assert thinking_of(continued(demo, upstream)) == ([THOUGHT], PROOF[upstream])


@behind("chat", "messages")
def test_codex_patches_with_a_custom_tool_that_the_model_sees_as_a_function(
    across, repository, content, upstream
):
    lines = "".join(f"+{line}\n" for line in content.splitlines())
    patch = f"*** Begin Patch\n*** Add File: hello.txt\n{lines}*** End Patch\n"

    def script(asked):
        if asked.answers_a_call:
            return Turn(text="Patched.")
        return Turn(calls=(Call("apply_patch", json.dumps({"input": patch})),))

    with across(script, upstream) as (desk, demo):
        output = codex(desk, "Create hello.txt", catalog=True)
    assert (repository / "hello.txt").read_text() == content
    assert "metadata" not in output, "the catalog was not understood"
    assert "multi_agent_v1__spawn_agent" in continued(demo, upstream).tools, "a namespaced tool"


@behind("chat", "responses")
def test_claude_code_writes_two_files_at_once_and_its_thinking_comes_back(
    across, repository, content, upstream
):
    script, paths = two_files(repository, content, "Write", claude_write)
    with across(script, upstream) as (desk, demo):
        output = claude_code(desk, "Create two files")
    assert [Path(path).read_text() for path in paths] == [content, content]
    assert "Created both." in output
    last = continued(demo, upstream)
    assert thinking_of(last) == ([THOUGHT], PROOF[upstream])
    assert b"x-anthropic-billing-header" not in last.raw


@behind("messages", "responses")
def test_opencode_writes_two_files_at_once(across, repository, content, upstream):
    script, paths = two_files(repository, content, "write", opencode_write)
    with across(script, upstream) as (desk, _):
        output = opencode(desk, "Create two files")
    assert [Path(path).read_text() for path in paths] == [content, content]
    assert "Created both." in output


@behind("messages", "responses")
def test_aider_writes_a_file_and_commits_it(across, repository, content, upstream):
    with across(edit_file("hello.txt", content), upstream) as (desk, demo):
        aider(desk, "Create hello.txt with the greeting", "hello.txt")
    assert (repository / "hello.txt").read_text() == content
    edit, *commits = demo.upstream.asked(upstream)
    assert edit.stream
    assert not any(one.stream for one in commits)
    log = ["git", "log", "--format=%s", "-1", "--", "hello.txt"]
    subject = subprocess.run(log, cwd=repository, capture_output=True, text=True, check=True)
    assert subject.stdout == "Create a file\n"


def test_a_single_call_crosses_as_well(across, repository, content):
    path = str(repository / "hello.txt")
    with across(create_file(path, content, "Write"), "chat") as (desk, _):
        claude_code(desk, "Create the file")
    assert (repository / "hello.txt").read_text() == content
