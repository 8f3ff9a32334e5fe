"""What must come of each behaviour of the upstream, for a caller of each dialect.

The one page to read: behaviour, what a streaming caller gets, what an unstreamed caller gets,
when there is no other target. With a healthy second target a `Fault` that is not `final` falls
back and completes; everything else stays as it is. Over a bridge it is all the same, in the words
of the caller's dialect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from tests.faults.answers import DIALECTS
from tests.faults.behaviours import OVERFLOW


@dataclass(frozen=True)
class Fault:
    """An error answer with its own status. `final`: no other target is tried."""

    code: str | None
    status: int
    messages_status: int | None = None  # where Messages has a status of its own
    final: bool = False
    says: str | dict[str, str] = ""  # upstream's words that must reach the caller
    retry_after: int | Literal["some"] | None = None


@dataclass(frozen=True)
class Whole:
    """A complete answer."""


@dataclass(frozen=True)
class Broken:
    """A stream that begins, then the dialect's error event, then the connection is cut.

    `late`: no content was sent yet, so that a second target may still answer, and the event says
    what the failure was.
    """

    late: bool = False
    messages_status: int = 502  # the status whose type a Messages event has


Outcome = Fault | Whole | Broken

WHOLE = Whole()
BROKEN = Broken()
BROKEN_LATE = Broken(late=True)
OVERLOADED_LATE = Broken(late=True, messages_status=529)

UNREACHABLE = Fault("upstream-unreachable", 502)
INVALID = Fault("upstream-invalid-response", 502)
FAILED = Fault("upstream-invalid-response", 500)
TIMEOUT = Fault("upstream-timeout", 504)
TIMEOUT_AFTER_HEAD = replace(TIMEOUT, final=True)
AUTH = Fault("upstream-auth", 502)
OVERLOADED = Fault("upstream-overloaded", 503, messages_status=529, retry_after="some")
RATE_LIMITED = Fault("upstream-rate-limited", 429, retry_after="some")
# A target that fails so is passed over by the very next request.
RESTS_AT_ONCE = frozenset({AUTH.code, RATE_LIMITED.code})
OVERFLOWN = Fault(None, 400, final=True, says=OVERFLOW)
# Over a bridge an overflow is told in these words of the caller's dialect, which its clients
# compact on: those of the upstream would say nothing to them.
COMPACTED_ON = {
    "chat": r"maximum context length is 200000 tokens\. However, your messages resulted in ",
    "responses": r"Your input exceeds the context window of this model\.",
    "messages": r"prompt is too long: 2\d{5} tokens > 200000 maximum",
}


def passed(status: int, says: str = "", code: str | None = None) -> Fault:
    """The caller's fault in the upstream's eyes: status and words go through."""
    return Fault(code, status, final=True, says=says)


@dataclass(frozen=True)
class Row:
    """One behaviour. None: the behaviour makes no sense in that mode.

    `only`: the dialects of the upstream in which it makes sense.
    """

    behaviour: str
    streamed: Outcome | None
    whole: Outcome | None
    only: tuple[str, ...] = field(default=DIALECTS)


# fmt: off
ROWS = (
    # good answers, in every framing
    Row("good",                              WHOLE, WHOLE),
    Row("good-trickled",                     WHOLE, WHOLE),
    Row("good-in-one-piece",                 WHOLE, WHOLE),
    Row("good-with-crlf-lines",              WHOLE, WHOLE),
    Row("good-with-comments",                WHOLE, WHOLE),
    Row("good-delimited-by-close",           WHOLE, WHOLE),
    Row("good-without-done",                 WHOLE, None, only=("chat",)),
    Row("good-but-cut-after-the-terminator", WHOLE, None),
    Row("good-but-cut-before-done",          WHOLE, None, only=("chat",)),
    Row("good-after-interim-answers",        WHOLE, WHOLE),
    Row("stopped-by-length",                 WHOLE, None),

    # the connection
    Row("refused",                           UNREACHABLE, UNREACHABLE),
    Row("connecting-hangs",                  TIMEOUT, TIMEOUT),
    Row("reset-before-head",                 UNREACHABLE, UNREACHABLE),
    Row("closed-before-head",                INVALID, INVALID),
    Row("reset-in-head",                     UNREACHABLE, UNREACHABLE),
    Row("garbage-for-a-head",                INVALID, INVALID),
    Row("reset-before-content",              UNREACHABLE, None),
    Row("cut-between-events",                BROKEN, None),
    Row("cut-mid-event",                     BROKEN, None),
    Row("closed-mid-stream",                 BROKEN, None),
    Row("closed-mid-stream-without-framing", BROKEN, None),

    # silence
    Row("hangs-before-head",                 TIMEOUT, TIMEOUT),
    Row("hangs-after-head",                  TIMEOUT, TIMEOUT_AFTER_HEAD),
    Row("hangs-before-content",              TIMEOUT, None),
    Row("hangs-mid-body",                    BROKEN, TIMEOUT_AFTER_HEAD),
    Row("comments-for-ever",                 TIMEOUT, None),
    Row("content-for-ever",                  BROKEN, None),
    Row("silent-then-good",                  WHOLE, WHOLE),
    Row("silent-after-head-then-good",       WHOLE, None),
    Row("silent-mid-stream-then-good",       WHOLE, None),
    Row("silent-then-reset",                 BROKEN_LATE, UNREACHABLE),
    Row("silent-then-503",                   OVERLOADED_LATE, OVERLOADED),
    Row("silent-then-cut-mid-stream",        BROKEN, None),

    # statuses: the caller's fault
    Row("status-400",                        passed(400, "bad field"), passed(400, "bad field")),
    Row("status-404",                        passed(404, "no such"), passed(404, "no such")),
    Row("status-413",                        passed(413, "too large"), passed(413, "too large")),
    Row("status-422",                        passed(422, "unproc"), passed(422, "unproc")),
    Row("status-400-html",                   passed(400), passed(400)),
    Row("status-400-overflow",               OVERFLOWN, OVERFLOWN),
    Row("status-400-quoting-the-key",        passed(400), passed(400)),
    Row("status-400-quoting-the-model",      passed(400, "no such"), passed(400, "no such")),

    # statuses: the router's own configuration
    Row("status-404-html",                   INVALID, INVALID),
    Row("status-404-model",                  INVALID, INVALID),
    Row("status-401",                        AUTH, AUTH),
    Row("status-402",                        AUTH, AUTH),
    Row("status-403",                        AUTH, AUTH),
    Row("status-401-html",                   AUTH, AUTH),
    Row("status-403-html",                   AUTH, AUTH),

    # statuses: the upstream's fault
    Row("status-429",                        replace(RATE_LIMITED, retry_after=7),
                                             replace(RATE_LIMITED, retry_after=7)),
    Row("status-429-bare",                   RATE_LIMITED, RATE_LIMITED),
    Row("status-429-long",                   replace(RATE_LIMITED, retry_after=60),
                                             replace(RATE_LIMITED, retry_after=60)),
    Row("status-500",                        FAILED, FAILED),
    Row("status-502",                        UNREACHABLE, UNREACHABLE),
    Row("status-503",                        OVERLOADED, OVERLOADED),
    Row("status-503-waits",                  replace(OVERLOADED, retry_after=11),
                                             replace(OVERLOADED, retry_after=11)),
    Row("status-504",                        TIMEOUT, TIMEOUT),
    Row("status-529",                        OVERLOADED, OVERLOADED),
    Row("status-500-html",                   FAILED, FAILED),
    Row("status-502-html",                   UNREACHABLE, UNREACHABLE),
    Row("status-503-html",                   OVERLOADED, OVERLOADED),
    Row("status-500-quoting-everything",     FAILED, FAILED),
    Row("redirect",                          INVALID, INVALID),
    Row("status-304",                        INVALID, INVALID),
    Row("switching-protocols",               INVALID, INVALID),
    Row("interim-answers-for-ever",          INVALID, INVALID),

    # 200, but not an answer
    Row("junk-json",                         INVALID, INVALID),
    Row("json-of-another-shape",             INVALID, INVALID),
    Row("error-body-with-200",               FAILED, FAILED),
    Row("wrong-content-type",                INVALID, INVALID),
    Row("empty-body",                        INVALID, INVALID),
    Row("json-for-a-stream",                 INVALID, None),
    Row("stream-for-json",                   None, INVALID),
    Row("too-large",                         None, INVALID),
    Row("slow-in-one-piece",                 None, WHOLE),
    Row("bad-gzip",                          INVALID, INVALID),
    Row("cut-gzip",                          BROKEN, INVALID),
    Row("broken-chunking",                   INVALID, INVALID),
    Row("short-content-length",              None, INVALID),
    Row("whole-cut-by-reset",                None, UNREACHABLE),
    Row("whole-cut-without-framing",         None, INVALID),
    Row("length-and-chunking",               INVALID, INVALID),
    Row("bare-line-feeds-in-head",           INVALID, INVALID),

    # streams without an answer
    Row("ends-before-content",               INVALID, None),
    Row("only-comments",                     INVALID, None),
    Row("ends-mid-event",                    BROKEN, None),
    Row("ends-without-terminator",           BROKEN, None),
    Row("ends-before-last-event",            BROKEN, None),
    Row("ends-in-a-tool-call",               BROKEN, None),
    Row("done-without-finish-reason",        BROKEN, None, only=("chat",)),

    # errors inside a 200
    Row("error-event-before-content",        FAILED, None),
    Row("overloaded-event-before-content",   OVERLOADED, None),
    Row("rate-limited-event-before-content", RATE_LIMITED, None),
    Row("overflow-event-before-content",     OVERFLOWN, None),
    Row("error-event-after-content",         BROKEN, None),
    Row("error-event-then-done",             BROKEN, None, only=("chat",)),
    Row("error-beside-a-choice",             BROKEN, None, only=("chat",)),

    # streams that cannot be read
    Row("malformed-event-before-content",    INVALID, None),
    Row("not-utf8-event-before-content",     INVALID, None),
    Row("giant-event-before-content",        INVALID, None),
    Row("malformed-event-after-content",     BROKEN, None),
    Row("not-utf8-event-after-content",      BROKEN, None),
    Row("giant-event-after-content",         BROKEN, None),
    Row("broken-chunking-mid-stream",        BROKEN, None),
)
# fmt: on

# Rows whose faulty target is also tried beside a healthy one of another dialect: each way of
# failing before the commit point, with and without the head start, and what may not fall back.
MIXED = frozenset(
    (
        "good",
        "refused",
        "status-400",
        "status-503",
        "reset-before-content",
        "hangs-before-content",
        "cut-between-events",
        "silent-then-503",
        "silent-then-cut-mid-stream",
        "junk-json",
        "ends-before-content",
        "overflow-event-before-content",
        "overloaded-event-before-content",
        "malformed-event-before-content",
    )
)

_LATE = ("silent-then", "silent-after", "slow-")


@dataclass(frozen=True)
class Cell:
    """One row for one dialect and mode.

    `upstream` is the dialect of the faulty target, `second` that of the healthy one behind it;
    None: there is no other target than the faulty one. A bridge leads to what the caller does not
    speak. `run` marks cells that are run against another deployment than the first.
    """

    row: Row
    dialect: str
    streamed: bool
    upstream: str
    second: str | None = None
    run: str = ""

    @property
    def name(self) -> str:
        """Unique; it travels in the prompt, so that the upstream knows the cell."""
        way = way_between(self.dialect, self.upstream)
        mode = "streamed" if self.streamed else "whole"
        place = "alone" if self.second is None else "pair"
        if self.second not in (None, self.dialect):
            place += f"-with-{self.second}"
        return f"{self.run}{self.row.behaviour}/{way}/{mode}/{place}"

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets of the group, in the order in which they are tried."""
        first = target_for(self.row.behaviour, self.dialect, self.upstream)
        if self.second is None:
            return (first,)
        if isinstance(self.outcome, Fault) and self.outcome.code in RESTS_AT_ONCE:
            first = own(first, f"{self.dialect}-{'streamed' if self.streamed else 'whole'}")
        second = target_for("good", self.dialect, self.second)
        return first, second if second != first else "good-in-one-piece"

    @property
    def group(self) -> str:
        """The group of the deployment under test."""
        return ".then-".join(self.targets)

    @property
    def outcome(self) -> Outcome:
        """What the row says of this mode."""
        outcome = self.row.streamed if self.streamed else self.row.whole
        assert outcome is not None
        return outcome

    @property
    def head_start(self) -> bool:
        """Whether the 200 head goes out before anybody knows who will answer."""
        return self.streamed and self.row.behaviour.startswith(_LATE)

    @property
    def falls_back(self) -> bool:
        """Whether the second target answers."""
        match self.outcome:
            case Fault(final=final):
                return self.second is not None and not final
            case Broken(late=late):
                return self.second is not None and late
            case _:
                return False


def own(target: str, mark: str) -> str:
    """The id of a target like that one, which no other cell has seen failing."""
    return f"{target}--{mark}"


def behind(target: str, upstream: str) -> str:
    """The id of a target that speaks one dialect alone."""
    return f"{target}.{upstream}"


def target_for(target: str, dialect: str, upstream: str) -> str:
    """The id of the target that answers a caller of `dialect` in `upstream`'s."""
    return target if upstream == dialect else behind(target, upstream)


def way_between(dialect: str, upstream: str) -> str:
    """The name of the bridge, or the dialect where both speak it."""
    return dialect if dialect == upstream else f"{dialect}_to_{upstream}"


# Every way between two dialects, by its name: what the caller speaks and what the upstream does.
WAYS = {way_between(*pair): pair for pair in product(DIALECTS, DIALECTS)}


def cells() -> Iterator[Cell]:
    """The whole table: every row natively and over every bridge, alone and with a second target.

    Two targets of which a bridge leads to at least one stand behind the rows of `MIXED` alone.
    """
    for row in ROWS:
        modes = [m for m, outcome in ((True, row.streamed), (False, row.whole)) if outcome]
        for dialect, streamed in product(DIALECTS, modes):
            for upstream, second in product(row.only, (None, *DIALECTS)):
                cell = Cell(row, dialect, streamed, upstream, second)
                if second is None or upstream == second == dialect or _is_mixed(cell):
                    yield cell


def _is_mixed(cell: Cell) -> bool:
    # a late failure of a whole answer is like any other, and each costs seconds
    told_apart = cell.streamed or not cell.row.behaviour.startswith(_LATE)
    return cell.row.behaviour in MIXED and cell.upstream != cell.second and told_apart


def error_type(dialect: str, status: int) -> str:
    """The `type` each dialect gives to a status."""
    if dialect == "messages":
        return _MESSAGES_TYPES.get(status, "api_error")
    return _OPENAI_TYPES.get(status, "server_error")


_OPENAI_TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
_MESSAGES_TYPES = {
    400: "invalid_request_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}
