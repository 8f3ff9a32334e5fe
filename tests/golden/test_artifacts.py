"""Every case compiles to the very bytes somebody reviewed."""

from __future__ import annotations

import difflib

import pytest

from tests.golden.cases import CASES, compiled, expected


def test_there_are_cases_to_hold_against():
    assert {"acme", "smallest"} <= {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_artifact_is_the_reviewed_one(case):
    built, wanted = compiled(case), expected(case)
    assert sorted(built) == sorted(wanted)
    for path, content in wanted.items():
        diff = difflib.unified_diff(
            content.decode().splitlines(), built[path].decode().splitlines(), "reviewed", "built"
        )
        assert built[path] == content, f"{path}\n" + "\n".join(diff)
