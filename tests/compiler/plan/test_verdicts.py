"""Whose requests are judged, and for whom: the verdicts that locks, proofs and reviews read."""

from __future__ import annotations

import pytest

from compiler.clients import ALWAYS, BUILT_IN
from tests.compiler.answers.test_findings import TWO
from tests.compiler.build.worlds import caller, group, planned, skin, small

OWN = {"surface": "chat", "shapes": [{"name": "main", "needs": ["tools"]}]}


def judged(document):
    """Client and shape of the verdicts of the group."""
    return {(v.client, v.shape.name) for v in planned(document).verdicts_of["g"]}


def clients(document):
    return {client for client, _ in judged(document)}


def test_the_usual_agents_of_a_surface_are_judged_without_being_named():
    usual = {client for client in ALWAYS if BUILT_IN[client].surface == "chat"}
    assert clients(small()) == usual
    assert usual < {client.id for client in BUILT_IN.values() if client.surface == "chat"}


@pytest.mark.parametrize(
    "named",
    [
        {"groups": {"g": group(promise={"roo": 1})}},
        {"callers": {"alice": caller(clients=["roo"])}},
    ],
    ids=["by a promise", "by a caller"],
)
def test_a_client_that_is_named_is_judged(named):
    assert clients(small(**named)) - clients(small()) == {"roo"}


def test_an_own_client_is_judged_without_being_named():
    assert clients(small(clients={"own": OWN})) - clients(small()) == {"own"}


def test_shapes_beside_the_core_are_judged_where_they_are_promised():
    promise = {"aider": {"depth": 1, "shapes": ["image"]}}
    more = judged(small(groups={"g": group(promise=promise)})) - judged(small())
    assert more == {("aider", "image")}


@pytest.mark.parametrize(
    ("who", "counts"),
    [
        ({}, True),
        ({"expires": "2026-11-20"}, True),
        ({"expires": "2026-11-19"}, False),
        ({"status": "disabled"}, False),
    ],
    ids=["active", "on the last day", "a day later", "disabled"],
)
def test_a_reach_is_judged_while_somebody_has_it(who, counts):
    tokens = [{"id": "rtr_small_bob_vault_dev_k1", "sha256": "0" * 64}]
    document = small(
        providers=TWO,
        projects={"web": {"providers": ["own"]}, "vault": {"providers": ["far"]}},
        callers={"alice": caller(),
                 "bob": caller(user="bob", project="vault", tokens=tokens, **who)},
    )  # fmt: skip
    reaches = {verdict.reach for verdict in planned(document).verdicts_of["g"]}
    assert reaches == ({"web", "vault"} if counts else {"web"})


def test_a_client_with_the_default_level_of_a_group_needs_it_and_no_other_does():
    thinks = skin(tools=["function", "custom", "namespace"],
                  reasoning={"control": "effort", "levels": ["low"]})  # fmt: skip
    both = {
        name: {"provider": "own", "model": name, "skins": {"responses": fields}}
        for name, fields in (("t", thinks), ("u", {**thinks, "reasoning": None}))
    }
    del both["u"]["skins"]["responses"]["reasoning"]
    document = small(
        settings={"hosted_tools": {"web_search": "prefer"}},
        reasoning={"levels": {"low": "Quick"}},
        targets=both,
        groups={"g": group(surfaces=["responses"], members=[{"target": "t"}, {"target": "u"}])},
    )
    found = {v.shape.name: v for v in planned(document).verdicts_of["g"] if v.client == "codex"}
    assert found["main"].shape.default_level
    assert found["main"].answered == ("t",)
    plain = [v for v in found.values() if not v.shape.default_level]
    assert all(v.answered == ("t", "u") for v in plain)
