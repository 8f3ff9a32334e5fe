"""What the compiler has to say, and where in the YAML; knows no rule of its own.

A check yields findings with a path such as ("groups", "coder", "members", 0); only the report
turns paths into places. `@rule` ties a code to the one function that finds it, and that function's
docstring is the page of the code under docs/diagnostics/.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, ParamSpec, Protocol, TypeVar

from compiler.keylike import redact

Path = tuple[str | int, ...]
P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., object])


class Severity(StrEnum):
    ERROR = "error"  # stops the build
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the YAML, counted from 1; `width` characters are underlined."""

    file: str
    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check yields. `on` says whether the key or the value of the path is meant.

    `notes` are further facts, a line each; `severity` departs from the rule's own; `at` stands in
    for a path where there is none yet; `secret` is text that no diagnostic may show.
    """

    path: Path
    message: str
    label: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()
    on: Literal["value", "key"] = "value"
    severity: Severity | None = None
    at: Location | None = None
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding with its place. `code` is stable for ever and never reused."""

    code: str
    severity: Severity
    at: Location
    message: str
    label: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A code, the name of the function that finds it, and its page."""

    code: str
    name: str
    severity: Severity
    page: str


class Places(Protocol):
    """Turns a path into a place: of a missing step, the nearest parent that stands there."""

    def locate(self, path: Path, on: Literal["value", "key"]) -> Location: ...


LONGEST = 400  # characters of a message; a name in it may be a whole page
RULES: dict[str, Rule] = {}
_RULE_OF: dict[Callable[..., object], Rule] = {}


def rule(code: str, severity: Severity = Severity.ERROR) -> Callable[[F], F]:
    """Marks the one function that finds `code`."""

    def mark(function: F) -> F:
        if code in RULES:
            raise ValueError(f"{code} is already taken by {RULES[code].name}")
        name = function.__name__.strip("_").replace("_", "-")
        RULES[code] = Rule(code, name, severity, inspect.getdoc(function) or "")
        _RULE_OF[function] = RULES[code]
        return function

    return mark


class Report:
    """All findings of a compilation, sorted by place."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self.lines: list[str] = []  # the YAML text, for quoting
        self.places: Places | None = None
        self._found: dict[Diagnostic, None] = {}  # a set that keeps its order
        self._secrets: list[str] = []

    def run(
        self,
        check: Callable[P, Iterable[Finding] | Finding],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> None:
        """Runs one check and takes in what it finds."""
        found = check(*args, **kwargs)
        for finding in [found] if isinstance(found, Finding) else found:
            self.add(_RULE_OF[check], finding)

    def add(self, found_by: Rule, finding: Finding) -> None:
        """Takes in one finding; a finding made twice is kept once."""
        diagnostic = Diagnostic(
            found_by.code,
            finding.severity or found_by.severity,
            finding.at or self._locate(finding),
            finding.message,
            finding.label,
            finding.hint,
            finding.notes,
        )
        self._found.setdefault(diagnostic)
        if finding.secret:
            self._secrets.append(finding.secret)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """In the order of the file, with nothing in them that looks like a credential."""
        found = sorted(self._found, key=lambda d: (d.at.line, d.at.column, d.code, d.message))
        return [
            replace(
                d,
                message=self._told(d.message),
                label=self._told(d.label),
                hint=self._told(d.hint),
                notes=tuple(map(self._told, d.notes)),
            )
            for d in found
        ]

    @property
    def clean(self) -> bool:
        """No error so far; warnings do not count."""
        return not any(d.severity is Severity.ERROR for d in self._found)

    def count(self, severity: Severity) -> int:
        """How many findings are of this severity."""
        return sum(d.severity is severity for d in self._found)

    def text(self) -> str:
        """Every diagnostic as a person reads it, with the line it is about."""
        found = self.diagnostics
        quoted = {d.at.line for d in found if 0 < d.at.line <= len(self.lines)}
        # once per line, for a deployment may stand on a single one of a megabyte
        safe = {line: self._safe(self.lines[line - 1]) for line in quoted}
        return "\n\n".join(self._draw(d, safe.get(d.at.line)) for d in found)

    def summary(self) -> str:
        """One line: `2 errors, 1 warning`."""
        counts = ((self.count(s), s.value) for s in Severity)
        told = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n]
        return ", ".join(told) or "no findings"

    def _locate(self, finding: Finding) -> Location:
        if self.places is None:
            return Location(self.file, 1, 1)
        return self.places.locate(finding.path, finding.on)

    def _safe(self, text: str) -> str:
        """Without credentials."""
        for secret in self._secrets:
            text = text.replace(secret, "*" * len(secret))
        return redact(text)

    def _told(self, text: str) -> str:
        """Safe, on one line of bearable length, with nothing a terminal would act upon."""
        shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in self._safe(text))
        return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"

    def _draw(self, diagnostic: Diagnostic, source: str | None) -> str:
        """One diagnostic around the line it is about, where there is one."""
        at = diagnostic.at
        gutter = " " * len(str(at.line))
        rows = [
            f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}",
            f"{gutter}--> {at.file}:{at.line}:{at.column}",
        ]
        if source is not None:
            line, marker = _excerpt(source, at.column, at.width)
            underlined = f"{marker} {diagnostic.label}".rstrip()
            rows += [f"{gutter} |", f"{at.line} | {line}", f"{gutter} | {underlined}"]
        rows += [f"{gutter} = note: {note}" for note in diagnostic.notes]
        if diagnostic.hint:
            rows.append(f"{gutter} = hint: {diagnostic.hint}")
        return "\n".join(row.rstrip() for row in rows)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word as a phrase, or what there is to choose from; empty if nothing is."""
    words = list(known)
    near = difflib.get_close_matches(word.lower(), [w.lower() for w in words], n=1, cutoff=0.6)
    if near:
        return f"did you mean `{next(w for w in words if w.lower() == near[0])}`?"
    if not words:
        return ""
    shown = ", ".join(f"`{w}`" for w in words[:10])
    return f"known: {shown}{' …' if len(words) > 10 else ''}"


def _excerpt(line: str, column: int, width: int, limit: int = 120) -> tuple[str, str]:
    """A readable part of a source line and the marker below it."""
    start = column - 1
    left = 0 if start < limit * 2 // 3 else start - limit // 3
    part = "".join(c if c.isprintable() else " " for c in line[left : left + limit])
    marked = max(1, min(width, len(part) - (start - left)))
    before = "…" if left else ""
    after = "…" if left + limit < len(line) else ""
    return before + part + after, " " * (len(before) + start - left) + "^" * marked
