"""What a request says, in the words of no dialect: to compare one with what it became.

Written without our own code. Left out on purpose is what some bridge may lose: names of speakers,
sealed state, cache marks, labels, how much to think.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

Atom = tuple[str, ...]

# Chat has no images in results: they stand behind, where such a line tells them apart.
_IMAGE_OF_RESULT = re.compile(r"\[image of call [^\]]*\]")


class Said(NamedTuple):
    """`turns` in order, neighbouring texts of one speaker as one; `tools` by name."""

    system: str
    turns: list[Atom]
    tools: dict[str, Any]
    choice: Any
    schema: Any
    plain: dict[str, Any]


def said(dialect: str, top: dict[str, Any]) -> Said:
    """What a request of this dialect says."""
    atoms = _joined(_ATOMS[dialect](top))
    tools = dict(_tools([*(top.get("tools") or ()), *_late_tools(top)], ""))
    return Said(
        system=_text(atom[1] for atom in atoms if atom[0] == "system"),
        turns=_joined(results_first(atom for atom in atoms if atom[0] != "system")),
        tools=tools,
        choice=_choice(top.get("tool_choice"), bool(tools)),
        schema=_schema(top),
        plain=_plain(top),
    )


# --- turns ---------------------------------------------------------------------------------------


def _joined(atoms: Iterable[Atom]) -> list[Atom]:
    found: list[Atom] = []
    for atom in atoms:
        kind, text = atom[0], atom[-1]
        if kind in ("system", "user", "assistant"):
            if not _text([text]):
                continue
            if found and found[-1][0] == kind:
                found[-1] = (kind, _text([found[-1][1], text]))
                continue
            atom = (kind, _text([text]))
        found.append(atom)
    return found


def results_first(atoms: Iterable[Atom]) -> Iterator[Atom]:
    """Results of one turn may come in any order, and images of them behind."""
    waiting: list[Atom] = []
    for atom in atoms:
        if atom[0] in ("result", "image"):
            waiting.append(atom)
            continue
        yield from sorted(waiting, key=_place)
        waiting.clear()
        yield atom
    yield from sorted(waiting, key=_place)


def _place(atom: Atom) -> Atom:
    return atom if atom[0] == "result" else ("~",)


def _text(texts: Iterable[str]) -> str:
    """Texts as one; how many line ends stand between them is no part of what is said."""
    text = _IMAGE_OF_RESULT.sub("", "\n".join(texts))
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def _chat_atoms(top: dict[str, Any]) -> Iterator[Atom]:
    for message in top["messages"]:
        role = message["role"]
        if role == "tool":
            yield ("result", message["tool_call_id"], _text(_texts(message["content"])))
            continue
        yield from _parts("system" if role == "developer" else role, message.get("content"))
        yield (role, message.get("refusal") or "")
        for call in message.get("tool_calls") or ():
            inner = call["function"]
            yield ("call", call["id"], inner["name"], _arguments(inner["arguments"]))


def _messages_atoms(top: dict[str, Any]) -> Iterator[Atom]:
    for atom in _parts("system", top.get("system")):
        if not atom[1].startswith("x-anthropic-billing-header"):  # for Anthropic's books alone
            yield atom
    for turn in top["messages"]:
        yield from _parts(turn["role"], turn["content"])


def _responses_atoms(top: dict[str, Any]) -> Iterator[Atom]:
    yield ("system", top.get("instructions") or "")
    items = top["input"]
    if isinstance(items, str):
        yield ("user", items)
        return
    for item in items:
        kind = item.get("type", "message")
        if kind == "message":
            role = "system" if item["role"] == "developer" else item["role"]
            yield from _parts(role, item["content"])
        elif kind == "function_call":
            yield ("call", item["call_id"], _flat(item), _arguments(item["arguments"]))
        elif kind == "custom_tool_call":
            given = json.dumps({"input": item["input"]}, sort_keys=True)
            yield ("call", item["call_id"], _flat(item), given)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            yield ("result", item["call_id"], _text(_texts(item["output"])))
            yield from _images(item["output"])
        else:
            assert kind in ("reasoning", "additional_tools"), kind


_ATOMS = {"chat": _chat_atoms, "messages": _messages_atoms, "responses": _responses_atoms}


def _parts(role: str, content: Any) -> Iterator[Atom]:
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        kind = part["type"]
        if kind in ("text", "input_text", "output_text", "refusal"):
            yield (role, part.get("text") or part.get("refusal") or "")
        elif kind == "tool_use":
            yield ("call", part["id"], part["name"], json.dumps(part["input"], sort_keys=True))
        elif kind == "tool_result":
            yield ("result", part["tool_use_id"], _text(_texts(part.get("content"))))
            yield from _images(part.get("content"))
        elif kind in ("image", "image_url", "input_image"):
            yield ("image", _image(part))
        else:
            assert kind in ("thinking", "redacted_thinking"), kind


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if "text" in part]


def _images(content: Any) -> Iterator[Atom]:
    for part in content if isinstance(content, list) else ():
        if "image" in part["type"]:
            yield ("image", _image(part))


def _image(part: dict[str, Any]) -> str:
    source = part.get("source")
    if source is None:
        url = part["image_url"]
        return url if isinstance(url, str) else url["url"]
    if source["type"] == "url":
        return source["url"]
    return f"data:{source['media_type']};base64,{source['data']}"


def _arguments(text: str) -> str:
    return json.dumps(json.loads(text or "{}"), sort_keys=True)


def _flat(item: dict[str, Any]) -> str:
    space = item.get("namespace")
    return f"{space}__{item['name']}" if space else item["name"]


# --- tools and the rest --------------------------------------------------------------------------


def _tools(tools: Any, space: str) -> Iterator[tuple[str, Any]]:
    for tool in tools:
        kind = tool.get("type", "custom")
        if kind == "namespace":
            yield from _tools(tool["tools"], f"{tool['name']}__")
            continue
        inner = tool.get("function") or tool
        if kind not in ("function", "custom"):
            continue  # a provider runs it
        if "input_schema" not in inner and kind == "custom":
            yield space + inner["name"], "one text"
        else:
            schema = inner.get("parameters") or inner.get("input_schema") or {}
            names = sorted(schema.get("properties", ()))
            is_text = names == ["input"] and schema.get("additionalProperties") is False
            yield space + inner["name"], "one text" if is_text else _core(schema)


def _late_tools(top: dict[str, Any]) -> list[dict[str, Any]]:
    """Responses: tools that came after the conversation had begun."""
    items = top.get("input")
    late = [item["tools"] for item in items if "tools" in item] if isinstance(items, list) else []
    return [tool for tools in late for tool in tools]


def _core(schema: Any) -> Any:
    """A schema without what the dialects want in one or not in another."""
    kept = {key: value for key, value in schema.items() if key not in ("$schema", "strict")}
    return {"type": "object", "properties": {}, **kept}


def _choice(choice: Any, tools: bool) -> Any:
    """None is "as the model likes", which is said by silence as well."""
    if isinstance(choice, dict):
        kind = choice["type"]
        named = choice.get("name") or (choice.get("function") or {}).get("name")
        choice = named or {"any": "required", "tool": "tool"}.get(kind, kind)
    return None if choice == "auto" or not tools else choice


def _schema(top: dict[str, Any]) -> Any:
    found = (
        (top.get("response_format") or {}).get("json_schema", {}).get("schema"),
        ((top.get("text") or {}).get("format") or {}).get("schema"),
        ((top.get("output_config") or {}).get("format") or {}).get("schema"),
    )
    return next((schema for schema in found if schema), None)


def _plain(top: dict[str, Any]) -> dict[str, Any]:
    names = ("max_tokens", "max_output_tokens", "max_completion_tokens")
    caps = [top[name] for name in names if top.get(name)]
    return {
        "cap": caps[0] if caps else None,
        "stream": bool(top.get("stream")),
        **{name: top.get(name) for name in ("temperature", "top_p")},
    }
