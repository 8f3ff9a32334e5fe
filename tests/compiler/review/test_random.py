"""For random pairs of deployments, the aggregated changes say exactly what differs, no less and
no more: each is expanded again and held against every request judged alone.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from compiler.model import TokenDef
from compiler.plan import make_plan
from compiler.plan.verdicts import judge
from compiler.review.compare import compare
from compiler.review.outage import outage
from compiler.review.renames import find_renames, under_new_names
from compiler.review.view import view_of_plan
from runtime.vocabulary import LEVELS
from tests.compiler.plan.test_brute_force import bounded
from tests.compiler.plan.worlds import PROVIDERS, deployments


def seen(deployment):
    """The view, every caller with a token."""
    callers = {
        name: replace(caller, tokens=(TokenDef(f"rtr_x_{name}", "0" * 64, "active", None),))
        for name, caller in deployment.callers.items()
    }
    return view_of_plan(make_plan(replace(deployment, callers=callers)))


@st.composite
def edits(draw):
    """A world, and the same with other members, on the same surfaces, with some other targets."""
    old, other = draw(deployments()), draw(deployments())
    kept = draw(st.sets(st.sampled_from(sorted(other.targets))))
    targets = {**other.targets, **{n: old.targets[n] for n in kept if n in old.targets}}
    group = replace(other.groups["g"], surfaces=old.groups["g"].surfaces)
    return old, replace(other, targets=targets, groups={"g": group})


def requests(view, surface):
    """(caller, shape as it is named, phase, the targets in order) for all that may be sent."""
    group = view.groups["g"]
    for name, caller in view.active.items():
        default = view.defaults.get((caller.reach, "g", surface))
        for client in sorted(view.clients_of(name)):
            if view.clients[client].surface == surface:
                for shape in view.clients[client].shapes:
                    more = LEVELS[default] if shape.default_level and default else 0
                    for phase in tuple(group.phases) or (None,):
                        choice = judge(
                            view, ("g", surface), caller.reach, shape, more=more, phase=phase
                        )
                        order = [] if _refused(view, shape) else [c.target_id for c in choice.order]
                        yield (name, f"{client}/{shape.name}", phase), order


def _refused(view, shape):
    return any(
        view.settings.hosted_tools.get(word.removeprefix("hosted:")) == "refuse"
        for word in (*shape.needs, *shape.prefers)
        if word.startswith("hosted:")
    )


def expanded(changes, kinds, view):
    """Every (surface, caller, shape, phase) that some changes speak of, with what they name."""
    phases = tuple(view.groups["g"].phases) or (None,)
    for change in changes:
        if change.kind in kinds:
            for scope in change.scopes:
                for caller in scope.callers:
                    for shape in scope.shapes:
                        for phase in scope.phases or phases:
                            yield change, (scope.surface, caller, shape, phase)


@bounded(40)
@given(edits())
def test_every_target_lost_or_gained_is_told_and_nothing_else(worlds):
    old, new = map(seen, worlds)
    changes = compare(old, new)
    before = under_new_names(old, find_renames(old, new))
    lost, gained = set(), set()
    for surface in new.groups["g"].surfaces if "g" in before.groups else ():
        if surface in before.groups["g"].surfaces:
            was = dict(requests(before, surface))
            for key, order in requests(new, surface):
                if key in was:
                    lost |= {((surface, *key), t) for t in was[key] if t not in order}
                    gained |= {((surface, *key), t) for t in order if t not in was[key]}
    told_lost = {(k, c.about) for c, k in expanded(changes, {"lost"}, new)}
    told_lost |= {(k, t) for c, k in expanded(changes, {"cut"}, new) for t in c.before}
    told_gained = {(k, c.about) for c, k in expanded(changes, {"gained"}, new)}
    told_gained |= {(k, t) for c, k in expanded(changes, {"answered"}, new) for t in c.after}
    assert told_lost == lost
    assert told_gained == gained


@bounded(12)
@given(deployments())
def test_nothing_differs_from_itself(world):
    assert compare(seen(world), seen(world)) == ()


@bounded(12)
@given(deployments())
def test_an_outage_names_every_request_nobody_is_left_for(world):
    view = seen(world)
    for provider in PROVIDERS:
        told = outage(view, [f"provider:{provider}"]).changes
        found = {
            key
            for change, key in expanded(
                told, {"nobody-left", "promise-falls", "promise-falls-harmless"}, view
            )
            if change.kind == "nobody-left" or not change.after
        }
        expected = {
            (surface, *key)
            for surface in view.groups["g"].surfaces
            for key, order in requests(view, surface)
            if order and all(view.targets[target].provider == provider for target in order)
        }
        assert found == expected
