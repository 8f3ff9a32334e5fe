"""What single changes say, where an edit of the page does not show it."""

import re

import pytest

from compiler.review.compare import compare
from compiler.review.layout import Diff, headline
from compiler.review.markdown import cut, diff_markdown
from compiler.review.outage import outage
from compiler.review.words import sentence, where
from tests.compiler.review.cases import BASE, view

TEXT = BASE.read_text()


def changes(*edits, old=TEXT):
    new = TEXT
    for before, after in edits:
        assert before in new
        new = new.replace(before, after)
    return compare(view(old, "base.yaml")[0], view(new, "edited.yaml")[0])


def told(found, kind):
    return [sentence(change) for change in found if change.kind == kind]


def test_a_default_group_that_moves_takes_requests_without_a_model_along():
    found = changes(("default_group: coder", "default_group: deep"))
    assert told(found, "name-moved") == [
        "a request that names no model now leads to `deep`, was `coder`, for caller `alice`"
    ]
    assert told(found, "name-lost") == [
        "a request that names no model no longer leads to `coder`, for callers `bob`, `ci`"
    ]


def test_a_renamed_provider_reaches_nothing_new():
    found = changes(("minimax:", "mini:"), ("provider: minimax", "provider: mini"),
                    ("openai, minimax, gpu", "openai, mini, gpu"))  # fmt: skip
    assert [change.kind for change in found] == ["provider-renamed"]


def test_a_renamed_group_with_an_alias_loses_nothing():
    found = changes(
        ("  deep:\n", "  thinking:\n    aliases: [deep]\n"), ("[coder, deep]", "[coder, thinking]")
    )
    assert {change.kind for change in found} == {"group-renamed"}
    assert headline(Diff("a", "b", (), (), found)).startswith("Nothing is lost")


def test_a_caller_who_leaves_and_one_who_comes_are_told():
    found = changes(("  bob:\n    user: bob", "  eve:\n    user: eve"), ("base_bob", "base_eve"))
    assert told(found, "caller-removed") == ["`bob` is gone (group `coder`)"]
    assert told(found, "caller-added") == ["new caller `eve` of project `vault` (group `coder`)"]


def test_a_token_is_told_by_its_id_and_that_its_secret_changed():
    found = changes(("a0e4e0d92b5372e7", "b0e4e0d92b5372e7"))
    assert [sentence(change) for change in found] == [
        "token `rtr_base_bob_vault_prod_k1` has another secret"
    ]


def test_a_caller_without_a_token_yet_sees_changes_too():
    bare = re.sub(r"tokens:\n      - .*", "tokens: []", TEXT)
    found = compare(
        view(bare, "base.yaml")[0], view(bare.replace('["claude-*", fast]', "[fast]"), "b.yaml")[0]
    )
    assert told(found, "name-lost") == [
        "`claude-*` no longer leads to `coder`, for callers `alice`, `bob`, `ci`"
    ]


def test_a_first_token_opens_and_the_last_one_to_go_locks_out():
    token = next(line for line in TEXT.splitlines(keepends=True) if "rtr_base_bob" in line)
    bare = TEXT.replace(f"tokens:\n{token}", "tokens: []\n")
    assert told(changes((f"tokens:\n{token}", "tokens: []\n")), "caller-locked") == [
        "`bob` can no longer call: no live token"
    ]
    assert told(changes(old=bare), "caller-unlocked") == ["`bob` can now call (group `coder`)"]


def test_callers_alike_are_told_as_one():
    bare = re.sub(r"tokens:\n      - .*", "tokens: []", TEXT)
    assert told(compare(view(TEXT, "a")[0], view(bare, "b")[0]), "caller-locked") == [
        "callers `alice`, `bob`, `ci` can no longer call: no live token"
    ]
    later = changes(
        *((f"    user: {n}\n", f"    user: {n}\n    expires: 2026-11-01\n") for n in ("bob", "ci"))
    )
    assert told(later, "caller-locked") == [
        "callers `bob`, `ci` can no longer call: expired 2026-11-01"
    ]
    moved = changes(
        ("    project: web\n    env: ci", "    project: vault\n    env: ci"),
        ("ci_web_ci", "ci_vault_ci"),
    )
    assert told(moved, "caller-moved") == ["`ci` moves from project `web` to `vault`"]


def test_what_a_new_target_loses_on_the_way_is_told_with_it():
    found = changes(("unsupported: refuse", "unsupported: drop"))
    assert told(found, "answered")[0] == (
        "`gpt` answers what nobody did, but the asked reasoning level is dropped"
    )
    assert told(found, "answered")[1] == (
        "`m3`, `opus` answer what nobody did, but the asked reasoning level is dropped and the"
        " output cap is cut to 16384 tokens by `m3`; the asked reasoning level is dropped by `opus`"
    )


def test_a_caller_who_expires_by_the_day_is_locked_out():
    found = changes(("    user: ci\n", "    user: ci\n    expires: 2026-11-19\n"))
    assert told(found, "caller-locked") == ["`ci` can no longer call: expired 2026-11-19"]


def test_a_group_taken_from_a_caller_is_told_once():
    found = changes(("groups: [coder, deep]", "groups: [coder]"))
    assert told(found, "access-lost") == ["caller `alice` may no longer call `deep`"]
    assert not [change for change in found if change.kind.startswith("name-")]


def test_what_a_project_may_reach_but_does_not_yet_is_told_apart():
    spare = "https://vllm.base.example/v1, key_env: VLLM_KEY, region: onprem}"
    alps = "  alps: {base_url: https://alps.example/v1, key_env: ALPS_KEY}"
    allowed = "vault: {providers: [anthropic, gpu, alps]}"
    found = changes((spare, f"{spare}\n{alps}"), ("vault: {providers: [anthropic, gpu]}", allowed))
    assert told(found, "reach-allowed") == [
        "project `vault` may reach `alps` (`alps.example`), though no group leads there yet"
    ]
    assert not told(found, "reach-gained")


def test_an_own_bridge_instead_of_a_skin_is_a_change_on_the_way():
    skin = TEXT[
        TEXT.index(
            "      chat:\n        use: agent\n        structured: [json_object, json_schema]"
        ) :
    ]
    skin = skin[: skin.index("  m3:")]
    bridge = "        bridges: {chat_to_responses: {carry: [stream, tools, json.schema]}}\n"
    found = changes((skin, bridge))
    assert "`gpt` by responses by chat_to_responses, was chat" in told(found, "way")


def test_levels_lost_on_the_way_and_caps_that_shrink_are_findings_of_their_own():
    levels = changes(
        ("levels: [low, medium, high], echo", "levels: [low], map: {high: low, medium: low}, echo")
    )
    assert {c.finding for c in levels if c.kind == "loss"} == {"levels"}
    caps = changes(("max: 8192", "max: 4096"), old=TEXT)
    assert {c.finding for c in caps if c.kind == "loss"} <= {"lost"}
    wider = changes(("max: 8192", "max: 16384"))
    assert {c.finding for c in wider if c.kind == "loss"} <= {None}


@pytest.mark.parametrize("nasty", ["a`b", "<img src=x>", "@everyone", "x\\ny", "\\e[31mred"])
def test_a_value_of_the_yaml_stays_a_value_in_the_comment(nasty):
    found = changes(("title: Everyday coding", f'title: "{nasty}"'),
                    ("name: base", f'name: base\ndescription: "{nasty}"'))  # fmt: skip
    assert {change.kind for change in found} == {"title", "field"}
    comment = diff_markdown(Diff("a", "b", (), (), found))
    for row in comment.splitlines():
        assert row.count("`") % 2 == 0
        outside = "".join(row.split("`")[::2])
        assert "img" not in outside
        assert "@" not in outside
        assert row.isprintable()


def test_a_comment_too_long_for_a_pull_request_is_cut_with_every_fold_closed():
    text = "\n".join(["<details>", *["- a line of some length"] * 5000, "</details>"])
    short = cut(text)
    assert len(short) < 65_536
    assert short.count("<details>") == short.count("</details>") == 1
    assert "--format json" in short
    assert cut("short") == "short"


def test_many_groups_alike_are_one_line():
    groups = "".join(
        f"  g{n}:\n    surfaces: [messages]\n    members: [{{target: opus}}]\n" for n in range(50)
    )
    names = ", ".join(f"g{n}" for n in range(50))
    wide = TEXT.replace("limits:\n", f"{groups}limits:\n", 1).replace("[coder, deep]", f"[{names}]")
    new = wide.replace("image_sources: [url, inline]\n        structured: [json_schema]",
                       "image_sources: [url]\n        structured: [json_schema]")  # fmt: skip
    found = compare(view(wide, "base.yaml")[0], view(new, "edited.yaml")[0])
    (cut_off,) = [change for change in found if change.kind == "cut"]
    assert [where(scope) for scope in cut_off.scopes][1:] == [
        "claude-code/image on `g0`, `g1`, `g2`, `g3` and 46 more (Messages), project `web`"
    ]


def test_a_group_of_other_members_is_no_rename():
    deep = TEXT[TEXT.index("  deep:\n") : TEXT.index("limits:\n")]
    other = "  own:\n    surfaces: [chat]\n    members: [{target: qwen}]\n\n"
    found = changes((deep, other), ("[coder, deep]", "[coder, own]"))
    assert told(found, "group-removed") == ["group `deep` is gone, for caller `alice`"]
    assert told(found, "group-added") == ["new group `own` of `qwen`, for caller `alice`"]
    assert not told(found, "group-renamed")


def test_weights_in_the_same_proportion_change_no_order():
    found = changes(
        ("m3, weight: 60", "m3, weight: 120"),
        ("gpt, weight: 25", "gpt, weight: 50"),
        ("opus, weight: 15", "opus, weight: 30"),
        ("qwen, weight: 5", "qwen, weight: 10"),
    )
    assert {change.kind for change in found} == {"field"}


def test_a_promise_that_does_not_hold_as_it_is_falls_by_no_outage():
    broken, _ = view(TEXT.replace("codex: 1,", "codex: 2,"), "base.yaml")
    found = outage(broken, ["provider:minimax"])
    assert told(found.changes, "promise-broken") == ["promised 2 targets, and has 1 as it is"]
    assert not found.falls


def test_fields_are_named_as_the_yaml_names_them_whatever_a_group_is_called():
    old = TEXT.replace("deep", "deep.5")
    found = changes(
        ("deep", "deep.5"),
        ("kind: ordered, attempts: 2", "kind: ordered, attempts: 1"),
        ("default: 32000", "default: 16000"),
        old=old,
    )
    assert told(found, "field") == [
        "`targets.opus.skins.messages.output_cap.default`: `32000` → `16000`",
        "`groups.deep.5.policy.attempts`: `2` → `1`",
    ]


def test_limits_of_a_project_are_told():
    limited = TEXT.replace("web: {providers", "web: {limits: developer, providers")
    assert told(changes(("web: {providers", "web: {limits: developer, providers")), "field") == [
        "`projects.web.limits`: nothing → `developer`"
    ]
    back = compare(view(limited, "a")[0], view(TEXT, "b")[0])
    assert told(back, "field") == ["`projects.web.limits`: `developer` → nothing"]


PHASES = """
phase_rules:
  words:
    rules:
      - {phase: fix, last_user: 'bug|error', max_chars: 400}
      - {phase: work}
"""


def test_a_rule_that_moves_requests_to_another_phase_is_told():
    phased = TEXT.replace(
        "policy: {kind: ordered, attempts: 2, attempt_timeout: 90s, total_timeout: 180s}\n"
        "    members:\n      - {target: opus}\n      - {target: gpt}\n",
        "policy: {kind: phases, attempts: 2, attempt_timeout: 90s, total_timeout: 180s}\n"
        "    phase_rules: words\n    phases: {fix: [opus, gpt], work: [gpt, opus]}\n",
    )
    old = phased + PHASES
    found = compare(view(old, "a")[0], view(old.replace("bug|error", "bug"), "b")[0])
    assert [sentence(change) for change in found] == [
        "`phase_rules.words`: `fix: last_user bug|error, max_chars 400`"
        " → `fix: last_user bug, max_chars 400`"
    ]


def test_an_own_client_that_sends_something_else_is_told():
    own = "\nclients:\n  robot: {surface: chat, shapes: [{name: main, needs: [stream]}]}\n"
    old = TEXT + own
    found = compare(view(old, "a")[0], view(old.replace("[stream]", "[stream, tools]"), "b")[0])
    assert "`clients.robot`" in told(found, "field")[0]
    assert "main: stream tools" in told(found, "field")[0]
    assert told(compare(view(TEXT, "a")[0], view(old, "b")[0]), "added") == ["new `clients.robot`"]


def test_another_base_prompt_is_told_without_its_text():
    prompt = "    title: Hard problems\n    codex: {base_instructions: Think twice.}\n"
    found = changes(("    title: Hard problems\n", prompt))
    assert told(found, "catalog-prompt") == [
        "Codex is given another base prompt for `deep`, for caller `alice`"
    ]
    assert "Think twice" not in str(found)


def test_a_price_of_images_counts_in_the_worst_case():
    found = changes(("{input: 5.00,", "{image: 2.00, input: 5.00,"))
    worst = [change for change in found if change.kind == "worst-usd"]
    assert worst
    for change in worst:
        assert change.finding == "price"
        assert change.after[0] > 2.0 > change.before[0]


@pytest.mark.parametrize(("usd", "finding"), [(4, None), (9, "price")])
def test_a_first_price_of_image_tokens_is_told_beside_that_of_input(usd, finding):
    """Until then they cost as the rest of the prompt does."""
    found = changes(("{input: 5.00,", f"{{image_tokens: {usd}, input: 5.00,"))
    (price,) = [change for change in found if change.kind == "price"]
    assert (price.about, price.before, price.after) == ("image_tokens", (5.0,), (usd,))
    assert price.finding == finding
