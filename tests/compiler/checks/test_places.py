"""Where a finding is shown and what it calls the thing: a table for every kind of field."""

from __future__ import annotations

import json

import pytest

from compiler.checks import check_deployment
from compiler.pipeline import read_deployment
from tests.compiler.answers.test_findings import BAD, targets
from tests.compiler.build.worlds import caller, findings, group, planned, skin, small
from tests.compiler.checks.test_edges import at, told, with_skin

RULES = {"own": {"rules": [{"phase": "rest"}]}}
PHASES = {"surfaces": ["chat"], "policy": {"kind": "phases"}, "phase_rules": "own"}
# Every field that names something, with a name that leads nowhere -> what it is called.
NOWHERE = {
    "default_group": ("group", small(default_group="nowhere")),
    "target.provider": (
        "provider",
        small(targets={"t": {"provider": "nowhere", "model": "m", "skins": {"chat": skin()}}}),
    ),
    "target.price": (
        "price",
        small(
            targets={
                "t": {"provider": "own", "price": "nowhere", "model": "m", "skins": {"chat": {}}}
            }
        ),
    ),
    "profile.use": (
        "profile",
        small(profiles={"p": {"use": "nowhere"}}, targets=targets(chat=skin(use="p"))),
    ),
    "profile.evidence": (
        "evidence",
        small(profiles={"p": {"evidence": "nowhere"}}, targets=targets(chat=skin(use="p"))),
    ),
    "skin.use": ("profile", with_skin("chat", use=["nowhere"])),
    "skin.evidence": ("evidence", with_skin("chat", evidence="nowhere")),
    "member.target": (
        "target",
        small(groups={"g": group(members=[{"target": "t"}, {"target": "nowhere"}])}),
    ),
    "group.phases": (
        "target",
        small(groups={"g": {**PHASES, "phases": {"rest": ["t", "nowhere"]}}}, phase_rules=RULES),
    ),
    "group.phase_rules": (
        "set of phase rules",
        small(groups={"g": {**PHASES, "phases": {"rest": ["t"]}, "phase_rules": "nowhere"}}),
    ),
    "group.baseline": ("target", small(groups={"g": group(baseline="nowhere")})),
    "group.promise": (
        "client with a profile",
        small(groups={"g": group(promise={"nowhere": 1})}),
    ),
    "project.providers": (
        "provider",
        small(projects={"web": {"providers": ["own", "nowhere"]}}),
    ),
    "project.limits": (
        "set of limits",
        small(projects={"web": {"providers": ["own"], "limits": "nowhere"}}),
    ),
    "caller.project": ("project", small(callers={"alice": caller(project="nowhere")})),
    "caller.groups": ("group", small(callers={"alice": caller(groups=["g", "nowhere"])})),
    "caller.limits": ("set of limits", small(callers={"alice": caller(limits="nowhere")})),
    "caller.clients": ("client", small(callers={"alice": caller(clients=["aider", "nowhere"])})),
}


@pytest.mark.parametrize("field", NOWHERE)
def test_a_name_that_leads_nowhere_is_shown_where_it_stands(field):
    kind, document = NOWHERE[field]
    (found,) = told("IL302", document)
    assert found.message == f"there is no {kind} `nowhere`"
    assert at(document, found).startswith('"nowhere"')


# Every section of which something may be forgotten, with an entry that nothing names.
FORGOTTEN = {
    "providers": {"base_url": "https://left.example/v1", "auth": "none"},
    "prices": {"input": 1, "output": 2},
    "profiles": {"stream": "native"},
    "phase_rules": {"rules": [{"phase": "rest"}]},
    "limits": {"rpm": 1},
    "projects": {"providers": ["own"]},
    "evidence": {"verified": "2026-11-20", "by": "smoke run"},
    "clients": {"surface": "chat", "shapes": [{"name": "main"}]},
}


@pytest.mark.parametrize("section", FORGOTTEN)
def test_what_nothing_names_is_shown_at_its_name(section):
    there = small().get(section, {})
    document = small(**{section: {**there, "left": FORGOTTEN[section]}})
    (found,) = told("IL320", document)
    assert found.message == f"nothing uses `left` of `{section}`"
    assert at(document, found).startswith('"left"')


@pytest.mark.parametrize(
    "user",
    [
        {"callers": {"alice": caller(clients=["left"])}},
        {"groups": {"g": group(promise={"left": 1})}},
    ],
    ids=["a caller", "a promise"],
)
def test_an_own_client_is_used_by_whoever_names_it(user):
    assert told("IL320", small(clients={"left": FORGOTTEN["clients"]}, **user)) == []


@pytest.mark.parametrize(
    ("fields", "place", "message", "hint"),
    [
        ({"min": 9, "max": 8}, "9", "the smallest cap (9) is above the largest (8)", "swap them"),
        ({"max": 8, "default": 9}, "9}", "the default cap (9) is above `max` (8)", "lower it"),
        ({"min": 9, "default": 8}, "8}", "the default cap (8) is below `min` (9)", "raise it"),
    ],
)
def test_numbers_of_a_cap_that_contradict_are_told_with_both(fields, place, message, hint):
    document = with_skin("chat", output_cap={"field": "max_tokens", **fields})
    (found,) = told("IL620", document)
    assert (found.message, found.hint) == (message, hint)
    assert at(document, found).startswith(place)


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("Authorization", "use `auth` and `key_env`"),
        ("X-Api-Key", "use `auth: x-api-key` and `key_env`"),
        ("Anthropic-Beta", "use the `betas` of a Messages skin"),
        (
            "X-Team",
            "allowed are HTTP-Referer, X-Title, User-Agent, OpenAI-Organization, OpenAI-Project",
        ),
    ],
)
def test_a_header_that_may_not_travel_has_a_place_of_its_own(header, hint):
    headers = {"X-Title": "Small", header: "words"}
    own = {"base_url": "https://own.example/v1", "key_env": "OWN_KEY", "headers": headers}
    document = small(providers={"own": own})
    (found,) = told("IL604", document)
    assert (found.message, found.hint) == (f"`{header}` is no attribution header", hint)
    assert at(document, found).startswith(f'"{header}"')


@pytest.mark.parametrize(
    ("word", "field", "value", "dialect", "belongs"),
    [
        ("the tool word `custom`", "tools", ["custom"], "messages", "responses and chat"),
        ("the tool word `namespace`", "tools", ["function", "namespace"], "chat", "responses"),
        ("`json_object`", "structured", ["json_object"], "messages", "responses and chat"),
        ("`audio`", "input", ["text", "audio"], "messages", "responses and chat"),
        ("`logprobs`", "extras", ["logprobs"], "messages", "responses and chat"),
        ("the tool word `namespace`", "tools", ["function", "namespace"], "messages", "responses"),
        ("`multiple`", "extras", ["multiple"], "responses", "chat"),
        ("`multiple`", "extras", ["multiple"], "messages", "chat"),
        ("`prefill`", "prefill", True, "responses", "messages and chat"),
        ("`betas`", "betas", ["effort-2025-11-24"], "chat", "messages"),
        ("`stateful`", "stateful", True, "chat", "responses"),
        ("`store`", "store", "force_false", "messages", "responses and chat"),
    ],
)  # fmt: skip
def test_what_a_dialect_does_not_know_is_told_with_those_that_do(
    word, field, value, dialect, belongs
):
    (found,) = told("IL626", with_skin(dialect, **{field: value}))
    assert found.message == f"{word} is not for a {dialect} skin"
    assert found.hint == f"remove it; it belongs to {belongs}"


def test_schemas_without_tools_are_shown_at_the_word_about_schemas():
    document = with_skin("chat", tools=[], tool_schemas="basic")
    (found,) = told("IL628", document)
    assert at(document, found).startswith('"tool_schemas"')


def test_a_bridge_without_evidence_is_named_and_shown():
    bridges = {"messages_to_chat": {"carry": ["stream"]}}
    document = with_skin("chat", evidence="run", bridges=bridges)
    document |= {
        "settings": {"evidence": {"require": True}},
        "evidence": {"run": FORGOTTEN["evidence"]},
    }
    (found,) = told("IL643", document)
    assert found.message == (
        "`messages_to_chat` to `t` names no evidence, and `settings.evidence.require` asks for it"
    )
    assert at(document, found).startswith('"messages_to_chat"')


def test_a_file_without_any_date_says_so():
    document = small()
    del document["as_of"]
    (found,) = told("IL646", document)
    assert found.message == "there is no `as_of`; there is no date in the file either"


@pytest.mark.parametrize(
    ("waits", "told_of"),
    [
        ({"idle": "9s", "total": "8s"}, "`idle` (9s) of `own` is longer than `total` (8s)"),
        (
            {"first_byte": "9s", "total": "8s"},
            "`first_byte` (9s) of `own` is longer than `total` (8s)",
        ),
        (
            {"connect": "9s", "first_byte": "8s"},
            "`connect` (9s) of `own` is longer than `first_byte` (8s)",
        ),
        ({"idle": "9000s"}, "`idle` (9000s) of `own` is longer than `total` (1800s, its default)"),
    ],
)
def test_waits_are_told_with_both_numbers_and_a_default_as_one(waits, told_of):
    own = {"base_url": "https://own.example/v1", "key_env": "OWN_KEY", "timeouts": waits}
    document = small(providers={"own": own})
    (found,) = told("IL606", document)
    assert found.message == told_of
    assert at(document, found).startswith(f'"{next(iter(waits.values()))}"')


def test_a_cooldown_that_shrinks_is_told():
    own = {"base_url": "https://own.example/v1", "key_env": "OWN_KEY"}
    document = small(providers={"own": {**own, "cooldown": {"base": "9s", "max": "8s"}}})
    (found,) = told("IL606", document)
    assert found.message == "`base` (9s) of `own` is longer than `max` (8s)"
    assert at(document, found).startswith('"9s"')


@pytest.mark.parametrize(
    ("part", "value"), [("user", "bob"), ("project", "vault"), ("env", "prod")]
)
def test_each_part_of_a_token_id_is_held_against_its_callers(part, value):
    parts = {"user": "alice", "project": "web", "env": "dev", part: value}
    tokens = [{"id": f"rtr_small_{'_'.join(parts.values())}_k1", "sha256": "0" * 64}]
    document = small(callers={"alice": caller(tokens=tokens)})
    (found,) = told("IL611", document)
    own = {"user": "alice", "project": "web", "env": "dev"}[part]
    assert found.message == f"this token id of `alice` names {part} `{value}`, not `{own}`"
    assert at(document, found).startswith('"rtr_small_')


@pytest.mark.parametrize(("field", "called"), [("id", "id"), ("sha256", "digest")])
def test_a_token_that_stands_twice_is_shown_at_what_is_the_same(field, called):
    first = {"id": "rtr_small_alice_web_dev_k1", "sha256": "1" * 64}
    second = {"id": "rtr_small_alice_web_dev_k2", "sha256": "2" * 64, field: first[field]}
    document = small(callers={"alice": caller(tokens=[first, second])})
    (found,) = told("IL612", document)
    assert found.message == f"another token of `alice` has this {called}"
    assert at(document, found).startswith(f'"{first[field]}"')


@pytest.mark.parametrize(
    ("regions", "hint"),
    [({}, "no provider has a region"), ({"region": "us"}, "the providers are in `us`")],
    ids=["none", "some"],
)
def test_a_project_that_reaches_nobody_is_told_what_regions_there_are(regions, hint):
    own = {"base_url": "https://own.example/v1", "key_env": "OWN_KEY", **regions}
    document = small(providers={"own": own}, projects={"web": {"regions": ["eu"]}})
    (found,) = told("IL314", document)
    assert (found.message, found.hint) == ("`web` may reach no provider", hint)
    assert at(document, found).startswith('"web": {"regions"')


def test_a_reach_alone_is_no_use_of_a_provider():
    two = {name: {"base_url": f"https://{name}.example/v1", "key_env": "KEY"}
           for name in ("own", "left")}  # fmt: skip
    document = small(providers=two, projects={"web": {"providers": ["own", "left"]}})
    (found,) = told("IL320", document)
    assert found.message == "nothing uses `left` of `providers`"


@pytest.mark.parametrize(
    ("section", "entry", "field"),
    [
        ("evidence", {"verified": "2026-11-20", "by": "smoke run"}, "verified"),
        ("prices", {"input": 1, "output": 2, "source": "page", "as_of": "2026-11-20"}, "as_of"),
    ],
)
def test_what_is_dated_after_the_day_of_the_file_is_shown_at_its_date(section, entry, field):
    text = json.dumps(small(as_of="2026-11-19", **{section: {"run": entry}}))
    text = text.replace('"2026-11-20"', "2026-11-20").replace('"2026-11-19"', "2026-11-19")
    deployment, report = read_deployment(text, "small.yaml")
    check_deployment(deployment, report)
    (found,) = [d for d in report.diagnostics if d.code == "IL645"]
    assert found.message == "`run` is dated 2026-11-20, after `as_of: 2026-11-19`"
    assert text[: found.at.column - 1].endswith(f'"{field}": ')


@pytest.mark.parametrize("way", ["drop", "patch"])
def test_the_field_of_a_cap_is_the_routers_own(way):
    touched = {"drop": ["max_completion_tokens"], "patch": {"max_completion_tokens": 1}}[way]
    capped = {"output_cap": {"field": "max_completion_tokens", "max": 9}}
    document = with_skin("chat", **{way: touched}, **capped)
    (found,) = told("IL627", document)
    verb = {"drop": "dropped", "patch": "patched"}[way]
    assert found.message == f"`max_completion_tokens` cannot be {verb}: the router writes it"
    assert at(document, found).startswith('"max_completion_tokens"')
    assert told("IL627", with_skin("chat", **{way: touched})) == []


# --- over a plan -------------------------------------------------------------------------------


def test_a_target_of_phases_that_never_answers_is_shown_at_the_phases():
    two = {**targets(chat=skin()), "u": {"provider": "own", "model": "u",
                                         "skins": {"messages": skin()}}}  # fmt: skip
    document = small(
        targets=two, phase_rules=RULES, groups={"g": {**PHASES, "phases": {"rest": ["t", "u"]}}}
    )
    (found,) = [d for d in findings(document) if d.code == "IL405"]
    assert found.message == "`u` can never answer in `g`"
    assert at(document, found).startswith('"phases": {"rest"')


def test_a_list_that_is_too_large_is_shown_at_the_groups_of_its_caller():
    document = BAD["IL408"]
    (found,) = [d for d in findings(document) if d.code == "IL408"]
    assert at(document, found).startswith('"groups": ["g0", "g1"')
    size, more = (int(word) for word in found.message.split() if word.isdigit())
    assert size - more == 1024 * 1024


def test_projects_with_one_reach_are_named_together_up_to_three():
    names = ["web", "vault", "lab", "shop", "desk"]

    def said(count):
        people = {
            name: caller(user=name, project=name, tokens=[
                {"id": f"rtr_small_{name}_{name}_dev_k1", "sha256": f"{place:064}"}])
            for place, name in enumerate(names[:count])
        }  # fmt: skip
        document = small(
            projects={name: {"providers": ["own"]} for name in names[:count]},
            callers=people,
            groups={"g": group(promise={"roo": 2})},
        )
        (found,) = [d for d in findings(document) if d.code == "IL401"]
        return found.message.split("within reach of ")[1]

    assert said(1) == "project `web`"
    assert said(2) == "projects `web`, `vault`"
    assert said(3) == "projects `web`, `vault`, `lab`"
    assert said(4) == "projects `web`, `vault`, `lab` and 1 more"
    assert said(5) == "projects `web`, `vault`, `lab` and 2 more"


def test_a_list_of_a_mebibyte_is_read_and_one_byte_more_is_not():
    def document(left):
        words = [190_000] * 5 + [left]
        return small(
            targets=targets(responses=skin()),
            groups={f"g{n}": group(surfaces=["responses"], codex={"base_instructions": "x" * size})
                    for n, size in enumerate(words)},
            callers={"alice": caller(groups=[f"g{n}" for n in range(len(words))])},
        )  # fmt: skip

    (listing,) = planned(document(1)).listings.values()
    left = 1024 * 1024 - len(listing.text.encode()) + 1
    assert [d for d in findings(document(left)) if d.code == "IL408"] == []
    (found,) = [d for d in findings(document(left + 1)) if d.code == "IL408"]
    assert found.message == (
        "the model list of `alice` has 1048577 bytes, 1 more than clients read"
    )


def test_a_member_without_a_way_is_told_what_itself_lacks():
    some = {
        **targets(chat=skin(), messages=skin(output_cap={"max": 64000})),
        "u": {"provider": "own", "model": "u", "skins": {"messages": skin()}},
    }
    members = [{"target": "t", "skins": ["messages"]}, {"target": "u"}]
    document = small(targets=some, groups={"g": group(members=members)})
    labels = [d.label for d in findings(document) if d.code == "IL405"]
    assert labels == [
        "the member leaves its Chat skin out",
        "no Chat skin, no bridge from Chat",
    ]


FIELD = {"field": "max_tokens"}
EFFORT = {"control": "effort", "levels": ["low"]}
# Fields of a chat skin that their neighbours rule out -> where and what is told.
IDLE = [
    ({"image_sources": ["url"]}, '"image_sources"', "`image_sources` has no effect: `image` is"),
    (
        {"output_cap": {**FIELD, "over": "clamp"}},
        '"over"',
        "`over` has no effect: the cap has no `max`",
    ),
    (
        {"output_cap": {**FIELD, "over": "skip"}},
        '"over"',
        "`over` has no effect: the cap has no `max`",
    ),
    (
        {"output_cap": {**FIELD, "max": 9, "default": 9}},
        '"default"',
        "`default` has no effect: a chat request may come without a cap",
    ),
    ({"system_turns": "fold"}, '"system_turns"', "`system_turns` has no effect on a chat skin"),
    (
        {"reasoning": {**EFFORT, "min_budget": 9}},
        '"min_budget"',
        "`min_budget` has no effect with `control: effort`",
    ),
    (
        {"reasoning": {**EFFORT, "max_budget": 9}},
        '"max_budget"',
        "`max_budget` has no effect with `control: effort`",
    ),
]


@pytest.mark.parametrize(("fields", "place", "message"), IDLE)
def test_a_field_that_its_neighbours_rule_out_is_shown_at_its_name(fields, place, message):
    document = with_skin("chat", **fields)
    (found,) = told("IL324", document)
    assert found.message.startswith(message)
    assert at(document, found).startswith(place)


def test_a_cap_without_a_largest_value_skips_nothing_and_clamps_to_the_context():
    def document(over):
        made = with_skin("chat", output_cap={**FIELD, "over": over})
        made["targets"]["t"]["context"] = 9000
        return made

    assert told("IL324", document("clamp")) == []
    assert len(told("IL324", document("skip"))) == 1


def test_a_default_group_nobody_has_is_shown_at_its_value():
    two = {"g": group(), "h": group()}
    document = small(groups=two, default_group="h")
    (found,) = told("IL323", document)
    assert found.message == "no caller has the default group `h`"
    assert at(document, found).startswith('"h"}')
