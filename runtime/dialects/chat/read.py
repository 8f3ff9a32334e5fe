"""Reads a Chat Completions request: one typed decode, and what falls out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runtime.dialects.decode import ABSENT, Amount, BodyDecoder, invalid, is_set
from runtime.dialects.parts import TEXT_BEGINS, Parts, first, is_plain, opened
from runtime.dialects.reading import OtherDialect, Reading, completed, shape_of
from runtime.dialects.session import opening, session_key
from runtime.dialects.tools import KINDS, Named, Toolbox, ToolChoice
from runtime.opaque import holds_wrapped
from runtime.reasoning import Options, Thinking, read_ask
from runtime.signs import SPEECH
from runtime.vocabulary import (
    FORCED,
    JSON_OBJECT,
    JSON_SCHEMA,
    LOGPROBS,
    MULTIPLE,
    PREFILL,
    STATEFUL,
    STREAM,
    Settings,
)


class Message(msgspec.Struct, gc=False):
    """One turn. `prefix` is how some providers are asked to go on with an assistant's text.

    Below the line stands what is carried for bridges and never looked at.
    """

    role: str | None = None
    content: msgspec.Raw = ABSENT
    prefix: bool | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[msgspec.Raw] | None = None
    # ---
    tool_calls: msgspec.Raw = ABSENT
    tool_call_id: Any = None
    name: Any = None
    refusal: msgspec.Raw = ABSENT
    audio: msgspec.Raw = ABSENT
    function_call: msgspec.Raw = ABSENT
    cache_control: msgspec.Raw = ABSENT
    prompt_cache_breakpoint: msgspec.Raw = ABSENT
    citations: msgspec.Raw = ABSENT

    @property
    def answers_tools(self) -> bool:
        """Whether it brings the result of a tool."""
        return self.role in _RESULTS


class StreamOptions(msgspec.Struct):
    """Only whether a usage chunk was asked for."""

    include_usage: bool | None = None


class Format(msgspec.Struct):
    """Only what kind of answer is asked for."""

    type: str | None = None


class Body(msgspec.Struct, gc=False):
    """The fields we look at; all others travel unseen."""

    model: str | None = None
    messages: list[Message] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Amount | None = None
    max_completion_tokens: Amount | None = None
    tools: msgspec.Raw = ABSENT
    tool_choice: ToolChoice = None
    # what tools were called at first
    functions: msgspec.Raw = ABSENT
    function_call: str | Named | None = None
    web_search_options: msgspec.Raw = ABSENT
    parallel_tool_calls: bool | None = None
    response_format: Format | None = None
    reasoning_effort: str | None = None
    reasoning: Options | None = None
    thinking: Thinking | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: Amount | None = None
    logprobs: bool | None = None
    top_logprobs: Amount | None = None
    store: bool | None = None
    prompt_cache_key: str | None = None
    # how the answer is to sound
    audio: msgspec.Raw = ABSENT
    # fields of the other dialects
    input: msgspec.Raw = ABSENT
    system: msgspec.Raw = ABSENT


# What bridges know of a body beside these: they carry it, or name it as left out.
_OTHERS: Final = (
    "cache_control",
    "stop",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "seed",
    "prediction",
    "verbosity",
    "modalities",
    "prompt_cache_retention",
    "prompt_cache_options",
    "service_tier",
    "safety_identifier",
    "user",
    "moderation",
    "metadata",
)
_BODY: Final = BodyDecoder(
    Body,
    {
        "messages": msgspec.json.Decoder(list[Message] | None),
        "tools": None,
        "functions": None,
    },
    _OTHERS,
)
_FORMATS: Final = {"json_object": JSON_OBJECT, "json_schema": JSON_SCHEMA}
_RESULTS: Final = ("tool", "function")
# How Messages writes tool calls and results.
_BLOCKS: Final = ("tool_use", "tool_result")


def read(
    body: bytes,
    headers: Mapping[bytes, bytes],
    settings: Settings,
    *,
    settled: bool = False,
    crosses: bool = False,
) -> Reading:
    """The request, understood. Raises CallerError, or OtherDialect unless `settled`."""
    fields, members = _BODY.decode(body, crosses=crosses)
    if not fields.messages:
        raise _without_messages(fields)
    tools = _tools(fields, settings)
    history = _history(fields.messages, settings)
    if not settled and (history.blocks or tools.anthropic or is_set(fields.system)):
        raise OtherDialect("messages", settled=True)
    ask = read_ask(
        fields.reasoning_effort,
        "reasoning_effort",
        fields.reasoning,
        fields.thinking,
        settings.budgets,
    )
    cap = fields.max_completion_tokens if fields.max_tokens is None else fields.max_tokens
    needs = _needs(fields, fields.messages[-1]) | tools.forced_need(fields.tool_choice) | ask.bit
    reading = Reading(
        dialect="chat",
        model=fields.model or None,
        stream=bool(fields.stream),
        shape=shape_of(needs, cap, tools, history, len(body)),
        session_key=session_key(headers, fields.prompt_cache_key, None),
        opening=opening(fields.messages),
        turns=fields.messages,
        top=members,
        forced=bool(needs & FORCED) or tools.forced(fields.tool_choice),
        include_usage=bool(fields.stream_options and fields.stream_options.include_usage),
        signs=(*history.signs, SPEECH) if is_set(fields.audio) else history.signs,
        deterministic=fields.temperature == 0,
    )
    return completed(reading, ask, tools, history)


def _without_messages(fields: Body) -> Exception:
    if is_set(fields.input):
        return OtherDialect("responses", settled=True)
    return invalid("The body has neither `messages` nor `input`. Send one of them.", "messages")


def _tools(fields: Body, settings: Settings) -> Toolbox:
    tools = Toolbox(settings.hosted_tools, KINDS)
    tools.add(fields.tools, "tools")
    tools.add(fields.functions, "functions")
    if is_set(fields.web_search_options):
        tools.add_hosted("web_search", "web_search_options")
    return tools


class _History(Parts, gc=False):
    """The parts of a conversation. `blocks`: it holds what only Messages has."""

    blocks: bool = False


def _history(messages: list[Message], settings: Settings) -> _History:
    history = _History(settings.images)
    for index, message in enumerate(messages):
        if message.reasoning_content or message.reasoning:
            history.echo = True
        if message.reasoning_details:
            history.opaque = True
            history.wrapped = history.wrapped or any(map(holds_wrapped, message.reasoning_details))
        if message.content is ABSENT or first(message.content) in TEXT_BEGINS:
            continue
        where = f"messages[{index}].content"
        content = opened(message.content, where)
        if isinstance(content, list):
            history.blocks = history.blocks or any(part.type in _BLOCKS for part in content)
        if not is_plain(content):
            history.add(content, where)
    return history


def _needs(fields: Body, last: Message) -> int:
    needs = 0
    if fields.stream:
        needs |= STREAM
    if fields.response_format is not None:
        needs |= _FORMATS.get(fields.response_format.type or "", 0)
    if fields.n is not None and fields.n > 1:
        needs |= MULTIPLE
    if fields.logprobs or fields.top_logprobs:
        needs |= LOGPROBS
    if fields.store:
        needs |= STATEFUL
    if last.role == "assistant" or last.prefix:
        needs |= PREFILL
    if isinstance(fields.function_call, Named):
        needs |= FORCED
    return needs
