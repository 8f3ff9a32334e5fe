"""Parts of a message or a tool result as Messages blocks, in any spelling clients mix.

It knows no message, no role and no tool.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

import msgspec

from runtime.bridges.parts import Lost, kind_of, malformed, split_data_url
from runtime.errors import CallerError

Block = dict[str, Any]

DETAIL: Final = "content[].detail"
CACHE_CONTROL: Final = "cache_control"
_BREAKPOINT: Final = "prompt_cache_breakpoint"
# How callers mark where a prefix ends -> the name it is missed by.
_MARKS: Final = {_BREAKPOINT: f"content[].{_BREAKPOINT}", CACHE_CONTROL: CACHE_CONTROL}
_EPHEMERAL: Final = {"type": "ephemeral"}
_PDF: Final = "application/pdf"
# Bare base64 names no type; whatever is not said to be text is a PDF, the only other kind there is.
_TEXT_TYPE: Final = "text/plain"
_SPELLINGS: Final = {"image/jpg": "image/jpeg"}


def is_blank(text: str) -> bool:
    """Whether Anthropic refuses this as the text of a block."""
    return not text or text.isspace()


def text_block(text: str | msgspec.Raw) -> Block:
    """A block of plain text."""
    return {"type": "text", "text": text}


def ephemeral() -> dict[str, str]:
    """A cache breakpoint with the usual lifetime."""
    return dict(_EPHEMERAL)


class Blocks:
    """Makes blocks of the parts of one body.

    `marks`: the skin takes cache breakpoints, so those that the caller set travel along.
    """

    def __init__(self, lost: Lost, *, marks: bool) -> None:
        self.lost = lost
        # whether a breakpoint of the caller's travels along
        self.marked = False
        self._marks = marks

    def read(self, content: Any, where: str) -> list[Block]:
        """The blocks of a string, one part, a list of parts, or nothing. Blank texts are left out.

        Raises CallerError for what is none of these, and for parts that Messages cannot have.
        """
        if isinstance(content, str):
            return [] if is_blank(content) else [text_block(content)]
        if isinstance(content, msgspec.Raw):
            return [text_block(content)]
        if content is None:
            return []
        if isinstance(content, dict):
            return self._part(content, where)
        if not isinstance(content, list):
            raise malformed(where, "a string or a list of parts")
        blocks: list[Block] = []
        for index, part in enumerate(content):
            if isinstance(part, dict):
                blocks += self._part(part, f"{where}[{index}]")
            elif isinstance(part, str) and not is_blank(part):
                blocks.append(text_block(part))
        return blocks

    def mark(self, block: Block, holder: dict[str, Any]) -> None:
        """Sets the breakpoint that the caller set, on a block of our own making."""
        if CACHE_CONTROL not in holder and _BREAKPOINT not in holder:
            return
        for name in _MARKS:
            asked = holder.get(name)
            if asked is None:
                continue
            if name == _BREAKPOINT:
                asked = _EPHEMERAL
            if self._marks and isinstance(asked, dict) and asked.get("type") == "ephemeral":
                block[CACHE_CONTROL] = asked
                self.marked = True
            else:
                self.lost[_MARKS[name]] = None

    def _part(self, part: dict[str, Any], where: str) -> list[Block]:
        kind = part.get("type")
        handler = _HANDLERS.get(kind) if kind is None or isinstance(kind, str) else None
        if handler is None or kind is None:
            # a client's own word for it: it is what its fields say
            handler = Blocks._image if "image_url" in part else handler or Blocks._unknown
        block = handler(self, part, where)
        if block is None:
            return []
        self.mark(block, part)
        return [block]

    def _text(self, part: dict[str, Any], where: str) -> Block | None:
        text = part.get("text")
        if part.get("annotations"):
            self.lost["content[].annotations"] = None
        if text is None:
            return None
        if not isinstance(text, str):
            raise malformed(f"{where}.text", "a string")
        return None if is_blank(text) else text_block(text)

    def _refusal(self, part: dict[str, Any], where: str) -> Block | None:
        """What the assistant said instead of an answer was its answer all the same."""
        return self._text({"text": part.get("refusal")}, where)

    def _image(self, part: dict[str, Any], where: str) -> Block | None:
        link: Any = part.get("image_url")
        holder = link if isinstance(link, dict) else part
        if holder is not part:
            link = holder.get("url")
        if holder.get("detail") not in (None, "auto"):
            self.lost[DETAIL] = None
        if not isinstance(link, str):
            raise _by_id(part, where) or malformed(f"{where}.image_url", "a URL")
        inline = split_data_url(link)
        if inline is None:
            return {"type": "image", "source": {"type": "url", "url": link}}
        kind, data = inline
        kind = _SPELLINGS.get(kind, kind)
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}

    def _file(self, part: dict[str, Any], where: str) -> Block | None:
        nested = part.get("file")
        file = nested if isinstance(nested, dict) else part
        data, url, title = file.get("file_data"), file.get("file_url"), file.get("filename")
        if part.get("detail") not in (None, "auto"):
            self.lost[DETAIL] = None
        if isinstance(data, str) and data:
            source = _document(data, f"{where}.file_data")
        elif isinstance(url, str) and url:
            source = {"type": "url", "url": url}
        else:
            raise _by_id(file, where) or malformed(where, "a file with `file_data`")
        block: Block = {"type": "document", "source": source}
        if isinstance(title, str) and title:
            block["title"] = title
        return block

    def _audio(self, _part: dict[str, Any], where: str) -> Block | None:
        raise _cannot("Messages takes no audio. Leave it out, or send its transcript.", where)

    def _unknown(self, part: dict[str, Any], _where: str) -> Block | None:
        self.lost[f"content[type={kind_of(part)}]"] = None
        return None


def _document(data: str, where: str) -> Block:
    """The source of a document: a PDF, or plain text that Messages wants as text."""
    inline = split_data_url(data)
    kind, payload = inline if inline is not None else (_PDF, data)
    if kind != _TEXT_TYPE:
        return {"type": "base64", "media_type": kind or _PDF, "data": payload}
    try:
        text = base64.b64decode(payload).decode()
    except (binascii.Error, ValueError):
        raise malformed(where, "base64 of UTF-8 text") from None
    return {"type": "text", "media_type": _TEXT_TYPE, "data": text}


def _by_id(part: dict[str, Any], where: str) -> CallerError | None:
    """The error for a part that only names a file which another provider keeps."""
    if not isinstance(part.get("file_id"), str):
        return None
    return _cannot("A file id means nothing to this target. Send the data inline.", where)


def _cannot(message: str, where: str) -> CallerError:
    return CallerError("invalid-request", message, param=where)


_HANDLERS: Final[dict[str | None, Callable[[Blocks, dict[str, Any], str], Block | None]]] = {
    None: Blocks._text,
    "text": Blocks._text,
    "input_text": Blocks._text,
    "output_text": Blocks._text,
    "summary_text": Blocks._text,
    "refusal": Blocks._refusal,
    "image_url": Blocks._image,
    "input_image": Blocks._image,
    "computer_screenshot": Blocks._image,
    "file": Blocks._file,
    "input_file": Blocks._file,
    "input_audio": Blocks._audio,
}
