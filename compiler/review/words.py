"""How a change reads: one sentence each, names in backticks, the same in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from compiler.plan.paths import TITLES
from compiler.render.views import comment
from compiler.review.affected import Affected
from compiler.review.candidates import NO_TARGET, NOT_A_MEMBER
from compiler.review.changes import Change, Scope, Value
from compiler.review.outage import Outage
from runtime.cost import money
from runtime.eligibility import NO_SKIN, NOT_IN_PHASE, PROJECT_FORBIDS

_SHOWN: Final = 4  # of names in one sentence; JSON has them all
_LONGEST: Final = 120  # characters of a value

# Reason -> what it says of a target; those that name a feature or a limit follow below.
_REASONS: Final[Mapping[str, str]] = {
    NO_TARGET: "is no target any more",
    NOT_A_MEMBER: "is no member",
    NO_SKIN: "has no skin for this surface",
    NOT_IN_PHASE: "is not in this phase",
    PROJECT_FORBIDS: "is at a provider the project may not reach",
    "lacks-reasoning": "lacks the asked reasoning level",
    "bridge-lacks-reasoning": "is behind a bridge that carries no `reasoning`",
    "cap-below-min": "takes no output cap that small",
    "cap-above-max": "takes no output cap that large",
    "cap-not-honored": "does not honor output caps",
    "over-context": "has too small a context",
}
_BEGINNINGS: Final[tuple[tuple[str, str], ...]] = (
    ("bridge-lacks-", "is behind a bridge that carries no `{}`"),
    ("lacks-", "lacks `{}`"),
    ("only-when-", "answers only requests with `{}`"),
    ("over-", "takes fewer `{}`"),
    ("refused-", "is not asked: the deployment refuses {}"),
)

_NEW: Final[Mapping[tuple[str, ...], str]] = {
    (NO_TARGET,): "a new target",
    (NOT_A_MEMBER,): "a new member",
}

# What a request loses on the way, after "its" or as it stands.
_LOSSES: Final[Mapping[str, str]] = {
    "reasoning-dropped": "the asked reasoning level is dropped",
    "reasoning-mapped": "the asked reasoning level becomes another",
}


def sentence(change: Change) -> str:
    """What changed, without where."""
    return _SENTENCES[change.kind](change)


def where(scope: Scope) -> str:
    """The requests, the group and surface, and for whom."""
    place = f"{names(scope.groups)} ({TITLES[scope.surface]})"
    phases = f" in phase {names(scope.phases)}" if scope.phases else ""
    return f"{requests(scope)} on {place}{phases}, {people(scope)}"


def requests(scope: Scope) -> str:
    """`codex/main, bare` rather than `codex/main, codex/bare`."""
    if scope.every:
        return "every request"
    by_client: dict[str, list[str]] = {}
    for shape in scope.shapes:
        client, _, name = shape.partition("/")
        by_client.setdefault(client, []).append(name)
    told = [f"{client}/{_some(shapes, 6)}" for client, shapes in by_client.items()]
    return _some(told, 5, "; ", "clients")


def people(scope: Scope) -> str:
    """The projects, or the callers where it is not all of a project's."""
    if scope.whole:
        return _counted("project", scope.projects)
    return _counted("caller", scope.callers)


def of_caller(row: Affected) -> str:
    """What some callers lose and gain, on one line."""
    told = [
        f"{title} {_requests(words)}"
        for title, words in (
            ("nobody answers", row.cut),
            ("fewer targets for", row.fewer),
            ("more targets for", row.more),
        )
        if words
    ]
    told += [f"findings: {', '.join(row.findings)}"] if row.findings else []
    return f"{_counted('caller', row.callers)}: {'; '.join(told)}"


def _requests(words: tuple[str, ...]) -> str:
    if len(words) <= _SHOWN:
        return ", ".join(words)
    return f"{len(words)} requests ({', '.join(words[:2])}, ...)"


def down(outage: Outage) -> str:
    """What is down, as it was asked for."""
    return " and ".join(f"`{name}`" for name in outage.down)


def names(words: Iterable[Value]) -> str:
    """Names in backticks, cut where they are many."""
    return _some([_quoted(word) for word in words])


def _quoted(value: Value) -> str:
    """Any value of a YAML as a name that stays inside its backticks, on its line, and short."""
    shown = str(value).lower() if isinstance(value, bool) else str(value)  # as YAML has them
    text = comment(shown).replace("`", "'")
    return f"`{text if len(text) <= _LONGEST else text[:_LONGEST] + '...'}`"


def reason(word: str) -> str:
    """A reason of the plan as the rest of a sentence about the target."""
    if word in _REASONS:
        return _REASONS[word]
    for beginning, told in _BEGINNINGS:
        if word.startswith(beginning):
            return told.format(word.removeprefix(beginning).replace("-", " "))
    return word


def _counted(noun: str, words: Sequence[str]) -> str:
    if len(words) > _SHOWN:
        return f"{len(words)} {noun}s"
    return f"{noun}{'s' if len(words) > 1 else ''} {names(words)}"


def _some(words: Sequence[str], most: int = _SHOWN, comma: str = ", ", noun: str = "") -> str:
    shown = comma.join(words[:most])
    more = len(words) - most
    return f"{shown} and {more} more{f' {noun}' if noun else ''}" if more > 0 else shown


def _why(reasons: Iterable[str]) -> str:
    return _and(map(reason, reasons))


def _before(reasons: tuple[str, ...]) -> str:
    return _NEW.get(reasons) or f"before, it {_why(reasons)}"


def _whys(change: Change) -> str:
    """Of several targets, each with its own reasons: `target reason`."""
    found = _by_target(change.reasons)
    return "; ".join(f"`{target}` {_why(words)}" for target, words in found.items())


def _ways(change: Change) -> str:
    """What is lost on the way to new targets, those alike together: `target loss`."""
    alike: dict[str, list[str]] = {}
    for target, losses in _by_target(change.reasons).items():
        alike.setdefault(_and(map(_loss, losses)), []).append(target)
    every = [told for told, targets in alike.items() if targets == list(change.after)]
    return _but("; ".join(every or [f"{told} by {names(ts)}" for told, ts in alike.items()]))


def _by_target(words: Iterable[str]) -> dict[str, list[str]]:
    """What is said as `target word`."""
    found: dict[str, list[str]] = {}
    for told in words:
        target, _, word = told.partition(" ")
        found.setdefault(target, []).append(word)
    return found


def _and(words: Iterable[str]) -> str:
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _but(losses: str) -> str:
    return f", but {losses}" if losses else ""


def _order(order: Iterable[Value]) -> str:
    return ", ".join(map(str, order))


def _loss(word: Value) -> str:
    text = str(word)
    if text.startswith("cap-"):
        return f"the output cap is cut to {text.removeprefix('cap-')} tokens"
    return _LOSSES.get(text) or f"{_quoted(text.removesuffix('-dropped'))} is dropped"


def _losses(change: Change) -> str:
    begins = ", ".join(map(_loss, change.after))
    ends = ", ".join(map(_loss, change.before))
    if begins and ends:
        return f"on the way to `{change.about}` {begins} (before: {ends})"
    return f"on the way to `{change.about}` {begins or f'no more: {ends}'}"


def _falls(change: Change) -> str:
    """How deep a promise is, and who is left of those who kept it."""
    return f"promised {_targets(change.before[0])}, {_left(change.after)}"


def _left(targets: tuple[Value, ...]) -> str:
    if not targets:
        return "nobody is left"
    return f"{names(targets)} {'is' if len(targets) == 1 else 'are'} left"


def _targets(count: Value) -> str:
    return f"{count} target{'s' * (count != 1)}"


def _shift(change: Change) -> str:
    return f"{_told(change.before)} → {_told(change.after)}"


def _told(values: Sequence[Value]) -> str:
    return ", ".join(map(_quoted, values)) or "nothing"


def _by(change: Change) -> str:
    return f", by {names(change.groups)}" if change.groups else ""


def _at(place: Sequence[Value]) -> str:
    return ", ".join(_quoted(part) for part in place if part)


def _of(change: Change) -> str:
    """Whose prompts: whole projects, or single callers."""
    if change.projects:
        return _counted("project", change.projects)
    return _counted("caller", change.callers)


def _who(change: Change) -> str:
    """One caller by name alone, several as callers."""
    several = len(change.callers) > 1
    return _counted("caller", change.callers) if several else f"`{change.about}`"


def _is(change: Change) -> str:
    return "are" if len(change.callers) > 1 else "is"


def _name(change: Change) -> str:
    """A model name; the empty one stands for requests that name none."""
    return _quoted(change.about) if change.about else "a request that names no model"


def _for(change: Change) -> str:
    return f", for {_counted('caller', change.callers)}" if change.callers else ""


def _lists(change: Change) -> str:
    return " in the Codex catalog" if change.reasons == ("models",) else ""


def _usd(values: Sequence[Value]) -> str:
    value = values[0]
    return "an unknown amount" if value is None else money(float(value))


def _worst_usd(change: Change) -> str:
    by = f" ({change.reasons[0]})" if change.reasons else ""
    return f"{_usd(change.before)} → {_usd(change.after)}{by} per request at worst"


def _each(values: Sequence[Value]) -> str:
    return "no price" if values[0] is None else f"${values[0]:g}"


def _age(state: Value, days: Value) -> str:
    return "none" if days is None else f"{state}, {days} days"


def _promise(values: Sequence[Value]) -> str:
    if not values:
        return "nothing"
    shapes = f" (also {_told(values[1:])})" if values[1:] else ""
    return f"{_targets(values[0])}{shapes}"


def _groups_of(change: Change) -> str:
    return f" ({_counted('group', change.groups)})" if change.groups else ""


def _ability(change: Change) -> str:
    lost = [f"-`{word}`" for word in change.before]
    return f"`{change.about}`: {', '.join([*lost, *(f'+`{word}`' for word in change.after)])}"


_RENAMED = "`{0.before[0]}` is now called `{0.about}`"

_SENTENCES: Final[Mapping[str, Callable[[Change], str]]] = {
    "cut": _whys,
    "answered": lambda c: (
        f"{names(c.after)} answer{'s' * (len(c.after) == 1)} what nobody did{_ways(c)}"
    ),
    "lost": lambda c: f"`{c.about}` {_why(c.reasons)}",
    "gained": lambda c: (
        f"`{c.about}` joins ({_before(c.reasons)}){_but(_and(map(_loss, c.after)))}"
    ),
    "refused": lambda c: f"the deployment refuses `{c.about}`",
    "accepted": lambda c: f"the deployment refuses `{c.about}` no more",
    "way": lambda c: f"`{c.about}` by {_order(c.after)}, was {_order(c.before)}",
    "loss": _losses,
    "order": lambda c: f"{_order(c.after)} (was {_order(c.before)})",
    "provider-renamed": lambda c: f"provider {_RENAMED.format(c)}",
    "group-renamed": lambda c: f"group {_RENAMED.format(c)}",
    "target-renamed": lambda c: (
        f"target {_RENAMED.format(c)}"
        + ("; answers it stored under the old name cannot be continued" if c.reasons else "")
    ),
    "group-removed": lambda c: f"group `{c.about}` is gone{_for(c)}",
    "group-added": lambda c: f"new group `{c.about}` of {names(c.after)}{_for(c)}",
    "surface-closed": lambda c: f"{names(c.groups)} closes {TITLES[c.about]}{_for(c)}",
    "surface-opened": lambda c: f"{names(c.groups)} opens {TITLES[c.about]}{_for(c)}",
    "caller-locked": lambda c: f"{_who(c)} can no longer call: {_order(c.reasons)}",
    "caller-removed": lambda c: f"{_who(c)} {_is(c)} gone{_groups_of(c)}",
    "caller-unlocked": lambda c: f"{_who(c)} can now call{_groups_of(c)}",
    "caller-added": lambda c: (
        f"new {_counted('caller', c.callers)} of project {names(c.projects)}{_groups_of(c)}"
    ),
    "caller-moved": lambda c: (
        f"{_who(c)} move{'s' * (len(c.callers) == 1)} from project {_told(c.before)}"
        f" to {_told(c.after)}"
    ),
    "caller-field": lambda c: f"{c.about} of {_counted('caller', c.callers)}: {_shift(c)}",
    "access-lost": lambda c: f"{_counted('caller', c.callers)} may no longer call `{c.about}`",
    "access-gained": lambda c: f"{_counted('caller', c.callers)} may now call `{c.about}`",
    "token-removed": lambda c: f"token `{c.about}` is gone",
    "token-added": lambda c: f"new token `{c.about}`",
    "token-replaced": lambda c: f"token `{c.about}` has another secret",
    "token-status": lambda c: f"token `{c.about}` is now {_order(c.after)}",
    "token-expires": lambda c: f"token `{c.about}` expires {_told(c.after)}, was {_told(c.before)}",
    "name-lost": lambda c: f"{_name(c)} no longer leads to {_told(c.before)}{_for(c)}",
    "name-gained": lambda c: f"{_name(c)} now leads to {_told(c.after)}{_for(c)}",
    "name-moved": lambda c: (
        f"{_name(c)} now leads to {_told(c.after)}, was {_told(c.before)}{_for(c)}"
    ),
    "reach-gained": lambda c: (
        f"prompts of {_of(c)} may now reach `{c.about}` ({_at(c.after)}){_by(c)}"
    ),
    "reach-lost": lambda c: f"prompts of {_of(c)} no longer reach `{c.about}` ({_at(c.after)})",
    "reach-allowed": lambda c: (
        f"{_of(c)} may reach `{c.about}` ({_at(c.after)}), though no group leads there yet"
    ),
    "provider-moved": lambda c: (
        f"`{c.about}` moves from {_at(c.before)} to {_at(c.after)}, with prompts of {_of(c)}"
        if c.projects
        else f"`{c.about}` moves from {_at(c.before)} to {_at(c.after)}"
    ),
    "levels": lambda c: f"levels of {names(c.groups)}{_lists(c)}: {_shift(c)}{_for(c)}",
    "default-level": lambda c: (
        f"default level of {names(c.groups)}{_lists(c)}: {_shift(c)}{_for(c)}"
    ),
    "window": lambda c: f"context window of {names(c.groups)}{_lists(c)}: {_shift(c)}{_for(c)}",
    "title": lambda c: f"title of {names(c.groups)}: {_shift(c)}",
    "about": lambda c: f"description of {names(c.groups)}: {_shift(c)}",
    "catalog-input": lambda c: (
        f"Codex may send {_told(c.after)} to {names(c.groups)}, was {_told(c.before)}{_for(c)}"
    ),
    "catalog-apply-patch": lambda c: (
        f"Codex {'may' if c.after else 'may no longer'} send its patch tool "
        f"to {names(c.groups)}{_for(c)}"
    ),
    "catalog-parallel": lambda c: (
        f"Codex {'may' if c.after == (True,) else 'may no longer'} ask {names(c.groups)} "
        f"for parallel tool calls{_for(c)}"
    ),
    "catalog-prompt": lambda c: (
        f"Codex is given another base prompt for {names(c.groups)}{_for(c)}"
    ),
    "catalog-gained": lambda c: f"the Codex catalog now has {names(c.groups)}{_for(c)}",
    "catalog-lost": lambda c: f"the Codex catalog no longer has {names(c.groups)}{_for(c)}",
    "worst-attempts": lambda c: (
        f"{names(c.groups)}: {c.before[0]} → {c.after[0]} attempts at worst"
    ),
    "worst-seconds": lambda c: (
        f"{names(c.groups)}: {c.before[0]:g} s → {c.after[0]:g} s to the first byte at worst"
    ),
    "worst-usd": lambda c: f"{names(c.groups)}: {_worst_usd(c)}",
    "price": lambda c: (
        f"{c.about.replace('_', ' ')} of {names(c.reasons)}: "
        f"{_each(c.before)} → {_each(c.after)} per million"
    ),
    "promise-falls": _falls,
    "promise-falls-harmless": _falls,
    "promise-broken": lambda c: f"promised {_targets(c.after[0])}, and has {c.before[0]} as it is",
    "nobody-left": lambda c: f"only {names(c.before)} answer{'s' * (len(c.before) == 1)} it",
    "cut-off": lambda c: f"nothing that {_counted('caller', c.callers)} may send is answered",
    "field": lambda c: f"{_quoted(c.about)}: {_shift(c)}",
    "added": lambda c: f"new {_quoted(c.about)}",
    "removed": lambda c: f"{_quoted(c.about)} is gone",
    "promise": lambda c: (
        f"{names(c.groups)} promises `{c.about}` {_promise(c.after)}, was {_promise(c.before)}"
    ),
    "ability": _ability,
    "evidence": lambda c: f"evidence of `{c.about}`: {_age(*c.after)} (was {_age(*c.before)})",
}

# Every kind of change there is.
KINDS: Final = frozenset(_SENTENCES)
