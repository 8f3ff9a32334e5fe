"""aider edits a repository through the router, on Chat, streamed and not."""

import subprocess

import pytest

from compiler.demo import edit_file
from tests.clients.agents import aider

pytestmark = pytest.mark.clients


def test_aider_writes_a_file_and_commits_it(seat, repository, content):
    with seat(edit_file("hello.txt", content)) as (desk, demo):
        aider(desk, "Create hello.txt with the greeting", "hello.txt")
    assert (repository / "hello.txt").read_text() == content
    asked = demo.upstream.asked("chat")
    edit, *commits = asked
    assert edit.stream
    assert edit.body["stream_options"] == {"include_usage": True}, "usage is asked for our records"
    assert commits
    assert not any(one.stream for one in commits)
    log = ["git", "log", "--format=%s", "-1", "--", "hello.txt"]
    subject = subprocess.run(log, cwd=repository, capture_output=True, text=True, check=True)
    assert subject.stdout == "Create a file\n"
