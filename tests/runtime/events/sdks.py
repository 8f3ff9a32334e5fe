"""What the official SDKs make of an answer, streamed and whole, as plain data to compare."""

import json

import anthropic
import httpx
import httpx2
import openai

from runtime import sse

TURN = [{"role": "user", "content": "Hi"}]


class _Speaker:
    """One client of each SDK, before a router that answers whatever was put in `body`."""

    def __init__(self):
        self.body, self.kind = b"", ""
        options = {"api_key": "k", "base_url": "http://router", "max_retries": 0}
        self.openai = openai.OpenAI(**options, http_client=self._http(httpx))
        self.anthropic = anthropic.Anthropic(**options, http_client=self._http(httpx2))

    def _http(self, library):
        def answer(_request):
            head = {"content-type": self.kind}
            return library.Response(200, content=self.body, headers=head)

        return library.Client(transport=library.MockTransport(answer))

    def stream(self, frames):
        self.body, self.kind = b"".join(frames), "text/event-stream"
        return self

    def whole(self, body):
        self.body, self.kind = body, "application/json"
        return self


_SPEAKER = _Speaker()


def frames_of(encoder, events):
    """All frames of an answer, each looked at: one event, named in its data, with one end."""
    frames = [frame for event in events for frame in encoder.feed(event)]
    for frame in frames:
        assert frame.count(b"\n\n") == 1
        assert frame.endswith(b"\n\n")
        assert b"\r" not in frame
        name, data = sse.parse(frame)
        if data != b"[DONE]":
            assert json.loads(data).get("type", "") == name.decode()
    return frames


def documents(frames):
    """The data of frames, apart from `[DONE]`."""
    every = (sse.parse(frame)[1] for frame in frames)
    return [json.loads(data) for data in every if data != b"[DONE]"]


def streamed(dialect, frames):
    """What the SDK's own accumulator holds at the end of the stream."""
    return _STREAMED[dialect](_SPEAKER.stream(frames))


def whole(dialect, body):
    """What the SDK reads in an answer in one piece."""
    return _WHOLE[dialect](_SPEAKER.whole(body))


def _chat_stream(speaker):
    with speaker.openai.chat.completions.stream(model="coder", messages=TURN) as stream:
        for _ in stream:
            pass
        return _chat(stream.current_completion_snapshot)


def _chat_whole(speaker):
    return _chat(speaker.openai.chat.completions.create(model="coder", messages=TURN))


def _chat(completion):
    choice = completion.choices[0]
    message = choice.message.model_dump(exclude_none=True, warnings=False)
    for call in message.get("tool_calls", ()):
        call.pop("index", None)
        call.get("function", {}).pop("parsed_arguments", None)
    details = message.pop("reasoning_details", [])
    return {
        "head": (completion.id, completion.created, completion.model, completion.object),
        "message": message,
        "details": [detail.get("data", "") for detail in details],
        "logprobs": choice.logprobs and choice.logprobs.model_dump(exclude_none=True),
        "finish_reason": choice.finish_reason,
        "usage": completion.usage and completion.usage.model_dump(exclude_none=True),
    }


def _responses_stream(speaker):
    """The items as they were done, and what the last event says of the response."""
    done, last = {}, None
    with speaker.openai.responses.stream(model="coder", input="Hi") as stream:
        for event in stream:
            last = event
            if event.type == "response.output_item.done":
                done[event.output_index] = event.item
    read = _responses(last.response)
    assert last.type == f"response.{read['status']}"
    assert [_item(item) for _, item in sorted(done.items())] == read["output"]
    return read


def _responses_whole(speaker):
    return _responses(speaker.openai.responses.create(model="coder", input="Hi"))


def _responses(response):
    return {
        "head": (response.id, response.created_at, response.model, response.object),
        "status": response.status,
        "why": response.incomplete_details and response.incomplete_details.reason,
        "output": [_item(item) for item in response.output],
        "usage": response.usage and response.usage.model_dump(exclude_none=True),
    }


def _item(item):
    plain = item.model_dump(exclude_none=True, warnings=False)
    plain.pop("parsed_arguments", None)
    for part in plain.get("content", ()):
        part.pop("parsed", None)
    return plain


def _messages_stream(speaker):
    asked = {"model": "coder", "max_tokens": 9, "messages": TURN}
    with speaker.anthropic.messages.stream(**asked) as stream:
        return _message(stream.get_final_message())


def _messages_whole(speaker):
    made = speaker.anthropic.messages.create(model="coder", max_tokens=9, messages=TURN)
    return _message(made)


def _message(message):
    return {
        "head": (message.id, message.type, message.role, message.model),
        "content": [
            block.model_dump(exclude_none=True, warnings=False) for block in message.content
        ],
        "stop": (message.stop_reason, message.stop_sequence),
        "usage": message.usage.model_dump(exclude_none=True),
    }


_STREAMED = {"chat": _chat_stream, "responses": _responses_stream, "messages": _messages_stream}
_WHOLE = {"chat": _chat_whole, "responses": _responses_whole, "messages": _messages_whole}
