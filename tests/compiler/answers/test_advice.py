"""What a finding over a plan advises: for each reason a target is out, the step that changes it."""

from __future__ import annotations

import pytest

from tests.compiler.answers.test_findings import TWO, bridged, targets
from tests.compiler.build.worlds import caller, findings, group, skin, small

SHAPE = {"name": "main", "needs": ["stream"], "cap": 9000, "input_tokens": 8000}
PHASES = {"surfaces": ["chat"], "policy": {"kind": "phases"}, "phase_rules": "own"}
RULES = {"rules": [{"phase": "plan", "last_user": "plan"}, {"phase": "rest"}]}
FAR = {"far": {"provider": "far", "model": "f", "skins": {"chat": skin()}}}


def world(*, skins=None, shape=SHAPE, members=(), surface="chat", context=None, **more):
    """A group that promises an own client of one shape what its targets do not hold."""
    target = {"provider": "own", "model": "m", "skins": skins or {"chat": skin()}}
    if context:
        target["context"] = context
    rows = list(members) or [{"target": "t"}]
    return small(
        clients={"own": {"surface": surface, "shapes": [shape]}},
        targets={"t": target, **more.pop("targets", {})},
        groups={"g": group(surfaces=[surface], members=rows, promise={"own": 1})},
        **more,
    )


def needs(*words):
    return {"name": "main", "needs": list(words)}


def capped(largest):
    return {"field": "max_tokens", "max": largest, "over": "skip"}


CAP = "use `over: clamp` in the skin's output_cap, or raise its max"
ROOM = "raise the limit, or add a target with more room"
# The reason -> a world that brings it, and the advice.
ADVICE = {
    "cap-above-max": (
        world(skins={"chat": skin(output_cap=capped(8999))}),
        CAP,
    ),
    "over-context": (world(context=7999), ROOM),
    "over-body-bytes": (world(skins={"chat": skin(limits={"body_bytes": "31999B"})}), ROOM),
    "over-input-tokens": (world(skins={"chat": skin(limits={"input_tokens": 7999})}), ROOM),
    "lacks-stream": (
        world(shape=needs("stream"), skins={"chat": {"stream": "none"}}),
        "add it to the skin if the model has it, add a target that has it, or lower the depth",
    ),
    "lacks-tools.forced": (
        world(shape=needs("tools.forced")),
        "add it to the skin if the model has it, add a target that has it, or lower the depth",
    ),
    "lacks-reasoning.high": (
        world(shape=needs("reasoning.high")),
        "list or map the level in the skin, or set `reasoning.unsupported: drop` on the group",
    ),
    "lacks-hosted:mcp": (
        world(shape=needs("hosted:mcp"), skins={"responses": skin()}, surface="responses"),
        "set the tool's `settings.hosted_tools` to prefer or strip, or add a target that has it",
    ),
    "bridge-lacks-image.inline": (
        world(
            shape=needs("image.inline"),
            skins=bridged("chat", "messages_to_chat", ["stream"])["t"]["skins"],
            surface="messages",
        ),
        "let the bridge carry it, once it was seen to survive, or add a target",
    ),
    "no-skin": (
        world(surface="messages"),
        "add a member with a skin of this dialect, or a bridge to one it has",
    ),
    "project-forbids-provider": (
        world(providers=TWO, targets=FAR, members=[{"target": "far"}]),
        "let the project reach the provider, or narrow callers' clients",
    ),
    "only-when-image.inline": (
        world(members=[{"target": "t", "only_when": ["image.inline"]}]),
        "drop the condition, or add a member without one",
    ),
    "not-in-phase": (
        small(
            targets={**targets(chat=skin()), "u": {"provider": "own", "model": "u",
                                                   "skins": {"chat": skin()}}},
            phase_rules={"own": RULES},
            groups={"g": {**PHASES, "phases": {"plan": ["t"], "rest": ["t", "u"]},
                          "promise": {"roo": 2}}},
        ),
        "add the target to the phase's list",
    ),
}  # fmt: skip


@pytest.mark.parametrize("reason", ADVICE)
def test_every_reason_has_the_advice_that_ends_it(reason):
    document, advice = ADVICE[reason]
    found = [d for d in findings(document) if d.code == "IL401"]
    assert [d.hint for d in found] == [advice]
    (label,) = (d.label for d in found)
    assert label.startswith("nearest is `")
    assert label.split("`: ")[1].split(", ")[0] == reason


@pytest.mark.parametrize(
    "held",
    [
        world(skins={"chat": skin(output_cap=capped(9000))}),
        world(context=8000),
        world(skins={"chat": skin(limits={"body_bytes": "32000B", "input_tokens": 8000})}),
    ],
    ids=["cap", "context", "limits"],
)  # fmt: skip
def test_a_promise_holds_where_the_numbers_are_just_enough(held):
    """A token of input is taken for four bytes of body."""
    assert [d for d in findings(held) if d.code == "IL401"] == []


def test_the_broken_phases_are_named_and_no_others():
    (found,) = [d for d in findings(ADVICE["not-in-phase"][0]) if d.code == "IL401"]
    assert "for `roo/agent` in phase `plan`, and has 1 within reach" in found.message


def test_one_group_that_offers_a_level_does_not_speak_for_another():
    thinks = skin(reasoning={"control": "effort", "levels": ["low"]})
    document = small(
        reasoning={"levels": {"low": "Quick"}},
        targets={**targets(chat=thinks), "u": {"provider": "own", "model": "u",
                                               "skins": {"chat": skin()}}},
        groups={name: group(members=[{"target": target}], reasoning={"default": "low"})
                for name, target in (("g", "t"), ("h", "u"))},
        callers={"alice": caller(groups=["g", "h"])},
    )  # fmt: skip
    told = [d.message for d in findings(document) if d.code == "IL407"]
    assert told == ["`h` offers the level `low` on none of its surfaces"]


def test_a_member_without_a_way_is_told_what_it_lacks_on_each_surface():
    document = small(
        targets={**targets(chat=skin(), responses=skin()),
                 "u": {"provider": "own", "model": "u", "skins": {"messages": skin()}}},
        groups={"g": group(surfaces=["responses", "chat"],
                           members=[{"target": "t"}, {"target": "u"}])},
    )  # fmt: skip
    (found,) = [d for d in findings(document) if d.code == "IL405"]
    assert found.label == (
        "no Chat skin, no bridge from Chat; no Responses skin, no bridge from Responses"
    )


def test_a_member_that_leaves_its_skin_out_is_told_so():
    both = targets(chat=skin(), messages=skin(output_cap={"max": 64000}))
    document = small(
        targets=both, groups={"g": group(members=[{"target": "t", "skins": ["messages"]}])}
    )
    (found,) = [d for d in findings(document) if d.code == "IL405"]
    assert found.label == "the member leaves its Chat skin out"


@pytest.mark.parametrize(("stream", "codes"), [("none", ["IL502"]), ("synthesized", [])])
def test_a_bridge_carries_a_stream_where_the_skin_has_one(stream, codes):
    document = small(targets=bridged("chat", "messages_to_chat", ["stream"], stream=stream))
    assert [d.code for d in findings(document) if d.code == "IL502"] == codes


@pytest.mark.parametrize(("thinks", "codes"), [(True, []), (False, ["IL502"])])
def test_a_bridge_carries_reasoning_where_the_skin_has_some(thinks, codes):
    more = {"reasoning": {"control": "effort", "levels": ["low"]}} if thinks else {}
    document = small(targets=bridged("chat", "messages_to_chat", ["reasoning"], **more))
    assert [d.code for d in findings(document) if d.code == "IL502"] == codes


def test_who_lacks_least_comes_nearest():
    some = {
        name: {"provider": "own", "model": name, "skins": {"chat": skin(**more)}}
        for name, more in (("bare", {"tools": []}), ("near", {}))
    }
    document = small(
        clients={"own": {"surface": "chat", "shapes": [needs("tools", "json.schema")]}},
        targets=some,
        groups={"g": group(members=[{"target": name} for name in some], promise={"own": 1})},
    )
    (found,) = [d for d in findings(document) if d.code == "IL401"]
    assert found.label == "nearest is `near`: lacks-json.schema"


def test_nobody_has_to_stream_for_a_client_that_does_not():
    silent = world(shape=needs(), skins={"chat": {"stream": "none"}})
    assert [d for d in findings(silent) if d.code == "IL401"] == []


@pytest.mark.parametrize(("word", "lacking"), [("tools.custom", "tools"), ("audio", "audio")])
def test_what_a_bridge_lowers_is_missed_by_the_name_it_arrives_under(word, lacking):
    document = small(targets=bridged("chat", "responses_to_chat", [word], tools=[]))
    (found,) = [d for d in findings(document) if d.code == "IL502"]
    assert found.message == (
        f"`responses_to_chat` carries `{word}`, but the Chat skin of `t` has no `{lacking}`"
    )


@pytest.mark.parametrize(("stream", "codes"), [("none", ["IL405"]), ("native", [])])
def test_a_condition_on_streaming_holds_where_something_streams(stream, codes):
    members = [{"target": "t", "only_when": ["stream"]}]
    document = small(
        targets=targets(chat=skin(stream=stream)), groups={"g": group(members=members)}
    )
    assert [d.code for d in findings(document) if d.code == "IL405"] == codes
