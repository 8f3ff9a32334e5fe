"""Client profiles say what the recorded requests of those clients say, read by the runtime."""

import json
import re

import pytest

from compiler.clients import ALWAYS, BUILT_IN, USUAL
from runtime.vocabulary import FEATURES, words
from tests.compiler.clients.recorded import (
    CAPTURES,
    FOLDERS,
    RECORDED,
    asked,
    cited,
    holds,
    read,
)
from tests.runtime.dialects.captures import FOLDER


@pytest.mark.parametrize(
    ("profile", "shape"), RECORDED, ids=[f"{p.id}-{s.name}" for p, s in RECORDED]
)
def test_a_shape_asks_for_what_its_recording_asks_for(profile, shape):
    capture = cited(shape.source)
    request = read(capture)
    assert capture.dialect == profile.surface
    assert words(request.needs) == words(asked(shape))
    assert request.cap == shape.cap
    assert holds(shape, request), "its amounts are smaller than the recorded ones"


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=lambda profile: profile.id)
def test_every_shape_says_where_it_was_seen(profile):
    for shape in profile.shapes:
        assert re.fullmatch(r"captures/[a-z-]+/\w+(\.\d\d)?|documented: .{20,}", shape.source)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.name)
def test_every_recorded_request_is_one_of_its_clients_shapes(capture):
    client = capture.name.split("/")[0]
    profiles = [p for p in BUILT_IN.values() if FOLDERS.get(p.id) == client]
    (profile,) = [p for p in profiles if p.surface == capture.dialect]
    request = read(capture)
    assert [s.name for s in profile.shapes if holds(s, request) or counts(s, request)]


def counts(shape, request):
    """A count of tokens asks for a part of what the request that follows will ask for."""
    return shape.name == "count" and not request.needs & ~FEATURES["tools"] and not request.cap


@pytest.mark.parametrize("profile", ALWAYS.values(), ids=lambda profile: profile.id)
def test_a_profile_names_the_version_that_was_recorded(profile):
    (file, *_) = sorted((FOLDER / FOLDERS[profile.id]).glob("[a-z]*.json"))
    record = json.loads(file.read_text())
    assert profile.version in record["client_version"]


def test_names_of_shapes_are_unique_and_in_the_words_of_the_vocabulary():
    for profile in BUILT_IN.values():
        names = [shape.name for shape in profile.shapes]
        assert len(set(names)) == len(names), profile.id
        for shape in profile.shapes:
            assert {*shape.needs, *shape.prefers, *shape.waives} <= set(FEATURES)


def test_every_client_has_a_core_shape_and_every_surface_a_usual_client():
    for profile in BUILT_IN.values():
        assert any(shape.core and not shape.harmless for shape in profile.shapes), profile.id
    for surface, client in USUAL.items():
        assert BUILT_IN[client].surface == surface


def test_the_clients_of_the_product_are_all_there():
    assert set(BUILT_IN) >= {
        *("codex", "claude-code", "opencode", "aider", "cursor", "cline", "continue", "copilot"),
        *("windsurf", "openclaw", "roo", "zed", "sdk-openai", "sdk-anthropic"),
    }
