"""A worker knows how many share the places at a provider."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from runtime.availability import Turns
from runtime.decision import decide
from runtime.dialects import DIALECTS
from runtime.main import Options
from runtime.worker import load_state
from tests.runtime.serving.deployment import WEB, YAML
from tests.support.router import build


@pytest.mark.parametrize(("share", "places"), [(1, 5), (2, 3), (5, 1), (8, 1)])
def test_a_worker_opens_its_share(share: int, places: int, tmp_path: Path, monkeypatch):
    for name, value in (("ONE_KEY", "x"), ("TWO_KEY", "x"), ("INTERLOCK_STATE_KEY", "x" * 16)):
        monkeypatch.setenv(name, value)
    yaml = YAML.replace("    key_env: ONE_KEY\n", "    key_env: ONE_KEY\n    max_in_flight: 5\n")
    state = load_state(Options(build(yaml, tmp_path), share=share))
    artifact = state.artifact
    reading = DIALECTS["chat"].read(
        b'{"model":"talk","messages":[{"role":"user","content":"Hi."}]}', {}, artifact.settings
    )
    order = decide(
        artifact,
        "chat",
        artifact.callers["ada"],
        reading,
        token_id=WEB.id,
        request_id="r",
        state_key=None,
    ).order
    with ExitStack() as stack:
        opened = 0
        while stack.enter_context(
            closing(Turns(state.availability, order, artifact.providers, attempts=1))
        ).next():
            opened += 1
    assert opened == places
