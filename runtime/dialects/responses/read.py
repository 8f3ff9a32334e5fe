"""Reads a Responses request: one typed decode, and what falls out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from runtime.dialects.decode import ABSENT, Amount, BodyDecoder, invalid, is_set
from runtime.dialects.parts import Carried, Content, Parts, is_plain, is_text, opened
from runtime.dialects.reading import OtherDialect, Reading, completed, shape_of
from runtime.dialects.session import opening, session_key
from runtime.dialects.tools import KINDS, Toolbox, ToolChoice
from runtime.opaque import holds_wrapped
from runtime.reasoning import Options, read_ask
from runtime.signs import COMPACTION, PROMPT
from runtime.vocabulary import JSON_OBJECT, JSON_SCHEMA, LOGPROBS, STATEFUL, STREAM, Settings


class Item(msgspec.Struct, gc=False):
    """One entry of `input`; a message may come without a type.

    Below the line stands what is carried for bridges and never looked at.
    """

    type: str | None = None
    role: str | None = None
    id: str | None = None
    content: Content = None
    output: msgspec.Raw = ABSENT
    encrypted_content: msgspec.Raw = ABSENT
    # of additional_tools
    tools: msgspec.Raw = ABSENT
    # of image_generation_call: a whole image
    result: msgspec.Raw = ABSENT
    # ---
    call_id: Any = None
    name: Any = None
    namespace: Any = None
    arguments: msgspec.Raw = ABSENT
    input: msgspec.Raw = ABSENT
    phase: Any = None
    status: Any = None
    summary: msgspec.Raw = ABSENT
    action: msgspec.Raw = ABSENT
    operation: msgspec.Raw = ABSENT
    code: msgspec.Raw = ABSENT
    outputs: msgspec.Raw = ABSENT
    queries: msgspec.Raw = ABSENT
    results: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT

    @property
    def answers_tools(self) -> bool:
        """Whether it is the result of a tool, which has a type of its own for every kind."""
        return self.type is not None and self.type.endswith("_output")


class Format(msgspec.Struct):
    """Only what kind of answer is asked for."""

    type: str | None = None


class Text(msgspec.Struct):
    """Only the format; verbosity travels unseen."""

    format: Format | None = None


class StreamOptions(msgspec.Struct):
    """Only what belongs to Chat: Cursor sends it along, and wants its usage chunk."""

    include_usage: bool | None = None


class Body(msgspec.Struct, gc=False):
    """The fields we look at; all others travel unseen."""

    model: str | None = None
    input: str | list[Item] | None = None
    instructions: str | list[Item] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_output_tokens: Amount | None = None
    tools: msgspec.Raw = ABSENT
    tool_choice: ToolChoice = None
    parallel_tool_calls: bool | None = None
    text: Text | None = None
    reasoning: Options | None = None
    include: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: Amount | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: msgspec.Raw = ABSENT
    prompt_cache_key: str | None = None
    prompt: msgspec.Raw = ABSENT
    # a field of the other dialects
    messages: msgspec.Raw = ABSENT


# What bridges know of a body beside these: they carry it, or name it as left out.
_OTHERS: Final = (
    "max_tool_calls",
    "prompt_cache_retention",
    "prompt_cache_options",
    "service_tier",
    "user",
    "safety_identifier",
    "moderation",
    "metadata",
    "client_metadata",
    "truncation",
    "context_management",
    "access_programs",
    "image",
)
_BODY: Final = BodyDecoder(
    Body,
    {
        "input": msgspec.json.Decoder(str | list[Item] | None),
        "instructions": msgspec.json.Decoder(str | list[Item] | None),
        "tools": None,
    },
    _OTHERS,
)
_FORMATS: Final = {"json_object": JSON_OBJECT, "json_schema": JSON_SCHEMA}
_INCLUDE_LOGPROBS: Final = "message.output_text.logprobs"
# Ids of reasoning items: they can be left out, so a reference to one is no state.
REASONING_ID: Final = "rs_"
ENCRYPTED: Final = frozenset(("reasoning", "compaction", "compaction_summary"))
_REFERENCE: Final = "item_reference"
_COMPACT: Final = "compaction_trigger"
_SPECIAL: Final = ENCRYPTED | {
    None,
    _REFERENCE,
    "additional_tools",
    "image_generation_call",
}


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
    if fields.input is None:
        if is_set(fields.messages) and not settled:
            raise OtherDialect("chat", settled=False)
        raise invalid("The body has neither `messages` nor `input`. Send one of them.", "input")
    items = (
        [Item(role="user", content=fields.input)] if isinstance(fields.input, str) else fields.input
    )
    tools = Toolbox(settings.hosted_tools, KINDS)
    tools.add(fields.tools, "tools")
    history = _history(items, tools, settings)
    ask = read_ask(None, "reasoning.effort", fields.reasoning, None, settings.budgets)
    needs = _needs(fields, history) | tools.forced_need(fields.tool_choice) | ask.bit
    reading = Reading(
        dialect="responses",
        model=fields.model or None,
        stream=bool(fields.stream),
        shape=shape_of(needs, fields.max_output_tokens, tools, history, len(body)),
        session_key=session_key(headers, fields.prompt_cache_key, None),
        include_usage=bool(fields.stream_options and fields.stream_options.include_usage),
        opening=_opening(fields, items),
        turns=items,
        top=members,
        forced=tools.forced(fields.tool_choice),
        previous_response_id=fields.previous_response_id or None,
        unsealed="conversation" if is_set(fields.conversation) else history.unsealed,
        signs=history.signs + _signs(fields, items),
        deterministic=fields.temperature == 0,
        references=history.references,
    )
    return completed(reading, ask, tools, history)


def _signs(fields: Body, items: list[Item]) -> tuple[str, ...]:
    signs = (PROMPT,) if is_set(fields.prompt) else ()
    return (*signs, COMPACTION) if items and items[-1].type == _COMPACT else signs


class _History(Parts, gc=False):
    """The parts of a conversation, and what its items refer to."""

    references: bool = False
    unsealed: str | None = None


def _history(items: list[Item], tools: Toolbox, settings: Settings) -> _History:
    history = _History(settings.images)
    for index, item in enumerate(items):
        if not is_plain(item.content):
            history.add(item.content, f"input[{index}].content")
        if not is_text(item.output):
            where = f"input[{index}].output"
            history.add(opened(item.output, where), where)
        if item.type not in _SPECIAL:
            continue
        if item.type in ENCRYPTED:
            history.echo = True
            history.opaque = history.opaque or is_set(item.encrypted_content)
            history.wrapped = history.wrapped or holds_wrapped(item.encrypted_content)
        elif refers(item):
            if (item.id or "").startswith(REASONING_ID):
                history.references = True
            else:
                history.unsealed = history.unsealed or f"input[{index}]"
        elif item.type == "additional_tools":
            tools.add(item.tools, f"input[{index}].tools")
        elif item.type == "image_generation_call":
            history.inline_bytes += len(memoryview(item.result))
    return history


class Referring(Protocol):
    """The labels of an input item."""

    @property
    def type(self) -> str | None: ...
    @property
    def role(self) -> str | None: ...
    @property
    def id(self) -> str | None: ...


def refers(item: Referring) -> bool:
    """Whether an item stands for one that an upstream keeps; Responses lets its type be left out,
    as that of a message, which has a role.
    """
    if item.type is None:
        return item.role is None and item.id is not None
    return item.type == _REFERENCE


def _opening(fields: Body, items: list[Item]) -> tuple[Carried, ...]:
    if isinstance(fields.instructions, list):
        return opening([*fields.instructions, *items])
    return opening(items, fields.instructions)


def _needs(fields: Body, history: _History) -> int:
    needs = 0
    if fields.stream:
        needs |= STREAM
    if fields.text is not None and fields.text.format is not None:
        needs |= _FORMATS.get(fields.text.format.type or "", 0)
    if fields.top_logprobs or _INCLUDE_LOGPROBS in (fields.include or ()):
        needs |= LOGPROBS
    if fields.store or fields.background or fields.previous_response_id:
        needs |= STATEFUL
    if is_set(fields.conversation) or history.unsealed is not None:
        needs |= STATEFUL
    return needs
