"""The drivers themselves: they can tell a broken stream that looks finished."""

from __future__ import annotations

import pytest

from tests.faults.answers import DIALECTS, error_events, script
from tests.faults.drivers import Verdict, read_stream
from tests.support.wire import Answer, parse


def stream(*parts: bytes, ending: str) -> Answer:
    return Answer(200, (), b"".join(parts), ending)


def last_part_of(dialect: str) -> bytes:
    return script(dialect, "m").closing[-1]


@pytest.mark.parametrize("dialect", DIALECTS)
class TestVerdicts:
    def test_a_whole_stream_is_complete(self, dialect):
        whole = script(dialect, "m").whole
        transcript = read_stream(dialect, stream(whole, ending="clean"))
        assert transcript.violations == []
        assert transcript.verdict() is Verdict.COMPLETE

    def test_an_end_without_terminator_is_false(self, dialect):
        good = script(dialect, "m")
        transcript = read_stream(dialect, stream(*good.opening, *good.content, ending="clean"))
        assert transcript.verdict() is Verdict.FALSE_COMPLETE

    def test_an_empty_stream_is_false(self, dialect):
        assert read_stream(dialect, stream(ending="clean")).verdict() is Verdict.FALSE_COMPLETE

    def test_a_terminator_after_half_of_the_text_is_false(self, dialect):
        good = script(dialect, "m")
        parts = (*good.opening, *good.content[:2], *good.closing)
        transcript = read_stream(dialect, stream(*parts, ending="clean"))
        assert transcript.verdict() is Verdict.FALSE_COMPLETE

    def test_a_terminator_the_upstream_never_sent_is_false(self, dialect):
        whole = script(dialect, "m").whole
        transcript = read_stream(dialect, stream(whole, ending="clean"))
        assert transcript.verdict(upstream_was_whole=False) is Verdict.FALSE_COMPLETE

    def test_a_terminator_after_an_error_is_false(self, dialect):
        good = script(dialect, "m")
        failed = error_events(dialect, "m", 6, "api_error", "Boom.", "server_error")
        parts = (*good.opening, *good.content, failed, *good.closing)
        transcript = read_stream(dialect, stream(*parts, ending="aborted"))
        assert transcript.verdict() is Verdict.FALSE_COMPLETE

    def test_a_cut_is_a_cut(self, dialect):
        good = script(dialect, "m")
        transcript = read_stream(dialect, stream(*good.opening, *good.content, ending="aborted"))
        assert transcript.verdict() is Verdict.ABORTED

    def test_an_error_event_counts_with_its_cut_only(self, dialect):
        good = script(dialect, "m")
        failed = error_events(dialect, "m", 6, "api_error", "Boom.", "server_error")
        parts = (*good.opening, *good.content, failed)
        cut = read_stream(dialect, stream(*parts, ending="aborted"))
        ended = read_stream(dialect, stream(*parts, ending="clean"))
        assert cut.verdict() is Verdict.ERROR_EVENT
        assert ended.verdict() is Verdict.ERROR_EVENT_ENDED

    def test_half_an_event_is_a_violation(self, dialect):
        good = script(dialect, "m")
        parts = (*good.opening, good.content[0][:-9])
        assert read_stream(dialect, stream(*parts, ending="aborted")).violations


@pytest.mark.parametrize(
    ("dialect", "raw", "rule"),
    [
        ("chat", b"data: [DONE]\n\n", "[DONE] twice"),
        ("chat", script("chat", "m").opening[0], "a chunk after [DONE]"),
        ("responses", b'data: {"type": "response.x"}\n\n', "response.x after the end"),
        ("messages", b"data: [DONE]\n\n", "only Chat ends with [DONE]"),
    ],
)
def test_what_comes_after_the_end_is_a_violation(dialect, raw, rule):
    body = script(dialect, "m").whole + raw
    assert rule in read_stream(dialect, stream(body, ending="clean")).violations


class TestFraming:
    def test_a_last_chunk_is_a_clean_end(self):
        raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
        assert parse(raw, closed=False) == Answer(
            200, (("transfer-encoding", "chunked"),), b"ab", "clean"
        )

    def test_a_close_without_a_last_chunk_is_a_cut(self):
        raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
        answer = parse(raw, closed=True)
        assert answer is not None
        assert answer.ending == "aborted"

    def test_a_short_body_is_a_cut(self):
        answer = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", closed=True)
        assert answer is not None
        assert answer.ending == "aborted"

    def test_interim_answers_are_passed_over(self):
        raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
        answer = parse(raw, closed=False)
        assert answer is not None
        assert answer.status == 204
