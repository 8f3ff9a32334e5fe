"""Who may answer what, worked out the slow way from the deployment alone.

Written from the rules, word by word, with none of the code it is held against: no bits, no
routes, no memo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
# The order in which lacks are told.
WORDS = (
    "stream",
    "tools",
    "tools.forced",
    "tools.custom",
    "tools.namespace",
    "image.inline",
    "image.url",
    "document",
    "audio",
    "json.object",
    "json.schema",
    "stateful",
    "prefill",
    "logprobs",
    "multiple",
    "hosted:web_search",
    "hosted:mcp",
    *(f"reasoning.{level}" for level in LEVELS),
)

NOT_OFFERED = {
    "surface-closed",
    "no-skin",
    "not-in-phase",
    "project-forbids-provider",
}
SIZES = {"over-context", "over-input-tokens", "over-body-bytes"}


@dataclass(frozen=True)
class Request:
    needs: frozenset[str]
    cap: int | None = None
    input_tokens: int = 0
    body_bytes: int = 0
    tool_schema_bytes: int = 0
    tools: int = 0
    images: int = 0


@dataclass(frozen=True)
class Answerer:
    """An eligible target by its first path; `standing` is its place before stickiness."""

    target: str
    skin: str
    bridge: str | None
    keeps_level: bool
    cap: int | None
    standing: tuple[Any, ...]
    weight: int


def evaluate(deployment, group_id, surface, request, project, phase):
    """The eligible as a list, and every other target with all its reasons."""
    group = deployment.groups[group_id]
    eligible, excluded = [], {}
    for place, member in enumerate(group.members):
        target = deployment.targets[member.target]
        shared = _shared_reasons(deployment, group, target, project, phase)
        if surface not in group.surfaces:
            excluded[target.id] = ("surface-closed", *shared)
            continue
        paths = _paths(member, target, surface)
        if not paths:
            excluded[target.id] = ("no-skin", *shared)
            continue
        judged = [(path, _reasons(group, member, target, *path, request)) for path in paths]
        fitting = [path for path, reasons in judged if not reasons]
        if fitting and not shared:
            eligible.append(
                _answerer(deployment, group, member, target, fitting[0], request, place, phase)
            )
        else:
            nearest = min((reasons for _, reasons in judged), key=_distance)
            excluded[target.id] = (*nearest, *shared)
    return sorted(eligible, key=lambda answerer: answerer.standing), excluded


def read_in_order(deployment, group_id, eligible):
    """The targets as a reader of the plan sees them: among equals the heaviest first."""
    weighs = deployment.groups[group_id].kind in {"weighted", "cheapest"}
    found = sorted(eligible, key=lambda e: (e.standing, -e.weight if weighs else 0))
    return [answerer.target for answerer in found]


def overflow(deployment, group_id, surface, request, project, phase):
    """Where size alone keeps everybody out: by what it is counted, and the most that would go."""
    eligible, excluded = evaluate(deployment, group_id, surface, request, project, phase)
    offered = {
        name: set(reasons) for name, reasons in excluded.items() if not NOT_OFFERED & set(reasons)
    }
    if eligible or not offered or any(reasons - SIZES for reasons in offered.values()):
        return None
    by_tokens = any(reasons - {"over-body-bytes"} for reasons in offered.values())
    group, most = deployment.groups[group_id], []
    for member in group.members:
        if member.target not in offered:
            continue
        target = deployment.targets[member.target]
        for skin, bridge in _paths(member, target, surface):
            reasons = set(_reasons(group, member, target, skin, bridge, request))
            body = skin.limits.body_bytes
            if by_tokens and reasons <= SIZES:
                window = (target.context, skin.limits.input_tokens, body and body // 4)
                most.append(min(tokens for tokens in window if tokens is not None))
            elif reasons <= {"over-body-bytes"}:
                most.append(body)
    return ("tokens" if by_tokens else "bytes"), max(most)


def _distance(reasons):
    """A request that would be served if it were smaller is nearest."""
    return (not set(reasons) <= SIZES, len(reasons))


def _paths(member, target, surface):
    """Native first, then the bridges in the order of the skins."""
    skins = [s for d, s in target.skins.items() if member.skins is None or d in member.skins]
    native = [(skin, None) for skin in skins if skin.dialect == surface]
    bridged = [
        (skin, bridge)
        for skin in skins
        for bridge in skin.bridges.values()
        if bridge.from_dialect == surface and bridge.to_dialect == skin.dialect
    ]
    return native + bridged


def _shared_reasons(deployment, group, target, project, phase):
    reasons = []
    if group.kind == "phases":
        asked = phase or deployment.phase_rules[group.phase_rules].rules[-1].phase
        if target.id not in group.phases.get(asked, ()):
            reasons.append("not-in-phase")
    if target.provider not in deployment.projects[project].providers:
        reasons.append("project-forbids-provider")
    return reasons


def _reasons(group, member, target, skin, bridge, request):
    reasons = []
    for word in WORDS:
        if word not in request.needs:
            continue
        if word.startswith("reasoning.") and group.unsupported == "drop":
            continue
        if bridge is not None and not _carries(bridge, word):
            reasons.append(f"bridge-lacks-{word}")
        elif not _meets(skin, _lowered(word) if bridge else word):
            reasons.append(f"lacks-{word}")
    reasons += _number_reasons(target, skin, request)
    for word in WORDS:
        if word in {*skin.only_when, *member.only_when} and word not in request.needs:
            reasons.append(f"only-when-{word}")
    return reasons


def _carries(bridge, word):
    if word.startswith("hosted:") or word == "stateful":
        return False
    if word.startswith("image."):
        return "image" in bridge.carry
    if word.startswith("reasoning."):
        return "reasoning" in bridge.carry
    return word in bridge.carry


def _lowered(word):
    return "tools" if word in {"tools.custom", "tools.namespace"} else word


def _meets(skin, word):
    """`json.schema` is of the family `json`, its member `schema`; `stream` stands alone."""
    family, _, member = word.partition("." if "." in word else ":")
    return {
        "stream": skin.stream in ("native", "synthesized"),
        "tools": (member or "function") in skin.tools,
        "hosted": word in skin.tools,
        "image": "image" in skin.input and member in skin.image_sources,
        "document": "document" in skin.input,
        "audio": "audio" in skin.input,
        "json": f"json_{member}" in skin.structured,
        "stateful": skin.stateful,
        "prefill": skin.prefill,
        "logprobs": "logprobs" in skin.extras,
        "multiple": "multiple" in skin.extras,
        "reasoning": _keeps(skin, member),
    }[family]


def _keeps(skin, level):
    reasoning = skin.reasoning
    if reasoning is None:
        return level == "none"
    if level == "none" and reasoning.control != "effort":
        return True
    return level in reasoning.levels or level in dict(reasoning.map)


def _number_reasons(target, skin, request):
    reasons = []
    cap, asked = skin.cap, request.cap
    if cap is not None and asked is not None:
        if cap.min is not None and asked < cap.min:
            reasons.append("cap-below-min")
        if cap.max is not None and asked > cap.max and cap.over == "skip":
            reasons.append("cap-above-max")
        if not cap.honored:
            reasons.append("cap-not-honored")
    if target.context is not None and request.input_tokens > target.context:
        reasons.append("over-context")
    for name in ("body_bytes", "input_tokens", "tool_schema_bytes", "tools", "images"):
        limit = getattr(skin.limits, name)
        if limit is not None and getattr(request, name) > limit:
            reasons.append("over-" + name.replace("_", "-"))
    return reasons


def _answerer(deployment, group, member, target, path, request, place, phase):
    skin, bridge = path
    levels = [word for word in request.needs if word.startswith("reasoning.")]
    keeps = all((bridge is None or _carries(bridge, w)) and _meets(skin, w) for w in levels)
    return Answerer(
        target=target.id,
        skin=skin.dialect,
        bridge=bridge.name if bridge else None,
        keeps_level=keeps,
        cap=_sent_cap(target, skin, request),
        weight=member.weight,
        standing=(
            member.last_resort,
            not keeps,
            _rank(deployment, group, target, place, phase),
        ),
    )


def _sent_cap(target, skin, request):
    """The cap where it is not sent as asked."""
    cap, asked = skin.cap, request.cap
    if cap is None or asked is None or cap.over != "clamp":
        return None
    rooms = [asked]
    if cap.max is not None:
        rooms.append(cap.max)
    if target.context is not None:
        rooms.append(target.context - request.input_tokens)
    sent = max(min(rooms), cap.min or 1)
    return sent if sent < asked else None


def _rank(deployment, group, target, place, phase):
    if group.kind == "weighted":
        return 0
    if group.kind == "cheapest":
        if target.price is None:
            return float("inf")
        price = deployment.prices[target.price].price
        return 3 * price.input + price.output
    if group.kind == "phases":
        asked = phase or deployment.phase_rules[group.phase_rules].rules[-1].phase
        return group.phases[asked].index(target.id)
    return place
