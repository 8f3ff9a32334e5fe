"""Every cell of the fault table, and that no broken stream ever looks finished."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.faults.answers import TEXT
from tests.faults.calls import Seen
from tests.faults.drivers import Transcript, Verdict, read_stream, read_whole
from tests.faults.table import BROKEN, Broken, Cell, Fault, Whole, cells, error_type
from tests.faults.upstream import Upstream
from tests.support.wire import Answer

CELLS = tuple(cells())
# What an error may tell nobody: where the upstream is, and what it said in private
_PRIVATE = re.compile(r"https?://|127\.0\.0\.1|internal-host-7|upstream\.internal|Traceback")
_RETRIES_BY_CLIENTS = (408, 409, 429)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_the_caller_gets_what_the_table_says(
    cell: Cell, outcomes: dict[str, Seen], upstream: Upstream
):
    seen = outcomes[cell.name]
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


def test_no_broken_stream_looks_finished(outcomes: dict[str, Seen]):
    verdicts = {
        cell.name: transcript_of(cell, seen).verdict(
            upstream_was_whole=cell.falls_back or cell.outcome == Whole()
        )
        for cell in CELLS
        if cell.streamed and isinstance(seen := outcomes[cell.name], Answer) and seen.status == 200
    }
    false = [name for name, verdict in verdicts.items() if verdict is Verdict.FALSE_COMPLETE]
    assert Counter(verdicts.values())[Verdict.COMPLETE] > 0
    assert false == []


def test_no_broken_body_looks_whole(outcomes: dict[str, Seen]):
    for cell in CELLS:
        seen = outcomes[cell.name]
        if not cell.streamed and isinstance(seen, Answer) and seen.status == 200:
            assert read_whole(cell.dialect, seen)[0] == TEXT, cell.name


# --- what to look at -----------------------------------------------------------------------------


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
    assert answer.header("x-router-target") == ("good" if after_fallback else cell.row.behaviour)


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
    says = fault.says if isinstance(fault.says, str) else fault.says[cell.dialect]
    assert says in error["message"]
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
    asked = [one.model for one in upstream.of_cell(cell.name)]
    second = ["good"] if cell.falls_back else []
    if cell.row.behaviour in ("refused", "connecting-hangs"):
        assert asked == second
    elif cell.row.behaviour in ("reset-before-head", "closed-before-head"):
        # On a kept connection this is how a stale one looks: once more, on a new one.
        again = [cell.row.behaviour] if len(asked) - len(second) == 2 else []
        assert asked == [cell.row.behaviour, *again, *second]
    else:
        assert asked == [cell.row.behaviour, *second]
