"""Random deployments for properties that must hold of all of them."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.model import (
    Bridge,
    CallerDef,
    Deployment,
    GroupDef,
    Member,
    PhaseRules,
    PriceEntry,
    Project,
    Promise,
    SkinDef,
    TargetDef,
)
from runtime.vocabulary import Cap, Limits, PhaseRule, Price, Provider, Reasoning, Settings
from tests.compiler.plan.brute import LEVELS, WORDS, Request

DIALECTS = ("chat", "responses", "messages")
PROVIDERS = ("p1", "p2", "p3")
PHASES = ("plan", "edit")
_NUMBERS = st.none() | st.integers(1, 40)


def subset(words, least=0):
    """Some of the words, in their order."""
    if not words:
        return st.just(())
    chosen = st.sets(st.sampled_from(words), min_size=least)
    return chosen.map(lambda found: tuple(word for word in words if word in found))


caps = st.none() | st.builds(
    Cap,
    field=st.just("max_tokens"),
    min=st.none() | st.integers(1, 10),
    max=st.none() | st.integers(10, 40),
    over=st.sampled_from(["clamp", "skip"]),
    honored=st.sampled_from([True, True, True, False]),
)
limits = st.builds(
    Limits,
    body_bytes=_NUMBERS,
    input_tokens=_NUMBERS,
    tool_schema_bytes=_NUMBERS,
    tools=_NUMBERS,
    images=_NUMBERS,
)
reasonings = st.none() | st.builds(
    Reasoning,
    control=st.sampled_from(["effort", "budget", "adaptive", "toggle"]),
    levels=subset(LEVELS, least=1),
    map=st.dictionaries(st.sampled_from(LEVELS), st.just("low"), max_size=2).map(
        lambda found: tuple(found.items())
    ),
)
_TOOLS = ("function", "parallel", "forced", "custom", "namespace", "hosted:web_search")


rarely_a_condition = st.sampled_from(
    [(), (), (), (), (), (), ("stream",), ("image.inline",), ("reasoning.low",)]
)


@st.composite
def skins(draw, dialect):
    inputs = draw(subset(("text", "image", "document", "audio")))
    skin = SkinDef(
        dialect=dialect,
        path="/x",
        model="m",
        stream=draw(st.sampled_from(["native"] * 6 + ["none", "synthesized"])),
        input=inputs,
        image_sources=draw(subset(("url", "inline"), least=1)) if "image" in inputs else (),
        tools=draw(subset(_TOOLS) | subset(_TOOLS[1:]).map(lambda more: ("function", *more))),
        structured=draw(subset(("json_object", "json_schema"))),
        extras=draw(subset(("logprobs", "multiple"))),
        reasoning=draw(reasonings),
        cap=draw(caps),
        stateful=draw(st.booleans()),
        store="pass",
        prefill=draw(st.booleans()),
        system_turns="fold",
        prompt_cache="none",
        tool_schemas="keep",
        drop=(),
        patch={},
        betas=(),
        limits=draw(st.just(Limits()) | st.just(Limits()) | limits),
        only_when=draw(rarely_a_condition),
        evidence=None,
        bridges={},
    )
    names = draw(st.permutations([other for other in DIALECTS if other != dialect]))
    bridges = {
        f"{other}_to_{dialect}": Bridge(
            f"{other}_to_{dialect}", other, dialect, draw(subset(_carriable(skin))), None
        )
        for other in names[: draw(st.sampled_from([0, 1, 2, 2]))]
    }
    return _with(skin, bridges=bridges)


def _carriable(skin):
    """Words a bridge may carry to a skin: what the skin lacks would not compile."""
    words = ["stream"] if skin.stream != "none" else []
    if "function" in skin.tools:
        words += ["tools", "tools.custom", "tools.namespace"]
    words += ["tools.forced"] if "forced" in skin.tools else []
    words += ["image"] if "image" in skin.input else []
    words += [word for word in ("document", "audio") if word in skin.input]
    words += [word.replace("_", ".", 1) for word in skin.structured]
    words += ["prefill"] if skin.prefill else []
    words += list(skin.extras)
    words += ["reasoning"] if skin.reasoning else []
    return tuple(words)


def _with(record, **changes):
    fields = {name: getattr(record, name) for name in type(record).__slots__}
    return type(record)(**{**fields, **changes})


@st.composite
def targets(draw, name):
    dialects = draw(st.permutations(DIALECTS))[: draw(st.sampled_from([2, 3, 3]))]
    return TargetDef(
        id=name,
        provider=draw(st.sampled_from(PROVIDERS)),
        model="m",
        context=draw(st.none() | st.integers(20, 45)),
        price=draw(st.sampled_from([None, "cheap", "alike", "dear"])),
        tags=(),
        skins={dialect: draw(skins(dialect)) for dialect in dialects},
    )


@st.composite
def groups(draw, names):
    kind = draw(st.sampled_from(["ordered", "weighted", "cheapest", "phases"]))
    chosen = draw(st.permutations(names))
    phases = {phase: draw(subset(tuple(chosen), least=1)) for phase in PHASES}
    if kind == "phases":
        chosen = list(dict.fromkeys(name for listed in phases.values() for name in listed))
    return GroupDef(
        id="g",
        title="",
        about="",
        purpose="production",
        surfaces=draw(subset(DIALECTS, least=1)),
        aliases=(),
        members=tuple(draw(members(name)) for name in chosen),
        kind=kind,
        attempts=3,
        attempt_timeout=90.0,
        total_timeout=300.0,
        phases=phases if kind == "phases" else {},
        phase_rules="rules" if kind == "phases" else None,
        reasoning_default=None,
        unsupported=draw(st.sampled_from(["refuse", "drop"])),
        sticky=True,
        cache=False,
        baseline=None,
        promises=(Promise("codex", 1, ()),),
        codex={},
    )


@st.composite
def members(draw, name):
    return Member(
        target=name,
        weight=draw(st.integers(1, 9)),
        last_resort=draw(st.booleans()),
        only_when=draw(rarely_a_condition),
        skins=draw(st.none() | st.none() | subset(DIALECTS, least=1)),
    )


def sized(deployment):
    """The same world, where every target has a window, every skin a largest body, and nobody sets
    conditions.
    """

    def bounded(skin):
        most = skin.limits.body_bytes or 20
        return _with(skin, only_when=(), limits=replace(skin.limits, body_bytes=most))

    targets = {
        name: _with(
            target,
            context=target.context or 30,
            skins={dialect: bounded(skin) for dialect, skin in target.skins.items()},
        )
        for name, target in deployment.targets.items()
    }
    group = deployment.groups["g"]
    group = _with(group, members=tuple(_with(member, only_when=()) for member in group.members))
    return _with(deployment, targets=targets, groups={"g": group})


@st.composite
def deployments(draw):
    names = [f"t{number}" for number in range(draw(st.sampled_from([3, 4, 5])))]
    group = draw(groups(names))
    projects = {
        "all": Project("all", PROVIDERS, None, None),
        "some": Project("some", draw(subset(PROVIDERS, least=1)), None, None),
    }
    # Input counts three times: `dear` looks cheaper by its sum, and two are worth the same.
    price = {
        "cheap": Price(1.0, 6.0, 1.0, 1.0),
        "alike": Price(2.0, 3.0, 2.0, 2.0),
        "dear": Price(3.0, 1.0, 3.0, 3.0),
    }
    return Deployment(
        file="random.yaml",
        source=b"",
        name="random",
        as_of=dt.date(2026, 11, 20),
        settings=Settings("random", levels={level: level for level in LEVELS}),
        evidence_max_age_days=None,
        evidence_required=False,
        providers={name: Provider(f"https://{name}.example/v1") for name in PROVIDERS},
        prices={name: PriceEntry(entry, None, None) for name, entry in price.items()},
        targets={name: draw(targets(name)) for name in names},
        groups={"g": group},
        phase_rules={"rules": PhaseRules((PhaseRule("plan"), PhaseRule("edit")), {})},
        limits={},
        projects=projects,
        callers={name: _caller(name) for name in projects},
        evidence={},
        clients={},
    )


def _caller(project):
    return CallerDef(
        id=project,
        user=project,
        project=project,
        env="dev",
        groups=("g",),
        limits=None,
        clients=None,
        roles=(),
        status="active",
        expires=None,
        tokens=(),
    )


@st.composite
def requests(draw, large=False):
    """Half of them small and plain, so that many targets stay; the others ask for anything.

    Large ones ask for little, and are mostly too much for everybody.
    """
    if large:
        body = draw(st.just(0) | st.integers(30, 400))
        return Request(frozenset(), input_tokens=draw(st.sampled_from([0, 46])), body_bytes=body)
    plain = draw(st.sampled_from([True, True, False]))
    words = draw(st.sets(st.sampled_from(WORDS[:2] if plain else WORDS[:17]), max_size=3))
    level = draw(st.none() | st.sampled_from(LEVELS))
    number = st.just(0) if plain else st.just(0) | st.just(0) | st.integers(0, 45)
    return Request(
        needs=frozenset(words | ({f"reasoning.{level}"} if level else set())),
        cap=draw(st.none() | st.integers(1, 45)),
        input_tokens=draw(st.just(0) | st.integers(0, 45)),
        body_bytes=draw(number),
        tool_schema_bytes=draw(number),
        tools=draw(number),
        images=draw(number),
    )
