"""The official Anthropic SDK, sync and async, understands every answer of Messages."""

import anthropic
import pytest

from tests.sdks.conftest import REASONING
from tests.support.demo import TOKEN

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "input_schema": SCHEMA}
CITIES = [{"city": "Málaga ☀"}, {"city": "Oslo"}]
BLOCKS = ["thinking", "text", "tool_use", "tool_use"]


def ask_for(text, **more):
    return {
        "model": "coder",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


@pytest.fixture(params=[anthropic.Anthropic, anthropic.AsyncAnthropic], ids=["sync", "async"])
def client(request, running, speaker):
    return speaker(request.param(base_url=running.url, api_key=TOKEN.whole, max_retries=0))


def test_messages_answer_whole(client):
    answer = client.call(lambda c: c.messages.create(**ask_for("good morning")))
    assert answer.content[-1].text == "You said: good morning"
    assert answer.stop_reason == "end_turn"
    assert answer.model == "coder"
    assert answer.usage.input_tokens > 0


def test_messages_answer_whole_with_tools_and_thinking(client):
    answer = client.call(lambda c: c.messages.create(**ask_for("weather?", tools=[TOOL])))
    assert [block.type for block in answer.content] == BLOCKS
    assert answer.content[0].thinking == REASONING
    assert answer.content[0].signature
    assert [block.input for block in answer.content[2:]] == CITIES
    assert answer.stop_reason == "tool_use"


def test_messages_stream_text(client):
    events = client.events(lambda c: c.messages.create(**ask_for("hello"), stream=True))
    deltas = [event.delta.text for event in events if event.type == "content_block_delta"]
    assert "".join(deltas) == "You said: hello"
    assert events[0].message.model == "coder"
    assert events[-1].type == "message_stop"


def test_messages_stream_tools_and_thinking(client):
    final = client.final(
        lambda c: c.messages.stream(**ask_for("weather?", tools=[TOOL])), "get_final_message"
    )
    assert [block.type for block in final.content] == BLOCKS
    assert [block.input for block in final.content[2:]] == CITIES
    assert final.model == "coder"
    assert final.usage.output_tokens > 0


def test_tokens_are_counted(client):
    short, long = (
        client.call(
            lambda c, text=text: c.messages.count_tokens(
                model="coder", messages=[{"role": "user", "content": text}]
            )
        )
        for text in ("hi", "hi " * 400)
    )
    assert long.input_tokens > short.input_tokens + 200


def test_models_are_listed_and_found_one_by_one(client):
    listed = client.call(lambda c: c.models.list())
    assert [model.id for model in listed.data] == ["coder", "claude-coder"]
    found = client.call(lambda c: c.models.retrieve("coder"))
    assert (found.id, found.display_name) == ("coder", "Coder")


# What is asked -> the class the SDK raises, and the type in the body.
CALLER_FAULTS = {
    "a group the token does not have": (
        lambda c: c.messages.create(**ask_for("hi") | {"model": "nobody"}),
        anthropic.PermissionDeniedError,
        "permission_error",
    ),
    "messages that are no list": (
        lambda c: c.messages.create(**ask_for("hi") | {"messages": "hi"}),
        anthropic.BadRequestError,
        "invalid_request_error",
    ),
    "a model nobody listed": (
        lambda c: c.models.retrieve("nobody"),
        anthropic.NotFoundError,
        "not_found_error",
    ),
}


@pytest.mark.parametrize("fault", CALLER_FAULTS)
def test_a_fault_of_the_caller_has_its_own_class(client, fault):
    ask, kind, word = CALLER_FAULTS[fault]
    with pytest.raises(kind) as caught:
        client.call(ask)
    assert caught.value.body["error"]["type"] == word
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_a_wrong_token_is_an_authentication_error(running, speaker):
    stranger = speaker(
        anthropic.Anthropic(base_url=running.url, api_key=TOKEN.whole[:-1] + "X", max_retries=0)
    )
    with pytest.raises(anthropic.AuthenticationError) as caught:
        stranger.call(lambda c: c.messages.create(**ask_for("hi")))
    assert caught.value.body["error"]["type"] == "authentication_error"
    assert TOKEN.secret[:-1] not in str(caught.value)


# What the provider answers -> the class the SDK raises, its status, and the type in the body.
PROVIDER_FAULTS = {
    429: (anthropic.RateLimitError, 429, "rate_limit_error"),
    500: (anthropic.InternalServerError, 500, "api_error"),
    529: (anthropic.InternalServerError, 529, "overloaded_error"),
    403: (anthropic.InternalServerError, 502, "api_error"),
    400: (anthropic.BadRequestError, 400, "invalid_request_error"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", PROVIDER_FAULTS)
def test_a_fault_of_the_provider_has_its_own_class(client, fault, stream):
    kind, status, word = PROVIDER_FAULTS[fault]
    with pytest.raises(kind) as caught:
        client.call(lambda c: c.messages.create(**ask_for(f"fail {fault}"), stream=stream))
    assert caught.value.status_code == status
    assert caught.value.body["error"]["type"] == word
