"""The official OpenAI SDK, sync and async, understands every answer of Chat and Responses."""

import json

import openai
import pytest

from tests.sdks.conftest import REASONING
from tests.support.demo import TOKEN

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
RESPONSES_TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}
CITIES = [{"city": "Málaga ☀"}, {"city": "Oslo"}]


def said(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(params=[openai.OpenAI, openai.AsyncOpenAI], ids=["sync", "async"])
def client(request, running, speaker):
    return speaker(request.param(base_url=f"{running.url}/v1", api_key=TOKEN.whole, max_retries=0))


def test_chat_answers_whole(client):
    answer = client.call(
        lambda c: c.chat.completions.create(model="coder", messages=said("good morning"))
    )
    assert answer.choices[0].message.content == "You said: good morning"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "coder"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer._request_id


def test_chat_answers_whole_with_tools(client):
    answer = client.call(
        lambda c: c.chat.completions.create(
            model="coder", messages=said("weather?"), tools=[CHAT_TOOL]
        )
    )
    message = answer.choices[0].message
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == CITIES
    assert message.reasoning_content == REASONING
    assert answer.choices[0].finish_reason == "tool_calls"


def test_chat_streams_text_without_a_usage_chunk_nobody_asked_for(client):
    chunks = client.events(
        lambda c: c.chat.completions.create(model="coder", messages=said("hello"), stream=True)
    )
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == "You said: hello"
    assert {chunk.model for chunk in chunks} == {"coder"}
    assert not any(chunk.usage for chunk in chunks)


def test_chat_streams_tools_and_usage(client):
    final = client.final(
        lambda c: c.chat.completions.stream(
            model="coder",
            messages=said("weather?"),
            tools=[CHAT_TOOL],
            stream_options={"include_usage": True},
        ),
        "get_final_completion",
    )
    message = final.choices[0].message
    assert message.content == "Let me look."
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == CITIES
    assert final.model == "coder"
    assert final.usage.completion_tokens > 0


def test_responses_answer_whole(client):
    answer = client.call(lambda c: c.responses.create(model="coder", input="good morning"))
    assert answer.output_text == "You said: good morning"
    assert answer.status == "completed"
    assert answer.model == "coder"
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_responses_answer_whole_with_tools(client):
    answer = client.call(
        lambda c: c.responses.create(model="coder", input="weather?", tools=[RESPONSES_TOOL])
    )
    assert [item.type for item in answer.output] == ["reasoning", "message", *["function_call"] * 2]
    assert [json.loads(item.arguments) for item in answer.output[2:]] == CITIES


def test_responses_stream_text(client):
    events = client.events(lambda c: c.responses.create(model="coder", input="hello", stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "You said: hello"
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_responses_stream_tools(client):
    final = client.final(
        lambda c: c.responses.stream(model="coder", input="weather?", tools=[RESPONSES_TOOL]),
        "get_final_response",
    )
    assert final.model == "coder"
    assert final.output[0].summary[0].text == REASONING
    assert [json.loads(item.arguments) for item in final.output[2:]] == CITIES


def test_models_are_listed_and_found_one_by_one(client):
    listed = client.call(lambda c: c.models.list())
    assert [model.id for model in listed.data] == ["coder", "claude-coder"]
    found = client.call(lambda c: c.models.retrieve("claude-coder"))
    assert (found.id, found.object) == ("claude-coder", "model")


# What is asked -> the class the SDK raises, and the stable code.
CALLER_FAULTS = {
    "a group the token does not have": (
        lambda c: c.chat.completions.create(model="nobody", messages=said("hi")),
        openai.PermissionDeniedError,
        "model-not-allowed",
    ),
    "messages that are no list": (
        lambda c: c.chat.completions.create(model="coder", messages="hi"),
        openai.BadRequestError,
        "invalid-request",
    ),
    "a need nobody meets": (
        lambda c: c.chat.completions.create(model="coder", messages=said("hi"), logprobs=True),
        openai.BadRequestError,
        "no-eligible-target",
    ),
    "input that is a number": (
        lambda c: c.responses.create(model="coder", input=7),
        openai.BadRequestError,
        "invalid-request",
    ),
    "a model nobody listed": (
        lambda c: c.models.retrieve("nobody"),
        openai.NotFoundError,
        "not-found",
    ),
}


@pytest.mark.parametrize("fault", CALLER_FAULTS)
def test_a_fault_of_the_caller_has_its_own_class(client, fault):
    ask, kind, code = CALLER_FAULTS[fault]
    with pytest.raises(kind) as caught:
        client.call(ask)
    assert caught.value.code == code
    assert caught.value.body["request_id"] == caught.value.request_id
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_a_wrong_token_is_an_authentication_error(running, speaker):
    stranger = speaker(
        openai.OpenAI(base_url=f"{running.url}/v1", api_key=TOKEN.whole[:-1] + "X", max_retries=0)
    )
    with pytest.raises(openai.AuthenticationError) as caught:
        stranger.call(lambda c: c.models.list())
    assert caught.value.code == "invalid-api-key"
    assert TOKEN.secret[:-1] not in str(caught.value)


# What the provider answers -> the class the SDK raises, the status, and the start of the code.
PROVIDER_FAULTS = {
    429: (openai.RateLimitError, 429, "upstream-rate-limited"),
    500: (openai.InternalServerError, 500, "upstream-"),
    503: (openai.InternalServerError, 503, "upstream-"),
    401: (openai.InternalServerError, 502, "upstream-auth"),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("status", PROVIDER_FAULTS)
def test_a_fault_of_the_provider_has_its_own_class(client, status, stream):
    kind, final, code = PROVIDER_FAULTS[status]
    with pytest.raises(kind) as caught:
        client.call(
            lambda c: c.chat.completions.create(
                model="coder", messages=said(f"fail {status}"), stream=stream
            )
        )
    assert caught.value.status_code == final
    assert caught.value.code.startswith(code)
    if status == 429:
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60


def test_a_bad_request_of_the_provider_stays_a_bad_request(client):
    with pytest.raises(openai.BadRequestError):
        client.call(lambda c: c.responses.create(model="coder", input="fail 400"))
