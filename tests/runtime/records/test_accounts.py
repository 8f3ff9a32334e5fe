"""What the notes of a request become in its row, whatever rows were made before."""

from __future__ import annotations

import json

import msgspec
import pytest

from runtime.dialects import DIALECTS
from runtime.records.account import Account
from runtime.serving import Serving
from runtime.upstream import Upstreams
from runtime.usage import Usage
from runtime.vocabulary import Settings
from tests.support.edge import SECRET
from tests.support.edge import artifact as tiny


class Kept:
    """Keeps the last row."""

    def take(self, record):
        self.record = record


def serving():
    return Serving(tiny(), Upstreams({}, {}))


def row(serving, note=lambda _: None, surface="chat", status=200, **closing):
    """The row of a request, without its times; `note` writes down what is known of it."""
    kept = Kept()
    account = Account("req_1", serving, surface, (kept,))
    note(account)
    account.close(status, **closing)
    return msgspec.structs.replace(kept.record, time=0.0, ms=0.0, first_byte=None)


def read(**fields):
    body = {"messages": [{"role": "user", "content": "hi"}], **fields}
    return DIALECTS["chat"].read(json.dumps(body).encode(), {}, Settings(name="x"))


EMPTY = {"type": "namespace", "name": "n", "tools": []}
FUNCTION = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(("tool", "count"), [(EMPTY, 0), (FUNCTION, 1)])
def test_a_row_has_the_size_of_the_tools_also_where_none_counts(tool, count):
    reading = read(tools=[tool])

    def note(account):
        account.reading = reading

    kept = row(serving(), note)
    assert kept.tools == count
    assert kept.tool_schema_bytes >= reading.shape.tool_schema_bytes > 0


def refused(account):
    """Before anybody was known."""


def known(account):
    account.token = SECRET.rpartition("_")[0]
    account.caller = account.serving.artifact.callers["dev"]


def looked(account):
    known(account)
    account.kind, account.client = "dry-run", "codex"
    account.reading = read(tools=[FUNCTION], stream=True)


def told(account):
    known(account)
    account.reading = read(max_tokens=5)
    account.usage = Usage(input=3, output=4, reported=0.5)
    account.dropped, account.skipped, account.cache = ("a",), ("b:resting",), "miss"
    account.committed()


def test_a_row_holds_nothing_of_those_before_it():
    notes = [refused, known, looked, told]
    alone = {(note, surface): row(serving(), note, surface) for note in notes for surface in "ab"}
    assert len(set(map(repr, alone.values()))) == len(alone)
    shared = serving()
    for _ in range(2):
        for (note, surface), expected in [*alone.items(), *reversed(alone.items())]:
            assert row(shared, note, surface) == expected
    assert len(shared.forms) == 4
