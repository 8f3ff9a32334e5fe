"""A stream that breaks off before its end never looks finished, whoever reads it."""

import pytest

from tests.bridges.replies import TERMINATORS, cells, relay, run
from tests.runtime.answers.recordings import BROKEN
from tests.runtime.answers.test_recordings import events_until_complete

STREAMS = cells(streaming=True)
WHOLE = cells(streaming=False)
SOUND = [cell for cell in STREAMS if cell[0].file not in BROKEN]
# Of longer streams every boundary at both ends is tried, and so many between.
ENDS, BETWEEN = 20, 10
ENDINGS = (lambda made: made.eof(), lambda made: made.broken(ConnectionResetError()))


def named(found):
    return pytest.mark.parametrize(
        ("recording", "surface"), found, ids=[f"{r.file}-{surface}" for r, surface in found]
    )


@named(SOUND)
def test_a_stream_cut_between_events_never_looks_finished(recording, surface):
    events = recording.events
    complete = run(recording, surface).out
    for count in _cuts(events_until_complete(recording)):
        _assert_unfinished(recording, surface, b"".join(events[:count]), complete)


@named([cell for cell in SOUND if len(cell[0].body) < 4_000])
def test_a_stream_cut_inside_an_event_never_looks_finished(recording, surface):
    events = recording.events
    complete = run(recording, surface).out
    last = events_until_complete(recording) - 1
    size = len(b"".join(events[:last])) + events[last].index(b"{")
    for at in range(1, size, 37):
        _assert_unfinished(recording, surface, recording.body[:at], complete)


@named([cell for cell in WHOLE if cell[0].status == 200])
def test_half_an_answer_in_one_piece_is_none_to_a_caller_who_streams(recording, surface):
    body = recording.body.rstrip()
    for end in ENDINGS:
        made = relay(recording, surface, synthesized=True)
        out = made.feed(body[: len(body) // 2])
        assert (out + end(made), made.done) == (b"", False)
        assert made.error.retryable


@named([cell for cell in STREAMS if cell[0].file in BROKEN])
def test_a_stream_that_failed_upstream_never_looks_finished(recording, surface):
    ran = run(recording, surface)
    assert ran.error is not None, BROKEN[recording.file]
    assert not ran.relay.done
    assert ran.error.retryable is not ran.relay.committed
    assert not any(mark in ran.out for mark in TERMINATORS[surface])


@pytest.mark.parametrize("surface", TERMINATORS)
def test_the_marks_of_an_end_are_in_every_finished_stream(surface):
    told = [run(recording, to) for recording, to in SOUND if to == surface]
    finished = [ran.out for ran in told if ran.error is None]
    assert len(finished) > 60
    assert all(any(mark in out for mark in TERMINATORS[surface]) for out in finished)


def _cuts(count):
    if count <= 2 * ENDS + BETWEEN:
        return range(count)
    middle = range(ENDS, count - ENDS, (count - 2 * ENDS) // BETWEEN)
    return [*range(ENDS), *middle, *range(count - ENDS, count)]


def _assert_unfinished(recording, surface, prefix, complete):
    """Whether the upstream closes the connection or loses it."""
    for end in ENDINGS:
        made = relay(recording, surface)
        out = made.feed(prefix)
        out += end(made)
        where = f"cut after {len(prefix)} bytes"
        assert not made.done, where
        assert made.error is not None, where
        assert made.error.retryable is not made.committed, where
        assert (made.error.kind == "interrupted") is made.committed, where
        assert bool(out) is made.committed, where
        assert complete.startswith(out), where
        assert not any(mark in out for mark in TERMINATORS[surface]), where
