"""A view is the same from a plan and from the artifact of that plan."""

import dataclasses

import pytest

from compiler.artifact import artifact_files, write
from compiler.pipeline import read_deployment
from compiler.plan import make_plan
from compiler.render.kept import KEPT, kept_of, kept_text, read_kept
from compiler.review.answers import answers_of
from compiler.review.compare import compare
from compiler.review.outage import outage
from compiler.review.view import view_of_artifact, view_of_plan
from runtime.artifact import load
from tests.compiler.review.cases import BASE
from tests.golden.cases import CASES

FILES = [BASE, *(case / "deployment.yaml" for case in CASES)]


def planned(file):
    deployment, report = read_deployment(file.read_bytes(), file.name)
    assert deployment is not None, report.text()
    return make_plan(deployment)


@pytest.fixture(params=FILES, ids=lambda file: file.parent.name)
def both(request, tmp_path):
    plan = planned(request.param)
    write(artifact_files(plan, "deployment.yaml"), tmp_path / "built")
    kept = read_kept((tmp_path / "built" / KEPT).read_bytes())
    return view_of_plan(plan), view_of_artifact(load(tmp_path / "built"), kept)


def test_every_field_is_the_same(both):
    one, other = both
    for field in dataclasses.fields(one):
        if field.compare:
            assert getattr(one, field.name) == getattr(other, field.name), field.name


def test_every_answer_is_the_same(both):
    one, other = both
    for place in one.cells:
        for reach in one.reaches:
            pairs = zip(
                answers_of(one, place, reach, one.clients),
                answers_of(other, place, reach, other.clients),
                strict=True,
            )
            for mine, theirs in pairs:
                assert (mine.sent, mine.steps) == (theirs.sent, theirs.steps)
                assert mine.refused == theirs.refused
                assert mine.choice.excluded == theirs.choice.excluded


def test_nothing_differs_between_the_two(both):
    assert compare(*both) == ()
    assert compare(both[1], both[0]) == ()


def test_an_outage_does_the_same_to_both(both):
    for provider in both[0].providers:
        assert outage(both[0], [f"provider:{provider}"]) == outage(
            both[1], [f"provider:{provider}"]
        )


def test_what_is_kept_for_reviewers_is_an_entry_per_line_and_reads_back():
    kept = kept_of(planned(BASE).deployment)
    text = kept_text(kept)
    assert read_kept(text.encode()) == kept
    assert '  "bob": ["claude-code"],\n' in text
    assert '  "opus/messages": {"verified":"2026-11-03"' in text
