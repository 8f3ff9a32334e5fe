"""What reaches the artifact of a group, and what does not because it decides nothing."""

from __future__ import annotations

import pytest

from tests.compiler.build.worlds import group, planned, skin, small

PRICES = {"low": {"input": 1, "output": 2}, "high": {"input": 1, "output": 3}}

FLAGS = ("parallel", "custom", "synthesized", "stateful")


def record(kind, weights, prices=("low", "low")):
    names = ("t", "u")
    some = {
        name: {"provider": "own", "model": name, "price": price, "skins": {"chat": skin()}}
        for name, price in zip(names, prices, strict=True)
    }
    members = [{"target": name, "weight": weight}
               for name, weight in zip(names, weights, strict=True)]  # fmt: skip
    rows = {"g": group(policy={"kind": kind}, members=members)}
    return planned(small(prices=PRICES, targets=some, groups=rows)).tables.groups["g"]


@pytest.mark.parametrize(
    ("kind", "weights", "kept"),
    [
        ("weighted", (1, 1), {"t": 1, "u": 1}),
        ("weighted", (3, 1), {"t": 3, "u": 1}),
        ("cheapest", (3, 1), {"t": 3, "u": 1}),
        ("cheapest", (1, 1), {}),
        ("ordered", (3, 1), {}),
    ],
)
def test_weights_are_kept_where_they_decide(kind, weights, kept):
    assert record(kind, weights).weights == kept


@pytest.mark.parametrize(
    ("kind", "prices", "ranks"),
    [
        ("ordered", ("high", "low"), {"t": 0, "u": 1}),
        ("weighted", ("high", "low"), {"t": 0, "u": 0}),
        ("cheapest", ("high", "low"), {"t": 1, "u": 0}),
        ("cheapest", ("low", "low"), {"t": 0, "u": 0}),
    ],
)
def test_places_follow_the_policy(kind, prices, ranks):
    assert record(kind, (1, 1), prices).ranks == ranks


@pytest.mark.parametrize(
    ("fields", "flags"),
    [
        ({"stream": "native", "tools": ["function"]}, set()),
        ({"stream": "synthesized"}, {"synthesized"}),
        ({"tools": ["function", "parallel"]}, {"parallel"}),
        ({"tools": ["custom"]}, {"custom"}),
        ({"stateful": True}, {"stateful"}),
    ],
)
def test_a_skin_is_written_by_what_it_says(fields, flags):
    made = {"provider": "own", "model": "m", "skins": {"responses": fields}}
    document = small(targets={"t": made}, groups={"g": group(surfaces=["responses"])})
    record = planned(document).tables.targets["t"].skins["responses"]
    assert {flag for flag in FLAGS if getattr(record, flag)} == flags
