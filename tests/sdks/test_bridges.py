"""The official SDKs, sync and async, understand the answers of models behind another dialect."""

import json

import anthropic
import openai
import pytest

from tests.sdks.conftest import REASONING
from tests.support.demo import BEHIND, TOKEN

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
RESPONSES_TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": False}
MESSAGES_TOOL = {"name": "weather", "input_schema": PARAMETERS}
CITIES = [{"city": "Málaga ☀"}, {"city": "Oslo"}]
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}


def behind(*dialects):
    return pytest.mark.parametrize("model", [BEHIND[d] for d in dialects], ids=dialects)


from_chat = behind("responses", "messages")
from_responses = behind("chat", "messages")
from_messages = behind("chat", "responses")


def said(text):
    return [{"role": "user", "content": text}]


@pytest.fixture(params=[openai.OpenAI, openai.AsyncOpenAI], ids=["sync", "async"])
def client(request, bridged, speaker):
    return speaker(request.param(base_url=f"{bridged.url}/v1", api_key=TOKEN.whole, max_retries=0))


@pytest.fixture(params=[anthropic.Anthropic, anthropic.AsyncAnthropic], ids=["sync", "async"])
def claude(request, bridged, speaker):
    return speaker(request.param(base_url=bridged.url, auth_token=TOKEN.whole, max_retries=0))


# --- Chat ----------------------------------------------------------------------------------------


@from_chat
def test_chat_answers_whole(client, model):
    answer = client.call(lambda c: c.chat.completions.create(model=model, messages=said("morning")))
    assert answer.choices[0].message.content == "You said: morning"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == model
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


@from_chat
def test_chat_answers_whole_with_parallel_tools_and_reasoning(client, model):
    answer = client.call(
        lambda c: c.chat.completions.create(
            model=model, messages=said("weather?"), tools=[CHAT_TOOL], reasoning_effort="high"
        )
    )
    message = answer.choices[0].message
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == CITIES
    assert len({call.id for call in message.tool_calls}) == 2
    assert message.content == "Let me look."
    assert message.reasoning_content == REASONING
    assert answer.choices[0].finish_reason == "tool_calls"


@from_chat
def test_chat_streams_text_without_a_usage_chunk_nobody_asked_for(client, model):
    chunks = client.events(
        lambda c: c.chat.completions.create(model=model, messages=said("hello"), stream=True)
    )
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == "You said: hello"
    assert {chunk.model for chunk in chunks} == {model}
    assert not any(chunk.usage for chunk in chunks)


@from_chat
def test_chat_streams_parallel_tools_and_usage(client, model):
    final = client.final(
        lambda c: c.chat.completions.stream(
            model=model,
            messages=said("weather?"),
            tools=[CHAT_TOOL],
            stream_options={"include_usage": True},
        ),
        "get_final_completion",
    )
    message = final.choices[0].message
    assert message.content == "Let me look."
    assert [json.loads(call.function.arguments) for call in message.tool_calls] == CITIES
    assert final.usage.completion_tokens > 0


@from_chat
def test_chat_sends_images_and_a_schema(client, model, bridged):
    parts = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
    ]
    client.call(
        lambda c: c.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": parts}],
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "titled", "schema": SCHEMA, "strict": True},
            },
        )
    )
    asked = bridged.upstream.requests[-1]
    assert PIXEL in asked.raw.decode()
    assert asked.wants_json
    assert b'"title"' in asked.raw


@from_chat
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (503, openai.InternalServerError),
        (429, openai.RateLimitError),
        (400, openai.BadRequestError),
    ],
)
def test_chat_errors_are_the_classes_of_the_sdk(client, model, status, error):
    with pytest.raises(error) as raised:
        client.call(
            lambda c: c.chat.completions.create(model=model, messages=said(f"fail {status}"))
        )
    assert raised.value.status_code == status


# --- Responses -----------------------------------------------------------------------------------


@from_responses
def test_responses_answer_whole(client, model):
    answer = client.call(lambda c: c.responses.create(model=model, input="good morning"))
    assert answer.output_text == "You said: good morning"
    assert answer.status == "completed"
    assert answer.model == model
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


@from_responses
def test_responses_answer_whole_with_parallel_tools_and_reasoning(client, model):
    answer = client.call(
        lambda c: c.responses.create(
            model=model, input="weather?", tools=[RESPONSES_TOOL], reasoning={"effort": "high"}
        )
    )
    assert [item.type for item in answer.output] == ["reasoning", "message", *["function_call"] * 2]
    assert [json.loads(item.arguments) for item in answer.output[2:]] == CITIES


@from_responses
def test_responses_stream_text_and_number_their_events(client, model):
    events = client.events(lambda c: c.responses.create(model=model, input="hello", stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "You said: hello"
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))


@from_responses
def test_responses_stream_parallel_tools(client, model):
    final = client.final(
        lambda c: c.responses.stream(model=model, input="weather?", tools=[RESPONSES_TOOL]),
        "get_final_response",
    )
    calls = [item for item in final.output if item.type == "function_call"]
    assert final.model == model
    assert [json.loads(item.arguments) for item in calls] == CITIES


@from_responses
def test_responses_send_images_and_a_schema(client, model, bridged):
    parts = [
        {"type": "input_text", "text": "what is this"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"},
    ]
    client.call(
        lambda c: c.responses.create(
            model=model,
            input=[{"role": "user", "content": parts}],
            text={"format": {"type": "json_schema", "name": "titled", "schema": SCHEMA}},
        )
    )
    asked = bridged.upstream.requests[-1]
    assert PIXEL in asked.raw.decode()
    assert asked.wants_json


@from_responses
def test_responses_errors_are_the_classes_of_the_sdk(client, model):
    with pytest.raises(openai.RateLimitError) as raised:
        client.call(lambda c: c.responses.create(model=model, input="fail 429"))
    assert raised.value.response.headers["retry-after"] == "7"


# --- Messages ------------------------------------------------------------------------------------


def ask(**fields):
    return {"max_tokens": 2048, "messages": said("good morning"), **fields}


@from_messages
def test_messages_answer_whole(claude, model):
    answer = claude.call(lambda c: c.messages.create(**ask(model=model)))
    assert [block.text for block in answer.content] == ["You said: good morning"]
    assert (answer.stop_reason, answer.model) == ("end_turn", model)
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


@from_messages
def test_messages_answer_whole_with_parallel_tools_and_thinking(claude, model):
    answer = claude.call(
        lambda c: c.messages.create(
            **ask(
                model=model,
                messages=said("weather?"),
                tools=[MESSAGES_TOOL],
                thinking={"type": "adaptive"},
                output_config={"effort": "high"},
            )
        )
    )
    assert [block.type for block in answer.content] == ["thinking", "text", *["tool_use"] * 2]
    assert [block.input for block in answer.content[2:]] == CITIES
    assert answer.content[0].thinking == REASONING
    assert answer.stop_reason == "tool_use"


@from_messages
def test_messages_stream_text(claude, model):
    final = claude.final(lambda c: c.messages.stream(**ask(model=model)), "get_final_message")
    assert [block.text for block in final.content] == ["You said: good morning"]
    assert final.usage.output_tokens > 0


@from_messages
def test_messages_stream_parallel_tools(claude, model):
    final = claude.final(
        lambda c: c.messages.stream(
            **ask(model=model, messages=said("weather?"), tools=[MESSAGES_TOOL])
        ),
        "get_final_message",
    )
    calls = [block for block in final.content if block.type == "tool_use"]
    assert [block.input for block in calls] == CITIES
    assert final.stop_reason == "tool_use"


@from_messages
def test_messages_send_images_a_schema_and_tool_results_in_another_order(claude, model, bridged):
    image = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    calls = [
        {"type": "tool_use", "id": f"toolu_{n}", "name": "weather", "input": city}
        for n, city in enumerate(CITIES)
    ]
    results = [
        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
        {
            "type": "tool_result",
            "tool_use_id": "toolu_0",
            "content": [{"type": "image", "source": image}],
        },
    ]
    claude.call(
        lambda c: c.messages.create(
            **ask(
                model=model,
                messages=[
                    *said("weather?"),
                    {"role": "assistant", "content": calls},
                    {"role": "user", "content": results},
                ],
                output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
            )
        )
    )
    asked = bridged.upstream.requests[-1]
    assert PIXEL in asked.raw.decode()
    assert "rain" in asked.raw.decode()
    assert asked.wants_json


@from_messages
def test_messages_errors_are_the_classes_of_the_sdk(claude, model):
    with pytest.raises(anthropic.RateLimitError) as raised:
        claude.call(lambda c: c.messages.create(**ask(model=model, messages=said("fail 429"))))
    assert raised.value.response.headers["retry-after"] == "7"
