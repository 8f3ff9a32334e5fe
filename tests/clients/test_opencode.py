"""opencode edits a repository through the router, on Chat."""

import pytest

from compiler.demo import create_file
from tests.clients.agents import opencode

pytestmark = pytest.mark.clients


def test_opencode_creates_a_file_with_its_write_tool(seat, repository, content):
    path = str(repository / "hello.txt")
    with seat(create_file(path, content, "write", reasoning="thinking about it")) as (desk, demo):
        output = opencode(desk, "Create hello.txt")
    assert (repository / "hello.txt").read_text() == content
    assert f"Created {path}." in output
    main = [one for one in demo.upstream.asked("chat") if one.tools]
    assert {one.model for one in main} == {"scripted-small"}, "the cheapest that has tools"
    last = next(one for one in main if one.answers_a_call)
    spoken = [entry for entry in last.body["messages"] if entry["role"] == "assistant"]
    assert [entry.get("reasoning_content") for entry in spoken] == ["thinking about it"]


def test_opencodes_title_asks_for_low_effort_and_goes_where_that_is_kept(seat, repository, content):
    path = str(repository / "hello.txt")
    with seat(create_file(path, content, "write")) as (desk, demo):
        opencode(desk, "Create hello.txt")
    (title,) = [one for one in demo.upstream.asked("chat") if not one.tools]
    assert (title.model, title.body["reasoning_effort"]) == ("scripted-large", "low")
