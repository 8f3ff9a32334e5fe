"""Parts of messages and of tool results, in the words of Chat and Messages, as Responses has them.

Texts and images are passed on, never looked into. It knows no turn and no tool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from runtime.bridges.parts import (
    FAILED,
    Lost,
    data_url,
    kind_of,
    malformed,
    split_data_url,
    text_of,
    words,
)
from runtime.errors import CallerError

Part = dict[str, Any]
# A tool result; its text may be carried as it was spelt.
Output = str | msgspec.Raw | list[Part]

CACHE_MARK: Final = "cache_control"
_TEXTS: Final = frozenset((None, "text", "input_text", "output_text"))
# Responses wants a name for every file it is sent; most callers give none.
_FILE_NAMES: Final = {"application/pdf": "document.pdf", "text/plain": "document.txt"}
_PDF: Final = "application/pdf"
_BREAKPOINT: Final = "prompt_cache_breakpoint"


def parts_of(content: Any, where: str, lost: Lost, skip: str = "") -> list[Part]:
    """Input parts of a content that is a string, a part, or parts. Raises CallerError.

    Parts of the type `skip` are somebody else's.
    """
    if isinstance(content, str):
        return [_text(content)] if content else []
    found: list[Part] = []
    for index, part in enumerate(listed(content, where)):
        if not isinstance(part, dict):
            raise malformed(f"{where}[{index}]", "an object")
        kind = part.get("type")
        if kind in _TEXTS and "image_url" not in part:
            if text := part.get("text"):
                found.append(_text(text))
                if len(part) > 2:
                    _mark(part, found[-1], lost)
            continue
        if kind == skip:
            continue
        written = _written(part, f"{where}[{index}]", lost)
        if written:
            _mark(part, written[-1], lost)
            found += written
    return found


def texts_of(content: Any, where: str, lost: Lost) -> list[str]:
    """The texts of a system message: all it can hold. Raises CallerError."""
    texts = []
    for part in parts_of(content, where, lost):
        if part["type"] == "input_text":
            texts.append(part["text"])
        else:
            unknown(part, lost)
        if _BREAKPOINT in part:
            lost[f"content[].{_BREAKPOINT}"] = None
    return texts


def listed(content: Any, where: str) -> list[Any]:
    """The parts of a content that is no string. Raises CallerError."""
    if content is None:
        return []
    if isinstance(content, dict):
        return [content]
    if not isinstance(content, list):
        raise malformed(where, "a string or a list of parts")
    return content


def output_of(content: Any, failed: bool, where: str, lost: Lost) -> Output:
    """A tool result: a string, or parts where it is more than text. Raises CallerError."""
    if isinstance(content, (str, msgspec.Raw)):
        return FAILED + words(content) if failed else content
    parts = parts_of(content, where, lost)
    if all(part["type"] == "input_text" and len(part) == 2 for part in parts):
        text = "\n".join(part["text"] for part in parts)
        return FAILED + text if failed else text
    return [_text(FAILED.rstrip()), *parts] if failed else parts


def said(text: str) -> Part:
    """Words of the model, in its own turn."""
    return {"type": "output_text", "text": text}


def mark_dropped(part: Mapping[str, Any], lost: Lost) -> None:
    """Names the marks of a part that Responses has no place for."""
    if CACHE_MARK in part:
        lost[CACHE_MARK] = None
    if part.get("citations"):
        lost["content[].citations"] = None


def unknown(part: Mapping[str, Any], lost: Lost) -> None:
    """Names a part that has no counterpart."""
    lost[f"content[type={kind_of(part)}]"] = None


def uploaded(where: str) -> CallerError:
    """The error for a file that was uploaded to one provider and is sent to another."""
    return CallerError(
        "invalid-request",
        f"`{where}` names a file that only the provider it was uploaded to has. "
        "Send its content instead.",
        param=where,
    )


# --- one kind of part each ---------------------------------------------------------------------


def _text(text: str) -> Part:
    return {"type": "input_text", "text": text}


def _mark(part: Mapping[str, Any], written: Part, lost: Lost) -> None:
    """Cache marks and their like stand on the last part that is made of one."""
    mark_dropped(part, lost)
    if isinstance(mark := part.get(_BREAKPOINT), dict):
        written[_BREAKPOINT] = mark


def _written(part: Mapping[str, Any], where: str, lost: Lost) -> list[Part]:
    writer = _WRITERS.get(part.get("type"))
    if writer is not None:
        return writer(part, where, lost)
    if part.get("image_url") is not None:
        return _image(part, where, lost)  # whatever its type: it is what its fields say
    unknown(part, lost)
    return []


def _image(part: Mapping[str, Any], where: str, _lost: Lost) -> list[Part]:
    """OpenAI images: the URL is a string (Responses), or stands in an object (Chat)."""
    link: Any = part.get("image_url")
    nested = isinstance(link, dict)
    detail = link.get("detail") if nested else part.get("detail")
    link = link.get("url") if nested else link
    if part.get("file_id"):
        raise uploaded(f"{where}.file_id")
    if not isinstance(link, str):
        raise malformed(f"{where}.image_url", "an image URL")
    return [{"type": "input_image", "detail": detail or "auto", "image_url": link}]


def _source_image(part: Mapping[str, Any], where: str, _lost: Lost) -> list[Part]:
    """Messages images."""
    url = _source_url(_source(part, where), where)
    return [{"type": "input_image", "detail": "auto", "image_url": url}]


def _source(part: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    source = part.get("source")
    if not isinstance(source, dict):
        raise malformed(f"{where}.source", "an object")
    if source.get("file_id"):
        raise uploaded(f"{where}.source.file_id")
    return source


def _source_url(source: Mapping[str, Any], where: str) -> str:
    """The address of a source, or its bytes as one."""
    if isinstance(url := source.get("url"), str):
        return url
    kind, data = source.get("media_type"), source.get("data")
    if not isinstance(kind, str) or not isinstance(data, str):
        raise malformed(f"{where}.source", "base64 data with its media type, or a URL")
    return data_url(kind, data)


def _document(part: Mapping[str, Any], where: str, lost: Lost) -> list[Part]:
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
        return [*head, *context, *parts_of(inner, f"{where}.source.{kind}", lost)]
    url = _source_url(source, where)
    return [*context, _file_part(url, title)]


def _file(part: Mapping[str, Any], where: str, _lost: Lost) -> list[Part]:
    """OpenAI files: flat on Responses, nested on Chat; bare base64 was the first form."""
    nested = part.get("file")
    file: Mapping[str, Any] = nested if isinstance(nested, dict) else part
    if file.get("file_id"):
        raise uploaded(f"{where}.file_id" if file is part else f"{where}.file.file_id")
    if isinstance(url := file.get("file_url"), str):
        return [{"type": "input_file", "file_url": url}]
    data = file.get("file_data")
    if not isinstance(data, str):
        raise malformed(f"{where}.file.file_data", "a data URL")
    return [_file_part(data if data[:5] == "data:" else data_url(_PDF, data), file.get("filename"))]


def _file_part(url: str, name: str | None) -> Part:
    inline = split_data_url(url)
    default = _FILE_NAMES.get(inline[0] if inline else _PDF, "document")
    return {"type": "input_file", "filename": name or default, "file_data": url}


def _audio(_part: Mapping[str, Any], where: str, _lost: Lost) -> list[Part]:
    raise CallerError(
        "invalid-request",
        f"`{where}` is audio, which no Responses target takes. Send its transcript instead.",
        param=where,
    )


def _container_file(_part: Mapping[str, Any], where: str, _lost: Lost) -> list[Part]:
    raise uploaded(f"{where}.file_id")


def _search_result(part: Mapping[str, Any], _where: str, _lost: Lost) -> list[Part]:
    """What a caller's own search found: its title, its source, its texts."""
    texts = (part.get("title"), part.get("source"), text_of(part.get("content")))
    return [_text("\n".join(text for text in texts if isinstance(text, str) and text))]


def _tool_reference(part: Mapping[str, Any], _where: str, _lost: Lost) -> list[Part]:
    """A tool that a caller's own tool search found; all tools are sent, so its name is enough."""
    return [_text(str(part.get("tool_name") or ""))]


_WRITERS: Final[dict[Any, Callable[[Mapping[str, Any], str, Lost], list[Part]]]] = {
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
