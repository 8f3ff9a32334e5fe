"""Conversations with tools, drawn by hypothesis and written down in each dialect."""

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.runtime.events.legal import NAMES, OBJECTS, TEXTS

_PIXEL = "iVBORw0KGgo="
_IDS = st.text(st.sampled_from("abcXYZ_-09"), min_size=1, max_size=12)
_SCHEMAS = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(
            st.sampled_from(["path", "text", "limit"]),
            st.sampled_from([{"type": "string"}, {"type": "integer"}, {"enum": ["a", "b"]}]),
            max_size=3,
        ),
    }
)


class Turn(NamedTuple):
    """What a user says and shows, what the model answers and calls, and what the calls bring."""

    asked: str
    shown: int
    answer: str
    calls: list[tuple[str, str, dict[str, Any], str]]  # id, name, arguments, result


class Conversation(NamedTuple):
    """A request that ends with a question of the user, or with results."""

    system: str | None
    tools: dict[str, Any]
    turns: list[Turn]
    question: str | None
    plain: dict[str, Any]


@st.composite
def conversations(draw):
    """Any conversation that all three dialects can write."""
    tools = draw(st.dictionaries(NAMES, _SCHEMAS, max_size=3))
    ids = iter(draw(st.lists(_IDS, min_size=12, max_size=12, unique=True)))
    turns = []
    for _ in range(draw(st.integers(0, 3))):
        names = draw(st.lists(st.sampled_from(sorted(tools)), max_size=3)) if tools else []
        calls = [(next(ids), name, draw(OBJECTS), draw(TEXTS)) for name in names]
        answer = draw(TEXTS if not calls else TEXTS | st.just(""))
        asked = "Do " + draw(TEXTS)  # Messages has no turn of nothing but white space
        turns.append(Turn(asked, draw(st.integers(0, 2)), answer, calls))
    ends_in_results = bool(turns) and bool(turns[-1].calls) and draw(st.booleans())
    plain = {
        "cap": draw(st.integers(100, 60_000)),
        "temperature": draw(st.none() | st.sampled_from([0, 0.5, 1])),
        "stream": draw(st.booleans()),
    }
    question = None if ends_in_results else "And now? " + draw(TEXTS)
    return Conversation(draw(st.none() | TEXTS), tools, turns, question, plain)


def written(dialect: str, conversation: Conversation) -> bytes:
    """The body of a conversation in a dialect."""
    body = {"model": "coder", **_WRITERS[dialect](conversation)}
    temperature = conversation.plain["temperature"]
    body |= {} if temperature is None else {"temperature": temperature}
    body |= {"stream": True} if conversation.plain["stream"] else {}
    return json.dumps(body, ensure_ascii=False).encode()


def _chat(said: Conversation) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    if said.system is not None:
        messages.append({"role": "system", "content": said.system})
    for turn in said.turns:
        image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_PIXEL}"}}
        text = {"type": "text", "text": turn.asked}
        messages.append({"role": "user", "content": [text, *[image] * turn.shown]})
        calls = [
            {
                "id": i,
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(given)},
            }
            for i, name, given, _ in turn.calls
        ]
        answer = {"role": "assistant", "content": turn.answer or None}
        messages.append(answer | ({"tool_calls": calls} if calls else {}))
        messages += [
            {"role": "tool", "tool_call_id": i, "content": brought}
            for i, _, _, brought in turn.calls
        ]
    if said.question is not None:
        messages.append({"role": "user", "content": said.question})
    tools = [
        {"type": "function", "function": {"name": name, "parameters": schema}}
        for name, schema in said.tools.items()
    ]
    return {
        "messages": messages,
        "max_tokens": said.plain["cap"],
        **({"tools": tools} if tools else {}),
    }


def _messages(said: Conversation) -> dict[str, Any]:
    messages: list[dict[str, Any]] = []
    brought: list[dict[str, Any]] = []
    for turn in said.turns:
        source = {"type": "base64", "media_type": "image/png", "data": _PIXEL}
        shown = [{"type": "image", "source": source}] * turn.shown
        asked = [{"type": "text", "text": turn.asked}, *shown]
        messages.append({"role": "user", "content": [*brought, *asked]})
        answer = [{"type": "text", "text": turn.answer}] if turn.answer else []
        calls = [
            {"type": "tool_use", "id": i, "name": name, "input": given}
            for i, name, given, _ in turn.calls
        ]
        messages.append({"role": "assistant", "content": [*answer, *calls]})
        brought = [
            {"type": "tool_result", "tool_use_id": i, "content": result}
            for i, _, _, result in turn.calls
        ]
    question = [] if said.question is None else [{"type": "text", "text": said.question}]
    messages.append({"role": "user", "content": [*brought, *question]})
    tools = [{"name": name, "input_schema": schema} for name, schema in said.tools.items()]
    return {
        **({"system": said.system} if said.system is not None else {}),
        "messages": messages,
        "max_tokens": said.plain["cap"],
        **({"tools": tools} if tools else {}),
    }


def _responses(said: Conversation) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    for turn in said.turns:
        image = {"type": "input_image", "image_url": f"data:image/png;base64,{_PIXEL}"}
        parts = [{"type": "input_text", "text": turn.asked}, *[image] * turn.shown]
        items.append({"type": "message", "role": "user", "content": parts})
        if turn.answer:
            parts = [{"type": "output_text", "text": turn.answer}]
            items.append({"type": "message", "role": "assistant", "content": parts})
        items += [
            {"type": "function_call", "call_id": i, "name": name, "arguments": json.dumps(given)}
            for i, name, given, _ in turn.calls
        ]
        items += [
            {"type": "function_call_output", "call_id": i, "output": brought}
            for i, _, _, brought in turn.calls
        ]
    if said.question is not None:
        items.append({"type": "message", "role": "user", "content": said.question})
    tools = [
        {"type": "function", "name": name, "parameters": schema, "strict": False}
        for name, schema in said.tools.items()
    ]
    return {
        **({"instructions": said.system} if said.system is not None else {}),
        "input": items,
        "max_output_tokens": said.plain["cap"],
        **({"tools": tools} if tools else {}),
        "store": False,
    }


_WRITERS = {"chat": _chat, "messages": _messages, "responses": _responses}
