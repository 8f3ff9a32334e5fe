"""The forms of a path that mean the same, and those that do not."""

from __future__ import annotations

import pytest

from runtime.edge.paths import dialect_of, normalise

PREFIXES = [b"", b"/api", b"/anthropic", b"/openai"]


@pytest.mark.parametrize("slash", [b"", b"/"])
@pytest.mark.parametrize("versions", [b"", b"/v1", b"/v1/v1"])
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (b"/chat/completions", b"/v1/chat/completions"),
        (b"/responses", b"/v1/responses"),
        (b"/messages", b"/v1/messages"),
        (b"/messages/count_tokens", b"/v1/messages/count_tokens"),
        (b"/models", b"/v1/models"),
        (b"/models/org/coder", b"/v1/models/org/coder"),
        (b"/codex/models.json", b"/v1/codex/models.json"),
        (b"/usage", b"/v1/usage"),
        (b"/healthz", b"/healthz"),
        (b"/version", b"/version"),
        (b"", b"/"),
    ],
)
def test_prefix_version_and_slash_are_forgiven(prefix, versions, slash, written, meant):
    assert normalise(prefix + versions + written + slash) == meant


@pytest.mark.parametrize(
    "path",
    [
        b"/v2/messages",
        b"/v1/v1/v1/messages",
        b"/apis/messages",
        b"/api/anthropic/messages",
        b"/xapi/v1/messages",
        b"//v1/messages",
        b"/V1/messages",
        b"/v1/Messages",
        b"/v1messages",
        b"/v1/messagesx",
        b"/%761/messages",
        b"/messages/../messages",
    ],
)
def test_other_paths_are_not_taken_for_a_surface(path):
    assert normalise(path) not in {b"/v1/messages", b"/v1/responses", b"/v1/chat/completions"}


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        (b"/v1/chat/completions", "chat"),
        (b"/v1/responses", "responses"),
        (b"/v1/responses/resp_1", "responses"),
        (b"/v1/messages", "messages"),
        (b"/v1/messages/count_tokens", "messages"),
        (b"/v1/models", None),
        (b"/", None),
        (b"", None),
    ],
)
def test_a_path_belongs_to_a_dialect_or_to_none(path, dialect):
    assert dialect_of(path) == dialect
