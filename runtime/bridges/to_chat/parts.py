"""Parts of a message or a tool result as Chat parts, whatever dialect a client took them from.

One table serves both bridges, for clients mix spellings. It knows no message and no role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from runtime.bridges.body import UNSAID, Text, members, plain, text, words
from runtime.bridges.parts import Lost, data_url, kind_of, text_of
from runtime.dialects.decode import ABSENT
from runtime.dialects.parts import Part as Record
from runtime.dialects.parts import opened

Part = dict[str, Any]
# What somebody says: one plain text, as mostly, or parts.
Said = Text | list[Part]

_ENCODER: Final = msgspec.json.Encoder()

# Between texts that become one: blocks of a message, parts of a tool result.
BLOCKS: Final = "\n\n"
LINES: Final = "\n"

# Begins an object that surely has something in it.
_FULL: Final = '{"'
# Chat wants a name for every file.
_FILE_NAME: Final = "document.pdf"
# Fields of a part that say nothing to a Chat model -> the name they are missed by.
_SIDE: Final = {
    "citations": "content[].citations",
    "annotations": "content[].annotations",
    "prompt_cache_breakpoint": "content[].prompt_cache_breakpoint",
}
# What may stand beside a text.
_BESIDE: Final = ("cache_control", *_SIDE)


def text_part(text: Text) -> Part:
    """A part of plain text."""
    return {"type": "text", "text": text}


def bare_text(part: Record) -> Text | None:
    """The text of a part that is nothing else, as most are; None of any other part."""
    if (
        part.type in _TEXTS
        and part.cache_control is ABSENT
        and part.citations is ABSENT
        and part.annotations is ABSENT
        and part.prompt_cache_breakpoint is ABSENT
    ):
        return "" if part.text in UNSAID else part.text
    return None


def is_plain(part: Part) -> bool:
    """Whether a part of Chat's is a text and nothing else."""
    return len(part) == 2 and "text" in part


def parts_of(said: Said) -> list[Part]:
    """What was said as parts, which an empty text has none of."""
    if isinstance(said, list):
        return said
    return [text_part(said)] if said else []


def joined(said: Said, between: str) -> Said:
    """Plain texts as one string, which every provider takes; anything else as parts."""
    if not isinstance(said, list):
        return said
    if len(said) == 1 and is_plain(said[0]):
        only: Text = said[0]["text"]
        return only
    if all(map(is_plain, said)):
        return between.join(words(part["text"]) for part in said)
    return said


def read_said(content: Any, lost: Lost, *, cached: bool) -> Said:
    """What is said in a content: in a text, in one part, or in a list of them, opened or not.

    `cached`: the skin takes `cache_control` on parts. Empty texts are left out, for providers
    refuse them. Raises CallerError.
    """
    if isinstance(content, msgspec.Raw):
        if (carried := text(content)) is not None:
            return carried
        content = None if content is ABSENT else opened(content, "")
    if isinstance(content, str):
        return content or []
    if isinstance(content, list):
        if len(content) != 1:
            return [read for part in content for read in read_part(part, lost, cached=cached)]
        content = content[0]
    told = bare_text(content) if isinstance(content, Record) else None
    return read_part(content, lost, cached=cached) if told is None else told


def read_parts(content: Any, lost: Lost, *, cached: bool) -> list[Part]:
    """The same, as parts. Raises CallerError."""
    return parts_of(read_said(content, lost, cached=cached))


def read_part(part: Any, lost: Lost, *, cached: bool) -> list[Part]:
    """One part: mostly one again, none where Chat has no such thing, more for a document."""
    if isinstance(part, Record) and part.type in _TEXTS:
        told = bare_text(part)
        if told is not None:
            return parts_of(told)
        read = [] if part.text in UNSAID else [text_part(part.text)]
        fields: Any = {name: plain(getattr(part, name)) for name in _BESIDE}
    else:
        fields = members(part) if isinstance(part, Record) else part
        if not isinstance(fields, dict):
            return []
        kind = fields.get("type")
        handler = _HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            handler = _image if "image_url" in fields else _unknown
        read = list(handler(fields, lost))
    lost |= {name: None for field, name in _SIDE.items() if fields.get(field)}
    mark(read, fields.get("cache_control"), lost, cached=cached)
    return read


def texts_alone(said: Said, role: str, lost: Lost) -> Said:
    """The texts of what was said: only users may show pictures and files on Chat."""
    if not isinstance(said, list):
        return said
    texts = [part for part in said if part["type"] == "text"]
    if len(texts) < len(said):
        lost[f"content[role={role}]"] = None
    return texts


def mark(read: list[Part], control: Any, lost: Lost, *, cached: bool) -> None:
    """Puts a cache mark on the last of these parts, or names it as lost."""
    if control is None:
        return
    if cached and read:
        read[-1]["cache_control"] = control
    else:
        lost["cache_control"] = None


def arguments(value: Any) -> str:
    """The arguments of a call as Chat wants them: JSON as text."""
    return value if isinstance(value, str) else _ENCODER.encode(value or {}).decode()


def spelt_arguments(raw: msgspec.Raw) -> str:
    """The same of carried ones: an object whose first name follows its brace at once goes as it is
    spelt, for readers let nothing pass that is not JSON in UTF-8. Raises CallerError.
    """
    spelt = str(raw, "utf-8")
    return spelt if spelt.startswith(_FULL) else arguments(plain(raw))


# --- one function for each kind of part ----------------------------------------------------------


def _text(part: Mapping[str, Any], _lost: Lost) -> Iterable[Part]:
    text = part.get("text")
    return [text_part(text)] if isinstance(text, str) and text else []


def _refusal(part: Mapping[str, Any], _lost: Lost) -> Iterable[Part]:
    text = part.get("refusal")
    return [text_part(text)] if isinstance(text, str) and text else []


def _image(part: Mapping[str, Any], lost: Lost) -> Iterable[Part]:
    """OpenAI images: the URL is a string, or stands in an object."""
    link, detail = part.get("image_url"), part.get("detail")
    url = link
    if isinstance(link, dict):
        url, detail = link.get("url"), link.get("detail")
    if not isinstance(url, str):
        lost["content[].file_id"] = None
        return []
    return [_image_part(url, detail)]


def _image_part(url: str, detail: Any = None) -> Part:
    return {
        "type": "image_url",
        "image_url": {"url": url, "detail": detail} if detail else {"url": url},
    }


def _source_image(part: Mapping[str, Any], lost: Lost) -> Iterable[Part]:
    """Messages images."""
    source = _source(part)
    if source.get("type") == "base64":
        return [_image_part(_bytes_of(source))]
    if isinstance(url := source.get("url"), str):
        return [_image_part(url)]
    lost["content[].source.file_id"] = None
    return []


def _source_document(part: Mapping[str, Any], lost: Lost) -> Iterable[Part]:
    """Messages documents: bytes, plain text, parts again, or what Chat cannot refer to."""
    source, title = _source(part), part.get("title")
    above = [text_part(text) for text in (part.get("context"),) if isinstance(text, str) and text]
    kind = source.get("type")
    if kind == "base64":
        return [*above, _file_part(_bytes_of(source), title)]
    if kind in ("text", "content"):
        body = source.get("data") if kind == "text" else source.get("content")
        named = [text_part(title)] if isinstance(title, str) and title else []
        return [*above, *named, *read_parts(body, lost, cached=False)]
    lost[f"content[].source.{'url' if kind == 'url' else 'file_id'}"] = None
    return above


def _source(part: Mapping[str, Any]) -> Mapping[str, Any]:
    source = part.get("source")
    return source if isinstance(source, dict) else {}


def _bytes_of(source: Mapping[str, Any]) -> str:
    return data_url(str(source.get("media_type")), str(source.get("data")))


def _file(part: Mapping[str, Any], lost: Lost) -> Iterable[Part]:
    """OpenAI files: flat on Responses, nested on Chat."""
    nested = part.get("file")
    file = nested if isinstance(nested, dict) else part
    data = file.get("file_data")
    if isinstance(data, str):
        return [_file_part(data, file.get("filename"))]
    lost[f"content[].{'file_url' if file.get('file_url') else 'file_id'}"] = None
    return []


def _file_part(data: str, name: Any) -> Part:
    named = name if isinstance(name, str) and name else _FILE_NAME
    return {"type": "file", "file": {"filename": named, "file_data": data}}


def _audio(part: Mapping[str, Any], _lost: Lost) -> Iterable[Part]:
    return [{"type": "input_audio", "input_audio": part.get("input_audio")}]


def _search_result(part: Mapping[str, Any], _lost: Lost) -> Iterable[Part]:
    lines = (part.get("title"), part.get("source"), text_of(part.get("content")))
    return [text_part(LINES.join(line for line in lines if isinstance(line, str) and line))]


def _tool_reference(part: Mapping[str, Any], _lost: Lost) -> Iterable[Part]:
    """What a client's tool search found; the tool itself stands among the tools."""
    return [text_part(f"[tool {part.get('tool_name')}]")]


def _unknown(part: Mapping[str, Any], lost: Lost) -> Iterable[Part]:
    lost[f"content[type={kind_of(part)}]"] = None
    return []


_TEXTS: Final = frozenset(("text", "input_text", "output_text", "summary_text", "reasoning_text"))
_HANDLERS: Final[dict[str, Callable[[Mapping[str, Any], Lost], Iterable[Part]]]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "summary_text": _text,
    "reasoning_text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "input_image": _image,
    "computer_screenshot": _image,
    "image": _source_image,
    "file": _file,
    "input_file": _file,
    "document": _source_document,
    "input_audio": _audio,
    "search_result": _search_result,
    "tool_reference": _tool_reference,
}
