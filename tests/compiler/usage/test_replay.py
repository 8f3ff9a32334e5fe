"""Recorded requests on an edited deployment."""

import json
import random

import pytest
from click.testing import CliRunner

from compiler.cli import main
from compiler.usage.replay import _shares
from runtime.vocabulary import FEATURES
from tests.compiler.usage.rows import BASE, asked, kept


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def edited(tmp_path):
    """The base deployment with a text replaced."""

    def write(old, new):
        text = BASE.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file = tmp_path / "edited.yaml"
        file.write_text(text.replace(old, new), encoding="utf-8")
        return file

    return write


def replayed(data, deployment):
    return json.loads(run("replay", data, deployment, "--format", "json").output)


def test_on_the_same_deployment_nothing_moves_and_nothing_is_lost(tmp_path):
    data = kept(tmp_path, asked(1), asked(2, plan=("gpt", "m3", "qwen"), target="gpt", cost=0.0225))
    ran = run("replay", data, BASE)
    assert ran.exit_code == 0
    assert ran.output.splitlines()[0] == (
        "2 recorded requests (2026-11-20); none would be lost; 0.0% would change their first "
        "target; $0.0267 -> $0.0267 (+0.0%)."
    )


def test_a_target_that_leaves_moves_its_sessions_to_their_next(tmp_path, edited):
    data = kept(tmp_path, asked(1), asked(2, plan=("gpt", "m3", "qwen"), target="gpt", cost=0.0225))
    told = replayed(data, edited("      - {target: m3, weight: 60}\n", ""))
    assert told["ways"] == [
        {
            "client": "aider",
            "group": "coder",
            "surface": "chat",
            "then": "m3",
            "now": "gpt",
            "requests": 1,
        }
    ]
    assert told["total"]["before"] == pytest.approx(0.0267)
    assert told["total"]["after"] == pytest.approx(0.0225 * 2)  # 10,000 in and 1,000 out at gpt


def test_a_request_that_nobody_takes_any_more_is_lost_with_its_reason(tmp_path, edited):
    big = {"cap": 20_000, "features": ("stream", "json.schema"), "plan": ("gpt",), "target": "gpt"}
    data = kept(tmp_path, asked(1), asked(2, **big))
    file = edited("      - {target: gpt, weight: 25}\n", "")
    told = replayed(data, file)
    assert told["total"]["lost"] == 1
    assert [lost["reason"] for lost in told["lost"]] == ["m3: lacks-json.schema"]
    assert run("replay", data, file).exit_code == 1


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "    surfaces: [responses, messages, chat]",
            "    surfaces: [responses, messages]",
            "surface-closed",
        ),
        ("    groups: [coder, deep]", "    groups: [deep]", "model-not-allowed"),
    ],
)
def test_what_is_closed_to_a_caller_is_lost(tmp_path, edited, old, new, reason):
    text = edited(old, new)
    told = replayed(kept(tmp_path, asked(1)), text)
    assert [lost["reason"] for lost in told["lost"]] == [reason]


def test_a_caller_who_is_gone_is_replaced_by_another_of_the_project(tmp_path):
    data = kept(tmp_path, asked(1, caller="carol"), asked(2, caller="dave", project="none"))
    told = replayed(data, BASE)
    assert [(lost["reason"], lost["requests"]) for lost in told["lost"]] == [("caller-gone", 1)]


def test_a_group_with_a_new_id_is_found_by_its_alias(tmp_path, edited):
    told = replayed(kept(tmp_path, asked(1, group="fast")), BASE)
    assert told["total"]["lost"] == 0


def test_what_nobody_could_answer_may_be_found(tmp_path):
    refused = {"plan": (), "attempts": (), "outcome": "error", "status": 400, "cost": None}
    data = kept(tmp_path, asked(1, code="no-eligible-target", **refused))
    told = replayed(data, BASE)
    assert (told["total"]["found"], told["total"]["lost"]) == (1, 0)


def test_a_new_price_shows_without_a_new_way(tmp_path, edited):
    data = kept(tmp_path, asked(1))
    told = replayed(
        data, edited("small: {input: 0.30, output: 1.20", "small: {input: 3, output: 12")
    )
    assert told["total"] == told["total"] | {"before": 0.0042, "after": 0.042, "moved": 0}


def test_answers_out_of_the_cache_and_refusals_before_routing_cost_nothing(tmp_path):
    hit = asked(1, cache="hit", cost=0.0, attempts=())
    stranger = asked(2, caller=None, user=None, project=None, group=None, plan=(), outcome="error")
    told = replayed(kept(tmp_path, hit, stranger), BASE)
    assert (told["total"]["requests"], told["total"]["before"]) == (1, 0.0)


def test_a_review_can_replay_the_rows_too(tmp_path, edited):
    data = kept(tmp_path, *(asked(n) for n in range(10)))
    file = edited("{target: m3, weight: 60}", "{target: m3, weight: 10}")
    text = run("diff", BASE, file, "--usage", data).output
    assert "10 recorded requests (2026-11-20); none would be lost" in text
    marked = run("diff", BASE, file, "--usage", data, "--format", "markdown").output
    assert "**Replay:** 10 recorded requests" in marked
    told = json.loads(run("diff", BASE, file, "--usage", data, "--format", "json").output)
    # of chat's m3 60, gpt 25, qwen 5 the first has 2/3, then 1/4 of the sessions
    assert told["replay"]["total"]["moved"] == pytest.approx(
        10 * (1 - (10 / 40) / (60 / 90)), abs=1e-4
    )
    assert "replay" not in json.loads(run("diff", BASE, file, "--format", "json").output)


def test_rows_are_sizes_and_the_output_says_so(tmp_path):
    assert (
        "Rows hold size classes, not sizes" in run("replay", kept(tmp_path, asked(1)), BASE).output
    )


def test_every_feature_word_of_a_row_is_known_to_the_replay(tmp_path):
    rows = (asked(n, features=(word,)) for n, word in enumerate(FEATURES))
    assert replayed(kept(tmp_path, *rows), BASE)["total"]["requests"] == len(FEATURES)


def test_shares_are_those_that_rendezvous_hashing_gives():
    """Against draws: weights change, a target leaves, one comes."""
    rng = random.Random(7)
    old, new = {"a": 60, "b": 25, "c": 15}, {"a": 10, "b": 40, "d": 20}
    expected, drawn, draws = dict.fromkeys("abd", 0.0), dict.fromkeys("abd", 0), 20_000
    for _ in range(draws):
        lots = {name: rng.random() for name in "abcd"}
        plan = sorted(old, key=lambda name: -(lots[name] ** (1 / old[name])))
        drawn[max(new, key=lambda name: lots[name] ** (1 / new[name]))] += 1
        for name, share in _shares(new, plan, old).items():
            expected[name] += share
    for name, count in drawn.items():
        assert expected[name] / draws == pytest.approx(count / draws, abs=0.06)


def test_a_feature_of_another_version_is_told_and_stops_nothing(tmp_path):
    data = kept(tmp_path, asked(1, features=("stream", "telepathy")), asked(2))
    told = replayed(data, BASE)
    assert (told["total"]["requests"], told["total"]["lost"]) == (2, 0)
    assert told["unknown_features"] == {"telepathy": 1}
    for form in ("text", "markdown"):
        output = run("replay", data, BASE, "--format", form).output
        assert "`telepathy`, needed by 1 of them, is unknown to this program" in output


def test_an_answer_whose_cost_was_never_known_is_counted_as_such(tmp_path):
    told = replayed(kept(tmp_path, asked(1), asked(2, cost=None)), BASE)
    assert told["total"]["unpriced"] == 1
    assert told["total"]["before"] == pytest.approx(0.0042)


def test_one_request_is_no_requests(tmp_path):
    assert run("replay", kept(tmp_path, asked(1)), BASE).output.startswith("1 recorded request (")


def test_figures_stand_below_each_other(tmp_path):
    rows = (asked(n, client="codex" if n else "aider") for n in range(12))
    lines = run("replay", kept(tmp_path, *rows), BASE).output.splitlines()
    head = next(line for line in lines if line.endswith("cost"))
    codex, aider = lines[lines.index(head) + 1 :][:2]
    end = head.index("requests") + len("requests")
    assert (codex[:end][-3:], aider[:end][-3:]) == (" 11", "  1")
