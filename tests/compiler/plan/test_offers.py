"""What a group offers is judged by the client it is promised to, whatever that one sends."""

from __future__ import annotations

import pytest

from tests.compiler.build.worlds import group, planned, skin, small


def test_a_client_that_does_not_stream_is_offered_a_target_that_does_not_stream():
    plan = planned(
        small(
            clients={"batch": {"surface": "chat", "shapes": [{"name": "main"}]}},
            targets={
                "t": {"provider": "own", "model": "m", "context": 9000, "skins": {"chat": {}}}
            },
            groups={"g": group(promise={"batch": 1})},
        )
    )
    assert [offer.window for offer in plan.offers.values()] == [9000]


@pytest.mark.parametrize(
    ("context", "limit", "window"),
    [(9000, 8000, 8000), (8000, 9000, 8000), (9000, None, 9000), (None, 8000, 8000)],
)
def test_a_window_is_what_both_the_model_and_its_skin_take(context, limit, window):
    target = {"provider": "own", "model": "m", "skins": {"chat": skin()}}
    if context:
        target["context"] = context
    if limit:
        target["skins"]["chat"]["limits"] = {"input_tokens": limit}
    plan = planned(
        small(
            clients={"short": {"surface": "chat", "shapes": [{"name": "main"}]}},
            targets={"t": target},
            groups={"g": group(promise={"short": 1})},
        )
    )
    assert [offer.window for offer in plan.offers.values()] == [window]


@pytest.mark.parametrize(("stream", "window"), [("native", 900_000), ("none", None)])
def test_what_a_client_sends_now_and_then_says_nothing_of_its_window(stream, window):
    """Roo asks without a stream where it is told to; what it sends as a rule is streamed."""
    skins = {"chat": skin(stream=stream)}
    plan = planned(
        small(
            targets={"t": {"provider": "own", "model": "m", "context": 900_000, "skins": skins}},
            groups={"g": group(promise={"roo": {"depth": 1, "shapes": ["unstreamed"]}})},
        )
    )
    assert [offer.window for offer in plan.offers.values()] == [window]
