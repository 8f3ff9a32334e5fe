"""A caller's body as bridges walk it: what is only carried is never decoded.

The history is what the reader of its dialect left; texts and schemas stay as they are spelt, to be
written again by copying bytes. It knows where those stand and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from runtime.dialects.decode import ABSENT, UNREADABLE, decode, invalid, too_deep, unreadable
from runtime.dialects.parts import is_text
from runtime.dialects.parts import opened as opened_content
from runtime.dialects.reading import Reading
from runtime.dialects.responses.read import Item

# A text: one of our own making, or as the caller spelt it.
Text = str | msgspec.Raw

_QUOTE: Final = b'"'[0]
_OPEN: Final = b"{"[0]
# A text of a part that says nothing: readers let no other value pass.
UNSAID: Final = (ABSENT, msgspec.Raw(b'""'), msgspec.Raw(b"null"))
# The first character of a text that is surely not blank.
_VISIBLE: Final = frozenset(range(b"!"[0], b"~"[0] + 1)) - frozenset(b'"\\')


class _ChatTool(msgspec.Struct, forbid_unknown_fields=True):
    """A tool as Chat nests it, with nothing beside: its members come with it in one pass."""

    type: Any = None
    function: dict[str, msgspec.Raw] | None = None


_ANY: Final = msgspec.json.Decoder(Any)
_CHAT_TOOLS: Final = msgspec.json.Decoder(list[_ChatTool] | None)
_STRING: Final = msgspec.json.Decoder(str)
_TOOLS: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]] | None)
_TOOL: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[Item] | None)
# What is long in a tool, and where Chat and namespaces have tools inside of tools.
_DESCRIPTION: Final = "description"
_SCHEMAS: Final = frozenset(("parameters", "input_schema"))
_NESTED: Final = frozenset(("function", "custom"))
_INNER: Final = "tools"


def opened(reading: Reading) -> dict[str, Any]:
    """The members of the body that was read, but for those that are null.

    The history is a list of the reader's records, which the next candidate needs unchanged. All
    else is made anew each time. Raises CallerError.
    """
    openers, history = _OPENERS[reading.dialect], _HISTORIES[reading.dialect]
    body = {history: reading.turns}
    try:
        for name, raw in reading.top.items():
            if name != history and (value := openers.get(name, plain)(raw, name)) is not None:
                body[name] = value
    except RecursionError:
        raise too_deep() from None
    return body


# --- what was carried --------------------------------------------------------------------------


def plain(raw: msgspec.Raw, where: str = "") -> Any:
    """A carried value as plain data; None where there is none. Raises CallerError."""
    if raw is ABSENT:
        return None
    try:
        return _ANY.decode(raw)
    except UNREADABLE as error:
        raise unreadable(error, where) from None


def text(raw: msgspec.Raw) -> msgspec.Raw | None:
    """A carried text that has something in it; None for an empty one and for anything else."""
    view = memoryview(raw)
    return raw if len(view) > 2 and view[0] == _QUOTE else None


def is_visible(raw: msgspec.Raw) -> bool:
    """Whether a carried value is a text that surely has more in it than white space."""
    view = memoryview(raw)
    return len(view) > 0 and view[0] == _QUOTE and view[1] in _VISIBLE


def words(text: Text) -> str:
    """A text that may have been carried as it was spelt. Raises CallerError."""
    return text if isinstance(text, str) else decode(_STRING, text, "")


def together(texts: Iterable[Any], between: str) -> Text:
    """Texts as one; what is none, and what is empty, says nothing. Raises CallerError."""
    told = [text for text in texts if isinstance(text, (str, msgspec.Raw)) and text]
    return told[0] if len(told) == 1 else between.join(map(words, told))


def members(record: msgspec.Struct) -> dict[str, Any]:
    """The members of a part or an item, for whoever looks at it as a whole. Raises CallerError."""
    return {
        name: plain(value) if isinstance(value, msgspec.Raw) else value
        for name, value in msgspec.structs.asdict(record).items()
        if value is not None and value is not ABSENT
    }


# --- members of a body -------------------------------------------------------------------------


def _system(raw: msgspec.Raw, where: str) -> Any:
    return text(raw) or opened_content(raw, where)


def _instructions(raw: msgspec.Raw, where: str) -> Any:
    """A text, or the items of a stored prompt."""
    if memoryview(raw)[0] == _QUOTE:
        return text(raw)
    items: list[Item] | None = decode(_ITEMS, raw, where)
    for index, item in enumerate(items or ()):
        for part in item.content if isinstance(item.content, list) else ():
            if not is_text(part.text):
                raise invalid("A text must be a string.", f"{where}[{index}].content")
    return items


def tools(raw: msgspec.Raw, where: str) -> list[dict[str, Any]] | None:
    """A list of tools as plain data, but for their descriptions and schemas. Raises CallerError."""
    try:
        listed: list[dict[str, Any]] | None = None if raw is ABSENT else _TOOLS.decode(raw)
        for tool in listed or ():
            _open_tool(tool)
    except UNREADABLE as error:
        raise unreadable(error, where) from None
    return listed


def _chat_tools(raw: msgspec.Raw, where: str) -> list[dict[str, Any]] | None:
    try:
        nested: list[_ChatTool] | None = _CHAT_TOOLS.decode(raw)
        for tool in nested or ():
            _open_tool(tool.function or {})
    except UNREADABLE:
        return tools(raw, where)  # it has more members than these, or is flat
    return [{"type": tool.type, "function": tool.function} for tool in nested or ()]


def _open_tool(tool: dict[str, Any]) -> None:
    """Opens the members of a tool, or of what is nested in one, where they stand."""
    for name, raw in tool.items():
        if name == _DESCRIPTION:
            tool[name] = text(raw) or _ANY.decode(raw)
        elif name in _SCHEMAS:
            tool[name] = raw if _is_full(raw) else _ANY.decode(raw)
        elif name in _NESTED and memoryview(raw)[0] == _OPEN:
            tool[name] = nested = _TOOL.decode(raw)
            _open_tool(nested)
        elif name == _INNER:
            tool[name] = tools(raw, "")
        else:
            tool[name] = _ANY.decode(raw)


def _is_full(raw: msgspec.Raw) -> bool:
    """Whether this is surely an object with something in it."""
    view = memoryview(raw)
    return view[0] == _OPEN and view[1] == _QUOTE


_HISTORIES: Final = {"chat": "messages", "messages": "messages", "responses": "input"}
# What is not opened as plain data.
_OPENERS: Final[dict[str, dict[str, Callable[[msgspec.Raw, str], Any]]]] = {
    "chat": {"tools": _chat_tools, "functions": tools},
    "messages": {"tools": tools, "system": _system},
    "responses": {"tools": tools, "instructions": _instructions},
}
