"""Reads a Messages request, also one that only wants its tokens counted: one typed decode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from runtime.dialects.decode import ABSENT, Amount, BodyDecoder, invalid, is_set
from runtime.dialects.parts import Content, Parts, is_plain
from runtime.dialects.reading import OtherDialect, Reading, completed, shape_of
from runtime.dialects.session import opening, session_key
from runtime.dialects.tools import MESSAGES_KINDS, Toolbox, ToolChoice
from runtime.reasoning import Thinking, read_ask
from runtime.signs import COMPACTION, CONTAINER, INFERENCE_GEO, THREAD
from runtime.vocabulary import JSON_OBJECT, JSON_SCHEMA, PREFILL, STREAM, Settings


class Message(msgspec.Struct, gc=False):
    """One turn. `tool_calls` belongs to Chat and shows that a body is."""

    role: str | None = None
    content: Content = None
    tool_calls: list[msgspec.Raw] | None = None

    @property
    def answers_tools(self) -> bool:
        """Whether it holds results of tools."""
        if isinstance(self.content, list):
            for part in self.content:
                if part.type == "tool_result":
                    return True
        return False


class Format(msgspec.Struct):
    """Only what kind of answer is asked for."""

    type: str | None = None


class OutputConfig(msgspec.Struct):
    """How much effort, and in which form."""

    effort: str | None = None
    format: Format | None = None


class Metadata(msgspec.Struct):
    """Only the user id, in which some clients name their session."""

    user_id: str | None = None


class Body(msgspec.Struct, gc=False):
    """The fields we look at; all others travel unseen."""

    model: str | None = None
    messages: list[Message] | None = None
    system: Content = None
    stream: bool | None = None
    max_tokens: Amount | None = None
    tools: msgspec.Raw = ABSENT
    tool_choice: ToolChoice = None
    mcp_servers: list[msgspec.Raw] | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    # where the format stood before `output_config`
    output_format: Format | None = None
    metadata: Metadata | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: Amount | None = None
    stop_sequences: list[str] | None = None
    # a field of Responses
    input: msgspec.Raw = ABSENT


_NO_CONFIG: Final = OutputConfig()
# What bridges know of a body beside these: they carry it, or name it as left out.
_OTHERS: Final = (
    "cache_control",
    "service_tier",
    "context_management",
    "compaction",
    "container",
    "thread",
    "inference_geo",
    "speed",
    "fallbacks",
    "fallback_credit_token",
    "diagnostics",
    "billing_policy",
    "user_profile_id",
    "workspace_id",
    "betas",
)
_BODY: Final = BodyDecoder(
    Body,
    {
        "messages": msgspec.json.Decoder(list[Message] | None),
        "system": msgspec.json.Decoder(Content),
        "tools": None,
    },
    _OTHERS,
)
# Fields of which it matters alone that they are there.
_SIGNS: Final = {
    "container": CONTAINER,
    "thread": THREAD,
    "compaction": COMPACTION,
    "inference_geo": INFERENCE_GEO,
}
_FORMATS: Final = {"json_object": JSON_OBJECT, "json_schema": JSON_SCHEMA}


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
    tools = Toolbox(settings.hosted_tools, MESSAGES_KINDS)
    tools.add(fields.tools, "tools")
    if fields.mcp_servers:
        tools.add_hosted("mcp", "mcp_servers")
    history = _history(fields.messages, settings)
    if not settled and (tools.openai or history.is_chat):
        raise OtherDialect("chat", settled=True)
    if not is_plain(fields.system):
        history.add(fields.system, "system")
    config = fields.output_config or _NO_CONFIG
    ask = read_ask(config.effort, "output_config.effort", None, fields.thinking, settings.budgets)
    needs = _needs(fields, config, history) | tools.forced_need(fields.tool_choice) | ask.bit
    user_id = fields.metadata.user_id if fields.metadata else None
    reading = Reading(
        dialect="messages",
        model=fields.model or None,
        stream=bool(fields.stream),
        shape=shape_of(needs, fields.max_tokens, tools, history, len(body)),
        session_key=session_key(headers, None, user_id),
        opening=opening(fields.messages, fields.system),
        turns=fields.messages,
        top=members,
        forced=tools.forced(fields.tool_choice),
        signs=history.signs + _signs(members),
        deterministic=fields.temperature == 0,
        betas=_betas(headers),
        system_turns=history.system_turns,
        tool_loop=fields.messages[-1].answers_tools,
    )
    return completed(reading, ask, tools, history)


def _without_messages(fields: Body) -> Exception:
    if is_set(fields.input):
        return OtherDialect("responses", settled=True)
    return invalid("The body has neither `messages` nor `input`. Send one of them.", "messages")


class _History(Parts, gc=False):
    """The parts of a conversation, and what its roles tell."""

    is_chat: bool = False
    last_role: str | None = None
    system_turns: bool = False


def _history(messages: list[Message], settings: Settings) -> _History:
    history = _History(settings.images)
    role = None
    for index, message in enumerate(messages):
        if message.role == "system":
            history.system_turns = True
        else:
            role = message.role
        if role == "tool" or message.tool_calls is not None:
            history.is_chat = True
        if not is_plain(message.content):
            history.add(message.content, f"messages[{index}].content")
    history.last_role = role
    return history


def _needs(fields: Body, config: OutputConfig, history: _History) -> int:
    needs = STREAM if fields.stream else 0
    wanted = config.format or fields.output_format
    if wanted is not None:
        needs |= _FORMATS.get(wanted.type or "", 0)
    return needs | PREFILL if history.last_role == "assistant" else needs


def _signs(members: dict[str, msgspec.Raw]) -> tuple[str, ...]:
    if _SIGNS.keys().isdisjoint(members):
        return ()
    return tuple(sign for name, sign in _SIGNS.items() if is_set(members.get(name, ABSENT)))


def _betas(headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """The values of `anthropic-beta`, which is a comma-separated list."""
    line = headers.get(b"anthropic-beta")
    if not line:
        return ()
    return tuple(value for value in map(str.strip, line.decode("latin-1").split(",")) if value)
