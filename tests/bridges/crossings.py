"""Every kept request over both bridges its dialect may take, to a skin like those in use."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from runtime.bridges.served import BRIDGES
from runtime.dialects import DIALECTS
from runtime.dialects.reading import Edited, Reading, Step
from runtime.eligibility import clamped_cap, keeps_level, path_reasons
from runtime.errors import CallerError
from runtime.passage import passage
from runtime.vocabulary import (
    AUDIO,
    CUSTOM,
    DOCUMENT,
    FORCED,
    HOSTED,
    IMAGE_INLINE,
    IMAGE_URL,
    JSON_OBJECT,
    JSON_SCHEMA,
    LEVELS,
    LOGPROBS,
    NAMESPACE,
    PREFILL,
    STREAM,
    TOOLS,
    Cap,
    Reasoning,
    Route,
    Settings,
    Skin,
    Target,
)
from tests.runtime.dialects.captures import captures

SURFACES = ("chat", "messages", "responses")
PAIRS = [(caller, up) for caller in SURFACES for up in SURFACES if caller != up]
DOMAIN = "the-provider"
BUDGETS = {"low": 2048, "medium": 8192, "high": 16384, "xhigh": 31999}
# Tools that a provider runs are left out rather than refused, so that all else is seen to cross.
SETTINGS = Settings(name="acme", budgets=BUDGETS, hosted_tools=dict.fromkeys(HOSTED, "strip"))

SKINS = {
    "chat": Skin(
        path="/chat/completions",
        model="kimi",
        cap=Cap(field="max_tokens", max=131_072, over="clamp"),
        reasoning=Reasoning(
            control="effort",
            levels=("none", "low", "medium", "high"),
            map=(("minimal", "low"), ("xhigh", "high"), ("max", "high")),
            echo="required",
        ),
        parallel=True,
        prompt_cache="auto",
    ),
    "responses": Skin(
        path="/responses",
        model="gpt",
        cap=Cap(field="max_output_tokens", min=16, max=128_000, over="clamp"),
        reasoning=Reasoning(
            control="effort",
            levels=("none", "minimal", "low", "medium", "high", "xhigh"),
            map=(("max", "xhigh"),),
            summaries=True,
        ),
        parallel=True,
        prompt_cache="auto",
    ),
    "messages": Skin(
        path="/messages",
        model="claude",
        cap=Cap(field="max_tokens", max=64_000, over="clamp", default=32_000),
        reasoning=Reasoning(
            control="adaptive",
            levels=("low", "medium", "high", "max"),
            map=(("minimal", "low"), ("xhigh", "high")),
            summaries=True,
            echo="required",
        ),
        parallel=True,
        prompt_cache="explicit",
        betas="pass",
    ),
}
_ALL = STREAM | TOOLS | FORCED | IMAGE_INLINE | IMAGE_URL | DOCUMENT | JSON_SCHEMA | NAMESPACE
_FEATURES = {
    "chat": _ALL | CUSTOM | JSON_OBJECT | LOGPROBS | AUDIO | PREFILL,
    "responses": _ALL | CUSTOM | JSON_OBJECT | LOGPROBS,
    "messages": _ALL | CUSTOM,
}
_RECORDED = Path(__file__).parents[1] / "data" / "fixtures"


class Case(NamedTuple):
    """One kept request. `family` is the client, or the dialect of a recorded request."""

    name: str
    family: str
    path: str
    body: bytes
    headers: dict[bytes, bytes]


class Way(NamedTuple):
    """A readable request on its way to one upstream; `refused` says why it may not go there."""

    reading: Reading
    step: Step
    refused: list[str]


@cache
def cases() -> tuple[Case, ...]:
    """Every captured and every recorded request for an answer."""
    found = [
        Case(c.name, c.name.split("/")[0], c.dialect, c.body, c.headers)
        for c in captures()
        if "count_tokens." not in c.name  # answered here, by no upstream
    ]
    for dialect in SURFACES:
        for file in sorted((_RECORDED / dialect).glob("*.request.json")):
            name = f"{dialect}/{file.name.removesuffix('.request.json')}"
            found.append(Case(name, "recorded", dialect, file.read_bytes(), {}))
    return tuple(found)


def read(case: Case) -> Reading:
    """The request, understood. Raises CallerError."""
    return DIALECTS[case.path].read(case.body, case.headers, SETTINGS)


def step_to(upstream: str, reading: Reading, skin: Skin | None = None) -> Way:
    """The way to an upstream's skin, judged by the rules of the runtime."""
    skin = skin or SKINS[upstream]
    reasoning = skin.reasoning
    route = Route(
        target="t",
        skin=upstream,
        bridge=f"{reading.dialect}_to_{upstream}",
        features=_FEATURES[upstream],
        levels=_bits(reasoning.levels) | LEVELS["none"] if reasoning else LEVELS["none"],
        mapped=_bits(word for word, _ in reasoning.map) if reasoning else 0,
    )
    target = Target(
        provider="p",
        model=skin.model,
        tag="abcdef",
        context=1_000_000,
        price=None,
        skins={upstream: skin},
    )
    signs = BRIDGES[route.bridge].table.refuses(reading.signs)
    step = Step(
        skin=skin,
        target=target,
        features=route.features,
        asked=reading.model or "coder",
        keep_level=keeps_level(route, reading.shape.needs),
        cap=clamped_cap(skin.cap, target.context, reading.shape),
        budgets=BUDGETS,
        input_tokens=reading.shape.input_tokens,
        same_continuity=False,
    )
    refused = path_reasons(route, target, reading.shape, drop=True)
    return Way(reading, step, [*refused, *(f"bridge-refuses-{sign}" for sign in signs)])


def crossed(case: Case, upstream: str) -> Edited | list[str]:
    """What goes to the upstream, or the reasons why nothing does."""
    try:
        reading = read(case)
    except CallerError as error:
        return [f"{error.code}: {error.message}"]
    way = step_to(upstream, reading)
    if way.refused:
        return way.refused
    try:
        return passage(case.body, reading, case.path, upstream, way.step, DOMAIN).edited
    except CallerError as error:
        return [f"{error.code}: {error.message}"]


def document(case: Case) -> dict[str, Any]:
    """The caller's body."""
    found: dict[str, Any] = json.loads(case.body)
    return found


def _bits(words: Any) -> int:
    return sum(LEVELS[word] for word in words)
