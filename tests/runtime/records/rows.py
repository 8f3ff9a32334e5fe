"""Records to keep: small ones that differ, and one with a value in every field."""

from __future__ import annotations

from pathlib import Path

from runtime.records.journal import FOLDER, Journal
from runtime.records.record import Attempt, Record
from runtime.records.store import Batch, Store

TRIED = Attempt("large", "acme", "acme-large", "chat", at=0.25, ms=80.5, kind="timeout")
ANSWERED = Attempt(
    "small",
    "other",
    "small-1",
    "messages",
    bridge="chat_to_messages",
    at=80.75,
    ms=300.0,
    head=120.5,
    status=200,
    code="none",
)


def record(number: int = 1, **more: object) -> Record:
    """A request with little to tell."""
    return Record(
        id=f"req_{number}", time=1.8e9 + number, artifact="a" * 12, surface="chat", **more
    )


def full(number: int = 1) -> Record:
    """A request of which everything is known, no field as it is by default."""
    return record(
        number,
        kind="dry-run",
        token="rtr_acme_ada_web_dev_k1",
        caller="ada",
        user="ada",
        project="web",
        env="dev",
        client="codex",
        posted="responses",
        group="coder",
        policy="ordered",
        phase="plan",
        stream=True,
        features=("stream", "tools", "image.inline"),
        cap=32_000,
        input_estimate=24_576,
        body_bytes=98_304,
        tool_schema_bytes=16_384,
        tools=24,
        image_count=2,
        input_has_image=True,
        plan=("large", "small"),
        skipped=("huge:resting",),
        attempts=(TRIED, ANSWERED),
        target="small",
        provider="other",
        key_id="team-key-7",
        model="small-1",
        skin="messages",
        bridge="chat_to_messages",
        dropped=("top_k", "messages[].reasoning_content"),
        cache="miss",
        status=200,
        code="none",
        outcome="client-gone",
        first_byte=200.25,
        ms=380.75,
        input=24_000,
        output=800,
        cached=20_000,
        cache_write=100,
        reasoning=300,
        image_tokens=1_500,
        cost_input=0.02,
        cost_output=0.01,
        cost_image=0.001,
        cost=0.031,
        cost_baseline=0.062,
        savings=0.031,
        cost_reported=0.03,
    )


def batch(records: list[Record], start: int = 0, segment: str = "one") -> Batch:
    """Records as if each were 100 bytes long."""
    rows = [(start + 100 * n, each) for n, each in enumerate(records)]
    return Batch(segment, start, start + 100 * len(records), rows)


def written(data: Path, *records: Record) -> None:
    """A finished journal with these records."""
    journal = Journal(data / FOLDER)
    for each in records:
        journal.take(each)
    journal.close()


def ids(store: Store) -> list[str]:
    """The request ids in a store, in the order in which they came."""
    return [row[0] for row in store.query("SELECT id FROM requests ORDER BY time")]
