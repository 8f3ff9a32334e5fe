"""The work grows with what is written, not with its square."""

from __future__ import annotations

import sys

from compiler.artifact import artifact_files
from runtime import eligibility
from runtime.artifact import load
from tests.compiler.build.worlds import built, caller, group, planned, skin, small


def wide(groups, targets, callers):
    names = [f"t{number}" for number in range(targets)]
    members = [{"target": name} for name in names]
    promised = group(members=members, promise={"opencode": 1, "aider": 1})
    tokens = [f"rtr_small_u{number}_web_dev_k1" for number in range(callers)]
    return small(
        targets={n: {"provider": "own", "model": n, "skins": {"chat": skin()}} for n in names},
        groups={f"g{number}": promised for number in range(groups)},
        callers={
            f"u{number}": caller(
                user=f"u{number}",
                groups=[f"g{number % groups}"],
                tokens=[{"id": token, "sha256": f"{number:064x}"}],
            )
            for number, token in enumerate(tokens)
        },
    )


def test_fifty_groups_of_twenty_targets_for_two_hundred_callers_compile_and_load(tmp_path):
    folder = built(wide(50, 20, 200), tmp_path)
    artifact = load(folder)
    assert len(artifact.groups) == 50
    assert len(artifact.callers) == 200
    assert all(len(artifact.cells[f"g{n}", "chat"].routes) == 20 for n in range(50))


def calls_of_the_rule(document):
    """How often a path is judged while a deployment is planned and rendered."""
    count = 0

    def watch(frame, event, argument):
        nonlocal count
        if event == "call" and frame.f_code.co_filename == eligibility.__file__:
            count += 1

    sys.setprofile(watch)
    try:
        artifact_files(planned(document), "small.yaml")
    finally:
        sys.setprofile(None)
    return count


def test_twice_the_groups_is_twice_the_work():
    once, twice = (calls_of_the_rule(wide(groups, 10, 10)) for groups in (5, 10))
    assert once > 0
    assert twice <= 2.2 * once


def test_twice_the_targets_is_twice_the_work():
    once, twice = (calls_of_the_rule(wide(5, targets, 10)) for targets in (10, 20))
    assert twice <= 2.2 * once


def test_more_callers_of_the_same_groups_are_no_more_judging():
    few, many = (calls_of_the_rule(wide(5, 10, callers)) for callers in (5, 50))
    assert few == many
