"""Which candidates a request gets, in which order, and why not the others."""

from __future__ import annotations

from collections import Counter

import pytest

from runtime.selection import MEMO_SIZE, choose, only_over_body, only_over_context
from runtime.vocabulary import (
    DOCUMENT,
    HIGH,
    IMAGE_INLINE,
    JSON_SCHEMA,
    LOW,
    MEDIUM,
    STREAM,
    TOOLS,
    Cap,
    Route,
    words,
)
from tests.runtime.selection.world import asks, cell, clamp, limit, route, skip, target


def names(choice):
    return [candidate.target_id for candidate in choice.order]


def reasons(choice):
    return {out.target: out.reasons for out in choice.excluded}


def test_ordered_members_are_tried_as_the_author_wrote_them():
    here = cell({"b": target(), "a": target(), "c": target()})
    assert names(choose(here, asks(), reach="all", session="any")) == ["b", "a", "c"]


def test_a_last_resort_comes_last_even_when_only_it_keeps_the_level():
    routes = [route("a", levels=HIGH, last_resort=True), route("b"), route("c", levels=HIGH)]
    here = cell({n: target() for n in "abc"}, routes, unsupported="drop")
    choice = choose(here, asks(STREAM | HIGH), reach="all")
    assert [(c.target_id, c.keep_level) for c in choice.order] == [
        ("c", True),
        ("b", False),
        ("a", True),
    ]


def test_a_group_that_refuses_leaves_out_who_cannot_think_so():
    routes = [route("a", levels=LOW), route("b", levels=LOW, mapped=HIGH)]
    here = cell({n: target() for n in "ab"}, routes)
    choice = choose(here, asks(STREAM | HIGH), reach="all")
    assert names(choice) == ["b"]
    assert reasons(choice) == {"a": ("lacks-reasoning.high",)}


def test_reasons_stand_in_the_order_they_are_judged():
    routes = [route("a", STREAM, only_when=IMAGE_INLINE)]
    here = cell({"a": target(cap=skip(10), limits=limit(body_bytes=5), context=7)}, routes)
    shape = asks(STREAM | TOOLS | JSON_SCHEMA, cap=11, input_tokens=8, body_bytes=6)
    assert reasons(choose(here, shape, reach="q")) == {
        "a": (
            "lacks-tools",
            "lacks-json.schema",
            "cap-above-max",
            "over-context",
            "over-body-bytes",
            "only-when-image.inline",
            "project-forbids-provider",
        )
    }


def test_what_a_bridge_carries_and_the_skin_lacks_is_the_skins_lack():
    bridged = Route("a", "messages", "chat_to_messages", IMAGE_INLINE, levels=LOW)
    a = target()
    a.skins["messages"] = a.skins["chat"]
    here = cell({"a": a}, [bridged])
    choice = choose(here, asks(TOOLS | 1 << 6 | MEDIUM), reach="all")
    assert reasons(choice)["a"] == (
        "bridge-lacks-tools",
        "lacks-image.url",
        "lacks-reasoning.medium",
    )


def test_only_the_first_path_that_fits_stands_in_the_plan():
    routes = [route("a", STREAM), route("a", STREAM | TOOLS)]
    here = cell({"a": target()}, routes)
    assert choose(here, asks(TOOLS), reach="all").order[0].route is routes[1]
    assert [c.route for c in choose(here, asks(), reach="all").order] == [routes[0]]


@pytest.mark.parametrize("asked", [None, 5, 10])
def test_a_cap_within_the_maximum_is_left_as_asked(asked):
    here = cell({"a": target(cap=clamp(10))})
    assert choose(here, asks(cap=asked), reach="all").order[0].cap is None


def test_a_clamped_cap_shrinks_to_the_maximum_and_to_what_the_context_leaves():
    here = cell({"a": target(cap=clamp(50), context=100)})
    assert choose(here, asks(cap=80), reach="all").order[0].cap == 50
    assert choose(here, asks(cap=80, input_tokens=70), reach="all").order[0].cap == 30
    assert choose(here, asks(cap=80, input_tokens=100), reach="all").order[0].cap == 1


def test_a_clamped_cap_never_falls_below_the_minimum():
    here = cell({"a": target(cap=Cap("max_tokens", min=16, over="clamp"), context=100)})
    assert choose(here, asks(cap=80, input_tokens=95), reach="all").order[0].cap == 16
    below = choose(here, asks(cap=15), reach="all")
    assert reasons(below) == {"a": ("cap-below-min",)}


def test_a_cap_above_the_maximum_takes_a_skipping_skin_out():
    here = cell({"a": target(cap=skip(10)), "b": target()})
    choice = choose(here, asks(cap=11), reach="all")
    assert names(choice) == ["b"]
    assert reasons(choice) == {"a": ("cap-above-max",)}


def test_caps_are_remembered_apart():
    here = cell({"a": target(cap=clamp(10)), "b": target(cap=skip(20))})
    seen = {cap: names(choose(here, asks(cap=cap), reach="all")) for cap in (5, 15, 25, 5, 15, 25)}
    assert seen == {5: ["a", "b"], 15: ["a", "b"], 25: ["a"]}


def test_a_session_always_finds_the_same_order_and_others_spread_by_weight():
    weights = {"a": 6, "b": 3, "c": 1}
    here = cell({n: target() for n in "abc"}, ranks=dict.fromkeys("abc", 0), weights=weights)
    firsts = Counter()
    for number in range(4000):
        order = names(choose(here, asks(), reach="all", session=f"s{number}"))
        assert order == names(choose(here, asks(), reach="all", session=f"s{number}"))
        firsts[order[0]] += 1
    shares = {name: count / 4000 for name, count in firsts.items()}
    assert shares == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.1}, abs=0.03)


def test_a_member_that_leaves_moves_only_its_own_sessions():
    every = {n: target() for n in "abcd"}
    ranks = dict.fromkeys("abcd", 0)
    here = cell(every, ranks=ranks)
    without = cell(every, [route(n) for n in "abc"], ranks=ranks)
    for number in range(300):
        before = names(choose(here, asks(), reach="all", session=str(number)))
        after = names(choose(without, asks(), reach="all", session=str(number)))
        assert after == [name for name in before if name != "d"]


def test_without_a_session_the_heaviest_comes_first():
    ranks, weights = dict.fromkeys("abc", 0), {"a": 1, "b": 5, "c": 1}
    here = cell({n: target() for n in "abc"}, ranks=ranks, weights=weights)
    assert names(choose(here, asks(), reach="all")) == ["b", "a", "c"]


def test_phases_order_by_their_own_list_and_default_to_the_one_that_catches_all():
    phases = {"plan": ("b", "a"), "edit": ("a",)}
    here = cell({n: target() for n in "ab"}, kind="phases", phases=phases, phase_default="edit")
    assert names(choose(here, asks(), reach="all", phase="plan")) == ["b", "a"]
    assert names(choose(here, asks(), reach="all")) == ["a"]
    assert reasons(choose(here, asks(), reach="all")) == {"b": ("not-in-phase",)}


def test_size_alone_is_told_apart_from_every_other_reason():
    both = {"a": target(context=10), "b": target(context=20), "c": target()}
    here = cell(both, [route("a"), route("b")])
    assert only_over_context(choose(here, asks(input_tokens=21), reach="all")) == 20
    assert only_over_context(choose(here, asks(input_tokens=20), reach="all")) is None
    lacking = choose(here, asks(STREAM | DOCUMENT, input_tokens=21), reach="all")
    assert only_over_context(lacking) is None


def test_a_target_without_a_window_counts_by_the_body_it_takes():
    """One fails by its window, the other by its body alone: the room told is one they have."""
    both = {"a": target(context=10), "b": target(limits=limit(body_bytes=400))}
    choice = choose(cell(both), asks(input_tokens=500, body_bytes=2000), reach="all")
    assert only_over_context(choice) == 100
    assert only_over_body(choice) is None


def test_only_paths_that_a_smaller_request_could_take_say_how_much_goes():
    routes = [route("a", STREAM | TOOLS), Route("a", "messages", "chat_to_messages", STREAM)]
    a = target(limits=limit(input_tokens=20))
    a.skins["messages"] = target().skins["chat"]
    choice = choose(cell({"a": a}, routes), asks(TOOLS, input_tokens=21), reach="all")
    assert reasons(choice) == {"a": ("over-input-tokens",)}
    assert only_over_context(choice) == 20


def test_why_targets_are_out_is_told_alike_whatever_was_asked_before():
    here = cell({"a": target("p"), "b": target("q")}, [route("a"), route("b")])
    first = choose(here, asks(DOCUMENT), reach="q")
    assert reasons(choose(here, asks(TOOLS | DOCUMENT), reach="all")) == {
        "a": ("lacks-document",),
        "b": ("lacks-document",),
    }
    assert reasons(first) == {
        "a": ("lacks-document", "project-forbids-provider"),
        "b": ("lacks-document",),
    }


def test_a_target_out_of_reach_has_no_say_in_what_failed():
    here = cell({"a": target("p", context=None), "b": target("q", context=20)})
    assert only_over_context(choose(here, asks(input_tokens=21), reach="q")) == 20


def test_a_body_over_every_limit_names_the_largest():
    here = cell(
        {n: target(limits=limit(body_bytes=size)) for n, size in (("a", 10), ("b", 30))},
    )
    choice = choose(here, asks(body_bytes=31), reach="all")
    assert only_over_body(choice) == 30
    assert only_over_context(choice) is None


def test_the_memo_stays_bounded_whatever_is_asked():
    here = cell({"a": target()})
    for needs in range(3 * MEMO_SIZE):
        choose(here, asks(needs), reach="all")
    assert len(here._memo) <= MEMO_SIZE


def test_words_come_in_the_order_of_the_vocabulary():
    assert words(HIGH | TOOLS | STREAM) == ["stream", "tools", "reasoning.high"]
