"""A caller's body as plain data for a bridge to walk: all of it, but for the texts of long tool
results, which are carried as they are spelt. It knows where those stand and nothing else.

They are most of an agent's body. Not to unescape and escape them again, nor to copy them twice,
takes an eighth off the way over a bridge of a request of 200 KB.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from runtime.dialects.decode import decode
from runtime.dialects.reading import Reading

# Shorter texts are decoded: to find out what may be carried costs more than it saves.
_LONG: Final = 1024  # bytes
_QUOTE: Final = b'"'[0]
_OPEN_LIST: Final = b"["[0]
# The first character of a text that is carried: with it no text is blank.
_VISIBLE: Final = frozenset(range(b"!"[0], b"~"[0] + 1)) - {b"\\"[0]}


class _ChatResult(
    msgspec.Struct, tag_field="role", tag="tool", forbid_unknown_fields=True, gc=False
):
    content: msgspec.Raw
    tool_call_id: str

    def plain(self) -> dict[str, Any]:
        content = _carried(self.content)
        return {"role": "tool", "tool_call_id": self.tool_call_id, "content": content}


class _ResponsesResult(
    msgspec.Struct,
    tag_field="type",
    tag="function_call_output",
    forbid_unknown_fields=True,
    gc=False,
):
    output: msgspec.Raw
    call_id: str
    id: Any = msgspec.UNSET

    def plain(self) -> dict[str, Any]:
        item = {
            "type": "function_call_output",
            "call_id": self.call_id,
            "output": _carried(self.output),
        }
        if self.id is not msgspec.UNSET:
            item["id"] = self.id
        return item


class _MessagesResult(
    msgspec.Struct, tag_field="type", tag="tool_result", forbid_unknown_fields=True
):
    content: msgspec.Raw
    tool_use_id: str
    is_error: Any = msgspec.UNSET
    cache_control: Any = msgspec.UNSET

    def plain(self) -> dict[str, Any]:
        block = {
            "type": "tool_result",
            "tool_use_id": self.tool_use_id,
            "content": _carried(self.content),
        }
        if self.is_error is not msgspec.UNSET:
            block["is_error"] = self.is_error
        return _marked(block, self.cache_control)


class _MessagesText(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    text: str
    cache_control: Any = msgspec.UNSET

    def plain(self) -> dict[str, Any]:
        return _marked({"type": "text", "text": self.text}, self.cache_control)


class _MessagesTurn(msgspec.Struct, tag_field="role", tag="user", forbid_unknown_fields=True):
    content: list[_MessagesResult | _MessagesText]

    def plain(self) -> dict[str, Any]:
        return {"role": "user", "content": [block.plain() for block in self.content]}


_Result = _ChatResult | _MessagesTurn | _ResponsesResult

_ANY: Final = msgspec.json.Decoder(Any)
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
# Dialect -> the field of the history, and what reads the entries that hold results.
_HISTORIES: Final[dict[str, tuple[str, msgspec.json.Decoder[Any]]]] = {
    "chat": ("messages", msgspec.json.Decoder(_ChatResult)),
    "messages": ("messages", msgspec.json.Decoder(_MessagesTurn)),
    "responses": ("input", msgspec.json.Decoder(_ResponsesResult)),
}


def plain(reading: Reading) -> dict[str, Any]:
    """The body that was read, made anew each time, for a skin may change what it is given.

    The text of a tool result may be a `Raw`: one that begins with a visible letter. Raises
    CallerError.
    """
    field, results = _HISTORIES[reading.dialect]
    return {
        name: _history(raw, results, name) if name == field else decode(_ANY, raw, name)
        for name, raw in reading.top.items()
    }


def _history(raw: msgspec.Raw, results: msgspec.json.Decoder[_Result], where: str) -> Any:
    if memoryview(raw)[0] != _OPEN_LIST:
        return decode(_ANY, raw, where)
    return [_entry(entry, results, where) for entry in decode(_LIST, raw, where)]


def _entry(raw: msgspec.Raw, results: msgspec.json.Decoder[_Result], where: str) -> Any:
    if len(memoryview(raw)) >= _LONG:
        try:
            return results.decode(raw).plain()
        except (msgspec.DecodeError, RecursionError):
            pass  # anything else, or a result of another form
    return decode(_ANY, raw, where)


def _marked(block: dict[str, Any], cache_control: Any) -> dict[str, Any]:
    if cache_control is not msgspec.UNSET:
        block["cache_control"] = cache_control
    return block


def _carried(raw: msgspec.Raw) -> Any:
    view = memoryview(raw)
    if len(view) >= _LONG and view[0] == _QUOTE and view[1] in _VISIBLE:
        return raw
    return decode(_ANY, raw, "")
