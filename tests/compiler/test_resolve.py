"""How profiles merge, and what is written out where the author wrote nothing."""

import datetime as dt
from pathlib import Path

import pytest

from compiler.pipeline import compile_deployment, read_deployment
from runtime.vocabulary import Cap, Price, Reasoning, Timeouts

ROOT = Path(__file__).parents[2]
BASE = """\
interlock: 1
name: acme
providers:
  own: {base_url: https://api.example.com/v1/, key_env: OWN_KEY}
targets:
  small:
    provider: own
    model: qwen3-coder
    skins: {chat: {}}
groups:
  coder: {surfaces: [chat], members: [{target: small}]}
"""


def deployment(text):
    found, report = read_deployment(text, "x.yaml")
    assert found is not None, report.text()
    return found


def skin(profiles, chat, dialect="chat"):
    text = BASE.replace("{chat: {}}", f"{{{dialect}: {chat}}}") + f"profiles: {profiles}\n"
    return deployment(text).targets["small"].skins[dialect]


def test_later_profiles_win_over_earlier_and_the_skin_over_all():
    found = skin(
        "{a: {stream: none, prefill: true}, b: {stream: native, store: force_false}}",
        "{use: [a, b], store: pass}",
    )
    assert (found.stream, found.prefill, found.store) == ("native", True, "pass")


def test_mappings_merge_key_by_key_and_lists_replace():
    found = skin(
        "{a: {tools: [function, parallel], output_cap: {field: max_tokens, max: 9, over: clamp},"
        " reasoning: {control: effort, levels: [low], map: {high: low}}}}",
        "{use: a, tools: [function], output_cap: {max: 7}, reasoning: {map: {max: low}}}",
    )
    assert found.tools == ("function",)
    assert found.cap == Cap("max_tokens", max=7, over="clamp")
    assert found.reasoning == Reasoning(
        "effort", levels=("low",), map=(("high", "low"), ("max", "low"))
    )


def test_a_profile_may_use_profiles():
    found = skin("{base: {stream: native}, agent: {use: base, tools: [function]}}", "{use: agent}")
    assert (found.stream, found.tools) == ("native", ("function",))


def test_a_merged_skin_does_not_change_its_profile():
    text = (
        BASE.replace("{chat: {}}", "{chat: {use: a, output_cap: {max: 7}}, responses: {use: a}}")
        + "profiles: {a: {output_cap: {field: max_tokens, max: 9}}}\n"
    )
    skins = deployment(text).targets["small"].skins
    assert (skins["chat"].cap.max, skins["responses"].cap.max) == (7, 9)


@pytest.mark.parametrize(
    ("dialect", "path", "field"),
    [
        ("responses", "/responses", "max_output_tokens"),
        ("messages", "/messages", "max_tokens"),
    ],
)
def test_each_dialect_has_its_path_and_cap_field(dialect, path, field):
    found = skin("{}", "{output_cap: {max: 9}}", dialect)
    assert (found.path, found.cap.field) == (path, field)


@pytest.mark.parametrize(
    ("written", "turns"),
    [("{}", "fold"), ("{betas: pass}", "keep"), ("{betas: pass, system_turns: fold}", "fold")],
)
def test_system_turns_are_kept_by_default_only_where_all_betas_pass(written, turns):
    assert skin("{}", written, "messages").system_turns == turns


def test_defaults_are_written_out():
    found = deployment(BASE)
    provider = found.providers["own"]
    assert provider.base_url == "https://api.example.com/v1"
    assert provider.continuity == "own"
    assert provider.timeouts == Timeouts(3.0, 60.0, 300.0, 1800.0)
    group = found.groups["coder"]
    assert (group.title, group.kind, group.attempts) == ("coder", "ordered", 3)
    assert (group.sticky, group.cache, group.unsupported) == (True, False, "refuse")
    assert (found.settings.no_eligible_status, found.settings.keepalive) == (502, 15.0)
    assert found.settings.body_limit == 32 * 1024 * 1024


def test_cache_prices_default_to_the_price_of_input():
    found = deployment(BASE + "prices: {low: {input: 2, output: 3, cache_read: 0.5}}\n")
    assert found.prices["low"].price == Price(2.0, 3.0, 0.5, 2.0)


def test_the_newest_date_in_the_file_stands_in_for_as_of():
    text = BASE + "evidence: {a: {verified: 2026-01-02, by: x}, b: {verified: 2026-03-04, by: x}}\n"
    assert deployment(text).as_of == dt.date(2026, 3, 4)
    assert deployment("as_of: 2025-01-01\n" + text).as_of == dt.date(2025, 1, 1)


def test_members_of_a_phases_group_are_the_union_of_its_lists():
    found = deployment((ROOT / "deployments/acme.yaml").read_text())
    members = [member.target for member in found.groups["auto"].members]
    assert members == ["m3", "gpt", "sonnet", "opus"]


def test_a_project_is_narrowed_to_its_providers_of_its_regions():
    text = BASE.replace("OWN_KEY}", "OWN_KEY, region: us}\n  far: {base_url: x, region: eu}")
    found = deployment(text + "projects: {web: {}, vault: {regions: [us]}, eu: {regions: [eu]}}\n")
    assert found.projects["web"].providers == ("own", "far")
    assert found.projects["vault"].providers == ("own",)
    assert found.projects["eu"].providers == ("far",)


def test_levels_and_budgets_stand_in_the_order_of_the_levels():
    text = BASE + "reasoning: {levels: {high: H, low: L}, budgets: {max: 9, none: 1}}\n"
    found = deployment(text).settings
    assert (list(found.levels), list(found.budgets)) == (["low", "high"], ["none", "max"])


def test_what_the_author_wrote_is_told_from_defaults():
    found = deployment(BASE)
    assert found.written("groups", "coder", "members", 0, "target")
    assert not found.written("groups", "coder", "members", 0, "weight")
    assert not found.written("groups", "coder", "members", 1)
    assert not found.written("groups", "coder", "surfaces", "chat")


@pytest.mark.parametrize("name", ["acme", "demo"])
def test_the_deployments_of_this_repository_compile_with_warnings_only(name):
    plan, report = compile_deployment((ROOT / f"deployments/{name}.yaml").read_bytes(), name)
    assert plan is not None, report.text()


def test_the_acme_deployment_compiles_and_is_warned_of_no_field_it_writes():
    _, report = compile_deployment((ROOT / "deployments/acme.yaml").read_bytes(), "acme.yaml")
    assert report.clean
    assert {d.code[:3] for d in report.diagnostics} <= {"IL4", "IL5", "IL7"}
