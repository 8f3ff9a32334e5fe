"""What two locks differ in, in the words of `interlock diff`; reads nothing but their lines."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from compiler.review.answers import Sent, Step
from compiler.review.candidates import differences
from compiler.review.changes import Change
from compiler.review.facts import Audience, Facts
from compiler.review.text import changes_text
from compiler.review.view import Place

_REQUEST: Final = re.compile(
    r"(\S+) (\S+) (\S+) ([^\s/]+)/([^\s@]+)(?:@(\S+))? (->|x|refused) (.+)"
)
_CANDIDATE: Final = re.compile(r"([^\s(]+)(?:\(([^)]*)\))?")
_LEVELS: Final = re.compile(r"(\S+) (\S+) (?:\S+ )?levels (.+?)(?: default (\S+))?")
_NONE: Final = {"none-advertised": ()}
_NOBODY: Final = "nobody"

_Asked = tuple[Place, str, Sent]  # (group, surface), reach, request
_Levels = tuple[tuple[str, ...], tuple[str, ...]]  # advertised, and the default


@dataclass(slots=True)
class _Answered:
    """Who answers one request of a lock, and who does not for which reasons."""

    steps: tuple[Step, ...] = ()
    refused: tuple[str, ...] = ()
    out: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(step.target for step in self.steps)

    def why_not(self, target: str) -> tuple[str, ...]:
        return self.out.get(target, ())


@dataclass(slots=True)
class _Lock:
    """The lines of a lock by what they tell, and those that are no lock's."""

    answered: dict[_Asked, _Answered] = field(default_factory=dict)
    lines: dict[_Asked, list[str]] = field(default_factory=dict)
    levels: dict[Place, _Levels] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(t for a in self.answered.values() for t in (*a.targets, *a.out))


@dataclass(frozen=True, slots=True)
class _Unnamed:
    """A lock names no callers: what shows to a reach shows to all of it."""

    projects: tuple[str, ...]
    callers_of: Mapping[str, Mapping[str, tuple[str, ...]]]

    def clients_of(self, caller: str) -> frozenset[str]:
        return frozenset()


def difference(old: str, new: str) -> str:
    """What becomes of the requests of both and of what is advertised; then the lines that only one
    has and that no sentence tells, `-` or `+` before them.
    """
    before, after = _read(old), _read(new)
    told = [
        line.plain for line in changes_text((*_requests(before, after), *_levels(before, after)))
    ]
    lines = difflib.unified_diff(_others(before, after), _others(after, before), n=0, lineterm="")
    rows = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    return "\n".join([*told, *([""] if told and rows else []), *rows]).strip("\n")


def _read(text: str) -> _Lock:
    lock = _Lock()
    for line in text.splitlines():
        if found := _REQUEST.fullmatch(line):
            group, surface, reach, client, shape, phase, what, words = found.groups()
            asked = ((group, surface), reach, Sent(client, shape, phase))
            lock.lines.setdefault(asked, []).append(line)
            _take(lock.answered.setdefault(asked, _Answered()), what, words)
        elif found := _LEVELS.fullmatch(line):
            group, surface, levels, default = found.groups()
            advertised = _NONE.get(levels, tuple(levels.split()))
            lock.levels[group, surface] = (advertised, (default,) if default else ())
        else:
            lock.rest.append(line)
    return lock


def _take(answered: _Answered, what: str, words: str) -> None:
    """One line about a request: `-> candidates`, `x targets reasons` or `refused tools`."""
    if what == "refused":
        answered.refused = tuple(words.split())
    elif what == "x":
        targets, *reasons = words.split()
        answered.out |= dict.fromkeys(targets.split(","), tuple(reasons))
    elif words != _NOBODY:
        answered.steps = tuple(_step(*found) for found in _CANDIDATE.findall(words))


def _step(target: str, losses: str) -> Step:
    """A candidate as far as a lock tells it: neither its skin nor its share."""
    return Step(target, "", None, tuple(filter(None, losses.split(","))), None, False)


def _requests(old: _Lock, new: _Lock) -> list[Change]:
    facts, known = Facts(), old.targets | new.targets
    for asked, after in new.answered.items():
        place, reach, sent = asked
        audience = Audience(reach, reach, frozenset({sent.client}))
        facts.consider(place, sent, audience, ())
        before = old.answered.get(asked)
        for key in differences(before, after, known, known) if before else ():
            facts.add(key, place, sent, audience)
    reaches = tuple(dict.fromkeys(reach for _, reach, _ in new.answered))
    groups = {group: dict.fromkeys(reaches, ()) for (group, _), _, _ in new.answered}
    return facts.changes(_Unnamed(reaches, groups))


def _levels(old: _Lock, new: _Lock) -> Iterator[Change]:
    """What is advertised, surfaces alike told once."""
    found: dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], None] = {}
    for (group, surface), after in new.levels.items():
        before = old.levels.get((group, surface), after)
        for kind, was, now in zip(("levels", "default-level"), before, after, strict=True):
            if was != now:
                found.setdefault((kind, group, was, now))
    for kind, group, was, now in found:
        yield Change(kind, group, was, now, groups=(group,))


def _others(lock: _Lock, other: _Lock) -> list[str]:
    """Lines about requests that only this lock has, and lines about none."""
    alone = (lines for asked, lines in lock.lines.items() if asked not in other.lines)
    return [*(line for lines in alone for line in lines), *lock.rest]
