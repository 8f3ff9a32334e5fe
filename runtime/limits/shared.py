"""Limits counted exactly over all workers and machines, in a store: one step per admission.

While the store is away each worker holds its share of every limit, and no request waits for it.
What budgets were used meanwhile is told when it is back; the minute is not. A request that was
under way to the store just then may count twice, never not at all.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from runtime.artifact import Artifact
from runtime.limits import script
from runtime.limits.allowance import LOOK, REFUSED, SLOT, Amounts, Row
from runtime.limits.gauges import Mark
from runtime.limits.limits import (
    FREE,
    Clock,
    CountedTicket,
    Counters,
    Held,
    Level,
    Plan,
    Plans,
    Ticket,
    changes_of,
    level_of,
)
from runtime.limits.refusal import Standing, lines, refusal
from runtime.shape import Shape
from runtime.shared import Store
from runtime.shared.scripts import Script
from runtime.vocabulary import Caller, Price

if TYPE_CHECKING:
    from redis.asyncio import Redis

LEASE: Final = 60.0  # seconds a slot is kept for a request of whose worker nothing is heard
_BEATS: Final = 3  # in a lease
_CLOSING: Final = 2.0  # seconds in which what is left is told
_BUDGETS: Final = ("day", "month")

Reply = list[int]


class Shared:
    """`name` is the deployment's: others may use the same store. `share`: workers of this router,
    should the store never say how many there are in all."""

    def __init__(
        self,
        store: Store,
        name: str,
        share: int = 1,
        *,
        lease: float = LEASE,
        mono: Clock = time.monotonic,
        utc: Clock = time.time,
    ) -> None:
        self._store = store
        self._prefix = f"{{interlock:{name}}}:"
        self._workers_key = f"{self._prefix}workers"
        self._share = share
        self._lease = lease
        self._worker = secrets.token_hex(6)
        self._number = 0
        self.counters = Counters(share, mono=mono, utc=utc)
        self._plans = Plans(self.counters)
        # ticket -> its slots
        self._open: dict[str, list[Row]] = {}
        # row key -> what budgets were used while the store was away
        self._owed: dict[str, tuple[Row, int]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._beating: asyncio.Task[None] | None = None

    # --- what requests call --------------------------------------------------------------------

    async def admit(
        self, artifact: Artifact, token: str, caller: Caller, shape: Shape, price: Price | None
    ) -> Ticket:
        """See Limits."""
        plan = self._plans.of(artifact, token, caller)
        if not plan.rows:
            return FREE
        amounts = plan.amounts(shape, price)
        self._number += 1
        ticket = f"{self._worker}.{self._number}"
        try:
            reply = await self._ask(plan.rows, amounts, ticket)
        except asyncio.CancelledError:
            self._forget(ticket, plan.allowance.rows)
            raise
        if reply is None:
            self._forget(ticket, plan.allowance.rows)  # it may be counted there all the same
            plan = self._plans.of(artifact, token, caller)  # the share may be another one now
            return _LocalTicket(self, self.counters.admit(plan, amounts))
        if slots := [held for held in plan.rows if held.unit == SLOT]:
            self._open[ticket] = [held.row for held in slots]
            for held in slots:
                self.counters.settle(held, None, 1)
        return _SharedTicket(self, ticket, plan, amounts, reply)

    async def look(self, artifact: Artifact, token: str, caller: Caller) -> bytes:
        """See Limits."""
        return await self._count(self._plans.of(artifact, token, caller).looks, LOOK)

    async def refused(self, artifact: Artifact, token: str, caller: Caller) -> bytes:
        """See Limits."""
        return await self._count(self._plans.of(artifact, token, caller).refused, REFUSED)

    async def peek(self, artifact: Artifact, token: str, caller: Caller) -> list[Level]:
        """See Limits."""
        rows = self._plans.of(artifact, token, caller).rows
        if not rows:
            return []
        words = [word for held in rows for word in (held.row.kind, held.row.limit)]
        found = await self._call(script.PEEK, rows, words, _is_peek)
        if found is None:
            return [level_of(self.counters.standing(held), shared=False) for held in rows]
        return [
            level_of(Standing(held.row, held.row.limit, level, opens / 1000), shared=True)
            for held, level, opens in zip(rows, found[::2], found[1::2], strict=True)
        ]

    async def _count(self, rows: Sequence[Held], amounts: Amounts) -> bytes:
        if not rows:
            return b""
        reply = await self._ask(rows, amounts, "")
        if reply is not None:
            return _lines(rows, rows, reply)
        rows = self.counters.hold(held.row for held in rows)
        told = self.counters.count(rows, amounts)
        self.owe(rows, amounts)
        return told

    async def _ask(self, rows: Sequence[Held], amounts: Amounts, ticket: str) -> Reply | None:
        """The store's consent; None when it is away. Raises CallerError when it refuses."""
        words: list[str | int] = [ticket, int(self._lease * 1000)]
        for held in rows:
            amount, limit = amounts[held.unit], held.row.limit
            # More than all of it never fits, so that goes when nothing else counts.
            words += (held.row.kind, limit, min(amount, limit) if held.whole else 1, amount)
        reply = await self._call(script.ADMIT, rows, words, _is_verdict)
        if reply is None:
            return None
        self.counters.share = max(self._share, reply[0])
        if shut := reply[1]:
            row = rows[shut - 1].row
            standing = Standing(row, row.limit, reply[2], reply[3] / 1000)
            raise refusal(standing, self.counters.utc(), 1)
        for held, level in zip(rows, reply[2::3], strict=True):
            self.counters.put(held, level)
        if self._owed:
            self._pay()
        return reply

    # --- what is told beside requests ----------------------------------------------------------

    def tell(
        self, ticket: str, rows: Sequence[Held], changes: Amounts, marks: Sequence[Mark]
    ) -> None:
        """A request has ended. The store learns of it in a moment, or when it is back."""
        for held in rows:
            if held.unit == SLOT:
                self.counters.settle(held, None, -1)
        self._open.pop(ticket, None)
        if self._store.open:
            self.owe(rows, changes)
            return
        told = [(h.row, changes[h.unit], m) for h, m in zip(rows, marks, strict=True)]
        self._start(self._tell(ticket, rows, changes, [entry for entry in told if entry[1]]))

    async def _tell(
        self,
        ticket: str,
        rows: Sequence[Held],
        changes: Amounts,
        told: list[tuple[Row, int, Mark]],
    ) -> None:
        """Should the store not say that it heard, what was used beyond the reserved is told again:
        rather twice than never."""
        if not await self._settle(ticket, told):
            rate, requests, tokens, usd, slot = changes
            self.owe(rows, (rate, requests, max(tokens, 0), max(usd, 0), slot))

    def _forget(self, ticket: str, rows: Iterable[Row]) -> None:
        """Should the store keep slots for a ticket that nobody holds, they are free now."""
        slots: list[tuple[Row, int, Mark]] = [(row, -1, 0) for row in rows if row.unit == SLOT]
        if slots and not self._store.open:
            self._start(self._settle(ticket, slots))

    def owe(self, rows: Sequence[Held], amounts: Amounts) -> None:
        """Keeps what budgets were used of, to be told later."""
        for row in (held.row for held in rows):
            if row.kind in _BUDGETS and (amount := amounts[row.unit]):
                self._owed[row.key] = row, self._owed.get(row.key, (row, 0))[1] + amount

    def start(self) -> None:
        """Begins to tell the store that this worker is there."""
        self._beating = asyncio.get_running_loop().create_task(self._beat_on())

    async def aclose(self) -> None:
        """Tells what is left, and that this worker has gone."""
        if self._beating is not None:
            self._beating.cancel()
        if self._owed and not self._store.open:
            self._pay()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSING)

        async def leave(client: Redis) -> Any:
            return await client.zrem(self._workers_key, self._worker)

        await self._store.run(leave)

    async def beat(self) -> None:
        """Says that this worker and its requests go on; pays what is owed."""
        held = [(row, ticket) for ticket, slots in self._open.items() for row in slots]
        keys = [self._workers_key, *(self._prefix + row.key for row, _ in held)]
        words: list[str | int] = [
            self._worker,
            int(self._lease * 1000),
            *(ticket for _, ticket in held),
        ]

        async def say(client: Redis) -> int:
            return int(await script.BEAT.run(client, keys, words))

        workers = await self._store.run(say)
        for row, ticket in held:
            if ticket not in self._open:  # it has ended, and the store may have heard that first
                self._forget(ticket, [row])
        if workers is not None:
            self.counters.share = max(self._share, workers)
            if self._owed:
                self._pay()

    async def _beat_on(self) -> None:
        async def learn(client: Redis) -> None:
            await client.script_load(script.ADMIT.text)
            await client.script_load(script.SETTLE.text)

        await self._store.warm(learn)
        while True:
            await self.beat()
            await asyncio.sleep(self._lease / _BEATS)

    def _pay(self) -> None:
        owed, self._owed = self._owed, {}
        self._start(self._pay_back(owed))

    async def _pay_back(self, owed: dict[str, tuple[Row, int]]) -> None:
        entries = [(row, amount, 0) for row, amount in owed.values() if amount > 0]
        if not await self._settle("", entries):
            for key, (row, amount) in owed.items():
                self._owed[key] = row, self._owed.get(key, (row, 0))[1] + amount

    async def _settle(self, ticket: str, entries: list[tuple[Row, int, Mark]]) -> bool:
        words: list[str | int] = [ticket]
        for row, change, mark in entries:
            words += (row.kind, change, mark)
        rows = tuple(row for row, *_ in entries)
        if not rows:
            return True

        async def say(client: Redis) -> int:
            keys = [self._workers_key, *(self._prefix + row.key for row in rows)]
            return int(await script.SETTLE.run(client, keys, words))

        return await self._store.run(say) is not None

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(
        self,
        what: Script,
        rows: Sequence[Held],
        words: Sequence[str | int],
        is_sound: Callable[[Reply, int], bool],
    ) -> Reply | None:
        keys = [self._workers_key, *[self._prefix + held.row.key for held in rows]]

        async def ask(client: Redis) -> Reply:
            reply = [int(number) for number in await what.run(client, keys, words)]
            if not is_sound(reply, len(rows)):
                raise ValueError("the store's answer makes no sense")
            return reply

        return await self._store.run(ask)


class _SharedTicket:
    """A ticket the store has given."""

    __slots__ = ("_amounts", "_limits", "_marks", "_rows", "_settled", "_ticket", "lines")

    def __init__(
        self, limits: Shared, ticket: str, plan: Plan, amounts: Amounts, reply: Reply
    ) -> None:
        self.lines = _lines(plan.shown, plan.rows, reply)
        self._limits = limits
        self._ticket = ticket
        self._rows = plan.rows
        self._amounts = amounts
        self._marks = reply[3::3]
        self._settled = False

    def settle(self, tokens: int | None, usd: float | None) -> None:
        """See Ticket."""
        if not self._settled:
            self._settled = True
            changes = changes_of(self._amounts, tokens, usd)
            self._limits.tell(self._ticket, self._rows, changes, self._marks)


class _LocalTicket:
    """A ticket of a time without a store: what it used of budgets is told later."""

    __slots__ = ("_counted", "_limits", "lines")

    def __init__(self, limits: Shared, counted: CountedTicket) -> None:
        self.lines = counted.lines
        self._limits = limits
        self._counted = counted

    def settle(self, tokens: int | None, usd: float | None) -> None:
        """See Ticket."""
        counted = self._counted
        if not counted.settled:
            counted.settle(tokens, usd)
            _, _, more_tokens, more_usd, _ = changes_of(counted.amounts, tokens, usd)
            rate, requests, reserved_tokens, reserved_usd, slot = counted.amounts
            used = rate, requests, reserved_tokens + more_tokens, reserved_usd + more_usd, slot
            self._limits.owe(counted.plan.rows, used)


def _lines(shown: Sequence[Held], rows: Sequence[Held], reply: Reply) -> bytes:
    """Header lines of the limit with the least left, as the store counts."""
    if not shown:
        return b""
    found = {
        held.row.key: (held.row.limit - level, held.row.limit, opens / 1000)
        for held, level, opens in zip(rows, reply[2::3], reply[4::3], strict=True)
    }
    left, limit, seconds = min((found[held.row.key] for held in shown), key=itemgetter(0))
    return lines(limit, left, seconds)


def _is_verdict(reply: Reply, rows: int) -> bool:
    """Whether all rows are told of, or one that is shut."""
    if len(reply) == 4:
        return 1 <= reply[1] <= rows
    return len(reply) == 2 + 3 * rows and reply[1] == 0


def _is_peek(reply: Reply, rows: int) -> bool:
    return len(reply) == 2 * rows
