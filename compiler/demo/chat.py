"""A turn on the wire of OpenAI Chat Completions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.demo.turn import Asked, Call, Failure, Turn
from compiler.demo.wire import CREATED, data_frame, pieces, tokens


def whole(turn: Turn, asked: Asked) -> dict[str, Any]:
    """The unstreamed answer."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    if turn.calls:
        message["tool_calls"] = [_call(asked, n, call) for n, call in enumerate(turn.calls)]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(turn)}
    return _envelope(asked, "chat.completion") | {"choices": [choice], "usage": _usage(turn, asked)}


def stream(turn: Turn, asked: Asked) -> Iterator[bytes]:
    """The frames of a stream: role, reasoning, text, calls, finish, usage when asked for, end."""
    with_usage = bool((asked.body.get("stream_options") or {}).get("include_usage"))
    base = _envelope(asked, "chat.completion.chunk")
    if with_usage:
        base["usage"] = None
    for delta in _deltas(turn, asked):
        yield data_frame(base | {"choices": [_choice(delta, None)]})
    yield data_frame(base | {"choices": [_choice({}, _finish(turn))]})
    if with_usage:
        yield data_frame(base | {"choices": [], "usage": _usage(turn, asked)})
    yield b"data: [DONE]\n\n"


def error(failure: Failure) -> dict[str, Any]:
    """The error body, as OpenAI words it."""
    kind = "server_error" if failure.status >= 500 else "invalid_request_error"
    return {
        "error": {"message": failure.message, "type": kind, "param": None, "code": failure.code}
    }


def _deltas(turn: Turn, asked: Asked) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": "" if turn.text else None, "refusal": None}
    for piece in pieces(turn.reasoning):
        yield {"reasoning_content": piece}
    for piece in pieces(turn.text):
        yield {"content": piece}
    for number, call in enumerate(turn.calls):
        kind, key = ("custom", "input") if call.custom else ("function", "arguments")
        opened = _call(asked, number, call)
        opened[kind][key] = ""
        yield {"tool_calls": [{"index": number} | opened]}
        for piece in pieces(call.arguments):
            yield {"tool_calls": [{"index": number, kind: {key: piece}}]}


def _call(asked: Asked, number: int, call: Call) -> dict[str, Any]:
    identity = f"call_{asked.number:04}{number:02}"
    if call.custom:
        inner = {"name": call.name, "input": call.arguments}
        return {"id": identity, "type": "custom", "custom": inner}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": identity, "type": "function", "function": function}


def _choice(delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _finish(turn: Turn) -> str:
    return "tool_calls" if turn.calls else "stop"


def _envelope(asked: Asked, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{asked.number:06}",
        "object": kind,
        "created": CREATED,
        "model": asked.model,
        "service_tier": "default",
        "system_fingerprint": "fp_scripted",
    }


def _usage(turn: Turn, asked: Asked) -> dict[str, Any]:
    prompt = len(asked.raw) // 4
    thought = tokens(turn.reasoning)
    said = tokens(turn.text) + sum(tokens(call.arguments) for call in turn.calls) + thought
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": 0},
    }
