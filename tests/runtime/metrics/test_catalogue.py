"""The list of metrics follows Prometheus's conventions and knows every word of the runtime."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from runtime import failures
from runtime.metrics.families import ATTEMPTS, FAMILIES, SECONDS, WORDS
from tests.support.router import ROOT

UNITS = ("_seconds", "_bytes", "_usd")
# Labels whose values are names of the artifact, or numbers of workers and versions.
OF_THE_ARTIFACT = {"group", "target", "provider", "phase", "project", "name", "artifact"}
OF_THE_PROCESS = {"worker", "version"}


@pytest.mark.parametrize("name", FAMILIES)
def test_names_and_help_follow_the_conventions(name):
    family = FAMILIES[name]
    assert re.fullmatch(r"interlock(_[a-z]+)+", name)
    assert name.endswith("_total") == (family.kind == "counter")
    assert bool(family.buckets) == (family.kind == "histogram")
    assert list(family.buckets) == sorted(set(family.buckets))
    assert family.help.endswith(".")
    for unit in UNITS:
        if unit in name:
            assert name.removesuffix("_total").endswith(unit)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_label_has_a_closed_list_of_values(name):
    labels = set(FAMILIES[name].labels)
    assert labels <= WORDS.keys() | OF_THE_ARTIFACT | OF_THE_PROCESS
    assert len(labels) <= 5


def test_every_class_of_failure_is_a_kind_of_attempt():
    found = set()
    for path in (Path(failures.__file__), *(ROOT / "runtime/availability").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                if name == "_Class" and isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
                found |= {
                    k.value.value
                    for k in node.keywords
                    if k.arg == "kind" and isinstance(k.value, ast.Constant)
                }
    assert len(found) >= 9
    assert found <= set(ATTEMPTS)


def test_the_buckets_of_times_reach_from_a_cache_hit_to_the_longest_answer():
    assert SECONDS[0] <= 0.05
    assert SECONDS[-1] >= 600
