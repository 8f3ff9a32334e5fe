"""The label of a client, told from the user-agents that real ones send."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.clients import BUILT_IN
from runtime.clients import CLIENTS, client_named
from tests.support.router import ROOT

CAPTURES = ROOT / "tests/data/captures"


def recorded() -> set[tuple[str, str]]:
    """The clients of the captures and the user-agents they sent."""
    found = set()
    for path in CAPTURES.glob("*/*.json"):
        stack = [json.loads(path.read_text(encoding="utf-8"))]
        while stack:
            node = stack.pop()
            if isinstance(node, list) and len(node) == 2 and node[0] == "User-Agent":
                found.add((path.parent.name, node[1]))
            elif isinstance(node, list):
                stack += node
            elif isinstance(node, dict):
                stack += node.values()
    return found


def test_recorded_clients_have_their_label():
    labels = {(client, client_named(agent.encode())) for client, agent in recorded()}
    assert labels == {
        ("codex", "codex"),
        ("claude-code", "claude-code"),
        ("claude-code", "other"),  # its first HEAD request comes from the bare HTTP library
        ("opencode", "opencode"),
        ("aider", "sdk-openai"),  # it says no more than the SDK it uses
    }


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        ("codex_cli_rs/0.169.0 (Mac OS 26.0; arm64) iTerm.app", "codex"),
        ("codex_vscode/0.169.0 (x) vscode/1.110", "codex"),
        ("Mozilla/5.0 (X11; Linux x86_64) Cursor/2.1.0 Chrome/140 Electron/38", "cursor"),
        ("Cline/3.65.0", "cline"),
        ("ls/JS 5.23.2", "continue"),
        ("GitHubCopilotChat/0.40.0", "copilot"),
        ("Windsurf/1.20", "windsurf"),
        ("OpenClaw/2026.11.1", "openclaw"),
        ("RooCode/3.40.0", "roo"),
        ("Zed/0.220.0 (linux; x86_64)", "zed"),
        ("OpenAI/JS 5.20.1", "sdk-openai"),
        ("AsyncOpenAI/Python 3.1.0", "sdk-openai"),
        ("Anthropic/JS 0.94.0", "sdk-anthropic"),
        ("AsyncAnthropic/Python 2.0.0", "sdk-anthropic"),
        ("curl/8.14.1", "curl"),
        ("python-httpx/0.28.1", "other"),
        ("", "other"),
        # a word in a comment or inside another is no product
        ("libcurl/8.1", "other"),
        ("agent/1.0 (like codex)", "other"),
        ("my-codex/1.0", "other"),
    ],
)
def test_a_client_is_told_by_its_product(agent, label):
    assert client_named(agent.encode()) == label


def test_the_first_product_wins():
    assert client_named(b"opencode/1.18 codex/1.0") == "opencode"


def test_every_client_with_a_profile_has_a_label():
    names = {id_.partition("/")[0] for id_ in BUILT_IN}
    assert {name for name in names if not any(name.startswith(c) for c in CLIENTS)} == set()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_nothing_makes_another_label(agent):
    assert client_named(agent) in CLIENTS
