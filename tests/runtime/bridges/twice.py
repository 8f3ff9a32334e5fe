"""Crosses what a reader read, by one bridge, twice over: a fallback does the same."""

import json
from typing import Any

import msgspec

from runtime.bridges.body import opened
from runtime.bridges.crossing import Crossed, Crossing


def crossed_twice(bridge: Any, crossing: Crossing) -> Crossed:
    """The crossed request as plain JSON; both times alike, and what was read stays as it was."""
    reading = crossing.reading
    before = repr(reading)
    first, again = (_plain(bridge.request(opened(reading), crossing)) for _ in range(2))
    assert repr(reading) == before, "what was read of the caller's body was changed"
    assert json.dumps(again.top) == json.dumps(first.top), "the order of members counts as well"
    assert (again.dropped, again.tools, again.echo) == (first.dropped, first.tools, first.echo)
    return first


def _plain(crossed: Crossed) -> Crossed:
    return msgspec.structs.replace(crossed, top=json.loads(msgspec.json.encode(crossed.top)))
