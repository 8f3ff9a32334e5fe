"""Each finding about answers and bridges has a deployment that brings it, and one that does not."""

from __future__ import annotations

import pytest

from compiler.checks import answers, bridges
from compiler.diagnostics import Severity
from tests.compiler.build.worlds import caller, findings, group, skin, small

TWO = {
    "own": {"base_url": "https://own.example/v1", "key_env": "OWN_KEY"},
    "far": {"base_url": "https://far.example/v1", "key_env": "FAR_KEY"},
}


def targets(**skins):
    return {"t": {"provider": "own", "model": "m", "skins": skins}}


def bridged(dialect, bridge, carry, **more):
    return targets(**{dialect: skin(bridges={bridge: {"carry": carry}}, **more)})


def namesakes(*names, **more):
    """A group of such targets; of some thousand names, `t5349` and `t7818` have the same tag."""
    some = {name: {"provider": "own", "model": "m", "skins": {"responses": skin(**more)}}
            for name in names}  # fmt: skip
    members = [{"target": name} for name in names]
    return small(targets=some, groups={"g": group(surfaces=["responses"], members=members)})


BAD = {
    "IL401": small(groups={"g": group(promise={"opencode": 2})}),
    "IL402": small(groups={"g": group(promise={"codex": 1})}),
    "IL403": small(groups={"g": group(promise={"aider": {"depth": 1, "shapes": ["picture"]}})}),
    "IL404": small(groups={"g": group(surfaces=["chat", "messages"])}),
    "IL405": small(
        targets={**targets(chat=skin()), "u": {"provider": "own", "model": "u",
                                               "skins": {"messages": skin()}}},
        groups={"g": group(members=[{"target": "t"}, {"target": "u"}])},
    ),
    "IL406": small(reasoning={"levels": {"high": "Hard"}}),
    "IL407": small(groups={"g": group(reasoning={"default": "high"})}),
    "IL408": small(
        targets=targets(responses=skin()),
        groups={f"g{n}": group(surfaces=["responses"], codex={"base_instructions": "x" * 190_000})
                for n in range(6)},
        callers={"alice": caller(groups=[f"g{n}" for n in range(6)])},
    ),
    "IL409": namesakes("t5349", "t7818", stateful=True),
    "IL410": small(
        providers=TWO, projects={"web": {"providers": ["own"]}, "vault": {"providers": ["far"]}},
        callers={"alice": caller(), "bob": caller(
            user="bob", project="vault",
            tokens=[{"id": "rtr_small_bob_vault_dev_k1", "sha256": "0" * 64}])},
    ),
    "IL411": small(
        targets=targets(chat={"stream": "native"}), callers={"alice": caller(clients=["opencode"])}
    ),
    "IL412": small(callers={"alice": caller(clients=["aider", "codex"])}),
    "IL413": small(
        groups={"g": group(promise={"opencode": 1})},
        callers={"alice": caller(clients=["aider"])},
    ),
    "IL501": small(targets=bridged("chat", "chat_to_messages", ["stream"])),
    "IL502": small(targets=bridged("chat", "messages_to_chat", ["stream", "image"])),
    "IL503": small(targets=bridged("chat", "messages_to_chat", ["tools.custom"])),
    "IL504": small(
        targets=bridged("messages", "chat_to_messages", ["stream"], output_cap={"max": 64000})
    ),
    "IL505": small(targets=bridged("chat", "messages_to_chat", ["stream"])),
}  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_the_bad_deployment_brings_its_code_with_a_place_and_a_next_step(code):
    found = [d for d in findings(BAD[code]) if d.code == code]
    assert found
    assert all(d.hint for d in found)
    assert all(d.at.column > 1 for d in found)


def test_the_good_deployment_brings_nothing():
    document = small(
        reasoning={"levels": {"low": "Quick"}},
        targets=targets(chat=skin(reasoning={"control": "effort", "levels": ["low"]})),
        groups={"g": group(promise={"opencode": 1, "aider": 1}, reasoning={"default": "low"})},
    )
    assert findings(document) == []


def test_every_check_has_its_page():
    for check in (*answers.CHECKS, *bridges.CHECKS):
        page = check.__doc__ or ""
        assert "Bad:\n" in page
        assert "Good:\n" in page


def test_targets_with_the_same_tag_are_told():
    def told(*names, **more):
        found = findings(namesakes(*names, **more))
        return [d.message for d in found if d.code == "IL409"]

    twins = "answers of `t7818` could not be told from those of `t5349`"
    assert told("t5349", "t7818", stateful=True) == [twins]
    assert told("t5349", "t7818") == []
    assert told("t5349", "t7819", stateful=True) == []


def test_a_broken_promise_names_shape_count_nearest_and_what_it_lacks():
    document = small(targets=targets(chat={"stream": "native"}),
                     groups={"g": group(promise={"opencode": 1})})  # fmt: skip
    (found,) = [d for d in findings(document) if d.code == "IL401"]
    assert "1 target for `opencode/main`" in found.message
    assert "none within reach of project `web`" in found.message
    assert found.label == "nearest is `t`: lacks-tools"


def test_a_promise_is_proven_for_the_reach_of_every_project_that_uses_the_client():
    providers = {"targets": {**targets(chat=skin()), "far": {
        "provider": "far", "model": "f", "skins": {"chat": {"stream": "native"}}}},
        "providers": TWO,
        "projects": {"web": {"providers": ["own"]}, "vault": {"providers": ["far"]}},
        "groups": {"g": group(members=[{"target": "t"}, {"target": "far"}],
                              promise={"opencode": 1, "aider": 1})}}  # fmt: skip
    bob = {"user": "bob", "project": "vault",
           "tokens": [{"id": "rtr_small_bob_vault_dev_k1", "sha256": "0" * 64}]}  # fmt: skip

    def broken(**more):
        people = {"alice": caller(), "bob": caller(**bob, **more)}
        found = findings(small(**providers, callers=people))
        return [d.message for d in found if d.code == "IL401"]

    assert len(broken()) == 1
    assert "`vault`" in broken()[0]
    assert broken(clients=["aider"]) == []
    assert broken(status="disabled") == []


@pytest.mark.parametrize(
    ("conditions", "tools", "says"),
    [
        (["image.inline"], {}, True),
        (["reasoning.low", "reasoning.high"], {}, True),
        (["hosted:web_search"], {"web_search": "prefer"}, True),
        (["hosted:web_search"], {"web_search": "strip"}, True),
        (["hosted:web_search"], {}, False),
        (["tools"], {}, False),
    ],
)
def test_a_member_whose_conditions_never_hold_is_told(conditions, tools, says):
    levels = {"control": "effort", "levels": ["low", "high"]}
    document = small(
        settings={"hosted_tools": tools},
        targets=targets(responses=skin(tools=["function", "hosted:web_search"], reasoning=levels)),
        groups={"g": group(surfaces=["responses"],
                           members=[{"target": "t", "only_when": conditions}])},
    )  # fmt: skip
    found = [d for d in findings(document) if d.code == "IL405"]
    assert bool(found) is says
    assert all("only_when" in d.label for d in found)


def test_a_shape_with_images_or_tools_brings_at_least_one_of_them():
    def broken(**limits):
        sees = skin(input=["text", "image"], limits=limits)
        promise = {"opencode": {"depth": 1, "shapes": ["image"]}}
        found = findings(small(targets=targets(chat=sees), groups={"g": group(promise=promise)}))
        return [d.label for d in found if d.code == "IL401"]

    assert broken(images=1) == []
    assert broken(images=0) == ["nearest is `t`: over-images"]


def test_what_a_caller_uses_is_judged_within_their_reach_and_told_once():
    def told(**changes):
        bare = targets(chat={"stream": "native"})
        document = small(**{"targets": bare, **changes})
        return [(d.code, d.message) for d in findings(document) if d.code in ("IL401", "IL411")]

    agents = caller(clients=["aider", "roo", "opencode"])
    assert [message.split("`")[1] for _, message in told(callers={"alice": agents})] == [
        *("roo/agent", "opencode/main"),
    ]
    assert told(callers={"alice": caller(clients=["aider", "curl"])}) == []
    assert told(callers={"alice": caller()}) == []
    promised = {"g": group(promise={"roo": 1, "opencode": 1})}
    assert [c for c, _ in told(callers={"alice": agents}, groups=promised)] == ["IL401", "IL401"]


def test_a_group_that_no_client_of_its_caller_speaks_to_is_told():
    groups = {"g": group(), "h": group(surfaces=["messages"])}
    both = targets(chat=skin(), messages=skin(output_cap={"max": 64000}))

    def told(*clients):
        people = {"alice": caller(groups=["g", "h"], clients=list(clients))}
        found = findings(small(targets=both, groups=groups, callers=people))
        return [d.message for d in found if d.code == "IL412"]

    assert told("aider") == ["no client of `alice` speaks a dialect that `h` opens"]
    assert told("aider", "sdk-anthropic") == []
    assert told("aider", "curl") == []


def test_a_bridge_that_lacks_a_feature_is_named_with_the_next_step():
    document = small(
        targets=bridged("chat", "messages_to_chat", ["stream"]),
        groups={"g": group(surfaces=["messages"], promise={"claude-code": 1},
                           reasoning={"unsupported": "drop"})},
    )  # fmt: skip
    main = next(d for d in findings(document) if d.code == "IL401" and "/main" in d.message)
    assert main.label == "nearest is `t`: bridge-lacks-tools"
    assert "carry" in main.hint


def test_dropping_the_level_counts_and_refusing_it_does_not():
    def broken(unsupported):
        document = small(
            targets=targets(messages=skin(structured=["json_schema"])),
            groups={"g": group(surfaces=["messages"], promise={"claude-code": 1},
                               reasoning={"unsupported": unsupported})},
        )  # fmt: skip
        return [d.severity for d in findings(document) if d.code == "IL401"]

    assert broken("drop") == []
    assert broken("refuse") == [Severity.ERROR, Severity.ERROR]


def test_a_title_nobody_can_write_is_a_warning():
    document = small(
        targets=targets(messages=skin()),
        groups={"g": group(surfaces=["messages"], promise={"claude-code": 1},
                           reasoning={"unsupported": "drop"})},
    )  # fmt: skip
    (found,) = [d for d in findings(document) if d.code == "IL401"]
    assert found.severity is Severity.WARNING
    assert "`claude-code/title`" in found.message


def test_a_title_that_nobody_promised_and_nobody_can_write_is_not_told():
    document = small(
        targets=targets(messages=skin()),
        groups={"g": group(surfaces=["messages"], reasoning={"unsupported": "drop"})},
        callers={"alice": caller(clients=["claude-code"])},
    )
    assert findings(document) == []
    document["groups"]["g"]["reasoning"]["unsupported"] = "refuse"
    assert [d.code for d in findings(document)] == ["IL411"]


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("prefer", None),
        ("strip", None),
        ("need", "lacks-hosted:web_search"),
        (None, "lacks-hosted:web_search"),
        ("refuse", "refuses web_search"),
    ],
)
def test_the_search_codex_sends_counts_as_the_deployment_treats_it(policy, says):
    tools = {"web_search": policy} if policy else {}
    document = small(
        settings={"hosted_tools": tools},
        targets=targets(responses=skin(tools=["function", "custom", "namespace"])),
        groups={"g": group(surfaces=["responses"], promise={"codex": 1})},
    )
    found = [d for d in findings(document) if d.code == "IL401"]
    assert bool(found) == bool(says)
    assert all(says in d.label for d in found)
