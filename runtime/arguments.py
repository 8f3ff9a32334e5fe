"""What a tool is called with, in the form that either side wants: an object, a JSON text, or the
text of a custom tool inside of one. It knows no dialect and no tool.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
# The one parameter of a wrapped custom tool.
INPUT: Final = "input"


def wrapped_parameters(description: str) -> dict[str, Any]:
    """The JSON Schema of a custom tool as a function of one string."""
    return {
        "type": "object",
        "properties": {INPUT: {"type": "string", "description": description}},
        "required": [INPUT],
        "additionalProperties": False,
    }


def wrapped(text: str) -> str:
    """The input of a custom tool as the arguments of its function."""
    return msgspec.json.encode({INPUT: text}).decode()


def unwrapped(arguments: str) -> str:
    """The input of a custom tool out of the arguments of its function.

    A model that ignores the schema is taken at its word: what is no such object is the input.
    """
    try:
        document = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    if isinstance(document, str):
        return document
    if isinstance(document, dict):
        if isinstance(text := document.get(INPUT), str):
            return text
        if len(document) == 1 and isinstance(only := next(iter(document.values())), str):
            return only
    return arguments


def arguments_object(arguments: Any) -> dict[str, Any]:
    """The arguments of a call as Messages wants them: an object; what is none becomes `input`.

    The values of a text stay as it spells them.
    """
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str) or not arguments.strip():
        return {}
    try:
        return _OBJECT.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return {INPUT: msgspec.json.decode(arguments)}
    except (msgspec.DecodeError, RecursionError):
        return {INPUT: arguments}
