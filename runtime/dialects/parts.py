"""Everything in a conversation that is not plain text: images, documents, audio, opaque state.

One table of part types serves all dialects, because clients mix their spellings. Payloads are
measured where they lie and never copied.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Final

import msgspec

from runtime import images
from runtime.dialects.decode import ABSENT, decode, invalid, is_set, too_deep
from runtime.opaque import holds_wrapped
from runtime.signs import DOCUMENT_URL, FILE_ID
from runtime.vocabulary import AUDIO, DOCUMENT, IMAGE_INLINE, IMAGE_URL, Images


class Source(msgspec.Struct, gc=False):
    """Where a Messages image or document comes from."""

    type: str | None = None
    media_type: str | None = None
    url: msgspec.Raw = ABSENT
    data: msgspec.Raw = ABSENT
    content: Content = None


class Part(msgspec.Struct, gc=False):
    """One part of a message or tool result, in any dialect.

    Below the line stands what readers carry for bridges and never look at.
    """

    type: str | None = None
    text: msgspec.Raw = ABSENT
    content: msgspec.Raw = ABSENT
    image_url: msgspec.Raw = ABSENT
    file: msgspec.Raw = ABSENT
    file_data: msgspec.Raw = ABSENT
    file_url: msgspec.Raw = ABSENT
    input_audio: msgspec.Raw = ABSENT
    source: msgspec.Raw = ABSENT
    # of a thinking block
    signature: msgspec.Raw = ABSENT
    # ---
    id: Any = None
    name: Any = None
    input: msgspec.Raw = ABSENT
    tool_use_id: Any = None
    is_error: Any = None
    cache_control: msgspec.Raw = ABSENT
    prompt_cache_breakpoint: msgspec.Raw = ABSENT
    citations: msgspec.Raw = ABSENT
    annotations: msgspec.Raw = ABSENT
    thinking: msgspec.Raw = ABSENT
    data: msgspec.Raw = ABSENT
    refusal: msgspec.Raw = ABSENT
    detail: msgspec.Raw = ABSENT
    title: msgspec.Raw = ABSENT
    context: msgspec.Raw = ABSENT
    filename: msgspec.Raw = ABSENT
    file_id: msgspec.Raw = ABSENT
    tool_name: msgspec.Raw = ABSENT


# A tool result may also be a single part: a screenshot, or the error of a hosted tool.
Content = str | list[Part] | Part | None
# A content that may not have been decoded yet.
Carried = Content | msgspec.Raw


class _Link(msgspec.Struct):
    url: msgspec.Raw = ABSENT


class _File(msgspec.Struct):
    file_data: msgspec.Raw = ABSENT


class _Audio(msgspec.Struct):
    data: msgspec.Raw = ABSENT


_SOURCE: Final = msgspec.json.Decoder(Source | None)
_LINK: Final = msgspec.json.Decoder(_Link | None)
_FILE: Final = msgspec.json.Decoder(_File | None)
_AUDIO: Final = msgspec.json.Decoder(_Audio | None)
_URL: Final = msgspec.json.Decoder(str)
_TEXT: Final = msgspec.json.Decoder(str | None)
_CONTENT: Final[msgspec.json.Decoder[Content]] = msgspec.json.Decoder(Content)


class Parts(msgspec.Struct, gc=False):
    """Collects what the parts of one body need, and counts and judges what they carry."""

    _limits: Images
    _depth: int = 0
    needs: int = 0
    images: int = 0
    documents: int = 0
    inline_bytes: int = 0
    opaque: bool = False
    # some of that came out of an answer over a bridge
    wrapped: bool = False
    echo: bool = False
    # what no feature tells and some bridge refuses, e.g. "file-id"
    signs: tuple[str, ...] = ()

    def add(self, content: Content, where: str) -> None:
        """Looks at what stands at a JSON path. Raises CallerError for what may not travel."""
        if isinstance(content, list):
            for index, part in enumerate(content):
                self._add(part, f"{where}[{index}]")
        elif isinstance(content, Part):
            self._add(content, where)

    def _add(self, part: Part, where: str) -> None:
        if not is_text(part.text):
            decode(_TEXT, part.text, f"{where}.text")  # for what it refuses
        handler = _HANDLERS.get(part.type)
        if handler is not None:
            handler(self, part, where)
        elif is_set(part.image_url):
            self.image(part, where)  # whatever its type: it is what its fields say
        if not is_text(part.content):
            self._add_inner(part.content, f"{where}.content")

    def _add_inner(self, raw: msgspec.Raw, where: str) -> None:
        """Parts inside a part. Each level is decoded anew, so their number has to be bounded."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise too_deep()
        self.add(opened(raw, where), where)
        self._depth -= 1

    # --- images --------------------------------------------------------------------------------

    def image(self, part: Part, where: str) -> None:
        """OpenAI images: the URL is a string, or stands in an object."""
        self._count_image(where)
        where, raw = f"{where}.image_url", part.image_url
        if not is_set(raw):
            self.needs |= IMAGE_URL  # a file id: the provider fetches what it was given before
            self.signs += (FILE_ID,)
            return
        if memoryview(raw)[0] != _QUOTE:
            link = decode(_LINK, raw, where)
            where, raw = f"{where}.url", link.url if link else ABSENT
        self._image_link(_string(raw, where), where)

    def source_image(self, part: Part, where: str) -> None:
        """Messages images: an object that says where the bytes come from."""
        self._count_image(where)
        where = f"{where}.source"
        source = decode(_SOURCE, part.source, where) if is_set(part.source) else None
        if source is None:
            raise invalid(f"`{where}` is missing.", where)
        if source.type == "base64":
            size = images.base64_size(_string(source.data, f"{where}.data"))
            self._inline_image(source.media_type or "", size, where)
            self.inline_bytes += len(memoryview(source.data))
        elif source.type == "url":
            self._image_link(_string(source.url, f"{where}.url"), f"{where}.url")
        else:
            self.needs |= IMAGE_URL
            self.signs += (FILE_ID,)

    def _count_image(self, where: str) -> None:
        self.images += 1
        most = self._limits.max_count
        if most is not None and self.images > most:
            raise images.rejected(f"Too many images: at most {most} are allowed.", where)

    def _image_link(self, text: memoryview, where: str) -> None:
        inline = images.read_data_url(text)
        if inline is None:
            self._check_url(text, where)
            self.needs |= IMAGE_URL
            return
        self._inline_image(inline.media_type, inline.size, where)
        self.inline_bytes += len(text)

    def _inline_image(self, media_type: str, size: int, where: str) -> None:
        allowed, most = self._limits.inline_types, self._limits.max_bytes
        if media_type.lower() not in allowed:
            kinds = ", ".join(allowed) or "none"
            raise images.rejected(f"Inline images must be base64 of these types: {kinds}.", where)
        if most is not None and size > most:
            raise images.rejected(f"This image has {size} bytes; at most {most} go.", where)
        self.needs |= IMAGE_INLINE

    # --- documents and audio -------------------------------------------------------------------

    def file(self, part: Part, where: str) -> None:
        """OpenAI files: flat on Responses, nested on Chat."""
        self._count_document()
        data, base = part.file_data, where
        if is_set(part.file):
            base = f"{where}.file"
            nested = decode(_FILE, part.file, base)
            data = nested.file_data if nested else ABSENT
        if is_set(data):
            self._inline_document(_string(data, f"{base}.file_data"), f"{base}.file_data")
        elif is_set(part.file_url):
            place = f"{where}.file_url"
            self._check_url(_string(part.file_url, place), place)
            self.signs += (DOCUMENT_URL,)
        else:
            self.signs += (FILE_ID,)

    def source_document(self, part: Part, where: str) -> None:
        """Messages documents: bytes, plain text, a URL, an uploaded file, or parts again."""
        self._count_document()
        where = f"{where}.source"
        source = decode(_SOURCE, part.source, where) if is_set(part.source) else None
        if source is None:
            raise invalid(f"`{where}` is missing.", where)
        if source.type == "base64":
            if (source.media_type or "").lower() not in images.DOCUMENT_TYPES:
                raise _document_type(f"{where}.media_type")
            self.inline_bytes += len(_string(source.data, f"{where}.data"))
        elif source.type == "url":
            self._check_url(_string(source.url, f"{where}.url"), f"{where}.url")
            self.signs += (DOCUMENT_URL,)
        elif source.type == "file":
            self.signs += (FILE_ID,)
        elif source.content is not None and not isinstance(source.content, str):
            self.add(source.content, f"{where}.content")

    def upload(self, _part: Part, _where: str) -> None:
        """Messages: a file in the container of the provider's own tools."""
        self.signs += (FILE_ID,)

    def _count_document(self) -> None:
        self.documents += 1
        self.needs |= DOCUMENT

    def _inline_document(self, text: memoryview, where: str) -> None:
        inline = images.read_data_url(text)
        # bare base64 was the first form of `file_data`: it names no type
        if inline is not None and inline.media_type not in images.DOCUMENT_TYPES:
            raise _document_type(where)
        self.inline_bytes += len(text)

    def audio(self, part: Part, where: str) -> None:
        """OpenAI audio."""
        self.needs |= AUDIO
        if is_set(part.input_audio):
            audio = decode(_AUDIO, part.input_audio, f"{where}.input_audio")
            self.inline_bytes += len(memoryview(audio.data)) if audio else 0

    def _check_url(self, text: memoryview, where: str) -> None:
        # a character is at most six bytes of JSON
        if len(text) > 6 * images.MAX_URL_BYTES:
            raise images.url_rejected(where)
        url = decode(_URL, bytes(text), where)
        if not images.url_allowed(url, self._limits.url_schemes):
            raise images.url_rejected(where)

    # --- parts of one dialect ------------------------------------------------------------------

    def thinking(self, part: Part, _where: str) -> None:
        """Reasoning in a history; in Messages it is signed, and good for its maker only."""
        self.opaque = self.echo = True
        self.wrapped = self.wrapped or holds_wrapped(part.signature)


_DEEPEST: Final = 16  # a tool result holds parts, and a search result in it a text: three
_QUOTE: Final = ord('"')
# The first byte of a carried value, in a tuple: in a third of the time that a view of it takes.
first: Final = Struct("c").unpack_from
STRING: Final = (b'"',)
TEXT_BEGINS: Final = (STRING, (b"n",))  # of a string or null
_HANDLERS: Final[dict[str | None, Callable[[Parts, Part, str], None]]] = {
    "image_url": Parts.image,
    "input_image": Parts.image,
    "computer_screenshot": Parts.image,
    "image": Parts.source_image,
    "file": Parts.file,
    "input_file": Parts.file,
    "document": Parts.source_document,
    "container_upload": Parts.upload,
    "input_audio": Parts.audio,
    "thinking": Parts.thinking,
    "redacted_thinking": Parts.thinking,
}


def is_plain(content: Content) -> bool:
    """Whether a content is text alone: nearly all are, and need no path made for them."""
    if content is None or isinstance(content, str):
        return True
    if isinstance(content, Part):
        return False
    for part in content:
        if part.type in _HANDLERS or part.image_url is not ABSENT:
            return False
        if (raw := part.text) is not ABSENT and first(raw) != STRING:
            return False
        if (raw := part.content) is not ABSENT and first(raw) != STRING:
            return False
    return True


def texts(content: Carried) -> list[str]:
    """The plain texts of a message, in order."""
    if isinstance(content, msgspec.Raw):
        content = _CONTENT.decode(content) if is_set(content) else None
    if isinstance(content, str):
        return [content]
    parts = [content] if isinstance(content, Part) else content or ()
    return [_TEXT.decode(part.text) or "" for part in parts if is_set(part.text)]


def opened(raw: msgspec.Raw, where: str) -> Content:
    """A content that was carried and is no plain text. Raises CallerError."""
    return decode(_CONTENT, raw, where)


def is_text(raw: msgspec.Raw) -> bool:
    """Whether a carried content is a string, or none at all: then it is not decoded."""
    return raw is ABSENT or first(raw) in TEXT_BEGINS


def _string(raw: msgspec.Raw, where: str) -> memoryview:
    view = memoryview(raw)
    if not len(view) or view[0] != _QUOTE:
        raise invalid(f"`{where}` must be a string.", where)
    return view


def _document_type(where: str) -> Exception:
    kinds = ", ".join(images.DOCUMENT_TYPES)
    return images.rejected(f"Inline documents must be base64 of these types: {kinds}.", where)
