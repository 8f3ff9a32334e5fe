"""Requests over the two bridges to Chat, and the rules a Chat request has to keep.

The rules share no code of ours: types are those of OpenAI's SDK, order is judged by hand.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openai.types.chat import (
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageParam,
    ChatCompletionToolChoiceOptionParam,
)
from openai.types.chat.completion_create_params import ResponseFormat
from pydantic import TypeAdapter, ValidationError

from runtime.bridges import messages_to_chat, responses_to_chat
from runtime.bridges.crossing import Crossed, Crossing
from runtime.dialects import DIALECTS
from runtime.vocabulary import Reasoning
from tests.runtime.bridges.twice import crossed_twice
from tests.runtime.dialects.bodies import SETTINGS, open_skin, step_of
from tests.runtime.dialects.captures import captures

FIXTURES = Path(__file__).parents[2] / "data" / "fixtures"
BRIDGES = {"responses": responses_to_chat, "messages": messages_to_chat}
DOMAIN = "the-provider"
THINKS = Reasoning(control="effort", levels=("low", "high"))

_TYPES = {
    "messages": TypeAdapter(list[ChatCompletionMessageParam]),
    "tools": TypeAdapter(list[ChatCompletionFunctionToolParam]),
    "tool_choice": TypeAdapter(ChatCompletionToolChoiceOptionParam),
    "response_format": TypeAdapter(ResponseFormat),
    "parallel_tool_calls": TypeAdapter(bool),
    "stream": TypeAdapter(bool),
    "max_tokens": TypeAdapter(int),
    "stop": TypeAdapter(list[str]),
    "verbosity": TypeAdapter(str),
    "logprobs": TypeAdapter(bool),
}
_ROLES = {"system", "user", "assistant", "tool"}
_PARTS = {"text", "image_url", "file", "input_audio"}


def cross(dialect: str, body: dict[str, Any], features: int = 0, **skin: Any) -> Crossed:
    """A body over the bridge to a Chat skin; what comes out is judged."""
    return cross_bytes(dialect, json.dumps(body).encode(), features, **skin)


def cross_bytes(dialect: str, body: bytes, features: int = 0, **skin: Any) -> Crossed:
    """The same of a body as it is spelt."""
    reading = DIALECTS[dialect].read(body, {}, SETTINGS)
    given = {"reasoning": THINKS, **skin}
    crossing = Crossing(
        reading=reading, step=step_of(open_skin(**given), features=features), domain=DOMAIN
    )
    crossed = crossed_twice(BRIDGES[dialect], crossing)
    assert list(faults(crossed.top)) == []
    return crossed


def faults(top: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a Chat request, in words."""
    for name, adapter in _TYPES.items():
        if name in top:
            try:
                _read_lazily(adapter.validate_python(top[name]))
            except ValidationError as error:
                yield f"{name}: {error}"
    yield from faults_of_order(top["messages"])
    for message in top["messages"]:
        yield from _faults_of_content(message)
    names = [tool["function"]["name"] for tool in top.get("tools", ())]
    if len(names) != len(set(names)):
        yield "two tools have one name"
    if not names and (top.keys() & {"tools", "tool_choice", "parallel_tool_calls"}):
        yield "a choice without tools"


def _read_lazily(value: Any) -> None:
    """Pydantic reads an `Iterable` only when somebody asks for its elements."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, str) and hasattr(value, "__iter__"):
        for inner in value:
            _read_lazily(inner)


def faults_of_order(messages: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the order of turns, calls and results."""
    if not messages:
        yield "no messages"
    waiting: list[str] = []
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            if not waiting or waiting.pop(0) != message["tool_call_id"]:
                yield f"{at}: a result that is not of the next call"
            continue
        if waiting:
            yield f"{at}: {message['role']} before the results of {waiting}"
        waiting = [call["id"] for call in message.get("tool_calls", ())]
    if waiting:
        yield f"no results of {waiting}"


def _faults_of_content(message: dict[str, Any]) -> Iterator[str]:
    role, content = message["role"], message["content"]
    if role not in _ROLES:
        yield f"role {role}"
    if content is None and not (role == "assistant" and message.get("tool_calls")):
        yield f"{role} without content"
    if content == "" and role != "tool":
        yield f"{role} with nothing to say"
    if isinstance(content, list):
        kinds = {part["type"] for part in content}
        if not kinds or not kinds <= (_PARTS if role == "user" else {"text"}):
            yield f"{role} with {kinds}"
        if any(part.get("text") == "" for part in content):
            yield f"{role} with an empty text"


def recorded(dialect: str) -> list[tuple[str, dict[str, Any]]]:
    """Every capture and every kept request of a dialect, by name."""
    found = [(c.name, json.loads(c.body)) for c in captures() if c.dialect == dialect]
    files = sorted((FIXTURES / dialect).glob("*.request.json"))
    found += [(f"{dialect}/{file.name}", json.loads(file.read_text())) for file in files]
    return found


def capture(name: str) -> dict[str, Any]:
    """One captured request by its name."""
    return next(json.loads(c.body) for c in captures() if c.name == name)


def roles(crossed: Crossed) -> list[str]:
    """The roles of the messages, in order."""
    return [message["role"] for message in crossed.top["messages"]]
