"""Bytes into typed values; whatever is wrong with them becomes the caller's error with its path.

It knows no field of any dialect.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec

from runtime.errors import CallerError

B = TypeVar("B", bound=msgspec.Struct)
T = TypeVar("T")

# Amounts in bodies: whole, not negative, exact in every JSON implementation (RFC 8259, section 6).
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

ABSENT: Final = msgspec.Raw()
# A body of fewer bytes is decoded at once.
_SMALL: Final = 8192

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()
_PLACE: Final = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)


class BodyDecoder(Generic[B]):
    """Decodes a body, whose members stay as they came for whoever writes it again.

    Members in `apart` may be large: each is decoded by itself, or carried where it has no decoder.
    So a body of 200 KB is passed over once for its members and once for its turns, and its tools
    are not passed over in between. A small one is decoded at once, which takes fewer steps.

    One that crosses a bridge is written anew, and needs no more of its history than the turns. A
    large one is passed over once for all, where it has no members but the fields and `others`.
    """

    def __init__(
        self,
        kind: type[B],
        apart: dict[str, msgspec.json.Decoder[Any] | None],
        others: tuple[str, ...],
    ) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._apart = apart
        types = {field.name: field.type for field in msgspec.structs.fields(kind)}
        self._history = history = next(iter(apart))
        self._names = tuple(dict.fromkeys((history, *types, *others)))
        carried = [(name, msgspec.Raw, ABSENT) for name in self._names[1:]]
        known = msgspec.defstruct(
            "Known", [(history, types[history], None), *carried], forbid_unknown_fields=True
        )
        self._known: msgspec.json.Decoder[Any] = msgspec.json.Decoder(known)

    def decode(self, body: bytes, *, crosses: bool) -> tuple[B, dict[str, msgspec.Raw]]:
        """The fields, and all members; where it `crosses` a bridge, perhaps without the history.

        Raises CallerError for what is not JSON of the type.
        """
        if not body.isascii():
            _check_utf8(body)
        small = len(body) < _SMALL
        if crosses and not small:
            try:
                return self._known_alone(body)
            except (*UNREADABLE, CallerError):
                pass  # an unknown member, or something wrong, which is told below
        found = members(body)
        if small:
            try:
                return self._decoder.decode(body), found
            except UNREADABLE:
                return self._by_member(found), found  # which tells what is wrong where
        return self._by_member(found), found

    def _known_alone(self, body: bytes) -> tuple[B, dict[str, msgspec.Raw]]:
        values = msgspec.structs.astuple(self._known.decode(body))
        pairs = zip(self._names, values, strict=True)
        found = {name: value for name, value in pairs if value is not ABSENT}
        turns = found.pop(self._history)
        fields = self._by_member(found)
        setattr(fields, self._history, turns)
        return fields, found

    def _by_member(self, found: dict[str, msgspec.Raw]) -> B:
        apart = self._apart
        small = {name: raw for name, raw in found.items() if name not in apart}
        fields = decode(self._decoder, _ENCODER.encode(small), "")
        for name, decoder in apart.items():
            raw = found.get(name)
            if raw is not None:
                value = raw if decoder is None else decode(decoder, raw, name)
                setattr(fields, name, value)
        return fields


def members(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of a body as they came, the last of those with one name. Raises CallerError."""
    return decode(_MEMBERS, body, "")


def decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, where: str) -> T:
    """A part of a body that stands at the JSON path `where`. Raises CallerError."""
    try:
        return decoder.decode(data)
    except UNREADABLE as error:
        raise unreadable(error, where) from None


# What a decoder raises; of a ValueError: bytes that are no UTF-8 inside a string, or a number of
# thousands of digits.
UNREADABLE: Final = (msgspec.DecodeError, RecursionError, ValueError)


def unreadable(error: Exception, where: str) -> CallerError:
    """What a decoder raised, as the caller's error."""
    if isinstance(error, msgspec.ValidationError):
        return _wrong_type(str(error), where)
    if isinstance(error, msgspec.DecodeError):
        reason = str(error).removeprefix("JSON is malformed: ")
        return invalid(f"The body is not valid JSON: {reason}.", where or None)
    if isinstance(error, RecursionError):
        return too_deep()
    return invalid("The body holds a value that cannot be read.", where or None)


def is_set(raw: msgspec.Raw) -> bool:
    """Whether a carried field stands in the body and is not null."""
    if raw is ABSENT:
        return False
    view = memoryview(raw)
    return len(view) > 0 and bytes(view[:4]) != b"null"


def invalid(message: str, where: str | None) -> CallerError:
    """An `invalid-request` at a JSON path."""
    return CallerError("invalid-request", message, param=where)


def too_deep() -> CallerError:
    """The error for nesting that nobody means."""
    return invalid("The body is nested too deeply.", None)


def _check_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise invalid(f"The body is not UTF-8 (byte {error.start}).", None) from None


def _wrong_type(message: str, where: str) -> CallerError:
    match = _PLACE.match(message)
    reason, inner = (match[1], match[2]) if match else (message, None)
    path = _join(where, inner or "")
    reason = reason[:1].lower() + reason[1:]
    return invalid(f"`{path or 'body'}`: {reason}.", path or None)


def _join(where: str, inner: str) -> str:
    if not where or not inner:
        return where or inner
    return where + inner if inner.startswith("[") else f"{where}.{inner}"
