"""Tools under names the other side can read, and the way back.

A custom (grammar) tool travels as a function of one string, a tool in a namespace under a flat
name; `ToolNames` remembers, for one request, what each sent name was. Same tools, same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from runtime.arguments import unwrapped
from runtime.events import Answer, BlockDelta, BlockEnded, BlockStarted, Event, Part, ToolCall
from runtime.repeats import weight_of

# What every provider takes for the name of a function (OpenAI, Anthropic: 64 characters).
_LEGAL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ILLEGAL: Final = re.compile(r"[^A-Za-z0-9_-]")
_MAX_NAME: Final = 64
_DIGEST: Final = 8
# What Anthropic takes for the id of a tool call.
_LEGAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# What a call without arguments means that says nothing.
_NOTHING: Final = "{}"
# About what a tool takes in memory beside its text and its names.
_TOOL_BYTES: Final = 1024
_ENCODER: Final = msgspec.json.Encoder()


class Original(msgspec.Struct, frozen=True, cache_hash=True):
    """A tool as the caller named it."""

    name: str
    custom: bool = False
    namespace: str | None = None


class ToolNames(msgspec.Struct, frozen=True):
    """Sent name -> the caller's tool. Tools that travel under their own name are not in it.

    `flat` are custom tools that a caller of Chat wrote without the object that Chat has for them:
    Cursor does, and wants their calls as a function's whose arguments are the bare text.
    """

    sent: Mapping[str, Original] = {}
    flat: frozenset[str] = frozenset()

    def sent_for(self, original: Original) -> str:
        """The name a tool of the caller's travels under."""
        for name, known in self.sent.items():
            if known == original:
                return name
        return original.name

    def original(self, name: str) -> Original:
        """The caller's tool behind a name in an answer."""
        return self.sent.get(name) or Original(name)


def name_tools(originals: Iterable[Original]) -> ToolNames:
    """Flat, legal and distinct names for the tools of one request, in their order."""
    plain: set[str] = set()
    others: list[Original] = []
    for original in originals:
        if _is_plain(original):
            plain.add(original.name)
        else:
            others.append(original)
    sent: dict[str, Original] = {}
    for original in others:
        if original in sent.values():
            continue
        name = _flat(original)
        if name in plain or name in sent:
            name = _shortened(name, repr(original))
        sent[name] = original
    return ToolNames(sent)


def sent_names(originals: Iterable[Original], names: ToolNames) -> dict[Original, str]:
    """The name each tool travels under, in the order of the tools."""
    changed = {original: name for name, original in names.sent.items()}
    return {original: changed.get(original, original.name) for original in originals}


def plain_names(sent: Mapping[Original, str]) -> frozenset[str]:
    """The functions that travel under their own name."""
    return frozenset(name for original, name in sent.items() if original == Original(name))


def legal_id(call_id: str) -> str:
    """The id of a tool call in a form both sides take: itself, or always the same stand-in."""
    return call_id if _LEGAL_ID.fullmatch(call_id) else f"call_{_digest(call_id)}"


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """The tools of a body as they go upstream. Requests that offer the same share them, so that
    nothing in here is ever changed.
    """

    # the caller's tool -> the name it travels under, in the order of the tools
    sent: Mapping[Original, str]
    names: ToolNames
    # the functions among them that travel under their own name: nearly all
    plain: frozenset[str]
    written: tuple[msgspec.Raw, ...]
    # what was left out of them, for the trace
    lost: tuple[str, ...] = ()
    # how those may be named that are left out because a provider runs them
    hosted: frozenset[str] = frozenset()

    @property
    def weight(self) -> int:
        """About how many bytes they hold."""
        texts = sum(len(memoryview(tool)) for tool in self.written)
        names = {word for tool in self.sent for word in (tool.name, tool.namespace) if word}
        words = weight_of(self.lost) + weight_of(self.hosted) + weight_of(names)
        return texts + words + _TOOL_BYTES * len(self.sent)


def encoded(tools: Iterable[Mapping[str, Any]]) -> tuple[msgspec.Raw, ...]:
    """Tools as they go upstream, free of the body they were read from."""
    return tuple(msgspec.Raw(_ENCODER.encode(tool)) for tool in tools)


class Renamer:
    """Gives the tool calls of one answer their names, kinds and ids back: event by event, or at
    once where the answer is whole. `answer_id` makes ids where the upstream sent none.
    """

    def __init__(self, names: ToolNames, answer_id: str) -> None:
        self._names = names
        self._answer_id = answer_id
        # block -> collected arguments of a wrapped custom tool: unwrapped when they are complete
        self._custom: dict[int, list[str]] = {}
        self._empty: set[int] = set()

    def feed(self, event: Event) -> list[Event]:
        """The event as the caller's dialect may have it."""
        if isinstance(event, BlockDelta):
            if event.index in self._custom:
                self._custom[event.index].append(event.text)
                return []
            self._empty.discard(event.index)
        elif isinstance(event, BlockEnded):
            return [*self._rest(event.index), event]
        elif isinstance(event, BlockStarted) and isinstance(event.block, ToolCall):
            return [self._started(event.index, event.block)]
        return [event]

    def whole(self, answer: Answer) -> Answer:
        """The answer that its events come to when each goes through `feed`."""
        for part in answer.parts:
            if isinstance(part.block, ToolCall):
                renamed = [self._whole(index, part) for index, part in enumerate(answer.parts)]
                return msgspec.structs.replace(answer, parts=tuple(renamed))
        return answer

    def passes(self, index: int) -> bool:
        """Whether more of a block goes on as it is, and changes nothing here."""
        return index not in self._custom and index not in self._empty

    def _whole(self, index: int, part: Part) -> Part:
        call, text = part.block, part.text
        if not isinstance(call, ToolCall):
            return part
        if not call.custom:
            wrapped = self._names.original(call.name).custom
            text = unwrapped(text) if wrapped else text or _NOTHING
        return Part(self._renamed(index, call), text, part.opaque)

    def _started(self, index: int, call: ToolCall) -> Event:
        if not call.custom:
            if self._names.original(call.name).custom:
                self._custom[index] = []
            else:
                self._empty.add(index)
        return BlockStarted(index, self._renamed(index, call))

    def _renamed(self, index: int, call: ToolCall) -> ToolCall:
        original = self._names.original(call.name)
        return ToolCall(
            id=legal_id(call.id) if call.id else self._made_id(index),
            name=original.name,
            custom=(call.custom or original.custom) and original.name not in self._names.flat,
            namespace=original.namespace,
        )

    def _rest(self, index: int) -> list[Event]:
        if index in self._custom:
            text = unwrapped("".join(self._custom.pop(index)))
            return [BlockDelta(index, text)] if text else []
        if index in self._empty:
            self._empty.discard(index)
            return [BlockDelta(index, _NOTHING)]
        return []

    def _made_id(self, index: int) -> str:
        return f"call_{_digest(f'{self._answer_id}/{index}')}"


def _is_plain(original: Original) -> bool:
    return (
        not original.custom
        and original.namespace is None
        and _LEGAL_NAME.fullmatch(original.name) is not None
    )


def _flat(original: Original) -> str:
    whole = f"{original.namespace}__{original.name}" if original.namespace else original.name
    name = _ILLEGAL.sub("_", whole)
    return _shortened(whole, whole) if len(name) > _MAX_NAME or name != whole else name


def _shortened(name: str, of: str) -> str:
    """A name cut to size, told apart by a digest of what it stands for."""
    room = _MAX_NAME - _DIGEST - 1
    return f"{_ILLEGAL.sub('_', name)[:room]}_{_digest(of)[:_DIGEST]}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=12).hexdigest()
