"""Where a rule begins and where it ends: the last value it lets pass, every word it knows."""

from __future__ import annotations

import json

import pytest

from compiler.checks import check_deployment
from compiler.checks.keys import key_in_file
from compiler.diagnostics import Report
from compiler.source import read_yaml
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
    assert found.message == "`system_turns: keep` is not for a chat skin"


def test_docs_that_are_off_are_no_promise():
    assert told("IL708", small(settings={"docs": "off"})) == []
    assert len(told("IL708", small(settings={"docs": "public"}))) == 1


def test_tags_that_have_no_effect_yet_are_counted_where_they_are_several():
    one = targets(chat=skin())["t"]

    def message(count):
        some = {f"t{n}": {**one, "tags": ["fast"]} for n in range(count)}
        (found,) = told("IL711", small(targets=some))
        return found.message

    words = "`tags` is parsed and checked, but not in effect yet"
    assert message(1) == words
    assert message(2) == f"{words} (2 places)"
    assert message(3) == f"{words} (3 places)"


@pytest.mark.parametrize(
    ("alias", "hint"), [("g", "remove it"), ("h", "choose another alias")], ids=["own", "another's"]
)
def test_an_alias_that_is_an_id_is_to_go_or_to_change(alias, hint):
    document = small(groups={"g": group(aliases=[alias]), "h": group()})
    (found,) = told("IL305", document)
    assert found.hint == hint
    assert at(document, found).startswith(f'"{alias}"]')


@pytest.mark.parametrize(("field", "value"), [("map", {"high": "low"}), ("default", "low")])
def test_where_no_level_is_listed_none_is_there_to_choose(field, value):
    document = with_skin("chat", reasoning={"control": "effort", field: value})
    (found,) = told("IL623", document)
    assert found.message.endswith("not listed in `levels`")
    assert found.hint == "list it in `levels`"
    assert at(document, found).startswith('"low"')


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


def test_a_caller_of_smoke_groups_alone_does_not_end_the_search():
    smoke = group(purpose="smoke")
    document = small(
        groups={"g": group(), "s": smoke},
        callers={"ci": caller(groups=["s"]), "alice": caller(groups=["g", "s"])},
    )
    (found,) = told("IL313", document)
    assert found.message == "`alice` has production groups and the smoke group `s`"
    assert at(document, found).startswith('"s"')


def test_an_unsafe_set_of_rules_does_not_spare_the_examples_of_the_next():
    wrong = {"rules": [{"phase": "rest"}, {"phase": "plan"}], "examples": {"Plan it": "plan"}}
    unsafe = {"rules": [{"phase": "plan", "last_user": "(a+)+"}, {"phase": "rest"}],
              "examples": {"Plan it": "plan"}}  # fmt: skip
    document = small(phase_rules={"unsafe": unsafe, "wrong": wrong})
    (found,) = told("IL653", document)
    assert found.message == "this example is in the phase `rest`, not `plan`"
    assert at(document, found).startswith('"plan"}')


def test_a_key_that_looks_like_a_credential_is_shown_itself():
    text = "providers:\n  own:\n    headers:\n      sk-ant-aaaaaaaaaaaa: words\n"
    found = list(key_in_file(read_yaml(text, "keys.yaml", Report())))
    assert [(f.at.line, f.at.column, f.message) for f in found] == [
        (4, 7, "`this key` holds what looks like an Anthropic key")
    ]


def test_a_credential_in_a_comment_is_kept_from_every_line_that_is_quoted():
    text = "interlock: 1  # once sk-ant-aaaaaaaaaaaa, now in the environment\n"
    (found,) = key_in_file(read_yaml(text, "keys.yaml", Report()))
    assert (found.at.line, found.at.column, found.at.width) == (1, 22, 19)
    assert found.secret == "sk-ant-aaaaaaaaaaaa"
    assert found.message == "this line holds what looks like an Anthropic key"


@pytest.mark.parametrize("field", ["sha256", "key_env", "key_file", "key_id"])
def test_a_digest_and_the_name_of_a_key_are_no_credentials(field):
    text = f"{field}: Zk3uW9qLx2Rt8vYb5Nc7Hd1Mf6Pg4Js0\n"
    assert list(key_in_file(read_yaml(text, "keys.yaml", Report()))) == []


def test_only_the_groups_that_use_a_provider_say_how_long_it_is_waited_for():
    both = {
        "t": {"provider": "own", "model": "m", "skins": {"chat": skin()}},
        "u": {"provider": "far", "model": "u", "skins": {"chat": skin()}},
    }
    waits = {"first_byte": "50s"}
    document = small(
        providers={name: {"base_url": f"https://{name}.example/v1", "key_env": "KEY",
                          "timeouts": waits} for name in ("own", "far")},
        targets=both,
        groups={
            "g": group(policy={"kind": "ordered", "attempt_timeout": "40s"}),
            "h": group(policy={"kind": "ordered", "attempt_timeout": "50s"},
                       members=[{"target": "u"}]),
        },
    )  # fmt: skip
    (found,) = told("IL647", document)
    assert found.message == (
        "`own` waits 50s for the first byte, and no group waits longer than 40s for an attempt"
    )
    assert at(document, found).startswith('"50s"')


@pytest.mark.parametrize("field", ["requests", "tokens", "usd"])
def test_no_day_holds_more_than_its_month(field):
    def limits(day):
        return small(limits={"dev": {"day": {field: day}, "month": {field: 9}}})

    assert told("IL616", limits(9)) == []
    (found,) = told("IL616", limits(10))
    assert found.message == f"a day of `dev` holds more {field} (10) than its month (9)"
    assert at(limits(10), found).startswith("10}")


SAYS, OTHER = {"last_user": "crash"}, {"last_user": "fail"}
TOOLS, SHORT, LONG = {"after_tools": True}, {"max_chars": 9}, {"min_input_tokens": 9}


@pytest.mark.parametrize(
    ("earlier", "row", "says"),
    [
        (SAYS, SAYS, True),
        (SAYS, SAYS | SHORT, True),
        (SAYS, SAYS | TOOLS, True),
        (SAYS, OTHER, False),
        (SAYS, TOOLS, False),
        (TOOLS, TOOLS | SAYS, True),
        (TOOLS, {"after_tools": False}, False),
        (TOOLS, SAYS, False),
        (SAYS | TOOLS, SAYS, False),
        (SHORT, SAYS | SHORT, True),
        (SHORT, SAYS | {"max_chars": 8}, True),
        (SHORT, SAYS | {"max_chars": 10}, False),
        (SHORT, SAYS, False),
        ({"max_chars": 4000}, SAYS, False),
        (LONG, SAYS | LONG, True),
        (LONG, SAYS | {"min_input_tokens": 10}, True),
        (LONG, SAYS | {"min_input_tokens": 8}, False),
        (LONG, SAYS, False),
        ({"min_input_tokens": 1}, SAYS, False),
    ],
)
def test_a_rule_is_shadowed_by_one_that_asks_for_no_more(earlier, row, says):
    rows = [{"phase": "plan", **earlier}, {"phase": "test", **row}, {"phase": "rest"}]
    document = small(phase_rules={"own": {"rules": rows}})
    found = told("IL652", document)
    assert [d.message for d in found] == (
        ["this rule never counts: rule 1 holds whenever it does"] if says else []
    )
    assert all(at(document, d).startswith('{"phase": "test"') for d in found)


def test_budgets_rise_from_the_first_token():
    assert told("IL660", small(reasoning={"budgets": {"low": 1, "high": 2}})) == []
    document = small(reasoning={"budgets": {"low": 1, "high": 1}})
    (found,) = told("IL660", document)
    assert found.message == "the budget of `high` (1) is not above that of `low` (1)"
    assert at(document, found).startswith("1}")


@pytest.mark.parametrize(
    "url",
    [
        "https://own.example/v1?x=1",
        "https://own.example/v1#x",
        "https://own.example\\v1",
        "https://me@own.example/v1",
        "https://own.example/%76",
        "https://own.example/./v1",
        "https://own.example/..",
        "https://own.example//v1",
        "https://own.example:123456/v1",
        "https:///v1",
        "https://own.example/v 1",
        "ftp://own.example/v1",
    ],
)
def test_a_url_that_two_readers_may_take_in_two_ways_is_refused_even_inside(url):
    own = {"base_url": url, "auth": "none", "allow_http": True}
    (found,) = told("IL602", small(providers={"own": own}))
    assert found.message == "the base URL of `own` is not a plain URL"
    assert [d.message for d in told("IL603", small(public_url=url))] == [
        "`public_url` is not a plain URL"
    ]


def test_a_good_url_does_not_end_the_search_for_bad_ones():
    good = {"base_url": "https://own.example/v1", "key_env": "KEY"}
    hosts = {"own": good, "far": {**good, "base_url": "far.example"}}
    (found,) = told("IL602", small(providers=hosts))
    assert found.message == "the base URL of `far` is not a plain URL"


@pytest.mark.parametrize(
    "url", ["http://[::1]:8000/v1", "http://gpu-1_a:65535", "https://own.example/a/..b/.c"]
)
def test_a_plain_url_may_lead_into_the_own_network(url):
    own = {"base_url": url, "auth": "none", "allow_http": True}
    assert told("IL602", small(providers={"own": own})) == []
