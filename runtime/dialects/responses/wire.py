"""Responses answers as they are on the wire, as far as they have a meaning for another dialect.

It knows no order: which event may follow which is for the decoder.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from runtime.dialects.answer import is_set
from runtime.events import Opaque, Refusal, Text

T = TypeVar("T")

TEXT: Final = Text()
REFUSAL: Final = Refusal()

MESSAGE: Final = "message"
REASONING: Final = "reasoning"
FUNCTION: Final = "function_call"
CUSTOM: Final = "custom_tool_call"
# The items that have events.
OURS: Final = frozenset((MESSAGE, REASONING, FUNCTION, CUSTOM))
SPOKEN: Final[dict[str, Text | Refusal]] = {"output_text": TEXT, "refusal": REFUSAL}


class Part(msgspec.Struct, gc=False):
    """A part of a message or of reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    logprobs: list[Any] | None = None
    annotations: list[msgspec.Raw] | None = None


class _Kind(msgspec.Struct, gc=False):
    """An item before anything is known of it."""

    type: str = ""
    id: Any = None


class Item(msgspec.Struct):
    """An output item of a type that has events."""

    type: str
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | dict[str, Any] | None = None
    content: list[Part] | None = None
    summary: list[Part] | None = None
    encrypted_content: str | None = None


class _Why(msgspec.Struct):
    reason: str | None = None


class Response(msgspec.Struct):
    """A response object: inside the events that carry one, or an answer in one piece."""

    id: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    incomplete_details: _Why | None = None
    usage: Any = None


class ResponsesEvent(msgspec.Struct, gc=False):
    """Any event: what each kind has is told by its name."""

    type: str = ""
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    item_id: str | None = None
    delta: str | None = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | dict[str, Any] | None = None
    logprobs: list[Any] | None = None
    part: msgspec.Raw = msgspec.Raw()
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()


class Typed(msgspec.Struct):
    """An event of which only the kind and the item can be read."""

    type: str = ""
    output_index: int | None = None
    item_id: str | None = None


EVENT: Final = msgspec.json.Decoder(ResponsesEvent)
TYPED: Final = msgspec.json.Decoder(Typed)
_KIND: Final = msgspec.json.Decoder(_Kind)
_ITEM: Final = msgspec.json.Decoder(Item)
PART: Final = msgspec.json.Decoder(Part)
RESPONSE: Final = msgspec.json.Decoder(Response)


def read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T:
    """What an event carries. Raises ValueError."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("an event is not a Responses event") from error


def response_of(event: ResponsesEvent) -> Response:
    """The response object of an event; an empty one where there is none. Raises ValueError."""
    return read(RESPONSE, event.response) if is_set(event.response) else Response()


def read_item(raw: msgspec.Raw) -> Item:
    """An output item; of one without events only its type, for the rest may be of any form.

    Raises ValueError.
    """
    kind = read(_KIND, raw)
    if kind.type not in OURS:
        return Item(kind.type, kind.id if isinstance(kind.id, str) else None)
    return read(_ITEM, raw)


def words(part: Part) -> str:
    """What a part of a message says; nothing for one of a kind that has no events."""
    said = part.refusal if part.type == "refusal" else part.text
    return said or "" if part.type in SPOKEN else ""


def sealed(item: Item) -> Opaque | None:
    """The reasoning that only its maker can read; the last word on it is that of the done item."""
    if item.type != REASONING or not item.encrypted_content:
        return None
    return Opaque("responses", {"id": item.id or "", "encrypted_content": item.encrypted_content})


def same_json(one: str, other: str) -> bool:
    """Whether two texts are the same JSON, spelt differently."""
    try:
        return bool(msgspec.json.decode(one) == msgspec.json.decode(other))
    except (msgspec.DecodeError, RecursionError):
        return False
