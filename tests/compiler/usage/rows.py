"""A data directory with the rows of a few requests to the base deployment of the reviews."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from runtime.records.record import Attempt, Record
from runtime.records.store import FILE, Batch, open_store
from tests.support.router import ROOT

BASE = ROOT / "tests/compiler/review/base.yaml"
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC).timestamp()
MODELS = {"m3": "MiniMax-M3", "gpt": "gpt-5.6", "opus": "claude-opus-4-8", "qwen": "qwen3-coder"}


def asked(number: int, **more: object) -> Record:
    """A request of aider's by alice that m3 answered: 10,000 tokens in, 1,000 out."""
    target = str(more.get("target", "m3"))
    known: dict[str, object] = {
        "id": f"req_{number}",
        "time": NOON + number,
        "artifact": "a" * 12,
        "caller": "alice",
        "user": "alice",
        "project": "web",
        "env": "dev",
        "client": "aider",
        "surface": "chat",
        "posted": "chat",
        "group": "coder",
        "policy": "weighted",
        "stream": True,
        "features": ("stream",),
        "input_estimate": 12_288,
        "body_bytes": 49_152,
        "plan": ("m3", "gpt", "qwen"),
        "attempts": (Attempt(target=target, provider="p", model=MODELS[target], skin="chat"),),
        "target": target,
        "model": MODELS[target],
        "status": 200,
        "first_byte": 400.0,
        "ms": 2400.0,
        "input": 10_000,
        "output": 1_000,
        "cost": 0.0042,
        "cost_baseline": 0.075,
        "savings": 0.0708,
    }
    return Record(**known | more)  # type: ignore[arg-type]  # fields by name


def kept(folder: Path, *records: Record) -> Path:
    """The data directory that holds these records."""
    store = open_store(str(folder / FILE))
    rows = [(100 * n, record) for n, record in enumerate(records)]
    store.insert([Batch("one", 0, 100 * len(records), rows)])
    store.close()
    return folder
