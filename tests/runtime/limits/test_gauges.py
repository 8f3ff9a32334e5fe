"""What one gauge counts, whatever the clocks do."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.limits.gauges import MINUTE, Budget, Slots, Window, day, month
from tests.runtime.limits.world import NOON


def ask(window: Window, now: float, limit: int, amount: int = 1) -> bool:
    """Whether an amount fits now."""
    fits = window.level(now, NOON) + amount <= limit
    if fits:
        window.add(now, NOON, amount)
    return fits


def test_a_window_takes_its_limit_at_once_and_as_much_a_minute_later():
    window = Window()
    assert [ask(window, 5.0, 3) for _ in range(4)] == [True, True, True, False]
    assert not ask(window, 64.999, 3)
    assert [ask(window, 65.0, 3) for _ in range(4)] == [True, True, True, False]


def test_a_window_says_when_enough_of_it_is_free():
    window = Window()
    window.add(0.0, NOON, 5)
    window.add(10.0, NOON, 5)
    assert window.opens(20.0, NOON, 5) == 40.0
    assert window.opens(20.0, NOON, 6) == 50.0
    assert window.opens(20.0, NOON, 0) == 40.0
    assert (window.level(70.0, NOON), window.opens(70.0, NOON, 0)) == (0, 0.0)


def test_what_a_window_takes_back_is_taken_back_where_it_was_counted():
    window = Window()
    early = window.add(0.0, NOON, 100)
    window.add(30.0, NOON, 10)
    window.settle(40.0, NOON, early, -90)
    assert window.level(40.0, NOON) == 20
    assert window.level(60.0, NOON) == 10
    window.settle(61.0, NOON, early, -5)  # it does not count any more: nothing to take back
    assert window.level(61.0, NOON) == 10


def test_what_was_used_beyond_the_reserved_counts_from_when_it_is_known():
    window = Window()
    early = window.add(0.0, NOON, 10)
    window.settle(50.0, NOON, early, 40)
    assert window.level(59.0, NOON) == 50
    assert window.level(60.0, NOON) == 40
    assert window.level(110.0, NOON) == 0


steps = st.lists(
    st.tuples(
        st.integers(0, 200).map(lambda n: n / 8),  # seconds since the one before
        st.integers(1, 4),
        st.integers(0, 6),  # what is settled in the end
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps=steps, limit=st.integers(1, 12))
def test_no_minute_ever_holds_more_than_the_limit(steps, limit):
    window, now, taken = Window(), 0.0, []
    for pause, amount, _ in steps:
        now += pause
        if ask(window, now, limit, amount):
            taken.append((now, amount))
        held = sum(n for at, n in taken if at > now - MINUTE)
        assert held <= limit
        assert window.level(now, NOON) >= held


@settings(max_examples=200, deadline=None)
@given(steps=steps, limit=st.integers(4, 12))
def test_a_refusal_names_a_time_at_which_the_request_fits(steps, limit):
    window, now = Window(), 0.0
    for pause, amount, _ in steps:
        now += pause
        if not ask(window, now, limit, amount):
            wait = window.opens(now, NOON, window.level(now, NOON) + amount - limit)
            assert 0 < wait <= MINUTE
            now += wait
            assert ask(window, now, limit, amount)


@settings(max_examples=200, deadline=None)
@given(steps=steps)
def test_a_window_never_counts_less_than_nothing_and_forgets_all_in_61_seconds(steps):
    window, now, marks = Window(), 0.0, []
    for pause, amount, used in steps:
        now += pause
        marks.append((window.add(now, NOON, amount), amount, used))
        if len(marks) > 3:
            mark, reserved, settled = marks.pop(0)
            window.settle(now, NOON, mark, settled - reserved)
        assert window.level(now, NOON) >= 0
        assert len(window._buckets) <= 62
    assert window.level(now + 61.0, NOON) == 0


def test_slots_are_free_when_they_are_given_back():
    slots = Slots()
    slots.add(0, 0, 1)
    slots.add(0, 0, 1)
    slots.settle(0, 0, None, -1)
    assert slots.level(0, 0) == 1


def moment(text: str) -> float:
    """Unix time of a UTC moment."""
    return dt.datetime.fromisoformat(f"{text}+00:00").timestamp()


@pytest.mark.parametrize(
    ("bounds", "now", "begin", "end"),
    [
        (day, "2026-11-21T12:30:00", "2026-11-21", "2026-11-22"),
        (day, "2026-12-31T23:59:59", "2026-12-31", "2027-01-01"),
        (month, "2026-11-21T12:30:00", "2026-11-01", "2026-12-01"),
        (month, "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
        (month, "2028-02-29T00:00:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_days_and_months_are_those_of_utc(bounds, now, begin, end):
    assert bounds(moment(now)) == (moment(begin), moment(end))


def test_a_budget_begins_anew_with_its_period():
    budget = Budget(day)
    tonight = moment("2026-11-21T23:59:59")
    budget.add(0, tonight, 5)
    assert (budget.level(0, tonight), budget.opens(0, tonight, 1)) == (5, 1.0)
    assert (budget.level(0, tonight + 1), budget.opens(0, tonight + 1, 1)) == (0, 86400.0)


def test_a_clock_that_jumps_neither_empties_nor_fills_a_budget():
    budget = Budget(day)
    budget.add(0, NOON, 4)
    for hours in (240, -1, -240, 1):
        budget.level(0, NOON + 3600 * hours)
    assert budget.level(0, NOON + 3600 * 240) == 0
    assert budget.level(0, NOON) == 4
    assert len(budget._counts) <= 4


def test_what_a_request_used_less_than_reserved_goes_back_to_its_own_day():
    budget = Budget(day)
    tonight = moment("2026-11-21T23:59:59")
    mark = budget.add(0, tonight, 100)
    budget.add(0, tonight + 1, 7)
    budget.settle(0, tonight + 2, mark, -60)
    assert budget.level(0, tonight + 2) == 7
    assert budget.level(0, tonight) == 40
