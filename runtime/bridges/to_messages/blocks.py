"""Parts of a message or a tool result as Messages blocks, in any spelling clients mix.

It knows no message, no role and no tool.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

import msgspec

from runtime.bridges.body import Text, is_visible, members, plain
from runtime.bridges.parts import Lost, Where, kind_of, malformed, path, split_data_url
from runtime.dialects.decode import ABSENT
from runtime.dialects.parts import Content, Part, opened
from runtime.errors import CallerError

Block = dict[str, Any]

DETAIL: Final = "content[].detail"
CACHE_CONTROL: Final = "cache_control"
BREAKPOINT: Final = "prompt_cache_breakpoint"
# How callers mark where a prefix ends -> the name it is missed by.
_MARKS: Final = {BREAKPOINT: f"content[].{BREAKPOINT}", CACHE_CONTROL: CACHE_CONTROL}
_EPHEMERAL: Final = {"type": "ephemeral"}
_PDF: Final = "application/pdf"
# Bare base64 names no type; whatever is not said to be text is a PDF, the only other kind there is.
_TEXT_TYPE: Final = "text/plain"
_SPELLINGS: Final = {"image/jpg": "image/jpeg"}


def is_blank(text: str) -> bool:
    """Whether Anthropic refuses this as the text of a block."""
    return not text or text.isspace()


def text_block(text: Text) -> Block:
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

    def read(self, content: Content | msgspec.Raw, where: Where) -> list[Block]:
        """The blocks of a string, one part, a list of parts, or nothing, opened or not.

        Blank texts are left out. Raises CallerError for what is none of these, and for parts that
        Messages cannot have.
        """
        if isinstance(content, list):
            blocks = []
            for index, part in enumerate(content):
                block = self._part(part, (where, index))
                if block is not None:
                    blocks.append(block)
            return blocks
        if isinstance(content, msgspec.Raw):
            if is_visible(content):
                return [{"type": "text", "text": content}]
            return [] if content is ABSENT else self.read(opened(content, path(where)), where)
        if isinstance(content, str):
            return [] if is_blank(content) else [text_block(content)]
        block = None if content is None else self._part(content, where)
        return [] if block is None else [block]

    def mark(self, block: Block, control: Any, breakpoint_: Any) -> None:
        """Sets the breakpoint that the caller set, in whose words ever, on a block of our own."""
        for name, asked in ((BREAKPOINT, breakpoint_), (CACHE_CONTROL, control)):
            if asked is None:
                continue
            mark = _EPHEMERAL if name == BREAKPOINT else asked
            if self._marks and isinstance(mark, dict) and mark.get("type") == "ephemeral":
                block[CACHE_CONTROL] = mark
                self.marked = True
            else:
                self.lost[_MARKS[name]] = None

    def _part(self, part: Part, where: Where) -> Block | None:
        kind = part.type
        if kind in _TEXTS or (kind is None and part.image_url is ABSENT):
            if part.annotations is not ABSENT and plain(part.annotations):
                self.lost["content[].annotations"] = None
            if is_visible(part.text):
                block: Block | None = {"type": "text", "text": part.text}
            else:
                block = _worded(plain(part.text), (where, "text"))
        else:
            # a client's own word for it: it is what its fields say
            other = Blocks._unknown if part.image_url is ABSENT else Blocks._image
            block = _HANDLERS.get(kind, other)(self, members(part), where)
        if block is not None and (
            part.cache_control is not ABSENT or part.prompt_cache_breakpoint is not ABSENT
        ):
            self.mark(block, plain(part.cache_control), plain(part.prompt_cache_breakpoint))
        return block

    def _refusal(self, part: dict[str, Any], where: Where) -> Block | None:
        """What the assistant said instead of an answer was its answer all the same."""
        return _worded(part.get("refusal"), (where, "text"))

    def _image(self, part: dict[str, Any], where: Where) -> Block | None:
        link: Any = part.get("image_url")
        holder = link if isinstance(link, dict) else part
        if holder is not part:
            link = holder.get("url")
        if holder.get("detail") not in (None, "auto"):
            self.lost[DETAIL] = None
        if not isinstance(link, str):
            raise _by_id(part, where) or malformed((where, "image_url"), "a URL")
        inline = split_data_url(link)
        if inline is None:
            return {"type": "image", "source": {"type": "url", "url": link}}
        kind, data = inline
        kind = _SPELLINGS.get(kind, kind)
        return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}

    def _file(self, part: dict[str, Any], where: Where) -> Block | None:
        nested = part.get("file")
        file = nested if isinstance(nested, dict) else part
        data, url, title = file.get("file_data"), file.get("file_url"), file.get("filename")
        if part.get("detail") not in (None, "auto"):
            self.lost[DETAIL] = None
        if isinstance(data, str) and data:
            source = _document(data, (where, "file_data"))
        elif isinstance(url, str) and url:
            source = {"type": "url", "url": url}
        else:
            raise _by_id(file, where) or malformed(where, "a file with `file_data`")
        block: Block = {"type": "document", "source": source}
        if isinstance(title, str) and title:
            block["title"] = title
        return block

    def _audio(self, _part: dict[str, Any], where: Where) -> Block | None:
        raise _cannot("Messages takes no audio. Leave it out, or send its transcript.", where)

    def _unknown(self, part: dict[str, Any], _where: Where) -> Block | None:
        self.lost[f"content[type={kind_of(part)}]"] = None
        return None


def _worded(text: Any, where: Where) -> Block | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise malformed(where, "a string")
    return None if is_blank(text) else text_block(text)


def _document(data: str, where: Where) -> Block:
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


def _by_id(part: dict[str, Any], where: Where) -> CallerError | None:
    """The error for a part that only names a file which another provider keeps."""
    if not isinstance(part.get("file_id"), str):
        return None
    return _cannot("A file id means nothing to this target. Send the data inline.", where)


def _cannot(message: str, where: Where) -> CallerError:
    return CallerError("invalid-request", message, param=path(where))


_TEXTS: Final = frozenset(("text", "input_text", "output_text", "summary_text"))
_HANDLERS: Final[dict[str | None, Callable[[Blocks, dict[str, Any], Where], Block | None]]] = {
    "refusal": Blocks._refusal,
    "image_url": Blocks._image,
    "input_image": Blocks._image,
    "computer_screenshot": Blocks._image,
    "file": Blocks._file,
    "input_file": Blocks._file,
    "input_audio": Blocks._audio,
}
