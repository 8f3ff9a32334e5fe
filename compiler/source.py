"""YAML text to plain data, and where each value stood; knows nothing of what the data mean.

The only import of yaml. What YAML loaders usually forgive is refused here, because a reviewed file
must say what it seems to say: equal keys, tags, `no` for false, `010` for 8, alias bombs.
"""

from __future__ import annotations

import math
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import yaml

from compiler.diagnostics import Finding, Location, Path, Report, rule

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_NODES: Final = 200_000
MAX_EXPANSION: Final = 10

# libyaml reads about 15 times faster; both speak the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# YAML 1.2 as JSON has it: no octal, no sexagesimal, no `yes` and `no`.
_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,400})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)?(?:\.[0-9]+|\.?)(?:[eE][-+]?[0-9]+)?")
_BREAK: Final = re.compile("[\n\x85\u2028\u2029]")  # where YAML counts a new line
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(slots=True)
class Document:
    """Plain data and the places of its keys and values."""

    file: str
    text: str
    data: Any
    keys: dict[Path, Location]
    values: dict[Path, Location]
    lines: list[str]

    def locate(self, path: Path, on: Literal["value", "key"] = "value") -> Location:
        """Where a path stands; of a step that is not there, where its nearest parent stands."""
        first = self.keys if on == "key" else self.values
        second = self.values if on == "key" else self.keys
        while path:
            place = first.get(path) or second.get(path)
            if place is not None:
                return place
            path, first, second = path[:-1], self.values, self.keys
        return self.values.get((), Location(self.file, 1, 1))

    def raw(self, path: Path) -> str:
        """A value as it was written, as far as it stands on one line."""
        at = self.values.get(path)
        if at is None or at.line > len(self.lines):
            return ""
        return self.lines[at.line - 1][at.column - 1 : at.column - 1 + at.width]


def read_file(file: pathlib.Path) -> bytes:
    """The bytes of a file, as far as they can matter: one more than the limit is too many."""
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def read_yaml(content: str | bytes, file: str, report: Report) -> Document | None:
    """The document, or None when the text cannot be read; every finding goes to the report."""
    report.file = file
    text = _decode(content, report)
    if text is None:
        return None
    report.lines = _BREAK.split(text)
    document = Document(file, text, None, {}, {}, report.lines)
    builder = _Builder(document, report)
    try:
        builder.read()
    except yaml.YAMLError as error:
        report.run(syntax, file, text, error)
        return None
    except _Stop:
        return None
    if not isinstance(document.data, dict):
        report.run(not_a_mapping, file, document.data)
        return None
    report.places = document
    return document


# --- 1xx: one function per code ----------------------------------------------------------------


@rule("IL101")
def not_utf8(file: str, good: str, reason: str) -> Finding:
    """The file is not UTF-8 text.

    Another encoding (UTF-16, Latin-1) would be read differently by editors, diffs and this
    compiler, so only UTF-8 is accepted.

    Bad:

        description: caf\\xe9 router      # saved as Latin-1

    Good:

        description: café router          # saved as UTF-8
    """
    line, column = good.count("\n") + 1, len(good) - (good.rfind("\n") + 1) + 1
    return Finding(
        (),
        f"the file is not UTF-8: {reason}",
        hint="save the file as UTF-8",
        at=Location(file, line, column),
    )


@rule("IL102")
def syntax(file: str, text: str, error: yaml.YAMLError) -> Finding:
    """The text is not YAML.

    Nothing after this place was read, so there may be more to find once it is mended. The usual
    reasons are an unclosed bracket or quote, a tab in the indentation, and a `: ` or ` #` in text
    without quotes.

    Bad:

        surfaces: [chat, messages
        about: fast: and cheap

    Good:

        surfaces: [chat, messages]
        about: "fast: and cheap"
    """
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    mark = getattr(error, "problem_mark", None)
    began = getattr(error, "context_mark", None)
    context = getattr(error, "context", "")
    since = ""
    if began is not None and mark is not None and began.line != mark.line:
        since = f" {context} that begins on line {began.line + 1}"
    at = _place_of(file, text, mark) if mark else _first_unprintable(file, text)
    hint = "look at this line and the one above for a bracket, quote or colon too many or too few"
    if _BREAK.split(text)[at.line - 1][: at.column].endswith("\t"):
        hint = "indent with spaces: YAML takes no tabs there"
    return Finding(
        (),
        f"this is not YAML: {problem}{since}",
        label="reading stopped here",
        hint=hint,
        at=at,
    )


@rule("IL103")
def duplicate_key(key: str, second: Location, first: Location) -> Finding:
    """A mapping names the same key twice.

    Most YAML readers keep the last one in silence; the reviewer saw the first.

    Bad:

        groups:
          coder: {surfaces: [chat], members: [{target: small}]}
          coder: {surfaces: [messages], members: [{target: big}]}

    Good:

        groups:
          coder: {surfaces: [chat], members: [{target: small}]}
          coder-big: {surfaces: [messages], members: [{target: big}]}
    """
    return Finding(
        (),
        f"`{key}` stands twice in this mapping: line {first.line}, column {first.column}"
        f" and line {second.line}, column {second.column}",
        label=f"first on line {first.line}",
        hint="keep one of the two, or rename one",
        at=second,
    )


@rule("IL104")
def key_not_text(key: object, at: Location) -> Finding:
    """A key is not text.

    A key that YAML reads as a number, a boolean, nothing or a collection could not be named
    elsewhere.

    Bad:

        groups:
          1: {surfaces: [chat], members: [{target: small}]}

    Good:

        groups:
          "1": {surfaces: [chat], members: [{target: small}]}
    """
    return Finding(
        (),
        f"a key must be text, not {kind_of(key)}",
        hint="put the key in quotes",
        at=at,
    )


@rule("IL105")
def tag(name: str, at: Location) -> Finding:
    """A value carries a YAML tag.

    Tags change what a value is, or run code in careless readers. The compiler knows the kind of
    every field, so a tag has nothing to say.

    Bad:

        model: !!str 5.6

    Good:

        model: "5.6"
    """
    return Finding(
        (),
        f"tags such as `{name}` are not read",
        hint="remove the tag; put text in quotes",
        at=at,
    )


@rule("IL106")
def too_deep(at: Location) -> Finding:
    """The nesting is deeper than 64 levels.

    No deployment needs it; it is a slip or an attack on the reader.

    Bad:

        patch: {a: {b: {c: {d: …}}}}       # 65 levels

    Good:

        patch: {a: {b: 1}}
    """
    return Finding(
        (),
        f"nested deeper than {MAX_DEPTH} levels",
        label="reading stopped here",
        hint="flatten this part",
        at=at,
    )


@rule("IL107")
def too_many_nodes(at: Location) -> Finding:
    """The file holds more than 200,000 values.

    The limit keeps a build within seconds. Split the deployment: one file, one artifact.

    Bad:

        evidence: {a: …, b: …}             # 200,001 values in all

    Good:

        evidence: {a: …, b: …}             # spread over two deployments
    """
    return Finding(
        (),
        f"more than {MAX_NODES} values",
        label="reading stopped here",
        hint="split this deployment in two",
        at=at,
    )


@rule("IL108")
def alias_growth(at: Location, times: int) -> Finding:
    """Aliases make the file grow more than tenfold.

    A few lines of aliases of aliases can stand for billions of values.

    Bad:

        a: &a [x, x, x, x]
        b: &b [*a, *a, *a, *a]
        c: &c [*b, *b, *b, *b]
        d: [*c, *c, *c, *c]

    Good:

        profiles:
          agent: {stream: native, tools: [function]}
        # and `use: agent` where it is needed
    """
    size = f"about {times} times" if times < 1_000_000 else "more than a million times"
    return Finding(
        (),
        f"aliases make this file {size} as large; {MAX_EXPANSION} times is the limit",
        hint="say it once in a profile and `use` it",
        at=at,
    )


@rule("IL109")
def alias_unknown(name: str, at: Location, inside: bool) -> Finding:
    """An alias names no anchor that stands before it, or stands inside its own anchor.

    Nothing after this place was read, for it cannot be known what was meant.

    Bad:

        tools: *agent-tools

    Good:

        tools: &agent-tools [function, parallel]
    """
    reason = "stands inside the value it stands for" if inside else "names no anchor above it"
    return Finding(
        (),
        f"`*{name}` {reason}",
        hint=f"write the value out, or anchor it above with `&{name}`",
        at=at,
    )


@rule("IL110")
def too_large(file: str) -> Finding:
    """The file is larger than 4 MiB.

    The limit keeps a build within seconds, and a file within what a person can review.

    Bad:

        description: "…"                   # 5 MiB of text

    Good:

        description: Coding agents at Acme
    """
    return Finding(
        (),
        f"the file is larger than {MAX_BYTES:,} bytes",
        hint="split this deployment in two",
        at=Location(file, 1, 1),
    )


@rule("IL111")
def second_document(at: Location) -> Finding:
    """The file holds more than one YAML document.

    One file is one deployment and one artifact; a second document would be ignored.

    Bad:

        name: one
        ---
        name: two

    Good:

        name: one
    """
    return Finding(
        (),
        "a second YAML document begins here",
        hint="move it to a file of its own",
        at=at,
    )


@rule("IL112")
def not_a_mapping(file: str, data: object) -> Finding:
    """The file does not hold a deployment: it is empty, a list or a single value.

    A deployment is a mapping of sections such as `providers`, `targets` and `groups`.

    Bad:

        - interlock: 1

    Good:

        interlock: 1
        name: acme
    """
    found = "the file is empty" if data is None else f"the file holds {kind_of(data)}"
    return Finding(
        (),
        f"{found}; a deployment is a mapping of sections",
        hint="`interlock init` writes a deployment to start from",
        at=Location(file, 1, 1),
    )


_KINDS: Final[dict[type, str]] = {
    type(None): "nothing",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}


def kind_of(value: object) -> str:
    """What a person calls this kind of value."""
    return _KINDS.get(type(value), "something else")


# --- reading -----------------------------------------------------------------------------------


class _Stop(Exception):
    """Reading cannot go on; the reason is in the report."""


class _Key:
    """Marks of a mapping's key slot: none read yet, or one that must not be used."""


_NONE: Final = _Key()
_BAD: Final = _Key()


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    value: dict[str, Any] | list[Any]
    path: Path | None  # None: in a part that was refused, its places are not kept
    anchor: str | None
    at: Location
    key: str | _Key = _NONE
    seen: dict[str, Location] = field(default_factory=dict)
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    size: int
    height: int


class _Builder:
    """Events to data, without recursion, so that depth is a number and not a crash."""

    def __init__(self, document: Document, report: Report) -> None:
        self.document = document
        self.report = report
        self.open: list[_Open] = []
        self.anchors: dict[str, _Anchored] = {}
        self.nodes = 0
        self.documents = 0
        self.size = 0

    def read(self) -> None:
        for event in self._events():
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._start(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    self._end()
                case yaml.DocumentStartEvent():
                    self._document(event)
        if self.size > MAX_EXPANSION * self.nodes:
            self.report.run(alias_growth, self.document.locate(()), self.size // self.nodes)
            raise _Stop

    def _events(self) -> Iterator[Any]:
        return iter(yaml.parse(self.document.text, Loader=_LOADER))

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.report.run(second_document, self._at(event))
            raise _Stop

    def _scalar(self, event: Any) -> None:
        at = self._at(event)
        self._count(event, at)
        # A tagged value is refused; taking it for text spares a second finding.
        value = event.value if event.style or event.tag else plain(event.value)
        if event.anchor:
            self.anchors[event.anchor] = _Anchored(value, 1, 0)
        self._put(value, at, 1, 0)

    def _alias(self, event: Any) -> None:
        at = self._at(event)
        self._count(event, at)
        known = self.anchors.get(event.anchor)
        if known is None:
            inside = any(o.anchor == event.anchor for o in self.open)
            self.report.run(alias_unknown, event.anchor, at, inside)
            raise _Stop
        if len(self.open) + known.height > MAX_DEPTH:
            self.report.run(too_deep, at)
            raise _Stop
        self._put(known.value, at, known.size, known.height)

    def _start(self, event: Any) -> None:
        at = self._at(event)
        self._count(event, at)
        if len(self.open) >= MAX_DEPTH:
            self.report.run(too_deep, at)
            raise _Stop
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.open.append(_Open(value, self._next_path(), event.anchor, at))

    def _end(self) -> None:
        closed = self.open.pop()
        if closed.anchor:
            self.anchors[closed.anchor] = _Anchored(closed.value, closed.size, closed.height)
        self._put(closed.value, closed.at, closed.size, closed.height)

    def _put(self, value: Any, at: Location, size: int, height: int) -> None:
        """A finished value goes where the innermost open collection waits for one."""
        if not self.open:
            self.document.data, self.document.values[()], self.size = value, at, size
            return
        into = self.open[-1]
        into.size = min(into.size + size, 10**9)
        into.height = max(into.height, height + 1)
        if isinstance(into.value, dict) and into.key is _NONE:
            into.key = self._key(into, value, at)
            return
        path = self._next_path()
        if path is not None:
            # A collection is shown at its key, a value in a line of its own at itself.
            inner = isinstance(value, dict | list) and path in self.document.keys
            self.document.values[path] = self.document.keys[path] if inner else at
        if isinstance(into.value, list):
            into.value.append(value)
            return
        if isinstance(into.key, str):
            into.value[into.key] = value
        into.key = _NONE

    def _key(self, into: _Open, key: Any, at: Location) -> str | _Key:
        if not isinstance(key, str):
            self.report.run(key_not_text, key, at)
            return _BAD
        if key in into.seen:
            self.report.run(duplicate_key, key, at, into.seen[key])
            return _BAD
        into.seen[key] = at
        if into.path is not None:
            self.document.keys[(*into.path, key)] = at
        return key

    def _next_path(self) -> Path | None:
        """The path of the value that comes next; None inside what was refused."""
        if not self.open:
            return ()
        into = self.open[-1]
        if into.path is None or (isinstance(into.value, dict) and not isinstance(into.key, str)):
            return None
        step = into.key if isinstance(into.key, str) else len(into.value)
        return (*into.path, step)

    def _count(self, event: Any, at: Location) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.report.run(too_many_nodes, at)
            raise _Stop
        if getattr(event, "tag", None):
            name = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.report.run(tag, name, at)

    def _at(self, event: Any) -> Location:
        start, end = event.start_mark, event.end_mark
        line = self.document.lines[start.line] if start.line < len(self.document.lines) else ""
        scalar = isinstance(event, yaml.ScalarEvent | yaml.AliasEvent)
        if scalar and end.line == start.line:
            width = end.column - start.column
        else:
            width = len(line.rstrip()) - start.column
        return Location(self.document.file, start.line + 1, start.column + 1, max(1, width))


def plain(text: str) -> str | int | float | bool | None:
    """What text without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-.0123456789":
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and any(c.isdigit() for c in text.lower().split("e")[0]):
        number = float(text)
        return number if math.isfinite(number) else text
    return text


def _decode(content: str | bytes, report: Report) -> str | None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if len(raw) > MAX_BYTES:
        report.run(too_large, report.file)
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8")
        report.lines = raw.decode("utf-8", "replace").split("\n")
        report.run(not_utf8, report.file, good, error.reason)
        return None
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _place_of(file: str, text: str, mark: Any) -> Location:
    """Where reading stopped; at the end of the file, the end of its last line with text."""
    lines = _BREAK.split(text)
    if mark.line < len(lines) and any(line.strip() for line in lines[mark.line :]):
        return Location(file, mark.line + 1, mark.column + 1)
    last = max((i for i, line in enumerate(lines) if line.strip()), default=0)
    return Location(file, last + 1, max(1, len(lines[last].rstrip())))


def _first_unprintable(file: str, text: str) -> Location:
    """The reader of YAML names no line for a character it refuses."""
    found = re.search("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    before = text[: found.start()] if found else ""
    return Location(file, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
