"""The compiled table and the runtime's choice agree with a slow evaluator written apart."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from compiler.artifact import artifact_files, write
from compiler.plan import make_plan
from runtime.artifact import load
from runtime.selection import Cell, choose, only_over_body, only_over_context
from runtime.shape import Shape
from runtime.vocabulary import FEATURES
from tests.compiler.plan.brute import Request, evaluate, overflow, read_in_order
from tests.compiler.plan.worlds import PHASES, deployments, requests, sized


def bounded(examples):
    """A failing world is large and is told as it is: to shrink one would take many minutes.

    A profile may ask for fewer examples, as the mutation runs do; the usual one does not.
    """
    return settings(
        max_examples=min(examples, settings.default.max_examples),
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def shape_of(request):
    bits = 0
    for word in request.needs:
        bits |= FEATURES[word]
    return Shape(
        needs=bits,
        cap=request.cap,
        input_tokens=request.input_tokens,
        body_bytes=request.body_bytes,
        tool_schema_bytes=request.tool_schema_bytes,
        tools=request.tools,
        images=request.images,
    )


def assert_agrees(choice, expected):
    eligible, excluded = expected
    found = [(c.target_id, c.route.skin, c.route.bridge, c.keep_level, c.cap) for c in choice.order]
    wanted = [(e.target, e.skin, e.bridge, e.keeps_level, e.cap) for e in eligible]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    standing = {e.target: e.standing for e in eligible}
    assert [standing[target] for target, *_ in found] == [e.standing for e in eligible]
    assert {out.target: out.reasons for out in choice.excluded} == excluded


@bounded(100)
@given(deployments(), st.lists(requests(), min_size=4, max_size=8), st.text(max_size=4))
def test_the_plan_agrees_with_the_slow_evaluator(deployment, asked, session):
    plan = make_plan(deployment)
    group = deployment.groups["g"]
    phases = (None, *PHASES) if group.phases else (None,)
    for request in asked:
        for project in deployment.projects:
            for surface in group.surfaces:
                for phase in phases:
                    choice = choose(
                        plan.tables.cells["g", surface],
                        shape_of(request),
                        reach=plan.tables.reach_of[project],
                        phase=phase,
                        session=session,
                    )
                    expected = evaluate(deployment, "g", surface, request, project, phase)
                    assert_agrees(choice, expected)


@bounded(40)
@given(deployments(), st.lists(requests(), min_size=4, max_size=8), st.text(max_size=4))
def test_the_artifact_read_back_agrees_with_the_slow_evaluator(deployment, asked, session):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "random"
        write(artifact_files(make_plan(deployment), "random.yaml"), place)
        artifact = load(place)
    for request in asked:
        for caller in artifact.callers.values():
            for surface in ("chat", "responses", "messages"):
                choice = choose(
                    artifact.cells["g", surface],
                    shape_of(request),
                    reach=caller.reach,
                    session=session,
                )
                expected = evaluate(deployment, "g", surface, request, caller.project, None)
                assert_agrees(choice, expected)


@bounded(60)
@given(deployments(), st.lists(requests(), min_size=4, max_size=8))
def test_without_a_session_the_order_is_the_one_a_reader_expects(deployment, asked):
    cells = make_plan(deployment).tables.cells
    for request in asked:
        for surface in deployment.groups["g"].surfaces:
            choice = choose(cells["g", surface], shape_of(request), reach="all")
            eligible, _ = evaluate(deployment, "g", surface, request, "all", None)
            found = [candidate.target_id for candidate in choice.order]
            assert found == read_in_order(deployment, "g", eligible)


@bounded(100)
@given(deployments().map(sized), st.lists(requests(large=True), min_size=4, max_size=8))
def test_size_alone_is_told_where_the_slow_evaluator_tells_it(deployment, asked):
    plan = make_plan(deployment)
    for request in asked:
        for project in deployment.projects:
            for surface in deployment.groups["g"].surfaces:
                cell, reach = plan.tables.cells["g", surface], plan.tables.reach_of[project]
                choice = choose(cell, shape_of(request), reach=reach)
                told = overflow(deployment, "g", surface, request, project, None)
                kind, most = told or (None, None)
                assert only_over_context(choice) == (most if kind == "tokens" else None)
                assert only_over_body(choice) == (most if kind == "bytes" else None)


@bounded(60)
@given(deployments(), requests(), st.integers(1, 30), st.sets(st.integers(0, 45), min_size=5))
def test_the_memo_never_changes_an_answer(deployment, asked, cap, inputs):
    """The same needs and cap come again with other numbers, as they do in a conversation."""
    plan = make_plan(deployment)
    for surface in deployment.groups["g"].surfaces:
        warm = plan.tables.cells["g", surface]
        for tokens, request in product(sorted(inputs), (asked, Request(frozenset(), cap))):
            shape = shape_of(replace(request, input_tokens=tokens))
            found = choose(warm, shape, reach="all", session="s")
            fresh = choose(fresh_cell(plan, surface), shape, reach="all", session="s")
            assert found.order == fresh.order
            assert found.excluded == fresh.excluded


def fresh_cell(plan, surface):
    """A cell that has never been asked anything."""
    tables = plan.tables
    paths = tables.paths["g", surface]
    return Cell(
        "g",
        tables.groups["g"],
        surface,
        paths.routes,
        tables.targets,
        {name: frozenset(providers) for name, providers in tables.reaches.items()},
        {out.target: out.reason for out in paths.out},
    )


def test_the_random_worlds_are_worth_judging():
    """Most requests must find somebody, many more than one, and many targets must be out."""
    counts, overflows = [], Counter()

    @settings(
        max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(deployments(), requests(), requests(large=True))
    def judge(deployment, request, large):
        for surface in deployment.groups["g"].surfaces:
            found, out = evaluate(deployment, "g", surface, request, "all", None)
            counts.append((len(found), len(out)))
            told = overflow(sized(deployment), "g", surface, large, "all", None)
            overflows[told and told[0]] += 1

    judge()
    assert overflows["tokens"] > 3
    assert overflows["bytes"] > 3
    assert sum(found > 0 for found, _ in counts) > len(counts) / 4
    assert sum(found > 1 for found, _ in counts) > len(counts) / 12
    assert sum(out > 0 for _, out in counts) > len(counts) / 4
