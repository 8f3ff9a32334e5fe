"""The candidates of one request; what requests share: places and further attempts."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.runtime.availability.world import KINDS, World, limited, provider, server


def held(stack: ExitStack, world: World, *order: str, count: int, failing: int = 0):
    """Requests under way, each after so many failed attempts."""
    open_ = [stack.enter_context(world.turns(*order)) for _ in range(count)]
    for turns in open_:
        turns.next()
        for _ in range(failing):
            turns.failed(KINDS["client"])
            turns.next()
    return open_


def test_each_candidate_is_asked_once_in_order():
    world = World()
    asked = []
    with world.turns("a", "b", "c") as turns:
        while (candidate := turns.next()) is not None:
            asked.append(candidate.target_id)
            turns.failed(server())
    assert asked == ["a", "b", "c"]


@pytest.mark.parametrize("attempts", [1, 2])
def test_no_more_are_asked_than_the_group_allows(attempts: int):
    world = World()
    with world.turns("a", "b", "c", attempts=attempts) as turns:
        for _ in range(attempts):
            assert turns.next() is not None
            turns.failed(server())
        assert turns.next() is None


def test_a_target_that_rests_is_replaced_by_its_next_and_comes_back_after():
    """What a session of a sticky group sees: its own order without the one that rests."""
    world = World()
    assert world.first("mine", "second", "third") == "mine"
    world.fail("mine", times=3)
    assert world.first("mine", "second", "third") == "second"
    world.clock.pass_(1000)
    assert world.first("mine", "second", "third") == "mine"


# --- further attempts --------------------------------------------------------------------------


def test_a_few_further_attempts_at_once_are_always_allowed():
    world = World()
    with ExitStack() as stack:
        held(stack, world, "a", "b", count=3, failing=1)
        (fourth,) = held(stack, world, "a", "b", count=1)
        fourth.failed(server())
        assert fourth.next() is None
        assert world.availability.snapshot().retrying == 3
        assert world.availability.snapshot().denied == 1
    assert world.availability.snapshot() == ({}, {"p": 0}, 0, 0, 1)


@pytest.mark.parametrize("requests", [15, 50, 100])
def test_of_many_requests_a_fifth_may_be_at_a_further_attempt(requests: int):
    world = World()
    with ExitStack() as stack:
        for turns in held(stack, world, "a", "b", count=requests):
            turns.failed(KINDS["client"])
            turns.next()
        assert world.availability.snapshot().retrying == requests // 5


def test_a_further_attempt_that_leads_to_content_is_none_any_more():
    """Else a long stream that was a fallback would keep others from theirs."""
    world = World()
    with ExitStack() as stack:
        for turns in held(stack, world, "a", "b", count=3, failing=1):
            turns.committed()
        assert world.availability.snapshot().retrying == 0
        held(stack, world, "a", "b", count=3, failing=1)
        assert world.availability.snapshot().retrying == 3


def test_a_request_takes_one_part_of_the_budget_however_often_it_tries():
    world = World()
    with ExitStack() as stack:
        held(stack, world, "a", "b", "c", count=3, failing=2)
        assert world.availability.snapshot().retrying == 3


# --- places at providers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "workers", "share"), [(2, 1, 2), (4, 2, 2), (5, 2, 3), (1, 8, 1), (64, 8, 8)]
)
def test_each_worker_opens_its_share_of_a_providers_places(limit: int, workers: int, share: int):
    world = World(workers=workers, p=provider(max_in_flight=limit))
    with ExitStack() as stack:
        opened = [stack.enter_context(world.turns("a")).next() for _ in range(share + 2)]
    assert [one is not None for one in opened] == [True] * share + [False] * 2


def test_a_full_provider_is_passed_over():
    world = World(q=provider(max_in_flight=1))
    with world.turns("a@q") as full, world.turns("a@q", "b") as turns:
        full.next()
        assert turns.next().target_id == "b"
        assert turns.skipped == ("a@q:provider-full",)


@pytest.mark.parametrize("end", ["answered", "failed", "given up"])
def test_a_place_is_free_again_however_a_request_ends(end: str):
    world = World(p=provider(max_in_flight=1))
    for _ in range(5):
        with world.turns("a") as turns:
            assert turns.next() is not None
            if end == "answered":
                turns.committed()
                turns.answered()
            elif end == "failed":
                turns.failed(KINDS["client"])
            assert world.availability.snapshot().in_flight == {"p": end == "given up"}
    assert world.availability.snapshot().in_flight == {"p": 0}


def test_where_all_rest_or_are_full_the_one_that_rests_is_asked():
    world = World(p=provider(max_in_flight=1), q=provider())
    world.fail("resting@q", times=3)
    with world.turns("full") as other, world.turns("full", "resting@q") as turns:
        other.next()
        assert turns.next().target_id == "resting@q"
        assert turns.skipped == ("full:provider-full",)


def test_where_all_are_full_nobody_is_asked():
    world = World(p=provider(max_in_flight=1), q=provider(max_in_flight=1))
    world.fail("resting@q", times=3)
    with ExitStack() as stack:
        held(stack, world, "full", count=1)
        held(stack, world, "resting@q", count=1)
        assert world.first("full", "resting@q") is None
        (turns,) = held(stack, world, "full", "resting@q", count=1)
        assert turns.skipped == ("full:provider-full", "resting@q:provider-full")


# --- the same candidate once more --------------------------------------------------------------


def paused(world: World, retry_after: str | None, *, left: float = 60.0, attempts: int = 3):
    with world.turns("a", attempts=attempts) as turns:
        failure = limited(retry_after)
        turns.next()
        turns.failed(failure)
        return turns.pause(failure, left)


@pytest.mark.parametrize(("draw", "wait"), [(0.0, 2.05), (1.0, 2.5)])
def test_a_short_rate_limit_is_waited_for_and_a_little_longer(draw: float, wait: float):
    assert paused(World(draw), "2") == pytest.approx(wait)


@pytest.mark.parametrize("retry_after", [None, "soon", "6", "3600"])
def test_a_long_rate_limit_or_one_of_unknown_length_is_not_waited_for(retry_after: str | None):
    assert paused(World(), retry_after) is None


def test_nobody_waits_beyond_the_deadline():
    assert paused(World(0.0), "5", left=5.05) is None
    assert paused(World(0.0), "5", left=5.06) == pytest.approx(5.05)


def test_nobody_waits_where_the_group_allows_no_further_attempt():
    assert paused(World(), "1", attempts=1) is None


def test_nobody_waits_for_another_failure_than_a_rate_limit():
    world = World()
    with world.turns("a") as turns:
        turns.next()
        turns.failed(server())
        assert turns.pause(server(), 60.0) is None


def test_waiting_takes_a_part_of_the_budget():
    world = World()
    with ExitStack() as stack:
        held(stack, world, "a", "b", count=3, failing=1)
        assert paused(world, "1") is None


def test_the_same_candidate_is_asked_again_once_although_it_rests():
    world = World()
    failure = limited("2")
    with world.turns("a", attempts=5) as turns:
        first = turns.next()
        turns.failed(failure)
        assert world.rests("a")
        assert turns.next() is None
        assert turns.pause(failure, 60.0) is not None
        assert turns.again(first) is first
        turns.failed(failure)
        assert turns.pause(failure, 60.0) is None, "once is enough"


def test_nobody_is_asked_again_where_the_place_was_taken_meanwhile():
    world = World(p=provider(max_in_flight=1))
    failure = limited("1")
    with world.turns("a") as turns, world.turns("a") as other:
        first = turns.next()
        turns.failed(failure)
        assert turns.pause(failure, 60.0) is not None
        other.next()
        assert turns.again(first) is None
