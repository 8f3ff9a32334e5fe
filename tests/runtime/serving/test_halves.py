"""Halves of characters in answers, through the running router: no good one is lost for them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.runtime.serving.deployment import ask, good
from tests.runtime.serving.test_bridges import streamed_text, text_of
from tests.support.demo import BEHIND, BRIDGED, TOKEN
from tests.support.serving import PATHS, Asked, Served, compiled, serving

DIALECTS = ("chat", "responses", "messages")
SMILE = "\N{GRINNING FACE}"


def with_halves(asked: Asked) -> httpx.Response:
    """A short answer, a character of which is torn where there are two deltas, and one half."""
    content = good(asked).content
    for before, after in (
        (rb'"Hi"', rb'"\ud83d! \ud83d"'),
        (rb'"."', rb'"\ude00"'),
        (rb'"Hi."', rb'"\ud83d! \ud83d\ude00"'),
    ):
        content = content.replace(before, after)
    assert content != good(asked).content
    kind = "text/event-stream" if asked.body.get("stream") else "application/json"
    return httpx.Response(200, headers={"content-type": kind}, content=content)


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    artifact = compiled(BRIDGED.read_text(), tmp_path_factory.mktemp("halves"))
    with serving(artifact, with_halves) as served:
        yield served


@pytest.mark.parametrize("surface", DIALECTS)
@pytest.mark.parametrize("behind", DIALECTS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_answer_with_halves_of_characters_arrives(
    router: Served, surface: str, behind: str, stream: bool
):
    got = router.post(PATHS[surface], TOKEN, ask(surface, BEHIND[behind], stream=stream))
    assert got.status == 200, got.raw
    text = streamed_text(surface, got.events) if stream else text_of(surface, got.body)
    assert text == f"\ufffd! {SMILE}"
