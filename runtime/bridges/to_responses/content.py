"""Parts of messages and of tool results, in the words of Chat and Messages, as Responses has them.

Texts and images are passed on, never looked into. It knows no turn and no tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from runtime.bridges.body import UNSAID, Text, members, text, together, words
from runtime.bridges.parts import (
    FAILED,
    Lost,
    Where,
    data_url,
    malformed,
    named,
    path,
    split_data_url,
    text_of,
)
from runtime.dialects.chat.read import Message
from runtime.dialects.decode import ABSENT
from runtime.dialects.parts import Part as Record
from runtime.dialects.parts import opened
from runtime.errors import CallerError

Part = dict[str, Any]
# A tool result.
Output = Text | list[Part]

CACHE_MARK: Final = "cache_control"
_TEXTS: Final = frozenset((None, "text", "input_text", "output_text"))
# Responses wants a name for every file it is sent; most callers give none.
_FILE_NAMES: Final = {"application/pdf": "document.pdf", "text/plain": "document.txt"}
_PDF: Final = "application/pdf"
_BREAKPOINT: Final = "prompt_cache_breakpoint"


def parts_of(content: Any, where: Where, lost: Lost, skip: str = "") -> list[Part]:
    """Input parts of a content that is a text, a part, or parts, opened or not.

    Parts of the type `skip` are somebody else's. Raises CallerError.
    """
    if isinstance(content, msgspec.Raw):
        told = text(content)
        content = opened(content, path(where)) if told is None and content is not ABSENT else told
    if isinstance(content, (str, msgspec.Raw)):
        return [_text(content)] if content else []
    found: list[Part] = []
    for index, part in enumerate(listed(content, where)):
        if isinstance(part, Record) and is_text(part):
            if part.text not in UNSAID:
                found.append(_text(part.text))
                if is_marked(part):
                    _mark(members(part), found[-1], lost)
            continue
        if isinstance(part, Record) and part.type == skip:
            continue
        fields = members(part) if isinstance(part, Record) else part
        if not isinstance(fields, dict):
            raise malformed((where, index), "an object")
        written = _written(fields, (where, index), lost)
        if written:
            _mark(fields, written[-1], lost)
            found += written
    return found


def is_text(part: Record) -> bool:
    """Whether a part is a text, in whatever dialect's words."""
    return part.type in _TEXTS and part.image_url is ABSENT


def is_marked(holder: Record | Message) -> bool:
    """Whether something beside its content may have to be named, or to go along."""
    return (
        holder.cache_control is not ABSENT
        or holder.citations is not ABSENT
        or holder.prompt_cache_breakpoint is not ABSENT
    )


def texts_of(content: Any, where: Where, lost: Lost) -> list[Text]:
    """The texts of a system message: all it can hold. Raises CallerError."""
    texts = []
    for part in parts_of(content, where, lost):
        if part["type"] == "input_text":
            texts.append(part["text"])
        else:
            unknown(part["type"], lost)
        if _BREAKPOINT in part:
            lost[f"content[].{_BREAKPOINT}"] = None
    return texts


def listed(content: Any, where: Where) -> list[Any]:
    """The parts of a content that is no text. Raises CallerError."""
    if content is None:
        return []
    if isinstance(content, (dict, Record)):
        return [content]
    if not isinstance(content, list):
        raise malformed(where, "a string or a list of parts")
    return content


def output_of(content: Any, failed: bool, where: Where, lost: Lost) -> Output:
    """A tool result: a text, or parts where it is more than that. Raises CallerError."""
    if isinstance(content, msgspec.Raw) and (carried := text(content)) is not None:
        return FAILED + words(carried) if failed else carried
    parts = parts_of(content, where, lost)
    if all(part["type"] == "input_text" and len(part) == 2 for part in parts):
        told = together((part["text"] for part in parts), "\n")
        return FAILED + words(told) if failed else told
    return [_text(FAILED.rstrip()), *parts] if failed else parts


def said(text: Text) -> Part:
    """Words of the model, in its own turn."""
    return {"type": "output_text", "text": text}


def mark_dropped(holder: Mapping[str, Any], lost: Lost) -> None:
    """Names the marks of a part or a message that Responses has no place for."""
    if CACHE_MARK in holder:
        lost[CACHE_MARK] = None
    if holder.get("citations"):
        lost["content[].citations"] = None


def unknown(kind: Any, lost: Lost) -> None:
    """Names a part that has no counterpart, by its type."""
    lost[f"content[type={named(kind)}]"] = None


def uploaded(where: Where) -> CallerError:
    """The error for a file that was uploaded to one provider and is sent to another."""
    place = path(where)
    return CallerError(
        "invalid-request",
        f"`{place}` names a file that only the provider it was uploaded to has. "
        "Send its content instead.",
        param=place,
    )


# --- one kind of part each ---------------------------------------------------------------------


def _text(text: Text) -> Part:
    return {"type": "input_text", "text": text}


def _plain_text(part: Mapping[str, Any], _where: Where, _lost: Lost) -> list[Part]:
    """A text among the parts of a document, which is plain data already."""
    return [_text(part["text"])] if part.get("text") else []


def _mark(part: Mapping[str, Any], written: Part, lost: Lost) -> None:
    """Cache marks and their like stand on the last part that is made of one."""
    mark_dropped(part, lost)
    if isinstance(mark := part.get(_BREAKPOINT), dict):
        written[_BREAKPOINT] = mark


def _written(part: Mapping[str, Any], where: Where, lost: Lost) -> list[Part]:
    kind = part.get("type")
    writer = _image if kind in _TEXTS and "image_url" in part else _WRITERS.get(kind)
    if writer is not None:
        return writer(part, where, lost)
    if part.get("image_url") is not None:
        return _image(part, where, lost)  # whatever its type: it is what its fields say
    unknown(part.get("type"), lost)
    return []


def _image(part: Mapping[str, Any], where: Where, _lost: Lost) -> list[Part]:
    """OpenAI images: the URL is a string (Responses), or stands in an object (Chat)."""
    link: Any = part.get("image_url")
    nested = isinstance(link, dict)
    detail = link.get("detail") if nested else part.get("detail")
    link = link.get("url") if nested else link
    if part.get("file_id"):
        raise uploaded((where, "file_id"))
    if not isinstance(link, str):
        raise malformed((where, "image_url"), "an image URL")
    return [{"type": "input_image", "detail": detail or "auto", "image_url": link}]


def _source_image(part: Mapping[str, Any], where: Where, _lost: Lost) -> list[Part]:
    """Messages images."""
    url = _source_url(_source(part, where), where)
    return [{"type": "input_image", "detail": "auto", "image_url": url}]


def _source(part: Mapping[str, Any], where: Where) -> Mapping[str, Any]:
    source = part.get("source")
    if not isinstance(source, dict):
        raise malformed((where, "source"), "an object")
    if source.get("file_id"):
        raise uploaded(((where, "source"), "file_id"))
    return source


def _source_url(source: Mapping[str, Any], where: Where) -> str:
    """The address of a source, or its bytes as one."""
    if isinstance(url := source.get("url"), str):
        return url
    kind, data = source.get("media_type"), source.get("data")
    if not isinstance(kind, str) or not isinstance(data, str):
        raise malformed((where, "source"), "base64 data with its media type, or a URL")
    return data_url(kind, data)


def _document(part: Mapping[str, Any], where: Where, lost: Lost) -> list[Part]:
    """Messages documents: bytes, a URL, plain text, or parts again; `context` goes in front."""
    source = _source(part, where)
    title = part.get("title") or None
    context = [_text(part["context"])] if part.get("context") else []
    kind = source.get("type")
    if kind == "url":
        return [*context, {"type": "input_file", "file_url": _source_url(source, where)}]
    if kind in ("text", "content"):
        head = [_text(title)] if title else []
        inner = source.get("data") if kind == "text" else source.get("content")
        return [*head, *context, *parts_of(inner, ((where, "source"), kind), lost)]
    url = _source_url(source, where)
    return [*context, _file_part(url, title)]


def _file(part: Mapping[str, Any], where: Where, _lost: Lost) -> list[Part]:
    """OpenAI files: flat on Responses, nested on Chat; bare base64 was the first form."""
    nested = part.get("file")
    file: Mapping[str, Any] = nested if isinstance(nested, dict) else part
    if file.get("file_id"):
        raise uploaded((where if file is part else (where, "file"), "file_id"))
    if isinstance(url := file.get("file_url"), str):
        return [{"type": "input_file", "file_url": url}]
    data = file.get("file_data")
    if not isinstance(data, str):
        raise malformed(((where, "file"), "file_data"), "a data URL")
    return [_file_part(data if data[:5] == "data:" else data_url(_PDF, data), file.get("filename"))]


def _file_part(url: str, name: str | None) -> Part:
    inline = split_data_url(url)
    default = _FILE_NAMES.get(inline[0] if inline else _PDF, "document")
    return {"type": "input_file", "filename": name or default, "file_data": url}


def _audio(_part: Mapping[str, Any], where: Where, _lost: Lost) -> list[Part]:
    place = path(where)
    raise CallerError(
        "invalid-request",
        f"`{place}` is audio, which no Responses target takes. Send its transcript instead.",
        param=place,
    )


def _container_file(_part: Mapping[str, Any], where: Where, _lost: Lost) -> list[Part]:
    raise uploaded((where, "file_id"))


def _search_result(part: Mapping[str, Any], _where: Where, _lost: Lost) -> list[Part]:
    """What a caller's own search found: its title, its source, its texts."""
    texts = (part.get("title"), part.get("source"), text_of(part.get("content")))
    return [_text("\n".join(text for text in texts if isinstance(text, str) and text))]


def _tool_reference(part: Mapping[str, Any], _where: Where, _lost: Lost) -> list[Part]:
    """A tool that a caller's own tool search found; all tools are sent, so its name is enough."""
    return [_text(str(part.get("tool_name") or ""))]


_WRITERS: Final[dict[Any, Callable[[Mapping[str, Any], Where, Lost], list[Part]]]] = {
    **dict.fromkeys(_TEXTS, _plain_text),
    "image": _source_image,
    "image_url": _image,
    "input_image": _image,
    "document": _document,
    "file": _file,
    "input_file": _file,
    "input_audio": _audio,
    "container_upload": _container_file,
    "search_result": _search_result,
    "tool_reference": _tool_reference,
}
