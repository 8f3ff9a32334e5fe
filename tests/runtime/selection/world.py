"""A small cell built by hand."""

from __future__ import annotations

from runtime.selection import Cell
from runtime.shape import Shape
from runtime.vocabulary import STREAM, TOOLS, Cap, Group, Limits, Route, Skin, Target

REACHES = {"all": frozenset({"p", "q"}), "q": frozenset({"q"})}


def target(provider="p", context=100_000, **skin):
    return Target(
        provider=provider,
        model="m",
        tag="abcdef",
        context=context,
        price=None,
        skins={"chat": Skin(path="/chat/completions", model="m", **skin)},
    )


def route(name, features=STREAM | TOOLS, **more):
    return Route(name, "chat", None, features, **more)


def cell(targets, routes=None, **group):
    """A chat cell; by default every target has one route and all stand in order."""
    fields = {"kind": "ordered", "ranks": {name: place for place, name in enumerate(targets)}}
    policy = Group(surfaces=("chat",), **{**fields, **group})
    chosen = tuple(route(name) for name in targets) if routes is None else tuple(routes)
    out = {name: "no-skin" for name in targets if name not in {r.target for r in chosen}}
    return Cell("g", policy, "chat", chosen, targets, REACHES, out)


def asks(needs=STREAM, **numbers):
    return Shape(needs=needs, **numbers)


def clamp(most):
    return Cap("max_tokens", max=most, over="clamp")


def skip(most, **more):
    return Cap("max_tokens", max=most, over="skip", **more)


def limit(**limits):
    return Limits(**limits)
