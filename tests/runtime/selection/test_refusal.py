"""What a caller is told whom nobody can answer."""

from __future__ import annotations

import json

import pytest

from compiler.artifact import write
from runtime.artifact import load
from runtime.decision import decide, refusal
from runtime.dialects import DIALECTS
from tests.golden.cases import ROOT, compiled


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    folder = tmp_path_factory.mktemp("generated") / "acme"
    write(compiled(ROOT / "acme"), folder)
    return load(folder)


def test_targets_that_have_a_path_are_nearer_than_those_that_have_none(acme):
    """`qwen` is out for one reason, but it has no path to Messages at all."""
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    asked = {
        "model": "coder",
        "max_tokens": 100,
        "messages": [
            {"role": "user", "content": [{"type": "document", "source": source}]},
            {"role": "assistant", "content": "It says"},
        ],
    }
    reading = DIALECTS["messages"].read(json.dumps(asked).encode(), {}, acme.settings)
    decision = decide(
        acme,
        "messages",
        acme.callers["alice"],
        reading,
        token_id="rtr_acme_alice_web_dev_k1",
        request_id="1",
        state_key=None,
    )
    assert decision.order == ()
    error = refusal(acme, decision, reading)
    assert error.code == "no-eligible-target"
    assert [row["target"] for row in error.details["nearest"]] == ["opus", "m3", "gpt"]
    assert error.details["hint"] == (
        "interlock explain ARTIFACT --group coder --surface messages --needs document,prefill"
    )
