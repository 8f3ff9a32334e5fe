"""A caller's body as bridges walk it: what is only carried is never decoded.

The history is what the reader of its dialect left; texts and schemas stay as they are spelt, to be
written again by copying bytes. It knows where those stand and nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from runtime.dialects.decode import (
    ABSENT,
    UNREADABLE,
    decode,
    invalid,
    is_set,
    too_deep,
    unreadable,
)
from runtime.dialects.parts import is_text
from runtime.dialects.parts import opened as opened_content
from runtime.dialects.reading import HISTORIES, Reading
from runtime.dialects.responses.read import Item

# A text: one of our own making, or as the caller spelt it.
Text = str | msgspec.Raw
# Lists of tools as they came, each with its JSON path.
ToolLists = Sequence[tuple[str, msgspec.Raw]]

_QUOTE: Final = b'"'[0]
_OPEN: Final = b"{"[0]
# A text of a part that says nothing: readers let no other value pass.
UNSAID: Final = (ABSENT, msgspec.Raw(b'""'), msgspec.Raw(b"null"))
# The first two bytes, as one number: in half of the time that a view of them takes.
_start: Final = struct.Struct("<H").unpack_from
# How a text begins that is surely not blank: with its quote and one of these.
_VISIBLE: Final = frozenset(
    _start(b'"' + bytes((char,)))[0] for char in range(b"!"[0], b"~"[0] + 1) if char not in b'"\\'
)


_ANY: Final = msgspec.json.Decoder(Any)
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

    The history is a list of the reader's records, which the next candidate needs unchanged; lists
    of tools stay as they came. All else is made anew each time. Raises CallerError.
    """
    openers, history = _OPENERS[reading.dialect], HISTORIES[reading.dialect]
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
    if raw is ABSENT:
        return False
    try:
        return _start(raw)[0] in _VISIBLE
    except struct.error:  # a single byte
        return False


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


def _unopened(raw: msgspec.Raw, where: str) -> msgspec.Raw | None:
    """A list of tools: it is opened where nobody knows any more what was made of it."""
    return raw if is_set(raw) else None


def tools(lists: ToolLists) -> list[tuple[str, list[dict[str, Any]]]]:
    """Lists of tools as plain data, but for descriptions and schemas. Raises CallerError."""
    return [(where, _tools(raw, where)) for where, raw in lists]


def _tools(raw: msgspec.Raw, where: str) -> list[dict[str, Any]]:
    try:
        listed: list[dict[str, Any]] = _TOOLS.decode(raw) or []
        for tool in listed:
            _open_tool(tool)
    except UNREADABLE as error:
        raise unreadable(error, where) from None
    return listed


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
            tool[name] = _tools(raw, "")
        else:
            tool[name] = _ANY.decode(raw)


def _is_full(raw: msgspec.Raw) -> bool:
    """Whether this is surely an object with something in it."""
    view = memoryview(raw)
    return view[0] == _OPEN and view[1] == _QUOTE


# What is not opened as plain data.
_OPENERS: Final[dict[str, dict[str, Callable[[msgspec.Raw, str], Any]]]] = {
    "chat": {"tools": _unopened, "functions": _unopened},
    "messages": {"tools": _unopened, "system": _system},
    "responses": {"tools": _unopened, "instructions": _instructions},
}
