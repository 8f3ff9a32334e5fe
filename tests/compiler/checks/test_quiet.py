"""Deployments in which there is nothing to find: a rule that speaks of them speaks too soon."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import compile_deployment

ROOT = Path(__file__).parents[3]
# A bridge that is crossed is always told once (IL506).
QUIET = {
    "tests/compiler/checks/quiet.yaml": [("IL506", "chat_to_messages: {carry")],
    "deployments/demo.yaml": [],
}


@pytest.mark.parametrize("file", QUIET)
def test_nothing_is_found_where_nothing_is_wrong(file):
    plan, report = compile_deployment((ROOT / file).read_bytes(), file)
    assert plan is not None
    # 7xx: right, and without effect yet
    found = [d for d in report.diagnostics if not d.code.startswith("IL7")]
    told = [(d.code, report.lines[d.at.line - 1][d.at.column - 1 :]) for d in found]
    expected = QUIET[file]
    assert [code for code, _ in told] == [code for code, _ in expected], report.text()
    assert all(at.startswith(place) for (_, at), (_, place) in zip(told, expected, strict=True))
