"""The worst one request may come to, and what is paid per token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from compiler.review.answers import answers_of, worst_usd
from compiler.review.candidates import Pair, pairs_of, unchanged
from compiler.review.changes import Change, Value
from compiler.review.view import View
from runtime.cost import image_tokens
from runtime.vocabulary import Price

_PRICES: Final = ("input", "output", "cache_read", "cache_write", "image", "image_tokens")
_FREE: Final = Price(input=0, output=0, cache_read=0, cache_write=0)


@dataclass(frozen=True, slots=True)
class Worst:
    """Over all requests of a group's callers. `usd` with the request that comes to it."""

    attempts: int
    seconds: float
    usd: float | None
    request: str | None


def cost_changes(old: View, new: View) -> Iterator[Change]:
    """Worst cases per group, groups alike told together; then prices."""
    found: dict[tuple[str, Value, Value, str | None], list[str]] = {}
    for group in new.groups:
        if group in old.groups:
            for kind, before, after, request in _of_group(old, new, group):
                found.setdefault((kind, before, after, request), []).append(group)
    for (kind, before, after, request), groups in found.items():
        yield Change(
            kind,
            groups[0],
            (before,),
            (after,),
            reasons=(request,) if request else (),
            groups=tuple(groups),
            callers=callers_of(new, groups),
            finding=_finding(kind, before, after),
        )
    yield from _prices(old, new)


def callers_of(view: View, groups: Iterable[str]) -> tuple[str, ...]:
    """Everybody active who may call one of some groups."""
    found = (names for group in groups for names in view.callers_of[group].values())
    return tuple(sorted({name for names in found for name in names}))


def worst_of(view: View, group: str, reaches: dict[str, frozenset[str]]) -> Worst:
    """The worst of all requests some reaches' clients may send."""
    record = view.groups[group]
    attempts, usd, request, unknown = 0, 0.0, None, False
    for surface in record.surfaces:
        for reach, clients in reaches.items():
            for answer in answers_of(view, (group, surface), reach, clients):
                attempts = max(attempts, min(record.attempts, len(answer.targets)))
                cost = worst_usd(view, answer, record.attempts)
                unknown = unknown or cost is None
                if cost is not None and cost > usd:
                    usd, request = cost, f"{answer.sent.client}/{answer.sent.shape}"
    seconds = min(record.total_timeout, attempts * record.attempt_timeout)
    return Worst(attempts, seconds, None if unknown else usd, request)


def _of_group(old: View, new: View, group: str) -> Iterator[tuple[str, Value, Value, str | None]]:
    pairs = pairs_of(old, new, group)
    if not pairs or _same(old, new, group, pairs):
        return
    was = worst_of(old, group, _reaches(pairs, new=False))
    now = worst_of(new, group, _reaches(pairs, new=True))
    if was.attempts != now.attempts:
        yield "worst-attempts", was.attempts, now.attempts, None
    if was.seconds != now.seconds:
        yield "worst-seconds", was.seconds, now.seconds, None
    if was.usd != now.usd:
        yield "worst-usd", was.usd, now.usd, now.request


def _reaches(pairs: list[Pair], *, new: bool) -> dict[str, frozenset[str]]:
    """Reach -> the clients used from there."""
    found: dict[str, frozenset[str]] = {}
    for pair in pairs:
        reach = pair.new if new else pair.old
        clients = frozenset().union(*(audience.clients for audience in pair.audiences))
        found[reach] = found.get(reach, frozenset()) | clients
    return found


def _same(old: View, new: View, group: str, pairs: list[Pair]) -> bool:
    surfaces = new.groups[group].surfaces
    return (
        surfaces == old.groups[group].surfaces
        and all(unchanged(old, new, (group, s), pair) for s in surfaces for pair in pairs)
        and all(_price(old, target) == _price(new, target) for target in new.groups[group].ranks)
    )


def _price(view: View, target: str) -> Price | None:
    price = view.targets[target].price if target in view.targets else None
    return None if price is None else view.prices[price]


def _prices(old: View, new: View) -> Iterator[Change]:
    """Per number that differs, the targets that cost it."""
    used = {target for group in new.groups.values() for target in group.ranks}
    found: dict[tuple[str, Value, Value], list[str]] = {}
    for target in new.targets:
        if target in old.targets:
            was, now = _price(old, target), _price(new, target)
            for field in _PRICES:
                one, other = _usd(was, field, beside=now), _usd(now, field, beside=was)
                if one != other:
                    found.setdefault((field, one, other), []).append(target)
    for (field, before, after), targets in found.items():
        rises = _finding("price", before, after) if used & set(targets) else None
        groups = [name for name, group in new.groups.items() if group.ranks.keys() & set(targets)]
        yield Change(
            "price",
            field,
            (before,),
            (after,),
            reasons=tuple(targets),
            groups=tuple(groups),
            callers=callers_of(new, groups),
            finding=rises,
        )


def _usd(price: Price | None, field: str, *, beside: Price | None) -> float | None:
    """A number of a price. Image tokens that cost as `input` are told beside others alone."""
    if price is None:
        return None
    usd: float | None = getattr(price, field)
    if usd is None and beside is not None and getattr(beside, field) is not None:
        return image_tokens(price)
    return usd


def _finding(kind: str, before: Value, after: Value) -> str | None:
    """Dearer, or no longer known to be as cheap. Every attempt may be billed."""
    if kind == "worst-seconds" or before is None:
        return None
    return "price" if after is None or float(after) > float(before) else None
