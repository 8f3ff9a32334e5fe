"""A body on its way to one candidate: the changes that all dialects share, each a small function.

The top level is a mapping of keys to values; what no change touches stays the very bytes that
came. Every change that takes something away names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from runtime import hosted
from runtime.dialects.decode import too_deep
from runtime.dialects.reading import Edited, Reading, Step
from runtime.dialects.schemas import rewritten
from runtime.dialects.tools import CLIENT_TOOLS, Tool
from runtime.reasoning import OWNED, Ask, Wanted, form

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_TOOL: Final = msgspec.json.Decoder(Tool)
_ENCODER: Final = msgspec.json.Encoder()
_OPEN: Final = ord("{")
_OPEN_LIST: Final = ord("[")
_ALLOWED: Final = "allowed_tools"
# `functions` is Chat's first name for tools.
_TOOL_LISTS: Final = ("tools", "functions")
# Types of a choice that are not the types of hosted tools.
_CLIENT_KINDS: Final = frozenset(("function", "custom", "auto", "any", "tool", "none"))


class Draft(msgspec.Struct, gc=False):
    """`top` maps keys to `Raw`, or to what a bridge or a change put there.

    `cap` is what goes on the wire.
    """

    top: dict[str, Any]
    reading: Reading
    step: Step
    cap: int | None
    dropped: list[str] = []
    betas: tuple[str, ...] = ()
    hide_usage: bool = False

    def finish(self) -> Edited:
        """The bytes, and what was left out of them."""
        dropped = tuple(dict.fromkeys(self.dropped)) if self.dropped else ()
        return Edited(_ENCODER.encode(self.top), dropped, self.betas, self.hide_usage)

    # --- paths: "a.b" is key b of the object at key a ------------------------------------------

    def get(self, path: str) -> Any:
        """The plain value at a path; None where there is none."""
        holder, key = self._holder(path)
        value = holder.get(key) if holder is not None else None
        return _plain(value)

    def set(self, path: str, value: Any) -> None:
        """Writes a value, making the objects on the way."""
        *way, key = path.split(".")
        holder = self.top
        for name in way:
            inner = open_object(holder.get(name))
            holder[name] = inner = {} if inner is None else inner
            holder = inner
        holder[key] = value

    def remove(self, path: str) -> bool:
        """Takes a value out, and the objects it leaves empty; False where there was none."""
        *way, key = path.split(".")
        if not way:
            return self.top.pop(key, self) is not self
        holder, _ = self._holder(path)
        if holder is None or key not in holder:
            return False
        del holder[key]
        outer = ".".join(way)
        if holder:
            self.set(outer, holder)
            return True
        return self.remove(outer)

    def drop(self, path: str) -> None:
        """Takes a value out and names it."""
        if self.remove(path):
            self.dropped.append(path)

    def _holder(self, path: str) -> tuple[dict[str, Any] | None, str]:
        *way, key = path.split(".")
        holder: dict[str, Any] | None = self.top
        for name in way:
            holder = open_object(holder.get(name)) if holder is not None else None
        return holder, key


def begun(body: bytes | dict[str, Any], reading: Reading, step: Step) -> Draft:
    """A draft of a caller's body, or of one that a bridge has made, with the skin's model."""
    top = reading.members(body) if isinstance(body, bytes) else body
    top["model"] = step.skin.model
    return Draft(top, reading, step, reading.shape.cap if step.cap is None else step.cap)


def open_object(value: Any) -> dict[str, Any] | None:
    """The members of an object, their values still as they came; None for anything else."""
    if isinstance(value, msgspec.Raw):
        view = memoryview(value)
        return _OBJECT.decode(value) if len(view) and view[0] == _OPEN else None
    return value if isinstance(value, dict) else None


def open_list(value: Any) -> list[Any]:
    """The elements of an array, as they came; none of anything else."""
    if isinstance(value, msgspec.Raw):
        view = memoryview(value)
        return _LIST.decode(value) if len(view) and view[0] == _OPEN_LIST else []
    return value if isinstance(value, list) else []


def closed(value: Any) -> msgspec.Raw:
    """A changed element in the form of one that came, for the changes that follow."""
    return msgspec.Raw(_ENCODER.encode(value))


# --- changes, in the order they are made -------------------------------------------------------


def write_tools(
    draft: Draft,
    parallel_off: Callable[[Draft], None],
    elsewhere: Callable[[Draft], None] | None = None,
) -> None:
    """Tools in the words of the skin, without those it has not; `parallel_off` asks for one call
    at a time where it cannot do several. `elsewhere` writes those that stand not in `tools`.
    """
    reading, skin = draft.reading, draft.step.skin
    rewrites = skin.tool_schemas != "keep"
    if rewrites:
        write_schemas(draft)
    if elsewhere is not None and (rewrites or reading.strip):
        elsewhere(draft)
    if reading.strip:
        strip_hosted(draft)
    if not skin.parallel and reading.shape.needs & CLIENT_TOOLS:
        parallel_off(draft)


def strip_hosted(draft: Draft) -> None:
    """Leaves out the hosted tools the skin does not have, and a choice that names one of them."""
    reading = draft.reading
    words = hosted.to_strip(reading.hosted, draft.step.features)
    if not words:
        return
    for field, word in hosted.FIELDS.items():
        if word in words:
            draft.top.pop(field, None)
    draft.dropped += [f"hosted:{word}" for word, _ in reading.hosted if word in words]
    names: set[str] = set()
    if "tools" in draft.top:
        draft.top["tools"] = without_hosted(draft.top["tools"], words, names)
        if not draft.top["tools"]:
            del draft.top["tools"]
    # tools may also stand in fields of their own, or in an input item
    if reading.shape.needs & CLIENT_TOOLS or any(word not in words for word, _ in reading.hosted):
        _strip_choice(draft, words, names)
    else:
        draft.top.pop("tool_choice", None)
        draft.top.pop("parallel_tool_calls", None)


def _strip_choice(draft: Draft, words: frozenset[str], names: set[str]) -> None:
    """A choice among several tools goes on among those that are left."""
    choice = draft.get("tool_choice")
    if not isinstance(choice, dict):
        return
    if choice.get("type") != _ALLOWED:
        if _is_gone(choice, words, names):
            del draft.top["tool_choice"]
        return
    listing = f"tool_choice.{_ALLOWED}.tools" if _ALLOWED in choice else "tool_choice.tools"
    listed = draft.get(listing) or []
    kept = [tool for tool in listed if not _is_gone(tool, words, names)]
    if kept and len(kept) < len(listed):
        draft.set(listing, kept)
    elif listed and not kept:
        del draft.top["tool_choice"]


def without_hosted(tools: Any, words: frozenset[str], names: set[str]) -> list[Any]:
    """The tools that stay, as they came; `names` collects what those that go are called."""
    kept = []
    for raw in open_list(tools):
        tool = _TOOL.decode(raw)
        if tool.type == "namespace":
            inner = open_object(raw) or {}
            inner["tools"] = without_hosted(inner.get("tools", []), words, names)
            whole = len(inner["tools"]) == len(tool.tools or ())
            kept += [raw] if whole else [inner] if inner["tools"] else []
        elif _is_client_tool(tool) or hosted.normalise(tool.type or "") not in words:
            kept.append(raw)
        else:
            names.add(tool.name or tool.type or "")
    return kept


def _is_client_tool(tool: Tool) -> bool:
    return tool.type in (None, "function", "custom")


def _is_gone(tool: dict[str, Any], words: frozenset[str], names: set[str]) -> bool:
    """Whether a choice names a tool that is left out, by its name or by its type."""
    kind = tool.get("type")
    if tool.get("name") in names:
        return True
    return isinstance(kind, str) and kind not in _CLIENT_KINDS and hosted.normalise(kind) in words


def write_cap(draft: Draft, fields: Iterable[str]) -> None:
    """Sends the output cap under the skin's own name for it, as low as the candidate needs."""
    declared, asked, value = draft.step.skin.cap, draft.reading.shape.cap, draft.cap
    if value is None:
        return
    here = [field for field in fields if field in draft.top]
    name = declared.field if declared is not None else here[0] if here else None
    if name is None:
        return
    if value == asked and here == [name] and isinstance(draft.top[name], msgspec.Raw):
        return  # as it came
    if declared is not None:
        for field in here:
            if field != name:
                del draft.top[field]
    if draft.get(name) != value:
        draft.top[name] = value
    if asked is not None and value != asked:
        draft.dropped.append(f"{name}:{value}")


def write_reasoning(draft: Draft) -> None:
    """Writes level and budget in the skin's form, or leaves them out where it has none."""
    reading, step = draft.reading, draft.step
    skin = step.skin.reasoning
    asked = reading.level is not None or reading.thinking is not None
    if not asked and not step.group_default and (skin is None or not skin.default):
        return  # the usual case, without the 2 us of finding out
    wanted = Wanted(
        dialect=reading.dialect,
        ask=Ask(reading.level, reading.budget, reading.thinking_off, reading.thinking),
        forced=reading.forced,
        keep_level=step.keep_level,
        group_default=step.group_default,
        budgets=step.budgets,
        cap=draft.cap,
        sent=draft.top,
        broken_turn=reading.broken_turn
        or (
            reading.tool_loop and (reading.wrapped or (reading.opaque and not step.same_continuity))
        ),
    )
    written = form(wanted, skin)
    draft.dropped += written.dropped
    if written.paths is not None:
        _write_paths(draft, written.paths)
    if skin is not None and written.asked:
        for field in skin.rejects:
            draft.drop(field)


def _write_paths(draft: Draft, paths: dict[str, Any]) -> None:
    there = all(draft.get(path) == value for path, value in paths.items())
    if draft.reading.dialect == "chat" and paths and there:
        return  # what else a caller says on Chat is a word of its provider, not of the dialect
    for path in OWNED[draft.reading.dialect]:
        if path in paths:
            if draft.get(path) != paths[path]:
                draft.set(path, paths[path])
        elif path.partition(".")[0] in draft.top:
            draft.remove(path)
    # what is left of a `thinking` object without its type, e.g. `display`, means nothing
    if "thinking" in draft.top and "thinking.type" not in paths:
        draft.top.pop("thinking")


def write_parallel_off(draft: Draft) -> None:
    """One call at a time, for a skin that cannot do several."""
    asked = draft.get("parallel_tool_calls")
    if asked is not False:
        draft.top["parallel_tool_calls"] = False
        draft.dropped += ["parallel_tool_calls"] if asked else []


def write_schemas(draft: Draft) -> None:
    """Writes tool schemas in the words of the skin, and names those that are lost."""
    for field in _TOOL_LISTS:
        if tools := open_list(draft.top.get(field)):
            draft.top[field] = with_schemas(draft, tools, field)


def with_schemas(draft: Draft, tools: list[Any], where: str) -> list[Any]:
    """The tools with their schemas in the words of the skin; others stay as they came.

    Raises CallerError for schemas that cannot be rewritten, and for namespaces nested too deeply.
    """
    try:
        return [_with_schema(draft, tool, f"{where}[{n}]") for n, tool in enumerate(tools)]
    except RecursionError:
        raise too_deep() from None


def _with_schema(draft: Draft, raw: Any, where: str) -> Any:
    tool = open_object(raw) or {}
    if inner := open_list(tool.get("tools")):  # a namespace
        rewritten_tools = with_schemas(draft, inner, f"{where}.tools")
        return raw if rewritten_tools == inner else _like(raw, {**tool, "tools": rewritten_tools})
    nested = open_object(tool.get("function"))
    holder = tool if nested is None else nested
    field = "input_schema" if "input_schema" in holder else "parameters"
    given = _plain(holder.get(field))
    if given is None:
        return raw
    name = str(_plain(holder.get("name")) or where)
    place = where if nested is None else f"{where}.function"
    schema, lost = rewritten(given, draft.step.skin.tool_schemas, name, f"{place}.{field}")
    if schema == given:
        return raw
    draft.dropped += [f"tools[].{keyword}" for keyword in lost]
    holder = {**holder, field: schema}
    if lost and _plain(holder.get("strict")) is True:
        del holder["strict"]  # it asks for words that are lost
        draft.dropped.append("tools[].strict")
    return _like(raw, holder if nested is None else {**tool, "function": holder})


def _plain(value: Any) -> Any:
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def _like(raw: Any, changed: dict[str, Any]) -> Any:
    return closed(changed) if isinstance(raw, msgspec.Raw) else changed


def write_form(draft: Draft) -> None:
    """Asks a skin that cannot stream for the answer in one piece, leaves out what the skin does
    not take, and adds its constants; objects are merged key by key.
    """
    skin = draft.step.skin
    if skin.synthesized and draft.reading.stream:
        draft.top["stream"] = False
        draft.top.pop("stream_options", None)
    for path in skin.drop:
        draft.drop(path)
    if skin.patch:
        _merge(draft.top, skin.patch)


def _merge(holder: dict[str, Any], additions: dict[str, Any]) -> None:
    for key, value in additions.items():
        inner = open_object(holder.get(key)) if isinstance(value, dict) else None
        if inner is None:
            holder[key] = value
        else:
            _merge(inner, value)
            holder[key] = inner
