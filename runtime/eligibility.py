"""The rule of who may answer what, for one path and one shape, with every reason why not.

Pure, and written once: the compiler proves with it, the runtime chooses by it. It knows nothing of
policies, sessions or other candidates, and no bridge: what a route carries is already in its flags.
"""

from __future__ import annotations

from typing import Final

from runtime.shape import Shape
from runtime.vocabulary import (
    ALL_LEVELS,
    IMAGE_INLINE,
    IMAGE_URL,
    Cap,
    Limits,
    Route,
    Skin,
    Target,
    words,
)

# Reasons that hold before any feature or number is looked at: the target offers no path here.
SURFACE_CLOSED: Final = "surface-closed"
NO_SKIN: Final = "no-skin"
NOT_IN_PHASE: Final = "not-in-phase"
PROJECT_FORBIDS: Final = "project-forbids-provider"

# Amount of a shape -> the limit it must fit, and the reason when it does not.
LIMITS: Final[tuple[tuple[str, str], ...]] = (
    ("body_bytes", "over-body-bytes"),
    ("input_tokens", "over-input-tokens"),
    ("tool_schema_bytes", "over-tool-schema-bytes"),
    ("tools", "over-tools"),
    ("images", "over-images"),
)

_IMAGES = IMAGE_INLINE | IMAGE_URL
_NO_LIMITS: Final = Limits()


def has(route: Route) -> int:
    """Every feature and level the route meets, natively or by the skin's map."""
    return route.features | route.levels | route.mapped


def keeps_level(route: Route, needs: int) -> bool:
    """Whether an asked reasoning level survives on this route."""
    return not needs & ALL_LEVELS & ~(route.levels | route.mapped)


def path_reasons(route: Route, target: Target, shape: Shape, *, drop: bool) -> list[str]:
    """All reasons that keep one path from one shape, in the order they are judged.

    With `drop` an asked level is never a reason: the route is used without it.
    """
    needs = shape.needs & ~ALL_LEVELS if drop else shape.needs
    skin = target.skins[route.skin]
    unmet = route.only_when & ~shape.needs
    return [
        *_feature_reasons(route, needs),
        *_cap_reasons(skin.cap, shape.cap),
        *_context_reasons(target.context, shape),
        *_limit_reasons(skin.limits, shape),
        *(f"only-when-{word}" for word in (words(unmet) if unmet else ())),
    ]


def numbers_fit(skin: Skin, context: int | None, shape: Shape) -> bool:
    """Whether cap, context and limits hold."""
    return not (
        _cap_reasons(skin.cap, shape.cap)
        or _context_reasons(context, shape)
        or _limit_reasons(skin.limits, shape)
    )


def clamped_cap(cap: Cap | None, context: int | None, shape: Shape) -> int | None:
    """The output cap to send where it differs from the asked one, else None.

    A clamping skin takes what its maximum and the rest of the context leave, never less than
    its minimum.
    """
    asked = shape.cap
    if asked is None or cap is None or cap.over != "clamp":
        return None
    room = asked
    if cap.max is not None:
        room = min(room, cap.max)
    if context is not None:
        room = min(room, context - shape.input_tokens)
    room = max(room, cap.min or 1)
    return room if room < asked else None


def _feature_reasons(route: Route, needs: int) -> list[str]:
    lacking = needs & ~has(route)
    missing = words(lacking) if lacking else []
    if route.bridge is None:
        return [f"lacks-{word}" for word in missing]
    return [_bridged_reason(route, word) for word in missing]


def _bridged_reason(route: Route, word: str) -> str:
    """A bridge carries images and levels as one word each: what is then missing, the skin lacks."""
    carried = (word.startswith("image.") and route.features & _IMAGES) or (
        word.startswith("reasoning.") and route.levels | route.mapped
    )
    return f"lacks-{word}" if carried else f"bridge-lacks-{word}"


def _cap_reasons(cap: Cap | None, asked: int | None) -> list[str]:
    if cap is None or asked is None:
        return []
    reasons = []
    if cap.min is not None and asked < cap.min:
        reasons.append("cap-below-min")
    if cap.over == "skip" and cap.max is not None and asked > cap.max:
        reasons.append("cap-above-max")
    if not cap.honored:
        reasons.append("cap-not-honored")
    return reasons


def _context_reasons(context: int | None, shape: Shape) -> list[str]:
    return ["over-context"] if context is not None and shape.input_tokens > context else []


def _limit_reasons(limits: Limits, shape: Shape) -> list[str]:
    reasons: list[str] = []
    if limits == _NO_LIMITS:
        return reasons
    for field, reason in LIMITS:
        limit: int | None = getattr(limits, field)
        if limit is not None and getattr(shape, field) > limit:
            reasons.append(reason)
    return reasons
