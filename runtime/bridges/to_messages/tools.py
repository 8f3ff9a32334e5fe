"""Tools, and the choice among them, in the words of Messages.

Both OpenAI dialects are read here, for clients mix their spellings: a tool and a choice are flat,
or nested under their type. Schemas are passed on as they are where Messages takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from runtime import hosted
from runtime.arguments import wrapped_parameters
from runtime.bridges.body import Text, ToolLists, together
from runtime.bridges.body import tools as opened_tools
from runtime.bridges.parts import Lost, Where, input_description, malformed
from runtime.bridges.to_messages.blocks import BREAKPOINT, CACHE_CONTROL, Blocks
from runtime.bridges.to_messages.schema import parameters_of
from runtime.bridges.to_messages.schema import strict as closed
from runtime.bridges.tools import Offers as OffersOf
from runtime.bridges.tools import Original, ToolNames, encoded, name_tools, plain_names, sent_names
from runtime.dialects.draft import open_object
from runtime.dialects.tools import SEEN

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


class Offers(OffersOf, frozen=True, kw_only=True):
    """The tools of a body as Messages has them."""

    # by what a call in a history tells of its tool
    known: Mapping[tuple[str, str | None], Original]
    # what was left out as they were written, which is after the history
    lost_late: tuple[str, ...]
    # places of those that bear a cache breakpoint of the caller's
    marked: tuple[int, ...]


def offers_of(lists: ToolLists, *, strict: bool, marks: bool) -> Offers:
    """The tools of these lists; the first of two alike counts. Raises CallerError.

    `strict`: the skin writes strict output, so strict tools stay strict. `marks`: it takes cache
    breakpoints.
    """
    texts = [text for _, text in lists]
    how = (_written, strict, marks)
    return SEEN.made(how, texts, lambda: _written(_Read(lists), strict=strict, marks=marks))


class _Read:
    """The tools of a body as the caller offers them."""

    def __init__(self, lists: ToolLists) -> None:
        self.lost: Lost = {}
        self.hosted: set[str] = set()
        self.offers: dict[Original, _Offer] = {}
        for where, tools in opened_tools(lists):
            for offer in self._read(tools, where):
                self.offers.setdefault(offer.original, offer)

    def _read(
        self, tools: list[Tool], where: Where, namespace: str | None = None, about: Text = ""
    ) -> Iterator[_Offer]:
        for index, tool in enumerate(tools):
            here = (where, index)
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
            self.lost.update((f"tools[].{key}", None) for key in said)
        custom = tool.get("type") == "custom"
        return _Offer(Original(name, custom, namespace or None), inner, tool, about)

    def _leave_out(self, tool: Tool) -> None:
        word = hosted.normalise(str(tool["type"]))
        self.lost[f"hosted:{word}"] = None
        self.hosted |= {word, str(tool.get("name") or tool["type"])}


def _written(read: _Read, *, strict: bool, marks: bool) -> Offers:
    lost: Lost = {}
    names = name_tools(read.offers)
    sent = sent_names(read.offers, names)
    blocks = Blocks(lost, marks=marks)
    tools = [
        _tool(offer, sent[original], blocks, strict=strict)
        for original, offer in read.offers.items()
    ]
    return Offers(
        sent=sent,
        names=names,
        plain=plain_names(sent),
        written=encoded(tools),
        lost=tuple(read.lost),
        known={(tool.name, tool.namespace): tool for tool in read.offers},
        hosted=frozenset(read.hosted),
        lost_late=tuple(lost),
        marked=tuple(place for place, tool in enumerate(tools) if CACHE_CONTROL in tool),
    )


def _tool(offer: _Offer, name: str, blocks: Blocks, *, strict: bool) -> Tool:
    inner = offer.inner
    tool: Tool = {"name": name}
    description = inner.get("description")
    if offer.about or not isinstance(description, msgspec.Raw):
        description = together((offer.about, description), "\n\n")
    if description:
        tool["description"] = description
    if offer.original.custom:
        tool["input_schema"] = wrapped_parameters(input_description(inner.get("format")))
    else:
        _write_schema(tool, inner, blocks.lost, strict=strict)
    for holder in (inner, offer.outer) if inner is not offer.outer else (inner,):
        if CACHE_CONTROL in holder or BREAKPOINT in holder:
            blocks.mark(tool, holder.get(CACHE_CONTROL), holder.get(BREAKPOINT))
    return tool


def _write_schema(tool: Tool, inner: Tool, lost: Lost, *, strict: bool) -> None:
    schema, gone = parameters_of(inner.get("parameters"))
    lost.update((f"tools[].parameters.{keyword}", None) for keyword in gone)
    tool["input_schema"] = schema
    if inner.get("strict") is not True:
        return
    if strict:
        tool["input_schema"] = closed(schema)
        tool["strict"] = True
    else:
        lost[_STRICT] = None


class Toolset:
    """The tools of one request under the names they travel by."""

    def __init__(self, offers: Offers, blocks: Blocks) -> None:
        self._offers = offers
        self._blocks = blocks
        self._lost = blocks.lost
        self._lost.update(dict.fromkeys(offers.lost))
        self.names: ToolNames = offers.names
        # a history calls few tools many times
        self._called: dict[tuple[str, bool, str | None], str] = {}

    # --- names ---------------------------------------------------------------------------------

    def name(self, name: str, *, custom: bool = False, namespace: str | None = None) -> str:
        """What a tool that was called is sent as, also one that is not offered any more."""
        if not custom and namespace is None and name in self._offers.plain:
            return name
        sent = self._called.get((name, custom, namespace))
        if sent is None:
            sent = self._called[name, custom, namespace] = self._name(name, custom, namespace)
        return sent

    def _name(self, name: str, custom: bool, namespace: str | None) -> str:
        offers, original = self._offers, Original(name, custom, namespace)
        if original not in offers.sent:
            original = offers.known.get((name, namespace), original)
        return offers.sent.get(original) or name_tools((original,)).sent_for(original)

    # --- writing -------------------------------------------------------------------------------

    def write(self, top: dict[str, Any], choice: Any, parallel: Any, called: list[str]) -> None:
        """Tools and choice. `called` are the sent names of the tools in the history.

        A choice without tools means nothing, and Anthropic refuses it; tool blocks without tools
        too, so that those of the history are declared then, not to be called.
        """
        if not self._offers.written:
            if called:
                top["tools"] = [_past(name) for name in dict.fromkeys(called)]
                top[_CHOICE] = {"type": "none"}
                self._lost[FROM_HISTORY] = None
            return
        top["tools"] = self._written()
        made = self._choice(choice, top)
        if parallel is False and (made is None or made["type"] != "none"):
            made = {**(made or {"type": "auto"}), "disable_parallel_tool_use": True}
        if made is not None:
            top[_CHOICE] = made

    def _written(self) -> list[Tool | msgspec.Raw]:
        """The tools; those with a breakpoint are open, for there may be too many of these."""
        tools: list[Tool | msgspec.Raw] = list(self._offers.written)
        for place in self._offers.marked:
            tools[place] = open_object(tools[place]) or {}
            self._blocks.marked = True
        self._lost.update(dict.fromkeys(self._offers.lost_late))
        return tools

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
            return {"type": "tool", "name": self._offers.sent[found]}
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
        allowed: set[Original] = set()
        for entry in listing.get("tools") or ():
            if isinstance(entry, dict):
                allowed.update(self._meant(entry))
        if not allowed:
            return None  # a listing of nothing but hosted tools goes with them
        offered = zip(self._offers.sent, top["tools"], strict=True)
        top["tools"] = [written for tool, written in offered if tool in allowed]
        return self._word(listing.get("mode") or "auto")

    def _meant(self, entry: dict[str, Any]) -> list[Original]:
        if entry.get("type") == "namespace":
            return [tool for tool in self._offers.sent if tool.namespace == entry.get("name")]
        found = self._named(entry)
        return [] if found is None else [found]

    def _named(self, entry: dict[str, Any]) -> Original | None:
        name = _inner(entry).get("name")
        return next((tool for tool in self._offers.sent if tool.name == name), None)

    def _is_hosted(self, entry: dict[str, Any]) -> bool:
        kind = entry.get("type")
        return entry.get("name") in self._offers.hosted or (
            isinstance(kind, str) and hosted.normalise(kind) in self._offers.hosted
        )


def _inner(tool: dict[str, Any]) -> dict[str, Any]:
    """What Chat nests under the type of a tool, and Responses does not."""
    nested = tool.get(tool.get("type") or "function")
    return nested if isinstance(nested, dict) else tool


def _past(name: str) -> Tool:
    return {"name": name, "description": _PAST, "input_schema": {"type": "object"}}
