"""Bytes into typed values; whatever is wrong with them becomes the caller's error with its path.

It knows no field of any dialect.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, TypeVar

import msgspec

from runtime.errors import CallerError

T = TypeVar("T")

# Amounts in bodies: whole, not negative, exact in every JSON implementation (RFC 8259, section 6).
Amount = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

ABSENT: Final = msgspec.Raw()

_PLACE: Final = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)


def decode_body(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """A whole body. Raises CallerError for anything that is not JSON of the decoder's type."""
    if not body.isascii():
        _check_utf8(body)
    return decode(decoder, body, "")


def decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, where: str) -> T:
    """A part of a body that stands at the JSON path `where`. Raises CallerError."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _wrong_type(str(error), where) from None
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        raise invalid(f"The body is not valid JSON: {reason}.", where or None) from None
    except RecursionError:
        raise too_deep() from None
    except ValueError:
        # bytes that are no UTF-8 inside a string, or a number of thousands of digits
        raise invalid("The body holds a value that cannot be read.", where or None) from None


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
