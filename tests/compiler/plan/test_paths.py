"""What a path is said to be able to do: a bridge carries a word, the skin behind it some of it."""

from __future__ import annotations

import pytest

from runtime.vocabulary import words
from tests.compiler.answers.test_findings import bridged
from tests.compiler.build.worlds import group, planned, small


@pytest.mark.parametrize(
    ("sources", "seen"),
    [
        (["inline"], ["image.inline"]),
        (["url"], ["image.url"]),
        (["inline", "url"], ["image.inline", "image.url"]),
    ],
)
def test_a_bridge_brings_images_in_the_forms_its_skin_takes(sources, seen):
    sees = {"input": ["text", "image"], "image_sources": sources}
    document = small(
        targets=bridged("chat", "messages_to_chat", ["stream", "image"], **sees),
        groups={"g": group(surfaces=["messages"])},
    )
    (route,) = planned(document).tables.paths["g", "messages"].routes
    assert words(route.features) == ["stream", *seen]
