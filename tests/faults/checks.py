"""What has to hold for the answer of a cell of the fault table, whatever deployment gave it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from tests.faults.answers import TEXT
from tests.faults.calls import Seen
from tests.faults.drivers import Transcript, Verdict, read_stream, read_whole
from tests.faults.table import (
    BROKEN,
    COMPACTED_ON,
    Broken,
    Cell,
    Fault,
    Whole,
    error_type,
)
from tests.faults.upstream import Upstream
from tests.support.wire import Answer

# What an error may tell nobody: where the upstream is, and what it said in private
_PRIVATE = re.compile(r"https?://|127\.0\.0\.1|internal-host-7|upstream\.internal|Traceback")
_RETRIES_BY_CLIENTS = (408, 409, 429)


def check_cell(cell: Cell, seen: Seen, upstream: Upstream) -> None:
    """The caller got what the table says, and nobody was asked in vain."""
    assert isinstance(seen, Answer), f"no answer at all: {seen!r}"
    if cell.falls_back:
        check_complete(cell, seen, after_fallback=True)
    else:
        match cell.outcome:
            case Whole():
                check_complete(cell, seen, after_fallback=False)
            case Broken() as broken:
                check_broken(cell, broken, seen)
            case Fault() as fault:
                check_fault(cell, fault, seen)
    check_who_was_asked(cell, upstream)


def verdicts(cells: Iterable[Cell], outcomes: Mapping[str, Seen]) -> dict[str, Verdict]:
    """How the streams look to their clients, by the names of their cells."""
    return {
        cell.name: transcript_of(cell, seen).verdict(
            upstream_was_whole=cell.falls_back or cell.outcome == Whole()
        )
        for cell in cells
        if cell.streamed and isinstance(seen := outcomes[cell.name], Answer) and seen.status == 200
    }


def transcript_of(cell: Cell, answer: Answer) -> Transcript:
    return read_stream(cell.dialect, answer)


def check_complete(cell: Cell, answer: Answer, *, after_fallback: bool) -> None:
    assert answer.status == 200, (answer.status, answer.body[:500])
    if cell.streamed:
        assert (answer.header("content-type") or "").startswith("text/event-stream")
        transcript = transcript_of(cell, answer)
        assert transcript.violations == []
        assert transcript.verdict() is Verdict.COMPLETE
        text, models = transcript.text, transcript.models
    else:
        assert answer.header("content-type") == "application/json"
        text, model = read_whole(cell.dialect, answer)
        models = {model}
    assert text == TEXT
    assert models == {cell.group}, "the answer names what the caller asked for"
    check_trace(cell, answer, after_fallback=after_fallback)
    assert answer.header("retry-after") is None


def check_trace(cell: Cell, answer: Answer, *, after_fallback: bool) -> None:
    assert answer.header("x-request-id")
    assert answer.header("x-router-group") == cell.group
    assert answer.header("x-router-surface") == cell.dialect
    if cell.head_start:
        return
    assert answer.header("x-router-attempts") == ("2" if after_fallback else "1")
    assert answer.header("x-router-fallback") == ("true" if after_fallback else None)
    assert answer.header("x-router-target") == cell.targets[after_fallback]
    served_in = cell.second if after_fallback else cell.upstream
    assert answer.header("x-router-skin") == served_in
    bridge = None if served_in == cell.dialect else f"{cell.dialect}_to_{served_in}"
    assert answer.header("x-router-bridge") == bridge


def check_broken(cell: Cell, broken: Broken, answer: Answer) -> None:
    """The stream began; the dialect's error event comes, no end, and the connection is cut."""
    assert answer.status == 200, (answer.status, answer.body[:500])
    transcript = transcript_of(cell, answer)
    assert transcript.verdict(upstream_was_whole=False) is Verdict.ERROR_EVENT, answer.body[-500:]
    assert transcript.violations == []
    assert transcript.models <= {cell.group}
    error = transcript.error
    assert error is not None
    assert error["message"]
    assert not _PRIVATE.search(json.dumps(error))
    if cell.dialect == "responses":
        # the only code that makes Codex try again whatever the words are
        assert error["code"] == "server_error"
    else:
        status = broken.messages_status if cell.dialect == "messages" else 502
        assert error["type"] == error_type(cell.dialect, status)
    if cell.dialect == "chat" and cell.outcome == BROKEN:
        assert error["code"] == "upstream_stream_interrupted"


def check_fault(cell: Cell, fault: Fault, answer: Answer) -> None:
    """An error with its own status, in the words of the dialect of the path."""
    status = fault.status
    if cell.dialect == "messages" and fault.messages_status:
        status = fault.messages_status
    assert answer.status == status, (answer.status, answer.body[:500])
    assert answer.ending == "clean"
    assert answer.header("content-type") == "application/json"
    assert answer.header("x-request-id")
    body = json.loads(answer.body)
    error = check_envelope(cell.dialect, body, answer)
    assert error["type"] == error_type(cell.dialect, status)
    if fault.code is not None:
        assert error["code"] == fault.code
    check_words(cell, fault, error, status)
    check_retry_headers(fault, answer, error)


def check_envelope(dialect: str, body: dict, answer: Answer) -> dict:
    if dialect == "messages":
        assert set(body) == {"type", "error", "request_id"}
        assert body["type"] == "error"
        assert set(body["error"]) <= {"type", "message", "code", "details"}
        assert body["request_id"] == answer.header("x-request-id")
    else:
        assert set(body) == {"error"}
        allowed = {"message", "type", "code", "param", "request_id", "details"}
        assert set(body["error"]) <= allowed
        assert body["error"]["request_id"] == answer.header("x-request-id")
    error = body["error"]
    assert isinstance(error["message"], str)
    assert error["message"]
    return error


def check_words(cell: Cell, fault: Fault, error: dict, status: int) -> None:
    assert not _PRIVATE.search(json.dumps(error))
    assert "<html" not in error["message"]
    if isinstance(fault.says, str):
        assert fault.says in error["message"]
    elif cell.upstream == cell.dialect:
        assert fault.says[cell.dialect] in error["message"]
    else:
        assert re.search(COMPACTED_ON[cell.dialect], error["message"])
    if 400 <= status < 500:
        # opencode reads the code and would repeat the request without end
        assert error.get("code") != "server_error"
    if fault.says and isinstance(fault.says, dict) and cell.dialect != "messages":
        assert error["code"] == "context_length_exceeded"


def check_retry_headers(fault: Fault, answer: Answer, error: dict) -> None:
    retry_after = answer.header("retry-after")
    if fault.retry_after is None:
        assert retry_after is None
    else:
        assert retry_after is not None
        assert 1 <= int(retry_after) <= 60, "clients sleep for exactly that long"
    if isinstance(fault.retry_after, int):
        assert retry_after == str(fault.retry_after)
    final = error.get("code") == "upstream-auth" or (
        400 <= answer.status < 500 and answer.status not in _RETRIES_BY_CLIENTS
    )
    assert answer.header("x-should-retry") == ("false" if final else None)


def check_who_was_asked(cell: Cell, upstream: Upstream) -> None:
    """The faulty target first, the healthy one only where the rule allows it, nobody twice."""
    asked = [(one.behaviour, one.dialect) for one in upstream.of_cell(cell.name)]
    first = (cell.row.behaviour, cell.upstream)
    second = [("good", cell.second)] if cell.falls_back else []
    if cell.row.behaviour in ("refused", "connecting-hangs"):
        assert asked == second
    elif cell.row.behaviour in ("reset-before-head", "closed-before-head"):
        # On a kept connection this is how a stale one looks: once more, on a new one.
        again = [first] if len(asked) - len(second) == 2 else []
        assert asked == [first, *again, *second]
    else:
        assert asked == [first, *second]
