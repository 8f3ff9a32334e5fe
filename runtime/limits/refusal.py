"""A limit that is reached, as the error a caller gets and the headers that tell of a limit."""

from __future__ import annotations

import time
from math import ceil
from typing import Final

import msgspec

from runtime.errors import CallerError
from runtime.limits.allowance import NANO, USD, Row

_LONGEST_WAIT: Final = 60  # seconds; above it Claude Code gives up
_WHAT: Final[dict[str, str]] = {
    "rpm": "{n} requests per minute",
    "tpm": "{n} tokens per minute",
    "concurrent": "{n} requests at once",
    "day.requests": "{n} requests per day",
    "day.tokens": "{n} tokens per day",
    "day.usd": "${n} per day",
    "month.requests": "{n} requests per month",
    "month.tokens": "{n} tokens per month",
    "month.usd": "${n} per month",
}
_NEXT: Final[dict[str, str]] = {
    "rpm-exceeded": "Send it again in {wait} s.",
    "tpm-exceeded": "Send it again in {wait} s, or a shorter one.",
    "concurrency-exceeded": "Send it again when one of them has ended.",
    "budget-exceeded": "It opens at {resets}; ask the router's admin for more before.",
}


class Standing(msgspec.Struct, frozen=True):
    """How much of a limit counts, and the seconds until it opens, or until a request fits.

    `limit` is the one held here: a worker's, where several divide the row's own.
    """

    row: Row
    limit: int
    level: int
    seconds: float


def refusal(standing: Standing, utc: float, share: int) -> CallerError:
    """The error for a request that does not fit; `share` workers divide the limit."""
    row = standing.row
    wait = min(max(ceil(standing.seconds), 1), _LONGEST_WAIT)
    resets = round(utc + standing.seconds)
    budget = row.code == "budget-exceeded"
    told = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(resets))
    text = f"The limit of {_amount(row)} of this {row.scope} is used up. "
    if share > 1:
        text += f"It is divided between {share} workers, and this one has no more. "
    error = CallerError(
        row.code,
        text + _NEXT[row.code].format(wait=wait, resets=told),
        details={"limit": row.name, "scope": row.scope} | ({"resets_at": resets} if budget else {}),
        retry_after=None if budget else wait,
    )
    if row.unit != USD:
        error.trace = lines(standing.limit, standing.limit - standing.level, standing.seconds)
    return error


def lines(limit: int, left: int, seconds: float) -> bytes:
    """Header lines about one limit; the last is when it opens, in whole seconds."""
    return b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\nx-ratelimit-reset: %d\r\n" % (
        limit,
        left if left > 0 else 0,
        ceil(seconds),
    )


def _amount(row: Row) -> str:
    number = f"{row.limit / NANO:.2f}" if row.unit == USD else f"{row.limit}"
    return _WHAT[row.name].format(n=number)
