"""A deployment with a caller for scrapers, records to count, and a page read back."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from runtime.records.record import Attempt, Record
from tests.runtime.serving.deployment import YAML as SERVED
from tests.support.router import Token

SCRAPER = Token("prom", "web", "ops", secret="pRoMe7Th3uS9kLmN2bVcX5zQwErTy")
READER = Token("reads", "web", "ops", secret="rEaDs4Ee6R1t8Yu0Io3Pa5Sd7Fg9")
_OPS = f"""\
  scraper:
    user: prom
    project: web
    env: ops
    groups: []
    roles: [metrics]
    tokens: [{{id: {SCRAPER.id}, sha256: {SCRAPER.sha256}}}]
  reader:
    user: reads
    project: web
    env: ops
    groups: []
    roles: [reports]
    tokens: [{{id: {READER.id}, sha256: {READER.sha256}}}]
"""
YAML = SERVED + _OPS

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(page: str | bytes) -> Series:
    """Every line of a page: name and labels, and the value."""
    text = page.decode() if isinstance(page, bytes) else page
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(series: Series, name: str, /, **labels: str) -> float:
    """The sum of the lines of a metric that have these labels."""
    return sum(
        value
        for (found, pairs), value in series.items()
        if found == name and labels.items() <= dict(pairs).items()
    )


def attempt(**more: Any) -> Attempt:
    """One that answered after 400 ms."""
    usual = {"target": "small", "provider": "one", "model": "small-1", "skin": "chat"}
    return Attempt(**(usual | {"ms": 900.0, "head": 400.0, "status": 200} | more))


def record(**more: Any) -> Record:
    """A request that was answered at once by its first target."""
    usual: dict[str, Any] = {
        "id": "req_1",
        "time": 1_800_000_000.0,
        "artifact": "abc",
        "surface": "chat",
        "client": "codex",
        "group": "plain",
        "project": "web",
        "target": "small",
        "provider": "one",
        "attempts": (attempt(),),
        "status": 200,
        "first_byte": 410.0,
        "ms": 912.0,
    }
    return Record(**(usual | more))
