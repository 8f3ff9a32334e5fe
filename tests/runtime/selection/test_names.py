"""Which group a caller's model name means."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from runtime.errors import CallerError
from runtime.names import resolve_group
from runtime.vocabulary import Caller, Group, Settings


def group(*aliases):
    return Group("ordered", ("chat",), aliases=aliases)


GROUPS = {
    "coder": group("claude-*", "gpt-5"),
    "auto": group("coder-fast", "claude-opus-4", "gpt-*"),
    "hidden": group("secret"),
}


def artifact(default=None):
    return SimpleNamespace(groups=GROUPS, settings=Settings("t", default_group=default))


def caller(*groups):
    return Caller(user="u", project="p", env="e", groups=groups, reach="r1")


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("coder", "coder"),
        ("auto", "auto"),
        ("coder-fast", "auto"),
        ("claude-opus-4", "auto"),
        ("claude-sonnet-9", "coder"),
        ("gpt-5", "coder"),
        ("gpt-6", "auto"),
    ],
)
def test_ids_win_over_aliases_and_aliases_over_patterns(model, found):
    assert resolve_group(artifact(), caller("coder", "auto"), model) == found


def test_patterns_are_tried_in_the_order_of_the_callers_groups():
    assert resolve_group(artifact(), caller("auto", "coder"), "gpt-5") == "coder"
    assert resolve_group(artifact(), caller("auto", "coder"), "gpt-5-mini") == "auto"


@pytest.mark.parametrize("model", ["hidden", "secret", "nothing", "x" * 10_000, "Coder"])
def test_unknown_and_forbidden_names_are_refused_alike(model):
    with pytest.raises(CallerError) as refused:
        resolve_group(artifact(), caller("coder"), model)
    assert (refused.value.status, refused.value.code) == (403, "model-not-allowed")
    assert "secret-only" not in refused.value.message
    assert len(refused.value.message) < 300


def test_without_a_model_the_default_group_serves_those_who_have_it():
    assert resolve_group(artifact("coder"), caller("auto", "coder"), None) == "coder"


@pytest.mark.parametrize("default", [None, "hidden"])
def test_without_a_model_others_are_told_that_it_is_missing(default):
    with pytest.raises(CallerError) as refused:
        resolve_group(artifact(default), caller("coder"), None)
    assert refused.value.code == "missing-model"
