"""Tools, and the choice among them, in the words of Chat and Messages as Responses has them.

Schemas are passed on as they are; only what Responses always wants of one is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from runtime import hosted
from runtime.arguments import wrapped_parameters
from runtime.bridges.body import ToolLists, plain
from runtime.bridges.body import tools as opened_tools
from runtime.bridges.parts import Lost, Where, input_description, malformed
from runtime.bridges.to_responses.content import CACHE_MARK
from runtime.bridges.tools import Offers as OffersOf
from runtime.bridges.tools import Original, encoded, name_tools, plain_names, sent_names
from runtime.dialects.decode import ABSENT, decode
from runtime.dialects.reading import Step
from runtime.dialects.tools import SEEN

_OBJECT: Final = msgspec.Raw(b'"object"')
_FUNCTION_TYPES: Final = frozenset((None, "function", "custom"))
_FUNCTION_KEYS: Final = frozenset(
    ("type", "name", "description", "parameters", "input_schema", "strict", "function")
)
_CUSTOM_KEYS: Final = frozenset(("type", "name", "description", "format", "custom"))
# The word of a choice, in any dialect -> in Responses.
_WORDS: Final = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
# A choice without a tool means nothing; losing these two loses nothing.
_IDLE: Final = ("auto", "none")


class _Top(msgspec.Struct):
    """What there is to know of a schema that may stay as it is."""

    type: msgspec.Raw = ABSENT
    properties: msgspec.Raw = ABSENT


_TOP: Final = msgspec.json.Decoder(_Top)


class Offers(OffersOf, frozen=True, kw_only=True):
    """The tools of a body as Responses has them."""

    # grammar tools, by the caller's names
    customs: frozenset[str]


class Toolset:
    """The tools of one request. `customs` are named in the caller's words, `hosted` left out."""

    __slots__ = ("_offers", "_sent", "customs", "hosted", "names", "native_custom")

    def __init__(self, offers: Offers, native_custom: bool) -> None:
        self._offers = offers
        self.names = offers.names
        self.native_custom = native_custom
        self.customs = offers.customs
        self.hosted = offers.hosted
        # a history calls few tools many times
        self._sent: dict[tuple[str, bool], str] = {}

    def __bool__(self) -> bool:
        return bool(self._offers.written)

    @property
    def written(self) -> list[msgspec.Raw]:
        """The tools as they go upstream, in a list of their own."""
        return list(self._offers.written)

    def is_custom(self, name: str) -> bool:
        """Whether the caller offers a grammar tool of this name."""
        return name in self.customs

    def sent_name(self, name: str, custom: bool) -> str:
        """What a tool of the caller's is called upstream, also one that is offered no more."""
        if not custom and name in self._offers.plain:
            return name
        sent = self._sent.get((name, custom))
        if sent is None:
            sent = self._sent[name, custom] = self._name(name, custom)
        return sent

    def _name(self, name: str, custom: bool) -> str:
        sent = self.names.sent_for(Original(name, custom=custom and not self.native_custom))
        if sent != name:
            return sent
        return name_tools((Original(name),)).sent_for(Original(name))


class _Tool(msgspec.Struct, frozen=True):
    """A client's tool, its halves put together."""

    original: Original
    raw: Mapping[str, Any]
    inner: Mapping[str, Any]
    custom: bool


def toolset(lists: ToolLists, step: Step, lost: Lost) -> Toolset:
    """The tools of a body for one candidate; those that a provider runs are left out.

    A grammar tool stays one where the candidate takes it, else it becomes a function of one string.
    Raises CallerError.
    """
    native = step.skin.custom
    texts = [text for _, text in lists]
    offers = SEEN.made((_offers, native), texts, lambda: _offers(lists, native))
    lost.update(dict.fromkeys(offers.lost))
    return Toolset(offers, native)


def _offers(lists: ToolLists, native: bool) -> Offers:
    lost: Lost = {}
    gone: set[str] = set()
    found = [
        tool
        for where, tools in opened_tools(lists)
        for tool in _client_tools(tools, where, None, native, gone, lost)
    ]
    originals = [tool.original for tool in found]
    names = name_tools(originals)
    sent = sent_names(originals, names)
    written = encoded(_write(tool, sent[tool.original], native, lost) for tool in found)
    return Offers(
        sent=sent,
        names=names,
        plain=plain_names(sent),
        written=written,
        lost=tuple(lost),
        customs=frozenset(tool.inner["name"] for tool in found if tool.custom),
        hosted=frozenset(gone),
    )


def _client_tools(
    tools: list[dict[str, Any]],
    where: Where,
    namespace: str | None,
    native: bool,
    gone: set[str],
    lost: Lost,
) -> Iterator[_Tool]:
    for index, tool in enumerate(tools):
        place = (where, index)
        kind = tool.get("type")
        if kind == "namespace":
            inner = tool.get("tools") or []
            yield from _client_tools(inner, (place, "tools"), tool.get("name"), native, gone, lost)
        elif kind in _FUNCTION_TYPES:
            yield _client_tool(tool, kind, place, namespace, native)
        else:
            gone.add(str(tool.get("name") or kind))
            lost[f"hosted:{hosted.normalise(str(kind))}"] = None


def _client_tool(
    tool: Mapping[str, Any], kind: str | None, where: Where, namespace: str | None, native: bool
) -> _Tool:
    # in Messages `custom` is the type of every tool of the client's own; these have a schema
    custom = kind == "custom" and "input_schema" not in tool
    nested = tool.get("custom" if custom else "function")
    inner = nested if isinstance(nested, dict) else tool
    name = inner.get("name")
    if not isinstance(name, str) or not name:
        raise malformed((where, "name"), "the name of a tool")
    return _Tool(Original(name, custom and not native, namespace), tool, inner, custom)


def _write(tool: _Tool, name: str, native: bool, lost: Lost) -> dict[str, Any]:
    known = _CUSTOM_KEYS if tool.custom else _FUNCTION_KEYS
    for key in (*tool.raw, *tool.inner):
        if key not in known:
            lost[key if key == CACHE_MARK else f"tools[].{key}"] = None
    written: dict[str, Any] = {"type": "function", "name": name}
    if description := tool.inner.get("description"):
        written["description"] = description
    if not tool.custom:
        schema = tool.inner.get("parameters") or tool.inner.get("input_schema")
        written["parameters"] = _object_schema(schema)
        # absent means yes on Responses, and no wherever callers come from
        written["strict"] = bool(tool.inner.get("strict"))
    elif native:
        written["type"] = "custom"
        if isinstance(form := tool.inner.get("format"), dict):
            written["format"] = _flat_format(form)
    else:
        written["parameters"] = wrapped_parameters(input_description(tool.inner.get("format")))
        written["strict"] = False
    return written


def _object_schema(schema: Any) -> Mapping[str, Any] | msgspec.Raw:
    """OpenAI refuses parameters that do not say they are an object, or of what.

    Most do, and stay as they are spelt.
    """
    if isinstance(schema, msgspec.Raw):
        top = decode(_TOP, schema, "")
        whole = top.type == _OBJECT and top.properties is not ABSENT
        return schema if whole else _object_schema(plain(schema))
    if not isinstance(schema, dict):
        return {"type": "object", "properties": {}}
    if schema.get("type") == "object" and "properties" in schema:
        return schema
    return {"type": "object", "properties": {}, **schema}


def _flat_format(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Chat nests the grammar, Responses does not."""
    grammar = form.get("grammar")
    return {"type": "grammar", **grammar} if isinstance(grammar, dict) else form


# --- the choice --------------------------------------------------------------------------------


def write_choice(top: dict[str, Any], choice: Any, tools: Toolset, lost: Lost) -> None:
    """Writes a choice in any form; one that is left with no tool goes, and is named."""
    if choice is None:
        return
    written = _choice(choice, tools) if tools else None
    if written is not None:
        top["tool_choice"] = written
    elif choice not in _IDLE and not (isinstance(choice, dict) and choice.get("type") in _IDLE):
        lost["tool_choice"] = None


def _choice(choice: Any, tools: Toolset) -> str | dict[str, Any] | None:
    if isinstance(choice, str):
        return _WORDS.get(choice)
    if not isinstance(choice, dict):
        return None
    kind = choice.get("type")
    if kind == "allowed_tools":
        return _allowed(choice, tools)
    if isinstance(kind, str) and kind in _WORDS:
        return _WORDS[kind]
    return _named(choice, tools)


def _allowed(choice: Mapping[str, Any], tools: Toolset) -> dict[str, Any] | None:
    """Chat nests what Responses has flat."""
    nested = choice.get("allowed_tools")
    inner = nested if isinstance(nested, dict) else choice
    listed = (tool for tool in inner.get("tools") or [] if isinstance(tool, dict))
    kept = [named for tool in listed if (named := _named(tool, tools)) is not None]
    mode = inner.get("mode") or "auto"
    return {"type": "allowed_tools", "mode": mode, "tools": kept} if kept else None


def _named(choice: Mapping[str, Any], tools: Toolset) -> dict[str, Any] | None:
    """One tool, nested (Chat), flat (Responses), `tool` (Messages), or bare (the first form)."""
    nested = choice.get("function") or choice.get("custom")
    name = (nested if isinstance(nested, dict) else choice).get("name")
    if not isinstance(name, str) or name in tools.hosted:
        return None
    custom = tools.is_custom(name)
    kind = "custom" if custom and tools.native_custom else "function"
    return {"type": kind, "name": tools.sent_name(name, custom)}
