"""The recorded requests of the clients, held against the shapes of their profiles."""

from compiler.clients import BUILT_IN
from runtime.dialects import DIALECTS as READERS
from runtime.vocabulary import ALL_LEVELS, FEATURES, LEVELS, Settings
from tests.runtime.dialects.captures import captures

# What the answers to these requests had announced.
BUDGETS = {"low": 2048, "medium": 8192, "high": 16384, "xhigh": 31999}
CATALOG_DEFAULT = LEVELS["medium"]
# Hosted tools are needs here, so that a preference shows.
SETTINGS = Settings(name="test", budgets=BUDGETS)

CAPTURES = captures()
SHAPES = [(profile, shape) for profile in BUILT_IN.values() for shape in profile.shapes]
RECORDED = [pair for pair in SHAPES if pair[1].source.startswith("captures/")]
# A client -> the folder its requests were recorded in.
FOLDERS = {profile.id: shape.source.split("/")[1] for profile, shape in RECORDED}


def read(capture):
    return READERS[capture.dialect].read(capture.body, capture.headers, SETTINGS).shape


def cited(source):
    case = source.removeprefix("captures/")
    found = [c for c in CAPTURES if c.name == case or c.name.startswith(f"{case}.")]
    assert len(found) == 1, f"{source} names {len(found)} requests"
    return found[0]


def asked(shape):
    """Everything a request of this shape asks for, whatever a deployment makes of it."""
    bits = CATALOG_DEFAULT if shape.default_level else 0
    for word in (*shape.needs, *shape.prefers, *shape.waives):
        bits |= FEATURES[word]
    return bits


def holds(shape, request):
    """Whether a shape asks for all that a recorded request asks for, in the same amounts."""
    return (
        not request.needs & ~asked(shape)
        and request.needs & ALL_LEVELS == asked(shape) & ALL_LEVELS
        and request.cap == shape.cap
        and request.input_tokens <= shape.input_tokens
        and request.body_bytes <= shape.input_tokens * 4
        and request.tools <= max(shape.tools, "tools" in shape.needs)
        and request.tool_schema_bytes <= shape.tool_schema_bytes
    )
