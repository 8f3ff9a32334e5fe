"""Tools, and the choice among them, in the words of Messages.

Both OpenAI dialects are read here, for clients mix their spellings: a tool and a choice are flat,
or nested under their type. Schemas are passed on as they are where Messages takes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from runtime import hosted
from runtime.arguments import wrapped_parameters
from runtime.bridges.body import Text, together
from runtime.bridges.parts import Where, input_description, malformed
from runtime.bridges.to_messages.blocks import BREAKPOINT, CACHE_CONTROL, Blocks
from runtime.bridges.to_messages.schema import parameters_of, strict
from runtime.bridges.tools import Original, ToolNames, name_tools

Tool = dict[str, Any]

_CLIENT_RUN: Final = frozenset((None, "function", "custom"))
_LOST_OPTIONS: Final = {"defer_loading", "allowed_callers", "output_schema"}
_STRICT: Final = "tools[].strict"
# The word of a choice, in any spelling -> its type in Messages.
_WORDS: Final = {"auto": "auto", "none": "none", "required": "any", "any": "any"}
_CHOICE: Final = "tool_choice"
# Tools of a history whose request offers none: Anthropic wants them declared all the same.
_PAST: Final = "A tool of this conversation's past. It cannot be called any more."
FROM_HISTORY: Final = "tools:from_history"


class _Offer(msgspec.Struct, frozen=True):
    """A client's tool, its halves put together. `about` is what its namespace is for."""

    original: Original
    inner: dict[str, Any]
    outer: dict[str, Any]
    about: Text


class Toolset:
    """The tools of one request under the names they travel by; the first of two alike counts.

    `strict`: the skin writes strict output, so strict tools stay strict.
    """

    def __init__(self, lists: Iterable[tuple[str, Any]], blocks: Blocks, *, strict: bool) -> None:
        self._blocks = blocks
        self._lost = blocks.lost
        self._strict = strict
        # types and names of the tools that are left out because a provider runs them
        self._hosted: set[str] = set()
        self._offers: dict[Original, _Offer] = {}
        for where, tools in lists:
            for offer in self._read(tools, where):
                self._offers.setdefault(offer.original, offer)
        self.names: ToolNames = name_tools(self._offers)
        self._sent = {original: name for name, original in self.names.sent.items()}
        # a history calls few tools many times
        self._called: dict[tuple[str, bool, str | None], str] = {}
        # by what a call in a history tells of its tool
        self._known = {(tool.name, tool.namespace): tool for tool in self._offers}

    # --- reading -------------------------------------------------------------------------------

    def _read(
        self, tools: Any, where: Where, namespace: str | None = None, about: Text = ""
    ) -> Iterator[_Offer]:
        if not isinstance(tools, list):
            raise malformed(where, "a list of tools")
        for index, tool in enumerate(tools):
            here = (where, index)
            if not isinstance(tool, dict):
                raise malformed(here, "an object")
            kind = tool.get("type")
            if kind == "namespace":
                inside = (tool.get("name"), together((tool.get("description"),), ""))
                yield from self._read(tool.get("tools") or [], (here, "tools"), *inside)
            elif kind in _CLIENT_RUN:
                yield self._offer(tool, here, namespace, about)
            else:
                self._leave_out(tool)

    def _offer(self, tool: Tool, where: Where, namespace: str | None, about: Text) -> _Offer:
        inner = _inner(tool)
        name = inner.get("name")
        if not isinstance(name, str) or not name:
            raise malformed((where, "name"), "a string with something in it")
        if not _LOST_OPTIONS.isdisjoint(inner):
            said = (key for key, value in inner.items() if key in _LOST_OPTIONS and value)
            self._lost.update((f"tools[].{key}", None) for key in said)
        custom = tool.get("type") == "custom"
        return _Offer(Original(name, custom, namespace or None), inner, tool, about)

    def _leave_out(self, tool: Tool) -> None:
        word = hosted.normalise(str(tool["type"]))
        self._lost[f"hosted:{word}"] = None
        self._hosted |= {word, str(tool.get("name") or tool["type"])}

    # --- names ---------------------------------------------------------------------------------

    def name(self, name: str, *, custom: bool = False, namespace: str | None = None) -> str:
        """What a tool that was called is sent as, also one that is not offered any more."""
        sent = self._called.get((name, custom, namespace))
        if sent is None:
            sent = self._called[name, custom, namespace] = self._name(name, custom, namespace)
        return sent

    def _name(self, name: str, custom: bool, namespace: str | None) -> str:
        original = Original(name, custom, namespace)
        if original not in self._offers:
            original = self._known.get((name, namespace), original)
        sent = self._sent.get(original)
        if sent is None and original not in self._offers:
            sent = name_tools((original,)).sent_for(original)
        return sent or original.name

    # --- writing -------------------------------------------------------------------------------

    def write(self, top: dict[str, Any], choice: Any, parallel: Any, called: list[str]) -> None:
        """Tools and choice. `called` are the sent names of the tools in the history.

        A choice without tools means nothing, and Anthropic refuses it; tool blocks without tools
        too, so that those of the history are declared then, not to be called.
        """
        written = [self._tool(offer) for offer in self._offers.values()]
        if not written:
            if called:
                top["tools"] = [_past(name) for name in dict.fromkeys(called)]
                top[_CHOICE] = {"type": "none"}
                self._lost[FROM_HISTORY] = None
            return
        top["tools"] = written
        made = self._choice(choice, top)
        if parallel is False and (made is None or made["type"] != "none"):
            made = {**(made or {"type": "auto"}), "disable_parallel_tool_use": True}
        if made is not None:
            top[_CHOICE] = made

    def _tool(self, offer: _Offer) -> Tool:
        original, inner = offer.original, offer.inner
        tool: Tool = {"name": self._sent.get(original, original.name)}
        description = inner.get("description")
        if offer.about or not isinstance(description, msgspec.Raw):
            description = together((offer.about, description), "\n\n")
        if description:
            tool["description"] = description
        if original.custom:
            tool["input_schema"] = wrapped_parameters(input_description(inner.get("format")))
        else:
            self._write_schema(tool, inner)
        for holder in (inner, offer.outer) if inner is not offer.outer else (inner,):
            if CACHE_CONTROL in holder or BREAKPOINT in holder:
                self._blocks.mark(tool, holder.get(CACHE_CONTROL), holder.get(BREAKPOINT))
        return tool

    def _write_schema(self, tool: Tool, inner: dict[str, Any]) -> None:
        schema, lost = parameters_of(inner.get("parameters"))
        if lost:
            self._lost.update((f"tools[].parameters.{keyword}", None) for keyword in lost)
        tool["input_schema"] = schema
        if inner.get("strict") is not True:
            return
        if self._strict:
            tool["input_schema"] = strict(schema)
            tool["strict"] = True
        else:
            self._lost[_STRICT] = None

    def _choice(self, choice: Any, top: dict[str, Any]) -> dict[str, Any] | None:
        if choice is None:
            return None
        if isinstance(choice, str):
            return self._word(choice)
        if not isinstance(choice, dict):
            raise malformed(_CHOICE, "a word or an object")
        if choice.get("type") == "allowed_tools":
            return self._allowed(choice, top)
        found = self._named(choice)
        if found is not None:
            return {"type": "tool", "name": self._sent.get(found, found.name)}
        if not self._is_hosted(choice):  # a hosted tool is named already
            self._lost[_CHOICE] = None
        return None

    def _word(self, word: Any) -> dict[str, Any] | None:
        known = _WORDS.get(word) if isinstance(word, str) else None
        if known is None:
            self._lost[_CHOICE] = None
            return None
        return {"type": known}

    def _allowed(self, choice: dict[str, Any], top: dict[str, Any]) -> dict[str, Any] | None:
        """Messages has no such listing: the other tools are left out."""
        nested = choice.get("allowed_tools")
        listing = nested if isinstance(nested, dict) else choice
        allowed: set[str] = set()
        for entry in listing.get("tools") or ():
            if isinstance(entry, dict):
                allowed.update(self._sent.get(tool, tool.name) for tool in self._meant(entry))
        if not allowed:
            return None  # a listing of nothing but hosted tools goes with them
        top["tools"] = [tool for tool in top["tools"] if tool["name"] in allowed]
        return self._word(listing.get("mode") or "auto")

    def _meant(self, entry: dict[str, Any]) -> list[Original]:
        if entry.get("type") == "namespace":
            return [tool for tool in self._offers if tool.namespace == entry.get("name")]
        found = self._named(entry)
        return [] if found is None else [found]

    def _named(self, entry: dict[str, Any]) -> Original | None:
        name = _inner(entry).get("name")
        return next((tool for tool in self._offers if tool.name == name), None)

    def _is_hosted(self, entry: dict[str, Any]) -> bool:
        kind = entry.get("type")
        return entry.get("name") in self._hosted or (
            isinstance(kind, str) and hosted.normalise(kind) in self._hosted
        )


def _inner(tool: dict[str, Any]) -> dict[str, Any]:
    """What Chat nests under the type of a tool, and Responses does not."""
    nested = tool.get(tool.get("type") or "function")
    return nested if isinstance(nested, dict) else tool


def _past(name: str) -> Tool:
    return {"name": name, "description": _PAST, "input_schema": {"type": "object"}}
