"""What one worker keeps: so many bytes, for so long, the ones used last."""

from __future__ import annotations

import asyncio
import random

from runtime.cache.answers import Kept, LocalAnswers
from runtime.vocabulary import Cache

ROOM = Cache(max_bytes=16 * 1024, ttl=60.0)
FRAME = 512


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def kept(size: int = 100, text: bytes = b"x") -> Kept:
    return Kept("small", "chat", ("top_k",), 0.25, text * size)


def found(answers: LocalAnswers, key: bytes) -> Kept | None:
    return asyncio.run(answers.get(key))


def test_what_was_put_is_found_as_it_was():
    answers = LocalAnswers()
    answers.put(b"k", kept(), ROOM)
    assert found(answers, b"k") == kept()
    assert found(answers, b"other") is None


def test_an_answer_is_kept_for_its_time_and_no_longer():
    clock = Clock()
    answers = LocalAnswers(clock)
    answers.put(b"k", kept(), ROOM)
    clock.now += 59.9
    assert found(answers, b"k") is not None
    clock.now += 0.1
    assert found(answers, b"k") is None
    assert (len(answers), answers.size) == (0, 0)


def test_use_does_not_make_an_answer_live_longer():
    clock = Clock()
    answers = LocalAnswers(clock)
    answers.put(b"k", kept(), ROOM)
    for _ in range(6):
        clock.now += 10
        found(answers, b"k")
    assert found(answers, b"k") is None


def test_the_answers_not_used_for_longest_make_room():
    answers = LocalAnswers()
    for key in (b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"):
        answers.put(key, kept(2048 - FRAME), ROOM)
    assert (len(answers), answers.size) == (8, 16 * 1024)
    assert found(answers, b"a") is not None
    answers.put(b"i", kept(1), ROOM)
    assert found(answers, b"b") is None
    assert all(found(answers, key) for key in (b"a", b"c", b"i"))


def test_another_answer_under_a_key_takes_its_place():
    answers = LocalAnswers()
    answers.put(b"k", kept(500), ROOM)
    answers.put(b"k", kept(700, b"y"), ROOM)
    assert found(answers, b"k") == kept(700, b"y")
    assert (len(answers), answers.size) == (1, 700 + FRAME)


def test_one_answer_takes_an_eighth_of_the_room_at_most():
    answers = LocalAnswers()
    assert answers.takes(2048 - FRAME, ROOM)
    assert not answers.takes(2048 - FRAME + 1, ROOM)


def test_a_smaller_room_after_a_reload_holds_from_the_next_answer_on():
    answers = LocalAnswers()
    for key in (b"a", b"b", b"c", b"d"):
        answers.put(key, kept(1024), ROOM)
    answers.put(b"e", kept(10), Cache(max_bytes=4096, ttl=60.0))
    assert answers.size <= 4096
    assert found(answers, b"e") is not None


def test_the_bytes_are_counted_right_whatever_happens():
    clock, draw = Clock(), random.Random(7)
    answers = LocalAnswers(clock)
    for _ in range(3000):
        key = bytes([draw.randrange(40)])
        if draw.random() < 0.5:
            answers.put(key, kept(draw.randrange(1500)), ROOM)
        else:
            found(answers, key)
        clock.now += draw.random() * 8
        assert 0 <= answers.size <= ROOM.max_bytes
    assert len(answers) > 3
    for key in range(40):
        clock.now += 100
        found(answers, bytes([key]))
    assert (len(answers), answers.size) == (0, 0)
