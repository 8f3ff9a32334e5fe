"""Where a rule begins and where it ends: the last value it lets pass, every word it knows."""

from __future__ import annotations

import json

import pytest

from compiler.checks import check_deployment
from tests.compiler.answers.test_findings import targets
from tests.compiler.build.worlds import caller, findings, group, resolved, skin, small

OWNED = {
    "chat": ("model", "messages", "stream"),
    "responses": ("model", "input", "stream"),
    "messages": ("model", "messages", "stream"),
}


def told(code, document):
    """What the checks before the plan find under a code."""
    deployment, report = resolved(document)
    check_deployment(deployment, report)
    return [d for d in report.diagnostics if d.code == code]


def with_skin(dialect, **fields):
    return small(targets=targets(**{dialect: skin(**fields)}))


def at(document, diagnostic):
    """The text at the place of a diagnostic."""
    text = json.dumps(document).replace('"2026-11-20"', "2026-11-20")
    return text[diagnostic.at.column - 1 :]


def test_numbers_of_a_cap_may_be_equal():
    cap = {"field": "max_tokens", "min": 4096, "max": 4096, "default": 4096}
    document = with_skin("chat", output_cap=cap)
    document["targets"]["t"]["context"] = 4096
    assert told("IL620", document) == []
    document["targets"]["t"]["context"] = 4095
    assert len(told("IL620", document)) == 1


@pytest.mark.parametrize(
    ("dialect", "field"), [(dialect, field) for dialect in OWNED for field in OWNED[dialect]]
)
def test_no_skin_drops_what_the_router_itself_writes(dialect, field):
    assert len(told("IL627", with_skin(dialect, drop=[field]))) == 1


@pytest.mark.parametrize("word", ["parallel", "forced", "namespace"])
def test_a_word_about_function_tools_needs_them(word):
    assert len(told("IL628", with_skin("responses", tools=[word]))) == 1
    assert told("IL628", with_skin("responses", tools=["function", word])) == []


def test_system_turns_of_another_dialect_are_told_with_their_value():
    (found,) = told("IL626", with_skin("chat", system_turns="keep"))
    assert "`system_turns: keep`" in found.message


def test_docs_that_are_off_are_no_promise():
    assert told("IL708", small(settings={"docs": "off"})) == []
    assert len(told("IL708", small(settings={"docs": "public"}))) == 1


def test_image_sources_have_an_effect_where_images_do():
    sees = {"image_sources": ["inline"]}
    assert told("IL324", with_skin("chat", input=["text", "image"], **sees)) == []
    assert len(told("IL324", with_skin("chat", input=["text"], **sees))) == 1


def test_every_wrong_part_of_a_token_id_is_named():
    tokens = [{"id": "rtr_small_bob_vault_dev_k1", "sha256": "0" * 64}]
    (found,) = told("IL611", small(callers={"alice": caller(tokens=tokens)}))
    assert "names user `bob`, not `alice`, project `vault`, not `web`" in found.message


def test_an_image_fits_up_to_three_quarters_of_the_body():
    """Base64 writes three bytes as four characters."""

    def limits(largest):
        return small(settings={"body_limit": "8388608B", "images": {"max_bytes": f"{largest}B"}})

    assert told("IL661", limits(6_291_456)) == []
    assert len(told("IL661", limits(6_291_457))) == 1


def test_a_client_without_profile_is_known():
    assert told("IL302", small(callers={"alice": caller(clients=["curl"])})) == []
    assert len(told("IL302", small(callers={"alice": caller(clients=["curly"])}))) == 1


def test_unknown_evidence_of_a_bridge_is_shown_where_it_is_named():
    bridges = {"messages_to_chat": {"carry": ["stream"], "evidence": "nowhere"}}
    document = with_skin("chat", bridges=bridges)
    (found,) = told("IL302", document)
    assert at(document, found).startswith('"nowhere"')


def test_several_phases_without_targets_are_them():
    rules = {"rules": [{"phase": "plan", "last_user": "plan"},
                       {"phase": "test", "last_user": "test"}, {"phase": "rest"}]}  # fmt: skip
    phases = {"surfaces": ["chat"], "policy": {"kind": "phases"}, "phase_rules": "own"}
    for listed, ending in ((("rest",), "tells them"), (("plan", "rest"), "tells it")):
        document = small(
            groups={"g": {**phases, "phases": {phase: ["t"] for phase in listed}}},
            phase_rules={"own": rules},
        )
        (found,) = told("IL311", document)
        assert found.label.endswith(ending)


def test_who_comes_nearest_has_a_way_at_all():
    both = {
        "u": {"provider": "own", "model": "u", "skins": {"messages": skin()}},
        "t": {"provider": "own", "model": "t", "skins": {"chat": {"stream": "native"}}},
    }
    members = [{"target": "u"}, {"target": "t"}]
    document = small(targets=both, groups={"g": group(members=members, promise={"opencode": 1})})
    labels = {d.label for d in findings(document) if d.code == "IL401" and "/main" in d.message}
    assert labels == {"nearest is `t`: lacks-tools"}


def test_too_many_images_have_advice_of_their_own():
    sees = skin(input=["text", "image"], limits={"images": 0})
    promise = {"opencode": {"depth": 1, "shapes": ["image"]}}
    document = small(targets=targets(chat=sees), groups={"g": group(promise=promise)})
    (found,) = [d for d in findings(document) if d.code == "IL401"]
    assert found.hint == "raise the limit, or add a target with more room"


@pytest.mark.parametrize(("field", "value"), [("phases", {"rest": ["t"]}), ("phase_rules", "own")])
def test_a_field_of_another_policy_is_shown_at_its_name(field, value):
    rules = {"own": {"rules": [{"phase": "rest"}]}}
    document = small(groups={"g": group(**{field: value})}, phase_rules=rules)
    (found,) = told("IL310", document)
    assert at(document, found).startswith(f'"{field}"')


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_storing_is_a_matter_of_both_dialects_of_openai(dialect):
    assert told("IL626", with_skin(dialect, store="force_false")) == []


def test_storing_is_no_matter_of_messages():
    assert len(told("IL626", with_skin("messages", store="force_false"))) == 1


def test_a_word_of_a_list_of_tools_is_told_as_one():
    (found,) = told("IL626", with_skin("chat", tools=["function", "namespace"]))
    assert found.message == "the tool word `namespace` is not for a chat skin"


@pytest.mark.parametrize(
    "whose",
    [
        {"callers": {"alice": caller(limits="nowhere")}},
        {"projects": {"web": {"providers": ["own"], "limits": "nowhere"}}},
    ],
    ids=["caller", "project"],
)
def test_unknown_limits_are_called_what_they_are(whose):
    (found,) = told("IL302", small(**whose))
    assert found.message.startswith("there is no set of limits `nowhere`")


@pytest.mark.parametrize(("unsupported", "codes"), [("drop", []), ("refuse", ["IL405"])])
def test_a_condition_on_a_level_can_hold_where_a_level_may_be_dropped(unsupported, codes):
    document = small(
        groups={
            "g": group(
                members=[{"target": "t", "only_when": ["reasoning.high"]}],
                reasoning={"unsupported": unsupported},
            )
        },
    )
    assert [d.code for d in findings(document) if d.code == "IL405"] == codes
