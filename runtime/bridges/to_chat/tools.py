"""Function tools as Chat has them: nested, custom tools as functions of one string.

It knows no dialect they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from runtime.arguments import wrapped_parameters
from runtime.bridges.body import ToolLists, together
from runtime.bridges.body import tools as opened_tools
from runtime.bridges.parts import Lost, Where, input_description, malformed
from runtime.bridges.tools import (
    Offers,
    Original,
    ToolNames,
    encoded,
    name_tools,
    plain_names,
    sent_names,
)
from runtime.dialects.tools import SEEN

# A choice in the words of Chat, or the tool it names.
Choice = str | Original | None

_NO_PARAMETERS: Final = {"type": "object", "properties": {}}
_WRAPPED: Final = "Pass the whole input, as it is, in the string `input`."
_INPUT: Final = "The whole input of the tool."


class Tool(msgspec.Struct, frozen=True):
    """A tool that the caller runs. `form` is the format of a custom tool's input."""

    original: Original
    description: Any = None
    parameters: Any = None
    strict: bool | None = None
    form: Any = None


class Toolset:
    """The tools of one request under the names they travel by; the first of two alike counts."""

    def __init__(self, offers: Offers) -> None:
        self._offers = offers
        self.names: ToolNames = offers.names
        # a history calls few tools many times
        self._called: dict[tuple[str, bool, str | None], str] = {}

    def __bool__(self) -> bool:
        return bool(self._offers.sent)

    def find(self, name: Any) -> Original | None:
        """The tool that a choice names, in whatever namespace."""
        return next((tool for tool in self._offers.sent if tool.name == name), None)

    def inside(self, namespace: Any) -> list[Original]:
        """The tools of a namespace."""
        return [tool for tool in self._offers.sent if tool.namespace == namespace]

    def name(self, name: str, *, custom: bool = False, namespace: str | None = None) -> str:
        """The name of a tool that was called, also of one that is not offered any more."""
        if not custom and namespace is None and name in self._offers.plain:
            return name
        sent = self._called.get((name, custom, namespace))
        if sent is None:
            sent = self._name(Original(name, custom, namespace))
            self._called[name, custom, namespace] = sent
        return sent

    def _name(self, called: Original) -> str:
        return self._offers.sent.get(called) or name_tools((called,)).sent_for(called)

    def written(self, allowed: Collection[Original] | None) -> list[msgspec.Raw]:
        """The tools, or those of them that are allowed."""
        if allowed is None:
            return list(self._offers.written)
        offered = zip(self._offers.sent, self._offers.written, strict=True)
        return [written for tool, written in offered if tool in allowed]


# How a bridge reads the opened lists of its callers, and what it leaves out of them.
Reader = Callable[[Iterable[tuple[str, list[dict[str, Any]]]], Lost], Iterator[Tool]]


def toolset(read: Reader, lists: ToolLists, lost: Lost) -> Toolset:
    """The tools of one request, as `read` finds them in the lists. Raises CallerError."""
    texts = [text for _, text in lists]
    offers = SEEN.made((_offers, read), texts, lambda: _offers(read, lists))
    lost |= dict.fromkeys(offers.lost)
    return Toolset(offers)


def _offers(read: Reader, lists: ToolLists) -> Offers:
    lost: Lost = {}
    tools: dict[Original, Tool] = {}
    for tool in read(opened_tools(lists), lost):
        tools.setdefault(tool.original, tool)
    names = name_tools(tools)
    sent = sent_names(tools, names)
    functions = (_function(tool, sent[tool.original]) for tool in tools.values())
    written = encoded({"type": "function", "function": function} for function in functions)
    return Offers(
        sent=sent, names=names, plain=plain_names(sent), written=written, lost=tuple(lost)
    )


def _function(tool: Tool, name: str) -> dict[str, Any]:
    function: dict[str, Any] = {"name": name}
    if tool.original.custom:
        texts = (tool.description, _WRAPPED, input_description(tool.form))
        function["description"] = together(texts, "\n\n")
        function["parameters"] = wrapped_parameters(_INPUT)
        return function
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or _NO_PARAMETERS
    if tool.strict is not None:
        function["strict"] = tool.strict
    return function


def name_of(tool: Mapping[str, Any], where: Where) -> str:
    """The name of a tool that stands at a JSON path. Raises CallerError where it has none."""
    name = tool.get("name")
    if not isinstance(name, str):
        raise malformed((where, "name"), "a string")
    return name


def write_tools(
    top: dict[str, Any],
    tools: Toolset,
    choice: Choice,
    parallel: bool | None,
    allowed: Collection[Original] | None = None,
) -> None:
    """Tools, choice and parallel calls; the latter two mean nothing without the first, and
    providers refuse them.
    """
    if not tools:
        return
    top["tools"] = tools.written(allowed)
    if isinstance(choice, Original):
        name = tools.name(choice.name, custom=choice.custom, namespace=choice.namespace)
        top["tool_choice"] = {"type": "function", "function": {"name": name}}
    elif choice is not None:
        top["tool_choice"] = choice
    if parallel is not None:
        top["parallel_tool_calls"] = parallel
