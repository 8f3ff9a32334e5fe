"""The compiled table and the runtime's choice agree with a slow evaluator written apart."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.artifact import artifact_files, write
from compiler.plan import make_plan
from runtime.artifact import load
from runtime.selection import choose
from runtime.shape import Shape
from runtime.vocabulary import BRIDGES, FEATURES
from tests.compiler.plan.brute import evaluate
from tests.compiler.plan.worlds import PHASES, deployments, requests

SERVED = pytest.mark.parametrize(
    "served", [frozenset(), frozenset(BRIDGES), frozenset(BRIDGES[:3])], ids=["none", "all", "half"]
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


@SERVED
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(deployments(), st.lists(requests(), min_size=1, max_size=6), st.text(max_size=4))
def test_the_plan_agrees_with_the_slow_evaluator(served, deployment, asked, session):
    plan = make_plan(deployment, served)
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
                    expected = evaluate(deployment, "g", surface, request, project, phase, served)
                    assert_agrees(choice, expected)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(deployments(), st.lists(requests(), min_size=1, max_size=6), st.text(max_size=4))
def test_the_artifact_read_back_agrees_with_the_slow_evaluator(deployment, asked, session):
    served = frozenset(BRIDGES)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "random"
        write(artifact_files(make_plan(deployment, served), "random.yaml"), place)
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
                expected = evaluate(deployment, "g", surface, request, caller.project, None, served)
                assert_agrees(choice, expected)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(deployments(), requests(), st.text(max_size=4))
def test_the_memo_never_changes_an_answer(deployment, asked, session):
    warm = make_plan(deployment).tables.cells
    for surface in deployment.groups["g"].surfaces:
        for _ in range(2):
            first = choose(warm["g", surface], shape_of(asked), reach="r1", session=session)
        cold = make_plan(deployment).tables.cells["g", surface]
        again = choose(cold, shape_of(asked), reach="r1", session=session)
        assert first.order == again.order
