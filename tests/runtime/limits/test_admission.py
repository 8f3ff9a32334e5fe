"""What a caller is admitted for, and what each kind of request costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import CallerError
from runtime.limits import FREE, InProcess
from runtime.limits.limits import Counters, Plans
from runtime.vocabulary import Budget, LimitSet
from tests.runtime.limits.world import NOON, PRICE, Asker, Clock, artifact, caller, run


async def refusal(asker: Asker, tokens: int = 100) -> CallerError:
    """The error of a request that is not admitted."""
    with pytest.raises(CallerError) as refused:
        await asker.ask(tokens)
    return refused.value


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (LimitSet(rpm=5), "rpm-exceeded"),
        (LimitSet(tpm=500), "tpm-exceeded"),
        (LimitSet(concurrent=5), "concurrency-exceeded"),
        (LimitSet(day=Budget(requests=5)), "budget-exceeded"),
        (LimitSet(day=Budget(tokens=500)), "budget-exceeded"),
        (LimitSet(day=Budget(usd=0.005)), "budget-exceeded"),
        (LimitSet(month=Budget(requests=5)), "budget-exceeded"),
        (LimitSet(month=Budget(tokens=500)), "budget-exceeded"),
        (LimitSet(month=Budget(usd=0.005)), "budget-exceeded"),
    ],
)
def test_each_limit_admits_as_much_as_it_says_and_then_refuses(limits, code):
    async def story():
        asker = Asker(Clock().limits(), artifact(own=limits))
        assert await asker.accepted(15) == 5
        assert await asker.code() == code

    run(story())


def _single() -> Iterator[LimitSet]:
    """For each limit there is a set that holds it alone, used up by one token at PRICE."""
    for name in LimitSet.__struct_fields__:
        if name in ("day", "month"):
            for unit in Budget.__struct_fields__:
                amount = PRICE.input / 1_000_000 if unit == "usd" else 1
                yield LimitSet(**{name: Budget(**{unit: amount})})
        elif name != "reserve_output":
            yield LimitSet(**{name: 1})


@pytest.mark.parametrize("limits", tuple(_single()), ids=repr)
def test_every_limit_of_a_set_is_counted_and_refused_in_words(limits):
    async def story():
        asker = Asker(Clock().limits(), artifact(own=limits))
        await asker.ask(1)
        (level,) = (await asker.levels()).values()
        assert level.used == level.limit
        refused = await refusal(asker, 1)
        assert refused.message.startswith("The limit of ")
        assert refused.status == 429

    run(story())


@pytest.mark.parametrize("share", [1, 4])
def test_a_budget_of_nothing_admits_nothing(share):
    async def story():
        held = artifact(own=LimitSet(day=Budget(usd=0.0)))
        assert await Asker(Clock().limits(share), held).accepted(3) == 0

    run(story())


def test_a_request_that_does_not_fit_one_limit_counts_for_none():
    async def story():
        held = artifact(
            {"web": "team"},
            own=LimitSet(rpm=10, tpm=1000, concurrent=10, day=Budget(usd=1.0, requests=10)),
            team=LimitSet(rpm=2),
        )
        asker = Asker(Clock().limits(), held)
        assert await asker.accepted(6) == 2
        used = {name: level.used for name, level in (await asker.levels()).items()}
        assert used == {
            "user day.usd": pytest.approx(0.002),
            "user day.requests": 2,
            "user rpm": 2,
            "user tpm": 200,
            "user concurrent": 2,
            "project rpm": 2,
        }

    run(story())


def test_a_request_without_a_free_place_counts_for_no_other_limit():
    async def story():
        held = artifact(own=LimitSet(rpm=9, concurrent=1, day=Budget(tokens=900)))
        asker = Asker(Clock().limits(), held)
        assert await asker.accepted(3) == 1
        assert (await asker.used("user rpm"), await asker.used("user day.tokens")) == (1, 100)

    run(story())


def test_all_tokens_and_callers_of_a_user_share_a_set_of_limits():
    async def story():
        limits, held = Clock().limits(), artifact(own=LimitSet(rpm=4), ci=LimitSet(rpm=3))
        dev, other = Asker(limits, held), Asker(limits, held, caller(project="vault"))
        robot = Asker(limits, held, caller(limits="ci"))
        bob = Asker(limits, held, caller("bob"))
        assert await dev.accepted(3) + await other.accepted(3) == 4
        assert await robot.accepted(4) == 3
        assert await bob.accepted(9) == 4

    run(story())


def test_all_callers_of_a_project_share_its_limits():
    async def story():
        held = artifact({"web": "team"}, own=LimitSet(rpm=4), team=LimitSet(rpm=6))
        limits = Clock().limits()
        ada, bob = Asker(limits, held), Asker(limits, held, caller("bob"))
        elsewhere = Asker(limits, held, caller("cyd", "vault"))
        assert (await ada.accepted(9), await bob.accepted(9)) == (4, 2)
        assert await elsewhere.accepted(9) == 4

    run(story())


def test_a_caller_without_limits_has_a_ticket_that_says_nothing():
    async def story():
        asker = Asker(Clock().limits(), artifact(), caller(limits=None))
        ticket = await asker.ask()
        ticket.settle(5, 1.0)
        assert ticket is FREE
        assert ticket.lines == await asker.look() == await asker.refused() == b""
        assert await asker.levels() == {}

    run(story())


def test_tokens_are_reserved_by_input_and_the_smaller_of_cap_and_reserve():
    async def story():
        held = artifact(own=LimitSet(tpm=10_000, reserve_output=400))
        asker = Asker(Clock().limits(), held)
        await asker.ask(1000, cap=100)
        assert await asker.used("user tpm") == 1100
        await asker.ask(1000, cap=9000)
        await asker.ask(1000)
        assert await asker.used("user tpm") == 3900

    run(story())


def test_tokens_and_money_are_settled_by_what_was_used():
    async def story():
        clock = Clock()
        held = artifact(own=LimitSet(tpm=10_000, day=Budget(tokens=10_000, usd=5.0)))
        asker = Asker(clock.limits(), held)
        less, more, unknown = await asker.ask(1000), await asker.ask(1000), await asker.ask(1000)
        assert await asker.used("user day.usd") == pytest.approx(0.03)
        less.settle(300, 0.002)
        more.settle(4000, 0.5)
        unknown.settle(None, None)
        assert await asker.used("user tpm") == 300 + 4000 + 1000
        assert await asker.used("user day.tokens") == 300 + 4000 + 1000
        assert await asker.used("user day.usd") == pytest.approx(0.002 + 0.5 + 0.01)

    run(story())


def test_a_ticket_is_settled_once():
    async def story():
        asker = Asker(Clock().limits(), artifact(own=LimitSet(tpm=1000, concurrent=3)))
        await asker.ask(100)
        ticket = await asker.ask(100)
        ticket.settle(50, None)
        ticket.settle(0, None)
        assert (await asker.used("user tpm"), await asker.used("user concurrent")) == (150, 1)

    run(story())


def test_answers_may_overshoot_a_token_limit_once_per_request_at_once_and_no_more():
    async def story():
        asker = Asker(Clock().limits(), artifact(own=LimitSet(tpm=1000)))
        tickets = [await asker.ask(100) for _ in range(5)]
        for ticket in tickets:
            ticket.settle(5000, None)
        assert await asker.used("user tpm") == 25_000
        assert await asker.code(1) == "tpm-exceeded"

    run(story())


def test_a_request_larger_than_its_limit_goes_when_nothing_else_counts():
    async def story():
        clock = Clock()
        asker = Asker(clock.limits(), artifact(own=LimitSet(tpm=500)))
        await asker.ask(9000)
        assert (await refusal(asker)).retry_after == 60
        clock.on(60)
        assert [await asker.code(100), await asker.code(9000)] == ["ok", "tpm-exceeded"]

    run(story())


WIDE = LimitSet(rpm=100, tpm=10_000, concurrent=9, day=Budget(requests=100, tokens=10_000, usd=9.0))
KINDS = ("rpm", "day.requests", "tpm", "day.tokens", "day.usd", "concurrent")


async def sent(asker: Asker) -> None:
    (await asker.ask(100)).settle(150, 0.5)


async def kept(asker: Asker) -> None:
    (await asker.ask(100)).settle(0, 0.0)


@pytest.mark.parametrize(
    ("request_of", "costs"),
    [
        (sent, (1, 1, 150, 150, 0.5, 0)),
        (kept, (1, 1, 0, 0, 0, 0)),
        (Asker.refused, (1, 1, 0, 0, 0, 0)),
        (Asker.look, (1, 0, 0, 0, 0, 0)),
    ],
    ids=["sent upstream", "answered from the cache", "refused by decision", "dry run"],
)
def test_each_kind_of_request_costs_what_the_rule_says(request_of, costs):
    async def story():
        asker = Asker(Clock().limits(), artifact(own=WIDE))
        await request_of(asker)
        assert tuple([await asker.used(f"user {kind}") for kind in KINDS]) == costs

    run(story())


def test_a_dry_run_asks_for_nothing_but_a_place_in_the_minute():
    async def story():
        held = artifact(own=LimitSet(rpm=2, concurrent=1, day=Budget(requests=1)))
        asker = Asker(Clock().limits(), held)
        await asker.ask()
        await asker.look()
        with pytest.raises(CallerError, match="2 requests per minute"):
            await asker.look()

    run(story())


def test_the_headers_tell_of_the_limit_in_requests_with_the_least_left():
    async def story():
        clock = Clock()
        held = artifact(
            {"web": "team"},
            own=LimitSet(rpm=10, tpm=100, day=Budget(requests=4)),
            team=LimitSet(rpm=5),
        )
        asker = Asker(clock.limits(), held)
        first = (await asker.ask(1)).lines
        assert first == (
            b"x-ratelimit-limit: 4\r\nx-ratelimit-remaining: 3\r\nx-ratelimit-reset: 43200\r\n"
        )
        short = Asker(clock.limits(), artifact(own=LimitSet(rpm=10)))
        await short.ask()
        clock.on(0.5)
        assert (await short.ask()).lines.endswith(b"remaining: 8\r\nx-ratelimit-reset: 60\r\n")
        clock.on(20)
        assert (await short.ask()).lines.endswith(b"remaining: 7\r\nx-ratelimit-reset: 40\r\n")

    run(story())


def test_without_a_limit_in_requests_the_headers_tell_of_tokens():
    async def story():
        asker = Asker(Clock().limits(), artifact(own=LimitSet(tpm=1000, day=Budget(usd=5.0))))
        assert (await asker.ask(300)).lines.startswith(
            b"x-ratelimit-limit: 1000\r\nx-ratelimit-remaining: 700\r\n"
        )

    run(story())


def test_a_refusal_says_how_long_to_wait_and_which_limit_it_was():
    async def story():
        clock = Clock()
        asker = Asker(clock.limits(), artifact(own=LimitSet(rpm=1)))
        await asker.ask()
        clock.on(18.2)
        error = await refusal(asker)
        assert (error.code, error.status, error.retry_after) == ("rpm-exceeded", 429, 42)
        assert error.details == {"limit": "rpm", "scope": "user"}
        assert error.trace.endswith(b"remaining: 0\r\nx-ratelimit-reset: 42\r\n")
        assert "1 requests per minute" in error.message
        assert "in 42 s" in error.message

    run(story())


def test_a_used_up_budget_says_when_it_opens_and_not_to_wait():
    async def story():
        asker = Asker(Clock().limits(), artifact(own=LimitSet(day=Budget(usd=0.5))))
        (await asker.ask()).settle(10, 0.51)
        error = await refusal(asker)
        assert (error.code, error.status, error.retry_after) == ("budget-exceeded", 429, None)
        assert error.details == {
            "limit": "day.usd",
            "scope": "user",
            "resets_at": int(NOON) + 12 * 3600,
        }
        assert error.trace == b""
        assert "$0.50 per day" in error.message
        assert "2026-11-22 00:00 UTC" in error.message

    run(story())


def test_of_several_limits_in_the_way_the_longest_shut_is_told():
    async def story():
        held = artifact(own=LimitSet(rpm=1, concurrent=1, month=Budget(requests=1)))
        asker = Asker(Clock().limits(), held)
        await asker.ask()
        assert (await refusal(asker)).details["limit"] == "month.requests"

    run(story())


def test_a_changed_wall_clock_neither_opens_nor_shuts_the_minute():
    async def story():
        clock = Clock()
        asker = Asker(clock.limits(), artifact(own=LimitSet(rpm=2)))
        for seconds in (864_000, -3600, 5, -864_000):
            clock.jump(seconds)
            clock.on(60)
            assert await asker.accepted(6) == 2
            clock.jump(seconds)
            assert (await refusal(asker)).retry_after == 60

    run(story())


@pytest.mark.parametrize(("limit", "share", "each"), [(10, 2, 5), (10, 4, 2), (3, 8, 1)])
def test_one_of_several_workers_holds_its_share_rounded_down_and_at_least_one(limit, share, each):
    async def story():
        asker = Asker(Clock().limits(share), artifact(own=LimitSet(rpm=limit)))
        assert await asker.accepted(30) == each
        assert f"divided between {share} workers" in (await refusal(asker)).message

    run(story())


def test_a_worker_that_hears_of_more_workers_holds_a_smaller_share_from_then_on():
    counters = Counters()
    plans, held = Plans(counters), artifact(own=LimitSet(rpm=10))
    assert plans.of(held, "k1", caller()).rows[0].limit == 10
    counters.share = 4
    assert plans.of(held, "k1", caller()).rows[0].limit == 2


def test_a_new_artifact_brings_its_numbers_and_keeps_what_was_counted():
    async def story():
        limits = Clock().limits()
        asker = Asker(limits, artifact(own=LimitSet(rpm=5)))
        assert await asker.accepted(9) == 5
        asker.held = artifact(own=LimitSet(rpm=7))
        assert await asker.accepted(9) == 2
        asker.held = artifact(own=LimitSet(rpm=3))
        assert await asker.code() == "rpm-exceeded"

    run(story())


def test_a_limit_that_opens_while_its_refusal_is_written_is_refused_all_the_same():
    async def story():
        times = iter([1000.0, 1059.999])
        limits = InProcess(mono=lambda: next(times, 1060.0), utc=lambda: NOON)
        asker = Asker(limits, artifact(own=LimitSet(rpm=1)))
        await asker.ask()
        assert (await refusal(asker)).code == "rpm-exceeded"
        assert await asker.code() == "ok"

    run(story())


moves = st.lists(
    st.tuples(
        st.sampled_from(["ada", "bob"]),
        st.floats(0.0, 30.0, allow_nan=False),
        st.integers(1, 60),  # reserved
        st.integers(0, 60),  # used
        st.booleans(),  # whether one of those under way ends first
    ),
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(moves=moves)
def test_whatever_the_order_no_minute_and_no_moment_holds_more_than_allowed(moves):
    async def story():
        clock = Clock()
        held = artifact(
            {"web": "team"}, own=LimitSet(rpm=4, concurrent=3), team=LimitSet(rpm=6, tpm=100)
        )
        limits = clock.limits()
        askers = {name: Asker(limits, held, caller(name)) for name in ("ada", "bob")}
        admitted: list[tuple[float, str, int]] = []
        under_way: list[tuple[str, object, int]] = []
        for name, pause, reserve, used, ends in moves:
            clock.on(pause)
            if ends and under_way:
                _, ticket, reserved = under_way.pop(0)
                ticket.settle(min(used, reserved), None)
            try:
                ticket = await askers[name].ask(reserve)
            except CallerError:
                continue
            admitted.append((clock.mono, name, reserve))
            under_way.append((name, ticket, reserve))
            recent = [who for at, who, _ in admitted if at > clock.mono - 60]
            assert len(recent) <= 6
            assert recent.count(name) <= 4
            assert [who for who, *_ in under_way].count(name) <= 3

    run(story())
