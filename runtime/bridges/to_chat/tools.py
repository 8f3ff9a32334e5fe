"""Function tools as Chat has them: nested, custom tools as functions of one string.

It knows no dialect they came from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import msgspec

from runtime.arguments import wrapped_parameters
from runtime.bridges.body import together
from runtime.bridges.parts import Where, input_description, malformed
from runtime.bridges.tools import Original, ToolNames, name_tools

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

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[Original, Tool] = {}
        for tool in tools:
            self._tools.setdefault(tool.original, tool)
        self.names: ToolNames = name_tools(self._tools)
        self._sent = {original: name for name, original in self.names.sent.items()}
        # a history calls few tools many times
        self._called: dict[tuple[str, bool, str | None], str] = {}

    def __bool__(self) -> bool:
        return bool(self._tools)

    def find(self, name: Any) -> Original | None:
        """The tool that a choice names, in whatever namespace."""
        return next((tool for tool in self._tools if tool.name == name), None)

    def inside(self, namespace: Any) -> list[Original]:
        """The tools of a namespace."""
        return [tool for tool in self._tools if tool.namespace == namespace]

    def name(self, name: str, *, custom: bool = False, namespace: str | None = None) -> str:
        """The name of a tool that was called, also of one that is not offered any more."""
        sent = self._called.get((name, custom, namespace))
        if sent is None:
            original = Original(name, custom, namespace)
            sent = self._called[name, custom, namespace] = self._name(original)
        return sent

    def _name(self, called: Original) -> str:
        sent = self._sent.get(called)
        if sent is None and called not in self._tools:
            return name_tools((called,)).sent_for(called)
        return sent or called.name

    def written(self, allowed: Collection[Original] | None) -> list[dict[str, Any]]:
        """The tools, or those of them that are allowed."""
        return [
            {"type": "function", "function": self._function(tool)}
            for tool in self._tools.values()
            if allowed is None or tool.original in allowed
        ]

    def _function(self, tool: Tool) -> dict[str, Any]:
        function: dict[str, Any] = {"name": self._name(tool.original)}
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
