"""The scripted upstream speaks wires that the official SDKs read without a router between."""

import json

import anthropic
import openai
import pytest

from compiler.demo import Call, Failure, ScriptedUpstream, Turn, help_out, say

TURN = Turn(text="ünïcode ☃ text", calls=(Call("f", '{"a": "☃"}'), Call("f", "{}")), reasoning="hm")
SAID = [{"role": "user", "content": "hi"}]


@pytest.fixture
def upstream():
    with ScriptedUpstream(lambda asked: TURN) as running:
        yield running


@pytest.fixture
def openai_client(upstream):
    with openai.OpenAI(base_url=upstream.base_url, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(upstream):
    origin = upstream.base_url.removesuffix("/v1")
    with anthropic.Anthropic(base_url=origin, api_key="any", max_retries=0) as client:
        yield client


def test_chat_says_the_same_whole_and_streamed(openai_client):
    chat = openai_client.chat.completions
    whole = chat.create(model="m", messages=SAID).choices[0]
    with chat.stream(model="m", messages=SAID) as stream:
        streamed = stream.get_final_completion().choices[0]
    for choice in (whole, streamed):
        message = choice.message
        assert message.content == TURN.text
        assert message.reasoning_content == TURN.reasoning
        assert [call.function.arguments for call in message.tool_calls] == ['{"a": "☃"}', "{}"]
        assert choice.finish_reason == "tool_calls"


def test_responses_say_the_same_whole_and_streamed(openai_client):
    whole = openai_client.responses.create(model="m", input="hi")
    with openai_client.responses.stream(model="m", input="hi") as stream:
        streamed = stream.get_final_response()
    for answer in (whole, streamed):
        reasoning, message, *calls = answer.output
        assert reasoning.summary[0].text == TURN.reasoning
        assert message.content[0].text == TURN.text
        assert [call.arguments for call in calls] == ['{"a": "☃"}', "{}"]
    assert streamed.usage.total_tokens


def test_messages_say_the_same_whole_and_streamed(anthropic_client):
    messages = anthropic_client.messages
    whole = messages.create(model="m", max_tokens=9, messages=SAID)
    with messages.stream(model="m", max_tokens=9, messages=SAID) as stream:
        streamed = stream.get_final_message()
    for answer in (whole, streamed):
        thinking, text, *calls = answer.content
        assert thinking.thinking == TURN.reasoning
        assert text.text == TURN.text
        assert [call.input for call in calls] == [{"a": "☃"}, {}]
        assert answer.stop_reason == "tool_use"


def test_a_custom_call_comes_as_a_custom_call(upstream, openai_client):
    upstream.script = lambda asked: Turn(calls=(Call("apply_patch", "*** Begin", custom=True),))
    events = list(openai_client.responses.create(model="m", input="hi", stream=True))
    item = events[-1].response.output[0]
    assert (item.type, item.input) == ("custom_tool_call", "*** Begin")
    assert "response.custom_tool_call_input.delta" in {event.type for event in events}


def test_a_failure_has_the_dialects_own_error_body(upstream, openai_client, anthropic_client):
    upstream.script = lambda asked: Failure(429, "slow down", "rate_limit_exceeded")
    with pytest.raises(openai.RateLimitError) as chat:
        openai_client.chat.completions.create(model="m", messages=SAID)
    with pytest.raises(anthropic.RateLimitError) as messages:
        anthropic_client.messages.create(model="m", max_tokens=9, messages=SAID)
    assert chat.value.code == "rate_limit_exceeded"
    assert messages.value.body["error"]["type"] == "rate_limit_error"


def test_the_demos_model_creates_the_file_it_is_told_to_create(upstream, anthropic_client):
    upstream.script = help_out
    write = {"name": "Write", "input_schema": {"type": "object"}}
    asked = [{"role": "user", "content": "Please create hello.txt"}]
    answer = anthropic_client.messages.create(
        model="m", max_tokens=9, messages=asked, tools=[write]
    )
    call = answer.content[0]
    assert call.input == {"file_path": "hello.txt", "content": "Hello from Interlock.\n"}


def test_every_request_is_recorded_with_its_headers(upstream, openai_client):
    upstream.script = say("fine")
    openai_client.chat.completions.create(model="m", messages=SAID)
    (asked,) = upstream.requests
    assert (asked.method, asked.path, asked.dialect) == ("POST", "/v1/chat/completions", "chat")
    assert asked.headers["authorization"] == "Bearer any"
    assert asked.body == json.loads(asked.raw)
