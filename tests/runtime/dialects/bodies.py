"""Small request bodies, skins and steps for the tests of the request side."""

import json
from typing import Any

from runtime.dialects import DIALECTS
from runtime.dialects.reading import Edited, Reading, Step
from runtime.vocabulary import HOSTED, JSON_SCHEMA, Reasoning, Settings, Skin, Target, words

BUDGETS = {"low": 2048, "medium": 8192, "high": 16384, "xhigh": 31999}
SETTINGS = Settings(name="test", budgets=BUDGETS)
TARGET = Target(provider="p", model="up", tag="abcdef", context=None, price=None, skins={})
EVERY_HOSTED = sum(HOSTED.values())

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGD4DwABBAEA"
    "X+XDSwAAAABJRU5ErkJggg=="
)


def body_of(dialect: str, **fields: Any) -> bytes:
    """A body that is complete but for the given fields; a field that is None is left out."""
    base: dict[str, Any] = {"model": "group"}
    if dialect == "responses":
        base["input"] = [{"type": "message", "role": "user", "content": "hi"}]
    else:
        base["messages"] = [{"role": "user", "content": "hi"}]
    if dialect == "messages":
        base["max_tokens"] = 4096
    merged = {key: value for key, value in {**base, **fields}.items() if value is not None}
    return json.dumps(merged, ensure_ascii=False, separators=(",", ":")).encode()


def read(dialect: str, body: bytes, settings: Settings = SETTINGS, **headers: str) -> Reading:
    """Reads on the path of a dialect; header names are written with underscores."""
    sent = {key.replace("_", "-").encode(): value.encode() for key, value in headers.items()}
    return DIALECTS[dialect].read(body, sent, settings)


def needs(dialect: str, settings: Settings = SETTINGS, **fields: Any) -> list[str]:
    """The feature words of a body with these fields."""
    return words(read(dialect, body_of(dialect, **fields), settings).shape.needs)


def open_skin(**fields: Any) -> Skin:
    """A skin that changes nothing but the model, unless told so."""
    given = {"parallel": True, "betas": "pass", "system_turns": "keep", **fields}
    return Skin(path="/x", model="up", **given)


def step_of(skin: Skin, **fields: Any) -> Step:
    """A step for a skin whose route has every hosted tool and json schema."""
    given = {"features": EVERY_HOSTED | JSON_SCHEMA, "budgets": BUDGETS, **fields}
    return Step(skin=skin, target=TARGET, asked="group", **given)


def edit(
    dialect: str,
    body: bytes,
    skin: Skin,
    settings: Settings = SETTINGS,
    headers: dict[str, str] | None = None,
    **step: Any,
) -> Edited:
    """A body, read and edited for a skin."""
    reading = read(dialect, body, settings, **(headers or {}))
    return DIALECTS[reading.dialect].edit(body, reading, step_of(skin, **step))


def effort(*levels: str, **fields: Any) -> Reasoning:
    """Reasoning by effort."""
    return Reasoning(control="effort", levels=levels, **fields)


def sent(edited: Edited) -> dict[str, Any]:
    """The edited body as an object, without its model."""
    fields = json.loads(edited.body)
    assert fields.pop("model") == "up"
    return fields
