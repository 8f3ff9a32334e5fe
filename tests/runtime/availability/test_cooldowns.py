"""A target that fails rests, longer each time, and comes back by way of one probe."""

from __future__ import annotations

import json

import pytest

from runtime import log
from tests.runtime.availability.world import BASE, KINDS, MOST, World, limited, provider, server

AGAINST = ("connect", "timeout", "server", "overloaded", "rate-limited", "invalid", "interrupted")


@pytest.mark.parametrize("kind", AGAINST)
def test_so_many_failures_in_a_row_take_a_target_out(kind: str):
    world = World()
    world.fail("a", KINDS[kind], times=2)
    assert not world.rests("a")
    world.fail("a", KINDS[kind])
    assert world.rests("a")


@pytest.mark.parametrize("kind", ["client", "context"])
def test_what_is_wrong_with_a_request_never_speaks_against_a_target(kind: str):
    world = World()
    world.fail("a", KINDS[kind], times=50)
    assert not world.rests("a")


def test_every_kind_of_failure_has_a_test_here():
    assert {*AGAINST, "client", "context", "auth"} == KINDS.keys()


def test_requests_that_end_in_no_way_of_the_target_say_nothing():
    world = World()
    for _ in range(50):
        with world.turns("a") as turns:
            turns.next()
    assert not world.rests("a")


def test_a_success_in_between_starts_the_count_anew():
    world = World()
    for _ in range(5):
        world.fail("a", times=2)
        world.answer("a")
    assert not world.rests("a")
    assert world.availability.snapshot().cooling == {}


def test_a_rest_lasts_as_long_as_declared_and_no_longer():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(BASE - 0.1)
    assert world.rests("a")
    world.clock.pass_(0.1)
    assert not world.rests("a")


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 0.8 * BASE), (1.0, 1.2 * BASE)])
def test_a_rest_is_jittered_by_a_fifth(draw: float, seconds: float):
    world = World(draw)
    world.fail("a", times=3)
    assert world.availability.snapshot().cooling == {"a": pytest.approx(seconds)}


def test_each_failed_probe_doubles_the_rest_up_to_the_longest():
    world = World()
    world.fail("a", times=3)
    lasted = []
    for _ in range(6):
        lasted.append(world.availability.snapshot().cooling["a"])
        world.clock.pass_(lasted[-1])
        world.fail("a")
    assert lasted == [BASE, 2 * BASE, 4 * BASE, 8 * BASE, MOST, MOST]


def test_a_success_ends_the_rest_and_forgets_how_long_it_grew():
    world = World()
    world.fail("a", times=3)
    for _ in range(3):
        world.clock.pass_(MOST)
        world.fail("a")
    world.clock.pass_(MOST)
    world.answer("a")
    assert not world.rests("a")
    world.fail("a", times=2)
    assert not world.rests("a")
    world.fail("a")
    assert world.availability.snapshot().cooling == {"a": BASE}


def test_after_the_rest_one_request_at_a_time_probes():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(BASE)
    with world.turns("a", "b") as probe:
        assert probe.next().target_id == "a"
        with world.turns("a", "b") as other:
            assert other.next().target_id == "b"
            assert other.skipped == ("a:cooling-down",)
            other.answered()
        probe.answered()
    assert world.first("a", "b") == "a"


def test_a_probe_that_is_given_up_leaves_the_turn_to_the_next_request():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(BASE)
    with world.turns("a", "b") as gone:
        assert gone.next().target_id == "a"
    with world.turns("a", "b") as probe:
        assert probe.next().target_id == "a"
        probe.failed(KINDS["client"])
    with world.turns("a", "b") as probe:
        assert probe.next().target_id == "a"
        probe.failed(server())
    assert world.rests("a")


def test_the_first_content_of_a_probe_opens_the_target_for_all():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(BASE)
    with world.turns("a", "b") as probe:
        probe.next()
        assert world.rests("a")
        probe.committed()
        assert not world.rests("a")
        probe.failed(KINDS["interrupted"])
    # it had come back: what counts again is so many in a row, but the next rest is a longer one
    assert not world.rests("a")
    world.fail("a", times=2)
    assert world.availability.snapshot().cooling == {"a": 2 * BASE}


def test_refused_credentials_put_a_target_to_rest_at_once_and_for_long():
    world = World()
    world.fail("a", KINDS["auth"])
    assert world.availability.snapshot().cooling == {"a": MOST}


@pytest.mark.parametrize(("draw", "seconds"), [(0.0, 7.0), (1.0, 8.4)])
def test_a_rate_limit_is_kept_at_once_for_as_long_as_told_and_never_shorter(
    draw: float, seconds: float
):
    world = World(draw)
    world.fail("a", limited("7"))
    assert world.availability.snapshot().cooling == {"a": pytest.approx(seconds)}


def test_no_upstream_is_left_alone_for_more_than_an_hour():
    world = World(draw=0.0)
    world.fail("a", limited("86400"))
    assert world.availability.snapshot().cooling == {"a": 3600.0}


def test_failures_of_requests_that_were_under_way_do_not_lengthen_a_rest():
    world = World()
    requests = [world.request("a") for _ in range(20)]
    for one in requests:
        one.next()
    for one in requests:
        world.clock.pass_(1)
        one.failed(server())
        one.close()
    assert world.availability.snapshot().cooling == {"a": BASE - 17}
    assert world.availability.snapshot().requests == 0


def test_a_failure_from_before_the_rest_is_no_failed_probe():
    world = World()
    with world.turns("a") as slow:
        slow.next()
        world.clock.pass_(1)
        world.fail("a", times=3)
        world.clock.pass_(BASE)
        slow.failed(server())
    assert not world.rests("a")


def test_a_probe_that_became_a_long_stream_does_not_keep_the_next_one_away():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(BASE)
    with world.turns("a") as stream:
        stream.next()
        stream.committed()
        world.clock.pass_(1)
        world.fail("a", times=3)
        world.clock.pass_(2 * BASE)
        with world.turns("a", "b") as probe:
            assert probe.next().target_id == "a"
            stream.answered()
            assert world.rests("a"), "the second probe is under way"


def test_failures_while_it_rests_alone_do_not_lengthen_a_rest():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(10)
    world.fail("a", times=30)
    assert world.availability.snapshot().cooling == {"a": BASE - 10}


def test_a_longer_wait_that_is_told_lengthens_a_rest():
    world = World(draw=0.0)
    world.fail("a", limited("7"))
    world.fail("a", limited("60"))
    world.fail("a", limited("7"))
    assert world.availability.snapshot().cooling == {"a": 60.0}


def test_an_answer_that_began_before_the_rest_does_not_end_it():
    world = World()
    with world.turns("a") as slow:
        slow.next()
        world.clock.pass_(5)
        world.fail("a", times=3)
        slow.committed()
        slow.answered()
    assert world.rests("a")


def test_an_answer_to_a_request_that_came_during_the_rest_ends_it():
    world = World()
    world.fail("a", times=3)
    world.clock.pass_(1)
    world.answer("a")
    assert not world.rests("a")


def test_the_last_target_is_never_left_out():
    world = World()
    world.fail("a", times=3)
    assert world.first("a") == "a"
    with world.turns("a") as turns:
        assert turns.next().target_id == "a"
        assert turns.skipped == ()


def test_where_all_rest_the_one_whose_rest_ends_first_is_tried():
    world = World()
    for name in "abc":
        world.fail(name, times=3)
        world.clock.pass_(1)
    world.clock.pass_(BASE)
    world.fail("a")  # a failed probe: it rests longer now
    world.fail("b")
    world.clock.pass_(0.5)
    world.fail("c")
    assert world.availability.snapshot().cooling["a"] < 2 * BASE
    with world.turns("c", "b", "a") as turns:
        assert turns.next().target_id == "b"
        assert turns.skipped == ("c:cooling-down", "a:cooling-down")
        turns.failed(server())
        assert turns.next() is None, "somebody was asked: the others are left to rest"


def test_a_rest_belongs_to_one_target_alone():
    world = World()
    world.fail("a", times=3)
    assert world.first("a", "b") == "b"
    assert world.first("b", "a") == "b"


def test_a_rest_outlives_other_numbers_of_the_provider():
    """After a reload the same worker goes on with what it knows."""
    world = World()
    world.fail("a", times=3)
    world.providers["p"] = provider(failures=100)
    assert world.rests("a")
    world.fail("b", times=50)
    assert not world.rests("b")


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "log"
    with path.open("wb") as file:
        log.configure("info", file.fileno())

        def read() -> list[dict]:
            log.flush()
            return [json.loads(line) for line in path.read_text().splitlines()]

        yield read
        log.configure()


def test_going_to_rest_and_coming_back_are_a_line_each(lines):
    world = World()
    world.fail("a", times=3)
    world.fail("a", times=10)
    world.clock.pass_(BASE)
    world.answer("a")
    world.answer("a")
    told = [{k: v for k, v in line.items() if k != "time"} for line in lines()]
    who = {"target": "a", "provider": "p"}
    assert told == [
        {
            "level": "warning",
            "event": "target-cooling-down",
            **who,
            "kind": "server",
            "count": 3,
            "seconds": 30.0,
        },
        {"level": "info", "event": "target-recovered", **who, "seconds": 30.0},
    ]
