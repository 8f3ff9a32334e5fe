"""The official SDKs read a kept stream, which comes in one piece, as they read the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest

from tests.runtime.cache.deployment import ADA, Rows
from tests.support.serving import Served

SAID: list[Any] = [{"role": "user", "content": "Say hi."}]
COLD = {"temperature": 0}  # the SDK has no argument of that name


def chat(port: int, group: str) -> Any:
    with (
        openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=ADA.whole) as client,
        client.chat.completions.stream(model=group, messages=SAID, temperature=0) as stream,
    ):
        return stream.get_final_completion()


def responses(port: int, group: str) -> Any:
    with (
        openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=ADA.whole) as client,
        client.responses.stream(model=group, input=SAID, temperature=0) as stream,
    ):
        return stream.get_final_response()


def messages(port: int, group: str) -> Any:
    with (
        anthropic.Anthropic(base_url=f"http://127.0.0.1:{port}", api_key=ADA.whole) as client,
        client.messages.stream(
            model=group, messages=SAID, max_tokens=100, extra_body=COLD
        ) as stream,
    ):
        return stream.get_final_message()


@pytest.mark.parametrize("group", ["chat", "messages"])
@pytest.mark.parametrize("read", [chat, responses, messages], ids=lambda read: read.__name__)
def test_an_sdk_reads_a_kept_stream_as_it_read_the_first(
    router: Served, rows: Rows, read: Callable[[int, str], Any], group: str
):
    first, again = (read(router.port, group) for _ in range(2))
    assert [row.cache for row in rows.all] == ["miss", "hit"]
    assert again == first
    assert "Hi" in str(first)
