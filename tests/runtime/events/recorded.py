"""Streams that real agents accepted, from the captures, to be told again by our encoders."""

import json
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "data" / "captures"


def accepted(client, name):
    """The data of each event of a stream that a client took."""
    file = FOLDER / client / f"_upstream_events_{name}.json"
    events = json.loads(file.read_text())
    assert all(event["event"] == event["data"]["type"] for event in events)
    return [event["data"] for event in events]
