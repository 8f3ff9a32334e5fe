"""What a test may ask of a compiled deployment, and how it is told what there is not."""

from __future__ import annotations

import json

import pytest

from compiler.clients import BUILT_IN
from compiler.testing.compiled import CannotAsk, CannotCompile, Compiled
from tests.golden.cases import ROOT, compiled
from tests.runtime.dialects.captures import FOLDER


@pytest.fixture(scope="module")
def acme():
    return Compiled.of(ROOT / "acme/deployment.yaml")


@pytest.fixture(scope="module")
def three():
    return Compiled.of(ROOT / "three-dialects/deployment.yaml")


def test_the_locks_of_all_groups_are_the_lock_of_the_artifact(acme):
    lines = "".join(acme.lock(group) for group in acme.groups).splitlines()
    whole = compiled(ROOT / "acme")["eligibility.lock"].decode().splitlines()
    assert sorted(lines) == [row for row in whole if not row.startswith("reach ")]


def test_a_lock_may_be_narrowed(acme):
    whole = acme.lock("coder").splitlines()
    assert acme.lock("coder", "chat").splitlines() == [x for x in whole if x[6:].startswith("chat")]
    assert acme.lock("coder", client="aider/edit", project="vault").splitlines() == [
        row for row in whole if "vault aider/edit" in row
    ]
    assert "coder chat web roo/agent -> " in acme.lock("coder", client="roo")
    assert "reasoning.xhigh" in acme.lock("coder", client="codex/effort-xhigh")


def test_the_plan_of_a_shape_is_that_of_the_lock(acme):
    plan = acme.plan("coder", "claude-code/main", project="web")
    row = next(x for x in acme.lock("coder").splitlines() if "web claude-code/main ->" in x)
    told = [f"{t}({','.join(plan.dropped[t])})" if t in plan.dropped else t for t in plan.order]
    assert row.endswith(f"-> {' '.join(told)}")
    assert plan.excluded == {"qwen": ("no-skin",)}


def test_the_plan_of_a_recorded_request_names_what_each_candidate_is_not_sent(three, tmp_path):
    body = json.loads((FOLDER / "aider/whole_edit_and_commit.json").read_text())["requests"][0]
    file = tmp_path / "body.json"
    file.write_text(json.dumps({**body["body"], "seed": 7}))
    plan = three.plan("coder", request=file)
    assert plan.order == ("big", "small")
    assert plan.dropped == {"small": ("seed",)}
    assert plan.excluded == {"eyes": ("only-when-image.inline",)}
    assert str(plan).splitlines() == [
        *("needs stream", "-> big", "-> small without seed", "x eyes only-when-image.inline"),
    ]


def test_a_phase_has_its_own_plan(acme):
    assert acme.plan("auto", "aider/edit", project="web").order[0] == "m3"
    assert acme.plan("auto", "aider/edit", project="web", phase="plan").order[0] != "m3"


def test_a_request_is_in_the_phase_that_its_words_tell(acme, tmp_path):
    file = tmp_path / "body.json"
    for said, first in (("Plan the storage", "opus"), ("Add a flag", "m3")):
        file.write_text(json.dumps({"messages": [{"role": "user", "content": said}]}))
        assert acme.plan("auto", request=file, project="web").order[0] == first


def test_a_listing_says_what_each_name_offers_and_no_prompt(three):
    rows = three.listing("alice").splitlines()
    assert rows[0].startswith("coder: window ")
    assert any(row.startswith("coder in the Codex catalog: ") for row in rows)
    assert max(map(len, rows)) < 200


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda d: d.lock("codr"), "did you mean `coder`"),
        (lambda d: d.lock("coder", client="codx"), "did you mean `codex`"),
        (lambda d: d.lock("coder", client="codex/picture"), "known: `main`"),
        (lambda d: d.lock("coder", project="wbe"), "did you mean `web`"),
        (lambda d: d.lock("auto", client="codex"), "does not open responses"),
        (lambda d: d.plan("coder"), "either a client's shape or a request"),
        (lambda d: d.plan("coder", "codex/main"), "name a project"),
        (lambda d: d.plan("coder", "codex", project="web"), "codex/main"),
        (lambda d: d.plan("auto", "aider/edit", project="vault"), "no caller of 'auto'"),
        (lambda d: d.plan("auto", "aider/edit", project="web", phase="lunch"), "no phase"),
        (lambda d: d.plan("coder", "aider/edit", project="web", phase="plan"), "has none"),
        (lambda d: d.listing("prometheus"), "no model list"),
        (lambda d: d.listing("alise"), "did you mean `alice`"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(acme, ask, says):
    with pytest.raises(CannotAsk, match=says):
        ask(acme)


def test_what_does_not_compile_is_reported_whole(tmp_path):
    file = tmp_path / "broken.yaml"
    file.write_text("interlock: 1\nname: x\n")
    with pytest.raises(CannotCompile, match="IL202"):
        Compiled.of(file)


def test_every_client_can_be_asked_for(three):
    for client in BUILT_IN:
        assert "coder" in three.lock("coder", client=client)
