"""One request as a row: names, numbers and words of ours, nothing that others wrote.

Provider, model and dialect stand as text, so that an old row needs no old artifact.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from runtime.vocabulary import words

_STEPS = 2  # buckets per doubling


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One candidate that was tried. Times in milliseconds, `at` since the request came.

    `status` is the upstream's own, None where no head came; `kind` is the class of the failure
    (None: this one answered), `head` the time to the head of the answer.
    """

    target: str
    provider: str
    model: str
    skin: str
    bridge: str | None = None
    at: float = 0.0
    ms: float = 0.0
    head: float | None = None
    status: int | None = None
    kind: str | None = None
    code: str | None = None


class Record(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """One request, refused ones too.

    `time` is when it came, Unix seconds in UTC; `ms` and `first_byte` are milliseconds from there.
    `outcome` is ok, error, client-gone, aborted or internal-error; `status` what the caller saw.
    `input` and the other token counts are the upstream's, None where it told none. Sizes and
    amounts of the shape are buckets (see `bucket`), money is USD.
    """

    id: str
    time: float
    artifact: str
    kind: str = "request"  # or dry-run, count-tokens
    # who
    token: str | None = None
    caller: str | None = None
    user: str | None = None
    project: str | None = None
    env: str | None = None
    client: str | None = None
    # what
    surface: str
    posted: str | None = None  # the body's own dialect
    group: str | None = None
    policy: str | None = None
    phase: str | None = None
    stream: bool = False
    features: tuple[str, ...] = ()
    cap: int | None = None
    input_estimate: int = 0
    body_bytes: int = 0
    tool_schema_bytes: int = 0
    tools: int = 0
    image_count: int = 0
    input_has_image: bool = False
    # how
    plan: tuple[str, ...] = ()
    # candidates passed over for a reason of the moment, as "target:reason"
    skipped: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    target: str | None = None
    provider: str | None = None
    key_id: str | None = None
    model: str | None = None
    skin: str | None = None
    bridge: str | None = None
    dropped: tuple[str, ...] = ()
    cache: str | None = None  # hit, miss or bypass where the group has a cache
    # what came of it
    status: int = 0
    code: str | None = None
    outcome: str = "ok"
    first_byte: float | None = None
    ms: float = 0.0
    input: int | None = None
    output: int | None = None
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    image_tokens: int | None = None
    cost_input: float | None = None
    cost_output: float | None = None
    cost_image: float | None = None
    cost: float | None = None
    cost_baseline: float | None = None
    savings: float | None = None
    cost_reported: float | None = None  # as the upstream says


@lru_cache(maxsize=4096)
def feature_words(needs: int) -> tuple[str, ...]:
    """The feature words of a shape's needs."""
    return tuple(words(needs))


@lru_cache(maxsize=4096)
def bucket(amount: int) -> int:
    """The upper end of an amount's size class: 1, 2, 3, 4, 6, 8, 12, 16, 24 ...; 0 stays 0."""
    if amount <= 2:
        return max(amount, 0)
    step = 1 << (amount - 1).bit_length() - _STEPS
    return -(-amount // step) * step
