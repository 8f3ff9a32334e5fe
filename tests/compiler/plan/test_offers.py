"""What a group offers is judged by the client it is promised to, whatever that one sends."""

from __future__ import annotations

from tests.compiler.build.worlds import group, planned, small


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
