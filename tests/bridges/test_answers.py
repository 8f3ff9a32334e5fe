"""What callers of the other dialects get of every recorded answer, on record for the reviewer."""

import json

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from runtime import failures
from runtime.dialects import DIALECTS
from runtime.errors import UpstreamError
from runtime.events import fold
from tests.bridges.crossings import PAIRS
from tests.bridges.outline import outlined_answer, shortened, told
from tests.bridges.replies import (
    cells,
    events_of,
    run,
    said,
    synthesized,
    tokens,
    understood,
    understood_whole,
    whole,
)
from tests.runtime.answers.recordings import BROKEN

REQUEST = "req-1"
STREAMS = cells(streaming=True)
WHOLE = cells(streaming=False)
# Answers of nothing but tools that a provider ran: no bridge asks for them, and no words are left.
HOSTED_ALONE = {
    "responses/openai__apply-patch__1.sse",
    "responses/openai__image-generation-reasoning__1.sse",
    "responses/openai__mcp-reasoning__1.sse",
    "responses/openai__shell-reasoning__1.sse",
}
SOUND = [cell for cell in STREAMS if cell[0].file not in BROKEN.keys() | HOSTED_ALONE]
ANSWERED = [cell for cell in WHOLE if cell[0].status == 200]
FAILED = [cell for cell in WHOLE if cell[0].status != 200]


EVERY_BRIDGE = pytest.mark.parametrize(
    ("surface", "upstream"), PAIRS, ids=[f"{caller} of {up}" for caller, up in PAIRS]
)


class _Text(SingleFileSnapshotExtension):
    file_extension = "txt"
    _write_mode = WriteMode.TEXT


def named(found):
    return pytest.mark.parametrize(
        ("recording", "surface"), found, ids=[f"{r.file}-{surface}" for r, surface in found]
    )


@EVERY_BRIDGE
def test_what_a_caller_gets_of_every_stream(surface, upstream, snapshot):
    pages = _pages(_streamed, STREAMS, surface, upstream)
    assert "\n".join(pages) == snapshot(extension_class=_Text)


@EVERY_BRIDGE
def test_what_a_caller_gets_of_every_answer_in_one_piece(surface, upstream, snapshot):
    pages = _pages(_in_one_piece, ANSWERED, surface, upstream)
    assert "\n".join(pages) == snapshot(extension_class=_Text)


@EVERY_BRIDGE
def test_what_a_caller_gets_of_every_error(surface, upstream, snapshot):
    pages = _pages(_failed, FAILED, surface, upstream)
    assert "\n".join(pages) == snapshot(extension_class=_Text)


@named(STREAMS)
def test_a_stream_that_comes_byte_by_byte_makes_the_same_frames(recording, surface):
    body = recording.body
    size = 1 if len(body) < 30_000 else 7
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    _assert_alike(run(recording, surface, pieces), run(recording, surface))


@named(STREAMS)
def test_a_stream_that_comes_event_by_event_makes_the_same_frames(recording, surface):
    _assert_alike(run(recording, surface, recording.events), run(recording, surface))


@named(SOUND)
def test_a_streamed_answer_says_to_its_caller_what_the_upstream_said(recording, surface):
    ran = run(recording, surface)
    assert ran.error is None
    got, sent = understood(surface, ran.frames), fold(events_of(recording))
    assert said(got, surface) == said(sent, surface)
    if tokens(sent) is not None:
        assert tokens(got) == tokens(sent)


@named([cell for cell in STREAMS if cell[0].file in HOSTED_ALONE])
def test_an_answer_of_nothing_but_hosted_tools_is_no_answer(recording, surface):
    ran = run(recording, surface)
    assert (ran.out, ran.relay.done) == (b"", False)
    assert ran.error.code == "upstream-invalid-response"
    assert ran.error.retryable


@named(ANSWERED)
def test_an_answer_in_one_piece_says_the_same_to_a_caller_who_streams(recording, surface):
    ran = synthesized(recording, surface)
    body = _whole_or_error(recording, surface)
    if isinstance(body, UpstreamError):
        assert ran.out == b""
        assert ran.error.code == body.code
        return
    assert ran.error is None
    got, other = understood(surface, ran.frames), understood_whole(surface, body)
    assert said(got, surface) == said(other, surface)
    if ran.relay.usage is not None:
        assert tokens(got) == tokens(other)


def _pages(lines_of, found, surface, upstream):
    return [
        "\n".join([f"## {recording.file}", *lines_of(recording, surface), ""])
        for recording, to in found
        if (to, recording.dialect) == (surface, upstream)
    ]


def _streamed(recording, surface):
    ran = run(recording, surface)
    lines = told(surface, ran.frames)
    if ran.error is not None:
        event = DIALECTS[surface].error_event(ran.error, REQUEST, ran.relay.face)
        lines += [*_error(ran.error), event.decode().strip()]
    unknown = ran.relay.unknown
    return [*lines, *([f"unknown events: {unknown}"] if unknown else [])]


def _in_one_piece(recording, surface):
    body = _whole_or_error(recording, surface)
    return _error(body) if isinstance(body, UpstreamError) else outlined_answer(body)


def _whole_or_error(recording, surface):
    try:
        return whole(recording, surface)
    except UpstreamError as error:
        return error


def _failed(recording, surface):
    error = failures.from_response(recording.status, {}, recording.body)
    body = json.loads(DIALECTS[surface].error_body(error, REQUEST))
    status = DIALECTS[surface].status_of(error)
    return [*_error(error), f"{status} {json.dumps(shortened(body, 240), ensure_ascii=False)}"]


def _error(error):
    again = "another target may be tried" if error.retryable else "final"
    details = f" {json.dumps(error.details)}" if error.details else ""
    return [f"error: {error.kind}, {error.code}, {again}{details}"]


def _assert_alike(one, other):
    assert one.out == other.out
    assert str(one.error) == str(other.error)
    assert one.relay.committed == other.relay.committed
    assert one.relay.usage == other.relay.usage
