"""A promise that holds when it is compiled holds for every request its client was seen to send."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from compiler.checks.answers import promise_broken
from compiler.clients import BUILT_IN
from compiler.diagnostics import Severity
from compiler.explanation import EVERY, anybody, artifact_of, cell_of, dropped, read_request
from compiler.pipeline import compile_deployment
from runtime.decision import decide, refusal
from runtime.dialects import DIALECTS as READERS
from runtime.selection import choose
from runtime.vocabulary import DIALECTS, words
from tests.compiler.build.worlds import CASES, caller, planned, small
from tests.compiler.clients.recorded import CAPTURES, FOLDERS, holds

PROMISED = {
    client: {"depth": 1, "shapes": [shape.name for shape in BUILT_IN[client].shapes]}
    for client in FOLDERS
}
# May be refused although all else is promised: it waives a need, and its failing does no harm.
HARMLESS = {"claude-code": {"stream", "json.schema", "reasoning.high"}}
LEVELS = ("low", "medium", "high", "xhigh", "max")


def sent_by(client):
    """Everything a client was recorded to send on the surface it speaks."""
    surface, folder = BUILT_IN[client].surface, FOLDERS[client]
    return [c for c in CAPTURES if c.name.startswith(f"{folder}/") and c.dialect == surface]


def kept(document):
    """The artifact of a deployment, and the clients whose promises hold in it."""
    plan = planned(document)
    found = promise_broken(plan.deployment, plan)
    broken = {f.path[-1] for f in found if f.severity is not Severity.WARNING}
    return artifact_of(plan), sorted(set(PROMISED) - broken)


def refused(artifact, client, group="g", caller="alice"):
    """The recorded requests of a client that end without a target, with the error they get."""
    surface = BUILT_IN[client].surface
    for capture in sent_by(client):
        reading = READERS[surface].read(capture.body, capture.headers, artifact.settings)
        decision = decide(
            artifact,
            surface,
            artifact.callers[caller],
            # the name in the recording is nobody's here
            replace(reading, model=group),
            token_id="t",
            request_id="r",
            state_key=None,
        )
        if not decision.order:
            yield capture.name, reading.shape, refusal(artifact, decision, reading)


WHOLE = {
    "stream": "native",
    "input": ["text", "image"],
    "image_sources": ["inline"],
    "structured": ["json_schema"],
    "output_cap": {"max": 64000, "over": "clamp"},
    "reasoning": {"control": "effort", "levels": list(LEVELS)},
    "prefill": True,
}
TOOLS = {
    "chat": ["function"],
    "responses": ["function", "custom", "namespace", "hosted:web_search"],
    "messages": ["function", "hosted:web_search"],
}


def whole(dialect, **changes):
    own = {"tools": TOOLS[dialect]}
    if dialect == "chat":
        own["output_cap"] = {**WHOLE["output_cap"], "field": "max_tokens"}
    made = {**WHOLE, **own, **changes}
    return {key: value for key, value in made.items() if value not in (None, False)}


def world(skins, *, unsupported="refuse", search="prefer", contexts=(400_000,)):
    """A deployment that promises every recorded client all it was seen to send."""
    targets = {
        f"t{n}": {"provider": "own", "model": "m", "context": context, "skins": made}
        for n, (made, context) in enumerate(zip(skins, contexts, strict=False))
        if made
    }
    return small(
        settings={"hosted_tools": {"web_search": search}},
        reasoning={"levels": {level: level for level in LEVELS},
                   "budgets": {"low": 2048, "medium": 8192, "high": 16384, "xhigh": 31999}},
        targets=targets,
        groups={"g": {"surfaces": list(DIALECTS),
                      "members": [{"target": target} for target in targets],
                      "reasoning": {"default": "medium", "unsupported": unsupported},
                      "promise": PROMISED}},
        callers={"alice": caller()},
    )  # fmt: skip


def test_a_target_that_has_everything_is_promised_to_all_and_refuses_nothing():
    artifact, clients = kept(world([{dialect: whole(dialect) for dialect in DIALECTS}]))
    assert clients == sorted(PROMISED)
    assert [name for client in clients for name, _, _ in refused(artifact, client)] == []


@pytest.mark.parametrize(
    "limits", [{"tools": 15}, {"tool_schema_bytes": "40KiB"}, {"input_tokens": 12_000}]
)
def test_an_amount_that_a_client_exceeds_breaks_its_promise(limits):
    artifact, clients = kept(world([{d: whole(d, limits=limits) for d in DIALECTS}]))
    assert "claude-code" not in clients
    assert list(refused(artifact, "claude-code"))
    assert {"aider", "opencode", "opencode-messages"} <= set(clients)
    assert [name for client in clients for name, _, _ in refused(artifact, client)] == []


@st.composite
def skins(draw, dialect):
    """A skin that has most of what agents need, and lacks some of it."""
    lacks = draw(st.sampled_from([None, "stream", "structured", "prefill", "input"]))
    changes = {lacks: None} if lacks else {}
    # Texts would need no word of their own, so every skin keeps the first tool.
    most = draw(st.sampled_from([TOOLS[dialect]] * 3 + [TOOLS[dialect][:1]]))
    changes["tools"] = most
    levels = draw(st.sampled_from([LEVELS, LEVELS, LEVELS[:3], ("high",)]))
    changes["reasoning"] = {"control": "effort", "levels": list(levels)}
    cap = draw(st.sampled_from([None, 9_000, 33_000, 50_000, 128_000]))
    over = draw(st.sampled_from(["clamp", "skip"]))
    field = {"field": "max_tokens"} if dialect == "chat" else {}
    changes["output_cap"] = {"max": cap, "over": over, **field} if cap else None
    bounds = {"tools": 15, "tool_schema_bytes": "40KiB", "input_tokens": 12_000, "images": 0}
    chosen = draw(st.sets(st.sampled_from(sorted(bounds)), max_size=1))
    changes["limits"] = {name: bounds[name] for name in chosen}
    made = whole(dialect, **changes)
    others = draw(st.sets(st.sampled_from([other for other in DIALECTS if other != dialect])))
    names = sorted(f"{other}_to_{dialect}" for other in others)
    made["bridges"] = {name: {"carry": draw(carried(made))} for name in names}
    return made


def carried(skin):
    """What a bridge to a skin may carry, mostly all of it."""
    words = ["tools", "tools.custom", "tools.namespace", "reasoning"]
    words += ["stream"] if "stream" in skin else []
    words += ["image"] if "image" in skin.get("input", ()) else []
    words += ["json.schema"] if "structured" in skin else []
    words += ["prefill"] if "prefill" in skin else []
    least = [word for word in words if word.startswith("tools")]
    return st.sampled_from([words, words, words, least, ["stream"] if "stream" in skin else []])


@st.composite
def worlds(draw):
    dialects = st.sampled_from([DIALECTS, DIALECTS, ("chat",), ("messages",), ("responses",)])
    made = [{dialect: draw(skins(dialect)) for dialect in draw(dialects)} for _ in range(4)]
    return world(
        made,
        unsupported=draw(st.sampled_from(["refuse", "drop"])),
        search=draw(st.sampled_from(["prefer", "strip", "need"])),
        contexts=draw(
            st.lists(st.sampled_from([11_000, 23_000, 200_000, 200_000]), min_size=4, max_size=4)
        ),
    )


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(worlds())
def test_no_recorded_request_of_a_client_whose_promise_holds_is_refused(document):
    artifact, clients = kept(document)
    for client in clients:
        for name, shape, error in refused(artifact, client):
            assert waived(client, shape), f"{client} was promised all, and {name} gets {error}"


def waived(client, request):
    """The title of Claude Code asks for a level that nobody promises it."""
    return set(words(request.needs)) == HARMLESS.get(client)


def is_core(client, request):
    """Whether a request is one that a plain promise is about."""
    return any(s.core and not s.waives and holds(s, request) for s in BUILT_IN[client].shapes)


@pytest.mark.parametrize("case", ["acme", "three-dialects"])
def test_the_promises_of_a_deployment_hold_for_what_its_callers_were_seen_to_send(case):
    file = CASES / case / "deployment.yaml"
    plan, report = compile_deployment(file.read_bytes(), file.name)
    assert plan is not None, report.text()
    artifact = artifact_of(plan)
    proven = [
        (who, group, promise.client)
        for who in plan.deployment.callers.values()
        for group in who.groups
        for promise in plan.deployment.groups[group].promises
        if promise.client in PROMISED and (who.clients is None or promise.client in who.clients)
    ]
    assert proven
    for who, group, client in proven:
        for name, request, error in refused(artifact, client, group, who.id):
            assert not is_core(client, request), f"{name} in {group}: {error}"


@pytest.mark.parametrize("case", ["acme", "three-dialects"])
def test_what_is_planned_for_a_recorded_request_can_be_written_for_every_candidate(case):
    file = CASES / case / "deployment.yaml"
    plan, _ = compile_deployment(file.read_bytes(), file.name)
    tables = artifact_of(plan)
    for capture in CAPTURES:
        asked = read_request(tables, capture.body, capture.dialect)
        choice = choose(cell_of(tables, "coder", capture.dialect), asked.reading.shape, reach=EVERY)
        losses = dropped(tables, asked, choice, anybody(tables))
        assert list(losses) == [candidate.target_id for candidate in choice.order]
        refusals = [loss for lost in losses.values() for loss in lost if loss.startswith("refused")]
        assert refusals == [], capture.name
