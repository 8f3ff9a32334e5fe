"""The kinds of values a field may hold: durations, sizes, dates, ids, words of the vocabulary."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from runtime.vocabulary import CARRY, FEATURES, HOSTED

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
BYTES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)")
_SIZE = re.compile(r"([0-9]{1,9})(B|KiB|MiB|GiB)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Node(BaseModel):
    """A mapping of the YAML: no conversion, no unknown field, the docstrings are the reference."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )


@dataclass(frozen=True, slots=True)
class Form:
    """Text of one form: what it is called, how it reads, and an example for the finding."""

    kind: str
    pattern: str
    example: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "examples": [self.example]}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            told = {"kind": self.kind, "example": self.example}
            raise PydanticCustomError("form", "not well formed", told)
        return value


@dataclass(frozen=True, slots=True)
class Words:
    """Text from a closed vocabulary that stands in `runtime.vocabulary`."""

    kind: str
    known: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.known)}

    def _check(self, value: str) -> str:
        if value not in self.known:
            told = {"kind": self.kind, "known": list(self.known)}
            raise PydanticCustomError("word", "unknown word", told)
        return value


def _words(kind: str, known: Iterable[str]) -> Words:
    return Words(kind, tuple(known))


def _duration(value: object) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = round(float(found[1]) * SECONDS[found[2]], 9) if found else 0.0
    if seconds <= 0:
        raise PydanticCustomError("duration", "not a duration")
    return seconds


def _size(value: object) -> int:
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(found[1]) * BYTES[found[2]] if found else 0
    if size <= 0:
        raise PydanticCustomError("size", "not a size")
    return size


def _day(value: object) -> dt.date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("day", "not a date")


def _no_repeats(values: Sequence[Any]) -> Sequence[Any]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise PydanticCustomError("repeated", "repeated", {"index": index, "value": str(value)})
    return values


def _anchored(pattern: re.Pattern[str]) -> str:
    return f"^{pattern.pattern}$"


def _json_type(pattern: re.Pattern[str], example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": _anchored(pattern), "examples": [example]})


Seconds = Annotated[float, BeforeValidator(_duration), _json_type(_DURATION, "90s")]
Size = Annotated[int, BeforeValidator(_size), _json_type(_SIZE, "32MiB")]
Day = Annotated[dt.date, BeforeValidator(_day), _json_type(_DATE, "2026-11-20")]

Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000_000)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Amount = Annotated[int, Field(ge=1, le=1_000_000_000_000)]
Usd = Annotated[float, Field(ge=0, le=1_000_000_000, allow_inf_nan=False)]
Unique = AfterValidator(_no_repeats)

Id = Annotated[str, Form("an id", r"[a-z0-9][a-z0-9._-]{0,63}", "big-coder")]
Name = Annotated[str, Form("a deployment name", r"[a-z0-9][a-z0-9-]{0,63}", "acme")]
TokenPart = Annotated[str, Form("a part of a token id", r"[a-z0-9-]{1,64}", "alice")]
TokenId = Annotated[
    str, Form("a token id", r"rtr(?:_[a-z0-9-]{1,64}){5}", "rtr_acme_alice_web_dev_k1")
]
Sha256 = Annotated[
    str, Form("a SHA-256 digest", r"[0-9a-f]{64}", "the 64 hex digits `token new` prints")
]
EnvName = Annotated[
    str, Form("the name of an environment variable", r"[A-Z_][A-Z0-9_]{0,127}", "OPENAI_KEY")
]
FilePath = Annotated[
    str, Form("an absolute path", r"/[^\x00-\x1f\x7f]{1,1000}", "/run/secrets/openai")
]
HeaderName = Annotated[str, Form("a header name", r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", "X-Title")]
HeaderPrefix = Annotated[
    str, Form("a header prefix", r"[A-Za-z](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "X-Router")
]
HeaderValue = Annotated[
    str, Form("a header value", r"[\x21-\x7e](?:[\x20-\x7e]{0,500}[\x21-\x7e])?", "Acme coding")
]
UrlPath = Annotated[
    str, Form("a URL path", r"/[A-Za-z0-9._~!$&'()*+,;=:@/%-]{0,500}", "/chat/completions")
]
Scheme = Annotated[str, Form("a URL scheme for images", r"https?", "https")]
ImageType = Annotated[str, Form("an image type", r"image/[a-z0-9.+-]{1,40}", "image/png")]
Alias = Annotated[
    str, Form("an alias", r"[A-Za-z0-9._:/@*?-]{1,128}", "claude-* (`*` and `?` are wildcards)")
]
Beta = Annotated[
    str, Form("an anthropic-beta value", r"[A-Za-z0-9._-]{1,100}", "context-1m-2025-08-07")
]
BodyField = Annotated[str, Form("a body field", r"[A-Za-z_][A-Za-z0-9_.-]{0,99}", "top_k")]

Feature = Annotated[str, _words("feature", FEATURES)]
CarryWord = Annotated[str, _words("carry word", CARRY)]
HostedType = Annotated[str, _words("hosted tool type", HOSTED)]
ToolWord = Annotated[
    str,
    _words(
        "tool word",
        ("function", "parallel", "forced", "custom", "namespace", *(f"hosted:{t}" for t in HOSTED)),
    ),
]


def as_written(value: object, pattern: str) -> object:
    """A default of a field as the YAML would have it: durations and sizes with their unit."""
    known: dict[str, Mapping[str, float]] = {_anchored(_DURATION): SECONDS, _anchored(_SIZE): BYTES}
    units = known.get(pattern)
    if units is None or not isinstance(value, int | float):
        return value
    unit = next(unit for unit in reversed(list(units)) if value % units[unit] == 0)
    return f"{round(value / units[unit])}{unit}"


def one_or_many(value: object) -> str:
    """The tag of a field that takes a word or a list of them."""
    return "many" if isinstance(value, list | tuple) else "one"


def mapping_or_scalar(value: object) -> str:
    """The tag of a field that takes a scalar or a mapping."""
    return "mapping" if isinstance(value, dict | BaseModel) else "scalar"
